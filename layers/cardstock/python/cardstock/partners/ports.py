"""What the partners area needs from the outside."""

from datetime import datetime
from typing import Protocol

from cardstock.ids import RequestKey
from cardstock.partners.model import ApiKey, InboxMessage, Supplier


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
