"""Payouts where they meet other areas, in memory: rules, payees, the ledger as payouts read it, events."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.flows.paying_out import (
    LedgerReads,
    MembersAsPayees,
    MembersAsPersons,
    PayoutLedger,
    PayoutSettings,
    announce_payout,
    payout_rules,
)
from cardstock.ledger.payout_steps import TransferPosting
from cardstock.members.model import Member, Person
from cardstock.network.presets import SINGLE_LEVEL
from cardstock.payouts.books import Booking
from cardstock.payouts.lines import Line
from cardstock.payouts.listing import LISTED
from cardstock.payouts.model import Batch, Rules, Stage
from cardstock.payouts.payees import Balance
from cardstock.payouts.periods import Period
from cardstock.payouts.reporting import SETTLED

NOON = datetime(2026, 12, 1, 4, tzinfo=UTC)
PERSON = Person("张伟", "1***2", "00$01", date(1990, 5, 5), "dev", NOON)
MEMBER = Member("mem_1", "dev:app:1", NOON, "nick", None, "", "", PERSON, state="verified")
SETTINGS = PayoutSettings(
    channel="wechat", channel_minimum=10, tax_method="labour", carry_over_gap=False, tax_month="paid"
)


@pytest.mark.parametrize(("minimum", "listed"), [(7_000, 7_000), (1, 1), (0, 1)])
def test_a_batch_takes_the_minimum_of_the_plan_and_lists_no_empty_balance(minimum: int, listed: int) -> None:
    rules = payout_rules(Period("2026-11"), replace(SINGLE_LEVEL, payout_minimum=minimum), SETTINGS, NOON)

    assert rules == Rules(listed, "wechat", 10, "labour", "labour-2019", tax_month="paid")


def posting(kind: str, pocket: str, amount: int, number: str = "na1") -> TransferPosting:
    return TransferPosting("mem_1", NOON, f"{kind}.{number}", kind, number, pocket, amount)


def reads(*postings: TransferPosting, asked: list[str] | None = None) -> LedgerReads:
    def of_transfers(numbers: Sequence[str], corrections: Sequence[str]) -> Sequence[TransferPosting]:
        if asked is not None:
            asked.extend((*numbers, *corrections))
        return [one for one in postings if one.cause in (corrections if one.kind == "corrected" else numbers)]

    return LedgerReads(
        open_balances=lambda: [("mem_1", 5), ("mem_2", 9)],
        balance_page=lambda limit, _after: ([("mem_1", 5), ("mem_2", 9)][:limit], None),
        paid_before=lambda members: frozenset(members) & {"mem_2"},
        available_of=lambda members: {one: 5 for one in members if one == "mem_1"},
        postings_of_transfers=of_transfers,
        changes_of_members=lambda members, _since, _until: [one for one in postings if one.member_id in members],
    )


def test_bookings_are_the_sums_of_what_is_booked_under_a_number_that_was_sent() -> None:
    pending = Line("pay_202611", "2026-11", "mem_1", 1, "na0", 5_000)
    sent = replace(pending, number="na1", status="paid")
    asked: list[str] = []
    ledger = PayoutLedger(
        reads(
            posting("claimed", "available", -5_000),
            posting("claimed", "paying", 5_000),
            posting("paid", "paying", -5_000),
            posting("paid", "paid", 4_900),
            posting("paid", "withheld", 100),
            asked=asked,
        )
    )
    bookings, postings = ledger.bookings([pending, sent])

    assert asked == ["na1"]
    assert bookings == {"na1": Booking("na1", "mem_1", claimed=5_000, paid=4_900, tax=100)}
    assert sum(one.amount for one in postings) == 0
    assert [one.account for one in postings] == ["available", "paying", "paying", "paid", "withheld"]


def test_balances_and_statements_come_from_the_ledger() -> None:
    ledger = PayoutLedger(reads(posting("released", "available", 7)))

    assert list(ledger.open_balances()) == [Balance("mem_1", 5), Balance("mem_2", 9)]
    assert ledger.balance_page(1, None) == ([Balance("mem_1", 5)], None)
    assert ledger.paid_before(["mem_1", "mem_2"]) == {"mem_2"}
    assert ledger.balances(["mem_1", "mem_9"]) == {"mem_1": Balance("mem_1", 5)}
    assert [(one.entry, one.amount) for one in ledger.statements(["mem_1"], None, NOON)] == [("released.na1", 7)]


@pytest.mark.parametrize(
    ("member", "stopped", "expected"),
    [
        pytest.param(MEMBER, False, (True, True, False, False), id="verified"),
        pytest.param(MEMBER, True, (True, True, True, False), id="stopped by an alarm"),
        pytest.param(
            replace(MEMBER, person=None, state="registered"), False, (False, False, False, False), id="unverified"
        ),
        pytest.param(
            replace(MEMBER, person=replace(PERSON, born=date(2009, 1, 1))),
            False,
            (True, False, False, False),
            id="under age",
        ),
        pytest.param(replace(MEMBER, erased_at=NOON, state="erased"), False, (True, True, False, True), id="erased"),
    ],
)
def test_a_member_is_a_payee_as_far_as_verification_age_alarms_and_erasure_say(
    member: Member, stopped: bool, expected: tuple[bool, bool, bool, bool]
) -> None:
    payees = MembersAsPayees(
        lambda _: ([member], frozenset({"mem_1"}) if stopped else frozenset()), lambda _: frozenset()
    )
    payee = payees(["mem_1"], NOON)["mem_1"]
    person = MembersAsPersons(lambda _: {"mem_1": member})(["mem_1"], NOON)["mem_1"]

    assert (payee.verified, payee.of_age, payee.hold, payee.erased) == expected
    assert person == replace(payee, hold=False)


class SentEvents:
    """Announcements that keep what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, events: Sequence[Any]) -> None:
        self.sent += events


def batch(stage: Stage, **facts: Any) -> Batch:
    rules = Rules(1_000, "bank_file", 10, "labour", "labour-2019")
    return Batch("pay_202611", Period("2026-11"), stage, rules, "schedule", NOON, **facts)


def test_an_event_about_a_batch_is_the_same_however_often_it_is_announced() -> None:
    announcements: Any = SentEvents()
    listed = batch("counted", listed_at=NOON, listed=2, listed_amount=9_000)
    settled = batch("reported", closed_at=NOON, settled_at=NOON + timedelta(hours=1))
    for kind, one in ((LISTED, listed), (LISTED, listed), (SETTLED, settled)):
        announce_payout(announcements, kind, one)
    first, again, last = announcements.sent

    assert first == again
    assert (first.type, first.data["status"], first.data["lines"], first.data["listed_fen"]) == (
        "payout.opened", "open", 2, 9_000,
    )  # fmt: skip
    assert (last.type, last.data["status"], last.time, list(last.data["files"])) == (
        "payout.settled", "settled", settled.settled_at, [],
    )  # fmt: skip
