"""Every action of a person is on record: who, when, what, why; one small write, before it begins."""

import contextlib
from typing import Any

import pytest
from pynamodb.exceptions import PynamoDBException

from cardstock.edge.callers import Caller
from cardstock.edge.staff_record import action_of, masked
from cardstock.errors import CardstockError
from cardstock.orders.refund_schemas import GrantRefund
from cardstock.staff.action_store import ActionItem, begin_action
from cardstock.staff.actions import RecordedAction
from cardstock.staff.schemas import CreatePerson
from tests.house import faults
from tests.house.cloud import ROOT_KEY, Cloud, http_event, serve
from tests.people.clock import START, TestClock
from tests.people.replies import reply
from tests.people.shop import Shop
from tests.people.staff import person, session_of, staff_key, supplier_key

WRITE_UNIT = 1024
LONGEST = "POST /v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliveries"
CALLER = Caller("key_" + "k" * 26, "key", frozenset(), "staff", "Li Na", "stf_" + "p" * 26)


def recorded(cloud: Cloud) -> list[dict[str, str]]:
    """The stored actions, oldest first, without ids."""
    found = sorted(cloud.items("staff-actions"), key=lambda item: item["sk"]["S"])
    return [{name: item[name].get("S", "") for name in item if name not in ("at", "sk")} for item in found]


def test_what_a_person_did_is_recorded_with_key_or_session(shop: Shop) -> None:
    key, order_id = shop.staff.key("orders:refund"), shop.buyer.paid_order()
    assert shop.staff.grant(order_id, 500, staff=key, reason="late, call 138 0013 8000").status == 202
    browser = session_of("Zhao Min", ["owner"])
    browser.send("PUT", f"/v1/staff/{person('Li Na')}/roles", {"roles": ["service", "store"], "reason": "joins"})
    first, second = sorted(recorded(shop.cloud), key=lambda each: each["call"])

    assert first == {
        "pk": person("Li Na"), "by": first["by"], "call": "POST /v1/orders/{order_id}/goodwill-refunds",
        "things": f"order_id={order_id}", "details": "amount_fen=500, second_person=False",
        "reason": "late, call ***", "trace_id": "req-test",
    }  # fmt: skip
    assert first["by"].startswith("key_")
    assert (second["pk"], second["by"]) == (person("Zhao Min"), "session")
    assert (second["details"], second["reason"]) == ("roles=service+store", "joins")


def test_reading_and_what_is_refused_leave_no_record(shop: Shop) -> None:
    key = shop.staff.key("orders:refund", "orders:read")
    refused = shop.staff.grant("ord_" + "0" * 26, 500, staff=key)
    reply(serve(http_event("GET", "/v1/headquarters/orders", token=key)))

    assert refused.status == 404
    assert recorded(shop.cloud) == []


def test_suppliers_leave_none_and_the_root_key_does(cloud: Cloud) -> None:
    body = {"events": ["shipment.created"]}
    event = http_event("POST", "/v1/webhook-endpoints", body, token=supplier_key("sup_a", "webhooks:write"), key="1")
    assert serve(event)["statusCode"] == 201
    serve(http_event("POST", "/v1/staff", {"name": "Li Na"}, token=ROOT_KEY, key="2"))

    assert [(each["pk"], each["by"], each["details"]) for each in recorded(cloud)] == [("root", "key_root", "name=***")]


def test_the_record_costs_one_call_and_one_write_unit(cloud: Cloud) -> None:
    owner, li = staff_key("Zhao Min", "staff:write"), person("Li Na")
    event = http_event("DELETE", f"/v1/staff/{li}/sessions", token=owner)
    serve(event)
    with faults.watch() as calls:
        serve(event)

    assert calls == ["dynamodb.BatchGetItem", "dynamodb.PutItem", "dynamodb.UpdateItem"]


def size(action: RecordedAction) -> int:
    """Bytes of the item: names and values (DynamoDB's rule)."""
    item: dict[str, Any] = {"pk": action.person_id, "sk": action.action_id, "at": "9" * 13}
    item |= {name: getattr(action, name) for name in action.__struct_fields__[3:]}
    return sum(len(name) + len(str(value).encode()) for name, value in item.items() if value)


@pytest.mark.parametrize("letter", ["a", "密", "🙂"])
def test_the_longest_record_is_one_write_unit(letter: str, cloud: Cloud) -> None:
    body = GrantRefund(amount_fen=10**9, reason=letter * 500)
    values = dict.fromkeys(("payout_id", "number"), "v" * 200)
    made = action_of(LONGEST, values, body, CALLER, "t" * 99)
    fields = {name: getattr(made, name) for name in made.__struct_fields__}
    action = RecordedAction(action_id="act_" + "0" * 26, at=START, **fields)
    begin_action(action)

    assert size(action) <= WRITE_UNIT
    assert ActionItem.get(action.person_id, action.action_id).reason


def test_personal_data_is_left_out_of_the_record() -> None:
    made = action_of("POST /v1/staff", {}, CreatePerson("王小明"), CALLER, "")

    assert (made.details, made.reason) == ("name=***", "")
    assert masked("卡号 6222 0212 3456 7890 123 已换") == "卡号 *** 已换"
    assert masked("ord_01kbdxdh50fcazdjhcnqh2rzv5") == "ord_01kbdxdh50fcazdjhcnqh2rzv5"


@pytest.mark.parametrize("mode", faults.MODES)
def test_no_action_lacks_its_record_wherever_its_process_dies(mode: faults.Mode, cloud: Cloud) -> None:
    owner, li = staff_key("Zhao Min", "staff:write"), person("Li Na", roles=[])
    event = http_event("PUT", f"/v1/staff/{li}/roles", {"roles": ["finance"], "reason": "joins"}, token=owner)
    serve(http_event("GET", "/v1/staff", token=owner))
    before = cloud.snapshot()
    with faults.watch() as calls:
        serve(event)
    for index, name in enumerate(calls):
        before.restore()
        with faults.at(index, mode), contextlib.suppress(CardstockError, PynamoDBException):
            faults.survive(lambda: serve(event))
        done = [item for item in cloud.items("staff") if item.get("roles", {}).get("S") == '["finance"]']

        assert not done or len(recorded(cloud)) == 1, (mode, index, name)


def test_without_its_record_nothing_begins(cloud: Cloud) -> None:
    owner, li = staff_key("Zhao Min", "staff:write"), person("Li Na", roles=[])
    event = http_event("PUT", f"/v1/staff/{li}/roles", {"roles": ["finance"], "reason": "joins"}, token=owner)
    serve(http_event("GET", "/v1/staff", token=owner))
    with faults.at(1, "throttle", times=faults.ALWAYS) as calls:
        answer = serve(event)

    assert answer["statusCode"] == 503, calls
    assert [item["roles"]["S"] for item in cloud.items("staff") if "roles" in item] == ["[]"]


def test_owners_read_the_record_by_day_and_by_person(cloud: Cloud, clock: TestClock) -> None:
    owner, li = session_of("Zhao Min", ["owner"]), person("Li Na", roles=[])
    for day in range(3):
        owner = session_of("Zhao Min", ["owner"])
        for name in ("finance", "store"):
            body = {"roles": [name], "reason": f"day {day}"}
            assert owner.send("PUT", f"/v1/staff/{li}/roles", body).status == 200
            clock.move(seconds=1)
        serve(http_event("DELETE", f"/v1/staff/{li}/sessions", token=staff_key("Wang Fang", "staff:write")))
        clock.move(days=1, seconds=-2)
    owner = session_of("Zhao Min", ["owner"])

    def read(**query: str) -> list[tuple[str, str]]:
        rows, cursor = [], None
        while True:
            more: dict[str, str] = {"cursor": cursor} if cursor else {}
            page = owner.send("GET", "/v1/staff-actions", query={"limit": "2", **query, **more}).body
            rows += [(row["person_id"], row["reason"]) for row in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return rows

    zhao, wang = person("Zhao Min"), person("Wang Fang")
    of_day = [(wang, ""), (zhao, "day 1"), (zhao, "day 1")]

    assert len(read()) == 9
    assert read(person_id=wang) == [(wang, "")] * 3
    assert read(day="2026-12-02") == of_day
    assert read(day="2026-12-02", person_id=zhao) == of_day[1:]
    assert read(day="2026-11-30") == read(person_id="root") == []


def test_who_is_no_owner_does_not_read_the_record(cloud: Cloud, clock: TestClock) -> None:
    browser = session_of("Li Na", ["operator", "finance", "service", "warehouse", "store"])

    assert browser.send("GET", "/v1/staff-actions").body["code"] == "SCOPE_MISSING"
