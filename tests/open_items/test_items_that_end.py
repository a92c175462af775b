"""Open items that end by themselves, and units set aside, of which somebody is reminded until nobody has to be."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from pynamodb.exceptions import PynamoDBException

from cardstock.clock import rfc3339
from cardstock.errors import CardstockError
from cardstock.open_items.clearing import new_item
from cardstock.open_items.model import AUTOMATIC, OpenItem
from cardstock.open_items.store import every_item
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.fulfilment import report_shipment
from functions.open_items.hourly_count import app as hourly_count
from tests.house import faults
from tests.house.cloud import Context, http_event, serve
from tests.house.interleave import every_way
from tests.people.audits import audit_now
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import person, say_yes, serve_confirmed, staff_key
from tests.people.suppliers import HANGERS, LIGHTS

End = Callable[[Shop, str], object]


def hour(shop: Shop) -> dict[str, Any]:
    """The hourly schedule fires."""
    return hourly_count.handler({"scheduled_at": rfc3339(shop.clock.now())}, Context())


def items(kind: str = "payment_undecided") -> list[OpenItem]:
    return sorted((item for item in every_item() if item.kind == kind), key=lambda item: item.opened_at)


def say(item: OpenItem, outcome: str, who: str, reason: str = "seen") -> Reply:
    return reply(serve_confirmed(saying(item, outcome, who, reason)))


def saying(item: OpenItem, outcome: str, who: str, reason: str = "seen") -> dict[str, Any]:
    token = staff_key(who, "open_items:clear")
    body = {"outcome": outcome, "reason": reason}
    return http_event("POST", f"/v1/open-items/{item.id}/clearings", body, token=token)


@pytest.fixture
def undecided(shop: Shop) -> tuple[Shop, str]:
    """An order of which the channel has said nothing for eight days: two items."""
    order_id = shop.buyer.order()
    shop.channel.answers = False
    for days in (2, 6):
        shop.clock.move(days=days)
        shop.sweep()
    assert [(item.subject, item.state) for item in items()] == [(order_id, "open")] * 2
    return shop, order_id


def paid(shop: Shop, order_id: str) -> None:
    shop.buyer.pay(order_id)


def expired(shop: Shop, _order_id: str) -> None:
    shop.channel.answers = True
    shop.sweep()


def cancelled(shop: Shop, order_id: str) -> None:
    shop.channel.answers = True
    shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations")


@pytest.mark.parametrize("end", [paid, expired, cancelled])
def test_what_was_not_decided_is_cleared_when_its_order_has_ended(undecided: tuple[Shop, str], end: End) -> None:
    shop, order_id = undecided
    waits = hour(shop)
    end(shop, order_id)
    shop.clock.move(hours=1)
    told, again = hour(shop), hour(shop)
    said = [item.cleared for item in items()]

    assert (waits["open"], waits["cleared"], waits["oldest_hours"]) == (2, 0, 6 * 24)
    assert (told["open"], told["cleared"], again["open"], again["cleared"]) == (0, 2, 0, 0)
    assert {(each.by, each.outcome, each.reason, each.at) for each in said if each} == {
        (AUTOMATIC, "explained", f"the order is {end.__name__}", shop.clock.now())
    }
    assert all(said)
    seen = reply(serve(http_event("GET", f"/v1/open-items/{items()[0].id}", token=staff_key("Li", "open_items:read"))))
    assert seen.body["cleared"]["by"] == "cardstock"


def test_other_kinds_stay_open_whatever_becomes_of_their_order(undecided: tuple[Shop, str]) -> None:
    shop, order_id = undecided
    notice = shop.channel.notice(order_id)
    shop.channel.notify(notice | {"currency": "USD"})
    expired(shop, order_id)
    told = hour(shop)

    assert (told["open"], told["cleared"]) == (1, 2)
    assert [item.state for item in items("payment_mismatch")] == ["open"]


def test_an_item_of_an_order_that_nobody_knows_stays(shop: Shop) -> None:
    shop.stock_up()
    lost = new_item("payment_undecided", "c", "ord_" + "9" * 26, amount_fen=1, facts={})
    from cardstock.open_items.store import DynamoOpenItems

    DynamoOpenItems().add_item(lost)

    assert (hour(shop)["open"], items()[0].state) == (1, "open")


def test_without_time_the_review_is_left_to_the_next_hour(undecided: tuple[Shop, str]) -> None:
    shop, order_id = undecided
    paid(shop, order_id)
    tick = {"scheduled_at": rfc3339(shop.clock.now())}
    short = hourly_count.handler(tick, Context(remaining_ms=1_000))

    assert (short["open"], short["cleared"]) == (2, 0)
    assert hour(shop)["cleared"] == 2


def test_a_disturbed_review_and_the_next_one_end_as_an_undisturbed_one(undecided: tuple[Shop, str]) -> None:
    shop, order_id = undecided
    paid(shop, order_id)
    hour(shop)
    expected = items()
    assert [item.state for item in expected] == ["cleared", "cleared"]
    for item in expected:
        shop.cloud.dynamodb.delete_item(TableName="open-items", Key={"pk": {"S": item.kind}, "sk": {"S": item.id}})
    again(expected)
    before = shop.cloud.snapshot()
    with faults.watch() as calls:
        hour(shop)
    assert "dynamodb.PutItem" in calls

    for mode in faults.MODES:
        for _ in faults.hit_each(calls, mode, before.restore, lambda: hour(shop)):
            hour(shop)
            assert items() == expected, mode


def again(known: list[OpenItem]) -> None:
    """Open these items again, as they were."""
    from msgspec.structs import replace

    from cardstock.open_items.store import DynamoOpenItems

    for item in known:
        DynamoOpenItems().add_item(replace(item, state="open", cleared=None, version=1))


def test_a_person_and_the_review_at_once_clear_it_once_in_every_order_of_their_calls(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.channel.answers = False
    shop.clock.move(days=2)
    shop.sweep()
    paid(shop, order_id)
    (item,) = items()
    say(new_item("payment_undecided", "other", "x", amount_fen=1, facts={}), "explained", "Li Na")  # secrets, the key
    before, winners = shop.cloud.snapshot(), set[str]()

    for run in every_way(lambda: [lambda: say(item, "explained", "Li Na"), lambda: hour(shop)], before.restore):
        answer, told = run.ends
        (found,) = items()
        assert found.cleared is not None
        assert (found.state, found.version) == ("cleared", 2)
        assert told["cleared"] == (found.cleared.by == AUTOMATIC)
        if answer.status == 200:
            assert answer.body["cleared"]["by"] == found.cleared.by
        else:  # told, and shown who it was at the next try
            assert (answer.status, answer.body["code"], found.cleared.by) == (409, "ITEM_CHANGED", AUTOMATIC)
            assert say(item, "explained", "Li Na").body["cleared"]["by"] == AUTOMATIC
        winners.add(found.cleared.by)

    assert winners == {AUTOMATIC, person("Li Na")}


# --- units set aside ---


@pytest.fixture
def aside(shop: Shop) -> tuple[Shop, str]:
    """A paid order of which two unsent units were to be refunded; two persons have given that up."""
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    refuse(shop, order_id, 2, "first")
    give_up()
    return shop, order_id


def refuse(shop: Shop, order_id: str, units: int, key: str) -> None:
    """The buyer asks for units back, and the channel will never do it."""
    shop.channel.refund_status = "failed"
    assert shop.buyer.refund(order_id, {"85123A": units}, key=key).status == 202
    shop.sweep()


def give_up() -> None:
    """Two persons give up the refused refund that waits for them."""
    (waiting,) = [item for item in items("refund_refused") if item.state == "open"]
    for who in ("Li Na", "Wang Fang"):
        assert say(waiting, "given_up", who).status == 200


def ask_anew(shop: Shop, order_id: str, units: int, key: str) -> None:
    shop.channel.refund_status = "succeeded"
    assert shop.buyer.refund(order_id, {"85123A": units}, key=key).status == 202
    shop.sweep()


def test_units_whose_refund_is_given_up_open_an_item_in_the_same_step(aside: tuple[Shop, str]) -> None:
    shop, order_id = aside
    (item,) = items("units_set_aside")
    order = orders_wiring.orders().find_order(order_id)

    assert order is not None
    assert (item.state, item.subject, item.facts["units"], item.amount_fen) == ("open", order_id, "85123A x 2", 51_000)
    assert order.lines[0].set_aside_units == 2
    assert shop.stock()["85123A"] == (94, 6)
    assert hour(shop)["open"] == 1
    assert audit_now().findings == ()


def test_a_refund_of_sent_units_that_is_given_up_opens_none(shop: Shop) -> None:
    order_id = shop.buyer.paid_order()
    for supplier in (LIGHTS, HANGERS):
        report_shipment(supplier, order_id, "SF", "1", supplier, orders=orders_wiring.orders())
    shop.channel.refund_status = "failed"
    shop.staff.take_back(order_id, {"85123A": 2}, staff=shop.staff.key("orders:refund"))
    shop.sweep()
    give_up()

    assert items("units_set_aside") == []


def test_the_item_ends_with_the_last_unit_that_is_refunded_and_stock_is_exact(aside: tuple[Shop, str]) -> None:
    shop, order_id = aside
    ask_anew(shop, order_id, 1, "one")
    half = hour(shop), shop.stock()["85123A"]
    ask_anew(shop, order_id, 1, "two")
    whole = hour(shop), shop.stock()["85123A"]
    (item,) = items("units_set_aside")

    assert (half[0]["open"], half[0]["cleared"], half[1]) == (1, 0, (95, 5))
    assert (whole[0]["open"], whole[0]["cleared"], whole[1]) == (0, 1, (96, 4))
    assert item.cleared is not None
    assert (item.cleared.by, item.cleared.reason) == (AUTOMATIC, "no unit is set aside any more")
    assert audit_now().findings == ()


def test_a_person_who_clears_it_is_reminded_each_week_until_the_units_are_refunded(
    aside: tuple[Shop, str], capsys: pytest.CaptureFixture[str]
) -> None:
    shop, order_id = aside
    say(items("units_set_aside")[0], "explained", "Li Na", "the buyer wants to think")
    shop.clock.move(days=6, hours=23)
    early = hour(shop)
    shop.clock.move(hours=1)
    capsys.readouterr()
    due, twice = hour(shop), hour(shop)
    said = capsys.readouterr().out
    first, second = items("units_set_aside")
    say(second, "explained", "Wang Fang", "still")
    shop.clock.move(days=7)
    third = hour(shop)
    say(items("units_set_aside")[-1], "explained", "Wang Fang", "paid anew next")
    ask_anew(shop, order_id, 2, "anew")
    shop.clock.move(days=8)
    never = hour(shop)

    assert [(each["opened"], each["open"]) for each in (early, due, twice, third, never)] == [
        (0, 0), (1, 1), (0, 1), (1, 1), (0, 0),
    ]  # fmt: skip
    assert said.count('"OpenItemsOpened":[1.0]') == 1
    assert (second.subject, second.facts["units"], second.amount_fen) == (order_id, "85123A x 2", first.amount_fen)
    assert len(items("units_set_aside")) == 3


def test_units_that_are_given_up_again_open_an_item_again(aside: tuple[Shop, str]) -> None:
    shop, order_id = aside
    refuse(shop, order_id, 2, "again")
    between = hour(shop)
    give_up()
    found = hour(shop)

    assert (between["cleared"], between["open"]) == (1, 1)  # what waits for two persons
    assert (found["open"], sorted(item.state for item in items("units_set_aside"))) == (1, ["cleared", "open"])


def test_a_disturbed_giving_up_and_its_repeat_open_one_item(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    refuse(shop, order_id, 2, "first")
    (waiting,) = items("refund_refused")
    say(waiting, "given_up", "Li Na")
    asked = saying(waiting, "given_up", "Wang Fang")
    assert say_yes(asked) is None
    before = shop.cloud.snapshot()

    def step() -> Reply:
        return reply(serve(asked))

    with faults.watch() as calls:
        step()
    expected = shop.order_books()
    assert len(items("units_set_aside")) == 1
    for mode in faults.MODES:
        for _ in faults.hit_each(calls, mode, before.restore, step):
            step()
            assert shop.order_books() == expected, mode


def test_a_disturbed_reminder_and_the_next_one_open_one_item(aside: tuple[Shop, str]) -> None:
    shop, _ = aside
    say(items("units_set_aside")[0], "explained", "Li Na")
    shop.clock.move(days=7)
    before = shop.cloud.snapshot()
    with faults.watch() as calls:
        hour(shop)
    expected = items("units_set_aside")
    for mode in faults.MODES:
        for _ in faults.hit_each(calls, mode, before.restore, lambda: hour(shop)):
            with suppress(CardstockError, PynamoDBException):
                hour(shop)
            assert items("units_set_aside") == expected, mode
