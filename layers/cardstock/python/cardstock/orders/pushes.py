"""Recording what a platform reports unasked: when it frees the money of a payment, and what it waits for."""

from typing import assert_never

from msgspec.structs import replace

from cardstock.clock import rfc3339
from cardstock.errors import STORE_BUSY
from cardstock.money import CURRENCY
from cardstock.orders.change_model import Finding, FindingKind, Step
from cardstock.orders.model import Order
from cardstock.orders.ports import Orders
from cardstock.orders.push_model import FundsPush, ManagedPush, OtherPush, Push, PushOutcome, ShippingPush
from cardstock.orders.steps import ATTEMPTS, find_by_pay_no


def record_push(push: Push, *, orders: Orders) -> PushOutcome:
    """Record what a platform has reported. A repeat changes nothing, and nothing is a receipt of goods.

    - `recorded`: the order knows when its payment's money is expected, or since when it is free. The first word about
      its freedom stands, and an expectation after it changes nothing.
    - `reminded`: an open item says that the platform waits for the report of what was sent.
    - `managed`: the platform waits for reports of an app; nothing is stored.
    - `unresolved`: an open item. Money of a payment is freed that no order here was paid with.
    - `other`: about something that is not needed, or about an order that is none of this shop.
    """
    match push:
        case FundsPush():
            return _record_funds(push, orders)
        case ShippingPush():
            return _remind(push, orders)
        case ManagedPush():
            return "managed"
        case OtherPush():
            return "other"
    assert_never(push)


def _record_funds(push: FundsPush, orders: Orders) -> PushOutcome:
    for _ in range(ATTEMPTS):
        order = _find(push, orders)
        if order is None:
            return "other"
        if not _paid_by(order, push):
            return _open("funds_mismatch", push, order, orders, "unresolved")
        if order.funds_freed_at is not None:
            return "repeated"
        changed = replace(
            order,
            funds_expected_at=push.expected_at or order.funds_expected_at,
            funds_freed_at=push.freed_at,
        )
        if changed == order:
            return "repeated"
        if orders.store_step(Step(orders=(replace(changed, version=order.version + 1),))):
            return "recorded"
    raise STORE_BUSY()


def _remind(push: ShippingPush, orders: Orders) -> PushOutcome:
    order = _find(push, orders)
    return "other" if order is None else _open("shipping_reminded", push, order, orders, "reminded")


def _find(push: FundsPush | ShippingPush, orders: Orders) -> Order | None:
    return find_by_pay_no(push.order_no, orders=orders)


def _paid_by(order: Order, push: FundsPush | ShippingPush) -> bool:
    return (order.channel, order.transaction_no) == (push.channel, push.transaction_no)


def _open(
    kind: FindingKind, push: FundsPush | ShippingPush, order: Order, orders: Orders, opened: PushOutcome
) -> PushOutcome:
    facts = {
        "channel": push.channel,
        "transaction_no": push.transaction_no,
        "order_status": order.status,
        "order_transaction_no": order.transaction_no or "",
    }
    if isinstance(push, ShippingPush):
        facts["channel_reason"] = push.text
    elif push.freed_at is not None:
        facts["freed_at"] = rfc3339(push.freed_at)
    finding = Finding(
        kind=kind,
        cause=".".join((push.channel, push.transaction_no, push.order_no)),
        subject=order.order_id,
        amount_fen=order.amount_fen,
        currency=CURRENCY,
        member_id=order.member_id,
        facts=facts,
    )
    return opened if orders.store_step(Step(findings=(finding,))) else "repeated"
