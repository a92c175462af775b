"""Orders, payments and refunds as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from msgspec import Meta
from msgspec.structs import asdict

from cardstock.attribution import Attribution
from cardstock.clock import rfc3339
from cardstock.edge.fields import (
    ArticleName,
    ArticleNumber,
    Currency,
    Fen,
    MemberId,
    Moment,
    NextCursor,
    OrderId,
    PersonId,
    RefundId,
    SignedToken,
    Sku,
    SupplierId,
    checked_phone,
)
from cardstock.edge.http import LINE, SAID, Model
from cardstock.money import CURRENCY, MAX_FEN
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


class AskQuote(Model):
    """A cart."""

    lines: Lines
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
        return _units(self.lines)


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
    refunded_units: Annotated[int, Meta(description="Units refunded since.")] = 0
    refunded_fen: Annotated[int, Meta(description="Fen of the line refunded since.")] = 0
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
    amount_fen: Annotated[Fen, Meta(description="Fen to pay: the sum of every `net_fen` and of `freight_fen`.")]
    currency: Currency
    attributed: Annotated[bool, Meta(description="Whether the order will be attributed to a card.")]

    @classmethod
    def of(cls, quote: model.Quote, *, at: datetime, token: str) -> Self:
        """A quote that was made at `at`, with its token."""
        return cls(
            quote=token,
            expires_at=rfc3339(at + model.QUOTE_LIFETIME),
            lines=[LineView.of(line) for line in quote.lines],
            freight_fen=quote.freight_fen,
            amount_fen=quote.amount_fen,
            currency=CURRENCY,
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

    def __post_init__(self) -> None:
        self.phone = checked_phone(self.phone)

    @classmethod
    def of(cls, receiver: model.Receiver) -> Self:
        """The receiver of an order."""
        return cls(receiver.name, receiver.phone, receiver.address)

    def receiver(self) -> model.Receiver:
        """The inverse of `of`."""
        return model.Receiver(self.name, self.phone, self.address)


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
    amount_fen: Annotated[
        Fen, Meta(description="Fen to pay, or paid: the sum of every `net_fen` and of `freight_fen`.")
    ]
    refunded_fen: Annotated[int, Meta(description="Fen refunded since, including freight.", examples=[0])]
    currency: Currency
    receiver: Annotated[ReceiverData, Meta(description="Receiver of the goods.")]
    attribution: Annotated[
        AttributionView | None, Meta(description="Card, share and view that led to the order; null if there was none.")
    ]
    placed_at: Annotated[Moment, Meta(description="When it was placed.")]
    expires_at: Annotated[Moment, Meta(description="End of the time to pay.")]
    paid_at: Annotated[Moment | None, Meta(description="When it was paid; null before.")]
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
            amount_fen=order.amount_fen,
            refunded_fen=order.refunded_fen,
            currency=CURRENCY,
            receiver=ReceiverData.of(order.receiver),
            attribution=None if order.attribution is None else AttributionView.of(order.attribution),
            placed_at=rfc3339(order.placed_at),
            expires_at=rfc3339(order.expires_at),
            paid_at=_moment(order.paid_at),
            shipped_at=_moment(order.shipped_at),
            received_at=_moment(order.received_at),
            closed_at=_moment(order.closed_at),
        )


class OrderPage(Model):
    """Some orders, newest first."""

    items: Annotated[list[OrderView], Meta(description="Orders, newest first.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, orders: Sequence[model.Order], next_cursor: str | None) -> Self:
        """A page of orders."""
        return cls([OrderView.of(order) for order in orders], next_cursor)


class StartPayment(Model):
    """The buyer's payment channel."""

    channel: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=16,
            examples=["sandbox"],
            description="The buyer's payment channel; `sandbox` on a development machine.",
        ),
    ]


class PaymentView(Model):
    """The parameters of the channel's pay call."""

    channel: Annotated[str, Meta(description="The buyer's payment channel.", examples=["sandbox"])]
    order_no: Annotated[OrderId, Meta(description="The channel's number for the order.")]
    amount_fen: Annotated[Fen, Meta(description="Fen to pay.")]
    currency: Currency
    pay_url: Annotated[
        str,
        Meta(
            examples=["https://pay.example.com/pay/ord_01kbdxdh50fcazdjhcnqh2rzv5"],
            description="Page of the channel where the buyer pays.",
        ),
    ]

    @classmethod
    def of(cls, parameters: model.PaymentParameters) -> Self:
        """A channel's parameters for an order."""
        return cls(
            parameters.channel, parameters.order_no, parameters.amount_fen, parameters.currency, parameters.pay_url
        )


class NoticeTaken(Model):
    """The answer that the channel expects for a recorded notice."""

    code: Annotated[
        str, Meta(description="Always `SUCCESS`: the channel stops sending the notice.", examples=["SUCCESS"])
    ]


class AskRefund(Model):
    """The units to be refunded, and why."""

    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=SAID,
            examples=["arrived broken"],
            description="Reason; staff can read it.",
        ),
    ]
    lines: Lines

    def units(self) -> list[model.RequestedUnits]:
        """The lines as `RequestedUnits`."""
        return _units(self.lines)


class AcceptReturn(Model):
    """The units that staff take back, and why."""

    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=SAID,
            examples=["arrived broken, came back"],
            description="Reason; the buyer can read it.",
        ),
    ]
    lines: Lines

    def units(self) -> list[model.RequestedUnits]:
        """The lines as `RequestedUnits`."""
        return _units(self.lines)


class GrantRefund(Model):
    """The amount of a goodwill refund, and its reason, which the buyer can read."""

    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=SAID,
            examples=["came two weeks late"],
            description="Reason; the buyer can read it.",
        ),
    ]
    amount_fen: Annotated[
        int,
        Meta(ge=1, le=MAX_FEN, examples=[19900], description="Fen to refund, at most what is left of the order."),
    ]


class RefundLineView(Model):
    """Units of one line and this refund's part of what was paid for it. A goodwill refund has no units."""

    line_no: Annotated[int, Meta(description="Place of the line in the order, from 1.", examples=[1])]
    sku: ArticleNumber
    units: Annotated[int, Meta(description="Returned units; 0 in a goodwill refund.", examples=[1])]
    amount_fen: Annotated[Fen, Meta(description="Refunded fen of the line.", examples=[25_500])]

    @classmethod
    def of(cls, line: model.RefundLine) -> Self:
        """One line of a refund."""
        return cls(line.line_no, line.sku, line.units, line.amount_fen)


class RequestedRefund(Model):
    """A refund that was accepted; the money follows."""

    refund_id: RefundId
    order_id: OrderId
    amount_fen: Annotated[Fen, Meta(description="Refunded fen, including freight.", examples=[25_500])]
    freight_fen: Annotated[
        int,
        Meta(examples=[0], description="Freight in it: the whole freight with the last unit, if nothing was sent."),
    ]
    currency: Currency
    lines: Annotated[list[RefundLineView], Meta(description="Each line's part of it.")]
    reason: Annotated[str, Meta(description="Why it was asked for.", examples=["arrived broken"])]
    requested_at: Annotated[Moment, Meta(description="When it was asked for.")]

    @classmethod
    def of(cls, refund: model.Refund) -> RequestedRefund:
        """A refund as it was requested, without later changes, so that a repeat gets the same answer."""
        return RequestedRefund(
            refund_id=refund.refund_id,
            order_id=refund.order_id,
            amount_fen=refund.amount_fen,
            freight_fen=refund.freight_fen,
            currency=CURRENCY,
            lines=[RefundLineView.of(line) for line in refund.lines],
            reason=refund.reason,
            requested_at=rfc3339(refund.requested_at),
        )


class RefundView(RequestedRefund, kw_only=True):
    """A refund and its status."""

    kind: Annotated[
        Literal["return", "stray"],
        Meta(description="`return` of a paid order, or `stray`: a payment for an order that was not waiting for one."),
    ]
    goodwill: Annotated[bool, Meta(description="Whether it is a goodwill refund, without units.")]
    granted_by: Annotated[
        PersonId | None,
        Meta(
            description="Person who decided it (goodwill, or a return of sent units), for staff only; otherwise null."
        ),
    ]
    status: Annotated[
        model.RefundStatus,
        Meta(
            description="Whether the money was refunded. `refused`: the channel will never do it, and the shop's staff "
            "decide. `given_up`: they have; its units and fen can be refunded anew."
        ),
    ]
    succeeded_at: Annotated[Moment | None, Meta(description="When the money was refunded; null before.")]
    paid_another_way: Annotated[
        bool, Meta(description="Whether the buyer got the money outside of the payment channel.")
    ]
    refused_at: Annotated[Moment | None, Meta(description="When the channel refused it for good; null otherwise.")]
    given_up_at: Annotated[Moment | None, Meta(description="When it was given up; null otherwise.")]

    @classmethod
    def of(cls, refund: model.Refund, *, for_staff: bool = False) -> RefundView:
        """A refund for the buyer; staff also see who granted it."""
        return RefundView(
            **asdict(RequestedRefund.of(refund)),
            kind="return" if refund.part_of_order else "stray",
            goodwill=refund.kind == "goodwill",
            granted_by=(refund.granted_by or None) if for_staff else None,
            status=refund.status,
            succeeded_at=_moment(refund.succeeded_at),
            paid_another_way=refund.paid_another_way,
            refused_at=_moment(refund.refused_at),
            given_up_at=_moment(refund.given_up_at),
        )


class RefundList(Model):
    """All refunds of an order, oldest first."""

    items: Annotated[list[RefundView], Meta(description="Refunds, oldest first.")]

    @classmethod
    def of(cls, refunds: Sequence[model.Refund], *, for_staff: bool) -> Self:
        """The refunds of an order."""
        return cls([RefundView.of(refund, for_staff=for_staff) for refund in refunds])


class ParcelView(Model):
    """One parcel."""

    carrier: Annotated[str, Meta(examples=["SF Express"], description="Company that carries it.")]
    tracking_no: Annotated[str, Meta(examples=["SF1234567890"], description="The carrier's number of the parcel.")]
    reported_at: Annotated[Moment, Meta(description="When the supplier reported it.")]

    @classmethod
    def of(cls, parcel: model.Parcel) -> Self:
        """One parcel of a supplier order."""
        return cls(parcel.carrier, parcel.tracking_no, rfc3339(parcel.at))


class ShipmentLine(Model):
    """One supplier's units of one product."""

    sku: ArticleNumber
    name: Annotated[ArticleName, Meta(description="Name of the product when it was quoted.")]
    units: Annotated[int, Meta(description="Units that were ordered from this supplier.", examples=[6])]
    cancelled: Annotated[int, Meta(description="Units refunded before they were shipped.", examples=[0])]

    @classmethod
    def of(cls, line: model.SupplierLine) -> Self:
        """One line of a supplier order."""
        return cls(line.sku, line.name, line.units, line.cancelled)


class ShipmentView(Model):
    """One supplier's part of the order."""

    supplier_id: Annotated[SupplierId, Meta(description="Supplier that sends this part.")]
    status: Annotated[Literal["open", "shipped", "delivered", "cancelled"], Meta(description="Status of this part.")]
    lines: Annotated[list[ShipmentLine], Meta(description="Lines that the supplier sends.")]
    parcels: Annotated[list[ParcelView], Meta(description="Parcels shipped so far.")]
    shipped_at: Annotated[Moment | None, Meta(description="When the supplier had shipped; null before.")]
    delivered_at: Annotated[Moment | None, Meta(description="When its parcels had arrived; null before.")]

    @classmethod
    def of(cls, supplier_order: model.SupplierOrder) -> Self:
        """A supplier order as the buyer sees it."""
        return cls(
            supplier_id=supplier_order.supplier_id,
            status=supplier_order.status,
            lines=[ShipmentLine.of(line) for line in supplier_order.lines],
            parcels=[ParcelView.of(parcel) for parcel in supplier_order.parcels],
            shipped_at=_moment(supplier_order.shipped_at),
            delivered_at=_moment(supplier_order.delivered_at),
        )


class ShipmentList(Model):
    """Every supplier's part."""

    items: Annotated[list[ShipmentView], Meta(description="Each supplier's part of the order.")]

    @classmethod
    def of(cls, supplier_orders: Sequence[model.SupplierOrder]) -> Self:
        """The supplier orders of an order."""
        return cls([ShipmentView.of(supplier_order) for supplier_order in supplier_orders])


def _units(lines: list[Line]) -> list[model.RequestedUnits]:
    return [model.RequestedUnits(line.sku, line.units) for line in lines]


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
