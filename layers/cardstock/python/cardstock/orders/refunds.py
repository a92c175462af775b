"""Refunding an order: unsent units, sent units, goodwill; channels pay back, and people end what a channel refuses."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, STORE_BUSY, Pointer, RefusedError
from cardstock.ids import RequestKey, derived_id
from cardstock.money import BPS_ONE, Bps, Fen
from cardstock.orders import errors
from cardstock.orders.change_model import Step
from cardstock.orders.model import Order, RequestedUnits
from cardstock.orders.ports import Orders
from cardstock.orders.refund_amounts import (
    add_refund,
    cancel_unsent,
    goodwill_limit,
    goodwill_lines,
    refused_in_the_way,
    return_lines,
)
from cardstock.orders.refund_model import REFUND_WINDOW, AskedGoodwill, Refund, RefundLine
from cardstock.orders.steps import ATTEMPTS, find_order, merge_units
from cardstock.orders.supplier_model import SupplierOrder


class RequestedRefund(msgspec.Struct, frozen=True):
    """A refund, and whether this request was a repeat."""

    refund: Refund
    replayed: bool


class RefundTerms(msgspec.Struct, frozen=True):
    """What a refund is made from. `member_id` must be the order's buyer; None for any."""

    member_id: str | None
    kind: Literal["return", "goodwill"]
    lines_of: Callable[[Order, Mapping[str, SupplierOrder]], tuple[RefundLine, ...]]
    reason: str
    key: RequestKey
    granted_by: str = ""
    asked_by: str = ""
    asked_no: str = ""


def request_refund(
    member_id: str,
    order_id: str,
    requested: Sequence[RequestedUnits],
    reason: str,
    request: RequestKey,
    *,
    orders: Orders,
) -> RequestedRefund:
    """Reserve unsent units of a member's own paid order for a refund; `execute_refund` sends the money.

    Amounts are those of `return_lines`. The freight of a part is refunded with its last unit if nothing of it was sent.
    The units are taken off their supplier order now, and are for sale again when the refund has succeeded. A repeat of
    `request` returns the first refund. Raises `RefusedError` REFUND_TOO_MUCH or REFUND_TOO_LATE, `ConflictError`
    ORDER_NOT_PAID, REFUND_WAITS (a refund of them was refused) or UNITS_SENT; nothing is refunded then.
    """

    def lines_of(order: Order, supplier_orders: Mapping[str, SupplierOrder]) -> tuple[RefundLine, ...]:
        lines = _return_lines(order, requested, supplier_orders, orders)
        sent = [line.sku for line in lines if not line.restock]
        if sent:
            raise errors.UNITS_SENT(skus=sent)
        return lines

    return _make_refund(order_id, RefundTerms(member_id, "return", lines_of, reason, request), orders)


def accept_return(
    actor: str,
    order_id: str,
    returned: Sequence[RequestedUnits],
    reason: str,
    request: RequestKey,
    *,
    orders: Orders,
) -> RequestedRefund:
    """Reserve units of any paid order for a refund that staff (`actor`) decide, sent or not; `execute_refund` sends the
    money.

    Sent units are not for sale again by it. Otherwise like `request_refund`, without UNITS_SENT.
    """

    def lines_of(order: Order, supplier_orders: Mapping[str, SupplierOrder]) -> tuple[RefundLine, ...]:
        return _return_lines(order, returned, supplier_orders, orders)

    return _make_refund(order_id, RefundTerms(None, "return", lines_of, reason, request, granted_by=actor), orders)


def _return_lines(
    order: Order,
    requested: Sequence[RequestedUnits],
    supplier_orders: Mapping[str, SupplierOrder],
    orders: Orders,
) -> tuple[RefundLine, ...]:
    """As `return_lines`; REFUND_WAITS where refunds that their channel refused have the units that are lacking."""
    units = merge_units(requested)
    try:
        return return_lines(order, units, supplier_orders)
    except RefusedError as error:
        waiting = refused_in_the_way(order, units, orders.refunds_of_order(order.order_id))
        if not waiting:
            raise
        raise errors.REFUND_WAITS(refunds=waiting) from error


def grant_goodwill(
    actor: str,
    order_id: str,
    amount: Fen,
    reason: str,
    request: RequestKey,
    *,
    bound_bps: Bps = BPS_ONE,
    orders: Orders,
) -> RequestedRefund:
    """Refund `amount` fen of a paid order without units; `execute_refund` sends the money.

    The amount is spread by `goodwill_lines`, never over the freight. Who granted it (`actor`) and the reason are
    stored. `bound_bps`: what one person may give of each line (`goodwill_limit`). A repeat of `request` returns the
    first refund. Raises `RefusedError` REFUND_EXCEEDS_PAID, GOODWILL_LIMIT with the most that one person may give
    (nothing is refunded then) or REFUND_TOO_LATE, `ConflictError` ORDER_NOT_PAID.
    """

    def lines_of(order: Order, _supplier_orders: Mapping[str, SupplierOrder]) -> tuple[RefundLine, ...]:
        lines = goodwill_lines(order, amount)
        limit = goodwill_limit(order, () if bound_bps == BPS_ONE else orders.refunds_of_order(order_id), bound_bps)
        if amount > limit:
            raise errors.GOODWILL_LIMIT(
                pointers=(Pointer("/amount_fen", "OUT_OF_RANGE", {"max": limit}),), limit_fen=limit
            )
        return lines

    return _make_refund(order_id, RefundTerms(None, "goodwill", lines_of, reason, request, granted_by=actor), orders)


def check_goodwill(order_id: str, amount: Fen, *, orders: Orders) -> Order:
    """The order, if `amount` fen of it could be given as goodwill now by two persons. Raises as `grant_goodwill`."""
    order = _refundable(find_order(None, order_id, orders=orders))
    goodwill_lines(order, amount)
    return order


def grant_asked(asked: AskedGoodwill, granted_by: str, item: object, *, orders: Orders) -> bool:
    """Give the goodwill that one person has asked for and another (`granted_by`) has granted, and store the cleared
    `item` about it: one transaction. False, and nothing is stored, if it was given or the item has changed. Raises as
    `grant_goodwill`.
    """

    def lines_of(order: Order, _supplier_orders: Mapping[str, SupplierOrder]) -> tuple[RefundLine, ...]:
        return goodwill_lines(order, asked.amount_fen)

    key = RequestKey("", asked.fingerprint)
    terms = RefundTerms(
        None, "goodwill", lines_of, asked.reason, key, granted_by=granted_by, asked_by=asked.asked_by
    )  # fmt: skip
    for _ in range(ATTEMPTS):
        order = find_order(None, asked.order_id, orders=orders)
        if orders.find_refund(asked.order_id, asked.refund_id) is not None:
            return False
        step = refund_step(order, asked.refund_id, terms, orders)
        if orders.store_step(replace(step, changed_items=(item,))):
            return True
    return False


def _make_refund(order_id: str, terms: RefundTerms, orders: Orders) -> RequestedRefund:
    refund_id = refund_id_of(terms.key)
    for _ in range(ATTEMPTS):
        order = find_order(terms.member_id, order_id, orders=orders)
        earlier = orders.find_refund(order_id, refund_id)
        if earlier is not None:
            if not terms.key.made(earlier.fingerprint):
                raise IDEMPOTENCY_KEY_REUSED()
            return RequestedRefund(earlier, replayed=True)
        step = refund_step(order, refund_id, terms, orders)
        if orders.store_step(step):
            return RequestedRefund(step.refunds[0], replayed=False)
    raise STORE_BUSY()


def refund_id_of(request: RequestKey) -> str:
    """The id of the refund that a request makes."""
    return derived_id("rfd", request.id)


def _refundable(order: Order) -> Order:
    if not order.is_paid:
        raise errors.ORDER_NOT_PAID()
    assert order.paid_at is not None
    if clock.now() > order.paid_at + REFUND_WINDOW:
        raise errors.REFUND_TOO_LATE()
    return order


def refund_step(order: Order, refund_id: str, terms: RefundTerms, orders: Orders) -> Step:
    """The step that reserves what `terms` ask for, from the order as it is now."""
    _refundable(order)
    assert order.channel is not None
    assert order.transaction_no is not None
    now = clock.now()
    supplier_orders = orders.find_supplier_orders(order.order_id, order.supplier_ids)
    lines = terms.lines_of(order, supplier_orders)
    reduced = cancel_unsent(order, supplier_orders, lines, now)
    after = add_refund(order, lines, {**supplier_orders, **reduced}, now)
    refund = Refund(
        refund_id=refund_id,
        order_id=order.order_id,
        member_id=order.member_id,
        kind=terms.kind,
        status="requested",
        amount_fen=after.refunded_fen - order.refunded_fen,
        lines=lines,
        reason=terms.reason,
        channel=order.channel,
        transaction_no=order.transaction_no,
        total_fen=order.amount_fen,
        requested_at=now,
        fingerprint=terms.key.fingerprint,
        granted_by=terms.granted_by,
        asked_by=terms.asked_by,
        asked_no=terms.asked_no,
        freight_of=tuple(
            part.supplier_id
            for before, part in zip(order.freight_parts, after.freight_parts, strict=True)
            if part.refunded and not before.refunded
        ),
    )
    return Step(orders=(after,), refunds=(refund,), supplier_orders=tuple(reduced.values()))


def list_refunds(member_id: str | None, order_id: str, *, orders: Orders) -> tuple[Refund, ...]:
    """The refunds of a member's own order, or of any order for staff (`member_id` None); oldest first."""
    find_order(member_id, order_id, orders=orders)
    return orders.refunds_of_order(order_id)
