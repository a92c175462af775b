"""The team dividend between orders, whose sales it is measured on, the network, which divides it, and the ledger."""

from collections.abc import Callable

from cardstock.clock import Clock
from cardstock.ledger.charges import share_dividend
from cardstock.ledger.ports import Books
from cardstock.network import dividends
from cardstock.network.model import Divided, DividendShare, Snapshot
from cardstock.network.ports import Plans, TeamSales
from cardstock.orders.model import Order, Refund


class Dividends:
    """What team dividends need of orders, and what they pay."""

    def __init__(self, team_sales: TeamSales, plans: Plans, books: Books, clock: Callable[[], Clock]) -> None:
        self._team_sales = team_sales
        self._plans = plans
        self._books = books
        self._clock = clock

    def settled(self, order: Order) -> bool:
        """Count an order that settles, as it was read. False if it has changed meanwhile: it has to wait."""
        return dividends.count_settled(
            order.order_id,
            order.version,
            Snapshot.from_compact(order.snapshot),
            order.kept_fen,
            team_sales=self._team_sales,
            plans=self._plans,
        )

    def given_back(self, order: Order, refund: Refund) -> None:
        """Count a refund that went through."""
        dividends.count_returned(
            order.order_id,
            refund.refund_id,
            refund.sequence,
            Snapshot.from_compact(order.snapshot),
            refund.goods_fen,
            team_sales=self._team_sales,
            plans=self._plans,
        )

    def divide(self, month: str, time_left: Callable[[], bool] = lambda: True) -> Divided:
        """Pay the shares of a month (`2026-11`) that is over, each once. See `network.dividends.divide`."""

        def pay(share: DividendShare) -> None:
            share_dividend(share.plan, month, share.member_id, share.fen, books=self._books)

        return dividends.divide(month, pay, team_sales=self._team_sales, plans=self._plans, time_left=time_left)
