"""Refunding an order: unsent units, sent units, goodwill; channels pay back, and people end what a channel refuses."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Literal

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.clock import rfc3339
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, NOT_FOUND, STORE_BUSY, Pointer, RefusedError, UnavailableError
from cardstock.ids import RequestKey, derived_id
from cardstock.money import BPS_ONE, CURRENCY, Bps, Fen
from cardstock.orders import errors
from cardstock.orders.change_model import Finding, Step, StockChange
from cardstock.orders.model import Order, RequestedUnits
from cardstock.orders.ports import Orders
from cardstock.orders.refund_amounts import (
    add_refund,
    cancel_unsent,
    drop_refund,
    goodwill_limit,
    goodwill_lines,
    return_lines,
    set_aside,
)
from cardstock.orders.refund_model import REFUND_WINDOW, AskedGoodwill, Refund, RefundLine, RefusedEnd
from cardstock.orders.steps import ATTEMPTS, Channels, find_order, merge_units
from cardstock.orders.supplier_model import SupplierOrder


class RequestedRefund(msgspec.Struct, frozen=True):
    """A refund, and whether this request was a repeat."""

    refund: Refund
    replayed: bool


class RefundSweepResult(msgspec.Struct, frozen=True):
    """Numbers of a sweep of requested refunds: those that have succeeded, and those that are `left`.

    `refused`: the ids of those that their channels have refused now. `must_act`: the ids of those among `left` that
    wait until the merchant has acted. `unanswered` among `left` are those whose channel gave no answer, and those that
    no time was left for. `oldest`: when the oldest one that was asked about and is left was requested.
    """

    done: int
    left: int
    refused: tuple[str, ...]
    must_act: tuple[str, ...]
    unanswered: int
    oldest: datetime | None


class _Request(msgspec.Struct, frozen=True):
    """A request for a refund. `member_id` must be the order's buyer; None for any."""

    member_id: str | None
    kind: Literal["return", "goodwill"]
    lines_of: Callable[[Order, Mapping[str, SupplierOrder]], tuple[RefundLine, ...]]
    reason: str
    key: RequestKey
    granted_by: str = ""
    asked_by: str = ""


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

    return _make_refund(order_id, _Request(None, "goodwill", lines_of, reason, request, granted_by=actor), orders)


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
    request = _Request(
        None, "goodwill", lines_of, asked.reason, key, granted_by=granted_by, asked_by=asked.asked_by
    )  # fmt: skip
    for _ in range(ATTEMPTS):
        order = find_order(None, asked.order_id, orders=orders)
        if orders.find_refund(asked.order_id, asked.refund_id) is not None:
            return False
        step = _refund_step(order, asked.refund_id, request, orders)
        if orders.store_step(replace(step, changed_items=(item,))):
            return True
    return False


def _make_refund(order_id: str, request: _Request, orders: Orders) -> RequestedRefund:
    refund_id = refund_id_of(request.key)
    for _ in range(ATTEMPTS):
        order = find_order(request.member_id, order_id, orders=orders)
        earlier = orders.find_refund(order_id, refund_id)
        if earlier is not None:
            if not request.key.made(earlier.fingerprint):
                raise IDEMPOTENCY_KEY_REUSED()
            return RequestedRefund(earlier, replayed=True)
        step = _refund_step(order, refund_id, request, orders)
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


def _refund_step(order: Order, refund_id: str, request: _Request, orders: Orders) -> Step:
    """The step that reserves what `request` asks for, from the order as it is now."""
    _refundable(order)
    assert order.channel is not None
    assert order.transaction_no is not None
    now = clock.now()
    supplier_orders = orders.find_supplier_orders(order.order_id, order.supplier_ids)
    lines = request.lines_of(order, supplier_orders)
    reduced = cancel_unsent(order, supplier_orders, lines, now)
    after = add_refund(order, lines, {**supplier_orders, **reduced}, now)
    refund = Refund(
        refund_id=refund_id,
        order_id=order.order_id,
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
        granted_by=request.granted_by,
        asked_by=request.asked_by,
    )
    return Step(orders=(after,), refunds=(refund,), supplier_orders=tuple(reduced.values()))


def execute_refund(order_id: str, refund_id: str, *, orders: Orders, channels: Channels) -> Refund:
    """Have the channel send the money of a requested refund, then complete it. Safe to repeat at any point: the channel
    gets one number, and an unknown outcome is queried again, never taken as failed. Returns the refund as it is then.

    If the channel refuses for good, the refund is refused, and an open item asks people to end it: one transaction.
    Raises `UnavailableError` while the outcome is unknown, the channel processes it, or the merchant must act: call
    again later.
    """
    refund = orders.find_refund(order_id, refund_id)
    if refund is None:
        raise NOT_FOUND()
    return _execute(refund, orders, channels)


def _execute(refund: Refund, orders: Orders, channels: Channels) -> Refund:
    if refund.status == "requested" and refund.amount_fen > 0:
        channel = channels.get(refund.channel)
        if channel is None:
            raise errors.CHANNEL_MISSING()
        try:
            sent = channel.refund(refund)
        except RefusedError as error:
            return _change(refund, partial(_refusal_step, reason=str(error.facts.get("reason", ""))), orders)
        if not sent:
            raise errors.REFUND_PENDING()
    return _change(refund, _success_step, orders)


def complete_refund(order_id: str, refund_id: str, *, orders: Orders) -> Refund:
    """Record that a requested refund has succeeded; one that is not requested stays as it is.

    In the same step units that were never sent are for sale again, and the refund gets its place among those of its
    order.
    """
    refund = orders.find_refund(order_id, refund_id)
    if refund is None:
        raise NOT_FOUND()
    return _change(refund, _success_step, orders)


def close_refused(order_id: str, refund_id: str, end: RefusedEnd, item: object, *, orders: Orders) -> bool:
    """End a refund that its channel has refused, and store the cleared `item` about it: one transaction.

    `paid_another_way`: the buyer has the money, and the refund has succeeded. `given_up`: its units and fen can be
    refunded anew; unsent units are set aside, and another open item names them. False, and nothing is stored, if the
    refund is not refused any more or the item has changed.
    """
    for _ in range(ATTEMPTS):
        refund = orders.find_refund(order_id, refund_id)
        if refund is None or refund.status != "refused":
            return False
        order = orders.find_order(order_id) if refund.part_of_order else None
        if end == "paid_another_way":
            step = _success_step(replace(refund, paid_another_way=True), order)
        else:
            given_up = replace(refund, status="given_up", given_up_at=clock.now(), version=refund.version + 1)
            freed = () if order is None else (drop_refund(order, refund),)
            found = tuple(_aside_finding(each, refund) for each in freed if any(line.restock for line in refund.lines))
            step = Step(orders=freed, refunds=(given_up,), findings=found)
        if orders.store_step(replace(step, changed_items=(item,))):
            return True
    return False


def _change(refund: Refund, make_step: Callable[[Refund, Order | None], Step], orders: Orders) -> Refund:
    """Store the step that `make_step` gives for a requested refund and its order (None for a stray payment), and return
    the refund after it; one that is not requested is returned as it is."""
    found: Refund | None = refund
    for _ in range(ATTEMPTS):
        if found is None:
            raise NOT_FOUND()
        if found.status != "requested":
            return found
        step = make_step(found, orders.find_order(found.order_id) if found.part_of_order else None)
        if orders.store_step(step):
            return step.refunds[0]
        found = orders.find_refund(refund.order_id, refund.refund_id)
    raise STORE_BUSY()


def _success_step(refund: Refund, order: Order | None) -> Step:
    after = () if order is None else (replace(order, version=order.version + 1),)
    done = replace(
        refund,
        status="succeeded",
        succeeded_at=clock.now(),
        place=after[0].version if after else 0,
        version=refund.version + 1,
    )
    stock = tuple(StockChange(line.sku, line.units, -line.units) for line in refund.lines if line.restock)
    return Step(orders=after, refunds=(done,), stock=stock)


def _refusal_step(refund: Refund, _order: Order | None, *, reason: str) -> Step:
    refused = replace(refund, status="refused", refused_at=clock.now(), version=refund.version + 1)
    facts = {
        "order_id": refund.order_id,
        "refund_kind": refund.kind,
        "channel": refund.channel,
        "transaction_no": refund.transaction_no,
        "channel_reason": reason,
        "requested_at": rfc3339(refund.requested_at),
    }
    finding = Finding(
        kind="refund_refused",
        cause=refund.refund_id,
        subject=refund.refund_id,
        amount_fen=refund.amount_fen,
        currency=CURRENCY,
        member_id=refund.member_id,
        facts=facts,
    )
    return Step(refunds=(refused,), findings=(finding,))


def _aside_finding(order: Order, refund: Refund) -> Finding:
    """The buyer has paid for these units, and gets neither goods nor money until somebody decides."""
    return Finding(
        kind="units_set_aside",
        cause=refund.refund_id,
        subject=order.order_id,
        amount_fen=sum(line.amount_fen for line in refund.lines if line.restock),
        currency=CURRENCY,
        member_id=order.member_id,
        facts={"order_id": order.order_id, "refund_id": refund.refund_id, "units": set_aside(order)},
    )


def finish_refunds(*, orders: Orders, channels: Channels, time_left: Callable[[], bool]) -> RefundSweepResult:
    """Execute all requested refunds, while `time_left` is true."""
    done, left, refused, must_act = 0, list[datetime](), list[str](), list[str]()
    unanswered = untried = 0
    waiting = list(orders.open_refunds())
    # Shuffled, so that refunds whose channel hangs until the time is up do not block the same others each time.
    random.Random(int(clock.now().timestamp())).shuffle(waiting)  # noqa: S311 - not for security
    for order_id, refund_id in waiting:
        refund = orders.find_refund(order_id, refund_id) if time_left() else None
        if refund is None:
            untried += 1
            continue
        try:
            ended = _execute(refund, orders, channels)
        except UnavailableError as error:
            left.append(refund.requested_at)
            if error.refusal is errors.MERCHANT_MUST_ACT:
                must_act.append(refund_id)
            elif error.refusal is not errors.REFUND_PENDING:
                unanswered += 1
        except RefusedError:  # its channel is not set up here
            left.append(refund.requested_at)
            must_act.append(refund_id)
        else:
            done += ended.status == "succeeded"
            if ended.status == "refused":
                refused.append(refund_id)
    return RefundSweepResult(
        done, len(left) + untried, tuple(refused), tuple(must_act), unanswered + untried, min(left, default=None)
    )


def list_refunds(member_id: str | None, order_id: str, *, orders: Orders) -> tuple[Refund, ...]:
    """The refunds of a member's own order, or of any order for staff (`member_id` None); oldest first."""
    find_order(member_id, order_id, orders=orders)
    return orders.refunds_of_order(order_id)
