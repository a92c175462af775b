"""Events of orders, refunds and supplier orders as partners get them: the data of each.

Not in `schemas.py`, so that publishing functions do not import the HTTP edge.
"""

from typing import ClassVar

import msgspec

from cardstock.events import EventData
from cardstock.money import Fen
from cardstock.orders.model import Order
from cardstock.orders.refund_model import Refund
from cardstock.orders.supplier_model import Parcel, SupplierOrder


class OrderEventLine(msgspec.Struct, frozen=True):
    """A line of an order; `net_fen` is what is paid for it."""

    sku: str
    units: int
    net_fen: Fen


class OrderEvent(EventData, frozen=True):
    """`order.*` and `receipt.confirmed`."""

    order_id: str
    member_id: str
    amount_fen: Fen
    freight_fen: Fen
    lines: tuple[OrderEventLine, ...]

    @classmethod
    def of(cls, order: Order) -> "OrderEvent":
        """`order` for partners."""
        lines = tuple(OrderEventLine(line.sku, line.units, line.net_fen) for line in order.lines)
        return cls(order.order_id, order.member_id, order.amount_fen, order.freight_fen, lines)


class RefundEventLine(msgspec.Struct, frozen=True):
    """Units of a line that are refunded, and their amount."""

    sku: str
    units: int
    amount_fen: Fen


class RefundEvent(EventData, frozen=True):
    """`refund.*`. `kind` is `return` for a part of the order, `stray` for a payment without an open order."""

    order_id: str
    refund_id: str
    kind: str
    goodwill: bool
    amount_fen: Fen
    freight_fen: Fen
    lines: tuple[RefundEventLine, ...]
    paid_another_way: bool = False

    @classmethod
    def of(cls, refund: Refund) -> "RefundEvent":
        """`refund` for partners."""
        return cls(
            refund.order_id,
            refund.refund_id,
            "return" if refund.part_of_order else "stray",
            refund.kind == "goodwill",
            refund.amount_fen,
            refund.freight_fen,
            tuple(RefundEventLine(line.sku, line.units, line.amount_fen) for line in refund.lines),
            refund.paid_another_way,
        )


class RequestedLine(msgspec.Struct, frozen=True):
    """Units of one SKU that a supplier has to send."""

    sku: str
    name: str
    units: int


class EventReceiver(msgspec.Struct, frozen=True):
    """The receiver of a supplier's part."""

    name: str
    phone: str
    address: str


class FulfilmentRequested(EventData, frozen=True):
    """`fulfilment.requested`."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"receiver"})

    order_id: str
    supplier_id: str
    lines: tuple[RequestedLine, ...]
    receiver: EventReceiver

    @classmethod
    def of(cls, part: SupplierOrder) -> "FulfilmentRequested":
        """The new `part` for its supplier."""
        lines = tuple(RequestedLine(line.sku, line.name, line.units) for line in part.lines)
        receiver = EventReceiver(part.receiver.name, part.receiver.phone, part.receiver.address)
        return cls(part.order_id, part.supplier_id, lines, receiver)


class ReducedLine(msgspec.Struct, frozen=True):
    """Units of one SKU that are left to send, and those that need not be sent any more."""

    sku: str
    name: str
    units: int
    cancelled: int


class FulfilmentReduced(EventData, frozen=True):
    """`fulfilment.reduced`."""

    order_id: str
    supplier_id: str
    lines: tuple[ReducedLine, ...]

    @classmethod
    def of(cls, part: SupplierOrder) -> "FulfilmentReduced":
        """The reduced `part` for its supplier."""
        lines = tuple(
            ReducedLine(line.sku, line.name, line.units - line.cancelled, line.cancelled) for line in part.lines
        )
        return cls(part.order_id, part.supplier_id, lines)


class ShipmentCreated(EventData, frozen=True):
    """`shipment.created`."""

    order_id: str
    supplier_id: str
    carrier: str
    tracking_no: str

    @classmethod
    def of(cls, part: SupplierOrder, parcel: Parcel) -> "ShipmentCreated":
        """The `parcel` of `part` that has left."""
        return cls(part.order_id, part.supplier_id, parcel.carrier, parcel.tracking_no)


class ShipmentDelivered(EventData, frozen=True):
    """`shipment.delivered`."""

    order_id: str
    supplier_id: str

    @classmethod
    def of(cls, part: SupplierOrder) -> "ShipmentDelivered":
        """`part`, which has arrived."""
        return cls(part.order_id, part.supplier_id)
