"""What the partners area needs from the outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cardstock.ids import RequestKey
from cardstock.partners.model import ApiKey, Attempt, Delivery, Due, Endpoint, InboxMessage, Supplier


class Keys(Protocol):
    """Where API keys are kept."""

    def add(self, key: ApiKey, request: RequestKey) -> str | None:
        """Store `key`. A repeat of `request` stores nothing and gives the id of the key it made the first time."""

    def find(self, key_id: str) -> ApiKey | None:
        """The key, read consistently: a revoked key must stop at once."""

    def revoke(self, key_id: str) -> bool:
        """Make the key inactive for good; False if there is none."""


class Suppliers(Protocol):
    """Where suppliers are kept."""

    def put(self, supplier: Supplier) -> None:
        """Store `supplier`, replacing what was there."""

    def find(self, supplier_id: str) -> Supplier | None:
        """The supplier, if there is one."""


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

    def put(self, endpoint: Endpoint) -> None:
        """Store `endpoint`, replacing what was there."""

    def find(self, owner: str, endpoint_id: str) -> Endpoint | None:
        """The owner's endpoint, if there is one."""

    def remove(self, owner: str, endpoint_id: str) -> None:
        """Forget the endpoint; nothing happens if there is none."""

    def of(self, owner: str) -> Sequence[Endpoint]:
        """All endpoints of `owner`."""


class Deliveries(Protocol):
    """Where deliveries are kept."""

    def add(self, delivery: Delivery, keep_until: datetime) -> bool:
        """Keep `delivery` unless its id is known; whether it was new."""

    def find(self, endpoint_id: str, delivery_id: str) -> Delivery | None:
        """The delivery, if there is one."""

    def note(self, delivery: Delivery, attempt: Attempt, status: str) -> None:
        """Append `attempt` to the log and set the status."""

    def page(self, endpoint_id: str, after: str | None, limit: int) -> Sequence[Delivery]:
        """Deliveries in the order of their events, oldest first, beginning after `after`."""


class DueQueue(Protocol):
    """Where attempts wait."""

    def send(self, due: Due, delay_seconds: int) -> None:
        """Send `due`; it arrives after `delay_seconds` (at most 900)."""


class Post(Protocol):
    """Calls an endpoint."""

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """POST and tell what became of it; never raises for what the other side does."""


class Sign(Protocol):
    """Makes the headers that prove where a message comes from."""

    def __call__(self, secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """Headers with one signature per secret."""
