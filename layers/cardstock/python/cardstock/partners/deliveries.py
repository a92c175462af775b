"""Webhooks out: who gets an event, when it is tried again, and when an endpoint is given up.

Every step is safe to repeat: an endpoint has one delivery of an event however often that is announced, and of the
messages that ask for an attempt only the newest counts. What remains is what at-least-once means: an attempt whose
outcome could not be noted is made again under the same `webhook-id`, which is what that header is for.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from msgspec.structs import replace

from cardstock.clock import Clock, rfc3339, to_epoch_ms
from cardstock.errors import (
    NOT_FOUND,
    STORE_BUSY,
    Pointer,
)
from cardstock.ids import RequestKey, derived_id
from cardstock.partners import errors
from cardstock.partners.model import CHALLENGE, EVENT_TYPES, STAFF, Attempt, Delivery, Due, Endpoint, Event
from cardstock.partners.ports import Deliveries, DueQueue, Endpoints, Outcome, Post, Sign
from cardstock.partners.suppliers import new_secret

KEPT = timedelta(days=30)
MAX_BODY_BYTES = 20 * 1024
MAX_ENDPOINTS = 20
# After the attempt at once: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; a little over three days in all.
PAUSES_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
# Nobody has said yet that the address wants to be called: three attempts, then its owner has to ask again.
CHALLENGE_PAUSES_SECONDS = PAUSES_SECONDS[:2]
GIVEN_UP_AFTER = timedelta(days=5)
# Longer than a write can be under way: what is older can have nothing new before it.
SETTLED_AFTER = timedelta(seconds=15)
_LONGEST_QUEUE_DELAY_SECONDS = 900
_JITTER = 0.1
_ATTEMPTS = 4


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
) -> tuple[Endpoint, bool]:
    """An endpoint of `owner`, its challenge on the way, and whether it is new: a repeat of `request` gives the same.

    Raises `InvalidError` EVENT_UNKNOWN, `RefusedError` TOO_MANY_ENDPOINTS.
    """
    if any(kind != "*" and kind not in EVENT_TYPES for kind in events):
        raise errors.EVENT_UNKNOWN(pointers=(Pointer("/events", "OUT_OF_RANGE"),))
    endpoint_id = derived_id("whe", request.id)
    if endpoints.find(owner, endpoint_id) is None and len(endpoints.of(owner)) >= MAX_ENDPOINTS:
        raise errors.TOO_MANY_ENDPOINTS(limit=MAX_ENDPOINTS)
    status = "active" if url is None else "pending"
    endpoint = Endpoint(endpoint_id, owner, url, events, (new_secret(),), status, None, clock.now())
    earlier = endpoints.add(endpoint, request)
    if earlier is not None:
        stored = endpoints.find(owner, earlier)
        if stored is None:
            raise NOT_FOUND()
        endpoint = stored
    if endpoint.status == "pending":
        # Also when it was known: the request that made it may have died before this line.
        _challenge(endpoint, endpoint.created_at, deliveries, queue, clock)
    return endpoint, earlier is None


def rotate_secret(owner: str, endpoint_id: str, request: RequestKey, *, endpoints: Endpoints, clock: Clock) -> Endpoint:
    """The endpoint with a new secret before the one it had: both sign, so that its owner can change over.

    A repeat of `request` changes nothing. Raises `NotFoundError`, and `UnavailableError` when others rotate too.
    """
    for _ in range(_ATTEMPTS):
        endpoint = endpoints.find(owner, endpoint_id)
        if endpoint is None:
            raise NOT_FOUND()
        if endpoints.rotate(endpoint, (new_secret(), *endpoint.secrets)[:2], request, clock.now()):
            return endpoints.find(owner, endpoint_id) or endpoint
    raise STORE_BUSY()


def challenge(endpoint: Endpoint, *, deliveries: Deliveries, queue: DueQueue, clock: Clock) -> str:
    """Send a test event; a 2xx makes the endpoint active, also one that was disabled. Gives the delivery's id."""
    return _challenge(endpoint, clock.now(), deliveries, queue, clock)


def publish(event: Event, *, endpoints: Endpoints, deliveries: Deliveries, queue: DueQueue, clock: Clock) -> int:
    """Give `event` to every endpoint that wants it: those of staff, and those of the supplier it is about. How many.

    Endpoints that are not active keep it: nothing is lost because an address is broken.
    """
    owners = [STAFF]
    supplier = event.data.get("supplier_id")
    if isinstance(supplier, str) and supplier != STAFF:
        owners.append(supplier)
    reached = 0
    for owner in owners:
        for known in endpoints.listening(owner):
            if not known.wants(event.type):
                continue
            # What is known may be old: who has just answered the challenge is called at once.
            endpoint = known if known.status == "active" else endpoints.find(owner, known.endpoint_id)
            if endpoint is not None:
                _add(event, endpoint, deliveries, queue, clock)
                reached += 1
    return reached


def fetch(
    endpoint_id: str, limit: int, after: str | None, *, deliveries: Deliveries, clock: Clock
) -> tuple[Sequence[Delivery], str | None]:
    """Deliveries after `after`, in the order in which they were added, fifteen seconds late, and where to go on: there
    is no end, since more will follow.

    Guarantee: who goes on after the last one he got sees every delivery, whatever the order of the events.
    """
    before = f"{to_epoch_ms(clock.now() - SETTLED_AFTER):013d}"
    found, _ = deliveries.page(endpoint_id, before, limit, after)
    return found, found[-1].delivery_id if found else after


def redeliver(
    owner: str, endpoint_id: str, delivery_id: str, *, endpoints: Endpoints, deliveries: Deliveries, queue: DueQueue,
    clock: Clock,
) -> None:  # fmt: skip
    """Try a delivery again now, with a fresh set of attempts; those still planned are dropped.

    Raises `NotFoundError`, and `ConflictError` ENDPOINT_NOT_ACTIVE for one that cannot be called.
    """
    endpoint = endpoints.find(owner, endpoint_id)
    delivery = deliveries.find(endpoint_id, delivery_id) if endpoint is not None else None
    if endpoint is None or delivery is None:
        raise NOT_FOUND()
    if endpoint.url is None or (endpoint.status != "active" and delivery.event_type != CHALLENGE):
        raise errors.ENDPOINT_NOT_ACTIVE()
    deliveries.reopen(delivery)
    queue.send(Due(owner, endpoint_id, delivery_id, 0, delivery.tries, clock.now()), 0)


def attempt(
    due: Due, *, endpoints: Endpoints, deliveries: Deliveries, queue: DueQueue, post: Post, sign: Sign, clock: Clock
) -> str:
    """Make the attempt if its time has come, note what became of it, and plan the next one.

    Tells what happened: `early`, `stale` (nothing to do any more), `delivered`, `waiting`, `failed` (given up), or
    `disabled` (the endpoint is given up).
    """
    now = clock.now()
    wait = (due.not_before - now).total_seconds()
    if wait > 0:
        queue.send(due, _queue_delay(wait))
        return "early"
    endpoint = endpoints.find(due.owner, due.endpoint_id)
    delivery = deliveries.find(due.endpoint_id, due.delivery_id)
    if endpoint is None or delivery is None or delivery.status == "delivered" or delivery.tries > due.tries:
        return "stale"
    is_challenge = delivery.event_type == CHALLENGE
    if endpoint.url is None or (endpoint.status != "active" and not is_challenge):
        deliveries.note(delivery, Attempt(now, None, "ENDPOINT_NOT_ACTIVE"), "failed")
        return "failed"
    body = delivery.body.encode()
    outcome = post(endpoint.url, sign(endpoint.secrets, delivery.event_id, now, body), body)
    made = Attempt(now, outcome.status, outcome.error)
    if outcome.delivered:
        _mark(endpoint, None, "active" if is_challenge else endpoint.status, endpoints)
        deliveries.note(delivery, made, "delivered")
        return "delivered"
    failing_since = endpoint.failing_since or now
    given_up = outcome.status == 410 or now - failing_since >= GIVEN_UP_AFTER
    disabled = given_up and not is_challenge
    _mark(endpoint, failing_since, "disabled" if disabled else endpoint.status, endpoints)
    pauses = CHALLENGE_PAUSES_SECONDS if is_challenge else PAUSES_SECONDS
    last = given_up or due.attempt >= len(pauses)
    if not last:
        pause = _pause(pauses[due.attempt], due, outcome, now)
        not_before = now + timedelta(seconds=pause)
        following = replace(due, attempt=due.attempt + 1, tries=delivery.tries + 1, not_before=not_before)
        # Planned before this one is noted: a crash in between makes it twice, the other order would make it the last.
        queue.send(following, _queue_delay(pause))
    deliveries.note(delivery, made, "failed" if last else "waiting")
    return "disabled" if disabled else "failed" if last else "waiting"


def _challenge(endpoint: Endpoint, at: datetime, deliveries: Deliveries, queue: DueQueue, clock: Clock) -> str:
    event = Event(derived_id("evt", endpoint.endpoint_id, rfc3339(at)), CHALLENGE, endpoint.endpoint_id, at, {})
    return _add(event, endpoint, deliveries, queue, clock)


def _add(event: Event, endpoint: Endpoint, deliveries: Deliveries, queue: DueQueue, clock: Clock) -> str:
    now = clock.now()
    send = endpoint.url is not None and (endpoint.status == "active" or event.type == CHALLENGE)
    delivery_id = deliveries.add(
        Delivery(
            endpoint.endpoint_id,
            f"{to_epoch_ms(now):013d}.{event.id}",
            event.type,
            _body(event),
            "waiting" if send else "kept",
            (),
            0,
            now,
        ),
        now + KEPT,
    )
    if send:
        # Also when the delivery was known: the message that announced it may have died before this line.
        queue.send(Due(endpoint.owner, endpoint.endpoint_id, delivery_id, 0, 0, now), 0)
    return delivery_id


def _body(event: Event) -> str:
    body = _json(event, event.data)
    if len(body.encode()) > MAX_BODY_BYTES:
        # The lists make it long; who gets the ids can ask for the rest.
        short = {name: value for name, value in event.data.items() if isinstance(value, str | int)}
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


def _mark(endpoint: Endpoint, failing_since: datetime | None, status: str, endpoints: Endpoints) -> None:
    if (failing_since, status) != (endpoint.failing_since, endpoint.status):
        endpoints.mark(endpoint, failing_since, status)


def _pause(planned: int, due: Due, outcome: Outcome, now: datetime) -> float:
    # Derived, not random: a repeat of this attempt plans the same moment.
    share = int(derived_id("jitter", due.delivery_id, str(due.tries))[-1], 36) / 35
    pause = planned * (1 + _JITTER * share)
    if outcome.status in (429, 503) and outcome.retry_after is not None:
        pause = max(pause, min(_asked_seconds(outcome.retry_after, now), float(PAUSES_SECONDS[-1])))
    return pause


def _asked_seconds(retry_after: str, now: datetime) -> float:
    """Retry-After as seconds from `now` (RFC 9110: a number, or a date); 0 if it is neither."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
        return (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _queue_delay(seconds: float) -> int:
    return min(_LONGEST_QUEUE_DELAY_SECONDS, int(seconds) + 1)
