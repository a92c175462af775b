"""Webhook endpoints and deliveries as JSON."""

from typing import Annotated

from msgspec import Meta, json

from cardstock.clock import rfc3339
from cardstock.edge.http import Model
from cardstock.partners.model import Delivery, Endpoint


class CreateEndpoint(Model):
    """Where events go. Without `url` they are kept for fetching."""

    events: Annotated[list[str], Meta(min_length=1, max_length=32, examples=[["fulfilment.requested"]])]
    url: Annotated[str | None, Meta(examples=["https://erp.example.com/cardstock"])] = None


class StoredEndpoint(Model):
    """An endpoint. `status`: pending until its challenge is answered with 2xx, active, disabled."""

    endpoint_id: str
    url: str | None
    events: list[str]
    status: str
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
    """One event for one endpoint; `event` is the body as it was, or will be, sent."""

    delivery_id: str
    type: str
    status: str
    attempts: list[MadeAttempt]
    event: dict[str, object]


class DeliveryList(Model):
    """Deliveries, oldest event first."""

    items: list[StoredDelivery]
    next_cursor: str | None


class DeliveryPage(Model):
    """Which part of the list."""

    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


def shown(endpoint: Endpoint, *, secret: bool = False) -> StoredEndpoint:
    """`endpoint` for its owner; the secret only when it is new."""
    return StoredEndpoint(
        endpoint.endpoint_id,
        endpoint.url,
        list(endpoint.events),
        endpoint.status,
        endpoint.secrets[0] if secret else None,
        rfc3339(endpoint.created_at),
    )


def told(delivery: Delivery) -> StoredDelivery:
    """`delivery` for its owner."""
    made = [MadeAttempt(rfc3339(attempt.at), attempt.status, attempt.error) for attempt in delivery.attempts]
    event = json.decode(delivery.body)
    return StoredDelivery(delivery.delivery_id, delivery.event_type, delivery.status, made, event)
