"""Webhook endpoints and deliveries as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated

from msgspec import Meta, json

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment, NextCursor
from cardstock.edge.http import Model
from cardstock.partners.model import Attempt, Delivery, Endpoint

_EVENTS = """Types of events, or `*` for all of them. Staff's endpoints get every event of these types; a supplier's get
those about that supplier: `fulfilment.requested`, `fulfilment.reduced`, `shipment.created`, `shipment.delivered`;
a supplier's key can ask for no others. Fields about people (the receiver of `fulfilment.requested`) go to the
supplier alone, never to staff's endpoints."""


class CreateEndpoint(Model):
    """Types of events, and the URL that receives them."""

    events: Annotated[
        list[Annotated[str, Meta(max_length=64)]],
        Meta(min_length=1, max_length=32, description=_EVENTS, examples=[["fulfilment.requested"]]),
    ]
    url: (
        Annotated[
            str,
            Meta(
                max_length=1_000,
                examples=["https://erp.example.com/cardstock"],
                description="URL that receives events; absent: deliveries are kept to be fetched.",
            ),
        ]
        | None
    ) = None


class StoredEndpoint(Model):
    """A webhook endpoint."""

    endpoint_id: Annotated[
        str, Meta(description="Id of the endpoint, for every later call.", examples=["whe_01kbdxdh50fcazdjhcnqh2rzv5"])
    ]
    url: Annotated[
        str | None,
        Meta(
            description="URL that receives events; null: deliveries are kept to be fetched.",
            examples=["https://erp.example.com/cardstock"],
        ),
    ]
    events: Annotated[
        list[str],
        Meta(
            description="Types of events that it gets; `*` for all.",
            examples=[["fulfilment.requested", "shipment.delivered"]],
        ),
    ]
    status: Annotated[
        str,
        Meta(
            description=(
                "`pending` until its challenge is answered, `active`, or `disabled`: by failures, or because the "
                "person who answers for it has left or lost the right."
            ),
            examples=["active"],
        ),
    ]
    failing_since: Annotated[
        Moment | None, Meta(description="First failure after the last success; null if there was none.")
    ]
    secret: Annotated[
        str | None,
        Meta(
            description="Secret that signs every message to it; shown once when it is created, otherwise null.",
            examples=["whsec_Zb8kTq3mX1n5r7u9w2y4A6C8E0gJ2kL4"],
        ),
    ]
    created_at: Annotated[Moment, Meta(description="When it was created.")]
    created_by: Annotated[
        str | None,
        Meta(
            description="Person of the staff who created it; null for a supplier's, and where it is not known.",
            examples=["stf_01kbdx8v2m4q6s8t0w1y3z5a7c"],
        ),
    ]
    responsible: Annotated[
        str | None,
        Meta(
            description=(
                "Person of the staff who answers for it: its creator, later whoever tested it after that person had "
                "left. Null for a supplier's, and where nobody has tested an old one yet."
            ),
            examples=["stf_01kbdx8v2m4q6s8t0w1y3z5a7c"],
        ),
    ]

    @classmethod
    def of(cls, endpoint: Endpoint, *, secret: bool = False) -> StoredEndpoint:
        """`endpoint` for its owner; the secret only if it is new."""
        return cls(
            endpoint.endpoint_id,
            endpoint.url,
            list(endpoint.events),
            endpoint.status,
            rfc3339(endpoint.failing_since) if endpoint.failing_since else None,
            endpoint.secrets[0] if secret else None,
            rfc3339(endpoint.created_at),
            endpoint.created_by,
            endpoint.responsible,
        )


class EndpointList(Model):
    """The caller's endpoints."""

    items: Annotated[list[StoredEndpoint], Meta(description="The caller's endpoints.")]
    next_cursor: NextCursor = None


class MadeAttempt(Model):
    """One call and its result."""

    at: Annotated[Moment, Meta(description="Time of the attempt.")]
    status: Annotated[int | None, Meta(description="HTTP status of the answer; null if none came.", examples=[503])]
    error: Annotated[str | None, Meta(description="Why no answer came; null if one did.", examples=["TIMEOUT"])]

    @classmethod
    def of(cls, attempt: Attempt) -> MadeAttempt:
        """`attempt` for the endpoint's owner."""
        return cls(rfc3339(attempt.at), attempt.status, attempt.error)


class StoredDelivery(Model):
    """One event for one endpoint."""

    delivery_id: Annotated[
        str,
        Meta(
            description="Id of the delivery, for delivering it again.",
            examples=["1764577560000.evt_01kbdxdh50fcazdjhcnqh2rzv5"],
        ),
    ]
    type: Annotated[str, Meta(description="Type of the event.", examples=["fulfilment.requested"])]
    status: Annotated[
        str,
        Meta(
            description="`kept` to be fetched, `waiting` for an attempt, `delivered` or `failed`.",
            examples=["delivered"],
        ),
    ]
    attempts: Annotated[list[MadeAttempt], Meta(description="Latest attempts, oldest of them first.")]
    event: Annotated[
        dict[str, object],
        Meta(
            description="Body as it was, or will be, sent.",
            examples=[{"type": "fulfilment.requested", "subject": "ord_01kbdxdh50fcazdjhcnqh2rzv5"}],
        ),
    ]

    @classmethod
    def of(cls, delivery: Delivery) -> StoredDelivery:
        """`delivery` for its endpoint's owner."""
        made = [MadeAttempt.of(attempt) for attempt in delivery.attempts]
        return cls(delivery.delivery_id, delivery.event_type, delivery.status, made, json.decode(delivery.body))


class DeliveryList(Model):
    """Deliveries in the order in which they were added. Keep the cursor and ask again: new ones come after it."""

    items: Annotated[list[StoredDelivery], Meta(description="Deliveries in the order in which they were added.")]
    next_cursor: NextCursor
