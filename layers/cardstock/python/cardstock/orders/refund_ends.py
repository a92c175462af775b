"""Ending refunds: channels send the money and report it, and people end what a channel refuses."""

import random
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.clock import rfc3339
from cardstock.errors import NOT_FOUND, STORE_BUSY, RefusedError, UnavailableError
from cardstock.money import CURRENCY
from cardstock.orders import errors
from cardstock.orders.change_model import Finding, Step, StockChange
from cardstock.orders.model import Order, PayNo
from cardstock.orders.payment_model import RefundNotice
from cardstock.orders.ports import Orders
from cardstock.orders.refund_amounts import drop_refund, set_aside
from cardstock.orders.refund_model import Refund, RefundStatus, RefusedEnd
from cardstock.orders.steps import ATTEMPTS, Channels


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


RefundOutcome: TypeAlias = Literal["succeeded", "refused", "waiting", "repeated", "unresolved"]


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
        except UnavailableError as error:
            if error.refusal is errors.MERCHANT_MUST_ACT:
                orders.store_step(Step(findings=(_waiting_finding(refund, str(error.facts.get("reason", ""))),)))
            raise
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


def record_refund(notice: RefundNotice, *, orders: Orders) -> RefundOutcome:
    """Record what a channel has reported about a refund. A repeat changes nothing.

    - `succeeded`, `refused`: the requested refund ends so.
    - `waiting`: an open item says that the merchant must act; the refund stays requested.
    - `unresolved`: an open item. Nobody has asked for this refund here, it is about another payment or amount, or it
      had another end.
    """
    named = PayNo.read(notice.order_no)
    refund = orders.find_refund(named.order_id, notice.refund_no) if named else None
    if refund is not None and _fits(notice, refund):
        if refund.status == "requested":
            if notice.status == "must_act":
                stored = orders.store_step(Step(findings=(_waiting_finding(refund, notice.reason),)))
                return "waiting" if stored else "repeated"
            make_step = _success_step if notice.status == "succeeded" else partial(_refusal_step, reason=notice.reason)
            if (refund := _change(refund, make_step, orders)).status == notice.status:
                return notice.status
        # Late words about what has ended change nothing, unless they tell of money that we do not count.
        if notice.status == "must_act" or (refund.status == notice.status and not refund.paid_another_way):
            return "repeated"
        if notice.status == "refused" and refund.status == "given_up":
            return "repeated"
    if refund is None and notice.asked and notice.status == "refused":
        return "repeated"  # the buyer asked for it, and it was denied: nothing moved, here or there
    stored = orders.store_step(Step(findings=(_refund_finding(notice, refund),)))
    return "unresolved" if stored else "repeated"


def _fits(notice: RefundNotice, refund: Refund) -> bool:
    same = (notice.channel, notice.transaction_no) == (refund.channel, refund.transaction_no)
    return same and notice.amount_fen in (None, refund.amount_fen)


def close_refused(
    order_id: str, refund_id: str, end: RefusedEnd, item: object, *, orders: Orders, channels: Channels
) -> bool:
    """End a refund that its channel has refused, and store the cleared `item` about it: one transaction.

    The channel is asked once more before. `paid_another_way`: the buyer has the money, and the refund has succeeded.
    `given_up`: its units and fen can be refunded anew; unsent units are set aside, and another open item names them.
    False, and nothing is stored, if the refund is not refused any more or the item has changed. Raises `ConflictError`
    REFUND_SUCCEEDED if the channel has refunded it after all (the refund has succeeded then, and the item is left),
    `UnavailableError` REFUND_PENDING if it works on it, or what asking it raises.
    """
    asked = False
    for _ in range(ATTEMPTS):
        refund = orders.find_refund(order_id, refund_id)
        if refund is None or refund.status != "refused":
            return False
        if not asked:
            _ask_again(refund, orders, channels)
            asked = True
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


def _ask_again(refund: Refund, orders: Orders, channels: Channels) -> None:
    """Raise if the channel does not say that it has not refunded `refund`; what it has refunded has succeeded."""
    channel = channels.get(refund.channel)
    if channel is None:
        raise errors.CHANNEL_MISSING()
    progress = channel.progress(refund)
    if progress == "processing":
        raise errors.REFUND_PENDING()
    if progress == "succeeded":
        _change(refund, _success_step, orders, of_status="refused")
        raise errors.REFUND_SUCCEEDED()


def _change(
    refund: Refund,
    make_step: Callable[[Refund, Order | None], Step],
    orders: Orders,
    *,
    of_status: RefundStatus = "requested",
) -> Refund:
    """Store the step that `make_step` gives for a refund of this status and its order (None for a stray payment), and
    return the refund after it; one of another status is returned as it is."""
    found: Refund | None = refund
    for _ in range(ATTEMPTS):
        if found is None:
            raise NOT_FOUND()
        if found.status != of_status:
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


def _waiting_finding(refund: Refund, reason: str) -> Finding:
    return Finding(
        kind="refund_waits",
        cause=refund.refund_id,
        subject=refund.refund_id,
        amount_fen=refund.amount_fen,
        currency=CURRENCY,
        member_id=refund.member_id,
        facts={
            "order_id": refund.order_id,
            "channel": refund.channel,
            "transaction_no": refund.transaction_no,
            "channel_reason": reason,
            "requested_at": rfc3339(refund.requested_at),
        },
    )


def _refund_finding(notice: RefundNotice, refund: Refund | None) -> Finding:
    stated = "" if notice.amount_fen is None else str(notice.amount_fen)
    facts = {
        "order_id": named.order_id if (named := PayNo.read(notice.order_no)) else notice.order_no,
        "channel": notice.channel,
        "transaction_no": notice.transaction_no,
        "channel_status": notice.status,
        "channel_reason": notice.reason,
    }
    if refund is not None:
        facts |= {
            "refund_status": refund.status,
            "refund_amount_fen": str(refund.amount_fen),
            "refund_transaction_no": refund.transaction_no,
            "paid_another_way": str(refund.paid_another_way).lower(),
        }
    return Finding(
        kind="refund_mismatch",
        cause=".".join((notice.channel, notice.transaction_no, notice.refund_no, notice.status, stated)),
        subject=notice.refund_no,
        amount_fen=notice.amount_fen or 0,
        currency=CURRENCY,
        member_id="" if refund is None else refund.member_id,
        facts=facts,
    )


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
