"""Paying an order: start, record what a channel reports, expire unpaid orders."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import product
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.clock import rfc3339
from cardstock.errors import STORE_BUSY, CardstockError, ConflictError, Pointer
from cardstock.ids import derived_id
from cardstock.money import CURRENCY, Fen
from cardstock.orders import errors
from cardstock.orders.change_model import Finding, FindingKind, Step
from cardstock.orders.model import MAX_PAY_NOS, Order
from cardstock.orders.payment_model import ClosedNotice, PaymentNotice, PaymentParameters
from cardstock.orders.ports import InstalmentPayments, Orders
from cardstock.orders.refund_model import Refund
from cardstock.orders.steps import (
    ATTEMPTS,
    Channels,
    channels_of,
    close_step,
    find_by_pay_no,
    find_order,
    is_paid_in,
    offers_payment,
    pay_step,
)

MAX_SILENCE: Final = timedelta(hours=24)
"""How long after its time to pay an order waits for its channels until an open item names it. It waits on then: its
stock is held, and the channels are asked, until each of them has closed it or named its payment."""

PaymentOutcome: TypeAlias = Literal["paid", "repeated", "stray", "unresolved"]
Instalments: TypeAlias = Mapping[str, InstalmentPayments]
"""The channels that let buyers pay in instalments, by name."""
ClosedOutcome: TypeAlias = Literal["closed", "repeated", "kept"]
_SHOWN: Final = ("event", "order_no", "transaction_no", "amount_fen", "currency")
"""The fields of an unreadable notice that an open item shows."""


class EndedPayment(msgspec.Struct, frozen=True):
    """What came of closing an order at its channels.

    `order` is as it is stored now. `waiting` are the channels that may still take money for it. `outcomes` are those of
    the payments that they named.
    """

    order: Order
    waiting: tuple[str, ...]
    outcomes: tuple[PaymentOutcome, ...]


class ExpiryResult(msgspec.Struct, frozen=True):
    """Numbers of a sweep of unpaid orders: of orders that expired, and of payments found, by what they came to.

    `unanswered` orders are left for the next sweep: a channel may still take money for them, or gave no valid answer.
    `unresolved` counts the open items, also those about such orders.
    """

    expired: int
    paid: int
    stray: int
    unresolved: int
    unanswered: int
    finished: bool


def start_payment(
    member_id: str,
    order_id: str,
    channel: str,
    payer: str,
    number: int = 1,
    *,
    orders: Orders,
    channels: Channels,
    instalments: Instalments,
) -> PaymentParameters:
    """What the client needs to have the order paid by the account `payer` (`wechat:wx123:oABC`). Safe to repeat.

    `number` is in how many instalments; 1: at once. A payment that the channel names instead is recorded. Where the
    channel has no closing, the order is marked before the parameters leave: its stock is kept until their time is over
    (`Order.open_until`). Where the channel has closed the order's number, the next one is used. Raises `InvalidError`
    CHANNEL_UNKNOWN, `RefusedError` INSTALMENTS_NOT_OFFERED or INSTALMENTS_BELOW_LEAST (nothing was sent),
    `ConflictError` PAYMENT_NOT_OFFERED (on this platform), ORDER_PAID, ORDER_CANCELLED, ORDER_EXPIRED, APP_DIFFERS
    (placed in another app) or PAYMENT_CLOSED, and `UnavailableError` if the channel gives no usable answer.
    """
    for _ in range(ATTEMPTS):
        order = find_order(member_id, order_id, orders=orders)
        if not offers_payment(order, channel):
            raise errors.PAYMENT_NOT_OFFERED(pointers=(Pointer("/channel", "PAYMENT_NOT_OFFERED"),))
        if channel not in channels:
            raise errors.CHANNEL_UNKNOWN(pointers=(Pointer("/channel", "CHANNEL_UNKNOWN"),))
        require_waiting(order)
        if order.agreement:
            raise errors.PAYMENT_STARTED()
        if not is_paid_in(order, payer, channel):
            raise errors.APP_DIFFERS(pointers=(Pointer("/channel", "APP_DIFFERS"),))
        try:
            if number == 1:
                started = channels[channel].start(order, payer)
            else:
                started = _offering(channel, order.amount_fen, number, instalments).start_in(order, payer, number)
        except ConflictError as error:
            # Closed for a charge that was refused, or that was never made.
            if error.code != "PAYMENT_CLOSED" or order.pay_at == MAX_PAY_NOS:
                raise
            orders.store_step(Step(orders=(order.with_next_pay_no(),)))
            continue
        if isinstance(started, PaymentNotice):
            record_payment(started, orders=orders)
            raise errors.ORDER_PAID()
        until = started.open_until
        if until is None or (order.open_until is not None and order.open_until >= until):
            return started
        if orders.store_step(Step(orders=(replace(order, open_until=until, version=order.version + 1),))):
            return started
    raise STORE_BUSY()


def require_waiting(order: Order) -> None:
    """Raises `ConflictError` ORDER_PAID, ORDER_CANCELLED or ORDER_EXPIRED unless `order` can be paid now."""
    if order.status == "cancelled":
        raise errors.ORDER_CANCELLED()
    if order.status == "expired" or (order.status == "placed" and clock.now() >= order.expires_at):
        raise errors.ORDER_EXPIRED()
    if order.status != "placed":
        raise errors.ORDER_PAID()


def _offering(channel: str, amount: Fen, number: int, instalments: Instalments) -> InstalmentPayments:
    """The channel, if it lets an order of `amount` fen be paid in `number` parts."""
    offering = instalments.get(channel)
    numbers = () if offering is None else offering.offer.numbers
    if offering is None or number not in numbers:
        pointer = Pointer("/instalments", "NOT_OFFERED", {"allowed": [1, *numbers]})
        raise errors.INSTALMENTS_NOT_OFFERED(pointers=(pointer,))
    if not offering.offer.for_amount(amount):
        raise errors.INSTALMENTS_BELOW_LEAST(least_fen=offering.offer.least_fen)
    return offering


def record_payment(notice: PaymentNotice, *, orders: Orders) -> PaymentOutcome:
    """Record a verified payment. Every one ends in one of three ways, in one transaction; a repeat changes nothing.

    - `paid`: the order is paid, and each supplier gets its supplier order.
    - `stray`: the whole amount is refunded. The order waits for no payment (cancelled, expired, or paid by another
      one), or waits for another amount: then it goes on waiting, and this payment never pays it.
    - `unresolved`: an open item. There is no such order, the currency is another one, the amount is 0, the channel has
      given money back before we knew of the payment, or it now states another amount for a payment that is booked.
    """
    for _ in range(ATTEMPTS):
        order = find_by_pay_no(notice.order_no, orders=orders)
        step, outcome = _payment_step(order, notice, orders)
        if step is None:
            return "repeated"
        if orders.store_step(step):
            return outcome
        if outcome != "paid" and not step.orders:  # a refund or an open item that exists: somebody was faster
            return "repeated"
    raise STORE_BUSY()


def record_unreadable(channel: str, raw: bytes, *, orders: Orders) -> bool:
    """Open an item for a verified notice that cannot be read; False for a repeat.

    Its facts are the hash and the fields that can be read, without the payer.
    """
    digest = hashlib.sha256(raw).hexdigest()
    finding = Finding(
        kind="payment_unknown",
        cause=digest,
        subject="",
        amount_fen=0,
        currency="",
        member_id="",
        facts={"channel": channel, "sha256": digest, "bytes": str(len(raw)), **_readable(raw)},
    )
    return orders.store_step(Step(findings=(finding,)))


def end_payment(order: Order, *, orders: Orders, channels: Channels) -> EndedPayment:
    """Close every number of `order` at every channel, and record the payments that they name. Safe to repeat.

    An order that waits for its payment may be cancelled or expired only when no channel is `waiting`: until then stock
    that is released could be paid for. Which channels an order was started with is not stored, because that would cost
    a write for every order that is paid; so each one is asked that takes payments in the order's app.
    """
    waiting, outcomes = dict[str, None](), list[PaymentOutcome]()
    for name, numbered in product(channels_of(order, channels), order.pay_nos):
        try:
            answer = channels[name].close(numbered)
            if answer == "open":
                waiting[name] = None
            elif answer != "closed":
                if answer.order_no == numbered.pay_no:
                    outcomes.append(record_payment(answer, orders=orders))
                else:  # nothing was said about this order
                    waiting[name] = None
                    outcomes.append(_record_foreign(answer, order, orders))
        except CardstockError:  # unknown at the channel, or in the store: neither is "not paid"
            waiting[name] = None
    if outcomes:
        order = orders.find_order(order.order_id) or order
    return EndedPayment(order, tuple(waiting), tuple(outcomes))


def record_closed(notice: ClosedNotice, *, orders: Orders, channels: Channels) -> ClosedOutcome:
    """End an order that its channel has ended unpaid, and release its stock: one transaction. A repeat changes nothing.

    Where other channels may take money for it too, each of them has closed it before; while one has not, the order is
    `kept` for the sweep, as it is if it is not known here.
    """
    others = {name: channel for name, channel in channels.items() if name != notice.channel}
    for _ in range(ATTEMPTS):
        order = find_by_pay_no(notice.order_no, orders=orders)
        # Another number of the order may still be paid.
        if order is None or notice.order_no != order.pay_no:
            return "kept"
        if order.status == "placed" and channels_of(order, others):
            ended = end_payment(order, orders=orders, channels=others)
            if ended.waiting:
                return "kept"
            order = ended.order
        if order.status != "placed":
            return "repeated"
        if orders.store_step(close_step(order, "cancelled" if notice.by_buyer else "expired", clock.now())):
            return "closed"
    raise STORE_BUSY()


def expire_due(at: datetime, *, orders: Orders, channels: Channels, time_left: Callable[[], bool]) -> ExpiryResult:
    """Expire the orders whose time to pay was over at `at`, and release their stock: one transaction an order.

    Every channel has closed the order before. A payment that it names instead is recorded. While a channel may still
    take money, or does not answer, the order is left to the next sweep, however long that lasts; after a day an open
    item names it, and another one after each week. Stops when `time_left` is false. A concurrent payment either comes
    first or finds the order expired.
    """
    found, finished = Counter[str](), True
    due = list(orders.due_orders(at))
    # Shuffled, so that orders whose channel hangs until the time is up do not block the same others each time.
    random.Random(int(clock.now().timestamp())).shuffle(due)  # noqa: S311 - not for security
    for order_id in due:
        if not time_left():
            finished = False
            break
        order = orders.find_order(order_id)
        if order is not None and order.status == "placed":
            found.update(_expire(order, at, orders, channels))
    return ExpiryResult(
        found["expired"], found["paid"], found["stray"], found["unresolved"], found["unanswered"], finished
    )


def _expire(order: Order, at: datetime, orders: Orders, channels: Channels) -> list[str]:
    """What came of one order that is due."""
    ended = end_payment(order, orders=orders, channels=channels)
    found: list[str] = list(ended.outcomes)
    if ended.order.status != "placed":
        return found
    if not ended.waiting:
        expired = orders.store_step(close_step(ended.order, "expired", clock.now()))
        return [*found, "expired"] if expired else found
    if at >= order.expires_at + MAX_SILENCE and orders.store_step(Step(findings=(_undecided(ended, at),))):
        found.append("unresolved")
    return [*found, "unanswered"]


def _payment_step(order: Order | None, notice: PaymentNotice, orders: Orders) -> tuple[Step | None, PaymentOutcome]:
    """What a payment does to an order as it is now; no step for a repeat."""
    if order is None:
        return _unresolved("payment_unknown", notice, None)
    fits = notice.currency == CURRENCY and notice.amount_fen == order.amount_fen
    own = (order.channel, order.transaction_no) == (notice.channel, notice.transaction_no)
    payment = f"{notice.channel}:{notice.transaction_no}"
    if (own and fits) or payment in order.returned_payments:
        return None, "repeated"
    refund = _stray_refund(order, notice)
    if notice.gave_back and not own and orders.find_refund(order.order_id, refund.refund_id) is not None:
        return None, "repeated"
    # Its own payment with another amount now must not be refunded: this number is what was booked. And for money that
    # has gone back before, no goods may leave.
    # Of nothing, nothing can be refunded.
    if own or notice.gave_back or notice.currency != CURRENCY or not notice.amount_fen:
        return _unresolved("payment_mismatch", notice, order)
    if order.status == "placed" and fits:
        return pay_step(order, notice, clock.now(), orders), "paid"
    marked = replace(order, returned_payments=(*order.returned_payments, payment), version=order.version + 1)
    return Step(orders=(marked,) if order.status == "placed" else (), refunds=(refund,)), "stray"


def _record_foreign(notice: PaymentNotice, asked: Order, orders: Orders) -> PaymentOutcome:
    """Open an item for a payment of another order than the channel was asked about. None of the two is changed."""
    finding = _finding("payment_mismatch", notice, asked)
    finding = replace(
        finding,
        cause=f"{asked.order_id}.{finding.cause}",
        subject=asked.order_id,
        facts=finding.facts | {"stated_order": notice.order_no},
    )
    stored = orders.store_step(Step(findings=(finding,)))
    return "unresolved" if stored else "repeated"


def _undecided(ended: EndedPayment, at: datetime) -> Finding:
    """One for each week that it lasts: people who clear an item do not end what it is about."""
    order = ended.order
    weeks = (at - order.expires_at) // timedelta(weeks=1)
    return Finding(
        kind="payment_undecided",
        cause=f"{order.order_id}.{weeks}" if weeks else order.order_id,
        subject=order.order_id,
        amount_fen=order.amount_fen,
        currency=CURRENCY,
        member_id=order.member_id,
        facts={"channels": " ".join(ended.waiting), "expires_at": rfc3339(order.expires_at)},
    )


def _unresolved(kind: FindingKind, notice: PaymentNotice, order: Order | None) -> tuple[Step, Literal["unresolved"]]:
    return Step(findings=(_finding(kind, notice, order),)), "unresolved"


def _finding(kind: FindingKind, notice: PaymentNotice, order: Order | None) -> Finding:
    stated = (notice.channel, notice.transaction_no, str(notice.amount_fen), notice.currency)
    facts = {
        "channel": notice.channel,
        "transaction_no": notice.transaction_no,
        "paid_at": rfc3339(notice.paid_at),
    }
    if notice.gave_back:
        facts["gave_back"] = "true"
    if order is not None:
        facts |= {
            "order_status": order.status,
            "order_amount_fen": str(order.amount_fen),
            "order_currency": CURRENCY,
            "order_transaction_no": order.transaction_no or "",
        }
    return Finding(
        kind=kind,
        cause=".".join((notice.order_no, *stated)),
        subject=notice.order_no if order is None else order.order_id,
        amount_fen=notice.amount_fen,
        currency=notice.currency,
        member_id="" if order is None else order.member_id,
        facts=facts,
    )


def _readable(raw: bytes) -> dict[str, str]:
    try:
        said = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        values = {name: bytes(said[name]).decode() for name in _SHOWN if name in said}
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    return {name: value.strip('"')[:64] for name, value in values.items()}


def _stray_refund(order: Order, notice: PaymentNotice) -> Refund:
    return Refund(
        refund_id=derived_id("rfd", order.order_id, notice.channel, notice.transaction_no),
        order_id=order.order_id,
        member_id=order.member_id,
        kind="stray",
        status="requested",
        amount_fen=notice.amount_fen,
        lines=(),
        reason=f"paid when {order.status}"
        if order.status != "placed"
        else f"paid {notice.amount_fen} of {order.amount_fen}",
        channel=notice.channel,
        transaction_no=notice.transaction_no,
        total_fen=notice.amount_fen,
        requested_at=clock.now(),
    )
