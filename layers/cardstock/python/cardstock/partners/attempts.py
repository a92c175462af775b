"""Attempts to deliver: when an endpoint is called, called again, and disabled.

Of several messages for an attempt only the newest counts. Delivery is at least once: an attempt whose outcome could not
be stored is repeated with the same `webhook-id`, by which the receiver recognises it.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from msgspec.structs import replace

from cardstock import clock
from cardstock.ids import derived_id
from cardstock.partners.deliveries import LONGEST_QUEUE_DELAY_SECONDS
from cardstock.partners.model import (
    CHALLENGE,
    Attempt,
    AttemptOutcome,
    Delivery,
    DueAttempt,
    Endpoint,
    EndpointStatus,
)
from cardstock.partners.ports import AttemptNeeds, CallOutcome, Endpoints

# After the first attempt, which is immediate: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; over three days.
PAUSES_SECONDS: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
# For an address that has not confirmed yet: three attempts, then its owner has to request a new challenge.
CHALLENGE_PAUSES_SECONDS: Final = PAUSES_SECONDS[:2]
GIVEN_UP_AFTER: Final = timedelta(days=5)
_JITTER: Final = 0.1


def attempt(due: DueAttempt, *, needs: AttemptNeeds) -> AttemptOutcome:
    """Make the attempt if its time has come, store its outcome, and plan the next one.

    Returns `early`, `stale` (nothing left to do), `delivered`, `waiting` for the next attempt, `failed` (no more
    attempts), or `disabled` (no more attempts, and the endpoint is disabled).
    """
    now = clock.now()
    wait = (due.not_before - now).total_seconds()
    if wait > 0:
        needs.queue.send(due, _queue_delay(wait))
        return "early"
    endpoint = needs.endpoints.find(due.owner, due.endpoint_id)
    delivery = needs.deliveries.find(due.endpoint_id, due.delivery_id)
    if endpoint is None or delivery is None or delivery.status == "delivered" or delivery.tries > due.tries:
        return "stale"
    if endpoint.url is None or not endpoint.may_get(delivery.event_type):
        needs.deliveries.store_attempt(delivery, Attempt(now, None, "ENDPOINT_NOT_ACTIVE"), "failed")
        return "failed"
    body = delivery.body.encode()
    outcome = needs.post(endpoint.url, needs.sign(endpoint.secrets, delivery.event_id, now, body), body)
    made = Attempt(now, outcome.status, outcome.error)
    if outcome.delivered:
        _set_endpoint_status(
            endpoint, None, "active" if delivery.event_type == CHALLENGE else endpoint.status, needs.endpoints
        )
        needs.deliveries.store_attempt(delivery, made, "delivered")
        return "delivered"
    return _follow_failure(due, endpoint, delivery, outcome, made, needs)


def _follow_failure(  # noqa: PLR0917 - private, one caller
    due: DueAttempt, endpoint: Endpoint, delivery: Delivery, outcome: CallOutcome, made: Attempt, needs: AttemptNeeds
) -> AttemptOutcome:
    is_challenge = delivery.event_type == CHALLENGE
    failing_since = endpoint.failing_since or made.at
    given_up = outcome.status == 410 or made.at - failing_since >= GIVEN_UP_AFTER
    disabled = given_up and not is_challenge
    _set_endpoint_status(endpoint, failing_since, "disabled" if disabled else endpoint.status, needs.endpoints)
    pauses = CHALLENGE_PAUSES_SECONDS if is_challenge else PAUSES_SECONDS
    status: Literal["waiting", "failed"] = "failed" if given_up or due.attempt >= len(pauses) else "waiting"
    if status == "waiting":
        pause = _pause(pauses[due.attempt], due, outcome, made.at)
        not_before = made.at + timedelta(seconds=pause)
        following = replace(due, attempt=due.attempt + 1, tries=delivery.tries + 1, not_before=not_before)
        # Planned before this one is stored: a crash in between repeats an attempt; the other order would lose the next
        # one.
        needs.queue.send(following, _queue_delay(pause))
    needs.deliveries.store_attempt(delivery, made, status)
    return "disabled" if disabled else status


def _set_endpoint_status(
    endpoint: Endpoint, failing_since: datetime | None, status: EndpointStatus, endpoints: Endpoints
) -> None:
    if (failing_since, status) != (endpoint.failing_since, endpoint.status):
        endpoints.set_endpoint_status(endpoint, failing_since, status)


def _pause(planned: int, due: DueAttempt, outcome: CallOutcome, now: datetime) -> float:
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
    return min(LONGEST_QUEUE_DELAY_SECONDS, int(seconds) + 1)
