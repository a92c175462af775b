"""Events to partners, named as in the catalogue (`partners.model.EVENT_TYPES`) and put into the webhooks queue.

Each area has its events' data as types (`orders.events`, `network.events`, `ledger.events`, `payouts.events`). An
event's id is made from its cause: a repeated change makes the same event, which no endpoint gets twice. Events of a
batch of changes are collected until `flush`, which sends ten a call.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec

from cardstock.events import EventData
from cardstock.ids import derived_id
from cardstock.ledger.events import CommissionEvent
from cardstock.ledger.model import Kind, LedgerTransaction
from cardstock.network.events import MemberPromoted
from cardstock.network.model import Event as NetworkEvent
from cardstock.orders.events import (
    FulfilmentReduced,
    FulfilmentRequested,
    OrderEvent,
    RefundEvent,
    ShipmentCreated,
    ShipmentDelivered,
)
from cardstock.orders.model import Order
from cardstock.orders.refund_model import Refund
from cardstock.orders.supplier_model import SupplierOrder
from cardstock.partners.messages import EventMessage, encode_event

_COMMISSION: Final[Mapping[Kind, str]] = {
    "accrued": "commission.accrued",
    "released": "commission.released",
    "clawed": "commission.clawed",
}


class EventQueue(Protocol):
    """The webhooks queue. Both methods raise `UnavailableError` if a message may not have been stored."""

    def send(self, body: str, /) -> None:
        """Send one message."""

    def send_all(self, bodies: Sequence[str], /) -> None:
        """Send messages, ten a call."""


class EventPublisher:
    """Publishes events to their subscribers at the next `flush`."""

    def __init__(self, queue: EventQueue) -> None:
        self._queue = queue
        self._held: list[EventMessage] = []

    def order(self, order: Order) -> None:
        """An order has a new status."""
        moments = {
            "placed": (("order.placed", order.placed_at),),
            "paid": (("order.paid", order.paid_at),),
            "cancelled": (("order.cancelled", order.closed_at),),
            "expired": (("order.expired", order.closed_at),),
            "completed": (("receipt.confirmed", order.received_at), ("order.completed", order.received_at)),
        }
        for kind, at in moments.get(order.status, ()):
            if at:
                self._hold(kind, order.order_id, at, OrderEvent.of(order))

    def refund(self, refund: Refund) -> None:
        """A refund has a new status."""
        moments = {
            "requested": refund.requested_at,
            "succeeded": refund.succeeded_at,
            "refused": refund.refused_at,
            "given_up": refund.given_up_at,
        }
        at = moments[refund.status]
        assert at is not None
        self._hold(f"refund.{refund.status}", refund.order_id, at, RefundEvent.of(refund), refund.refund_id)

    def supplier_order(self, part: SupplierOrder) -> None:
        """A supplier order is new, or has changed, as its `last_event` says."""
        supplier = part.supplier_id
        match part.last_event:
            case "requested":
                data = FulfilmentRequested.of(part)
                self._hold("fulfilment.requested", part.order_id, part.created_at, data, supplier)
            case "parcel_sent":
                parcel = part.parcels[-1]
                shipment, cause = ShipmentCreated.of(part, parcel), f"{supplier} {parcel.event_id}"
                self._hold("shipment.created", part.order_id, parcel.at, shipment, cause)
            case "delivered" if part.delivered_at is not None:
                delivered = ShipmentDelivered.of(part)
                self._hold("shipment.delivered", part.order_id, part.delivered_at, delivered, supplier)
            case "reduced" if part.reduced_at is not None:
                reduced, cause = FulfilmentReduced.of(part), f"{supplier} {sum(line.cancelled for line in part.lines)}"
                self._hold("fulfilment.reduced", part.order_id, part.reduced_at, reduced, cause)

    def positions(self, moved: Sequence[NetworkEvent]) -> None:
        """The network has changed; promotions are published."""
        for step in moved:
            if step.kind == "promote":
                self._hold("member.promoted", step.member_id, step.at, MemberPromoted(step.member_id), step.id)

    def booked(self, transaction: LedgerTransaction) -> None:
        """The ledger has booked a transaction; credits, releases and claw-backs are published."""
        kind = _COMMISSION.get(transaction.kind)
        if kind is not None:
            order_id, data = transaction.order_id, CommissionEvent.of(transaction)
            self._hold(kind, order_id, transaction.at, data, transaction.id)

    def flush(self) -> None:
        """Send the collected events. Raises `UnavailableError` if some may not have been sent: repeat the whole
        batch."""
        held, self._held = self._held, []
        self.send(held)

    def send(self, events: Sequence[EventMessage]) -> None:
        """Put `events` into the queue now, ten a call. Raises `UnavailableError` if some may be missing: repeat."""
        bodies = [encode_event(each) for each in events]
        if len(bodies) == 1:
            self._queue.send(bodies[0])
        elif bodies:
            self._queue.send_all(bodies)

    def _hold(self, kind: str, subject: str, at: datetime, data: EventData, cause: str = "") -> None:
        self._held.append(event(kind, subject, at, data, cause=cause))


def event(kind: str, subject: str, at: datetime, data: EventData, *, cause: str = "") -> EventMessage:
    """An event about `subject` (an order id, a member id). `cause` distinguishes events of one kind and subject."""
    event_id, personal = derived_id("evt", kind, subject, cause), tuple(sorted(data.PERSONAL))
    return EventMessage(event_id, kind, subject, at, msgspec.to_builtins(data), personal)
