"""What a closed account owes: repaid by the same person's new account before that is paid, or brought before people."""

import contextlib
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pynamodb.exceptions import PynamoDBException

from cardstock.errors import CardstockError
from cardstock.flows import books_wiring, closed_debts
from cardstock.flows.auditing import audit_books
from cardstock.ledger import wiring as ledger_wiring
from cardstock.ledger.closings_store import ClosingItem
from cardstock.ledger.model import LedgerTransaction, Posting, account, transaction_id
from cardstock.ledger.offsets import offset_debt
from cardstock.members.item_store import MemberItem, members_of
from cardstock.open_items.model import OpenItem
from cardstock.open_items.wiring import open_items
from cardstock.payouts.payees import Balance, Payee, refusal
from functions.ledger.nightly_debts import app as nightly_debts
from functions.members.nightly_closing import app as nightly_closing
from functions.members.nightly_erasure import app as nightly_erasure
from tests.house import faults
from tests.house.cloud import ROOT, Cloud, Context
from tests.people.audits import audit_now
from tests.people.clock import TestClock
from tests.people.finance import Finance
from tests.people.leavers import Person, earned
from tests.people.trade import DEMO_PLAN, Trade

EVENTS = ROOT / "events/ledger/nightly_debts"


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
    return nightly_debts.handler(tick, Context(remaining_ms=remaining_ms))


def items() -> list[OpenItem]:
    return sorted(open_items().items_of_kind("debt_after_closing"), key=lambda item: item.opened_at)


def balance(member_id: str) -> int:
    return ledger_wiring.books().balance_of(member_id).free


def pair(finance: Finance, owed: int, available: int) -> tuple[str, str]:
    """A closed account that owes, and the same person's new one."""
    closed, new = finance.member(1), finance.member(2, available)
    finance.earn(closed, -owed)
    finance.erase(closed)
    ClosingItem(member_id=closed, at=finance.clock.now(), kind="set_aside", amount=0).save()
    MemberItem(closed).update([MemberItem.same_person.set((new,))])
    MemberItem(new).update([MemberItem.same_person.set((closed,)), MemberItem.former.add({closed})])
    return closed, new


def test_whoever_registers_again_repays_what_the_closed_account_owes(trade: Trade) -> None:
    guide = Person("guide")
    order_id = earned(trade, guide)
    fen = guide.balance.available
    assert guide.close(fen).body["state"] == "closed"
    trade.clock.move(days=1)
    tick = {"scheduled_at": trade.clock.now().isoformat().replace("+00:00", "Z")}
    assert nightly_erasure.handler(tick, Context(remaining_ms=900_000))["erased"] == 1
    trade.refund(order_id, sku1=1)
    trade.settle_down()
    owed = guide.balance.debt
    again = Person("guide")
    first = night(trade.clock)
    earned(trade, again)
    before = again.balance.available
    trade.clock.move(days=1)
    read, second = again.closing(), night(trade.clock)

    assert (again.id != guide.id, owed, members_of([again.id])[again.id].former) == (True, fen, (guide.id,))
    assert (first["repaid_fen"], first["owing"], items()) == (0, 1, [])
    assert (read["unpayable"], before >= owed) == ("未实名", True)
    assert (second["repaid_fen"], second["owing"]) == (owed, 0)
    assert (guide.balance.free, again.balance.available) == (0, before - owed)
    assert audit_now().findings == ()


def test_a_debt_of_a_person_without_account_is_one_open_item_until_it_is_gone(finance: Finance) -> None:
    closed = finance.member(1)
    finance.earn(closed, -700)
    finance.member(3, 900)
    alive = finance.member(4)
    finance.earn(alive, -50)
    finance.erase(closed)
    first, again = night(finance.clock), night(finance.clock)
    opened = items()
    finance.earn(closed, -100)
    night(finance.clock)
    [old, new] = sorted(items(), key=lambda item: item.amount_fen)
    finance.earn(closed, 800)
    night(finance.clock)

    assert (first["owing"], again["owing"], first["repaid_fen"]) == (1, 1, 0)
    assert [(item.state, item.subject, item.member_id, item.amount_fen) for item in opened] == [
        ("open", closed, closed, 700)
    ]
    assert (old.state, new.state, new.amount_fen) == ("cleared", "open", 800)
    assert [item.state for item in items()] == ["cleared", "cleared"]


@pytest.mark.parametrize(("owed", "available", "left", "rest"), [
    (700, 50_000, 0, 49_300), (700, 700, 0, 0), (700, 699, -1, 0), (700, 0, -700, 0),
])  # fmt: skip
def test_a_night_repays_what_is_there_and_never_more(
    owed: int, available: int, left: int, rest: int, finance: Finance
) -> None:
    closed, new = pair(finance, owed, available)
    runs = [night(finance.clock)["repaid_fen"] for _ in "12"]

    assert runs == [owed + left, 0]
    assert (balance(closed), balance(new), items()) == (left, rest, [])


def test_a_new_account_is_left_out_until_the_debt_is_repaid_and_then_paid_the_rest(finance: Finance) -> None:
    closed, new = pair(finance, 700, 50_000)
    finance.open("bank_file")
    finance.run_steps()
    [left] = finance.left_out()
    listed = finance.lines()
    _, preview = finance.call("GET", "/v1/payouts/preview")

    assert (left.member, left.reason, listed) == (new, "former_debt", {})
    assert preview["left_out"]["former_debt"] == {"members": 1, "available_fen": 50_000}
    night(finance.clock)
    finance.clock.move(days=31)
    assert finance.tick()
    finance.run_steps()
    [line] = finance.lines("pay_202612").values()
    assert (balance(closed), balance(new), line["listed_fen"]) == (0, 49_300, 49_300)


def test_a_debt_after_the_listing_drops_the_line(finance: Finance) -> None:
    closed, new = pair(finance, 700, 50_000)
    finance.earn(closed, 700)
    finance.open("bank_file")
    finance.run_steps()
    assert list(finance.lines()) == [new]
    finance.earn(closed, -5)
    finance.approve()
    finance.run_steps()

    assert finance.lines()[new]["reason"] == "former_debt"


def test_an_account_that_was_merged_before_repays_nothing_and_is_paid(finance: Finance) -> None:
    closed, new = pair(finance, 700, 50_000)
    MemberItem(new).update([MemberItem.former.remove()])
    night(finance.clock)
    finance.open("bank_file")
    finance.run_steps()

    assert (balance(closed), balance(new)) == (-700, 50_000)
    assert [item.amount_fen for item in items()] == [700]
    assert list(finance.lines()) == [new]


def test_several_new_accounts_repay_one_after_the_other_and_only_once(finance: Finance) -> None:
    closed, new = pair(finance, 700, 500)
    third = finance.member(3, 400)
    MemberItem(closed).update([MemberItem.same_person.set((new, third))])
    MemberItem(third).update([MemberItem.former.add({closed})])
    night(finance.clock)

    assert (balance(closed), balance(new) + balance(third)) == (0, 200)
    assert min(balance(new), balance(third)) == 0


def test_a_new_account_that_is_closed_too_repays_nothing(finance: Finance) -> None:
    closed, new = pair(finance, 700, 0)
    finance.erase(new)
    night(finance.clock)

    assert [(item.subject, item.amount_fen) for item in items()] == [(closed, 700)]


def test_a_debt_of_another_open_account_of_the_person_keeps_no_payment(finance: Finance) -> None:
    closed, new = pair(finance, 700, 50_000)
    finance.earn(closed, 700)
    third = finance.member(3)
    finance.earn(third, -900)
    MemberItem(new).update([MemberItem.same_person.set((closed, third))])
    finance.open("bank_file")
    finance.run_steps()

    assert list(finance.lines()) == [new]


def test_a_debt_of_an_account_that_is_open_is_its_own(finance: Finance) -> None:
    closed, new = pair(finance, 700, 50_000)
    MemberItem(closed).update([MemberItem.erased_at.remove(), MemberItem.state.set("registered")])

    assert night(finance.clock) == {"repaid_fen": 0, "owing": 0, "finished": True}
    assert (balance(closed), balance(new), items()) == (-700, 50_000, [])


def test_own_debt_is_named_before_a_former_one() -> None:
    payee = Payee("mem_a", "Anna", "dev:a", verified=True, of_age=True, former_debt=True)

    assert refusal(payee, Balance("mem_a", 5)) == "former_debt"
    assert refusal(payee, Balance("mem_a", -5)) == "debt"


def test_closing_the_new_account_waits_until_the_debt_of_the_former_one_is_repaid(finance: Finance) -> None:
    closed, new = pair(finance, 700, 50_000)
    again = object.__new__(Person)
    again.id = new
    read = again.closing()

    assert read["unpayable"] == "本人已注销的账号有欠款"
    assert again.close().body["state"] == "waiting"
    finance.open("bank_file")
    finance.run_steps()
    finance.clock.move(hours=1)
    tick = {"scheduled_at": finance.clock.now().isoformat().replace("+00:00", "Z")}
    assert nightly_closing.handler(tick, Context(remaining_ms=900_000))["waiting"] == 1
    assert (balance(closed), again.state) == (-700, "verified")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_a_closed_account_never_has_money_and_no_fen_is_lost(seed: int, finance: Finance) -> None:
    chance = random.Random(seed)
    closed, new = pair(finance, 500, 300)
    total, owed = -200, 500
    for _ in range(12):
        what, fen = chance.choice(["claw", "earn", "night", "claw own"]), chance.randint(1, 400)
        if what == "claw":
            finance.earn(closed, -fen)
            total, owed = total - fen, owed + fen
        elif what == "earn":
            finance.earn(new, fen)
            total += fen
        elif what == "claw own":
            finance.earn(new, -fen)
            total -= fen
        else:
            finance.clock.move(days=1)
            before = balance(new)
            repaid = night(finance.clock)["repaid_fen"]
            owed -= repaid

            assert repaid <= max(before, 0)
            assert balance(closed) == 0 or balance(new) <= 0
        assert (balance(closed), balance(closed) + balance(new)) == (-owed, total)
        assert owed >= 0


def findings(cloud: Cloud) -> set[tuple[str, str]]:
    """The checks that fail for offsets."""
    found = audit_books(books_wiring.auditing()).findings
    return {(one.check, one.item.partition(".")[0]) for one in found if "offset" in one.item}


def test_an_audit_knows_an_offset_and_finds_a_forged_one(finance: Finance) -> None:
    closed, new = pair(finance, 700, 50_000)
    night(finance.clock)
    right = findings(finance.cloud)
    other, now = finance.member(3, 900), finance.clock.now()
    debts = ledger_wiring.debts()
    finance.earn(new, -60_000)
    assert offset_debt(new, other, 100, now, debts=debts) == "booked"
    open_account = findings(finance.cloud)
    cause = f"{closed}.{other}.2026-12-24"
    postings = (Posting(account(other, "available"), -5), Posting(account(new, "available"), 5))
    forged = LedgerTransaction(transaction_id("offset", cause), "offset", cause, now, postings)
    assert debts.book_offset(forged) == "booked"

    assert right == set()
    assert open_account == {("unexplained", "ledger/offset")}
    assert findings(finance.cloud) == {("unexplained", "ledger/offset"), ("wrong_amounts", "ledger/offset")}


def test_an_offset_takes_no_more_than_there_is_and_repays_no_more_than_is_owed(finance: Finance) -> None:
    closed, new = pair(finance, 700, 600)
    now, debts = finance.clock.now(), ledger_wiring.debts()
    results = [offset_debt(closed, new, fen, now, debts=debts) for fen in (601, 600, 600)]
    finance.earn(new, 500)
    late = offset_debt(closed, new, 101, now + timedelta(days=1), debts=debts)

    assert results == ["outdated", "booked", "repeated"]
    assert (late, balance(closed), balance(new)) == ("outdated", -100, 500)


def test_a_night_without_time_leaves_the_rest_to_the_next(finance: Finance) -> None:
    pair(finance, 700, 600)
    short, full = night(finance.clock, remaining_ms=9_999), night(finance.clock, remaining_ms=10_000)

    assert (short["repaid_fen"], short["finished"], full["repaid_fen"], full["finished"]) == (0, False, 600, True)


def test_an_account_that_raises_stops_no_other(finance: Finance, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, new = pair(finance, 700, 600)
    other = finance.member(5)
    finance.earn(other, -30)
    finance.erase(other)

    def broken(*_arguments: Any, **_more: Any) -> Any:
        raise ValueError

    monkeypatch.setattr(closed_debts, "offset_debt", broken)
    with pytest.raises(nightly_debts.NotSettledError, match=closed):
        night(finance.clock)

    assert [item.subject for item in items()] == [other]
    assert balance(new) == 600


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_tick_repays_and_what_is_no_tick_raises(finance: Finance, path: Path) -> None:
    closed, _ = pair(finance, 700, 700)
    event = json.loads(path.read_text("utf-8"))
    if path.stem.startswith("bad_"):
        with pytest.raises((ValueError, msgspec.ValidationError)):
            nightly_debts.handler(event, Context())

        assert balance(closed) == -700
    else:
        assert nightly_debts.handler(event, Context(remaining_ms=900_000))["repaid_fen"] == 700


@pytest.mark.parametrize("mode", faults.MODES)
def test_a_disturbed_night_and_its_repeat_end_where_an_undisturbed_one_does(
    mode: faults.Mode, finance: Finance
) -> None:
    closed, new = pair(finance, 700, 600)
    alone = finance.member(5)
    finance.earn(alone, -30)
    finance.erase(alone)
    start = finance.cloud.snapshot()
    with faults.watch() as calls:
        night(finance.clock)
    expected = finance.cloud.state()

    assert len(calls) >= 5
    for index, call in enumerate(calls):
        start.restore()
        with (
            faults.at(index, mode),
            contextlib.suppress(nightly_debts.NotSettledError, CardstockError, PynamoDBException),
        ):
            faults.survive(lambda: night(finance.clock))
        night(finance.clock)

        assert finance.cloud.state() == expected, f"{mode} at call {index} ({call})"
    assert (balance(closed), balance(new)) == (-100, 0)
