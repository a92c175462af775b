"""Queue: events to give to endpoints, and attempts that are due."""

from datetime import datetime
from typing import Annotated

import msgspec

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge import queue, signatures
from cardstock.edge.observability import count, logger
from cardstock.partners import deliveries, wiring
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
        became = deliveries.attempt(
            due,
            endpoints=wiring.endpoints(),
            deliveries=wiring.deliveries(),
            queue=wiring.due_queue(),
            post=wiring.webhook_post(),
            sign=signatures.sign,
            clock=process_clock(),
        )
        count(f"Webhooks{became.title()}")
        if became == "disabled":
            logger.warning("endpoint disabled", owner=due.owner, endpoint_id=due.endpoint_id)
        return
    event = msgspec.convert(fields, Announced)
    deliveries.publish(
        Event(event.id, event.type, event.subject, event.time, event.data),
        endpoints=wiring.endpoints(),
        deliveries=wiring.deliveries(),
        queue=wiring.due_queue(),
        clock=process_clock(),
    )


handler = queue.each(consume)
connect()
