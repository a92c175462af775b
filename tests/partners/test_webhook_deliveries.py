"""Outgoing webhooks: who gets what, how often, until when."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from msgspec.structs import replace

from cardstock.edge.signatures import sign, verify
from cardstock.errors import (
    QUEUE_UNAVAILABLE,
    ConflictError,
    InvalidError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from cardstock.partners import attempts, endpoints
from cardstock.partners import deliveries as service
from cardstock.partners.model import CHALLENGE, STAFF, AttemptOutcome, Delivery, DueAttempt, Endpoint, Event
from cardstock.partners.ports import AttemptNeeds, WebhookNeeds
from cardstock.partners.post import CallOutcome
from tests.people.clock import TestClock
from tests.people.memory_partners import (
    START,
    MemoryDeliveries,
    MemoryEndpoints,
    MemoryQueue,
    Receiver,
    request,
)

URL = "https://erp.example.com/hook"
DAY_SECONDS = 86_400


class World:
    """Everything around outgoing webhooks."""

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.endpoints = MemoryEndpoints()
        self.deliveries = MemoryDeliveries()
        self.queue = MemoryQueue()
        self.receiver = Receiver()

    def create(
        self, owner: str = "sup_1", url: str | None = URL, events: tuple[str, ...] = ("*",), key: str = "create"
    ) -> Endpoint:
        made, _ = endpoints.create_endpoint(owner, url, events, request(key), needs=self.needs())
        return made

    def active(self, owner: str = "sup_1", events: tuple[str, ...] = ("*",), key: str = "create") -> Endpoint:
        """An endpoint that has answered its challenge."""
        made = self.create(owner, URL, events, key)
        assert self.attempt(self.queue.take()) == "delivered"
        self.receiver.got.clear()
        return self.stored(made)

    def stored(self, endpoint: Endpoint) -> Endpoint:
        found = self.endpoints.find(endpoint.owner, endpoint.endpoint_id)
        assert found is not None
        return found

    def publish(self, event: Event) -> int:
        return service.publish(event, needs=self.needs())

    def needs(self) -> WebhookNeeds:
        return WebhookNeeds(self.endpoints, self.deliveries, self.queue)

    def attempt(self, due: DueAttempt) -> AttemptOutcome:
        needs = AttemptNeeds(self.endpoints, self.deliveries, self.queue, self.receiver, sign)
        return attempts.attempt(due, needs=needs)

    def redeliver(self, endpoint: Endpoint, delivery_id: str) -> None:
        service.redeliver(endpoint.owner, endpoint.endpoint_id, delivery_id, needs=self.needs())

    def challenge(self, endpoint: Endpoint) -> str:
        return endpoints.challenge(endpoint.owner, endpoint.endpoint_id, needs=self.needs())

    def fetch(self, endpoint: Endpoint, after: str | None = None, limit: int = 100) -> list[Delivery]:
        found, following = service.fetch(endpoint.endpoint_id, limit, after, deliveries=self.deliveries)
        assert following == (found[-1].delivery_id if found else after)  # what is added later follows it
        return list(found)

    def of_event(self, endpoint: Endpoint, event_id: str) -> Delivery:
        (found,) = [d for d in self.deliveries.deliveries.values()
                    if (d.endpoint_id, d.event_id) == (endpoint.endpoint_id, event_id)]  # fmt: skip
        return found

    def run_out(self, due: DueAttempt) -> list[float]:
        """Make the attempts as they fall due until none follows: seconds after the first of each."""
        first = self.clock.now()
        moments: list[float] = []
        while True:
            before = len(self.receiver.got)
            self.attempt(due)
            moments += [(self.clock.now() - first).total_seconds()] * (len(self.receiver.got) - before)
            if not self.queue.sent:
                return moments
            ((due, delay),) = self.queue.sent
            self.queue.sent.clear()
            self.clock.move(seconds=delay)


@pytest.fixture
def world(clock: TestClock) -> World:
    return World(clock)


def event(number: int = 1, kind: str = "fulfilment.requested", supplier: str | None = "sup_1", **data: object) -> Event:
    about: dict[str, object] = {"order_id": f"ord_{number}", **data}
    if supplier is not None:
        about["supplier_id"] = supplier
    return Event(f"evt_{number}", kind, f"ord_{number}", START - timedelta(seconds=100 - number), about)


# --- endpoints and their challenge ---


def test_a_new_endpoint_is_pending_until_it_answers_the_challenge(world: World) -> None:
    made = world.create()
    before = made.status
    became = world.attempt(world.queue.take())

    (_, headers, body) = world.receiver.got[0]
    assert (before, became, world.stored(made).status) == ("pending", "delivered", "active")
    assert json.loads(body)["type"] == CHALLENGE
    assert verify(made.secrets, headers, body, START) == json.loads(body)["id"]


def test_an_endpoint_without_an_address_is_active_at_once_and_never_called(world: World) -> None:
    made = world.create(url=None)
    world.publish(event())

    assert made.status == "active"
    assert world.queue.sent == []
    assert world.of_event(made, "evt_1").status == "kept"


def test_a_repeated_request_gives_the_same_endpoint_and_its_challenge_once(world: World) -> None:
    first = world.create()
    due = world.queue.take()
    again = world.create()
    repeated = world.queue.take()
    world.attempt(due)

    assert again == first
    assert world.attempt(repeated) == "stale"
    assert len(world.receiver.got) == 1


def test_a_request_that_died_before_the_challenge_sends_it_when_repeated(world: World) -> None:
    def dead(due: DueAttempt, delay_seconds: int) -> None:
        raise QUEUE_UNAVAILABLE()

    alive, world.queue.send = world.queue.send, dead  # type: ignore[method-assign]  # the queue dies once
    with pytest.raises(UnavailableError):
        world.create()
    world.queue.send = alive  # type: ignore[method-assign]  # and lives again
    made = world.create()
    world.attempt(world.queue.take())

    assert world.stored(made).status == "active"


def test_the_same_request_key_with_another_body_is_refused(world: World) -> None:
    world.create()

    with pytest.raises(RefusedError) as refused:
        endpoints.create_endpoint("sup_1", None, ("*",), request("create", "another"), needs=world.needs())

    assert refused.value.code == "IDEMPOTENCY_KEY_REUSED"


def test_an_unknown_type_of_event_is_refused(world: World) -> None:
    with pytest.raises(InvalidError) as refused:
        world.create(events=("order.paid", "order.payed"))

    assert refused.value.code == "EVENT_UNKNOWN"
    assert world.endpoints.endpoints == {}


def test_an_owner_has_at_most_twenty_endpoints_and_a_repeat_of_the_last_is_no_further_one(world: World) -> None:
    for number in range(20):
        world.create(key=f"key {number}")

    assert world.create(key="key 19").status == "pending"
    with pytest.raises(RefusedError) as refused:
        world.create(key="key 20")
    assert refused.value.code == "TOO_MANY_ENDPOINTS"
    assert world.create("sup_2", key="key 21").owner == "sup_2"


def test_an_unanswered_challenge_is_given_up_after_three_attempts(world: World) -> None:
    made = world.create()
    world.receiver.answer = CallOutcome(500, None)
    moments = world.run_out(world.queue.take())

    assert len(moments) == 3
    assert world.stored(made).status == "pending"


def test_a_410_to_the_challenge_ends_it_and_disables_nothing(world: World) -> None:
    made = world.create()
    world.receiver.answer = CallOutcome(410, None)
    became = world.attempt(world.queue.take())

    assert (became, world.queue.sent, world.stored(made).status) == ("failed", [], "pending")


def test_a_test_event_makes_a_disabled_endpoint_active_again(world: World) -> None:
    made = world.active()
    world.receiver.answer = CallOutcome(410, None)
    world.publish(event())
    world.attempt(world.queue.take())
    disabled = world.stored(made)
    world.receiver.answer = CallOutcome(200, None)
    world.clock.move(hours=1)
    world.challenge(disabled)
    world.attempt(world.queue.take())

    assert disabled.status == "disabled"
    assert (world.stored(made).status, world.stored(made).failing_since) == ("active", None)


def test_a_rotated_secret_signs_beside_the_one_before(world: World) -> None:
    made = world.active()
    rotated, again = (
        endpoints.rotate_secret("sup_1", made.endpoint_id, request("rotate"), endpoints=world.endpoints)
        for _ in range(2)
    )
    world.publish(event())
    world.attempt(world.queue.take())
    (_, headers, body) = world.receiver.got[0]

    assert rotated.secrets[1] == made.secrets[0] != rotated.secrets[0]
    assert again == rotated
    assert [verify([secret], headers, body, START) for secret in rotated.secrets] == ["evt_1", "evt_1"]


def test_only_the_owner_can_rotate(world: World) -> None:
    made = world.active()

    with pytest.raises(NotFoundError):
        endpoints.rotate_secret("sup_2", made.endpoint_id, request("r"), endpoints=world.endpoints)


# --- fan-out ---


def test_an_event_goes_to_staff_and_to_the_supplier_it_is_about_and_to_nobody_else(world: World) -> None:
    staff = world.active(STAFF, key="a")
    mine = world.active("sup_1", key="b")
    other = world.active("sup_2", key="c")
    deaf = world.active("sup_1", events=("shipment.created",), key="d")

    reached = world.publish(event())
    public = world.publish(event(2, "order.paid", supplier=None))

    assert (reached, public) == (2, 1)
    told = {(d.endpoint_id, d.event_id) for d in world.deliveries.deliveries.values() if d.event_type != CHALLENGE}
    assert told == {(staff.endpoint_id, "evt_1"), (mine.endpoint_id, "evt_1"), (staff.endpoint_id, "evt_2")}
    assert other.endpoint_id != deaf.endpoint_id


def test_an_event_about_a_supplier_called_staff_reaches_staff_once(world: World) -> None:
    world.active(STAFF)

    assert world.publish(event(supplier=STAFF)) == 1


def test_an_event_announced_often_is_sent_once(world: World) -> None:
    world.active()
    for _ in range(3):
        world.publish(event())
        world.clock.move(seconds=1)
    outcomes = [world.attempt(due) for due, _ in world.queue.sent]
    world.queue.sent.clear()
    world.publish(event())
    outcomes.append(world.attempt(world.queue.take()))

    assert outcomes == ["delivered", "stale", "stale", "stale"]
    assert world.receiver.ids == ["evt_1"]


def test_an_announcement_that_comes_again_while_an_attempt_waits_starts_no_second_chain(world: World) -> None:
    world.active()
    world.receiver.answer = CallOutcome(500, None)
    world.publish(event())
    world.attempt(world.queue.take())
    planned = world.queue.take()
    world.publish(event())

    assert world.attempt(world.queue.take()) == "stale"
    assert planned.attempt == 1
    assert len(world.receiver.got) == 1


def test_what_happens_while_an_endpoint_is_not_active_is_kept_for_it(world: World) -> None:
    made = world.create()
    world.queue.sent.clear()
    world.publish(event())
    kept = world.of_event(made, "evt_1")
    sent = list(world.queue.sent)
    world.challenge(made)
    world.attempt(world.queue.take())
    world.redeliver(made, kept.delivery_id)
    became = world.attempt(world.queue.take())

    assert (kept.status, sent) == ("kept", [])
    assert became == "delivered"


def test_the_body_has_the_fields_of_a_cloud_event_and_the_id_of_the_webhook(world: World) -> None:
    world.active()
    world.publish(event(name="茶壶"))
    world.attempt(world.queue.take())
    (url, headers, body) = world.receiver.got[0]

    assert url == URL
    assert json.loads(body) == {
        "specversion": "1.0",
        "id": "evt_1",
        "source": "/cardstock",
        "type": "fulfilment.requested",
        "subject": "ord_1",
        "time": "2026-12-01T07:58:21.000Z",
        "timestamp": "2026-12-01T07:58:21.000Z",
        "sequence": "1796111901000",
        "data": {"order_id": "ord_1", "name": "茶壶", "supplier_id": "sup_1"},
    }
    assert headers["webhook-id"] == "evt_1"


def test_an_event_too_long_to_send_goes_out_with_its_ids(world: World) -> None:
    world.active()
    world.publish(event(lines=[{"sku": str(number), "name": "长" * 100} for number in range(80)]))
    world.attempt(world.queue.take())
    body = world.receiver.got[0][2]

    assert len(body) <= service.MAX_BODY_BYTES
    assert json.loads(body)["data"] == {"order_id": "ord_1", "supplier_id": "sup_1", "shortened": True}


# --- attempts ---


def test_attempts_follow_the_schedule_with_at_most_a_tenth_of_jitter(world: World) -> None:
    made = world.active()
    world.receiver.answer = CallOutcome(500, None)
    world.publish(event())
    moments = world.run_out(world.queue.take())
    delivery = world.of_event(made, "evt_1")

    pauses = [later - earlier for earlier, later in pairwise(moments)]
    planned = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert len(moments) == 10
    # A message cannot wait longer than a quarter of an hour nor for parts of seconds: up to two seconds later.
    assert all(at_least <= pause <= 1.1 * at_least + 2 for at_least, pause in zip(planned, pauses, strict=True)), pauses
    assert len({round(pause / at_least, 4) for at_least, pause in zip(planned, pauses, strict=True)}) > 5
    assert (delivery.status, delivery.tries) == ("failed", 10)
    assert {attempt.status for attempt in delivery.attempts} == {500}
    assert world.stored(made).status == "active"


def test_a_message_that_comes_early_waits_on_and_calls_nobody(world: World) -> None:
    world.active()
    world.publish(event())
    due = replace(world.queue.take(), not_before=world.clock.now() + timedelta(hours=2))
    became = world.attempt(due)

    assert became == "early"
    assert world.queue.sent == [(due, 900)]
    assert world.receiver.got == []


@pytest.mark.parametrize("status", [None, 100, 199, 301, 302, 307, 400, 404, 429, 500, 503])
def test_only_a_2xx_is_a_delivery(world: World, status: int | None) -> None:
    made = world.active()
    world.receiver.answer = CallOutcome(status, "TIMED_OUT" if status is None else None)
    world.publish(event())
    became = world.attempt(world.queue.take())

    assert became == "waiting"
    assert world.of_event(made, "evt_1").status == "waiting"
    assert world.stored(made).failing_since == START


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_ends_the_attempts(world: World, status: int) -> None:
    made = world.active()
    world.receiver.answer = CallOutcome(status, None)
    world.publish(event())
    became = world.attempt(world.queue.take())

    assert (became, world.queue.sent) == ("delivered", [])
    assert world.of_event(made, "evt_1").attempts[0].status == status


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 5),
        ("  60 ", 60),
        ("999999999999999", DAY_SECONDS),
        (format_datetime(START + timedelta(hours=1), usegmt=True), 3_600),
        (format_datetime(START - timedelta(hours=1), usegmt=True), 5),
        (format_datetime(datetime(9999, 12, 31, tzinfo=UTC), usegmt=True), DAY_SECONDS),
        ("²", 5),
        ("-5", 5),
        ("1.5", 5),
        ("soon", 5),
        ("", 5),
        ("Fri, 99 Foo 2026 25:61:61 +9999", 5),
    ],
)
def test_retry_after_is_honoured_up_to_a_day_and_nonsense_is_not(
    world: World, status: int, header: str, seconds: int
) -> None:
    world.active()
    world.receiver.answer = CallOutcome(status, None, header)
    world.publish(event())
    world.attempt(world.queue.take())
    due = world.queue.take()

    pause = (due.not_before - world.clock.now()).total_seconds()
    assert seconds <= pause <= max(seconds, 5.5)


def test_retry_after_of_any_other_answer_is_ignored(world: World) -> None:
    world.active()
    world.receiver.answer = CallOutcome(500, None, "3600")
    world.publish(event())
    world.attempt(world.queue.take())

    assert (world.queue.take().not_before - world.clock.now()).total_seconds() <= 5.5


def test_410_disables_the_endpoint_and_gives_the_delivery_up(world: World) -> None:
    made = world.active()
    world.receiver.answer = CallOutcome(410, None)
    world.publish(event())
    became = world.attempt(world.queue.take())

    assert became == "disabled"
    assert world.queue.sent == []
    assert world.stored(made).status == "disabled"
    assert world.of_event(made, "evt_1").status == "failed"


def test_five_days_of_nothing_but_failures_disable_the_endpoint(world: World) -> None:
    made = world.active()
    world.receiver.answer = CallOutcome(500, None)
    statuses: list[str] = []
    for day in range(6):
        world.publish(event(day))
        statuses.append(world.attempt(world.queue.take()))
        world.queue.sent.clear()
        statuses.append(world.stored(made).status)
        world.clock.move(days=1)

    assert statuses == ["waiting", "active"] * 5 + ["disabled", "disabled"]


def test_one_success_begins_the_five_days_anew(world: World) -> None:
    made = world.active()
    for day in range(12):
        world.receiver.answer = CallOutcome(200 if day % 4 == 3 else 500, None)
        world.publish(event(day))
        world.attempt(world.queue.take())
        world.queue.sent.clear()
        world.clock.move(days=1)

    assert world.stored(made).status == "active"


def test_what_was_on_its_way_to_a_disabled_endpoint_is_told_as_failed_and_not_sent(world: World) -> None:
    made = world.active()
    world.publish(event(1))
    world.publish(event(2))
    world.receiver.answer = CallOutcome(410, None)
    (first, _), (second, _) = world.queue.sent
    world.attempt(first)
    became = world.attempt(second)

    assert became == "failed"
    assert world.receiver.ids == ["evt_1"]
    assert world.of_event(made, "evt_2").attempts[0].error == "ENDPOINT_NOT_ACTIVE"


def test_an_endpoint_removed_during_a_call_stays_removed(world: World) -> None:
    made = world.active()
    world.receiver.answer = CallOutcome(500, None)
    world.receiver.meanwhile = lambda: world.endpoints.remove(made.owner, made.endpoint_id)
    world.publish(event())
    world.attempt(world.queue.take())

    assert world.endpoints.endpoints == {}
    world.clock.move(minutes=1)
    assert world.attempt(world.queue.take()) == "stale"


def test_a_secret_rotated_during_a_call_stays_rotated(world: World) -> None:
    made = world.active()
    world.receiver.answer = CallOutcome(500, None)
    world.receiver.meanwhile = lambda: endpoints.rotate_secret(  # type: ignore[assignment]  # its result is not wanted
        "sup_1", made.endpoint_id, request("rotate"), endpoints=world.endpoints
    )
    world.publish(event())
    world.attempt(world.queue.take())

    assert len(world.stored(made).secrets) == 2
    assert world.stored(made).failing_since == START


def test_a_crash_between_planning_and_noting_repeats_the_attempt_and_keeps_one_chain(world: World) -> None:
    made = world.active()
    world.receiver.answer = CallOutcome(500, None)
    world.publish(event())
    due = world.queue.take()
    before = world.deliveries.deliveries.copy()
    world.attempt(due)
    world.deliveries.deliveries = before  # the note was never written
    planned = world.queue.take()
    world.clock.move(seconds=10)
    world.attempt(planned)
    following = world.queue.take()
    again = world.attempt(due)  # the queue gives the first message out again

    assert again == "stale"
    assert world.queue.sent == []
    assert following.attempt == 2
    assert world.of_event(made, "evt_1").tries == following.tries
    world.clock.move(minutes=6)
    assert world.attempt(following) == "waiting"


def test_a_delivery_made_by_a_copy_of_the_message_ends_the_chain_that_the_other_copy_planned(world: World) -> None:
    world.active()
    world.publish(event())
    due = world.queue.take()

    def copy_arrives() -> None:
        world.receiver.meanwhile = lambda: None
        world.receiver.answer = CallOutcome(200, None)
        assert world.attempt(due) == "delivered"
        world.receiver.answer = CallOutcome(500, None)

    world.receiver.answer = CallOutcome(500, None)
    world.receiver.meanwhile = copy_arrives
    world.attempt(due)
    world.clock.move(minutes=1)
    planned = [each for each, _ in world.queue.sent]

    assert [world.attempt(each) for each in planned] == ["stale"]


# --- redelivery ---


def test_a_delivered_event_can_be_delivered_again_with_all_its_attempts(world: World) -> None:
    made = world.active()
    world.publish(event())
    world.attempt(world.queue.take())
    delivery = world.of_event(made, "evt_1")
    world.receiver.answer = CallOutcome(500, None)
    world.redeliver(made, delivery.delivery_id)
    moments = world.run_out(world.queue.take())

    assert len(moments) == 10
    assert world.receiver.ids == ["evt_1"] * 11
    assert world.of_event(made, "evt_1").tries == 11


def test_redelivering_while_an_attempt_waits_replaces_it(world: World) -> None:
    made = world.active()
    world.receiver.answer = CallOutcome(500, None)
    world.publish(event())
    world.attempt(world.queue.take())
    planned = world.queue.take()
    world.redeliver(made, world.of_event(made, "evt_1").delivery_id)
    world.receiver.answer = CallOutcome(200, None)
    now = world.attempt(world.queue.take())
    world.clock.move(minutes=10)
    later = world.attempt(planned)

    assert (now, later) == ("delivered", "stale")


def test_redelivering_twice_at_once_sends_once(world: World) -> None:
    made = world.active()
    world.publish(event())
    world.attempt(world.queue.take())
    delivery = world.of_event(made, "evt_1")
    world.redeliver(made, delivery.delivery_id)
    world.redeliver(made, delivery.delivery_id)
    outcomes = [world.attempt(due) for due, _ in world.queue.sent]

    assert outcomes == ["delivered", "stale"]


def test_what_cannot_be_called_cannot_be_redelivered(world: World) -> None:
    pull = world.create(url=None, key="pull")
    pending = world.create(key="pending")
    world.publish(event())

    for endpoint in (pull, pending):
        with pytest.raises(ConflictError) as refused:
            world.redeliver(endpoint, world.of_event(endpoint, "evt_1").delivery_id)
        assert refused.value.code == "ENDPOINT_NOT_ACTIVE"


def test_somebody_elses_delivery_is_not_found(world: World) -> None:
    made = world.active()
    world.publish(event())
    delivery = world.of_event(made, "evt_1")

    with pytest.raises(NotFoundError):
        world.redeliver(replace(made, owner="sup_2"), delivery.delivery_id)
    with pytest.raises(NotFoundError):
        world.redeliver(made, "0000000000000.evt_none")


# --- fetching ---


def test_who_fetches_sees_every_event_whatever_their_order(world: World) -> None:
    made = world.create(url=None)
    seen: list[str] = []
    after = None
    for number in (5, 3, 9, 1, 7):  # events arrive out of the order in which they happened
        world.publish(event(number))
        world.clock.move(seconds=20)
        for delivery in world.fetch(made, after):
            after = delivery.delivery_id
            seen.append(delivery.event_id)

    assert seen == ["evt_5", "evt_3", "evt_9", "evt_1", "evt_7"]


def test_what_was_added_a_moment_ago_is_not_listed_yet(world: World) -> None:
    made = world.create(url=None)
    world.publish(event())
    at_once = world.fetch(made)
    world.clock.move(seconds=15)
    soon = world.fetch(made)
    world.clock.move(milliseconds=1)

    assert (at_once, soon) == ([], [])
    assert [delivery.event_id for delivery in world.fetch(made)] == ["evt_1"]


def test_pages_follow_each_other_without_gap_or_overlap(world: World) -> None:
    made = world.create(url=None)
    for number in range(7):
        world.publish(event(number))
        world.clock.move(milliseconds=1)
    world.clock.move(minutes=1)
    seen: list[str] = []
    after = None
    while page := world.fetch(made, after, limit=3):
        after = page[-1].delivery_id
        seen += [delivery.event_id for delivery in page]

    assert seen == [f"evt_{number}" for number in range(7)]
