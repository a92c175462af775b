"""Webhooks out: who gets an event, when it is tried again, and when an endpoint is given up.

Every step is safe to repeat: a delivery's id is made from its event, and an attempt that arrives twice is at worst sent
twice under the same `webhook-id`, which is what that header is for.
"""

import base64
import json
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from cardstock.clock import Clock, rfc3339, to_epoch_ms
from cardstock.errors import InvalidError, NotFoundError, Pointer
from cardstock.ids import RequestKey, derived_id
from cardstock.partners.model import CHALLENGE, EVENT_TYPES, STAFF, Attempt, Delivery, Due, Endpoint, Event
from cardstock.partners.ports import Deliveries, DueQueue, Endpoints, Outcome, Post, Sign

KEPT = timedelta(days=30)
MAX_BODY_BYTES = 20 * 1024
# After the attempt at once: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; a little over three days in all.
PAUSES_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
GIVEN_UP_AFTER = timedelta(days=5)
_LONGEST_QUEUE_DELAY_SECONDS = 900
_JITTER = 0.1


def create_endpoint(
    owner: str,
    url: str | None,
    events: tuple[str, ...],
    request: RequestKey,
    *,
    endpoints: Endpoints,
    deliveries: Deliveries,
    queue: DueQueue,
    clock: Clock,
) -> Endpoint:
    """A new endpoint of `owner` and its challenge on the way. A repeat of `request` gives the same endpoint."""
    unknown = [kind for kind in events if kind != "*" and kind not in EVENT_TYPES]
    if unknown:
        raise InvalidError("EVENT_UNKNOWN", pointers=(Pointer("/events", "OUT_OF_RANGE"),))
    endpoint_id = derived_id("whe", request.id)
    known = endpoints.find(owner, endpoint_id)
    if known is not None:
        return known
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    status = "active" if url is None else "pending"
    endpoint = Endpoint(endpoint_id, owner, url, events, (secret,), status, None, clock.now())
    endpoints.put(endpoint)
    if url is not None:
        challenge(endpoint, deliveries=deliveries, queue=queue, clock=clock)
    return endpoint


def challenge(endpoint: Endpoint, *, deliveries: Deliveries, queue: DueQueue, clock: Clock) -> str:
    """Send a test event; a 2xx makes the endpoint active, also one that was disabled. Gives the delivery's id."""
    now = clock.now()
    event = Event(derived_id("evt", endpoint.endpoint_id, rfc3339(now)), CHALLENGE, endpoint.endpoint_id, now, {})
    return _enqueue(event, endpoint, deliveries, queue, now)


def publish(event: Event, *, endpoints: Endpoints, deliveries: Deliveries, queue: DueQueue, clock: Clock) -> int:
    """Give `event` to every endpoint that wants it: those of staff, and those of the supplier it is about. How many."""
    owners = [STAFF]
    supplier = event.data.get("supplier_id")
    if isinstance(supplier, str):
        owners.append(supplier)
    reached = 0
    for owner in owners:
        for endpoint in endpoints.of(owner):
            if endpoint.wants(event.type) and endpoint.status == "active":
                _enqueue(event, endpoint, deliveries, queue, clock.now())
                reached += 1
    return reached


def redeliver(
    owner: str, endpoint_id: str, delivery_id: str, *, endpoints: Endpoints, deliveries: Deliveries, queue: DueQueue,
    clock: Clock,
) -> None:  # fmt: skip
    """Try a delivery again now, with a fresh set of attempts."""
    if endpoints.find(owner, endpoint_id) is None or deliveries.find(endpoint_id, delivery_id) is None:
        raise NotFoundError("NOT_FOUND")
    queue.send(Due(owner, endpoint_id, delivery_id, 0, clock.now()), 0)


def attempt(
    due: Due, *, endpoints: Endpoints, deliveries: Deliveries, queue: DueQueue, post: Post, sign: Sign, clock: Clock
) -> None:
    """Make the attempt if its time has come, note what became of it, and plan the next one."""
    now = clock.now()
    wait = (due.not_before - now).total_seconds()
    if wait > 0:
        queue.send(due, _queue_delay(wait))
        return
    endpoint = endpoints.find(due.owner, due.endpoint_id)
    delivery = deliveries.find(due.endpoint_id, due.delivery_id)
    if endpoint is None or endpoint.url is None or delivery is None:
        return
    is_challenge = delivery.event_type == CHALLENGE
    if (delivery.status == "delivered" and due.attempt > 0) or (endpoint.status != "active" and not is_challenge):
        return
    body = delivery.body.encode()
    outcome = post(endpoint.url, sign(endpoint.secrets, _event_id(delivery), now, body), body)
    made = Attempt(now, outcome.status, outcome.error)
    if outcome.delivered:
        deliveries.note(delivery, made, "delivered")
        if endpoint.failing_since is not None or is_challenge:
            endpoints.put(replace(endpoint, failing_since=None, status="active" if is_challenge else endpoint.status))
        return
    last = due.attempt >= len(PAUSES_SECONDS)
    failing_since = endpoint.failing_since or now
    gone = outcome.status == 410 or now - failing_since >= GIVEN_UP_AFTER
    deliveries.note(delivery, made, "failed" if last or gone else "waiting")
    status = "disabled" if gone and not is_challenge else endpoint.status
    if (failing_since, status) != (endpoint.failing_since, endpoint.status):
        endpoints.put(replace(endpoint, failing_since=failing_since, status=status))
    if not last and not gone:
        pause = _pause(due, outcome)
        queue.send(
            replace(due, attempt=due.attempt + 1, not_before=now + timedelta(seconds=pause)), _queue_delay(pause)
        )


def _enqueue(event: Event, endpoint: Endpoint, deliveries: Deliveries, queue: DueQueue, now: datetime) -> str:
    delivery_id = f"{to_epoch_ms(event.time):013d}.{event.id}"
    body = json.dumps(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": "/cardstock",
            "type": event.type,
            "subject": event.subject,
            "time": rfc3339(event.time),
            "timestamp": rfc3339(event.time),
            "sequence": f"{to_epoch_ms(event.time):013d}",
            "data": event.data,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    if len(body.encode()) > MAX_BODY_BYTES:
        raise ValueError(f"event {event.id} is larger than {MAX_BODY_BYTES} bytes")
    delivery = Delivery(endpoint.endpoint_id, delivery_id, event.type, body, "waiting", (), now)
    deliveries.add(delivery, now + KEPT)
    if endpoint.url is not None:
        # Also when the delivery was known: the message that announced it may have died before this line.
        queue.send(Due(endpoint.owner, endpoint.endpoint_id, delivery_id, 0, now), 0)
    return delivery_id


def _event_id(delivery: Delivery) -> str:
    return delivery.delivery_id.partition(".")[2]


def _pause(due: Due, outcome: Outcome) -> float:
    pause = float(PAUSES_SECONDS[due.attempt])
    pause += pause * _JITTER * (int(derived_id("j", due.delivery_id, str(due.attempt))[-1], 36) / 35)
    if outcome.status in (429, 503) and outcome.retry_after and outcome.retry_after.isdigit():
        pause = max(pause, min(float(outcome.retry_after[:6]), float(PAUSES_SECONDS[-1])))
    return pause


def _queue_delay(seconds: float) -> int:
    return min(_LONGEST_QUEUE_DELAY_SECONDS, int(seconds) + 1)
