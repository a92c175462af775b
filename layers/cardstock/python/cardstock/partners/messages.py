"""Messages of the webhooks queue: an event to deliver, and a due attempt. Senders and the reader share the types."""

from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from cardstock.clock import rfc3339
from cardstock.partners.model import DueAttempt, Event


class EventMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event for its subscribers. `data` is the event's type as JSON values.

    `personal` names the fields of `data` about people. Messages of release 0.3.0 and before do not: a receiver was the
    only one.
    """

    id: str
    type: str
    subject: str
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    data: dict[str, Any]
    personal: tuple[str, ...] = ("receiver",)

    def event(self) -> Event:
        """The event for deliveries."""
        return Event(self.id, self.type, self.subject, self.time, self.data, frozenset(self.personal))


class AttemptMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An attempt due at `not_before`."""

    owner: str
    endpoint_id: str
    delivery_id: str
    attempt: int
    tries: int
    not_before: Annotated[datetime, msgspec.Meta(tz=True)]

    def due(self) -> DueAttempt:
        """The attempt for `attempts.attempt`."""
        return DueAttempt(self.owner, self.endpoint_id, self.delivery_id, self.attempt, self.tries, self.not_before)


WebhookMessage: TypeAlias = EventMessage | AttemptMessage
_NAMES_ATTEMPT: Final = "delivery_id"


def read_message(fields: dict[str, object]) -> WebhookMessage:
    """The message with these fields: an attempt if it names a delivery. Raises `msgspec.ValidationError`."""
    if _NAMES_ATTEMPT in fields:
        return msgspec.convert(fields, AttemptMessage)
    return msgspec.convert(fields, EventMessage)


def encode_event(message: EventMessage) -> str:
    """`message` as the body of a queue message."""
    return _encode(message, time=rfc3339(message.time))


def encode_attempt(due: DueAttempt) -> str:
    """`due` as the body of a queue message."""
    message = AttemptMessage(due.owner, due.endpoint_id, due.delivery_id, due.attempt, due.tries, due.not_before)
    return _encode(message, not_before=rfc3339(due.not_before))


def _encode(message: WebhookMessage, **moments: str) -> str:
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    return msgspec.json.encode(fields | moments).decode()
