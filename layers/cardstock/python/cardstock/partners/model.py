"""Types of partners: API keys, suppliers, their messages, endpoints and deliveries."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

SCOPES = frozenset({
    "keys:write",
    "staff:write",
    "suppliers:write",
    "suppliers:read",
    "members:read",
    "orders:read",
    "sales:read",
    "catalog:read",
    "catalog:write",
    "plans:publish",
    "plans:approve",
    "network:appoint",
    "payouts:read",
    "payouts:open",
    "payouts:approve",
    "payouts:settle",
    "bank_accounts:confirm",
    "bank_accounts:reveal",
    "debts:write_off",
    "orders:fulfil",
    "orders:refund",
    "open_items:read",
    "open_items:clear",
    "webhooks:write",
})  # fmt: skip

SUPPLIER_SCOPES = frozenset({"orders:fulfil", "catalog:write", "webhooks:write"})
"""Scopes that a supplier's key may have."""

STAFF = "staff"
"""Owner of the brand's own webhook endpoints, whichever person created them; any other owner is a supplier id."""

_SUPPLIER_ID = re.compile(r"sup_[a-z0-9]{1,26}\Z")

KeyState: TypeAlias = Literal["active", "revoked"]
KEY_TRANSITIONS: Final[Mapping[KeyState, frozenset[KeyState]]] = {
    "active": frozenset({"revoked"}),
    "revoked": frozenset(),
}


def is_supplier_id(text: str) -> bool:
    """Whether `text` has the form of a supplier id."""
    return _SUPPLIER_ID.match(text) is not None


class KeyOwner(msgspec.Struct, frozen=True):
    """The owner of a key: a person of the staff (`stf_...`) or a supplier (`sup_...`), with the owner's name."""

    id: str
    name: str


class ApiKey(msgspec.Struct, frozen=True):
    """A credential of a person or a supplier. The secret itself is shown once and never stored.

    `owner` is a person id or a supplier id, `owner_name` the owner's name when the key was created, `name` the purpose
    of the key.
    """

    key_id: str
    secret_sha256: str
    scopes: frozenset[str]
    owner: str
    owner_name: str
    name: str
    created_at: datetime
    state: KeyState = "active"

    @property
    def active(self) -> bool:
        """Whether the key is valid."""
        return self.state == "active"


class Supplier(msgspec.Struct, frozen=True):
    """A supplier and the secrets that sign its webhooks: the newest, and the one before it until the next rotation."""

    supplier_id: str
    name: str
    inbox_secrets: tuple[str, ...]
    created_at: datetime


MessageState: TypeAlias = Literal["received", "done"]
MESSAGE_TRANSITIONS: Final[Mapping[MessageState, frozenset[MessageState]]] = {
    "received": frozenset({"done"}),
    "done": frozenset(),
}


class InboxMessage(msgspec.Struct, frozen=True):
    """A message as received, stored for 30 days; `done` once it was applied."""

    source: str
    message_id: str
    body: bytes
    received_at: datetime
    state: MessageState = "received"


EVENT_TYPES = (
    "member.promoted",
    "order.placed",
    "order.paid",
    "order.cancelled",
    "order.expired",
    "order.completed",
    "fulfilment.requested",
    "fulfilment.reduced",
    "shipment.created",
    "shipment.delivered",
    "receipt.confirmed",
    "refund.requested",
    "refund.refused",
    "refund.given_up",
    "refund.succeeded",
    "commission.accrued",
    "commission.released",
    "commission.clawed",
    "payout.opened",
    "payout.settled",
    "bank_account.changed",
)
"""Types of events, as past participles. A supplier's endpoint gets only events about that supplier."""
SUPPLIER_EVENTS = ("fulfilment.requested", "fulfilment.reduced", "shipment.created", "shipment.delivered")
"""Types of events that are about a supplier: their data names it."""

CHALLENGE = "endpoint.challenged"
"""Sent to a new endpoint; its first 2xx answer makes the endpoint active."""


class Event(msgspec.Struct, frozen=True):
    """An event. Its id is made from its cause, so that a repeated announcement is the same event."""

    id: str
    type: str
    subject: str
    time: datetime
    data: dict[str, object]
    personal: frozenset[str] = frozenset()
    """Fields of `data` about people."""

    @property
    def supplier_id(self) -> str | None:
        """The supplier that the event is about; None if it is about none."""
        supplier = self.data.get("supplier_id")
        return supplier if isinstance(supplier, str) and supplier != STAFF else None

    def data_for(self, owner: str) -> dict[str, object]:
        """The data that endpoints of `owner` get: fields about people only if `owner` is the supplier concerned."""
        if owner == self.supplier_id:
            return self.data
        return {name: value for name, value in self.data.items() if name not in self.personal}


EndpointStatus: TypeAlias = Literal["pending", "active", "disabled"]
ENDPOINT_TRANSITIONS: Final[Mapping[EndpointStatus, frozenset[EndpointStatus]]] = {
    "pending": frozenset({"active", "disabled"}),
    "active": frozenset({"disabled"}),
    "disabled": frozenset({"active"}),
}


class Endpoint(msgspec.Struct, frozen=True):
    """Receives a partner's events at a URL; without a URL the partner fetches its deliveries.

    `status` is `pending` until the challenge is answered, then `active`; `disabled` after five days of failures or a
    410, or when its person has left, but never deleted for it. The two newest `secrets` sign every message.
    `failing_since` is the first failure after the last success.

    The brand's endpoints have a person who answers for each: who created it, later who tested it after that person had
    left. Both are None for endpoints of suppliers, and for those of release 0.3.0 and before until a person tests them.
    """

    endpoint_id: str
    owner: str
    url: str | None
    events: tuple[str, ...]
    secrets: tuple[str, ...]
    status: EndpointStatus
    failing_since: datetime | None
    created_at: datetime
    created_by: str | None = None
    responsible: str | None = None
    left_at: datetime | None = None
    """When `responsible` left or lost the right to endpoints: nothing is called until a person tests the endpoint."""

    def may_get(self, kind: str) -> bool:
        """Whether the endpoint may be called with an event of this type now."""
        if self.url is None or self.left_at is not None:
            return False
        return self.status == "active" or kind == CHALLENGE

    def wants(self, kind: str) -> bool:
        """Whether the endpoint has subscribed to this type of event."""
        return kind in self.events or "*" in self.events


class Attempt(msgspec.Struct, frozen=True):
    """One call: its time, and the status or the error."""

    at: datetime
    status: int | None
    error: str | None


AttemptOutcome: TypeAlias = Literal["early", "stale", "delivered", "waiting", "failed", "disabled"]
"""The outcome of a message for an attempt; `attempts.attempt` explains each."""

DeliveryStatus: TypeAlias = Literal["kept", "waiting", "delivered", "failed"]
DELIVERY_TRANSITIONS: Final[Mapping[DeliveryStatus, frozenset[DeliveryStatus]]] = {
    "kept": frozenset({"waiting"}),
    "waiting": frozenset({"delivered", "failed"}),
    "delivered": frozenset({"waiting"}),
    "failed": frozenset({"waiting", "delivered"}),
}
"""Allowed changes. `failed` becomes `delivered` if two attempts ran at once and the other one failed."""


class Delivery(msgspec.Struct, frozen=True):
    """One event for one endpoint.

    `status`: `kept` (until it is fetched or its owner asks for its delivery), `waiting` (for an attempt), `delivered`,
    `failed`. `delivery_id` begins with the moment at which it was added, so that a list of deliveries never shows a new
    one before those already seen. `tries` counts all attempts; `attempts` logs the newest.
    """

    endpoint_id: str
    delivery_id: str
    event_type: str
    body: str
    status: DeliveryStatus
    attempts: tuple[Attempt, ...]
    tries: int
    created_at: datetime

    @property
    def event_id(self) -> str:
        """The event's id, which is the `webhook-id`."""
        return self.delivery_id.partition(".")[2]


class DueAttempt(msgspec.Struct, frozen=True):
    """A planned attempt in the queue.

    `attempt` is its place in the schedule, from 0. `tries` is the number of attempts when it was planned: once there
    are more, it is replaced by another message.
    """

    owner: str
    endpoint_id: str
    delivery_id: str
    attempt: int
    tries: int
    not_before: datetime
