"""What is said about orders as JSON."""

from __future__ import annotations  # evaluated only for what is decoded: the import stays cheap

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta

from cardstock.catalog.schemas import Sku
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
    SupplierId,
)
from cardstock.edge.http import LINE, SAID, Model
from cardstock.errors import NOT_FOUND, REFUND_EXCEEDS_PAID, STOCK_SHORT
from cardstock.money import CURRENCY, MAX_FEN
from cardstock.orders import errors, model
from cardstock.orders.service import Wanted

QUOTE_CODES: Final = (
    errors.NOT_FOR_SALE,
    STOCK_SHORT,
    errors.ATTRIBUTION_INVALID,
    errors.AMOUNT_TOO_LARGE,
    errors.COUPON_UNKNOWN,
)
PLACE_CODES: Final = (errors.QUOTE_INVALID, errors.QUOTE_EXPIRED, errors.PRICE_CHANGED, STOCK_SHORT, errors.COUPON_USED)
CANCEL_CODES: Final = (NOT_FOUND, errors.ORDER_PAID, errors.ORDER_EXPIRED)
PAY_CODES: Final = (NOT_FOUND, errors.CHANNEL_UNKNOWN, errors.ORDER_PAID, errors.ORDER_CANCELLED, errors.ORDER_EXPIRED)
REFUND_CODES: Final = (NOT_FOUND, errors.ORDER_NOT_PAID, errors.REFUND_TOO_MUCH, errors.REFUND_TOO_LATE)
GRANT_CODES: Final = (NOT_FOUND, errors.ORDER_NOT_PAID, REFUND_EXCEEDS_PAID, errors.REFUND_TOO_LATE)

Units = Annotated[int, Meta(ge=1, le=model.MAX_UNITS, examples=[6])]
Freight = Annotated[int, Meta(examples=[0], description="Fen that sending the order costs the buyer.")]


class Line(Model):
    """Units of one article. Lines with the same SKU count as one."""

    sku: Annotated[Sku, Meta(description="Article to buy or to give back.")]
    units: Annotated[Units, Meta(description="How many of it.")]


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
                description="What reporting a card view answered; absent: no card is credited.",
            ),
        ]
        | None
    ) = None
    coupon: (
        Annotated[
            str,
            Meta(
                pattern=r"^benefit\.mem_[0-9a-z_]{1,26}\.[0-9]{1,6}$",
                description="`coupon` of the own place in the network; absent: none is used.",
                examples=["benefit.mem_01kbdxdh50fcazdjhcnqh2rzv5.1"],
            ),
        ]
        | None
    ) = None


class LineView(Model):
    """One line of a quote or order, amounts in fen."""

    line_no: Annotated[int, Meta(examples=[1], description="Place of the line in the order, from 1.")]
    sku: ArticleNumber
    name: Annotated[
        str,
        Meta(examples=["WHITE HANGING HEART T-LIGHT HOLDER"], description="Name of the product when it was quoted."),
    ]
    units: Annotated[int, Meta(examples=[6], description="Units that were ordered.")]
    price_fen: Annotated[Fen, Meta(description="Fen for one unit.", examples=[25_500])]
    net_fen: Annotated[Fen, Meta(description="Fen for all units of the line, coupons off.", examples=[153_000])]
    supplier_id: Annotated[SupplierId, Meta(description="Supplier that sends it.")]
    refunded_units: Annotated[int, Meta(description="Units that were given back since.")] = 0
    refunded_fen: Annotated[int, Meta(description="Fen of the line that were refunded since.")] = 0


class QuoteView(Model):
    """An offer."""

    quote: Annotated[SignedToken, Meta(description="Goes back unchanged into the order.")]
    expires_at: Annotated[Moment, Meta(description="When the quote ends; nothing is reserved until then.")]
    lines: Annotated[list[LineView], Meta(description="What would be bought; a coupon is off each `net_fen`.")]
    freight_fen: Freight
    amount_fen: Annotated[Fen, Meta(description="Fen to pay: the sum of every `net_fen` and of `freight_fen`.")]
    currency: Currency
    attributed: Annotated[bool, Meta(description="Whether the order will be attributed to a card.")]


class ReceiverData(Model):
    """Where the goods go."""

    name: Annotated[
        str, Meta(min_length=1, max_length=40, pattern=LINE, examples=["王小明"], description="Who takes the goods.")
    ]
    phone: Annotated[
        str,
        Meta(
            pattern=r"^\+?[0-9][0-9 -]{4,18}[0-9]$",
            examples=["13800138000"],
            description="Telephone number for the carrier.",
        ),
    ]
    address: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=SAID,
            examples=["上海市静安区南京西路1266号"],
            description="Where the goods go, street and town.",
        ),
    ]


class PlaceOrder(Model):
    """A quote and where it goes."""

    quote: Annotated[
        SignedToken, Meta(min_length=1, max_length=32_768, description="`quote` of a quote that has not expired.")
    ]
    receiver: Annotated[ReceiverData, Meta(description="Where the goods go.")]


class PlacedOrder(Model):
    """An order that waits for its payment; its stock is reserved."""

    order_id: OrderId
    lines: Annotated[list[LineView], Meta(description="What was bought, as it was placed.")]
    freight_fen: Freight
    amount_fen: Annotated[Fen, Meta(description="Fen to pay; with 0 the order is paid already.")]
    currency: Currency
    placed_at: Annotated[Moment, Meta(description="When it was placed.")]
    expires_at: Annotated[Moment, Meta(description="Until when it can be paid; its stock is reserved until then.")]


class AttributionView(Model):
    """The card, share and view that led to the order."""

    card: Annotated[str, Meta(description="Card that led to the order.", examples=["x7k2m9pq4t"])]
    share: Annotated[
        str, Meta(description="Share key by which it was opened; empty if by the card's own.", examples=["m3n8r5t2wd"])
    ]
    view: Annotated[str, Meta(description="View of the card that led to the order.", examples=["6bza5umcju"])]
    guide: Annotated[MemberId, Meta(description="Member whose card it was.")]


class OrderView(Model):
    """An order as its buyer sees it."""

    order_id: OrderId
    status: Annotated[
        model.OrderStatus,
        Meta(examples=["paid"], description="How far the order is; `completed` when everything has arrived."),
    ]
    lines: Annotated[list[LineView], Meta(description="What was bought, with what was given back since.")]
    freight_fen: Freight
    amount_fen: Annotated[
        Fen, Meta(description="Fen to pay, or paid: the sum of every `net_fen` and of `freight_fen`.")
    ]
    refunded_fen: Annotated[int, Meta(description="Fen that were refunded since, freight included.", examples=[0])]
    currency: Currency
    receiver: Annotated[ReceiverData, Meta(description="Where the goods go.")]
    attribution: Annotated[
        AttributionView | None, Meta(description="Card, share and view that led to the order; null if there was none.")
    ]
    placed_at: Annotated[Moment, Meta(description="When it was placed.")]
    expires_at: Annotated[Moment, Meta(description="Until when it could be paid.")]
    paid_at: Annotated[Moment | None, Meta(description="When it was paid; null before.")]
    shipped_at: Annotated[Moment | None, Meta(description="When everything had left; null before.")]
    received_at: Annotated[
        Moment | None, Meta(description="When everything had arrived, or the buyer said so; null before.")
    ]
    closed_at: Annotated[Moment | None, Meta(description="When it was cancelled, or expired unpaid; null otherwise.")]


class OrderPage(Model):
    """Some orders, newest first."""

    items: Annotated[list[OrderView], Meta(description="Orders, newest first.")]
    next_cursor: NextCursor


class StartPayment(Model):
    """How the buyer wants to pay."""

    channel: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=16,
            examples=["sandbox"],
            description="How the buyer pays; `sandbox` on a development machine.",
        ),
    ]


class PaymentView(Model):
    """What the channel's pay call wants."""

    channel: Annotated[str, Meta(description="How the buyer pays.", examples=["sandbox"])]
    order_no: Annotated[OrderId, Meta(description="Order as the channel knows it.")]
    amount_fen: Annotated[Fen, Meta(description="Fen to pay.")]
    currency: Currency
    pay_url: Annotated[
        str,
        Meta(
            examples=["https://pay.example.com/pay/ord_01kbdxdh50fcazdjhcnqh2rzv5"],
            description="Page of the channel where the buyer pays.",
        ),
    ]


class AskRefund(Model):
    """What is given back, and why."""

    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=SAID,
            examples=["arrived broken"],
            description="Why; staff can read it.",
        ),
    ]
    lines: Lines


class GrantRefund(Model):
    """What is given back without units, and why; the buyer can read it."""

    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=SAID,
            examples=["came two weeks late"],
            description="Why; the buyer can read it.",
        ),
    ]
    amount_fen: Annotated[
        int,
        Meta(ge=1, le=MAX_FEN, examples=[19900], description="Fen to give back, at most what is left of the order."),
    ]


class RefundLineView(Model):
    """Units of one line and this refund's part of what was paid for it. Without units: the shop's goodwill."""

    line_no: Annotated[int, Meta(description="Place of the line in the order, from 1.", examples=[1])]
    sku: ArticleNumber
    units: Annotated[int, Meta(description="Units that come back; 0 in a goodwill refund.", examples=[1])]
    amount_fen: Annotated[Fen, Meta(description="Fen of the line that go back.", examples=[25_500])]


class RequestedRefund(Model):
    """A refund that was accepted; the money follows."""

    refund_id: RefundId
    order_id: OrderId
    amount_fen: Annotated[Fen, Meta(description="Fen that go back, freight included.", examples=[25_500])]
    freight_fen: Annotated[
        int,
        Meta(examples=[0], description="What of it is freight: all of it with the last unit, if nothing was sent."),
    ]
    currency: Currency
    lines: Annotated[list[RefundLineView], Meta(description="What each line has part in it.")]
    reason: Annotated[str, Meta(description="Why it was asked for.", examples=["arrived broken"])]
    requested_at: Annotated[Moment, Meta(description="When it was asked for.")]


class RefundView(RequestedRefund, kw_only=True):
    """A refund and how far it is."""

    kind: Annotated[
        Literal["return", "stray"],
        Meta(description="`return` of a paid order, or `stray`: a payment that no order was waiting for."),
    ]
    goodwill: Annotated[bool, Meta(description="Whether it is the shop's goodwill: no units come back.")]
    granted_by: Annotated[
        PersonId | None, Meta(description="Person who gave a goodwill, told to staff only; otherwise null.")
    ]
    status: Annotated[Literal["requested", "succeeded"], Meta(description="Whether the money has gone back.")]
    succeeded_at: Annotated[
        Moment | None, Meta(description="When the channel said that the money has gone back; null before.")
    ]


class RefundList(Model):
    """All refunds of an order, oldest first."""

    items: Annotated[list[RefundView], Meta(description="Refunds, oldest first.")]


class ParcelView(Model):
    """One parcel."""

    carrier: Annotated[str, Meta(examples=["SF Express"], description="Who carries it.")]
    tracking_no: Annotated[str, Meta(examples=["SF1234567890"], description="The carrier's number of the parcel.")]
    reported_at: Annotated[Moment, Meta(description="When the supplier reported it.")]


class ShipmentLine(Model):
    """What one supplier sends of one product."""

    sku: ArticleNumber
    name: Annotated[ArticleName, Meta(description="Name of the product when it was quoted.")]
    units: Annotated[int, Meta(description="Units that were ordered from this supplier.", examples=[6])]
    cancelled: Annotated[int, Meta(description="Units of these that were refunded before they left.", examples=[0])]


class ShipmentView(Model):
    """One supplier's part of the order."""

    supplier_id: Annotated[SupplierId, Meta(description="Supplier that sends this part.")]
    status: Annotated[Literal["open", "shipped", "delivered", "cancelled"], Meta(description="How far this part is.")]
    lines: Annotated[list[ShipmentLine], Meta(description="What the supplier sends.")]
    parcels: Annotated[list[ParcelView], Meta(description="What has left so far; empty before.")]
    shipped_at: Annotated[Moment | None, Meta(description="When the supplier had sent everything; null before.")]
    delivered_at: Annotated[Moment | None, Meta(description="When its parcels had arrived; null before.")]


class ShipmentList(Model):
    """Every supplier's part."""

    items: Annotated[list[ShipmentView], Meta(description="Each supplier's part of the order.")]


def wanted(lines: list[Line]) -> list[Wanted]:
    """The lines that were sent, for the service."""
    return [Wanted(line.sku, line.units) for line in lines]


def receiver_of(sent: ReceiverData) -> model.Receiver:
    """The receiver that was sent, for the service."""
    return model.Receiver(sent.name, sent.phone, sent.address)


def lines_told(lines: tuple[model.OrderLine, ...], *, as_placed: bool = False) -> list[LineView]:
    """The lines as clients see them; `as_placed` leaves out what was refunded since."""
    return [
        LineView(
            line_no=line.line_no,
            sku=line.sku,
            name=line.name,
            units=line.units,
            price_fen=line.price_fen,
            net_fen=line.net_fen,
            supplier_id=line.supplier_id,
            refunded_units=0 if as_placed else line.refunded_units,
            refunded_fen=0 if as_placed else line.refunded_fen,
        )
        for line in lines
    ]


def quote_told(quote: model.Quote, token: str, at: datetime) -> QuoteView:
    """A quote of the moment `at`, with its token."""
    return QuoteView(
        quote=token,
        expires_at=rfc3339(at + model.QUOTE_LIFETIME),
        lines=lines_told(quote.lines),
        freight_fen=quote.freight_fen,
        amount_fen=quote.amount_fen,
        currency=CURRENCY,
        attributed=quote.attribution is not None,
    )


def placed_told(order: model.Order) -> PlacedOrder:
    """What placing answers: nothing that changes later, so that a repeat answers the same."""
    return PlacedOrder(
        order_id=order.order_id,
        lines=lines_told(order.lines, as_placed=True),
        freight_fen=order.freight_fen,
        amount_fen=order.amount_fen,
        currency=CURRENCY,
        placed_at=rfc3339(order.placed_at),
        expires_at=rfc3339(order.expires_at),
    )


def order_told(order: model.Order) -> OrderView:
    """An order as its buyer sees it."""
    found = order.attribution
    return OrderView(
        order_id=order.order_id,
        status=order.status,
        lines=lines_told(order.lines),
        freight_fen=order.freight_fen,
        amount_fen=order.amount_fen,
        refunded_fen=order.refunded_fen,
        currency=CURRENCY,
        receiver=ReceiverData(order.receiver.name, order.receiver.phone, order.receiver.address),
        attribution=None if found is None else AttributionView(found.card, found.share, found.view, found.guide),
        placed_at=rfc3339(order.placed_at),
        expires_at=rfc3339(order.expires_at),
        paid_at=_moment(order.paid_at),
        shipped_at=_moment(order.shipped_at),
        received_at=_moment(order.received_at),
        closed_at=_moment(order.closed_at),
    )


def page_told(found: Sequence[model.Order], next_cursor: str | None) -> OrderPage:
    """A page of orders."""
    return OrderPage([order_told(order) for order in found], next_cursor)


def payment_told(found: model.PaymentParameters) -> PaymentView:
    """What the client needs in order to pay."""
    return PaymentView(found.channel, found.order_no, found.amount_fen, found.currency, found.pay_url)


def requested_told(refund: model.Refund) -> RequestedRefund:
    """What asking for a refund answers: nothing that changes later."""
    return RequestedRefund(
        refund_id=refund.refund_id,
        order_id=refund.order_id,
        amount_fen=refund.amount_fen,
        freight_fen=refund.freight_fen,
        currency=CURRENCY,
        lines=[RefundLineView(line.line_no, line.sku, line.units, line.amount_fen) for line in refund.lines],
        reason=refund.reason,
        requested_at=rfc3339(refund.requested_at),
    )


def refund_told(refund: model.Refund, *, to_staff: bool) -> RefundView:
    """A refund as its receiver sees it, or the staff."""
    asked = requested_told(refund)
    return RefundView(
        asked.refund_id,
        asked.order_id,
        asked.amount_fen,
        asked.freight_fen,
        asked.currency,
        asked.lines,
        asked.reason,
        asked.requested_at,
        kind="return" if refund.part_of_order else "stray",
        goodwill=refund.kind == "goodwill",
        granted_by=refund.granted_by if to_staff and refund.kind == "goodwill" else None,
        status=refund.status,
        succeeded_at=_moment(refund.succeeded_at),
    )


def refunds_told(refunds: tuple[model.Refund, ...], *, to_staff: bool) -> RefundList:
    """An order's refunds."""
    return RefundList([refund_told(refund, to_staff=to_staff) for refund in refunds])


def shipments_told(parts: tuple[model.SupplierOrder, ...]) -> ShipmentList:
    """Every supplier's part."""
    return ShipmentList([shipment_told(part) for part in parts])


def shipment_told(part: model.SupplierOrder) -> ShipmentView:
    """One supplier's part as the buyer sees it."""
    return ShipmentView(
        supplier_id=part.supplier_id,
        status=part.status,
        lines=[ShipmentLine(line.sku, line.name, line.units, line.cancelled) for line in part.lines],
        parcels=[ParcelView(parcel.carrier, parcel.tracking_no, rfc3339(parcel.at)) for parcel in part.parcels],
        shipped_at=_moment(part.shipped_at),
        delivered_at=_moment(part.delivered_at),
    )


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
