"""Amounts of refunds: pure rules about the lines of an order.

All refunds of a line together are exactly what was paid for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from cardstock.errors import REFUND_EXCEEDS_PAID
from cardstock.money import Fen, half_up, split
from cardstock.orders import errors
from cardstock.orders.model import Order, Refund, RefundLine, SupplierOrder
from cardstock.orders.steps import follow_suppliers


def return_lines(
    order: Order, units: Mapping[str, int], supplier_orders: Mapping[str, SupplierOrder]
) -> tuple[RefundLine, ...]:
    """The lines of a return of `units` by SKU.

    An amount is the cumulative half-up share of what was paid for the line, at most what goodwill refunds have left of
    it. Raises `RefusedError` REFUND_TOO_MUCH with what can be refunded.
    """
    bought = {line.sku: line for line in order.lines}
    too_much = [
        {"sku": sku, "refundable": bought[sku].units - bought[sku].refunded_units if sku in bought else 0}
        for sku, count in units.items()
        if sku not in bought or bought[sku].refunded_units + count > bought[sku].units
    ]
    if too_much:
        raise errors.REFUND_TOO_MUCH(lines=too_much)
    lines = []
    for sku, count in units.items():
        line = bought[sku]
        before = half_up(line.net_fen * line.refunded_units, line.units)
        share = half_up(line.net_fen * (line.refunded_units + count), line.units) - before
        fen = min(share, line.net_fen - line.refunded_fen)
        unsent = supplier_orders[line.supplier_id].status == "open"
        lines.append(RefundLine(line.line_no, sku, count, fen, restock=unsent))
    return tuple(lines)


def goodwill_lines(order: Order, amount: Fen) -> tuple[RefundLine, ...]:
    """The lines of a goodwill refund of `amount` fen: spread over what is left of all lines, by largest remainder.

    Raises `RefusedError` REFUND_EXCEEDS_PAID unless `amount` is between 1 fen and all that is left.
    """
    rests = [line.net_fen - line.refunded_fen for line in order.lines]
    if not 0 < amount <= sum(rests):
        raise REFUND_EXCEEDS_PAID(refundable_fen=sum(rests))
    spread = zip(order.lines, split(amount, rests), strict=True)
    return tuple(RefundLine(line.line_no, line.sku, 0, fen) for line, fen in spread if fen)


def cancel_unsent(
    supplier_orders: Mapping[str, SupplierOrder], lines: Sequence[RefundLine], now: datetime
) -> dict[str, SupplierOrder]:
    """The changed supplier orders that lose unsent units to `lines`; one without units left is cancelled."""
    taken = {line.sku: line.units for line in lines if line.restock}
    changed = {}
    for supplier_id, before in supplier_orders.items():
        if before.status == "open" and any(line.sku in taken for line in before.lines):
            left = tuple(replace(line, cancelled=line.cancelled + taken.get(line.sku, 0)) for line in before.lines)
            empty = all(line.cancelled == line.units for line in left)
            changed[supplier_id] = replace(
                before,
                lines=left,
                status="cancelled" if empty else "open",
                reduced_at=now,
                last_event="reduced",
                version=before.version + 1,
            )
    return changed


def add_refund(
    order: Order, refunded: Sequence[RefundLine], supplier_orders: Mapping[str, SupplierOrder], now: datetime
) -> Order:
    """The next version of `order`, with `refunded` taken from its lines and the state of its supplier orders."""
    by_sku = {line.sku: line for line in refunded}
    lines = tuple(
        replace(
            line,
            refunded_units=line.refunded_units + by_sku[line.sku].units,
            refunded_fen=line.refunded_fen + by_sku[line.sku].amount_fen,
        )
        if line.sku in by_sku
        else line
        for line in order.lines
    )
    return follow_suppliers(replace(order, lines=lines, version=order.version + 1), supplier_orders, now)


def coupon_discount(order: Order) -> Fen:
    """The coupon's discount on the order, in total."""
    return sum(line.units * line.price_fen - line.net_fen for line in order.lines)


def coupon_share(order: Order, refund: Refund, refunds: Iterable[Refund]) -> Fen:
    """The part of the coupon's discount on a refund's units. All refunds of all units add up to the whole discount.

    It is cumulative over the order's `refunds` in the order of their requests, so it never changes.
    """
    share = 0
    for line in order.lines:
        before = sum(
            each.units
            for other in refunds
            if other.part_of_order and other.sequence < refund.sequence
            for each in other.lines
            if each.line_no == line.line_no
        )
        now = sum(each.units for each in refund.lines if each.line_no == line.line_no)
        off = line.units * line.price_fen - line.net_fen
        share += half_up(off * (before + now), line.units) - half_up(off * before, line.units)
    return share
