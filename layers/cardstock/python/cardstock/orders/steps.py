"""Shared by the verbs of several phases."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias

from msgspec.structs import replace

from cardstock.errors import BODY_INVALID, NOT_FOUND, Pointer
from cardstock.orders.change_model import Step, StockChange
from cardstock.orders.model import MAX_LINES, MAX_UNITS, ORDER_ID, Order, PayNo, RequestedUnits
from cardstock.orders.payment_model import PaymentNotice
from cardstock.orders.ports import Orders, PaymentChannel
from cardstock.orders.supplier_model import SupplierLine, SupplierOrder

ATTEMPTS: Final = 6
"""How often a verb reads and decides again after a conflict."""

Channels: TypeAlias = Mapping[str, PaymentChannel]
_OF_PLATFORMS: Final = frozenset({"wechat", "alipay", "douyin"})
"""Channels that take payments in the apps of the platform of their name alone; others take them anywhere."""

_WITHOUT_PAYMENT: Final = frozenset({"baidu"})
"""Platforms that members log in on, and that offer no payment here."""


PLATFORMS: Final = _OF_PLATFORMS | _WITHOUT_PAYMENT
"""All platforms that members log in on."""


def offers_payment(order: Order, channel: str) -> bool:
    """Whether there is such a payment as `channel` in the app in which `order` was placed, whoever pays."""
    placed_on = order.app.partition(":")[0]
    return not (channel in _WITHOUT_PAYMENT or (channel in _OF_PLATFORMS and placed_on in _WITHOUT_PAYMENT))


def channels_of(order: Order, channels: Channels) -> tuple[str, ...]:
    """The names of the channels that may take money for `order`. An order that names no app may be paid through all."""
    return channels_in(order.app, channels)


def channels_in(app: str, channels: Iterable[str]) -> tuple[str, ...]:
    """The names of the channels that take payments in an app, `wechat:wx123`; all of them where it is not known."""
    platform = app.partition(":")[0]
    return tuple(name for name in channels if not platform or name == platform or name not in _OF_PLATFORMS)


def is_paid_in(order: Order, payer: str, channel: str) -> bool:
    """Whether the account `payer` (`wechat:wx123:oABC`) can pay `order` through `channel`: on a platform the account
    must be one of the app in which the order was placed."""
    if channel not in _OF_PLATFORMS:
        return True
    platform, _, rest = payer.partition(":")
    app = f"{platform}:{rest.partition(':')[0]}"
    return platform == channel and order.app in ("", app)


def find_order(member_id: str | None, order_id: str, *, orders: Orders) -> Order:
    """A member's own order; any order for staff (`member_id` None). Raises `NotFoundError`, also for another member's.

    A malformed id costs no read.
    """
    order = orders.find_order(order_id) if ORDER_ID.fullmatch(order_id) else None
    return require_own(order, member_id)


def find_by_pay_no(number: str, *, orders: Orders) -> Order | None:
    """The order that a channel names by any of its numbers; None if there is none. Other texts cost no read."""
    found = PayNo.read(number)
    return orders.find_order(found.order_id) if found else None


def require_own(order: Order | None, member_id: str | None) -> Order:
    """`order`, if it exists and is the member's. Raises `NotFoundError`."""
    if order is None or member_id not in (None, order.member_id):
        raise NOT_FOUND()
    return order


def merge_units(requested: Sequence[RequestedUnits]) -> dict[str, int]:
    """Units by SKU, in the order of each SKU's first line.

    Raises `InvalidError` unless there are 1 to 50 SKUs with 1 to 999 units each. It points at the lines with which a
    SKU gets more, with what is left for each.
    """
    units: dict[str, int] = {}
    wrong: list[Pointer] = []
    for at, line in enumerate(requested):
        before = units.get(line.sku, 0)
        units[line.sku] = before + line.units
        if line.units < 1 or units[line.sku] > MAX_UNITS:
            bounds = {"max": max(0, MAX_UNITS - before)} if before else {"min": 1, "max": MAX_UNITS}
            wrong.append(Pointer(f"/lines/{at}/units", "OUT_OF_RANGE", bounds))
    if not units or len(units) > MAX_LINES:
        raise BODY_INVALID(pointers=(Pointer("/lines", "OUT_OF_RANGE", {"min_length": 1, "limit": MAX_LINES}),))
    if wrong:
        raise BODY_INVALID(pointers=tuple(wrong))
    return units


def pay_step(order: Order, notice: PaymentNotice, now: datetime, orders: Orders) -> Step:
    """Record a payment: the order is paid, and each supplier gets its supplier order. `orders` makes the marks."""
    paid = replace(
        order,
        status="paid",
        # The channel's clock may differ: the payment must lie between the order and now.
        paid_at=max(order.placed_at, min(notice.paid_at, now)),
        channel=notice.channel,
        transaction_no=notice.transaction_no,
        instalments=notice.instalments,
        pay_at=named.pay_at if (named := PayNo.read(notice.order_no)) else order.pay_at,
        payer=orders.mark_of("payer", notice.payer) if notice.payer else "",
        device=orders.mark_of("device", notice.device) if notice.device else "",
        version=order.version + 1,
    )
    supplier_orders = tuple(
        SupplierOrder(
            supplier_id=supplier_id,
            order_id=order.order_id,
            status="open",
            lines=tuple(
                SupplierLine(line.sku, line.name, line.units) for line in order.lines if line.supplier_id == supplier_id
            ),
            receiver=order.receiver,
            created_at=now,
        )
        for supplier_id in order.supplier_ids
    )
    return Step(orders=(paid,), supplier_orders=supplier_orders)


def close_step(order: Order, status: Literal["cancelled", "expired"], now: datetime) -> Step:
    """Close an order that is not paid: its stock is released, and its coupon can be used again."""
    closed = replace(order, status=status, closed_at=now, version=order.version + 1)
    return Step(
        orders=(closed,),
        stock=tuple(StockChange(line.sku, line.units, -line.units) for line in order.lines),
        freed_coupons=((order.coupon, order.order_id),) if order.coupon else (),
    )


def follow_suppliers(order: Order, supplier_orders: Mapping[str, SupplierOrder], now: datetime) -> Order:
    """`order` in the state of its supplier orders: shipped once none is open and at least one was sent."""
    done = tuple(supplier_id for supplier_id in order.supplier_ids if supplier_orders[supplier_id].status != "open")
    sent = any(each.status in ("shipped", "delivered") for each in supplier_orders.values())
    if order.status == "paid" and sent and len(done) == len(order.supplier_ids):
        return replace(order, done_suppliers=done, status="shipped", shipped_at=now)
    return replace(order, done_suppliers=done)
