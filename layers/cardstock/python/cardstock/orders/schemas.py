"""Quotes and orders as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from msgspec import Meta

from cardstock.attribution import Attribution
from cardstock.clock import rfc3339
from cardstock.edge.fields import (
    ArticleNumber,
    Currency,
    Fen,
    MemberId,
    Moment,
    NextCursor,
    OrderId,
    RegionCode,
    SignedToken,
    Sku,
    SupplierId,
    checked_phone,
)
from cardstock.edge.http import LINE, SAID, Model
from cardstock.money import CURRENCY
from cardstock.orders import model

Units = Annotated[int, Meta(ge=1, le=model.MAX_UNITS, examples=[6])]
Freight = Annotated[int, Meta(examples=[0], description="Freight that the buyer pays, in fen.")]


class Line(Model):
    """Units of one article. Lines with the same SKU count as one."""

    sku: Annotated[Sku, Meta(description="Article to buy or to return.")]
    units: Annotated[Units, Meta(description="Number of units.")]


Lines = Annotated[
    list[Line], Meta(min_length=1, max_length=200, description="Articles and units, at most 50 different SKUs.")
]


class FreightPartView(Model):
    """Freight of what one supplier sends."""

    supplier_id: Annotated[
        SupplierId | None, Meta(description="Supplier that sends it; null: one fee for the whole order.")
    ]
    freight_fen: Freight

    @classmethod
    def all_of(cls, parts: Sequence[model.FreightPart]) -> list[Self]:
        """The parts of a quote or order."""
        return [cls(part.supplier_id or None, part.fen) for part in parts]


FreightParts = Annotated[
    list[FreightPartView],
    Meta(description="Freight by supplier, in all `freight_fen`; parts without any are absent."),
]


class AskQuote(Model):
    """A cart."""

    lines: Lines
    region: (
        Annotated[
            RegionCode,
            Meta(description="Region that the goods are sent to; needed where freight depends on it."),
        ]
        | None
    ) = None
    attribution: (
        Annotated[
            SignedToken,
            Meta(
                min_length=1,
                max_length=4096,
                description="Answer to reporting a card view; absent: no card is credited.",
            ),
        ]
        | None
    ) = None
    coupon: (
        Annotated[
            str,
            Meta(
                pattern=r"^benefit\.mem_[0-9a-z_]{1,26}\.[0-9]{1,6}\Z",
                description="`coupon` of the member's place in the network; absent: none is used.",
                examples=["benefit.mem_01kbdxdh50fcazdjhcnqh2rzv5.1"],
            ),
        ]
        | None
    ) = None

    def units(self) -> list[model.RequestedUnits]:
        """The lines as `RequestedUnits`."""
        return requested_units(self.lines)


class LineView(Model):
    """One line of a quote or order, amounts in fen."""

    line_no: Annotated[int, Meta(examples=[1], description="Place of the line in the order, from 1.")]
    sku: ArticleNumber
    name: Annotated[
        str,
        Meta(examples=["WHITE HANGING HEART T-LIGHT HOLDER"], description="Name of the product when it was quoted."),
    ]
    units: Annotated[int, Meta(examples=[6], description="Units that were ordered.")]
    price_fen: Annotated[Fen, Meta(description="Price of one unit in fen.", examples=[25_500])]
    net_fen: Annotated[
        Fen, Meta(description="Price of all units of the line after coupons, in fen.", examples=[153_000])
    ]
    supplier_id: Annotated[SupplierId, Meta(description="Supplier that sends it.")]
    refunded_units: Annotated[
        int, Meta(description="Units that are refunded, or whose refund was requested and is not given up.")
    ] = 0
    refunded_fen: Annotated[int, Meta(description="Fen of the line for these, and for goodwill.")] = 0
    set_aside_units: Annotated[
        int,
        Meta(description="Units that are neither sent nor refunded, because their refund was given up; ask anew."),
    ] = 0

    @classmethod
    def of(cls, line: model.OrderLine, *, as_placed: bool = False) -> Self:
        """A line for clients; `as_placed` leaves out later refunds."""
        return cls(
            line_no=line.line_no,
            sku=line.sku,
            name=line.name,
            units=line.units,
            price_fen=line.price_fen,
            net_fen=line.net_fen,
            supplier_id=line.supplier_id,
            refunded_units=0 if as_placed else line.refunded_units,
            refunded_fen=0 if as_placed else line.refunded_fen,
            set_aside_units=0 if as_placed else line.set_aside_units,
        )


class QuoteView(Model):
    """An offer."""

    quote: Annotated[SignedToken, Meta(description="Pass it unchanged to the order.")]
    expires_at: Annotated[Moment, Meta(description="When the quote expires; it reserves nothing.")]
    lines: Annotated[
        list[LineView], Meta(description="Lines of the quote; a coupon is already taken off each `net_fen`.")
    ]
    freight_fen: Freight
    freight_parts: FreightParts
    amount_fen: Annotated[Fen, Meta(description="Fen to pay: the sum of every `net_fen` and of `freight_fen`.")]
    currency: Currency
    region: Annotated[
        RegionCode | None, Meta(description="Region that the goods are sent to: the receiver must be in it. null: any.")
    ]
    attributed: Annotated[bool, Meta(description="Whether the order will be attributed to a card.")]

    @classmethod
    def of(cls, quote: model.Quote, *, at: datetime, token: str) -> Self:
        """A quote that was made at `at`, with its token."""
        return cls(
            quote=token,
            expires_at=rfc3339(at + model.QUOTE_LIFETIME),
            lines=[LineView.of(line) for line in quote.lines],
            freight_fen=quote.freight_fen,
            freight_parts=FreightPartView.all_of(model.shown_freight(quote.freight_parts, quote.freight_fen)),
            amount_fen=quote.amount_fen,
            currency=CURRENCY,
            region=quote.region or None,
            attributed=quote.attribution is not None,
        )


class ReceiverData(Model):
    """The receiver of the goods."""

    name: Annotated[
        str, Meta(min_length=1, max_length=40, pattern=LINE, examples=["王小明"], description="Who receives the goods.")
    ]
    phone: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            pattern=LINE,
            examples=["13800138000"],
            description="Telephone number for the carrier, as people write it: brackets, blanks, full-width digits and "
            "an extension are fine.",
        ),
    ]
    address: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=SAID,
            examples=["上海市静安区南京西路1266号"],
            description="Delivery address, street and town.",
        ),
    ]
    region: Annotated[RegionCode | None, Meta(description="Region of the address; needed if the quote has one.")] = None

    def __post_init__(self) -> None:
        self.phone = checked_phone(self.phone)

    @classmethod
    def of(cls, receiver: model.Receiver) -> Self:
        """The receiver of an order."""
        return cls(receiver.name, receiver.phone, receiver.address, receiver.region or None)

    def receiver(self) -> model.Receiver:
        """The inverse of `of`."""
        return model.Receiver(self.name, self.phone, self.address, self.region or "")


class PlaceOrder(Model):
    """A quote and the receiver of the goods."""

    quote: Annotated[
        SignedToken, Meta(min_length=1, max_length=32_768, description="`quote` of a quote that has not expired.")
    ]
    receiver: Annotated[ReceiverData, Meta(description="Receiver of the goods.")]


class PlacedOrder(Model):
    """An order that waits for its payment; its stock is reserved."""

    order_id: OrderId
    lines: Annotated[list[LineView], Meta(description="Lines as they were placed.")]
    freight_fen: Freight
    amount_fen: Annotated[Fen, Meta(description="Fen to pay; with 0 the order is paid already.")]
    currency: Currency
    placed_at: Annotated[Moment, Meta(description="When it was placed.")]
    expires_at: Annotated[Moment, Meta(description="End of the time to pay; its stock is reserved until then.")]

    @classmethod
    def of(cls, order: model.Order) -> Self:
        """An order as it was placed, without later changes, so that a repeat gets the same answer."""
        return cls(
            order_id=order.order_id,
            lines=[LineView.of(line, as_placed=True) for line in order.lines],
            freight_fen=order.freight_fen,
            amount_fen=order.amount_fen,
            currency=CURRENCY,
            placed_at=rfc3339(order.placed_at),
            expires_at=rfc3339(order.expires_at),
        )


class AttributionView(Model):
    """The card, share and view that led to the order."""

    card: Annotated[str, Meta(description="Card that led to the order.", examples=["x7k2m9pq4t"])]
    share: Annotated[
        str, Meta(description="Share key that opened it; empty if the card's own key did.", examples=["m3n8r5t2wd"])
    ]
    view: Annotated[str, Meta(description="View of the card that led to the order.", examples=["6bza5umcju"])]
    guide: Annotated[MemberId, Meta(description="Member whose card it was.")]

    @classmethod
    def of(cls, attribution: Attribution) -> Self:
        """The attribution of an order."""
        return cls(attribution.card, attribution.share, attribution.view, attribution.guide)


class OrderView(Model):
    """An order as its buyer sees it."""

    order_id: OrderId
    status: Annotated[
        model.OrderStatus,
        Meta(examples=["paid"], description="Status of the order; `completed` when everything has arrived."),
    ]
    lines: Annotated[list[LineView], Meta(description="Lines, with later refunds.")]
    freight_fen: Freight
    freight_parts: FreightParts
    amount_fen: Annotated[
        Fen, Meta(description="Fen to pay, or paid: the sum of every `net_fen` and of `freight_fen`.")
    ]
    refunded_fen: Annotated[
        int,
        Meta(
            description="Fen refunded or requested, including freight. Not yet paid back is what a refund of the order "
            "has with the `status` `requested`, or `refused` while the shop's staff decide. An order whose every unit "
            "is refunded unsent keeps its status `paid`.",
            examples=[0],
        ),
    ]
    currency: Currency
    receiver: Annotated[ReceiverData, Meta(description="Receiver of the goods.")]
    attribution: Annotated[
        AttributionView | None, Meta(description="Card, share and view that led to the order; null if there was none.")
    ]
    placed_at: Annotated[Moment, Meta(description="When it was placed.")]
    expires_at: Annotated[Moment, Meta(description="End of the time to pay.")]
    paid_at: Annotated[Moment | None, Meta(description="When it was paid; null before.")]
    instalments: Annotated[
        int,
        Meta(description="In how many parts the buyer pays the channel, as it states; 1: at once.", examples=[1]),
    ]
    agreement: Annotated[
        str | None,
        Meta(
            description="Payment agreement under which it is or was charged; null where none is, or where the charge "
            "was refused.",
            examples=["agr_01kbdxdh50fcazdjhcnqh2rzv5"],
        ),
    ]
    shipped_at: Annotated[Moment | None, Meta(description="When everything was shipped; null before.")]
    received_at: Annotated[Moment | None, Meta(description="When the buyer confirmed the receipt; null before.")]
    closed_at: Annotated[Moment | None, Meta(description="When it was cancelled, or expired unpaid; null otherwise.")]

    @classmethod
    def of(cls, order: model.Order) -> Self:
        """An order as its buyer sees it."""
        return cls(
            order_id=order.order_id,
            status=order.status,
            lines=[LineView.of(line) for line in order.lines],
            freight_fen=order.freight_fen,
            freight_parts=FreightPartView.all_of(order.shown_freight),
            amount_fen=order.amount_fen,
            refunded_fen=order.refunded_fen,
            currency=CURRENCY,
            receiver=ReceiverData.of(order.receiver),
            attribution=None if order.attribution is None else AttributionView.of(order.attribution),
            placed_at=rfc3339(order.placed_at),
            expires_at=rfc3339(order.expires_at),
            paid_at=moment_or_none(order.paid_at),
            instalments=order.instalments,
            agreement=order.agreement or None,
            shipped_at=moment_or_none(order.shipped_at),
            received_at=moment_or_none(order.received_at),
            closed_at=moment_or_none(order.closed_at),
        )


class OrderPage(Model):
    """Some orders, newest first."""

    items: Annotated[list[OrderView], Meta(description="Orders, newest first.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, orders: Sequence[model.Order], next_cursor: str | None) -> Self:
        """A page of orders."""
        return cls([OrderView.of(order) for order in orders], next_cursor)


def requested_units(lines: list[Line]) -> list[model.RequestedUnits]:
    """Lines as `RequestedUnits`."""
    return [model.RequestedUnits(line.sku, line.units) for line in lines]


def moment_or_none(moment: datetime | None) -> str | None:
    """A moment as RFC 3339; None for none."""
    return None if moment is None else rfc3339(moment)
