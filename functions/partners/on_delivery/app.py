"""Queue: events to give to endpoints, and attempts that are due."""

from datetime import datetime
from typing import Annotated

import msgspec

from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.edge.observability import count, logger
from cardstock.partners import attempts, deliveries, wiring
from cardstock.partners.model import Due, Event


class Announced(msgspec.Struct, forbid_unknown_fields=True):
    """Something happened: what the other consumers send."""

    id: str
    type: str
    subject: str
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    data: dict[str, object]


def consume(body: bytes) -> None:
    """Fan an event out, or make one attempt."""
    fields = queue.decode(dict[str, object], body)
    if "delivery_id" in fields:
        due = msgspec.convert(fields, Due)
        outcome = attempts.attempt(due, needs=wiring.attempt_needs())
        count(f"Webhooks{outcome.title()}")
        if outcome == "disabled":
            logger.warning("endpoint disabled", owner=due.owner, endpoint_id=due.endpoint_id)
        return
    event = msgspec.convert(fields, Announced)
    deliveries.publish(Event(event.id, event.type, event.subject, event.time, event.data), needs=wiring.webhook_needs())


handler = queue.each(consume)
connect()
