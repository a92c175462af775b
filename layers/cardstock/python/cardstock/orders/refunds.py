"""Refunding an order: buyers get unsent units back, staff take sent ones back or grant goodwill, channels pay back."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, NOT_FOUND, STORE_BUSY, RefusedError, UnavailableError
from cardstock.ids import RequestKey, derived_id
from cardstock.money import Fen
from cardstock.orders import errors
from cardstock.orders.model import (
    REFUND_WINDOW,
    Order,
    Refund,
    RefundLine,
    RequestedUnits,
    Step,
    StockChange,
    SupplierOrder,
)
from cardstock.orders.ports import Orders
from cardstock.orders.refund_amounts import add_refund, cancel_unsent, goodwill_lines, return_lines
from cardstock.orders.steps import ATTEMPTS, Channels, find_order, merge_units


class RequestedRefund(msgspec.Struct, frozen=True):
    """A refund, and whether this request was a repeat."""

    refund: Refund
    replayed: bool


class RefundSweepResult(msgspec.Struct, frozen=True):
    """Numbers of a sweep of open refunds. `refused`: the ids of those among `left` that their channels will not do."""

    done: int
    left: int
    refused: tuple[str, ...]


class _Request(msgspec.Struct, frozen=True):
    """A request for a refund. `member_id` must be the order's buyer; None for any."""

    member_id: str | None
    kind: Literal["return", "goodwill"]
    lines_of: Callable[[Order, Mapping[str, SupplierOrder]], tuple[RefundLine, ...]]
    reason: str
    key: RequestKey
    granted_by: str = ""


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

    Amounts are those of `return_lines`. The freight is refunded with the last unit if nothing of the order was sent.
    The units are taken off their supplier order now, and are for sale again when the refund has succeeded. A repeat of
    `request` returns the first refund. Raises `RefusedError` REFUND_TOO_MUCH or REFUND_TOO_LATE, `ConflictError`
    ORDER_NOT_PAID or UNITS_SENT; nothing is refunded then.
    """

    def lines_of(order: Order, supplier_orders: Mapping[str, SupplierOrder]) -> tuple[RefundLine, ...]:
        lines = return_lines(order, merge_units(requested), supplier_orders)
        sent = [line.sku for line in lines if not line.restock]
        if sent:
            raise errors.UNITS_SENT(skus=sent)
        return lines

    return _make_refund(order_id, _Request(member_id, "return", lines_of, reason, request), orders)


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
        return return_lines(order, merge_units(returned), supplier_orders)

    return _make_refund(order_id, _Request(None, "return", lines_of, reason, request, granted_by=actor), orders)


def grant_goodwill(
    actor: str, order_id: str, amount: Fen, reason: str, request: RequestKey, *, orders: Orders
) -> RequestedRefund:
    """Refund `amount` fen of a paid order without units; `execute_refund` sends the money.

    The amount is spread by `goodwill_lines`, never over the freight. Who granted it (`actor`) and the reason are
    stored. A repeat of `request` returns the first refund. Raises `RefusedError` REFUND_EXCEEDS_PAID (nothing is
    refunded then) or REFUND_TOO_LATE, `ConflictError` ORDER_NOT_PAID.
    """

    def lines_of(order: Order, _supplier_orders: Mapping[str, SupplierOrder]) -> tuple[RefundLine, ...]:
        return goodwill_lines(order, amount)

    return _make_refund(order_id, _Request(None, "goodwill", lines_of, reason, request, granted_by=actor), orders)


def _make_refund(order_id: str, request: _Request, orders: Orders) -> RequestedRefund:
    refund_id = derived_id("rfd", request.key.id)
    for _ in range(ATTEMPTS):
        order = find_order(request.member_id, order_id, orders=orders)
        earlier = orders.find_refund(order_id, refund_id)
        if earlier is not None:
            if not request.key.made(earlier.fingerprint):
                raise IDEMPOTENCY_KEY_REUSED()
            return RequestedRefund(earlier, replayed=True)
        if not order.is_paid:
            raise errors.ORDER_NOT_PAID()
        assert order.paid_at is not None
        assert order.channel is not None
        assert order.transaction_no is not None
        now = clock.now()
        if now > order.paid_at + REFUND_WINDOW:
            raise errors.REFUND_TOO_LATE()
        supplier_orders = orders.find_supplier_orders(order_id, order.supplier_ids)
        lines = request.lines_of(order, supplier_orders)
        reduced = cancel_unsent(supplier_orders, lines, now)
        after = add_refund(order, lines, {**supplier_orders, **reduced}, now)
        refund = Refund(
            refund_id=refund_id,
            order_id=order_id,
            member_id=order.member_id,
            kind=request.kind,
            status="requested",
            amount_fen=after.refunded_fen - order.refunded_fen,
            lines=lines,
            reason=request.reason,
            channel=order.channel,
            transaction_no=order.transaction_no,
            total_fen=order.amount_fen,
            requested_at=now,
            fingerprint=request.key.fingerprint,
            sequence=after.version,
            granted_by=request.granted_by,
        )
        if orders.store_step(Step(orders=(after,), refunds=(refund,), supplier_orders=tuple(reduced.values()))):
            return RequestedRefund(refund, replayed=False)
    raise STORE_BUSY()


def execute_refund(order_id: str, refund_id: str, *, orders: Orders, channels: Channels) -> Refund:
    """Have the channel send the money of a requested refund, then complete it. Safe to repeat at any point: the channel
    gets one number, and an unknown outcome is queried again, never taken as failed.

    Raises `UnavailableError` while the outcome is unknown or the channel processes it: call again later. Raises
    `RefusedError` if the channel will never do it: a person must decide.
    """
    refund = orders.find_refund(order_id, refund_id)
    if refund is None:
        raise NOT_FOUND()
    if refund.status == "succeeded":
        return refund
    if refund.amount_fen > 0:
        channel = channels.get(refund.channel)
        if channel is None:
            raise errors.CHANNEL_MISSING()
        if not channel.refund(refund):
            raise errors.REFUND_PENDING()
    return complete_refund(order_id, refund_id, orders=orders)


def complete_refund(order_id: str, refund_id: str, *, orders: Orders) -> Refund:
    """Record that the refund has succeeded. In the same step units that were never sent are for sale again."""
    for _ in range(ATTEMPTS):
        refund = orders.find_refund(order_id, refund_id)
        if refund is None:
            raise NOT_FOUND()
        if refund.status == "succeeded":
            return refund
        done = replace(refund, status="succeeded", succeeded_at=clock.now(), version=refund.version + 1)
        stock = tuple(StockChange(line.sku, line.units, -line.units) for line in refund.lines if line.restock)
        if orders.store_step(Step(refunds=(done,), stock=stock)):
            return done
    raise STORE_BUSY()


def finish_refunds(*, orders: Orders, channels: Channels, time_left: Callable[[], bool]) -> RefundSweepResult:
    """Execute all refunds that have not succeeded, while `time_left` is true.

    Refused ones are tried again too: the merchant's account may have been empty.
    """
    done, left, refused = 0, 0, list[str]()
    waiting = list(orders.open_refunds())
    # Shuffled, so that refunds whose channel hangs until the time is up do not block the same others each time.
    random.Random(int(clock.now().timestamp())).shuffle(waiting)  # noqa: S311 - not for security
    for order_id, refund_id in waiting:
        if not time_left():
            left += 1
            continue
        try:
            execute_refund(order_id, refund_id, orders=orders, channels=channels)
            done += 1
        except UnavailableError:
            left += 1
        except RefusedError:
            left += 1
            refused.append(refund_id)
    return RefundSweepResult(done, left, tuple(refused))


def list_refunds(member_id: str | None, order_id: str, *, orders: Orders) -> tuple[Refund, ...]:
    """The refunds of a member's own order, or of any order for staff (`member_id` None); oldest first."""
    find_order(member_id, order_id, orders=orders)
    return orders.refunds_of_order(order_id)
