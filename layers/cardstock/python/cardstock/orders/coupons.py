"""What becomes of an order whose coupon is undone: taken back as far as nothing was sent, else it is owed, less what
the buyer gives back."""

from collections.abc import Iterator, Sequence

from cardstock.clock import Clock
from cardstock.ids import RequestKey, derived_id
from cardstock.money import Fen
from cardstock.orders.model import Order, Refund
from cardstock.orders.ports import Charges, CouponUses, Orders
from cardstock.orders.service import coupon_share, withdraw


def undo(coupon_id: str, member_id: str, *, orders: Orders, uses: CouponUses, charges: Charges, clock: Clock) -> None:
    """Let a coupon take nothing off any order, and follow the order that was placed with it. Safe to repeat."""
    request = RequestKey(derived_id("req", "undo", coupon_id), "undo")
    while order_id := uses.undo(coupon_id):
        left = withdraw(order_id, "a referral behind it was refunded", request, orders=orders, clock=clock)
        if left is None:
            # Nobody had paid the rest: the order is cancelled, and the coupon is free for a moment.
            continue
        fen = uses.decide_owed(coupon_id, order_id, left)
        if fen:
            charges.owe(coupon_id, member_id, order_id, fen)
            # Read after the decision was kept: who is not seen here will see the decision (`take_off`).
            order = orders.find(order_id)
            refunds = orders.refunds_of(order_id)
            for refund_id, part in given_back(order, refunds) if order is not None else ():
                charges.owe_less(coupon_id, refund_id, member_id, order_id, part)
        return


def take_off(order: Order, refund: Refund, refunds: Sequence[Refund], *, uses: CouponUses, charges: Charges) -> None:
    """A refund of `order`, one of its `refunds`, has gone through: what it gives back of an order that is owed is not
    owed any more. Safe to repeat."""
    if order.coupon and uses.is_owed(order.coupon):
        fen = coupon_share(order, refund, refunds)
        if fen:
            charges.owe_less(order.coupon, refund.refund_id, order.member_id, order.order_id, fen)


def given_back(order: Order, refunds: Sequence[Refund]) -> Iterator[tuple[str, Fen]]:
    """Each refund that went through, with what it gave back of what the coupon took off the order."""
    for refund in refunds:
        if refund.part_of_order and refund.status == "succeeded":
            fen = coupon_share(order, refund, refunds)
            if fen:
                yield refund.refund_id, fen
