"""Webhook endpoints and their deliveries, from the events to a partner's server and back."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cardstock.clock import rfc3339
from cardstock.edge.signatures import verify
from cardstock.partners import wiring
from cardstock.partners.model import EVENT_TYPES, SUPPLIER_EVENTS
from functions.partners.api import app as partners_api
from functions.partners.webhooks_api import app as api
from infra.contract.events import EVENTS
from tests.house.cloud import ROOT_KEY
from tests.people.partner_server import PartnerServer
from tests.people.replies import Reply
from tests.people.shop import Shop
from tests.people.suppliers import HANGERS, LIGHTS

ENDPOINTS = "/v1/webhook-endpoints"
PULL: dict[str, Any] = {"events": ["*"]}


@pytest.fixture
def credential(shop: Shop) -> str:
    """A supplier's key."""
    return shop.supplier.key(LIGHTS, "webhooks:write", "orders:fulfil")


def outcome(answer: Reply) -> tuple[int, str]:
    return answer.status, answer.body["code"]


def event(number: int = 1, supplier: str = LIGHTS, **data: Any) -> dict[str, Any]:
    """A message that announces something."""
    return {
        "id": f"evt_{number}",
        "type": "fulfilment.requested",
        "subject": f"ord_{number}",
        "time": "2026-12-01T08:00:00Z",
        "data": {"supplier_id": supplier, "order_id": f"ord_{number}", **data},
    }


# --- the whole way ---


@pytest.mark.engine
def test_a_supplier_answers_the_challenge_and_is_told_of_a_paid_order(
    shop: Shop, credential: str, partner_server: PartnerServer
) -> None:
    made = shop.webhooks.endpoint(credential, partner_server.url, "fulfilment.requested")
    shop.webhooks.drain()
    listed = shop.send(api, "GET", ENDPOINTS, token=credential).body["items"]
    order_id = shop.buyer.paid_order()
    shop.webhooks.announce(order_id)
    shop.webhooks.announce(order_id)
    shop.webhooks.drain()

    assert made["status"] == "pending"
    assert listed == [made | {"status": "active", "secret": None}]
    assert partner_server.types == ["endpoint.challenged", "fulfilment.requested"]
    headers, body = partner_server.got[1]
    told = json.loads(body)
    assert verify([made["secret"]], headers, body, shop.clock.now()) == told["id"]
    assert (told["subject"], told["data"]["supplier_id"]) == (order_id, LIGHTS)
    assert [line["sku"] for line in told["data"]["lines"]] == ["85123A", "71053"]


@pytest.mark.engine
def test_failures_are_logged_and_a_redelivery_brings_the_event_after_all(
    shop: Shop, credential: str, partner_server: PartnerServer
) -> None:
    made = shop.webhooks.endpoint(credential, partner_server.url, "*")
    shop.webhooks.drain()
    shop.clock.move(seconds=1)
    partner_server.status = 500
    shop.webhooks.consume(event())
    shop.webhooks.drain()
    shop.clock.move(seconds=20)
    failing = shop.webhooks.deliveries(credential, made["endpoint_id"]).body["items"][1]
    shown = shop.send(api, "GET", ENDPOINTS, token=credential).body["items"][0]
    partner_server.status = 200
    path = f"{ENDPOINTS}/{made['endpoint_id']}/deliveries/{failing['delivery_id']}/redeliveries"
    again = shop.send(api, "POST", path, token=credential)
    shop.webhooks.drain()
    delivered = shop.webhooks.deliveries(credential, made["endpoint_id"]).body["items"][1]

    assert (failing["status"], [attempt["status"] for attempt in failing["attempts"]]) == ("waiting", [500])
    assert shown["failing_since"] is not None
    assert again.status == 202
    assert (delivered["status"], [attempt["status"] for attempt in delivered["attempts"]]) == ("delivered", [500, 200])
    assert partner_server.types == ["endpoint.challenged", "fulfilment.requested", "fulfilment.requested"]


@pytest.mark.engine
def test_410_disables_and_a_test_event_makes_active_again(
    shop: Shop, credential: str, partner_server: PartnerServer
) -> None:
    made = shop.webhooks.endpoint(credential, partner_server.url, "*")
    path = f"{ENDPOINTS}/{made['endpoint_id']}"

    def status() -> str:
        return str(shop.send(api, "GET", ENDPOINTS, token=credential).body["items"][0]["status"])

    shop.webhooks.drain()
    shop.clock.move(seconds=1)
    partner_server.status = 410
    shop.webhooks.consume(event())
    shop.webhooks.drain()
    disabled = status()
    shop.clock.move(seconds=20)
    failed = shop.webhooks.deliveries(credential, made["endpoint_id"]).body["items"][1]
    refused = shop.send(api, "POST", f"{path}/deliveries/{failed['delivery_id']}/redeliveries", token=credential)
    partner_server.status = 200
    tested = shop.send(api, "POST", f"{path}/tests", token=credential)
    shop.webhooks.drain()

    assert disabled == "disabled"
    assert outcome(refused) == (409, "ENDPOINT_NOT_ACTIVE")
    assert tested.status == 202
    assert status() == "active"


@pytest.mark.engine
def test_after_a_rotation_both_secrets_verify(shop: Shop, credential: str, partner_server: PartnerServer) -> None:
    made = shop.webhooks.endpoint(credential, partner_server.url, "*")
    path = f"{ENDPOINTS}/{made['endpoint_id']}/secrets"
    first = shop.send(api, "POST", path, token=credential, key="r")
    again = shop.send(api, "POST", path, token=credential, key="r")
    shop.webhooks.drain()
    headers, body = partner_server.got[0]

    assert first.status == 201
    assert again.body["secret"] == first.body["secret"] != made["secret"]
    for secret in (first.body["secret"], made["secret"]):
        verify([secret], headers, body, shop.clock.now())


@pytest.mark.engine
def test_an_event_for_one_supplier_reaches_nobody_else(
    shop: Shop, credential: str, partner_server: PartnerServer
) -> None:
    shop.webhooks.endpoint(shop.supplier.key(HANGERS, "webhooks:write"), partner_server.url, "*")
    staff = shop.webhooks.endpoint(shop.staff.key("webhooks:write"), None, "*")
    shop.webhooks.drain()
    shop.webhooks.consume(event(1, LIGHTS), event(2, HANGERS), event(3, "sup_other"))
    shop.webhooks.drain()
    shop.clock.move(seconds=20)
    credential = shop.staff.key("webhooks:write")

    assert [json.loads(body)["subject"] for _, body in partner_server.got[1:]] == ["ord_2"]
    kept = shop.webhooks.deliveries(credential, staff["endpoint_id"]).body["items"]
    assert [delivery["event"]["subject"] for delivery in kept] == ["ord_1", "ord_2", "ord_3"]


# --- fetching instead ---


def test_who_cannot_open_a_port_fetches_every_event_once(shop: Shop, credential: str) -> None:
    made = shop.webhooks.endpoint(credential, None, "*")
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    for numbers in ([3, 1], [2, 5, 4]):
        shop.webhooks.consume(*[event(number) for number in numbers])
        shop.clock.move(seconds=16)
        while True:
            page = shop.webhooks.deliveries(credential, made["endpoint_id"], **query).body
            if page["next_cursor"] is not None:
                query["cursor"] = page["next_cursor"]
            if not page["items"]:
                break
            seen += [delivery["event"]["id"] for delivery in page["items"]]

    assert sorted(seen) == [f"evt_{number}" for number in range(1, 6)]
    assert shop.webhooks.waiting() == []


def test_an_event_announced_twice_is_kept_once(shop: Shop, credential: str) -> None:
    made = shop.webhooks.endpoint(credential, None, "*")
    shop.webhooks.consume(event(), event())
    before = shop.cloud.state()
    shop.clock.move(hours=1)
    shop.webhooks.consume(event())

    assert shop.cloud.state() == before
    assert len(shop.webhooks.deliveries(credential, made["endpoint_id"]).body["items"]) == 1


# --- endpoints ---


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"events": ["*"], "url": "http://example.com/"}, (400, "URL_REFUSED")),
        ({"events": ["*"], "url": "https://127.0.0.1/"}, (400, "URL_REFUSED")),
        ({"events": ["*"], "url": "https://[::ffff:169.254.169.254]/"}, (400, "URL_REFUSED")),
        ({"events": ["*"], "url": "https://2130706433/"}, (400, "URL_REFUSED")),
        ({"events": ["*"], "url": "https://example.com:22/"}, (400, "URL_REFUSED")),
        ({"events": ["*"], "url": "https://a:b@example.com/"}, (400, "URL_REFUSED")),
        ({"events": ["*"], "url": "file:///etc/passwd"}, (400, "URL_REFUSED")),
        ({"events": ["*"], "url": "https://ex\u0001ample.com/"}, (400, "URL_REFUSED")),
        ({"events": ["*"], "url": "https://例子.com/"}, (400, "URL_REFUSED")),
        ({"events": ["*"], "url": "https://[::1"}, (400, "URL_REFUSED")),
        ({"events": ["*"], "url": ""}, (400, "URL_REFUSED")),
        ({"events": ["*"], "url": "https://example.com/" + "x" * 1_000}, (400, "BODY_INVALID")),
        ({"events": ["order.lost"]}, (400, "EVENT_UNKNOWN")),
        ({"events": ["endpoint.challenged"]}, (400, "EVENT_UNKNOWN")),
        ({"events": []}, (400, "BODY_INVALID")),
        ({"events": ["*"] * 33}, (400, "BODY_INVALID")),
        ({"events": "*"}, (400, "BODY_INVALID")),
        ({"events": ["*"], "secret": "whsec_mine"}, (400, "BODY_INVALID")),
        ({"events": ["*"], "owner": "staff"}, (400, "BODY_INVALID")),
        ("[" * 100_000, (400, "BODY_INVALID")),
    ],
)
def test_a_wrong_endpoint_is_refused_and_not_made(
    shop: Shop, credential: str, body: Any, expected: tuple[int, str]
) -> None:
    before = shop.cloud.state()
    answer = shop.send(api, "POST", ENDPOINTS, body, token=credential)

    assert outcome(answer) == expected
    assert shop.cloud.state() == before
    assert shop.webhooks.waiting() == []


def test_every_type_of_event_can_be_asked_for_by_who_gets_it(shop: Shop, credential: str) -> None:
    staff = shop.staff.key("webhooks:write")

    assert shop.webhooks.endpoint(staff, None, *EVENT_TYPES)["events"] == list(EVENT_TYPES)
    assert shop.webhooks.endpoint(credential, None, *SUPPLIER_EVENTS)["events"] == list(SUPPLIER_EVENTS)


def test_a_supplier_gets_the_events_that_name_one() -> None:
    named = [kind for kind, example in EVENTS.items() if "supplier_id" in msgspec.to_builtins(example.data)]

    assert tuple(named) == SUPPLIER_EVENTS


def test_a_supplier_cannot_ask_for_events_that_it_never_gets(shop: Shop, credential: str) -> None:
    others = [kind for kind in EVENT_TYPES if kind not in SUPPLIER_EVENTS]
    before = shop.cloud.state()
    for kind in others:
        refused = shop.send(api, "POST", ENDPOINTS, {"events": ["shipment.created", kind, "*"]}, token=credential)

        assert outcome(refused) == (400, "EVENT_UNKNOWN")
        assert [(each["pointer"], each["allowed"]) for each in refused.body["errors"]] == [
            ("/events/1", ["*", *SUPPLIER_EVENTS])
        ]
    assert len(others) == 17
    assert shop.cloud.state() == before


def test_a_repeated_request_makes_no_second_endpoint(shop: Shop, credential: str) -> None:
    body = {"events": ["*"], "url": "https://erp.example.com/hook"}
    first = shop.send(api, "POST", ENDPOINTS, body, token=credential, key="k")
    before = shop.cloud.state()
    again = shop.send(api, "POST", ENDPOINTS, body, token=credential, key="k")
    other = shop.send(api, "POST", ENDPOINTS, PULL, token=credential, key="k")

    assert again.replayed
    assert again.body == first.body
    assert outcome(other) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert shop.cloud.state() == before


def test_an_owner_has_at_most_twenty_endpoints(shop: Shop, credential: str) -> None:
    for _ in range(20):
        shop.webhooks.endpoint(credential, None, "*")
    answer = shop.send(api, "POST", ENDPOINTS, PULL, token=credential, headers={"Accept-Language": "en"})

    assert outcome(answer) == (422, "TOO_MANY_ENDPOINTS")
    assert answer.body["detail"] == "There can be at most 20 webhook endpoints."


def test_somebody_elses_endpoint_is_not_found(shop: Shop, credential: str) -> None:
    made = shop.webhooks.endpoint(credential, None, "*")
    shop.webhooks.consume(event())
    shop.clock.move(seconds=20)
    delivery = shop.webhooks.deliveries(credential, made["endpoint_id"]).body["items"][0]["delivery_id"]
    before = shop.cloud.state()
    path = f"{ENDPOINTS}/{made['endpoint_id']}"
    for stranger in (shop.supplier.key(HANGERS, "webhooks:write"), shop.staff.key("webhooks:write")):
        before = shop.cloud.state()
        answers = [
            shop.send(api, "DELETE", path, token=stranger),
            shop.send(api, "POST", f"{path}/secrets", token=stranger),
            shop.send(api, "POST", f"{path}/tests", token=stranger),
            shop.send(api, "GET", f"{path}/deliveries", token=stranger),
            shop.send(api, "POST", f"{path}/deliveries/{delivery}/redeliveries", token=stranger),
        ]

        assert [outcome(answer) for answer in answers] == [(404, "NOT_FOUND")] * 5
        assert shop.send(api, "GET", ENDPOINTS, token=stranger).body["items"] == []
        assert shop.cloud.state() == before


def test_a_deleted_endpoint_is_gone_with_what_was_on_its_way(shop: Shop, credential: str) -> None:
    body = {"events": ["*"], "url": "https://erp.example.com/hook"}
    made = shop.send(api, "POST", ENDPOINTS, body, token=credential).body
    path = f"{ENDPOINTS}/{made['endpoint_id']}"
    deleted = shop.send(api, "DELETE", path, token=credential)
    again = shop.send(api, "DELETE", path, token=credential)
    shop.webhooks.drain()  # the challenge finds nobody, and calls nobody

    assert (deleted.status, outcome(again)) == (204, (404, "NOT_FOUND"))
    assert shop.send(api, "GET", ENDPOINTS, token=credential).body["items"] == []


@pytest.mark.parametrize("delivery_id", ["x", "0000000000000.evt_none", "x" * 200, "x" * 3_000, "密" * 190, "evt_1"])
def test_an_unknown_delivery_is_not_found(shop: Shop, credential: str, delivery_id: str) -> None:
    made = shop.webhooks.endpoint(credential, None, "*")
    shop.webhooks.consume(event())
    path = f"{ENDPOINTS}/{made['endpoint_id']}/deliveries/{delivery_id}/redeliveries"

    assert outcome(shop.send(api, "POST", path, token=credential)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("endpoint_id", ["x", "x" * 3_000, "密" * 190, "whe_1#events", "%00"])
def test_any_text_can_be_asked_for_as_an_endpoint(shop: Shop, credential: str, endpoint_id: str) -> None:
    assert shop.webhooks.deliveries(credential, endpoint_id).status == 404


def test_a_cursor_is_good_for_its_own_endpoint_alone(shop: Shop, credential: str) -> None:
    first, second = shop.webhooks.endpoint(credential, None, "*"), shop.webhooks.endpoint(credential, None, "*")
    shop.webhooks.consume(event(1), event(2))
    shop.clock.move(seconds=20)
    cursor = shop.webhooks.deliveries(credential, first["endpoint_id"], limit="1").body["next_cursor"]

    assert outcome(shop.webhooks.deliveries(credential, second["endpoint_id"], cursor=cursor)) == (
        400,
        "CURSOR_INVALID",
    )
    assert outcome(shop.webhooks.deliveries(credential, first["endpoint_id"], cursor=cursor[:-1])) == (
        400,
        "CURSOR_INVALID",
    )
    assert len(shop.webhooks.deliveries(credential, first["endpoint_id"], cursor=cursor).body["items"]) == 1


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "1" * 5_000}], ids=str)
def test_a_wrong_query_is_refused(shop: Shop, credential: str, query: dict[str, str]) -> None:
    made = shop.webhooks.endpoint(credential, None, "*")

    assert outcome(shop.webhooks.deliveries(credential, made["endpoint_id"], **query)) == (400, "QUERY_INVALID")


def test_a_key_without_the_scope_and_a_revoked_one_are_refused(shop: Shop) -> None:
    without = shop.supplier.key(LIGHTS, "orders:fulfil")
    revoked = shop.supplier.key(LIGHTS, "webhooks:write")
    key_id = "key_" + revoked.split("_")[1]
    shop.send(partners_api, "DELETE", f"/v1/partners/keys/{key_id}", token=ROOT_KEY)

    assert outcome(shop.send(api, "GET", ENDPOINTS, token=without)) == (403, "SCOPE_MISSING")
    assert outcome(shop.send(api, "POST", ENDPOINTS, PULL, token=revoked)) == (401, "KEY_INVALID")


# --- the queue ---


DUE = {
    "owner": LIGHTS,
    "endpoint_id": "whe_1",
    "delivery_id": "1.evt_1",
    "attempt": 0,
    "tries": 0,
    "not_before": "2026-12-01T08:00:00.000Z",
}


@pytest.mark.parametrize(
    "poison",
    [
        "", "{", "null", "[]", "[" * 100_000, "{}",
        json.dumps(event() | {"extra": 1}),
        json.dumps({**event(), "time": "yesterday"}),
        json.dumps({**event(), "time": "2026-12-01T08:00:00"}),
        json.dumps({**event(), "data": []}),
        json.dumps({**event(), "id": 7}),
        json.dumps({**DUE, "attempt": "0"}),
        json.dumps({**DUE, "not_before": "soon"}),
        json.dumps({"delivery_id": "x"}),
        '{"id":' + "9" * 5_000 + "}",
    ],
)  # fmt: skip
def test_a_poison_message_fails_alone_and_its_neighbours_are_handled(shop: Shop, credential: str, poison: str) -> None:
    made = shop.webhooks.endpoint(credential, None, "*")
    failed = shop.webhooks.consume(event(1), poison, event(2))
    shop.clock.move(seconds=20)

    assert failed == ["m1"]
    kept = shop.webhooks.deliveries(credential, made["endpoint_id"]).body["items"]
    assert [delivery["event"]["id"] for delivery in kept] == ["evt_1", "evt_2"]


def test_attempts_for_what_is_not_there_are_dropped(shop: Shop) -> None:
    assert shop.webhooks.consume(DUE, DUE | {"owner": "nobody"}) == []
    assert shop.webhooks.waiting() == []


def test_an_attempt_before_its_time_goes_back_into_the_queue(shop: Shop) -> None:
    later = DUE | {"not_before": rfc3339(shop.clock.now() + timedelta(hours=5))}
    failed = shop.webhooks.consume(later)
    attributes = shop.cloud.sqs.get_queue_attributes(
        QueueUrl=shop.cloud.sqs.get_queue_url(QueueName="webhooks")["QueueUrl"],
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"],
    )["Attributes"]

    assert failed == []
    assert attributes == {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesDelayed": "1"}


@pytest.mark.engine
def test_an_address_outside_the_networks_that_were_opened_is_never_called(
    shop: Shop, credential: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_PRIVATE_NETWORKS", "10.0.0.0/8")
    wiring.webhook_post.cache_clear()
    inside = {"events": ["*"], "url": "http://127.0.0.1:8701/latest/meta-data"}
    refused = shop.send(api, "POST", "/v1/webhook-endpoints", inside, token=credential)
    made = shop.webhooks.endpoint(credential, "http://localhost:8701/latest/meta-data", "*")
    shop.webhooks.drain()
    shop.clock.move(seconds=20)
    (challenge,) = shop.webhooks.deliveries(credential, made["endpoint_id"]).body["items"]
    monkeypatch.undo()
    wiring.webhook_post.cache_clear()

    assert (refused.status, refused.body["code"]) == (400, "URL_REFUSED")
    assert [attempt["error"] for attempt in challenge["attempts"]] == ["ADDRESS_REFUSED"]
