"""What an order is, from the quote to the last refund.

An `Order` is placed with the prices of a signed quote and takes its stock in the same step. Once paid, every supplier
concerned has a `SupplierOrder`. Money that goes back is a `Refund`, a record of its own: part of an order (`return`),
or a payment that no order was waiting for (`stray`).
"""

import re
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import msgspec

from cardstock.attribution import Attribution
from cardstock.money import Fen

OrderStatus: TypeAlias = Literal["placed", "paid", "shipped", "completed", "cancelled", "expired"]
"""placed -> paid -> shipped -> completed, or placed -> cancelled | expired."""
RefundKind: TypeAlias = Literal["return", "goodwill", "stray"]
RefundStatus: TypeAlias = Literal["requested", "succeeded"]
SupplierOrderStatus: TypeAlias = Literal["open", "shipped", "delivered", "cancelled"]
SupplierOrderEvent: TypeAlias = Literal["requested", "reduced", "parcel_sent", "delivered"]
"""What made a version of a supplier order: the payment, a refund of unsent units, a parcel, or the delivery."""
PaidBy: TypeAlias = Literal["buyer", "coupon"]
"""Who pays an order: the buyer through a channel, or its coupon alone, in the step that places it."""

ORDER_ID: Final = re.compile(r"ord_[0-9a-z]{26}")
MAX_LINES: Final = 50
"""Distinct SKUs of an order: with the order itself and its request 52 actions, far below DynamoDB's 100."""
MAX_PAID_AT_ONCE: Final = 97
"""SKUs and suppliers together of an order for which there is nothing to pay: the supplier orders are made in the same
step, beside the order, its request and its coupon."""
MAX_UNITS: Final = 999
PAYMENT_WINDOW: Final = timedelta(minutes=30)
"""How long an order waits for its payment, and keeps its stock."""
QUOTE_LIFETIME: Final = timedelta(minutes=15)
REFUND_WINDOW: Final = timedelta(days=365)
"""How long after the payment money can be sent back the way it came (WeChat Pay: one year)."""
MAX_PARCELS: Final = 20


class Receiver(msgspec.Struct, frozen=True):
    """Where the goods go."""

    name: str
    phone: str
    address: str


class Coupon(msgspec.Struct, frozen=True):
    """What takes `fen` off the goods of one order, at most what they cost. It is used once."""

    id: str
    fen: Fen


class Freight(msgspec.Struct, frozen=True):
    """What sending an order costs the buyer: `fee` fen, nothing from `free_from` fen paid for the goods on, unless that
    is 0."""

    fee: Fen
    free_from: Fen

    def of(self, goods: Fen) -> Fen:
        """The freight of an order whose goods cost so much, coupons off."""
        return 0 if self.free_from and goods >= self.free_from else self.fee


NO_FREIGHT: Final = Freight(0, 0)


class Offer(msgspec.Struct, frozen=True):
    """What the catalogue says of one SKU at the moment of a quote."""

    sku: str
    name: str
    price_fen: Fen
    supplier_id: str
    qualifying: bool
    earns: bool
    active: bool
    stock: int


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
    """Units for which a refund was requested, whether it has gone through or not."""
    refunded_fen: Fen = 0


class Quote(msgspec.Struct, frozen=True):
    """An offer to one member, as the signed token carries it: it holds for fifteen minutes, and reserves nothing."""

    member_id: str
    lines: tuple[OrderLine, ...]
    attribution: Attribution | None
    hint: Any
    """What the network area wants back when the order is placed; opaque here."""
    coupon: str = ""
    """The coupon whose part is off the lines' `net_fen`."""
    freight_fen: Fen = 0
    paid_by: PaidBy = "buyer"

    @property
    def goods_fen(self) -> Fen:
        """What the goods cost, coupons off."""
        return sum(line.net_fen for line in self.lines)

    @property
    def amount_fen(self) -> Fen:
        """What there is to pay."""
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
    """Plan and positions around the buyer when the order was placed, in the network area's compact form."""
    placed_at: datetime
    paid_at: datetime | None = None
    channel: str | None = None
    transaction_no: str | None = None
    """The channel's number of the payment."""
    payer: str = ""
    """Stands for who paid and on what device, as far as the channel has told: the same for the same one."""
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
    """Suppliers from whom nothing is waited for any more: they shipped, or everything of theirs was refunded."""
    version: int = 1

    @property
    def expires_at(self) -> datetime:
        """Until when it can be paid."""
        return self.placed_at + PAYMENT_WINDOW

    @property
    def goods_fen(self) -> Fen:
        """What the goods cost, coupons off: rewards and sales are measured on nothing else."""
        return sum(line.net_fen for line in self.lines)

    @property
    def freight_fen(self) -> Fen:
        """What sending it costs the buyer."""
        return self.amount_fen - self.goods_fen

    @property
    def kept_fen(self) -> Fen:
        """What refunds have left of the goods' price."""
        return self.goods_fen - sum(line.refunded_fen for line in self.lines)

    @property
    def refunded_fen(self) -> Fen:
        """What was given back so far, what is on its way included. The freight goes back with the last unit of an order
        of which nothing was sent."""
        unsent = self.status == "paid" and all(line.refunded_units == line.units for line in self.lines)
        return self.goods_fen - self.kept_fen + (self.freight_fen if unsent else 0)

    @property
    def supplier_ids(self) -> tuple[str, ...]:
        """The suppliers concerned, each once, in the order of the lines."""
        return tuple(dict.fromkeys(line.supplier_id for line in self.lines))


class RefundLine(msgspec.Struct, frozen=True):
    """Units of one order line that are refunded (none of a goodwill), and this refund's part of what it cost."""

    line_no: int
    sku: str
    units: int
    amount_fen: Fen
    restock: bool = False
    """The units had not been shipped: they go back on sale when the refund has gone through."""


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
    """All that was paid with `transaction_no`; channels want to be told."""
    requested_at: datetime
    succeeded_at: datetime | None = None
    fingerprint: str = ""
    """Of the request that made it: another body under the same key is refused."""
    sequence: int = 0
    """The order's version that this request made: tells which of an order's refunds was requested first, by no clock.
    Rewards are taken back in this sequence, the same fen in whatever order refunds go through."""
    granted_by: str = ""
    """The key that granted a goodwill refund; empty for the other kinds."""
    version: int = 1

    @property
    def goods_fen(self) -> Fen:
        """What of it is the goods' price."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def freight_fen(self) -> Fen:
        """What of it is freight."""
        return self.amount_fen - self.goods_fen if self.part_of_order else 0

    @property
    def part_of_order(self) -> bool:
        """Whether it takes part of what was paid for the order, and so of its rewards. A stray payment does not."""
        return self.kind != "stray"


class Parcel(msgspec.Struct, frozen=True):
    """One parcel that a supplier reported. `event_id` is the sender's: a repeat adds nothing."""

    event_id: str
    carrier: str
    tracking_no: str
    at: datetime


class SupplierLine(msgspec.Struct, frozen=True):
    """What one supplier has to send: `units` less the `cancelled` ones, which were refunded before they left."""

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
    """When units were last taken from it."""
    version: int = 1


class StockChange(msgspec.Struct, frozen=True):
    """Units of one SKU that become sellable (`stock`) and units that are no longer held back for somebody (`held`)."""

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
    freed: tuple[tuple[str, str], ...] = ()
    """Coupons, each with the order that was placed with it, which can be used again."""


class PaymentParameters(msgspec.Struct, frozen=True):
    """What a client needs in order to pay."""

    channel: str
    order_no: str
    amount_fen: Fen
    currency: str
    pay_url: str


class PaymentNotice(msgspec.Struct, frozen=True):
    """A payment as the channel vouches for it: verified, not yet compared with the order."""

    channel: str
    order_no: str
    transaction_no: str
    amount_fen: Fen
    currency: str
    paid_at: datetime
    payer: str = ""
    """Who paid, in the channel's words; where it is a platform that people log in on, `platform:app:openid`."""
    device: str = ""
    """On what device, if the channel tells."""


class OrderChange(msgspec.Struct, frozen=True):
    """One change of an order. `previous` is its status before; None for a new one, equal if only figures changed."""

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
