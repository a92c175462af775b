"""The team dividend: settled sales are counted, the network divides each month, the ledger credits the shares."""

from collections.abc import Callable

from cardstock.ledger.charges import share_dividend
from cardstock.ledger.ports import Books
from cardstock.network import dividends
from cardstock.network.model import DividendShare, DivisionProgress, Snapshot
from cardstock.network.ports import Plans, TeamSales
from cardstock.orders.model import Order
from cardstock.orders.refund_model import Refund


class Dividends:
    """Counts the sales for team dividends, and pays the shares."""

    def __init__(self, team_sales: TeamSales, plans: Plans, books: Books) -> None:
        self._team_sales = team_sales
        self._plans = plans
        self._books = books

    def count_settled(self, order: Order) -> bool:
        """Count an order that settles, at the version read. False if it has changed meanwhile: it waits for the next
        night. Safe to repeat."""
        return dividends.count_settled(
            order.order_id,
            order.version,
            Snapshot.from_compact(order.snapshot),
            order.kept_fen,
            team_sales=self._team_sales,
            plans=self._plans,
        )

    def count_refund(self, order: Order, refund: Refund) -> None:
        """Subtract a succeeded refund from the sales of its order, if the order has settled. Safe to repeat."""
        dividends.count_returned(
            order.order_id,
            refund.refund_id,
            refund.counts_from,
            Snapshot.from_compact(order.snapshot),
            refund.goods_fen,
            team_sales=self._team_sales,
            plans=self._plans,
        )

    def divide(self, month: str, time_left: Callable[[], bool] = lambda: True) -> DivisionProgress:
        """Pay the shares of an ended month (`2026-11`), each once. See `network.dividends.divide`."""

        def pay(share: DividendShare) -> None:
            share_dividend(share.plan, month, share.member_id, share.fen, books=self._books)

        return dividends.divide(month, pay, team_sales=self._team_sales, plans=self._plans, time_left=time_left)
