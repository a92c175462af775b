"""One suite for the partners' stores: what the services rely on, of the fakes and of the tables alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from msgspec.structs import replace

from cardstock import environment
from cardstock.aws.queues import Queue, forget_client
from cardstock.errors import RefusedError, UnavailableError
from cardstock.partners.messages import AttemptMessage, read_message
from cardstock.partners.model import ApiKey, Attempt, Delivery, DueAttempt, Endpoint, InboxMessage, Supplier
from cardstock.partners.ports import Deliveries, DueQueue, Endpoints, Inbox, Keys, Suppliers
from cardstock.partners.post import DueMessages
from cardstock.partners.store import (
    DynamoDeliveries,
    DynamoEndpoints,
    DynamoInbox,
    DynamoKeys,
    DynamoSuppliers,
    find_key,
)
from cardstock.partners.wiring import due_queue
from tests.house.cloud import Cloud, template
from tests.house.faults import at, watch
from tests.people.memory_partners import (
    START,
    MemoryDeliveries,
    MemoryEndpoints,
    MemoryInbox,
    MemoryKeys,
    MemoryQueue,
    MemorySuppliers,
    request,
)

CONTRACT = {
    Keys: (MemoryKeys, DynamoKeys),
    Suppliers: (MemorySuppliers, DynamoSuppliers),
    Inbox: (MemoryInbox, DynamoInbox),
    Endpoints: (MemoryEndpoints, DynamoEndpoints),
    Deliveries: (MemoryDeliveries, DynamoDeliveries),
    DueQueue: (MemoryQueue, DueMessages),
}

KEY = ApiKey("key_1", "digest", frozenset({"orders:fulfil", "catalog:write"}), "sup_1", "宁波织物", "ERP", START)
SUPPLIER = Supplier("sup_1", "宁波织物", ("whsec_a",), START)
ENDPOINT = Endpoint("whe_1", "sup_1", "https://a.example/x", ("order.paid", "*"), ("whsec_a",), "pending", None, START)
KEEP = START + timedelta(days=30)
LATE = "9999999999999"


def delivery(number: int, endpoint_id: str = "whe_1") -> Delivery:
    return Delivery(endpoint_id, f"{number:013d}.evt_{number}", "order.paid", '{"茶":1}', "waiting", (), 0, START)


@dataclass
class Stores:
    keys: Keys
    suppliers: Suppliers
    inbox: Inbox
    endpoints: Endpoints
    deliveries: Deliveries


@pytest.fixture(params=["memory", "tables"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        yield Stores(MemoryKeys(), MemorySuppliers(), MemoryInbox(), MemoryEndpoints(), MemoryDeliveries())
        return
    request.getfixturevalue("cloud")
    yield Stores(
        DynamoKeys(),
        DynamoSuppliers(),
        DynamoInbox(),
        DynamoEndpoints(),
        DynamoDeliveries(),
    )


# --- keys ---


def test_a_key_comes_back_as_it_was_stored(stores: Stores) -> None:
    assert stores.keys.add(KEY, request()) is None
    assert stores.keys.find("key_1") == KEY


def test_a_repeated_request_stores_nothing_and_names_the_first_key(stores: Stores) -> None:
    stores.keys.add(KEY, request())
    earlier = stores.keys.add(replace(KEY, secret_sha256="other"), request())

    assert earlier == "key_1"
    assert stores.keys.find("key_1") == KEY


def test_a_request_key_with_another_body_is_refused(stores: Stores) -> None:
    stores.keys.add(KEY, request())

    with pytest.raises(RefusedError) as refused:
        stores.keys.add(KEY, request("one", "another"))

    assert refused.value.code == "IDEMPOTENCY_KEY_REUSED"


def test_a_revoked_key_is_found_inactive_and_an_unknown_one_cannot_be_revoked(stores: Stores) -> None:
    stores.keys.add(KEY, request())

    assert [stores.keys.revoke("key_1"), stores.keys.revoke("key_1"), stores.keys.revoke("key_2")] == [
        True,
        True,
        False,
    ]
    assert stores.keys.find("key_1") == replace(KEY, state="revoked")
    assert stores.keys.find("key_2") is None


def test_an_owners_keys_are_listed_in_pages(stores: Stores) -> None:
    for number in range(5):
        stores.keys.add(replace(KEY, key_id=f"key_{number}"), request(str(number)))
    stores.keys.add(replace(KEY, key_id="key_9", owner="stf_1"), request("staff"))
    first, following = stores.keys.keys_of_owner("sup_1", 3, None)
    second, end = stores.keys.keys_of_owner("sup_1", 3, following)

    assert [key.key_id for key in (*first, *second)] == [f"key_{number}" for number in range(5)]
    assert (following, end) == ("key_2", None)
    assert stores.keys.keys_of_owner("sup_2", 3, None) == ([], None)


def test_any_text_can_be_asked_for_as_a_key(stores: Stores) -> None:
    assert [stores.keys.find(text) for text in ("key_", "x" * 5_000, "密" * 2_000, "key_\x00")] == [None] * 4


# --- suppliers ---


def test_the_first_supplier_of_an_id_stays(stores: Stores) -> None:
    first = stores.suppliers.add(SUPPLIER)
    second = stores.suppliers.add(replace(SUPPLIER, name="another", inbox_secrets=("whsec_b",)))

    assert first == second == stores.suppliers.find("sup_1") == SUPPLIER
    assert stores.suppliers.find("sup_2") is None


def test_renaming_leaves_the_secrets_alone(stores: Stores) -> None:
    stores.suppliers.add(SUPPLIER)
    stores.suppliers.rename("sup_1", "新名")

    assert stores.suppliers.find("sup_1") == replace(SUPPLIER, name="新名")


def test_secrets_are_rotated_once_per_request_and_never_over_somebody_elses(stores: Stores) -> None:
    stores.suppliers.add(SUPPLIER)
    rotated = replace(SUPPLIER, inbox_secrets=("whsec_b", "whsec_a"))
    done = stores.suppliers.rotate(SUPPLIER, rotated.inbox_secrets, request("a"), START)
    repeated = stores.suppliers.rotate(SUPPLIER, ("whsec_x", "whsec_a"), request("a"), START)
    stale = stores.suppliers.rotate(SUPPLIER, ("whsec_y", "whsec_a"), request("b"), START)
    fresh = stores.suppliers.rotate(rotated, ("whsec_c", "whsec_b"), request("b"), START)

    assert (done, repeated, stale, fresh) == (True, True, False, True)
    found = stores.suppliers.find("sup_1")
    assert found is not None
    assert found.inbox_secrets == ("whsec_c", "whsec_b")


# --- the inbox ---


def test_a_message_is_kept_as_it_came_and_done_once_it_is_said_to_be(stores: Stores) -> None:
    message = InboxMessage("sup_1", "m/1#?", b'\xe8\x8c\xb6\x00"', START)
    first = stores.inbox.receive(message, KEEP)
    second = stores.inbox.receive(replace(message, body=b"other"), KEEP)
    stores.inbox.done("sup_1", "m/1#?")
    third = stores.inbox.receive(replace(message, received_at=KEEP), KEEP)

    assert first == second == message
    assert third == replace(message, state="done")


def test_each_source_has_ids_of_its_own(stores: Stores) -> None:
    message = InboxMessage("sup_1", "m", b"a", START)
    stores.inbox.receive(message, KEEP)
    other = replace(message, source="sup_2", body=b"b")

    assert stores.inbox.receive(other, KEEP) == other


# --- endpoints ---


def test_an_endpoint_comes_back_as_it_was_stored_for_its_owner_alone(stores: Stores) -> None:
    pull = replace(ENDPOINT, endpoint_id="whe_2", url=None, failing_since=START)
    assert stores.endpoints.add(ENDPOINT, request("a")) is None
    assert stores.endpoints.add(pull, request("b")) is None

    assert stores.endpoints.find("sup_1", "whe_1") == ENDPOINT
    assert stores.endpoints.of("sup_1") == [ENDPOINT, pull]
    assert stores.endpoints.find("sup_2", "whe_1") is None
    assert stores.endpoints.of("sup_2") == []


def test_a_repeated_request_makes_no_second_endpoint(stores: Stores) -> None:
    stores.endpoints.add(ENDPOINT, request())

    assert stores.endpoints.add(replace(ENDPOINT, secrets=("whsec_b",)), request()) == "whe_1"
    assert stores.endpoints.of("sup_1") == [ENDPOINT]


def test_a_mark_changes_status_and_failures_alone(stores: Stores) -> None:
    stores.endpoints.add(ENDPOINT, request())
    stores.endpoints.set_endpoint_status(ENDPOINT, START, "active")
    failing = stores.endpoints.find("sup_1", "whe_1")
    assert failing is not None
    stores.endpoints.set_endpoint_status(failing, None, "active")

    assert failing == replace(ENDPOINT, failing_since=START, status="active")
    assert stores.endpoints.find("sup_1", "whe_1") == replace(ENDPOINT, status="active")


def test_a_mark_neither_revives_a_removed_endpoint_nor_overrules_another_status(stores: Stores) -> None:
    stores.endpoints.add(ENDPOINT, request("a"))
    stores.endpoints.set_endpoint_status(ENDPOINT, None, "active")
    stores.endpoints.set_endpoint_status(ENDPOINT, START, "disabled")
    kept = stores.endpoints.find("sup_1", "whe_1")
    stores.endpoints.remove("sup_1", "whe_1")
    stores.endpoints.remove("sup_1", "whe_1")
    stores.endpoints.set_endpoint_status(replace(ENDPOINT, status="active"), START, "disabled")

    assert kept == replace(ENDPOINT, status="active")
    assert stores.endpoints.of("sup_1") == []


def test_an_endpoint_stops_with_its_person_until_another_person_takes_it_over(stores: Stores) -> None:
    active = replace(ENDPOINT, status="active", created_by="stf_1", responsible="stf_1")
    stores.endpoints.add(active, request("a"))
    stores.endpoints.disable_left(active, START)
    left = stores.endpoints.find("sup_1", "whe_1")
    stores.endpoints.set_endpoint_status(replace(active, status="disabled"), None, "active")
    unchanged = stores.endpoints.find("sup_1", "whe_1")
    assert left is not None
    taken = [stores.endpoints.take_over(left, "stf_2"), stores.endpoints.take_over(left, "stf_3")]
    stores.endpoints.disable_left(left, START)
    stores.endpoints.disable_left(replace(left, endpoint_id="whe_9"), START)

    assert left == unchanged == replace(active, status="disabled", left_at=START)
    assert taken == [True, False]
    assert stores.endpoints.of("sup_1") == [replace(left, responsible="stf_2", left_at=None)]
    assert not stores.endpoints.take_over(replace(ENDPOINT, endpoint_id="whe_9"), "stf_2")


def test_an_endpoint_of_nobody_is_taken_over_once(stores: Stores) -> None:
    stores.endpoints.add(ENDPOINT, request("a"))

    assert [stores.endpoints.take_over(ENDPOINT, person) for person in ("stf_1", "stf_2")] == [True, False]
    assert stores.endpoints.of("sup_1") == [replace(ENDPOINT, responsible="stf_1")]


def test_an_endpoints_secrets_are_rotated_once_per_request(stores: Stores) -> None:
    stores.endpoints.add(ENDPOINT, request("a"))
    outcomes = [
        stores.endpoints.rotate(ENDPOINT, ("whsec_b", "whsec_a"), request("r"), START),
        stores.endpoints.rotate(ENDPOINT, ("whsec_x", "whsec_a"), request("r"), START),
        stores.endpoints.rotate(ENDPOINT, ("whsec_y", "whsec_a"), request("s"), START),
        stores.endpoints.rotate(replace(ENDPOINT, endpoint_id="whe_9"), ("whsec_z",), request("t"), START),
    ]

    assert outcomes == [True, True, False, False]
    assert stores.endpoints.of("sup_1") == [replace(ENDPOINT, secrets=("whsec_b", "whsec_a"))]


def test_who_listens_is_known_to_whom_added_or_changed_it(stores: Stores) -> None:
    before = stores.endpoints.listening("sup_1")
    stores.endpoints.add(ENDPOINT, request())
    added = stores.endpoints.listening("sup_1")
    stores.endpoints.set_endpoint_status(ENDPOINT, None, "active")
    marked = stores.endpoints.listening("sup_1")
    stores.endpoints.remove("sup_1", "whe_1")

    assert [len(before), len(added), marked[0].status, len(stores.endpoints.listening("sup_1"))] == [0, 1, "active", 0]


# --- deliveries ---


def test_an_endpoint_has_one_delivery_of_an_event(stores: Stores) -> None:
    first = delivery(1)
    later = replace(first, delivery_id="0000000000005.evt_1", body="{}")
    ids = [stores.deliveries.add(each, KEEP) for each in (first, later, first)]
    other = stores.deliveries.add(replace(later, endpoint_id="whe_2"), KEEP)

    assert ids == [first.delivery_id] * 3
    assert other == later.delivery_id
    assert stores.deliveries.find("whe_1", first.delivery_id) == first
    assert stores.deliveries.find("whe_1", later.delivery_id) is None
    assert stores.deliveries.page("whe_1", LATE, 10, None) == ([first], None)


def test_attempts_are_logged_and_counted(stores: Stores) -> None:
    stores.deliveries.add(delivery(1), KEEP)
    made = [Attempt(START, None, "TIMED_OUT"), Attempt(START + timedelta(milliseconds=5_001), 503, None)]
    for attempt in made:
        found = stores.deliveries.find("whe_1", delivery(1).delivery_id)
        assert found is not None
        stores.deliveries.store_attempt(found, attempt, "waiting")

    assert stores.deliveries.find("whe_1", delivery(1).delivery_id) == replace(
        delivery(1), attempts=tuple(made), tries=2
    )


def test_of_two_attempts_at_once_the_first_noted_stands_unless_the_other_delivered(stores: Stores) -> None:
    stores.deliveries.add(delivery(1), KEEP)
    stores.deliveries.store_attempt(delivery(1), Attempt(START, 500, None), "waiting")
    stores.deliveries.store_attempt(delivery(1), Attempt(START, 404, None), "failed")
    first = stores.deliveries.find("whe_1", delivery(1).delivery_id)
    stores.deliveries.store_attempt(delivery(1), Attempt(START, 200, None), "delivered")
    second = stores.deliveries.find("whe_1", delivery(1).delivery_id)

    assert first is not None
    assert second is not None
    assert (first.status, first.attempts[0].status) == ("waiting", 500)
    assert (second.status, second.attempts[0].status) == ("delivered", 200)


def test_the_log_keeps_the_newest_fifty_attempts_and_the_count_all(stores: Stores) -> None:
    stores.deliveries.add(delivery(1), KEEP)
    for number in range(60):
        found = stores.deliveries.find("whe_1", delivery(1).delivery_id)
        assert found is not None
        stores.deliveries.store_attempt(found, Attempt(START, 300 + number, None), "waiting")
    found = stores.deliveries.find("whe_1", delivery(1).delivery_id)

    assert found is not None
    assert found.tries == 60
    assert [attempt.status for attempt in found.attempts] == list(range(310, 360))


def test_a_delivery_can_be_opened_again_and_one_that_is_gone_is_not_made(stores: Stores) -> None:
    stores.deliveries.add(delivery(1), KEEP)
    stores.deliveries.store_attempt(delivery(1), Attempt(START, 200, None), "delivered")
    stores.deliveries.reopen(delivery(1))
    stores.deliveries.reopen(delivery(2))
    stores.deliveries.store_attempt(delivery(2), Attempt(START, 200, None), "delivered")
    stores.deliveries.store_attempt(delivery(2), Attempt(START, 500, None), "waiting")
    found = stores.deliveries.find("whe_1", delivery(1).delivery_id)

    assert found is not None
    assert (found.status, found.tries) == ("waiting", 1)
    assert stores.deliveries.find("whe_1", delivery(2).delivery_id) is None


def test_pages_lie_between_two_bounds_and_hold_what_is_asked_for(stores: Stores) -> None:
    for number in (4, 2, 5, 1, 3):
        stores.deliveries.add(delivery(number), KEEP)
    stores.deliveries.add(delivery(2, "whe_2"), KEEP)

    def events(after: str | None, before: str, limit: int) -> list[str]:
        found, following = stores.deliveries.page("whe_1", before, limit, after)
        assert following is None or following == found[-1].delivery_id
        return [each.event_id for each in found]

    assert events(None, LATE, 10) == ["evt_1", "evt_2", "evt_3", "evt_4", "evt_5"]
    assert events(delivery(2).delivery_id, LATE, 2) == ["evt_3", "evt_4"]
    assert events(None, f"{4:013d}", 10) == ["evt_1", "evt_2", "evt_3"]
    assert events(delivery(5).delivery_id, LATE, 10) == []


# --- the queue of attempts ---


@pytest.fixture(params=["memory", "queue"])
def attempts(request: pytest.FixtureRequest) -> tuple[DueQueue, Callable[[], list[DueAttempt]]]:
    """The port, and the attempts that can be taken from it."""
    if request.param == "memory":
        memory = MemoryQueue()
        return memory, lambda: [due for due, _ in memory.sent]
    cloud: Cloud = request.getfixturevalue("cloud")
    forget_client()
    url = environment.text("WEBHOOKS_QUEUE_URL")

    def taken() -> list[DueAttempt]:
        messages = [read_message(body) for body in cloud.messages(url)]
        return [message.due() for message in messages if isinstance(message, AttemptMessage)]

    return DueMessages(Queue(url)), taken


def test_every_attempt_that_is_sent_arrives_as_it_was(
    attempts: tuple[DueQueue, Callable[[], list[DueAttempt]]],
) -> None:
    queue, taken = attempts
    first, second = (DueAttempt("sup_1", "whe_1", f"{number}.evt_1", number, 7, START) for number in (1, 2))
    for due in (first, second, second):
        queue.send(due, 0)

    assert sorted(taken(), key=lambda due: due.attempt) == [first, second, second]


# --- what only the tables can get wrong ---


def test_a_change_of_what_a_transaction_holds_is_worth_a_repeat(cloud: Cloud) -> None:
    keys = DynamoKeys()
    keys.add(KEY, request("a"))
    with at(0, "conflict"), pytest.raises(UnavailableError):
        keys.revoke("key_1")

    assert keys.revoke("key_1") is True


def test_a_week_later_the_record_of_the_request_is_gone_and_a_repeat_still_makes_nothing_new(cloud: Cloud) -> None:
    keys, endpoints = DynamoKeys(), DynamoEndpoints()
    keys.add(KEY, request("a"))
    endpoints.add(ENDPOINT, request("b"))
    for item in cloud.items("requests"):
        cloud.dynamodb.delete_item(TableName="requests", Key={"pk": item["pk"]})
    before = cloud.items("partners")

    assert keys.add(KEY, request("a")) == "key_1"
    assert endpoints.add(ENDPOINT, request("b")) == "whe_1"
    assert cloud.items("partners") == before


def test_messages_and_deliveries_expire_after_thirty_days_and_nothing_else_does(cloud: Cloud) -> None:
    DynamoKeys().add(KEY, request("a"))
    DynamoSuppliers().add(SUPPLIER)
    DynamoEndpoints().add(ENDPOINT, request("b"))
    DynamoInbox().receive(InboxMessage("sup_1", "m", b"{}", START), KEEP)
    DynamoDeliveries().add(delivery(1), KEEP)
    expiring = {item["sk"]["S"] for item in cloud.items("partners") if "expires_at" in item}
    until = {item["expires_at"]["N"] for item in cloud.items("deliveries")}

    assert expiring == {"inbox#m"}
    assert until == {str(int(KEEP.timestamp()))}
    assert {
        table.logical_id.rpartition(".")[2] for table in template().tables if table.ttl_attribute == "expires_at"
    } >= {
        "Partners",
        "Deliveries",
    }


def test_a_key_too_long_for_the_store_is_not_asked_for(cloud: Cloud) -> None:
    with watch() as calls:
        assert find_key("key_" + "x" * 5_000) is None

    assert calls == []


def test_who_listens_is_asked_for_twice_a_minute_at_most(cloud: Cloud) -> None:
    endpoints = DynamoEndpoints()
    endpoints.listening("sup_1")
    DynamoEndpoints().add(ENDPOINT, request())  # another process

    assert endpoints.listening("sup_1") == []
    assert endpoints.of("sup_1") == [ENDPOINT]


def test_an_attempt_travels_as_documented(cloud: Cloud) -> None:
    due_queue().send(DueAttempt("sup_1", "whe_1", "1.evt_1", 3, 7, START), 0)

    assert isinstance(due_queue(), DueMessages)
    assert cloud.messages(environment.text("WEBHOOKS_QUEUE_URL")) == [
        {
            "owner": "sup_1",
            "endpoint_id": "whe_1",
            "delivery_id": "1.evt_1",
            "attempt": 3,
            "tries": 7,
            "not_before": "2026-12-01T08:00:00.000Z",
        }
    ]


def test_suppliers_are_listed_by_id_and_renamed_ones_stay(stores: Stores) -> None:
    for name in ("sup_b", "sup_c", "sup_a"):
        stores.suppliers.add(replace(SUPPLIER, supplier_id=name))
    stores.suppliers.rename("sup_b", "new name")
    first, after = stores.suppliers.list_suppliers(2, None)
    rest, end = stores.suppliers.list_suppliers(2, after)

    assert ([each.supplier_id for each in (*first, *rest)], end) == (["sup_a", "sup_b", "sup_c"], None)
    assert first[1].name == "new name"
