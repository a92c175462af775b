"""Amounts of refunds: pure rules about the lines of an order.

All refunds of a line together are exactly what was paid for it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from cardstock.errors import REFUND_EXCEEDS_PAID
from cardstock.money import BPS_ONE, Bps, Fen, half_up, split
from cardstock.orders import errors
from cardstock.orders.model import FreightPart, Order, OrderLine
from cardstock.orders.refund_model import Refund, RefundLine
from cardstock.orders.steps import follow_suppliers
from cardstock.orders.supplier_model import SupplierOrder


def return_lines(
    order: Order, units: Mapping[str, int], supplier_orders: Mapping[str, SupplierOrder]
) -> tuple[RefundLine, ...]:
    """The lines of a return of `units` by SKU.

    An amount is the cumulative half-up share of what was paid for the line, at most what other refunds have left of
    it; the last unit gets all that is left. Units that are set aside come first. A line of the order has two lines here
    if some of its units were sent and others were not. Raises `RefusedError` REFUND_TOO_MUCH with what can be refunded.
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
        unsent = count if supplier_orders[line.supplier_id].status == "open" else min(count, line.set_aside_units)
        for part, restock in ((unsent, True), (count - unsent, False)):
            if part:
                fen = _share(line, part)
                lines.append(RefundLine(line.line_no, sku, part, fen, restock=restock))
                line = replace(line, refunded_units=line.refunded_units + part, refunded_fen=line.refunded_fen + fen)
    return tuple(lines)


def refused_in_the_way(order: Order, units: Mapping[str, int], refunds: Iterable[Refund]) -> list[str]:
    """The ids of refunds that their channel refused and that have the units which a return of `units` by SKU lacks.

    Empty if more is wanted than would be there once they were given up.
    """
    refused = [refund for refund in refunds if refund.status == "refused"]
    held = Counter[str]()
    for part in (part for refund in refused for part in refund.lines):
        held[part.sku] += part.units
    left = {line.sku: line.units - line.refunded_units for line in order.lines}
    lacking = {sku for sku, count in units.items() if count > left.get(sku, 0)}
    if any(units[sku] > left.get(sku, 0) + held[sku] for sku in lacking):
        return []
    return [refund.refund_id for refund in refused if any(part.sku in lacking for part in refund.lines)]


def _share(line: OrderLine, count: int) -> Fen:
    """The fen of the next `count` units of a line."""
    rest, after = line.net_fen - line.refunded_fen, line.refunded_units + count
    if after == line.units:
        return rest
    share = half_up(line.net_fen * after, line.units) - half_up(line.net_fen * line.refunded_units, line.units)
    return min(share, rest)


def goodwill_lines(order: Order, amount: Fen) -> tuple[RefundLine, ...]:
    """The lines of a goodwill refund of `amount` fen: spread over what is left of all lines, by largest remainder.

    Raises `RefusedError` REFUND_EXCEEDS_PAID unless `amount` is between 1 fen and all that is left.
    """
    rests = [line.net_fen - line.refunded_fen for line in order.lines]
    if not 0 < amount <= sum(rests):
        raise REFUND_EXCEEDS_PAID(refundable_fen=sum(rests))
    spread = zip(order.lines, split(amount, rests), strict=True)
    return tuple(RefundLine(line.line_no, line.sku, 0, fen) for line, fen in spread if fen)


def goodwill_limit(order: Order, refunds: Iterable[Refund], bound_bps: Bps) -> Fen:
    """The most fen that one person may give as goodwill now. All goodwill refunds that were not given up then make at
    most `bound_bps` of what was paid for all lines, rounded down to a fen: the bound is never passed. And no line then
    has had more than `bound_bps` of what was paid for it, rounded up to a fen.

    Of a line rounded up, so that a line of a few fen does not forbid what the others may have. It holds for
    `goodwill_lines`, where a part is at most the proportional one rounded up.
    """
    given = dict.fromkeys((line.line_no for line in order.lines), 0)
    for refund in refunds:
        if refund.kind == "goodwill" and refund.status != "given_up":
            for part in refund.lines:
                given[part.line_no] += part.amount_fen
    rests = {line.line_no: line.net_fen - line.refunded_fen for line in order.lines}
    total = sum(rests.values())
    bounds = [
        max(0, -(-line.net_fen * bound_bps // BPS_ONE) - given[line.line_no]) * total // rests[line.line_no]
        for line in order.lines
        if rests[line.line_no]
    ]
    whole = sum(line.net_fen for line in order.lines) * bound_bps // BPS_ONE - sum(given.values())
    return max(0, min([total, whole, *bounds]))


def cancel_unsent(
    order: Order, supplier_orders: Mapping[str, SupplierOrder], lines: Sequence[RefundLine], now: datetime
) -> dict[str, SupplierOrder]:
    """The changed supplier orders that lose unsent units to `lines`; one without units left is cancelled.

    Units that are set aside were taken off before.
    """
    aside = {line.sku: line.set_aside_units for line in order.lines}
    taken = {line.sku: max(0, line.units - aside[line.sku]) for line in lines if line.restock}
    changed = {}
    for supplier_id, before in supplier_orders.items():
        if before.status == "open" and any(taken.get(line.sku) for line in before.lines):
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
    lines = list(order.lines)
    for part in refunded:
        line = lines[part.line_no - 1]
        lines[part.line_no - 1] = replace(
            line,
            refunded_units=line.refunded_units + part.units,
            refunded_fen=line.refunded_fen + part.amount_fen,
            set_aside_units=max(0, line.set_aside_units - part.units) if part.restock else line.set_aside_units,
        )
    parts = tuple(replace(part, refunded=_gives_back(part, lines, supplier_orders)) for part in order.freight_parts)
    after = replace(order, lines=tuple(lines), freight_parts=parts, version=order.version + 1)
    return follow_suppliers(after, supplier_orders, now)


def _gives_back(part: FreightPart, lines: Sequence[OrderLine], supplier_orders: Mapping[str, SupplierOrder]) -> bool:
    """Whether the freight of a part is refunded: once, with the last unit of the part, if nothing of it was sent."""
    whole = all(line.refunded_units == line.units for line in lines if line.supplier_id == part.supplier_id)
    return part.refunded or (whole and supplier_orders[part.supplier_id].status == "cancelled")


def drop_refund(order: Order, refund: Refund) -> Order:
    """The next version of `order` after one of its refunds was given up: its units and fen can be refunded anew.

    Unsent units stay off their supplier order, and are set aside.
    """
    lines = list(order.lines)
    for part in refund.lines:
        line = lines[part.line_no - 1]
        lines[part.line_no - 1] = replace(
            line,
            refunded_units=line.refunded_units - part.units,
            refunded_fen=line.refunded_fen - part.amount_fen,
            set_aside_units=line.set_aside_units + part.units if part.restock else line.set_aside_units,
        )
    dropped = replace(order, lines=tuple(lines), version=order.version + 1)
    if order.freight_parts:
        parts = (
            replace(part, refunded=part.refunded and part.supplier_id not in refund.freight_of)
            for part in order.freight_parts
        )
        return replace(dropped, freight_parts=tuple(parts))
    return replace(dropped, freight_refunded=order.refunded_freight_fen > refund.freight_fen)


def set_aside(order: Order) -> str:
    """The units of an order that are set aside, as an open item shows them: `85123A x 2, 71053 x 1`; empty if none."""
    return ", ".join(f"{line.sku} x {line.set_aside_units}" for line in order.lines if line.set_aside_units)


_Key = TypeVar("_Key")


def cumulative_parts(
    refunds: Iterable[Refund], total: Callable[[Sequence[Refund]], Mapping[_Key, Fen]]
) -> dict[str, dict[_Key, Fen]]:
    """The part of each succeeded refund of an order in what is cumulative over its refunds, by refund id.

    `total` is the amount of a set of refunds. In the order in which they succeeded, each has the total up to it less
    the parts before it. So the parts add up to the total of what has succeeded, and no later refund changes one.
    Release 0.2.0 counted refunds in the order of their requests, whether they had succeeded or not: those that
    succeeded under it keep these parts.
    """
    own = [refund for refund in refunds if refund.part_of_order]
    succeeded = sorted((each for each in own if each.status == "succeeded"), key=lambda each: each.counts_from)
    parts: dict[str, dict[_Key, Fen]] = {}
    given: dict[_Key, Fen] = {}
    for number, refund in enumerate(succeeded, 1):
        if refund.place:
            before: Mapping[_Key, Fen] = given
            after = total(succeeded[:number])
        else:
            before = total([each for each in own if 0 < each.sequence < refund.sequence])
            after = total([each for each in own if 0 < each.sequence <= refund.sequence])
        part = {key: max(0, fen - before.get(key, 0)) for key, fen in after.items()}
        parts[refund.refund_id] = part
        given = {key: given.get(key, 0) + fen for key, fen in part.items()}
    return parts


def coupon_discount(order: Order) -> Fen:
    """The coupon's discount on the order, in total."""
    return sum(line.units * line.price_fen - line.net_fen for line in order.lines)


def coupon_shares(order: Order, refunds: Iterable[Refund]) -> dict[str, Fen]:
    """The part of the coupon's discount on the units of each succeeded refund, by refund id. All refunds of all units
    add up to the whole discount."""

    def total(some: Sequence[Refund]) -> dict[str, Fen]:
        return {"": sum(_discount_on(line, some) for line in order.lines)}

    return {refund_id: part[""] for refund_id, part in cumulative_parts(refunds, total).items()}


def _discount_on(line: OrderLine, refunds: Sequence[Refund]) -> Fen:
    """The coupon's discount on the units of a line that `refunds` return."""
    units = sum(part.units for refund in refunds for part in refund.lines if part.line_no == line.line_no)
    return half_up((line.units * line.price_fen - line.net_fen) * units, line.units)
