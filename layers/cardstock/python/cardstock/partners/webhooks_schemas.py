"""Webhook endpoints and deliveries as JSON."""

from typing import Annotated

from msgspec import Meta, json

from cardstock.clock import rfc3339
from cardstock.edge.http import Model
from cardstock.partners.model import Delivery, Endpoint

_EVENTS = """Types of events, or `*` for all of them. Staff's endpoints get every event of these types; a supplier's get
those about that supplier: `fulfilment.requested`, `fulfilment.reduced`, `shipment.created`, `shipment.delivered`."""


class CreateEndpoint(Model):
    """Where events go. Without `url` they are kept for fetching."""

    events: Annotated[
        list[Annotated[str, Meta(max_length=64)]],
        Meta(min_length=1, max_length=32, description=_EVENTS, examples=[["fulfilment.requested"]]),
    ]
    url: Annotated[str, Meta(max_length=1_000, examples=["https://erp.example.com/cardstock"])] | None = None


class StoredEndpoint(Model):
    """An endpoint. `status`: pending until its challenge is answered with 2xx, active, disabled (by 410, or by five
    days of failures). `failing_since`: the first failure after the last success. `secret` is shown when it is made."""

    endpoint_id: str
    url: str | None
    events: list[str]
    status: str
    failing_since: Annotated[str, Meta(examples=["2026-12-01T08:26:00.000Z"])] | None
    secret: str | None
    created_at: str


class EndpointList(Model):
    """The caller's endpoints."""

    items: list[StoredEndpoint]
    next_cursor: str | None = None


class MadeAttempt(Model):
    """One call and what came back."""

    at: str
    status: int | None
    error: str | None


class StoredDelivery(Model):
    """One event for one endpoint; `event` is the body as it was, or will be, sent.

    `status`: kept (to be fetched, or delivered on request), waiting (on its way), delivered, failed.
    """

    delivery_id: str
    type: str
    status: str
    attempts: list[MadeAttempt]
    event: dict[str, object]


class DeliveryList(Model):
    """Deliveries in the order in which they were added. Keep the cursor and ask again: new ones follow it."""

    items: list[StoredDelivery]
    next_cursor: str | None


def shown(endpoint: Endpoint, *, secret: bool = False) -> StoredEndpoint:
    """`endpoint` for its owner; the secret only when it is new."""
    return StoredEndpoint(
        endpoint.endpoint_id,
        endpoint.url,
        list(endpoint.events),
        endpoint.status,
        rfc3339(endpoint.failing_since) if endpoint.failing_since else None,
        endpoint.secrets[0] if secret else None,
        rfc3339(endpoint.created_at),
    )


def told(delivery: Delivery) -> StoredDelivery:
    """`delivery` for its owner."""
    made = [MadeAttempt(rfc3339(attempt.at), attempt.status, attempt.error) for attempt in delivery.attempts]
    event = json.decode(delivery.body)
    return StoredDelivery(delivery.delivery_id, delivery.event_type, delivery.status, made, event)
