"""Deliveries: which endpoints get an event, and how a delivery is stored, fetched and repeated.

Every step is safe to repeat: an endpoint has one delivery of an event however often it is published.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from cardstock import clock
from cardstock.clock import rfc3339, to_epoch_ms
from cardstock.errors import NOT_FOUND
from cardstock.partners import errors
from cardstock.partners.model import STAFF, Delivery, DueAttempt, Endpoint, Event
from cardstock.partners.ports import Deliveries, WebhookNeeds

KEPT: Final = timedelta(days=30)
MAX_BODY_BYTES: Final = 20 * 1024
# Longer than a write can take: before this age nothing new can appear.
SETTLED_AFTER: Final = timedelta(seconds=15)
LONGEST_QUEUE_DELAY_SECONDS: Final = 900


def publish(event: Event, *, needs: WebhookNeeds) -> int:
    """Add `event` for every endpoint that subscribed to it: staff's, and those of its supplier. Returns their number.

    Fields about people reach the supplier alone: the brand's persons read them by the API, with the right to them.
    Endpoints that are not active keep the delivery, so a broken address loses nothing.
    """
    owners = [STAFF] if event.supplier_id is None else [STAFF, event.supplier_id]
    reached = 0
    for owner in owners:
        for known in needs.endpoints.listening(owner):
            if not known.wants(event.type):
                continue
            # The cached endpoint may be old: one that has just answered the challenge is called at once.
            endpoint = known if known.status == "active" else needs.endpoints.find(owner, known.endpoint_id)
            if endpoint is not None:
                add_delivery(event, endpoint, needs)
                reached += 1
    return reached


def fetch(
    endpoint_id: str, limit: int, after: str | None, *, deliveries: Deliveries
) -> tuple[Sequence[Delivery], str | None]:
    """Deliveries after `after` in the order in which they were added, fifteen seconds late, and the cursor to continue
    with, which never ends, since more will follow.

    Guarantee: a caller that continues after the last one it got sees every delivery, whatever the order of the events.
    """
    before = f"{to_epoch_ms(clock.now() - SETTLED_AFTER):013d}"
    found, _ = deliveries.page(endpoint_id, before, limit, after)
    return found, found[-1].delivery_id if found else after


def redeliver(owner: str, endpoint_id: str, delivery_id: str, *, needs: WebhookNeeds) -> None:
    """Try a delivery again now, with a new set of attempts; those still planned are dropped.

    Raises `NotFoundError`, and `ConflictError` ENDPOINT_NOT_ACTIVE for an endpoint that cannot be called.
    """
    endpoint = needs.endpoints.find(owner, endpoint_id)
    delivery = needs.deliveries.find(endpoint_id, delivery_id) if endpoint is not None else None
    if endpoint is None or delivery is None:
        raise NOT_FOUND()
    if not endpoint.may_get(delivery.event_type):
        raise errors.ENDPOINT_NOT_ACTIVE()
    needs.deliveries.reopen(delivery)
    needs.queue.send(DueAttempt(owner, endpoint_id, delivery_id, 0, delivery.tries, clock.now()), 0)


def add_delivery(event: Event, endpoint: Endpoint, needs: WebhookNeeds) -> str:
    """Store `event` for `endpoint`, and queue its first attempt if the endpoint can be called. Returns the delivery's
    id."""
    now = clock.now()
    send = endpoint.may_get(event.type)
    delivery_id = needs.deliveries.add(
        Delivery(
            endpoint.endpoint_id,
            f"{to_epoch_ms(now):013d}.{event.id}",
            event.type,
            _body(event, event.data_for(endpoint.owner)),
            "waiting" if send else "kept",
            (),
            0,
            now,
        ),
        now + KEPT,
    )
    if send:
        # Also if the delivery existed: the message for its attempt may never have been sent.
        needs.queue.send(DueAttempt(endpoint.owner, endpoint.endpoint_id, delivery_id, 0, 0, now), 0)
    return delivery_id


def _body(event: Event, data: dict[str, object]) -> str:
    body = _json(event, data)
    if len(body.encode()) > MAX_BODY_BYTES:
        # Lists make it long; a receiver of the ids can read the rest from the API.
        short = {name: value for name, value in data.items() if isinstance(value, str | int)}
        body = _json(event, {**short, "shortened": True})
    return body


def _json(event: Event, data: dict[str, object]) -> str:
    fields = {
        "specversion": "1.0",
        "id": event.id,
        "source": "/cardstock",
        "type": event.type,
        "subject": event.subject,
        "time": rfc3339(event.time),
        "timestamp": rfc3339(event.time),
        "sequence": f"{to_epoch_ms(event.time):013d}",
        "data": data,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
