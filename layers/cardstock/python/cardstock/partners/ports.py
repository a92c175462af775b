"""What the partners area needs from the outside."""

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
    Due,
    Endpoint,
    EndpointStatus,
    InboxMessage,
    Supplier,
)


class Keys(Protocol):
    """Where API keys are kept."""

    def add(self, key: ApiKey, request: RequestKey) -> str | None:
        """Store `key`. A repeat of `request` stores nothing and gives the id of the key it made the first time."""

    def find(self, key_id: str) -> ApiKey | None:
        """The key, read consistently: a revoked key must stop at once."""

    def revoke(self, key_id: str) -> bool:
        """Make the key inactive for good; False if there is none."""

    def keys_of_owner(self, owner: str, limit: int, after: str | None) -> tuple[Sequence[ApiKey], str | None]:
        """A page of the owner's keys, revoked ones too, in the order of their ids, and the id behind which the next
        starts; None at the end. Read consistently: a key that was added is there."""


class Suppliers(Protocol):
    """Where suppliers are kept."""

    def add(self, supplier: Supplier) -> Supplier:
        """Store `supplier` unless there is one with its id; gives what is stored."""

    def find(self, supplier_id: str) -> Supplier | None:
        """The supplier, if there is one."""

    def rename(self, supplier_id: str, name: str) -> None:
        """Give the supplier another name, and leave its secrets alone."""

    def rotate(self, supplier: Supplier, secrets: tuple[str, ...], request: RequestKey, at: datetime) -> bool:
        """Replace the secrets that `supplier` was read with. A repeat of `request` changes nothing.

        False if somebody else has replaced them meanwhile.
        """


class Inbox(Protocol):
    """Where received messages are kept, raw."""

    def receive(self, message: InboxMessage, keep_until: datetime) -> InboxMessage:
        """Keep `message` if its id is new for its source; gives what is kept under that id."""

    def done(self, source: str, message_id: str) -> None:
        """Mark the message as having taken effect."""


class Outcome(Protocol):
    """What became of one call."""

    @property
    def status(self) -> int | None:
        """The status, if there was an answer."""

    @property
    def error(self) -> str | None:
        """Why there was none."""

    @property
    def retry_after(self) -> str | None:
        """The answer's Retry-After header."""

    @property
    def delivered(self) -> bool:
        """Whether it was a 2xx."""


class Endpoints(Protocol):
    """Where endpoints are kept."""

    def add(self, endpoint: Endpoint, request: RequestKey) -> str | None:
        """Store `endpoint`. A repeat of `request` stores nothing and gives the id of the endpoint it made first."""

    def find(self, owner: str, endpoint_id: str) -> Endpoint | None:
        """The owner's endpoint, if there is one."""

    def remove(self, owner: str, endpoint_id: str) -> None:
        """Forget the endpoint; nothing happens if there is none."""

    def of(self, owner: str) -> Sequence[Endpoint]:
        """All endpoints of `owner`."""

    def listening(self, owner: str) -> Sequence[Endpoint]:
        """All endpoints of `owner`, as they were at most half a minute ago."""

    def mark(self, endpoint: Endpoint, failing_since: datetime | None, status: EndpointStatus) -> None:
        """Note how the endpoint does, unless it was removed or has another status than it was read with."""

    def rotate(self, endpoint: Endpoint, secrets: tuple[str, ...], request: RequestKey, at: datetime) -> bool:
        """Replace the secrets that `endpoint` was read with. A repeat of `request` changes nothing.

        False if somebody else has replaced them meanwhile.
        """


class Deliveries(Protocol):
    """Where deliveries are kept."""

    def add(self, delivery: Delivery, keep_until: datetime) -> str:
        """Keep `delivery` unless the endpoint has one of its event; gives the id of the one that is kept."""

    def find(self, endpoint_id: str, delivery_id: str) -> Delivery | None:
        """The delivery, if there is one."""

    def note(self, delivery: Delivery, attempt: Attempt, status: DeliveryStatus) -> None:
        """Log `attempt`, count it and set the status.

        Another attempt that was noted since `delivery` was read stands, unless this one delivered.
        """

    def reopen(self, delivery: Delivery) -> None:
        """Set the status back to `waiting`."""

    def page(
        self, endpoint_id: str, before: str, limit: int, after: str | None
    ) -> tuple[Sequence[Delivery], str | None]:
        """A page of the deliveries whose ids are before `before`, oldest first, in the order in which they were added,
        and the id behind which the next starts; None at the end."""


class DueQueue(Protocol):
    """Where attempts wait."""

    def send(self, due: Due, delay_seconds: int) -> None:
        """Send `due`; it arrives after `delay_seconds` (at most 900)."""


class Post(Protocol):
    """Calls an endpoint."""

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """POST the body. The outcome says what came of it; nothing that the other side does raises."""


class Sign(Protocol):
    """Makes the headers that prove where a message comes from."""

    def __call__(self, secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """Headers with one signature per secret."""


class WebhookNeeds(msgspec.Struct, frozen=True):
    """What keeping and queueing deliveries needs."""

    endpoints: Endpoints
    deliveries: Deliveries
    queue: DueQueue


class AttemptNeeds(WebhookNeeds, frozen=True):
    """What an attempt needs besides."""

    post: Post
    sign: Sign
