"""Partners: who holds an API key, which suppliers there are, and what they sent."""

from dataclasses import dataclass
from datetime import datetime

SCOPES = frozenset({
    "keys:write",
    "suppliers:write",
    "catalog:write",
    "plans:publish",
    "network:appoint",
    "payouts:read",
    "payouts:approve",
    "payouts:settle",
    "orders:fulfil",
    "webhooks:write",
})  # fmt: skip

STAFF = "staff"
"""Owner of the keys of the brand's own people; any other owner is a supplier id."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A credential of one named person or system. The secret itself is shown once and never stored."""

    key_id: str
    secret_sha256: str
    scopes: frozenset[str]
    owner: str
    name: str
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier and the secrets that sign its webhooks: the newest, and the one before it until the next rotation."""

    supplier_id: str
    name: str
    inbox_secrets: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message as it came, kept for 30 days; `done` once it has taken effect."""

    source: str
    message_id: str
    body: bytes
    received_at: datetime
    done: bool


EVENT_TYPES = (
    "card.viewed",
    "member.registered",
    "member.inviter_bound",
    "member.promoted",
    "order.placed",
    "order.paid",
    "order.cancelled",
    "order.expired",
    "order.completed",
    "fulfilment.requested",
    "shipment.created",
    "shipment.delivered",
    "receipt.confirmed",
    "refund.requested",
    "refund.succeeded",
    "commission.accrued",
    "commission.released",
    "commission.clawed",
    "payout.opened",
    "payout.settled",
)
"""What partners can subscribe to, as past participles. A supplier's endpoint gets the events about that supplier."""

CHALLENGE = "endpoint.challenged"
"""Sent to a new endpoint; its first 2xx answer makes the endpoint active."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, with an id made from its cause, so that announcing it twice is announcing it once."""

    id: str
    type: str
    subject: str
    time: datetime
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a partner takes events: an address, or None for one who fetches them (then deliveries only wait).

    `status` is `pending` until the challenge is answered, then `active`; `disabled` after five days of failures or a
    410, never deleted for it. The two newest `secrets` sign every message.
    """

    endpoint_id: str
    owner: str
    url: str | None
    events: tuple[str, ...]
    secrets: tuple[str, ...]
    status: str
    failing_since: datetime | None
    created_at: datetime

    def wants(self, kind: str) -> bool:
        """Whether events of this type go to the endpoint."""
        return kind in self.events or "*" in self.events


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call: when, and the status or the error that came back."""

    at: datetime
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint: `waiting`, `delivered` or `failed`. `delivery_id` sorts by event time."""

    endpoint_id: str
    delivery_id: str
    event_type: str
    body: str
    status: str
    attempts: tuple[Attempt, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """An attempt that is to be made, as it travels through the queue. `attempt` counts from 0."""

    owner: str
    endpoint_id: str
    delivery_id: str
    attempt: int
    not_before: datetime
