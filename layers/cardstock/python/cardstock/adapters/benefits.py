"""The benefits of plans without cash, between the network that grants them, orders that use them, and the ledger."""

from collections.abc import Callable, Sequence

from cardstock.adapters.dynamodb import coupons
from cardstock.clock import Clock
from cardstock.ids import RequestKey, derived_id
from cardstock.ledger import service as ledger
from cardstock.ledger.ports import Books
from cardstock.network import service as network
from cardstock.network.model import Event
from cardstock.network.ports import Network, Plans
from cardstock.orders import service as orders
from cardstock.orders.model import Coupon, Order, Refund
from cardstock.orders.ports import Orders


class Coupons:
    """The orders area's `Coupons` port: what a granted benefit takes off an order."""

    def __init__(self, positions: Network, plans: Plans) -> None:
        self._network = positions
        self._plans = plans

    def of(self, member_id: str, coupon_id: str) -> Coupon | None:
        """See the port."""
        granted = network.benefit_of(member_id, coupon_id, network=self._network, plans=self._plans)
        return None if granted is None or coupons.used(coupon_id) else Coupon(coupon_id, granted)


class Undoing:
    """Takes a free order back when the referral behind it is gone, or makes it a debt once it has shipped."""

    def __init__(self, placed: Orders, books: Books, clock: Callable[[], Clock]) -> None:
        self._orders = placed
        self._books = books
        self._clock = clock

    def follow(self, moved: Sequence[Event]) -> None:
        """Follow what happened to benefits. Again, it changes nothing."""
        for event in moved:
            if event.kind == "benefit_undone":
                self._undo(event.id.replace("benefit-undone.", "benefit.", 1), event.member_id)

    def _undo(self, coupon_id: str, member_id: str) -> None:
        order_id = coupons.undo(coupon_id)
        if not order_id:
            return
        request = RequestKey(derived_id("req", "undo", coupon_id), "undo")
        left = orders.withdraw(order_id, "a referral behind it was refunded", request, orders=self._orders,
                               clock=self._clock())  # fmt: skip
        if left is None:
            # Nobody had paid the rest: the order is cancelled, and the coupon is free for a moment.
            self._undo(coupon_id, member_id)
            return
        fen = coupons.decide_owed(coupon_id, order_id, left)
        if fen:
            ledger.owe(coupon_id, member_id, order_id, fen, books=self._books, clock=self._clock())
            # Read after the decision was kept: who is not seen here will see the decision (`given_back`).
            order = self._orders.find(order_id)
            refunds = self._orders.refunds_of(order_id)
            for refund in refunds:
                if order is not None and refund.kind == "return" and refund.status == "succeeded":
                    self._owe_less(coupon_id, order, refund, refunds)

    def given_back(self, order: Order, refund: Refund, refunds: Sequence[Refund]) -> None:
        """A refund of the free order has gone through: what it gives back is not owed. Again, it changes nothing."""
        if order.coupon and coupons.is_owed(order.coupon):
            self._owe_less(order.coupon, order, refund, refunds)

    def _owe_less(self, coupon_id: str, order: Order, refund: Refund, refunds: Sequence[Refund]) -> None:
        fen = orders.coupon_share(order, refund, refunds)
        if fen:
            ledger.owe_less(coupon_id, refund.refund_id, order.member_id, order.order_id, fen, books=self._books,
                            clock=self._clock())  # fmt: skip
