"""The benefits of plans without cash, between the network that grants them, orders that use them, and the ledger."""

from collections.abc import Callable, Sequence

from cardstock.clock import Clock
from cardstock.ledger import charges
from cardstock.ledger.ports import Books
from cardstock.money import Fen
from cardstock.network.coupons import coupon_value
from cardstock.network.model import Event, revoked_coupon
from cardstock.network.ports import Network, Plans
from cardstock.orders import coupons
from cardstock.orders.coupon_store import used
from cardstock.orders.model import Coupon, Order, Refund
from cardstock.orders.ports import CouponUses, Orders


class Coupons:
    """The orders area's `Coupons` port: what a granted benefit takes off an order."""

    def __init__(self, positions: Network, plans: Plans) -> None:
        self._network = positions
        self._plans = plans

    def of(self, member_id: str, coupon_id: str) -> Coupon | None:
        """See the port."""
        granted = coupon_value(member_id, coupon_id, network=self._network, plans=self._plans)
        return None if granted is None or used(coupon_id) else Coupon(coupon_id, granted)


class BookedCharges:
    """The orders area's `Charges` port, booked in the ledger."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def owe(self, coupon_id: str, member_id: str, order_id: str, fen: Fen) -> None:
        charges.charge_coupon(coupon_id, member_id, order_id, fen, books=self._books)

    def owe_less(self, coupon_id: str, refund_id: str, member_id: str, order_id: str, fen: Fen) -> None:
        charges.reduce_coupon_charge(coupon_id, refund_id, member_id, order_id, fen, books=self._books)


class Undoing:
    """Has orders follow what the network takes back."""

    def __init__(self, placed: Orders, uses: CouponUses, books: Books, clock: Callable[[], Clock]) -> None:
        self._orders = placed
        self._uses = uses
        self._charges = BookedCharges(books)
        self._clock = clock

    def follow(self, moved: Sequence[Event]) -> None:
        """Follow what happened to benefits. Again, it changes nothing."""
        for event in moved:
            coupon_id = revoked_coupon(event)
            if coupon_id is not None:
                coupons.undo(
                    coupon_id,
                    event.member_id,
                    orders=self._orders,
                    uses=self._uses,
                    charges=self._charges,
                    clock=self._clock(),
                )

    def given_back(self, order: Order, refund: Refund, refunds: Sequence[Refund]) -> None:
        """A refund of an order has gone through. Again, it changes nothing."""
        coupons.take_off(order, refund, refunds, uses=self._uses, charges=self._charges)
