"""Types of orders: quotes, orders, supplier orders, refunds, uses of coupons, and the changes of a step."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import msgspec

from cardstock.attribution import Attribution
from cardstock.money import Fen
from cardstock.texts import narrow

OrderStatus: TypeAlias = Literal["placed", "paid", "shipped", "completed", "cancelled", "expired"]
RefundKind: TypeAlias = Literal["return", "goodwill", "stray"]
RefundStatus: TypeAlias = Literal["requested", "succeeded", "refused", "given_up"]
RefusedEnd: TypeAlias = Literal["paid_another_way", "given_up"]
"""How people end a refund that its channel refuses."""
OPEN_REFUND: Final[frozenset[RefundStatus]] = frozenset({"requested", "refused"})
"""States of a refund whose end is not known yet: the order does not settle."""
PAID: Final[frozenset[OrderStatus]] = frozenset({"paid", "shipped", "completed"})
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
    "requested": frozenset({"succeeded", "refused"}),
    "refused": frozenset({"succeeded", "given_up"}),
    "succeeded": frozenset(),
    "given_up": frozenset(),
}
COUPON_TRANSITIONS: Final[Mapping[CouponState, frozenset[CouponState]]] = {
    "unused": frozenset({"used", "revoked"}),
    "used": frozenset({"unused", "revoked", "owed"}),
    "revoked": frozenset(),
    "owed": frozenset(),
}

SupplierOrderEvent: TypeAlias = Literal["requested", "reduced", "parcel_sent", "delivered"]
"""Cause of a supplier order's version: the payment, a refund of unsent units, a parcel, or the delivery."""
PaidBy: TypeAlias = Literal["buyer", "coupon"]
"""Who pays an order: the buyer through a channel, or its coupon in full, in the step that places it."""

ORDER_ID: Final = re.compile(r"ord_[0-9a-z]{26}")
MAX_LINES: Final = 50
"""Different SKUs of an order. With the order and its request these are 52 actions, well below DynamoDB's 100."""
MAX_PAID_AT_ONCE: Final = 97
"""SKUs and suppliers together of an order fully paid by its coupon: the step that places it also makes the supplier
orders, besides the order, its request and its coupon."""
MAX_UNITS: Final = 999
PAYMENT_WINDOW: Final = timedelta(minutes=30)
"""How long an order waits for its payment and reserves its stock."""
QUOTE_LIFETIME: Final = timedelta(minutes=15)
REFUND_WINDOW: Final = timedelta(days=365)
"""Time after the payment in which a channel can refund it (WeChat Pay: one year)."""
MAX_PARCELS: Final = 20
_DISTRICT: Final = 6
"""Characters of a Chinese address that are shown of it."""


class Receiver(msgspec.Struct, frozen=True, array_like=True):
    """The receiver of the goods. Stored as an array: do not move its fields."""

    name: str
    phone: str
    address: str

    def masked(self) -> "Receiver":
        """What tells two receivers apart, and reaches none: `王**`, `138****8000`, `上海市静安区****`.

        The head of an address is its town and district only where it is written in Chinese; others are hidden whole.
        """
        number = self.phone.partition("转")[0]
        head = self.address[:_DISTRICT] if len(self.address) > _DISTRICT and not self.address[0].isascii() else ""
        return Receiver(
            self.name[:1] + "**", f"{number[:-8] if len(number) > 8 else ''}****{number[-4:]}", f"{head}****"
        )


class Coupon(msgspec.Struct, frozen=True):
    """Takes `fen` off the goods of one order, at most their price. It is used once."""

    id: str
    fen: Fen


class CouponUse(msgspec.Struct, frozen=True):
    """The use of a coupon. `order_id` is the order placed with it, if any.

    `revoked`: nobody can use it, and nothing is owed for it. `owed`: it was revoked after its order had been sent, and
    `fen` of its discount are charged to the buyer.
    """

    coupon_id: str
    state: CouponState = "unused"
    order_id: str = ""
    fen: Fen = 0


class Freight(msgspec.Struct, frozen=True):
    """The buyer pays `fee` fen for sending an order; nothing if `free_from` fen or more are paid for the goods.

    `free_from` 0: the fee is always charged.
    """

    fee: Fen
    free_from: Fen

    def of_goods(self, goods: Fen) -> Fen:
        """The freight of an order whose goods cost `goods` fen after coupons."""
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
    """Paid for all units, after coupons."""
    supplier_id: str
    qualifying: bool
    earns: bool
    refunded_units: int = 0
    """Units for which a refund was requested, unless it was given up."""
    refunded_fen: Fen = 0
    set_aside_units: int = 0
    """Unsent units that a refund took off their supplier order and that was then given up: nobody sends them, and they
    stay held. The next refund of the line takes them first."""


class Quote(msgspec.Struct, frozen=True):
    """Prices for one member, as in the signed token. They hold for fifteen minutes and reserve nothing."""

    member_id: str
    lines: tuple[OrderLine, ...]
    attribution: Attribution | None
    hint: Any
    """JSON data that the referral network reads when the order is placed; opaque to orders."""
    coupon: str = ""
    """The coupon already taken off the lines' `net_fen`; empty without one."""
    freight_fen: Fen = 0
    paid_by: PaidBy = "buyer"

    @property
    def goods_fen(self) -> Fen:
        """Price of the goods, after coupons."""
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
    """To be paid, or paid: the sum of the lines' `net_fen`, plus the freight."""
    receiver: Receiver
    attribution: Attribution | None
    snapshot: dict[str, Any]
    """The plan and the buyer's position in the referral network when the order was placed, in the network's format."""
    placed_at: datetime
    paid_at: datetime | None = None
    channel: str | None = None
    transaction_no: str | None = None
    """The channel's number for the payment."""
    payer: str = ""
    """Derived from the payer, if the channel reports one: equal for equal payers. `device` likewise."""
    device: str = ""
    shipped_at: datetime | None = None
    """When the last supplier shipped."""
    received_at: datetime | None = None
    closed_at: datetime | None = None
    """When it was cancelled or expired."""
    coupon: str = ""
    """The coupon it was placed with."""
    paid_by: PaidBy = "buyer"
    returned_payments: tuple[str, ...] = ()
    """Payments of another amount that came while it waited, each `channel:transaction`: they are refunded whole, and
    none of them ever pays it."""
    done_suppliers: tuple[str, ...] = ()
    """Suppliers with nothing left to ship: they have shipped, or all their units were refunded."""
    freight_refunded: bool = False
    """Whether a refund has the freight though units of the order are not refunded any more: another refund of the same
    order was given up."""
    version: int = 1

    @property
    def is_paid(self) -> bool:
        """Whether it was paid, by the buyer or by a coupon. Then it has `paid_at`, `channel` and `transaction_no`."""
        return self.status in PAID

    @property
    def expires_at(self) -> datetime:
        """End of the time to pay."""
        return self.placed_at + PAYMENT_WINDOW

    @property
    def goods_fen(self) -> Fen:
        """Price of the goods, after coupons. Only this is the base of rewards and sales."""
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
        """Refunded so far, including refunds that are open. The freight is refunded with the last unit, if no unit of
        the order was sent."""
        return self.goods_fen - self.kept_fen + self.refunded_freight_fen

    @property
    def refunded_freight_fen(self) -> Fen:
        """The freight, if a refund has it; else 0."""
        unsent = self.status == "paid" and all(line.refunded_units == line.units for line in self.lines)
        return self.freight_fen if unsent or self.freight_refunded else 0

    @property
    def supplier_ids(self) -> tuple[str, ...]:
        """The suppliers concerned, each once, in the order of the lines."""
        return tuple(dict.fromkeys(line.supplier_id for line in self.lines))


class PaidOrder(msgspec.Struct, frozen=True):
    """A paid order of a member, for recommendations. Lines have the refunds since then."""

    order_id: str
    member_id: str
    paid_at: datetime
    lines: tuple[OrderLine, ...]


class RefundLine(msgspec.Struct, frozen=True, array_like=True):
    """A refund's part of one order line: units (none for goodwill) and fen. Stored as an array: do not move its
    fields."""

    line_no: int
    sku: str
    units: int
    amount_fen: Fen
    restock: bool = False
    """Whether the units had not been shipped: they are for sale again when the refund has succeeded."""


class Refund(msgspec.Struct, frozen=True):
    """A refund: requested, refused for good by its channel, succeeded, or given up.

    `return`: units of a paid order; the amounts of its `lines` and the freight, if refunded, add up to `amount_fen`.
    `goodwill`: an amount of a paid order without units, spread over its `lines`. `stray`: a payment after expiry or
    cancellation, or a second one; it has no lines and changes no reward.
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
    """Hash of the request's body: the same key with another body is refused."""
    sequence: int = 0
    """Of a refund that release 0.2.0 requested, the order's version that the request made; 0 for others. Refunds that
    succeeded under that release count in this order."""
    place: int = 0
    """The order's version made when the refund succeeded; 0 before, and for stray payments. What is cumulative over
    the refunds of an order counts them in this order, so that a refund that never succeeds is never counted."""
    granted_by: str = ""
    """The person of the staff who decided it: goodwill, or a return of sent units; empty if the buyer asked for it."""
    refused_at: datetime | None = None
    """When its channel refused it for good; people end it then."""
    given_up_at: datetime | None = None
    paid_another_way: bool = False
    """Whether it has succeeded by the word of the staff: the buyer got the money outside of the channel."""
    version: int = 1

    @property
    def goods_fen(self) -> Fen:
        """The part that was paid for goods."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def freight_fen(self) -> Fen:
        """The part that is freight."""
        return self.amount_fen - self.goods_fen if self.part_of_order else 0

    @property
    def part_of_order(self) -> bool:
        """Whether it refunds part of the order's payment, and so of its rewards. A stray payment does not."""
        return self.kind != "stray"

    @property
    def counts_from(self) -> int:
        """The version of the order from which a succeeded refund counts."""
        return self.place or self.sequence


class Parcel(msgspec.Struct, frozen=True, array_like=True):
    """One parcel that a supplier reported. `event_id` is the supplier's: a repeat adds nothing. Stored as an array: do
    not move its fields."""

    event_id: str
    carrier: str
    tracking_no: str
    at: datetime


class SupplierLine(msgspec.Struct, frozen=True, array_like=True):
    """One supplier's units of a SKU: `units` less the `cancelled` ones, refunded before they were sent. Stored as an
    array: do not move its fields."""

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

    def find_parcel(self, carrier: str, tracking_no: str) -> Parcel | None:
        """The parcel of this carrier and number, compared without regard to case, blanks, hyphens and width."""
        named = _code(carrier), _code(tracking_no)
        return next((each for each in self.parcels if (_code(each.carrier), _code(each.tracking_no)) == named), None)


class StockChange(msgspec.Struct, frozen=True):
    """A change of one SKU's units for sale (`stock`) and of those reserved or sold but not sent (`held`)."""

    sku: str
    stock: int
    held: int


FindingKind: TypeAlias = Literal["payment_unknown", "payment_mismatch", "payment_undecided", "refund_refused"]


class Finding(msgspec.Struct, frozen=True):
    """Something that a channel has stated and signed and that no record of an order can take, or that it does not state
    for too long: people must clear it.

    `cause` is the same for every repeat. Amount and currency are the channel's.
    """

    kind: FindingKind
    cause: str
    subject: str
    amount_fen: Fen
    currency: str
    member_id: str
    facts: dict[str, str]


class Step(msgspec.Struct, frozen=True):
    """Changes that are stored all or nothing.

    Each record replaces the one whose `version` is lower by one; a record of version 1 must be new (a new order is only
    stored by placing it).
    """

    orders: tuple[Order, ...] = ()
    refunds: tuple[Refund, ...] = ()
    supplier_orders: tuple[SupplierOrder, ...] = ()
    stock: tuple[StockChange, ...] = ()
    freed_coupons: tuple[tuple[str, str], ...] = ()
    """Coupons that can be used again, each with the id of the order placed with it."""
    findings: tuple[Finding, ...] = ()
    """Open items that must be new."""
    changed_items: tuple[Any, ...] = ()
    """Open items, as their area has them, each to replace the one whose version is lower by one."""


TOTAL: Final = "total"
"""Sales of all suppliers together."""


class SalesSum(msgspec.Struct, frozen=True, array_like=True):
    """Orders or refunds together. Stored as an array: do not move its fields."""

    count: int = 0
    units: int = 0
    goods_fen: Fen = 0
    freight_fen: Fen = 0

    @property
    def amount_fen(self) -> Fen:
        """Goods and freight."""
        return self.goods_fen + self.freight_fen

    def __add__(self, other: "SalesSum") -> "SalesSum":
        """Both together."""
        return SalesSum(
            self.count + other.count,
            self.units + other.units,
            self.goods_fen + other.goods_fen,
            self.freight_fen + other.freight_fen,
        )


class SalesOfDay(msgspec.Struct, frozen=True):
    """What was placed, paid and refunded on a day of the brand: `of` all suppliers (`TOTAL`), or of one.

    An order is paid on the day of its payment, a refund counts on the day on which it succeeded; neither changes the
    day on which the order was placed. Stray payments and their refunds are no sales. A supplier's figures have its
    lines alone, without freight; its counts are the orders and refunds that it has a part of.

    `closed`: it cannot change any more, because the day is over and none of its orders or of earlier ones waits for a
    payment.
    """

    day: date
    of: str
    placed: SalesSum = SalesSum()
    paid: SalesSum = SalesSum()
    refunded: SalesSum = SalesSum()
    closed: bool = False


class PaymentParameters(msgspec.Struct, frozen=True):
    """What a client passes to the channel's pay call."""

    channel: str
    order_no: str
    amount_fen: Fen
    currency: str
    pay_url: str


class PaymentNotice(msgspec.Struct, frozen=True):
    """A payment reported by its channel: authentic, but not yet compared with the order."""

    channel: str
    order_no: str
    transaction_no: str
    amount_fen: Fen
    currency: str
    paid_at: datetime
    payer: str = ""
    """The payer's id at the channel; `platform:app:openid` if members log in with that platform."""
    device: str = ""
    """The device used for the payment, if the channel reports one."""


Closing: TypeAlias = Literal["open", "closed"]
"""Whether a channel may still take money for an order that is not paid. A channel that does not know says neither."""


class OrderChange(msgspec.Struct, frozen=True):
    """One change of an order. `previous` is the status before; None for a new order, equal if only amounts changed."""

    event_id: str
    order: Order
    previous: OrderStatus | None


class RefundChange(msgspec.Struct, frozen=True):
    """One change of a refund. Only refunds that are `part_of_order` change rewards and roles."""

    event_id: str
    refund: Refund
    previous: RefundStatus | None


class SupplierOrderChange(msgspec.Struct, frozen=True):
    """One change of a supplier order; `last_event` is its cause."""

    event_id: str
    supplier_order: SupplierOrder


def _code(text: str) -> str:
    """A carrier's name or number, as one says it."""
    return "".join(letter for letter in narrow(text).casefold() if letter not in " -_.")
