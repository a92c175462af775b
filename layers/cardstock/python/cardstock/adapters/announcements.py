"""The webhooks queue as announcements: one message per event, whose id is made from its cause."""

import json
from collections.abc import Sequence
from datetime import datetime

from cardstock.adapters.sqs import Queue
from cardstock.clock import rfc3339
from cardstock.ids import derived_id
from cardstock.partners.model import Event


class Announcements:
    """Tells whoever listens what happened. One call for up to ten events; a repeat is the same event again."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def send(self, events: Sequence[Event]) -> None:
        """Put `events` into the queue. Raises `UnavailableError`; some of them may be there all the same."""
        bodies = [
            json.dumps(
                {
                    "id": event.id,
                    "type": event.type,
                    "subject": event.subject,
                    "time": rfc3339(event.time),
                    "data": event.data,
                },
                ensure_ascii=False,
                separators=(",", ":"),
            )
            for event in events
        ]
        if len(bodies) == 1:
            self._queue.send(bodies[0])
        elif bodies:
            self._queue.send_all(bodies)


def event(kind: str, subject: str, at: datetime, data: dict[str, object], *, cause: str = "") -> Event:
    """An event about `subject` (an order id, a member id). `cause` tells apart events of one kind about one subject."""
    return Event(derived_id("evt", kind, subject, cause), kind, subject, at, data)
