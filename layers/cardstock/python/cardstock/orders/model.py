"""Types of orders: quotes, orders and their lines."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.attribution import Attribution
from cardstock.money import Fen

OrderStatus: TypeAlias = Literal["placed", "paid", "shipped", "completed", "cancelled", "expired"]
PAID: Final[frozenset[OrderStatus]] = frozenset({"paid", "shipped", "completed"})
ENDED_UNPAID: Final[frozenset[OrderStatus]] = frozenset({"cancelled", "expired"})
ORDER_TRANSITIONS: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    "placed": frozenset({"paid", "cancelled", "expired"}),
    "paid": frozenset({"shipped"}),
    "shipped": frozenset({"completed"}),
    "completed": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
}
PaidBy: TypeAlias = Literal["buyer", "coupon"]
"""Who pays an order: the buyer through a channel, or its coupon in full, in the step that places it."""
ORDER_ID: Final = re.compile(r"ord_[0-9a-z]{26}")
MAX_PAY_NOS: Final = 9
"""Numbers of one order at the channels. A number that a channel has closed can never be paid; WeChat takes 32
characters."""
_PAY_NO: Final = re.compile(r"(ord_[0-9a-z]{26})(?:_([2-9]))?")
MAX_LINES: Final = 50
"""Different SKUs of an order. With the order and its request these are 52 actions, well below DynamoDB's 100."""
MAX_PAID_AT_ONCE: Final = 97
"""SKUs and suppliers together of an order fully paid by its coupon: the step that places it also makes the supplier
orders, besides the order, its request and its coupon."""
MAX_UNITS: Final = 999
PAYMENT_WINDOW: Final = timedelta(minutes=30)
"""How long an order waits for its payment and reserves its stock."""
QUOTE_LIFETIME: Final = timedelta(minutes=15)
_DISTRICT: Final = 6
"""Characters of a Chinese address that are shown of it."""


class Receiver(msgspec.Struct, frozen=True, array_like=True):
    """The receiver of the goods. Stored as an array: do not move its fields."""

    name: str
    phone: str
    address: str
    region: str = ""
    """The code of the region of the address; empty of orders that were placed without one."""

    def masked(self) -> "Receiver":
        """What tells two receivers apart, and reaches none: `王**`, `138****8000`, `上海市静安区****`.

        The head of an address is its town and district only where it is written in Chinese; others are hidden whole.
        An erased receiver stays empty.
        """
        if self == NOBODY:
            return self
        number = self.phone.partition("转")[0]
        head = self.address[:_DISTRICT] if len(self.address) > _DISTRICT and not self.address[0].isascii() else ""
        phone = f"{number[:-8] if len(number) > 8 else ''}****{number[-4:]}"
        return Receiver(self.name[:1] + "**", phone, f"{head}****", self.region)


NOBODY: Final = Receiver("", "", "")
"""The receiver of an order whose receiver was erased."""


class FreightPart(msgspec.Struct, frozen=True, array_like=True):
    """What the buyer pays for what one supplier sends; for the whole order if `supplier_id` is empty. Stored as an
    array: do not move its fields."""

    supplier_id: str
    fen: Fen
    refunded: bool = False
    """Whether a refund has it: with the last unit of the part, if nothing of it was sent."""


class SentGoods(msgspec.Struct, frozen=True):
    """Units of one SKU to be sent. `net_fen`: their price after coupons."""

    sku: str
    supplier_id: str
    units: int
    net_fen: Fen
    template: str
    weight_g: int | None


class Freight(msgspec.Struct, frozen=True):
    """The buyer pays `fee` fen for sending an order; nothing if `free_from` fen or more are paid for the goods.

    `free_from` 0: the fee is always charged.
    """

    fee: Fen
    free_from: Fen

    def of_goods(self, goods: Fen) -> Fen:
        """The freight of an order whose goods cost `goods` fen after coupons."""
        return 0 if self.free_from and goods >= self.free_from else self.fee

    def parts_of(self, goods: Sequence[SentGoods], _region: str) -> tuple[FreightPart, ...]:
        """`orders.ports.FreightCharges`: once for the whole order, everywhere the same."""
        fee = self.of_goods(sum(each.net_fen for each in goods))
        return (FreightPart("", fee),) if fee else ()


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
    order_id: str = ""
    """The id of the order that is placed with it: one quote is one order. Empty in tokens of v0.3.0."""
    region: str = ""
    """The region that the goods are sent to; empty if freight is everywhere the same and none was given."""
    freight_parts: tuple[FreightPart, ...] = ()
    """The freight of each supplier's part; empty if it is one fee for the whole order, or none."""

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
    """The mark of the payer, if the channel reports one: equal for equal payers (`marks`). `device` likewise."""
    device: str = ""
    shipped_at: datetime | None = None
    """When the last supplier shipped."""
    received_at: datetime | None = None
    closed_at: datetime | None = None
    """When it was cancelled or expired."""
    coupon: str = ""
    """The coupon it was placed with."""
    app: str = ""
    """The platform's app in which it was placed and is paid, `wechat:wx123`; empty if that is not known."""
    pay_at: int = 1
    """Which of its numbers at the channels is used now (`pay_no`): the next one once a channel has closed one, because
    a charge was refused. All of them are closed before the order is."""
    open_until: datetime | None = None
    """Until when a platform that has no closing may take money for it; None: its payment was not started on one."""
    funds_expected_at: datetime | None = None
    """When the channel should free the payment's money for the merchant, as it last said."""
    funds_freed_at: datetime | None = None
    """Since when the payment's money is free, if the channel has said so. No receipt of goods follows from it."""
    paid_by: PaidBy = "buyer"
    instalments: int = 1
    """In how many parts the buyer pays the channel, as its payment states; 1: at once, or not paid yet."""
    agreement: str = ""
    """The payment agreement under which it is or was charged; empty where none is, or where the charge was refused."""
    returned_payments: tuple[str, ...] = ()
    """Payments of another amount that came while it waited, each `channel:transaction`: they are refunded whole, and
    none of them ever pays it."""
    done_suppliers: tuple[str, ...] = ()
    """Suppliers with nothing left to ship: they have shipped, or all their units were refunded."""
    freight_refunded: bool = False
    """Whether a refund has the freight though units of the order are not refunded any more: another refund of the same
    order was given up."""
    freight_parts: tuple[FreightPart, ...] = ()
    """The freight of each supplier's part, in all `freight_fen`; empty if it is one fee for the order, or none."""
    version: int = 1

    @property
    def pay_no(self) -> str:
        """The channels' number for its payment: its id, or `ord_..._2` and so on."""
        return self.order_id if self.pay_at == 1 else f"{self.order_id}_{self.pay_at}"

    @property
    def pay_nos(self) -> "tuple[Order, ...]":
        """The order under each number that it has had at the channels, the newest first."""
        return (self, *(replace(self, pay_at=number) for number in range(self.pay_at - 1, 0, -1)))

    def with_next_pay_no(self) -> "Order":
        """Under the next number, where there is one."""
        return replace(self, pay_at=min(self.pay_at + 1, MAX_PAY_NOS), version=self.version + 1)

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
        """Refunded so far, including refunds that are open. The freight of a part is refunded with its last unit, if no
        unit of it was sent; that of a whole order likewise."""
        return self.goods_fen - self.kept_fen + self.refunded_freight_fen

    @property
    def refunded_freight_fen(self) -> Fen:
        """The freight that refunds have."""
        if self.freight_parts:
            return sum(part.fen for part in self.freight_parts if part.refunded)
        unsent = self.status == "paid" and all(line.refunded_units == line.units for line in self.lines)
        return self.freight_fen if unsent or self.freight_refunded else 0

    @property
    def shown_freight(self) -> tuple[FreightPart, ...]:
        """The freight by parts; one of the whole order stands under no supplier."""
        return shown_freight(self.freight_parts, self.freight_fen)

    @property
    def supplier_ids(self) -> tuple[str, ...]:
        """The suppliers concerned, each once, in the order of the lines."""
        return tuple(dict.fromkeys(line.supplier_id for line in self.lines))


class PayNo(NamedTuple):
    """A channels' number for an order, taken apart."""

    order_id: str
    pay_at: int

    @classmethod
    def read(cls, text: str) -> "PayNo | None":
        """The parts of a number that is an order's, `ord_...` or `ord_..._2`; None for any other text."""
        found = _PAY_NO.fullmatch(text)
        return cls(found[1], int(found[2] or 1)) if found else None


def shown_freight(parts: tuple[FreightPart, ...], whole: Fen) -> tuple[FreightPart, ...]:
    """`parts`, or the freight of the whole order as one, under no supplier."""
    return parts or ((FreightPart("", whole),) if whole else ())


class PaidOrder(msgspec.Struct, frozen=True):
    """A paid order of a member, for recommendations. Lines have the refunds since then."""

    order_id: str
    member_id: str
    paid_at: datetime
    lines: tuple[OrderLine, ...]
