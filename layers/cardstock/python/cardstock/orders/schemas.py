"""What is said about orders as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta

from cardstock.catalog.schemas import Sku
from cardstock.clock import rfc3339
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
Token = Annotated[str, Meta(min_length=1, max_length=32_768)]
Moment = Annotated[str, Meta(examples=["2026-12-01T08:26:00.000Z"])]
OrderId = Annotated[str, Meta(examples=["ord_01kbdxdh50fcazdjhcnqh2rzv5"])]
Fen = Annotated[int, Meta(examples=[153000])]
Freight = Annotated[int, Meta(examples=[0], description="What sending the order costs the buyer.")]


class Line(Model):
    """Units of one article. Lines with the same SKU count as one."""

    sku: Sku
    units: Units


Lines = Annotated[list[Line], Meta(min_length=1, max_length=200, description="At most 50 different SKUs.")]


class AskQuote(Model):
    """A cart. `attribution` is what a card view answered, `coupon` what the own place in the network says."""

    lines: Lines
    attribution: Annotated[str, Meta(min_length=1, max_length=4096)] | None = None
    coupon: Annotated[str, Meta(pattern=r"^benefit\.mem_[0-9a-z_]{1,26}\.[0-9]{1,6}$")] | None = None


class LineView(Model):
    """One line of a quote or order, amounts in fen."""

    line_no: Annotated[int, Meta(examples=[1])]
    sku: Annotated[str, Meta(examples=["85123A"])]
    name: Annotated[str, Meta(examples=["WHITE HANGING HEART T-LIGHT HOLDER"])]
    units: Annotated[int, Meta(examples=[6])]
    price_fen: Fen
    net_fen: Fen
    supplier_id: Annotated[str, Meta(examples=["sup_lights"])]
    refunded_units: int = 0
    refunded_fen: int = 0


class QuoteView(Model):
    """An offer. `quote` goes back unchanged into the order. What a coupon takes off is off each line's `net_fen`;
    `amount_fen` is the sum of these and of `freight_fen`."""

    quote: str
    expires_at: Moment
    lines: list[LineView]
    freight_fen: Freight
    amount_fen: Fen
    currency: str
    attributed: Annotated[bool, Meta(description="Whether the order will be attributed to a card.")]


class ReceiverData(Model):
    """Where the goods go."""

    name: Annotated[str, Meta(min_length=1, max_length=40, pattern=LINE, examples=["王小明"])]
    phone: Annotated[str, Meta(pattern=r"^\+?[0-9][0-9 -]{4,18}[0-9]$", examples=["13800138000"])]
    address: Annotated[str, Meta(min_length=1, max_length=200, pattern=SAID, examples=["上海市静安区南京西路1266号"])]


class PlaceOrder(Model):
    """A quote and where it goes."""

    quote: Token
    receiver: ReceiverData


class PlacedOrder(Model):
    """An order that waits for its payment until `expires_at`; its stock is reserved. With `amount_fen` 0 it is paid."""

    order_id: OrderId
    lines: list[LineView]
    freight_fen: Freight
    amount_fen: Fen
    currency: str
    placed_at: Moment
    expires_at: Moment


class AttributionView(Model):
    """The card, share and view that led to the order."""

    card: str
    share: str
    view: str
    guide: str


class OrderView(Model):
    """An order as its buyer sees it."""

    order_id: OrderId
    status: Annotated[model.OrderStatus, Meta(examples=["paid"])]
    lines: list[LineView]
    freight_fen: Freight
    amount_fen: Fen
    refunded_fen: int
    currency: str
    receiver: ReceiverData
    attribution: AttributionView | None
    placed_at: Moment
    expires_at: Moment
    paid_at: str | None
    shipped_at: str | None
    received_at: str | None
    closed_at: str | None


class OrderPage(Model):
    """Some orders, newest first; `next_cursor` is null on the last page."""

    items: list[OrderView]
    next_cursor: str | None


class StartPayment(Model):
    """How the buyer wants to pay."""

    channel: Annotated[str, Meta(min_length=1, max_length=16, examples=["sandbox"])]


class PaymentView(Model):
    """What the channel's pay call wants."""

    channel: str
    order_no: OrderId
    amount_fen: Fen
    currency: str
    pay_url: Annotated[str, Meta(examples=["https://pay.example.com/pay/ord_01kbdxdh50fcazdjhcnqh2rzv5"])]


class AskRefund(Model):
    """What is given back, and why."""

    reason: Annotated[str, Meta(min_length=1, max_length=200, pattern=SAID, examples=["arrived broken"])]
    lines: Lines


class GrantRefund(Model):
    """What is given back without units, and why; the buyer can read it."""

    reason: Annotated[str, Meta(min_length=1, max_length=200, pattern=SAID, examples=["came two weeks late"])]
    amount_fen: Annotated[int, Meta(ge=1, le=MAX_FEN, examples=[19900])]


class RefundLineView(Model):
    """Units of one line and this refund's part of what was paid for it. Without units: the shop's goodwill."""

    line_no: int
    sku: str
    units: int
    amount_fen: Fen


class RequestedRefund(Model):
    """A refund that was accepted; the money follows."""

    refund_id: Annotated[str, Meta(examples=["rfd_01kbdxdh50fcazdjhcnqh2rzv5"])]
    order_id: OrderId
    amount_fen: Fen
    freight_fen: Annotated[
        int,
        Meta(examples=[0], description="What of it is freight: all of it with the last unit, if nothing was sent."),
    ]
    currency: str
    lines: list[RefundLineView]
    reason: str
    requested_at: Moment


class RefundView(RequestedRefund, kw_only=True):
    """A refund and how far it is. `stray`: a payment that no order was waiting for. `goodwill`: no units come back."""

    kind: Literal["return", "stray"]
    goodwill: bool
    granted_by: Annotated[
        str | None,
        Meta(
            description="The key that gave a goodwill; told to staff only.", examples=["key_01kbdxdh50fcazdjhcnqh2rzv5"]
        ),
    ]
    status: Literal["requested", "succeeded"]
    succeeded_at: str | None


class RefundList(Model):
    """All refunds of an order, oldest first."""

    items: list[RefundView]


class ParcelView(Model):
    """One parcel."""

    carrier: Annotated[str, Meta(examples=["SF Express"])]
    tracking_no: Annotated[str, Meta(examples=["SF1234567890"])]
    reported_at: Moment


class ShipmentLine(Model):
    """What one supplier sends; `cancelled` units were refunded before they left."""

    sku: str
    name: str
    units: int
    cancelled: int


class ShipmentView(Model):
    """One supplier's part of the order."""

    supplier_id: str
    status: Literal["open", "shipped", "delivered", "cancelled"]
    lines: list[ShipmentLine]
    parcels: list[ParcelView]
    shipped_at: str | None
    delivered_at: str | None


class ShipmentList(Model):
    """Every supplier's part."""

    items: list[ShipmentView]


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
        kind=refund.kind,
        goodwill=bool(refund.granted_by),
        granted_by=refund.granted_by if to_staff and refund.granted_by else None,
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
