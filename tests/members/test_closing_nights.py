"""The nights that close the accounts which had to wait, and what they may not close."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from pynamodb.exceptions import PynamoDBException

from cardstock.cards.model import Card, Face
from cardstock.cards.store import DynamoCards
from cardstock.errors import CardstockError
from cardstock.flows.nightly_closing import LATE
from cardstock.ids import RequestKey
from cardstock.ledger import wiring as ledger_wiring
from cardstock.members.item_store import ClosingRequestItem, MemberItem
from cardstock.orders import wiring as orders_wiring
from functions.members.nightly_closing import app as nightly_closing
from tests.house import faults
from tests.house.cloud import ROOT, Cloud, Context
from tests.people.agreements import AgreementHolder
from tests.people.audits import audit_now
from tests.people.clock import TestClock
from tests.people.leavers import Person, earned
from tests.people.shop import Shop
from tests.people.trade import DEMO_PLAN, Trade, line

EVENTS = ROOT / "events/members/nightly_closing"


@pytest.fixture(autouse=True)
def people_have_time(clock: TestClock) -> None:
    Person.clock = clock


@pytest.fixture
def trade(cloud: Cloud, clock: TestClock) -> Trade:
    made = Trade(cloud, clock)
    made.publish(DEMO_PLAN)
    return made


def night(clock: TestClock, *, remaining_ms: int = 900_000) -> Any:
    """The night's run, now."""
    tick = {"scheduled_at": clock.now().isoformat().replace("+00:00", "Z")}
    return nightly_closing.handler(tick, Context(remaining_ms=remaining_ms))


def waiting() -> set[str]:
    """Whose requests are stored."""
    return {item.member_id for item in ClosingRequestItem.scan(ClosingRequestItem.asked_at.exists())}


def test_a_member_who_never_calls_again_is_closed_by_the_night(cloud: Cloud, clock: TestClock) -> None:
    anna = Person("anna", phone_code="dev:+8613800138000")
    anna.ask_to_close()
    clock.move(seconds=59)
    early, state, kept = night(clock), anna.state, waiting()
    clock.move(seconds=1)
    done = night(clock)

    assert (early["closed"], early["waiting"], state, kept) == (0, 1, "registered", {anna.id})
    assert (done["closed"], done["waiting"], done["late"], done["finished"]) == (1, 0, 0, True)
    assert (anna.state, waiting(), anna.closing()["state"]) == ("erased", set(), "closed")
    assert [item for item in cloud.items("sessions") if item["sk"]["S"].startswith("ses_")] == []


def test_an_account_closes_the_night_after_its_frozen_money_was_released(trade: Trade) -> None:
    guide = Person("guide")
    order_id = earned(trade, guide, until="frozen")
    guide.ask_to_close()
    trade.clock.move(days=1)
    first = night(trade.clock)
    trade.receive(order_id)
    trade.settle_down()
    trade.clock.move(days=20)
    trade.night()
    fen = guide.balance.available
    second = night(trade.clock)

    assert (first["waiting"], second["closed"], fen > 0) == (1, 1, True)
    assert guide.state == "erased"
    assert audit_now().findings == ()
    assert audit_now().totals["set_aside"] == fen


def test_a_sum_that_was_given_up_in_words_is_given_up_by_the_night(trade: Trade) -> None:
    guide = Person("guide")
    earned(trade, guide)
    fen = guide.balance.available
    guide.ask_to_close(fen)
    trade.clock.move(hours=1)
    read = guide.closing()
    done = night(trade.clock)
    found = ledger_wiring.closings().find_closing(guide.id)

    assert (read["state"], read["given_up_fen"], read["give_up_differs"]) == ("waiting", fen, None)
    assert done["closed"] == 1
    assert found is not None
    assert (found.kind, found.amount, found.words) == ("given_up", fen, "我放弃这笔余额")
    assert audit_now().findings == ()


@pytest.mark.parametrize("change", [7, -7])
def test_a_sum_that_is_another_one_by_now_is_not_given_up_and_the_member_reads_why(trade: Trade, change: int) -> None:
    guide = Person("guide")
    earned(trade, guide)
    fen = guide.balance.available
    guide.ask_to_close(fen)
    guide.add(change)
    trade.clock.move(hours=1)
    done, read = night(trade.clock), guide.closing()
    state = guide.state
    guide.ask_to_close(fen + change)

    assert (done["closed"], done["waiting"], state) == (0, 1, "registered")
    assert (read["given_up_fen"], read["again_at"]) == (fen, None)
    assert f"¥{(fen + change) / 100:,.2f}" in read["give_up_differs"]
    assert guide.state == "erased"


def test_where_nothing_is_left_nothing_is_given_up_and_the_account_closes(trade: Trade) -> None:
    guide = Person("guide")
    earned(trade, guide)
    fen = guide.balance.available
    guide.ask_to_close(fen)
    guide.add(-fen)
    trade.clock.move(hours=1)
    read, done = guide.closing(), night(trade.clock)
    found = ledger_wiring.closings().find_closing(guide.id)

    assert (read["give_up_differs"], read["again_at"] is None, done["closed"]) == (None, False, 1)
    assert found is not None
    assert (found.kind, found.amount, found.words) == ("set_aside", 0, "")


def test_the_last_call_counts_and_takes_back_what_was_given_up(trade: Trade) -> None:
    guide = Person("guide")
    earned(trade, guide)
    guide.ask_to_close(guide.balance.available)
    guide.ask_to_close()
    trade.clock.move(hours=1)
    read, done = guide.closing(), night(trade.clock)
    found = ledger_wiring.closings().find_closing(guide.id)

    assert (read["given_up_fen"], done["closed"]) == (None, 1)
    assert found is not None
    assert found.kind == "set_aside"


def test_a_word_that_is_taken_back_while_the_night_is_at_work_gives_nothing_up(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = Person("guide")
    earned(trade, guide)
    guide.ask_to_close(guide.balance.available)
    trade.clock.move(hours=1)
    closings = ledger_wiring.closings()
    close = closings.close_account

    def late(*arguments: Any) -> Any:
        monkeypatch.undo()
        kept = ClosingRequestItem.find(f"closing#{guide.id}")
        assert kept is not None
        kept.update([ClosingRequestItem.give_up.remove()])
        return close(*arguments)

    monkeypatch.setattr(closings, "close_account", late)
    done = night(trade.clock)
    found = ledger_wiring.closings().find_closing(guide.id)

    assert done["closed"] == 1
    assert found is not None
    assert found.kind == "set_aside"


def test_what_was_opened_meanwhile_keeps_the_account_waiting(trade: Trade) -> None:
    guide, anna, bert = Person("guide"), Person("anna"), Person("bert")
    earned(trade, guide)
    order_id = trade.buy(anna.id, line(1, 2))
    trade.receive(order_id)
    for each in (guide, anna, bert):
        assert each.ask_to_close().body["state"] == "waiting"
    trade.clock.move(hours=1)
    guide.add(-guide.balance.available - 100)
    refund_id = trade.ask_back(order_id, sku1=1)
    MemberItem(bert.id).update([MemberItem.staff_link.set("stf_1")])
    done = night(trade.clock)
    states = [each.state for each in (guide, anna, bert)]
    guide.add(100)
    trade.give_back(order_id, refund_id)
    MemberItem(bert.id).update([MemberItem.staff_link.remove()])
    trade.clock.move(hours=24)

    assert (done["closed"], done["waiting"], states) == (0, 3, ["registered"] * 3)
    assert night(trade.clock)["closed"] == 3


def test_an_account_that_raises_stops_no_other_and_is_late_after_sixty_days(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert = Person("anna"), Person("bert")
    holder = AgreementHolder(shop, member=anna.id)
    holder.signed()
    for each in (anna, bert):
        each.ask_to_close()
    asked = shop.clock.now()
    counted: dict[str, int] = {}
    monkeypatch.setattr(nightly_closing, "count", counted.__setitem__)
    shop.channel.answers = False
    shop.clock.move(minutes=1)
    with pytest.raises(nightly_closing.NotClosedError, match=anna.id):
        night(shop.clock)
    states, soon = (anna.state, bert.state), dict(counted)
    shop.clock.set(asked + LATE)
    with pytest.raises(nightly_closing.NotClosedError):
        night(shop.clock)
    in_time = dict(counted)
    shop.clock.move(seconds=1)
    with pytest.raises(nightly_closing.NotClosedError):
        night(shop.clock)
    late = dict(counted)
    shop.channel.answers = True

    assert states == ("registered", "erased")
    assert (soon, in_time, late) == ({"ClosingsLate": 0}, {"ClosingsLate": 0}, {"ClosingsLate": 1})
    assert (night(shop.clock)["closed"], counted) == (1, {"ClosingsLate": 0})


def test_an_account_that_waits_for_more_than_sixty_days_is_counted(trade: Trade) -> None:
    guide = Person("guide")
    earned(trade, guide, until="frozen")
    guide.ask_to_close()
    trade.clock.move(seconds=LATE.total_seconds())
    in_time = night(trade.clock)
    trade.clock.move(seconds=1)

    assert (in_time["late"], night(trade.clock)["late"]) == (0, 1)


def test_a_night_without_time_leaves_the_rest_to_the_next(cloud: Cloud, clock: TestClock) -> None:
    Person("anna").ask_to_close()
    clock.move(minutes=1)
    short, full = night(clock, remaining_ms=59_999), night(clock, remaining_ms=60_000)

    assert (short["closed"], short["finished"], full["closed"], full["finished"]) == (0, False, 1, True)


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_tick_closes_and_what_is_no_tick_raises(cloud: Cloud, clock: TestClock, path: Path) -> None:
    Person("anna").ask_to_close()
    clock.move(hours=20)
    event = json.loads(path.read_text("utf-8"))
    before = cloud.state()
    if path.stem.startswith("bad_"):
        with pytest.raises((ValueError, msgspec.ValidationError)):
            nightly_closing.handler(event, Context())

        assert cloud.state() == before
    else:
        done = [nightly_closing.handler(event, Context(remaining_ms=900_000)) for _ in "12"]

        assert [each["closed"] for each in done] == [1, 0]


def test_a_closing_request_makes_few_calls_and_a_repeat_no_more(cloud: Cloud, clock: TestClock) -> None:
    """Member, orders, balance, the place in the network (read, and written once), and the request."""
    anna = Person("anna")
    with faults.watch() as first:
        anna.ask_to_close()
    with faults.watch() as repeat:
        anna.ask_to_close()

    assert [call.removeprefix("dynamodb.") for call in first] == [
        "BatchGetItem", "Query", "GetItem", "BatchGetItem", "BatchGetItem", "TransactWriteItems", "TransactWriteItems",
    ]  # fmt: skip
    assert [call.removeprefix("dynamodb.") for call in repeat] == [
        "BatchGetItem", "Query", "GetItem", "BatchGetItem", "TransactWriteItems",
    ]  # fmt: skip


def a_life(shop: Shop) -> Callable[[], Any]:
    """The night of a member with a card, agreements (one of a channel that is gone), a number and money that is given
    up."""
    anna = Person("anna", phone_code="dev:+8613800138000")
    holder = AgreementHolder(shop, member=anna.id)
    here = holder.stored(holder.signed())
    gone = replace(here, agreement_id=f"agr_{'gone':0>26}", channel="gone", version=1)
    assert orders_wiring.agreements().store_agreement(gone)
    card = Card("k7m2p9xw4tab", anna.id, {"default": Face("Anna")}, 1, shop.clock.now(), shop.clock.now())
    DynamoCards().add_card(card, RequestKey("req_card", "f"))
    anna.add(700)
    assert anna.ask_to_close(700).body["state"] == "waiting"
    shop.clock.move(hours=1)
    return lambda: night(shop.clock)


def picture(cloud: Cloud) -> Any:
    """Everything stored but sessions: whoever is killed after the closing leaves them to the erasure."""
    return {table: items for table, items in cloud.state().items() if table != "sessions"}


@pytest.mark.parametrize("mode", faults.MODES)
def test_a_disturbed_night_and_the_next_end_where_one_undisturbed_night_does(shop: Shop, mode: faults.Mode) -> None:
    step = a_life(shop)
    start = shop.cloud.snapshot()
    with faults.watch() as calls:
        step()
    expected = picture(shop.cloud)

    assert len(calls) > 8
    for index, call in enumerate(calls):
        if mode == "conflict" and not call.endswith("TransactWriteItems"):
            continue  # nothing else meets one
        start.restore()
        with (
            faults.at(index, mode),
            contextlib.suppress(nightly_closing.NotClosedError, CardstockError, PynamoDBException),
        ):
            faults.survive(step)
        step()

        assert picture(shop.cloud) == expected, f"{mode} at call {index} ({call})"


def test_a_disturbed_request_and_its_repeat_leave_one_request(cloud: Cloud, clock: TestClock) -> None:
    anna = Person("anna")
    start = cloud.snapshot()
    with faults.watch() as calls:
        anna.ask_to_close()
    expected = picture(cloud)
    for mode in faults.MODES:
        for index, _ in faults.hit_each(calls, mode, start.restore, anna.ask_to_close):
            anna.ask_to_close()
            assert picture(cloud) == expected, f"{mode} at call {index}"
