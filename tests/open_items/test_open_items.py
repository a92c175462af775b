"""Open items: one suite for the fake and the store, the rule of two persons, and the functions for staff."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from cardstock.errors import NOT_FOUND, REASON_MISSING, SECOND_PERSON_NEEDED, CardstockError
from cardstock.open_items import errors
from cardstock.open_items.clearing import clear_item, count_open, new_item
from cardstock.open_items.model import KINDS, OUTCOMES, Kind, OpenItem, Outcome
from cardstock.open_items.ports import OpenItems
from cardstock.open_items.store import DynamoOpenItems
from functions.open_items.api import app as open_items_api
from functions.open_items.hourly_count import app as hourly_count
from tests.house import faults
from tests.house.cloud import ROOT, Cloud, Context, http_event
from tests.people.clock import TestClock
from tests.people.memory_open_items import MemoryOpenItems
from tests.people.replies import Reply, reply
from tests.people.staff import person, serve_confirmed, staff_key, unasked

CONTRACT = {OpenItems: (MemoryOpenItems, DynamoOpenItems)}
EVENTS = sorted((ROOT / "events/open_items").glob("*/*.json"))
REFUSALS = {
    "bad_clearing_of_nothing": (404, "NOT_FOUND"),
    "bad_clearing_without_reason": (400, "BODY_INVALID"),
    "bad_kind": (400, "QUERY_INVALID"),
    "bad_item_unknown": (404, "NOT_FOUND"),
}


@pytest.fixture(params=["memory", "dynamodb"])
def items(request: pytest.FixtureRequest, cloud: Cloud, clock: TestClock) -> OpenItems:
    return MemoryOpenItems() if request.param == "memory" else DynamoOpenItems()


def opened(items: OpenItems, cause: str = "c1", kind: Kind = "payment_mismatch") -> OpenItem:
    item = new_item(kind, cause, "ord_1", amount_fen=120, currency="USD", facts={"order_amount_fen": 100})
    items.add_item(item)
    return item


def test_a_repeat_of_a_cause_opens_nothing(items: OpenItems, clock: TestClock) -> None:
    item = opened(items)
    clock.move(hours=1)

    assert not items.add_item(new_item(item.kind, "c1", "other", amount_fen=1, facts={}))
    assert items.find_item(item.id) == item
    assert items.find_item("oit_nobody") is None


def test_items_are_listed_by_state_and_kind_oldest_first_in_pages(items: OpenItems, clock: TestClock) -> None:
    made = []
    for number in range(5):
        made.append(opened(items, f"c{number}", KINDS[number % 2]))
        clock.move(minutes=1)
    first, after = items.list_items("open", None, 2, None)
    second, rest = items.list_items("open", None, 9, after)
    of_kind, _ = items.list_items("open", KINDS[1], 2, None)

    assert [*first, *second] == made
    assert rest is None
    assert list(of_kind) == [made[1], made[3]]
    assert items.list_items("cleared", None, 9, None) == ([], None)


def test_one_person_clears_what_needs_one(items: OpenItems) -> None:
    item = opened(items)
    cleared = clear_alone(item.id, "returned", "by hand", "stf_1", can_approve=never, items=items)
    again = clear_alone(item.id, "returned", "other", "stf_2", can_approve=never, items=items)

    assert refusal_of(item.id, "explained", "stf_1", items) is errors.OUTCOME_DIFFERS
    assert (cleared.state, cleared.cleared and cleared.cleared.by) == ("cleared", "stf_1")
    assert again == cleared == items.find_item(item.id)
    assert count_open(items=items).open == 0


def test_two_persons_clear_what_needs_two_and_agree_on_the_outcome(items: OpenItems) -> None:
    item = opened(items, kind="payout_contradiction")
    asked = clear_alone(item.id, "was_paid", "bank says so", "stf_1", can_approve=never, items=items)
    alone = clear_alone(item.id, "was_paid", "again", "stf_1", can_approve=always, items=items)
    changed = clear_alone(item.id, "was_not_paid", "oh", "stf_1", can_approve=always, items=items)

    assert asked == alone
    assert (asked.state, changed.state, changed.version) == ("open", "open", 3)
    assert refusal_of(item.id, "was_not_paid", "stf_2", items, can=False) is SECOND_PERSON_NEEDED
    assert refusal_of(item.id, "was_paid", "stf_2", items) is errors.OUTCOME_DIFFERS

    done = clear_alone(item.id, "was_not_paid", "seen too", "stf_2", can_approve=always, items=items)

    assert (done.state, done.requested and done.requested.by, done.cleared and done.cleared.by) == (
        "cleared", "stf_1", "stf_2",
    )  # fmt: skip
    for actor in ("stf_1", "stf_2", "stf_3"):
        assert clear_alone(item.id, "was_not_paid", "yes", actor, can_approve=never, items=items) == done
        assert refusal_of(item.id, "was_paid", actor, items) is errors.OUTCOME_DIFFERS


def test_a_clearing_is_refused_without_reason_for_another_kinds_outcome_and_for_nothing(items: OpenItems) -> None:
    item = opened(items)

    assert refusal_of(item.id, "returned", "stf_1", items, reason=" ") is REASON_MISSING
    assert refusal_of(item.id, "was_paid", "stf_1", items) is errors.OUTCOME_UNKNOWN
    assert refusal_of("oit_nobody", "returned", "stf_1", items) is NOT_FOUND
    assert items.find_item(item.id) == item


def test_every_kind_can_end() -> None:
    assert set(OUTCOMES) == set(KINDS)
    assert all(OUTCOMES.values())


def test_a_lost_answer_of_a_clearing_is_no_conflict(cloud: Cloud, clock: TestClock) -> None:
    items = DynamoOpenItems()
    item = opened(items)
    modes: tuple[faults.Mode, ...] = ("lose_answer", "kill_after")
    for mode in modes:
        with faults.at(1, mode):
            faults.survive(lambda: clear_alone(item.id, "returned", "seen", "stf_1", can_approve=never, items=items))
    cleared = clear_alone(item.id, "returned", "by hand", "stf_2", can_approve=never, items=items)

    assert (cleared.cleared and cleared.cleared.by, cleared.version) == ("stf_1", 2)
    assert items.find_item(item.id) == cleared


def test_staff_read_and_clear_through_the_function(cloud: Cloud, clock: TestClock) -> None:
    item = opened(DynamoOpenItems())
    li, wang = (staff_key(name, "open_items:read", "open_items:clear") for name in ("Li Na", "Wang Fang"))
    listed = call("GET", "/v1/open-items", token=li, query={"kind": "payment_mismatch"})
    path, body = f"/v1/open-items/{item.id}", {"outcome": "returned", "reason": "given back by hand"}
    one = call("POST", f"{path}/clearings", body, token=li)
    two = call("POST", f"{path}/clearings", body, token=wang)
    read = call("GET", path, token=wang, headers={"Accept-Language": "en"})

    (view,) = listed.body["items"]
    assert (view["item_id"], view["status"], view["persons"], view["currency"]) == (item.id, "open", 1, "USD")
    assert view["facts"] == {"order_amount_fen": "100"}
    assert view["to_do"].startswith("付款金额或币种与订单不符")
    assert (one.status, one.body["status"], one.body["cleared"]["by"]) == (200, "cleared", person("Li Na"))
    assert (two.status, two.body) == (200, one.body)
    assert read.body["to_do"].startswith("A verified payment has another amount")
    assert call("GET", "/v1/open-items", token=li).body == {"items": [], "next_cursor": None}
    assert len(call("GET", "/v1/open-items", token=li, query={"status": "cleared"}).body["items"]) == 1


def test_reading_and_clearing_need_scopes_of_their_own(cloud: Cloud) -> None:
    item = opened(DynamoOpenItems())
    reader, clearer = staff_key("Li Na", "open_items:read"), staff_key("Wang Fang", "open_items:clear")
    body = {"outcome": "returned", "reason": "r"}

    assert call("POST", f"/v1/open-items/{item.id}/clearings", body, token=reader).body["code"] == "SCOPE_MISSING"
    assert call("GET", "/v1/open-items", token=clearer).body["code"] == "SCOPE_MISSING"
    assert call("GET", f"/v1/open-items/{item.id}", token=clearer).body["code"] == "SCOPE_MISSING"


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_payload_is_answered(cloud: Cloud, clock: TestClock, path: Any) -> None:
    clock.set(datetime(2026, 12, 8, 18, 30, tzinfo=UTC))
    opened(DynamoOpenItems())
    clock.move(hours=30)
    key = staff_key("Li Na", "open_items:read", "open_items:clear")
    event = json.loads(path.read_text("utf-8").replace("FINANCE_KEY", key))
    if path.parent.name == "hourly_count":
        if path.stem.startswith("bad"):
            with pytest.raises(Exception, match="scheduled_at"):
                hourly_count.handler(event, Context())
        else:
            assert hourly_count.handler(event, Context()) == {
                "open": 1, "oldest_hours": 30, "cleared": 0, "opened": 0,
            }  # fmt: skip
        return
    answer = reply(open_items_api.handler(event, Context()))

    if path.stem in REFUSALS:
        assert (answer.status, answer.body["code"]) == REFUSALS[path.stem]
    else:
        assert answer.status == 200
        assert len(answer.body["items"]) == 1


def call(method: str, path: str, body: Any = None, **options: Any) -> Reply:
    tail = path.removeprefix("/v1/open-items")
    resource = "/v1/open-items" + ("/{item_id}" if tail else "") + ("/clearings" if tail.endswith("clearings") else "")
    event = http_event(method, path, body, resource=resource, **options)
    return reply(serve_confirmed(event, lambda sent: open_items_api.handler(sent, Context())))


def refusal_of(
    item_id: str, outcome: Outcome, actor: str, items: OpenItems, *, reason: str = "r", can: bool = True
) -> object:
    with pytest.raises(CardstockError) as refused:
        clear_alone(item_id, outcome, reason, actor, can_approve=always if can else never, items=items)
    return refused.value.refusal


def clear_alone(
    item_id: str, outcome: Outcome, reason: str, actor: str, *, can_approve: Callable[[str], bool], items: OpenItems
) -> OpenItem:
    """Clear an item whose outcome books nothing."""
    return clear_item(
        item_id, outcome, reason, actor, can_approve=can_approve, confirm=unasked, items=items, book=items.save_item
    )


def always(_: str) -> bool:
    return True


def never(_: str) -> bool:
    return False
