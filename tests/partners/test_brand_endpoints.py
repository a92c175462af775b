"""Endpoints of the brand: they get nothing that identifies a person, and stop with the person who answers for them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from cardstock.flows.announcing import event as announced
from cardstock.ids import RequestKey
from cardstock.partners import wiring
from cardstock.partners.messages import encode_event
from cardstock.partners.model import CHALLENGE, STAFF, Endpoint
from cardstock.staff.roles import Role
from functions.partners.webhooks_api import app as api
from functions.staff.api import app as staff_api
from infra.contract.events import EVENTS
from tests.house.interleave import some_ways
from tests.people.clock import START
from tests.people.partner_server import PartnerServer
from tests.people.replies import Reply
from tests.people.shop import Shop
from tests.people.staff import person, staff_key
from tests.people.suppliers import HANGERS, LIGHTS

ENDPOINTS = "/v1/webhook-endpoints"
PEOPLE = {"receiver", "name", "phone", "address", "nickname", "payer", "openid", "email", "id_number"}
"""Names of fields that may identify a person in clear."""


def fields(data: Any, path: str = "") -> Iterator[str]:
    """Paths of all fields; those of a list's entries once for each."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield f"{path}.{name}".lstrip(".")
            yield from fields(value, f"{path}.{name}")
    elif isinstance(data, list | tuple):
        for value in data:
            yield from fields(value, path)


def kept(shop: Shop, credential: str, endpoint_id: str) -> list[dict[str, Any]]:
    """The events of an endpoint that has no URL."""
    shop.clock.move(seconds=20)
    return [one["event"] for one in shop.webhooks.deliveries(credential, endpoint_id).body["items"]]


# --- what the brand gets ---


@pytest.mark.parametrize("kind", EVENTS)
def test_the_brands_endpoints_get_no_field_about_a_person(shop: Shop, kind: str) -> None:
    example = EVENTS[kind]
    assert example.data is not None
    key = staff_key("Li Na", "webhooks:write")
    pull = shop.webhooks.endpoint(key, None, "*")
    message = json.loads(encode_event(announced(kind, example.subject, START, example.data)))
    shop.webhooks.consume(message)
    (got,) = kept(shop, key, pull["endpoint_id"])
    whole, told = set(fields(msgspec.to_builtins(example.data))), set(fields(got["data"]))

    # A line's name is its product's, a file's name is derived from its payout.
    assert {path for path in told if path.rpartition(".")[2] in PEOPLE} <= {"lines.name", "files.name"}
    assert {path.partition(".")[0] for path in whole - told} == example.data.PERSONAL


def test_a_supplier_gets_the_receiver_of_its_own_parts_and_nobody_else_does(shop: Shop) -> None:
    keys = [shop.supplier.key(LIGHTS, "webhooks:write"), shop.supplier.key(HANGERS, "webhooks:write")]
    keys.append(shop.staff.key("webhooks:write"))
    pulls = [shop.webhooks.endpoint(key, None, "*")["endpoint_id"] for key in keys]
    order_id = shop.buyer.paid_order()
    shop.webhooks.announce(order_id, LIGHTS)
    shop.webhooks.drain()
    own, other, brand = (kept(shop, key, pull) for key, pull in zip(keys, pulls, strict=True))

    assert own[0]["data"]["receiver"].keys() == {"name", "phone", "address"}
    assert other == []
    assert brand[0] == own[0] | {"data": {name: own[0]["data"][name] for name in ("order_id", "supplier_id", "lines")}}


def test_a_message_of_an_earlier_release_brings_the_brand_no_receiver_either(shop: Shop) -> None:
    key = shop.staff.key("webhooks:write")
    pull = shop.webhooks.endpoint(key, None, "*")["endpoint_id"]
    shop.webhooks.consume({
        "id": "evt_1", "type": "fulfilment.requested", "subject": "ord_1", "time": "2026-12-01T08:00:00Z",
        "data": {"supplier_id": LIGHTS, "order_id": "ord_1", "receiver": {"name": "王小明"}},
    })  # fmt: skip

    assert [got["data"] for got in kept(shop, key, pull)] == [{"supplier_id": LIGHTS, "order_id": "ord_1"}]


def test_what_the_brand_sends_itself_brings_its_endpoints_no_receiver(shop: Shop) -> None:
    key = shop.staff.key("webhooks:write")
    pull = shop.webhooks.endpoint(key, None, "*")["endpoint_id"]
    shop.webhooks.consume({
        "id": "evt_1", "type": "fulfilment.requested", "subject": "ord_1", "time": "2026-12-01T08:00:00Z",
        "data": {"supplier_id": STAFF, "order_id": "ord_1", "receiver": {"name": "王小明"}}, "personal": ["receiver"],
    })  # fmt: skip

    assert [got["data"] for got in kept(shop, key, pull)] == [{"supplier_id": STAFF, "order_id": "ord_1"}]


# --- the person who answers ---

EVENT = {
    "type": "order.paid", "subject": "ord_1", "time": "2026-12-01T08:00:00Z", "data": {"order_id": "ord_1"},
}  # fmt: skip


def dismiss(shop: Shop, name: str) -> Reply:
    return shop.send(staff_api, "DELETE", f"/v1/staff/{person(name)}", token=staff_key("Zhao Min", "staff:write"))


def give(shop: Shop, name: str, *roles: Role) -> Reply:
    body = {"roles": roles, "reason": "moves"}
    path = f"/v1/staff/{person(name)}/roles"
    return shop.send(staff_api, "PUT", path, body, token=staff_key("Zhao Min", "staff:write"))


def listed(shop: Shop, credential: str) -> dict[str, Any]:
    (one,) = shop.send(api, "GET", ENDPOINTS, token=credential).body["items"]
    return dict(one)


def disabled_of(shop: Shop, name: str) -> list[str]:
    items = shop.send(staff_api, "GET", "/v1/staff", token=staff_key("Zhao Min", "staff:write")).body["items"]
    return next(list(one["endpoints_disabled"]) for one in items if one["person_id"] == person(name))


@pytest.fixture
def staff(shop: Shop) -> Shop:
    """A shop with three persons, of whom two always remain."""
    for name in ("Li Na", "Wang Fang", "Zhao Min"):
        person(name)
    return shop


@pytest.mark.engine
@pytest.mark.parametrize("leave", [dismiss, give])
def test_nothing_arrives_at_the_url_of_who_has_left(
    staff: Shop, partner_server: PartnerServer, leave: Callable[[Shop, str], Reply]
) -> None:
    key, other = staff_key("Li Na", "webhooks:write"), staff_key("Wang Fang", "webhooks:write")
    made = staff.webhooks.endpoint(key, partner_server.url, "*")
    staff.webhooks.drain()
    staff.clock.move(seconds=1)
    staff.webhooks.consume({"id": "evt_1", **EVENT})  # queued before the person leaves, and cached as active
    left = leave(staff, "Li Na")
    staff.webhooks.drain()
    staff.webhooks.consume({"id": "evt_2", **EVENT})
    staff.webhooks.drain()
    arrived, shown = list(partner_server.types), listed(staff, other)
    said = disabled_of(staff, "Li Na")
    staff.clock.move(seconds=40)
    path = f"{ENDPOINTS}/{made['endpoint_id']}"
    found = staff.webhooks.deliveries(other, made["endpoint_id"]).body["items"]
    early = staff.send(
        api, "POST", f"{path}/deliveries/{found[0]['delivery_id']}/redeliveries", token=other
    )  # the challenge
    tested = staff.send(api, "POST", f"{path}/tests", token=other)
    staff.webhooks.drain()
    for one in found[1:]:
        again = staff.send(api, "POST", f"{path}/deliveries/{one['delivery_id']}/redeliveries", token=other)
        assert again.status == 202
    staff.webhooks.drain()

    assert left.status in (200, 204)
    assert staff.send(api, "GET", ENDPOINTS, token=key).status == (401 if leave is dismiss else 403)
    assert arrived == ["endpoint.challenged"]
    assert (shown["status"], shown["created_by"], shown["responsible"]) == ("disabled", *[person("Li Na")] * 2)
    assert said == [made["endpoint_id"]]
    assert [one["type"] for one in found] == ["endpoint.challenged", "order.paid", "order.paid"]
    assert (early.status, tested.status) == (409, 202)
    assert partner_server.types == ["endpoint.challenged"] * 2 + ["order.paid"] * 2
    now = listed(staff, other)
    assert (now["status"], now["created_by"], now["responsible"]) == ("active", person("Li Na"), person("Wang Fang"))
    assert disabled_of(staff, "Li Na") == []


@pytest.mark.engine
def test_a_challenge_that_waits_for_its_next_attempt_brings_nothing_back(
    staff: Shop, partner_server: PartnerServer
) -> None:
    partner_server.status = 500
    made = staff.webhooks.endpoint(staff_key("Li Na", "webhooks:write"), partner_server.url, "*")
    staff.webhooks.drain()
    dismiss(staff, "Li Na")
    partner_server.status = 204
    staff.clock.move(seconds=10)
    before = len(partner_server.got)
    staff.webhooks.drain()
    staff.clock.move(seconds=20)
    (delivery,) = staff.webhooks.deliveries(staff_key("Wang Fang", "webhooks:write"), made["endpoint_id"]).body["items"]
    due = {
        "owner": STAFF, "endpoint_id": made["endpoint_id"], "delivery_id": delivery["delivery_id"], "attempt": 1,
        "tries": 1, "not_before": "2026-12-01T00:00:00Z",
    }  # fmt: skip
    staff.webhooks.consume(due)

    assert len(partner_server.got) == before
    assert listed(staff, staff_key("Wang Fang", "webhooks:write"))["status"] == "disabled"


def test_who_keeps_the_right_keeps_the_endpoints_and_what_is_fetched_stays_active(staff: Shop) -> None:
    key, other = staff_key("Li Na", "webhooks:write"), staff_key("Wang Fang", "webhooks:write")
    pushed = staff.webhooks.endpoint(key, "https://erp.example.com/hook", "*")
    pulled = staff.webhooks.endpoint(key, None, "*")
    others = staff.webhooks.endpoint(other, "https://erp.example.com/other", "*")
    moved = give(staff, "Li Na", "operator", "service").body["endpoints_disabled"]
    lost = give(staff, "Li Na", "service").body["endpoints_disabled"]
    again = give(staff, "Li Na", "service").body["endpoints_disabled"]
    states = {one["endpoint_id"]: one["status"] for one in staff.send(api, "GET", ENDPOINTS, token=other).body["items"]}

    assert (moved, lost, again) == ([], [pushed["endpoint_id"]], [pushed["endpoint_id"]])
    assert states == {
        pushed["endpoint_id"]: "disabled", pulled["endpoint_id"]: "active", others["endpoint_id"]: "pending",
    }  # fmt: skip


def test_a_test_by_another_person_takes_over_only_what_nobody_answers_for(staff: Shop) -> None:
    other = staff_key("Wang Fang", "webhooks:write")
    made = staff.webhooks.endpoint(staff_key("Li Na", "webhooks:write"), "https://erp.example.com/hook", "*")
    staff.send(api, "POST", f"{ENDPOINTS}/{made['endpoint_id']}/tests", token=other)
    kept_by = listed(staff, other)["responsible"]
    dismiss(staff, "Li Na")
    staff.send(api, "POST", f"{ENDPOINTS}/{made['endpoint_id']}/tests", token=other)
    taken_by = listed(staff, other)
    dismiss(staff, "Li Na")  # a repeat, after another person answers for it

    assert kept_by == person("Li Na")
    assert (taken_by["responsible"], taken_by["created_by"]) == (person("Wang Fang"), person("Li Na"))
    assert listed(staff, other) == taken_by


def test_an_endpoint_without_a_person_works_until_a_person_tests_it_and_leaves(staff: Shop) -> None:
    """Release 0.3.0 did not know who created an endpoint."""
    stored = Endpoint("whe_old", STAFF, "https://erp.example.com/hook", ("*",), ("whsec_a",), "active", None, START)
    wiring.endpoints().add(stored, RequestKey("req_old", "f"))
    key, other = staff_key("Li Na", "webhooks:write"), staff_key("Wang Fang", "webhooks:write")
    before = listed(staff, other)
    staff.webhooks.consume({"id": "evt_1", **EVENT})
    queued = [one["delivery_id"].partition(".")[2] for one in staff.webhooks.waiting()]
    staff.send(api, "POST", f"{ENDPOINTS}/whe_old/tests", token=key)
    tested = listed(staff, other)
    dismiss(staff, "Li Na")

    assert (before["created_by"], before["responsible"], queued) == (None, None, ["evt_1"])
    assert (tested["created_by"], tested["responsible"], tested["status"]) == (None, person("Li Na"), "active")
    assert listed(staff, other)["status"] == "disabled"


@pytest.mark.parametrize("step", ["create", "test"])
def test_an_endpoint_that_is_stored_or_tested_while_its_person_leaves_stops_too(staff: Shop, step: str) -> None:
    """In every order of calls that was tried, nothing may be called afterwards, and no request succeeds after it."""
    url = "https://erp.example.com/hook"
    stored = staff.webhooks.endpoint(staff_key("Wang Fang", "webhooks:write"), url, "*")["endpoint_id"]
    give(staff, "Wang Fang", "service")
    key = staff_key("Li Na", "webhooks:write")
    path = ENDPOINTS if step == "create" else f"{ENDPOINTS}/{stored}/tests"
    body = {"events": ["*"], "url": url} if step == "create" else None

    def ask() -> Reply:
        return staff.send(api, "POST", path, body, token=key, key="e")

    before, answers = staff.cloud.snapshot(), set[int]()
    for run in some_ways(lambda: [ask, lambda: dismiss(staff, "Li Na")], before.restore, 60):
        asked, left = run.ends
        answers.add(asked.status)
        of_li = [one for one in wiring.endpoints().of(STAFF) if one.responsible == person("Li Na")]

        assert left.status == 204, run
        assert all(not one.may_get(kind) for one in of_li for kind in (CHALLENGE, "order.paid")), run
    assert answers >= {201 if step == "create" else 202, 403}
