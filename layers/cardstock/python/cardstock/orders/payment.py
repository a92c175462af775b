"""Paying an order: start, record what a channel reports, expire unpaid orders."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock import clock
from cardstock.errors import NOT_FOUND, STORE_BUSY, Pointer, RefusedError, UnavailableError
from cardstock.ids import derived_id
from cardstock.money import CURRENCY
from cardstock.orders import errors
from cardstock.orders.model import ORDER_ID, Order, PaymentNotice, PaymentParameters, Refund, Step
from cardstock.orders.ports import Orders
from cardstock.orders.steps import ATTEMPTS, Channels, close_step, find_order, pay_step

MAX_SILENCE: Final = timedelta(hours=24)
"""Longest delay of an order's expiry while a channel does not answer. A later payment is refunded."""

PaymentOutcome: TypeAlias = Literal["paid", "repeated", "stray"]


class ExpiryResult(msgspec.Struct, frozen=True):
    """Numbers of a sweep of unpaid orders. `unanswered` orders are left for the next sweep, because a channel gave no
    valid answer."""

    expired: int
    paid: int
    unanswered: int
    finished: bool


def start_payment(
    member_id: str, order_id: str, channel: str, *, orders: Orders, channels: Channels
) -> PaymentParameters:
    """The parameters of the channel's pay call, for the client. Safe to repeat.

    Raises `InvalidError` CHANNEL_UNKNOWN, `ConflictError` ORDER_PAID, ORDER_CANCELLED or ORDER_EXPIRED.
    """
    order = find_order(member_id, order_id, orders=orders)
    if channel not in channels:
        raise errors.CHANNEL_UNKNOWN(pointers=(Pointer("/channel", "CHANNEL_UNKNOWN"),))
    if order.status == "cancelled":
        raise errors.ORDER_CANCELLED()
    if order.status == "expired" or (order.status == "placed" and clock.now() >= order.expires_at):
        raise errors.ORDER_EXPIRED()
    if order.status != "placed":
        raise errors.ORDER_PAID()
    return channels[channel].start(order)


def record_payment(notice: PaymentNotice, *, orders: Orders) -> PaymentOutcome:
    """Record a verified payment: the order is paid and each supplier gets its supplier order, in one transaction.

    A repeat changes nothing. A payment for an order that waits for none (cancelled, expired, or paid by another
    payment) becomes a `stray` refund of its whole amount. Raises `NotFoundError` for an unknown order and
    `RefusedError` PAYMENT_MISMATCH for another amount or currency; nothing is written then.
    """
    for _ in range(ATTEMPTS):
        order = orders.find_order(notice.order_no) if ORDER_ID.fullmatch(notice.order_no) else None
        if order is None:
            raise NOT_FOUND()
        if notice.currency != CURRENCY or notice.amount_fen != order.amount_fen:
            raise errors.PAYMENT_MISMATCH(amount_fen=order.amount_fen, currency=CURRENCY)
        if order.status != "placed":
            if (order.channel, order.transaction_no) == (notice.channel, notice.transaction_no):
                return "repeated"
            return "stray" if orders.store_step(Step(refunds=(_stray_refund(order, notice),))) else "repeated"
        if orders.store_step(pay_step(order, notice, clock.now())):
            return "paid"
    raise STORE_BUSY()


def expire_due(at: datetime, *, orders: Orders, channels: Channels, time_left: Callable[[], bool]) -> ExpiryResult:
    """Expire the orders whose time to pay was over at `at`, and release their stock: one transaction an order.

    The channels are asked first: a payment whose callback was lost is recorded instead. If a channel does not answer,
    the order is left to the next sweep, for up to a day. Stops when `time_left` is false. A concurrent payment either
    comes first or finds the order expired.
    """
    expired = paid = unanswered = 0
    for order_id in orders.due_orders(at):
        if not time_left():
            return ExpiryResult(expired, paid, unanswered, finished=False)
        order = orders.find_order(order_id)
        if order is None or order.status != "placed":
            continue
        try:
            notice = next((found for channel in channels.values() if (found := channel.query(order))), None)
            if notice is not None:
                record_payment(notice, orders=orders)
                paid += 1
                continue
        except (UnavailableError, RefusedError):
            if at < order.expires_at + MAX_SILENCE:
                unanswered += 1
                continue
        if orders.store_step(close_step(order, "expired", clock.now())):
            expired += 1
    return ExpiryResult(expired, paid, unanswered, finished=True)


def _stray_refund(order: Order, notice: PaymentNotice) -> Refund:
    return Refund(
        refund_id=derived_id("rfd", order.order_id, notice.channel, notice.transaction_no),
        order_id=order.order_id,
        member_id=order.member_id,
        kind="stray",
        status="requested",
        amount_fen=notice.amount_fen,
        lines=(),
        reason=f"paid when {order.status}",
        channel=notice.channel,
        transaction_no=notice.transaction_no,
        total_fen=notice.amount_fen,
        requested_at=clock.now(),
    )
