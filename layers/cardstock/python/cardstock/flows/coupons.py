"""Coupons of plans without cash: the network grants them, orders use them, and the ledger charges for revoked ones."""

from collections.abc import Sequence

from cardstock.ledger import charges
from cardstock.ledger.ports import Books
from cardstock.money import Fen
from cardstock.network.coupons import coupon_value
from cardstock.network.model import Event, revoked_coupon
from cardstock.network.ports import Network, Plans
from cardstock.orders.coupon_model import Coupon
from cardstock.orders.coupons import reduce_charge, revoke_coupon
from cardstock.orders.model import Order
from cardstock.orders.ports import CouponUses, Orders
from cardstock.orders.refund_model import Refund


class GrantedCoupons:
    """`orders.ports.Coupons`: coupons that the network has granted and nobody has used."""

    def __init__(self, positions: Network, plans: Plans, uses: CouponUses) -> None:
        self._network = positions
        self._plans = plans
        self._uses = uses

    def find_coupon(self, member_id: str, coupon_id: str) -> Coupon | None:
        granted = coupon_value(member_id, coupon_id, network=self._network, plans=self._plans)
        if granted is None or self._uses.find_use(coupon_id).state != "unused":
            return None
        return Coupon(coupon_id, granted)


class LedgerCharges:
    """`orders.ports.Charges`, booked in the ledger."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def charge(self, coupon_id: str, member_id: str, order_id: str, fen: Fen) -> None:
        charges.charge_coupon(coupon_id, member_id, order_id, fen, books=self._books)

    def reduce_charge(self, coupon_id: str, refund_id: str, member_id: str, order_id: str, fen: Fen) -> None:
        charges.reduce_coupon_charge(coupon_id, refund_id, member_id, order_id, fen, books=self._books)


class CouponRevocation:
    """When the network revokes coupons, revokes their orders; when such orders are refunded, reduces the charges."""

    def __init__(self, orders: Orders, uses: CouponUses, books: Books) -> None:
        self._orders = orders
        self._uses = uses
        self._charges = LedgerCharges(books)

    def revoke_coupons(self, events: Sequence[Event]) -> None:
        """Revoke the coupons that these network changes revoke. Safe to repeat."""
        for event in events:
            coupon_id = revoked_coupon(event)
            if coupon_id is not None:
                revoke_coupon(coupon_id, event.member_id, orders=self._orders, uses=self._uses, charges=self._charges)

    def reduce_charge(self, order: Order, refund: Refund, refunds: Sequence[Refund]) -> None:
        """Reduce the charge for a revoked coupon after a refund of its order has succeeded. Safe to repeat."""
        reduce_charge(order, refund, refunds, uses=self._uses, charges=self._charges)
