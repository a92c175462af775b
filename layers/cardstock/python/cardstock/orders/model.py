"""The nouns of orders: quotes, orders, supplier orders, refunds, uses of coupons, and what changes with each step."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import msgspec

from cardstock.attribution import Attribution
from cardstock.money import Fen

OrderStatus: TypeAlias = Literal["placed", "paid", "shipped", "completed", "cancelled", "expired"]
RefundKind: TypeAlias = Literal["return", "goodwill", "stray"]
RefundStatus: TypeAlias = Literal["requested", "succeeded"]
SupplierOrderStatus: TypeAlias = Literal["open", "shipped", "delivered", "cancelled"]
CouponState: TypeAlias = Literal["unused", "used", "revoked", "owed"]

ORDER_TRANSITIONS: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    "placed": frozenset({"paid", "cancelled", "expired"}),
    "paid": frozenset({"shipped"}),
    "shipped": frozenset({"completed"}),
    "completed": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
}
SUPPLIER_ORDER_TRANSITIONS: Final[Mapping[SupplierOrderStatus, frozenset[SupplierOrderStatus]]] = {
    "open": frozenset({"shipped", "cancelled"}),
    "shipped": frozenset({"delivered"}),
    "delivered": frozenset(),
    "cancelled": frozenset(),
}
REFUND_TRANSITIONS: Final[Mapping[RefundStatus, frozenset[RefundStatus]]] = {
    "requested": frozenset({"succeeded"}),
    "succeeded": frozenset(),
}
COUPON_TRANSITIONS: Final[Mapping[CouponState, frozenset[CouponState]]] = {
    "unused": frozenset({"used", "revoked"}),
    "used": frozenset({"unused", "revoked", "owed"}),
    "revoked": frozenset(),
    "owed": frozenset(),
}

SupplierOrderEvent: TypeAlias = Literal["requested", "reduced", "parcel_sent", "delivered"]
"""What made a version of a supplier order: the payment, a refund of unsent units, a parcel, or the delivery."""
PaidBy: TypeAlias = Literal["buyer", "coupon"]
"""Who pays an order: the buyer through a channel, or its coupon alone, in the step that places it."""

ORDER_ID: Final = re.compile(r"ord_[0-9a-z]{26}")
MAX_LINES: Final = 50
"""Different SKUs of an order: with the order itself and its request 52 actions, far below DynamoDB's 100."""
MAX_PAID_AT_ONCE: Final = 97
"""SKUs and suppliers together of an order that its coupon pays: the step that places it also makes the supplier orders,
beside the order, its request and its coupon."""
MAX_UNITS: Final = 999
PAYMENT_WINDOW: Final = timedelta(minutes=30)
"""How long an order waits for its payment and reserves its stock."""
QUOTE_LIFETIME: Final = timedelta(minutes=15)
REFUND_WINDOW: Final = timedelta(days=365)
"""How long after the payment money can be sent back the way it came (WeChat Pay: one year)."""
MAX_PARCELS: Final = 20


class Receiver(msgspec.Struct, frozen=True, array_like=True):
    """Where the goods go. Stored as an array: do not move its fields."""

    name: str
    phone: str
    address: str


class Coupon(msgspec.Struct, frozen=True):
    """Takes `fen` off the goods of one order, at most what they cost. It is used once."""

    id: str
    fen: Fen


class CouponUse(msgspec.Struct, frozen=True):
    """What became of a coupon. `order_id`: the order that was placed with it, if there is one.

    `revoked`: nobody can use it, and nothing is owed for it. `owed`: it was revoked after its order had been sent, and
    `fen` of what it took off is charged to the buyer.
    """

    coupon_id: str
    state: CouponState = "unused"
    order_id: str = ""
    fen: Fen = 0


class Freight(msgspec.Struct, frozen=True):
    """Charges the buyer `fee` fen for sending an order; nothing if `free_from` fen or more are paid for the goods.

    `free_from` 0: the fee is always charged.
    """

    fee: Fen
    free_from: Fen

    def of_goods(self, goods: Fen) -> Fen:
        """The freight of an order whose goods cost `goods` fen, coupons off."""
        return 0 if self.free_from and goods >= self.free_from else self.fee


NO_FREIGHT: Final = Freight(0, 0)


class RequestedUnits(msgspec.Struct, frozen=True):
    """Units of one SKU that a member asks to buy or to return."""

    sku: str
    units: int


class OrderLine(msgspec.Struct, frozen=True):
    """One SKU of an order. `line_no` counts from 1; a SKU occurs once."""

    line_no: int
    sku: str
    name: str
    units: int
    price_fen: Fen
    net_fen: Fen
    """Paid for all units, coupons off."""
    supplier_id: str
    qualifying: bool
    earns: bool
    refunded_units: int = 0
    """Units for which a refund was requested, whether it has succeeded or not."""
    refunded_fen: Fen = 0


class Quote(msgspec.Struct, frozen=True):
    """Prices for one member, as the signed token carries them. They hold for fifteen minutes and reserve nothing."""

    member_id: str
    lines: tuple[OrderLine, ...]
    attribution: Attribution | None
    hint: Any
    """JSON data that the referral network wants back when the order is placed; opaque to orders."""
    coupon: str = ""
    """The coupon that is off the lines' `net_fen`; empty without one."""
    freight_fen: Fen = 0
    paid_by: PaidBy = "buyer"

    @property
    def goods_fen(self) -> Fen:
        """What the goods cost, coupons off."""
        return sum(line.net_fen for line in self.lines)

    @property
    def amount_fen(self) -> Fen:
        """What the buyer pays."""
        return self.goods_fen + self.freight_fen


class Order(msgspec.Struct, frozen=True):
    """An order as stored. `version` counts its changes."""

    order_id: str
    member_id: str
    status: OrderStatus
    lines: tuple[OrderLine, ...]
    amount_fen: Fen
    """To be paid, or paid: the sum of the lines' `net_fen`, and the freight."""
    receiver: Receiver
    attribution: Attribution | None
    snapshot: dict[str, Any]
    """The plan and the buyer's place in the referral network when the order was placed, in the network's own form."""
    placed_at: datetime
    paid_at: datetime | None = None
    channel: str | None = None
    transaction_no: str | None = None
    """The channel's number of the payment."""
    payer: str = ""
    """Derived from who paid, as far as the channel reports it: equal for equal payers. `device` likewise."""
    device: str = ""
    shipped_at: datetime | None = None
    """When the last supplier shipped."""
    received_at: datetime | None = None
    closed_at: datetime | None = None
    """When it was cancelled or expired."""
    coupon: str = ""
    """The coupon it was placed with."""
    paid_by: PaidBy = "buyer"
    done_suppliers: tuple[str, ...] = ()
    """Suppliers with nothing left to ship: they have shipped, or all their units were refunded."""
    version: int = 1

    @property
    def expires_at(self) -> datetime:
        """When the time to pay it is over."""
        return self.placed_at + PAYMENT_WINDOW

    @property
    def goods_fen(self) -> Fen:
        """What the goods cost, coupons off. Rewards and sales are measured on this alone."""
        return sum(line.net_fen for line in self.lines)

    @property
    def freight_fen(self) -> Fen:
        """What the buyer pays for sending it."""
        return self.amount_fen - self.goods_fen

    @property
    def kept_fen(self) -> Fen:
        """What was paid for the goods and not refunded."""
        return self.goods_fen - sum(line.refunded_fen for line in self.lines)

    @property
    def refunded_fen(self) -> Fen:
        """What was refunded so far, requested refunds included. The freight goes back with the last unit of an order of
        which nothing was sent."""
        unsent = self.status == "paid" and all(line.refunded_units == line.units for line in self.lines)
        return self.goods_fen - self.kept_fen + (self.freight_fen if unsent else 0)

    @property
    def supplier_ids(self) -> tuple[str, ...]:
        """The suppliers concerned, each once, in the order of the lines."""
        return tuple(dict.fromkeys(line.supplier_id for line in self.lines))


class PaidOrder(msgspec.Struct, frozen=True):
    """What a paid order says of the member who bought. Lines carry what was refunded since."""

    order_id: str
    member_id: str
    paid_at: datetime
    lines: tuple[OrderLine, ...]


class RefundLine(msgspec.Struct, frozen=True, array_like=True):
    """What a refund takes of one order line: units (none for goodwill) and fen. Stored as an array: do not move its
    fields."""

    line_no: int
    sku: str
    units: int
    amount_fen: Fen
    restock: bool = False
    """The units had not been shipped: they are on sale again when the refund has succeeded."""


class Refund(msgspec.Struct, frozen=True):
    """Money on its way back, or back.

    `return`: units of a paid order; the amounts of its `lines` and the freight, if it goes back, add up to
    `amount_fen`. `goodwill`: an amount of a paid order without units, spread over its `lines`. `stray`: a payment that
    came after expiry or cancellation, or a second one; it has no lines and touches no reward.
    """

    refund_id: str
    order_id: str
    member_id: str
    kind: RefundKind
    status: RefundStatus
    amount_fen: Fen
    lines: tuple[RefundLine, ...]
    reason: str
    channel: str
    transaction_no: str
    total_fen: Fen
    """All that was paid with `transaction_no`; some channels require it."""
    requested_at: datetime
    succeeded_at: datetime | None = None
    fingerprint: str = ""
    """Of the request that made it: the same key with another body is refused."""
    sequence: int = 0
    """The order's version that this refund made. It orders the refunds of an order without a clock, and rewards are
    clawed back in that order, so that the fen do not depend on which refund succeeds first."""
    granted_by: str = ""
    """Who of the staff granted a goodwill refund; empty for the other kinds."""
    version: int = 1

    @property
    def goods_fen(self) -> Fen:
        """What of it was paid for goods."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def freight_fen(self) -> Fen:
        """What of it is freight."""
        return self.amount_fen - self.goods_fen if self.part_of_order else 0

    @property
    def part_of_order(self) -> bool:
        """Whether it takes part of what was paid for the order, and so of its rewards. A stray payment does not."""
        return self.kind != "stray"


class Parcel(msgspec.Struct, frozen=True, array_like=True):
    """One parcel that a supplier reported. `event_id` is the supplier's: a repeat adds nothing. Stored as an array: do
    not move its fields."""

    event_id: str
    carrier: str
    tracking_no: str
    at: datetime


class SupplierLine(msgspec.Struct, frozen=True, array_like=True):
    """What one supplier sends of a SKU: `units` less the `cancelled` ones, which were refunded before they left. Stored
    as an array: do not move its fields."""

    sku: str
    name: str
    units: int
    cancelled: int = 0


class SupplierOrder(msgspec.Struct, frozen=True):
    """One supplier's part of a paid order."""

    supplier_id: str
    order_id: str
    status: SupplierOrderStatus
    lines: tuple[SupplierLine, ...]
    receiver: Receiver
    created_at: datetime
    last_event: SupplierOrderEvent = "requested"
    parcels: tuple[Parcel, ...] = ()
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    reduced_at: datetime | None = None
    """When a refund last cancelled units of it."""
    version: int = 1


class StockChange(msgspec.Struct, frozen=True):
    """Adds to what can be sold of one SKU (`stock`) and to what is reserved or sold but not sent (`held`)."""

    sku: str
    stock: int
    held: int


class Step(msgspec.Struct, frozen=True):
    """What changes together or not at all.

    Each record replaces the one whose `version` is lower by one; a record of version 1 must be new (an order is new
    only by being placed).
    """

    orders: tuple[Order, ...] = ()
    refunds: tuple[Refund, ...] = ()
    supplier_orders: tuple[SupplierOrder, ...] = ()
    stock: tuple[StockChange, ...] = ()
    freed_coupons: tuple[tuple[str, str], ...] = ()
    """Coupons that can be used again, each with the id of the order that was placed with it."""


class PaymentParameters(msgspec.Struct, frozen=True):
    """What a client passes to the channel's pay call."""

    channel: str
    order_no: str
    amount_fen: Fen
    currency: str
    pay_url: str


class PaymentNotice(msgspec.Struct, frozen=True):
    """A payment as its channel reports it: the report is verified, but not yet compared with the order."""

    channel: str
    order_no: str
    transaction_no: str
    amount_fen: Fen
    currency: str
    paid_at: datetime
    payer: str = ""
    """Who paid, as the channel names it; `platform:app:openid` where members log in with that platform."""
    device: str = ""
    """The device it was paid on, if the channel names one."""


class OrderChange(msgspec.Struct, frozen=True):
    """One change of an order. `previous`: its status before; None for a new order, equal if only figures changed."""

    event_id: str
    order: Order
    previous: OrderStatus | None


class RefundChange(msgspec.Struct, frozen=True):
    """One change of a refund. Only refunds that are `part_of_order` concern rewards and roles."""

    event_id: str
    refund: Refund
    previous: RefundStatus | None


class SupplierOrderChange(msgspec.Struct, frozen=True):
    """One change of a supplier order; its `last_event` says what happened."""

    event_id: str
    supplier_order: SupplierOrder
