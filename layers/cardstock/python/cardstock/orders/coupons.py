"""Revoking a coupon after its order was placed: refund the unsent units, charge the buyer for the rest."""

from collections.abc import Iterator, Sequence

from cardstock import clock
from cardstock.errors import STORE_BUSY, ConflictError
from cardstock.ids import RequestKey, derived_id
from cardstock.money import Fen
from cardstock.orders.model import Order, RequestedUnits
from cardstock.orders.ports import Charges, CouponUses, Orders
from cardstock.orders.refund_amounts import coupon_discount, coupon_shares
from cardstock.orders.refund_model import Refund
from cardstock.orders.refunds import request_refund
from cardstock.orders.steps import ATTEMPTS, close_step


def revoke_coupon(coupon_id: str, member_id: str, *, orders: Orders, uses: CouponUses, charges: Charges) -> None:
    """Revoke a coupon, and settle the order that was placed with it. Safe to repeat.

    An unpaid order is cancelled, unsent units are refunded, and for units that were sent and kept the coupon's discount
    is charged to the member.
    """
    request = RequestKey(derived_id("req", "undo", coupon_id), "undo")
    while (use := uses.revoke_unused(coupon_id)).state != "revoked":
        discount = withdraw_order(use.order_id, "a referral behind it was refunded", request, orders=orders)
        if discount is None:
            continue  # The order was unpaid and is now cancelled, so its coupon is unused again.
        use = uses.close_use(coupon_id, use.order_id, discount)
        if use.state == "owed":
            charges.charge(coupon_id, member_id, use.order_id, use.fen)
            # Read after the decision was stored: a refund missing here has seen the decision (`reduce_charge`).
            order = orders.find_order(use.order_id)
            refunds = orders.refunds_of_order(use.order_id)
            for refund_id, part in returned_discounts(order, refunds) if order is not None else ():
                charges.reduce_charge(coupon_id, refund_id, member_id, use.order_id, part)
        return


def reduce_charge(
    order: Order, refund: Refund, refunds: Sequence[Refund], *, uses: CouponUses, charges: Charges
) -> None:
    """Reduce the charge for a revoked coupon after a refund of its order has succeeded: the discount on the returned
    units is not owed any more. `refund` is one of the order's `refunds`. Safe to repeat."""
    if order.coupon and uses.find_use(order.coupon).state == "owed":
        fen = coupon_shares(order, refunds)[refund.refund_id]
        if fen:
            charges.reduce_charge(order.coupon, refund.refund_id, order.member_id, order.order_id, fen)


def returned_discounts(order: Order, refunds: Sequence[Refund]) -> Iterator[tuple[str, Fen]]:
    """Each succeeded refund's id, and the part of the coupon's discount on its units."""
    yield from ((refund_id, fen) for refund_id, fen in coupon_shares(order, refunds).items() if fen)


def withdraw_order(order_id: str, reason: str, request: RequestKey, *, orders: Orders) -> Fen | None:
    """Refund the unsent units of an order whose coupon is revoked. Safe to repeat: one `request` refunds once.

    Returns the coupon's discount in fen if any unit was sent and kept, else 0. None if the order was not paid: it is
    cancelled, and its coupon is free.
    """
    for _ in range(ATTEMPTS):
        order = orders.find_order(order_id)
        if order is None or order.status in ("cancelled", "expired"):
            return None
        if order.status == "placed":
            if orders.store_step(close_step(order, "cancelled", clock.now())):
                return None
            continue
        supplier_orders = orders.find_supplier_orders(order_id, order.supplier_ids)
        unsent = [
            RequestedUnits(line.sku, left)
            for line in order.lines
            # Not those set aside: their refund was given up, and people decide about another one.
            if supplier_orders[line.supplier_id].status == "open"
            and (left := line.units - line.refunded_units - line.set_aside_units)
        ]
        if not unsent:
            kept = any(line.refunded_units < line.units for line in order.lines)
            return coupon_discount(order) if kept else 0
        try:
            request_refund(order.member_id, order_id, unsent, reason, request, orders=orders)
        except ConflictError:
            continue  # Some units were sent meanwhile: read again.
    raise STORE_BUSY()
