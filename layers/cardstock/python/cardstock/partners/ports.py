"""What the partners area needs from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from cardstock.ids import RequestKey
from cardstock.partners.model import (
    ApiKey,
    Attempt,
    Delivery,
    DeliveryStatus,
    DueAttempt,
    Endpoint,
    EndpointStatus,
    InboxMessage,
    Supplier,
)


class Keys(Protocol):
    """Stored API keys."""

    def add(self, key: ApiKey, request: RequestKey) -> str | None:
        """Store `key`. A repeat of `request` stores nothing and returns the id of the first key."""

    def find(self, key_id: str) -> ApiKey | None:
        """The key, read consistently, because a revoked key must stop at once; None if there is none."""

    def revoke(self, key_id: str) -> bool:
        """Make the key inactive for good; False if it does not exist."""

    def keys_of_owner(self, owner: str, limit: int, after: str | None) -> tuple[Sequence[ApiKey], str | None]:
        """A page of the owner's keys, including revoked ones, by id, and the id after which the next page starts; None
        at the end. Read consistently, so that a key just added is in it."""


class Suppliers(Protocol):
    """Stored suppliers."""

    def add(self, supplier: Supplier) -> Supplier:
        """Store `supplier` unless its id exists; returns the stored one."""

    def find(self, supplier_id: str) -> Supplier | None:
        """The supplier; None if there is none."""

    def list_suppliers(self, limit: int, after: str | None) -> tuple[Sequence[Supplier], str | None]:
        """A page of all suppliers by id, and the id after which the next page starts; None at the end. May miss one
        that is new."""

    def rename(self, supplier_id: str, name: str) -> None:
        """Change the supplier's name, not its secrets."""

    def rotate(self, supplier: Supplier, secrets: tuple[str, ...], request: RequestKey, at: datetime) -> bool:
        """Replace the secrets with which `supplier` was read. A repeat of `request` changes nothing.

        False if they were replaced meanwhile.
        """


class Inbox(Protocol):
    """Received messages, stored as received."""

    def receive(self, message: InboxMessage, keep_until: datetime) -> InboxMessage:
        """Store `message` if its id is new for its source; returns the stored one."""

    def done(self, source: str, message_id: str) -> None:
        """Mark the message as applied."""


class CallOutcome(Protocol):
    """The outcome of one call."""

    @property
    def status(self) -> int | None:
        """The HTTP status; None without an answer."""

    @property
    def error(self) -> str | None:
        """Why there was no answer; None if there was one."""

    @property
    def retry_after(self) -> str | None:
        """The answer's Retry-After header."""

    @property
    def delivered(self) -> bool:
        """Whether it was a 2xx."""


class Endpoints(Protocol):
    """Stored endpoints."""

    def add(self, endpoint: Endpoint, request: RequestKey) -> str | None:
        """Store `endpoint`. A repeat of `request` stores nothing and returns the id of the first endpoint."""

    def find(self, owner: str, endpoint_id: str) -> Endpoint | None:
        """The owner's endpoint; None if there is none."""

    def remove(self, owner: str, endpoint_id: str) -> None:
        """Delete the endpoint; a missing one changes nothing."""

    def of(self, owner: str) -> Sequence[Endpoint]:
        """All endpoints of `owner`."""

    def listening(self, owner: str) -> Sequence[Endpoint]:
        """All endpoints of `owner`, as they were at most half a minute ago."""

    def set_endpoint_status(self, endpoint: Endpoint, failing_since: datetime | None, status: EndpointStatus) -> None:
        """Store the endpoint's health, unless it was removed, or its status or `left_at` has changed since it was
        read."""

    def disable_left(self, endpoint: Endpoint, at: datetime) -> None:
        """Disable the endpoint, whose person left at `at`, unless another person answers for it by now."""

    def take_over(self, endpoint: Endpoint, person_id: str) -> bool:
        """Let this person answer for the endpoint; False, and nothing changes, if it was removed, or somebody answers
        for it who did not when it was read."""

    def rotate(self, endpoint: Endpoint, secrets: tuple[str, ...], request: RequestKey, at: datetime) -> bool:
        """Replace the secrets with which `endpoint` was read. A repeat of `request` changes nothing.

        False if they were replaced meanwhile.
        """


class Deliveries(Protocol):
    """Stored deliveries."""

    def add(self, delivery: Delivery, keep_until: datetime) -> str:
        """Store `delivery` unless the endpoint has one of its event; returns the stored one's id."""

    def find(self, endpoint_id: str, delivery_id: str) -> Delivery | None:
        """The delivery; None if there is none."""

    def store_attempt(self, delivery: Delivery, attempt: Attempt, status: DeliveryStatus) -> None:
        """Log `attempt`, count it and set the status.

        If another attempt was logged since `delivery` was read, its status stays, unless this one delivered.
        """

    def reopen(self, delivery: Delivery) -> None:
        """Set the status back to `waiting`."""

    def page(
        self, endpoint_id: str, before: str, limit: int, after: str | None
    ) -> tuple[Sequence[Delivery], str | None]:
        """A page of the deliveries with ids before `before`, in the order in which they were added, and the id after
        which the next page starts; None at the end."""


class DueQueue(Protocol):
    """The queue of planned attempts."""

    def send(self, due: DueAttempt, delay_seconds: int) -> None:
        """Send `due`; it arrives after `delay_seconds` (at most 900)."""


class PostCall(Protocol):
    """Calls an endpoint."""

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> CallOutcome:
        """POST the body and return the outcome; nothing that the other side does raises."""


class MessageSigner(Protocol):
    """Signs messages."""

    def __call__(self, secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """Headers with one signature per secret."""


class WebhookNeeds(msgspec.Struct, frozen=True):
    """The ports of storing and queueing deliveries."""

    endpoints: Endpoints
    deliveries: Deliveries
    queue: DueQueue


class AttemptNeeds(WebhookNeeds, frozen=True):
    """The ports of an attempt."""

    post: PostCall
    sign: MessageSigner
