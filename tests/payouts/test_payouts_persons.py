"""Tax is a person's: members who are one person share brackets and allowance, whichever of them is paid."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.errors import ConflictError
from cardstock.flows import paying_out_wiring
from cardstock.ids import RequestKey
from cardstock.members.model import Person
from cardstock.members.store import DynamoMembers
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.channels.sandbox import SandboxTransfers, Way
from cardstock.payouts.lines import Line, retried
from cardstock.payouts.model import Rules
from cardstock.payouts.opening import Opener, open_batch
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.retrying import retry_line
from cardstock.payouts.tax.months import taxed_month
from cardstock.payouts.tax.tables import TaxToDate, counted
from cardstock.payouts.tax.to_date import figures_before
from tests.people.finance import FIRST, Finance

LABOUR = Rules(1_000, "bank_file", 10, "labour", "labour-2019")
PLATFORM = Rules(1_000, "bank_file", 10, "platform", "platform-2025")


def one_person(finance: Finance, *fen: int) -> list[str]:
    """So many members who are one person, each with so much money."""
    members = [finance.member(index, amount, verified=False) for index, amount in enumerate(fen, 1)]
    for member in members:
        DynamoMembers().add_person(member, Person("张伟", "1***2", "00$one", date(1990, 5, 5), "dev", FIRST))
    return members


def open_and_approve(finance: Finance, month: int, rules: Rules) -> str:
    period = Period(f"2026-{month:02d}")
    payout = batch_id(period)
    finance.clock.set(period.ends + timedelta(hours=3))
    open_batch(period, Opener("schedule"), rules, payouts_wiring.payouts())
    finance.advance(payout, only_csv=True)
    finance.approve_as("stf_li", payout)
    return payout


def send(finance: Finance, month: int, rules: Rules) -> dict[str, Line]:
    """A month's lines by member, on their way; how many steps it takes is not the point."""
    payout = open_and_approve(finance, month, rules)
    while finance.advance(payout, only_csv=True):
        pass
    return {line.member: line for line in payouts_wiring.payouts().lines_of_batch(payout)}


def settle(finance: Finance, lines: dict[str, Line], **results: str) -> None:
    """Every line is paid, but those of members that are told otherwise."""
    payout = next(iter(lines.values())).batch
    finance.results(
        *({"number": line.number, "result": results.get(member, "paid")} for member, line in lines.items()),
        payout=payout,
    )
    finance.advance(payout, only_csv=True)


def test_two_accounts_of_one_person_are_taxed_as_one(finance: Finance) -> None:
    first, second = one_person(finance, 60_000, 40_000)
    lines = send(finance, 10, LABOUR)

    assert sum(line.tax for line in lines.values()) == 4_000
    assert lines[first].person == lines[second].person != ""
    earlier = lines[min(lines)]
    assert earlier.after == counted(None, date(2026, 10, 1), earlier.gross, earlier.tax)
    assert {line.before for line in lines.values()} == {TaxToDate(2026, 10, 1, 0, 0, 0, 0)}


def test_two_persons_are_taxed_as_two(finance: Finance) -> None:
    finance.member(1, 60_000)
    finance.member(2, 40_000)
    lines = send(finance, 10, LABOUR)

    assert [line.tax for line in lines.values()] == [0, 0]


def test_two_steps_at_once_never_decide_two_lines_of_one_person(finance: Finance) -> None:
    one_person(finance, 60_000, 40_000, 30_000)
    payout = open_and_approve(finance, 10, LABOUR)
    pending: list[int] = []
    for _ in range(3):
        assert finance.advance(payout, only_csv=True) is (len(pending) < 2)
        pending.append([line.status for line in payouts_wiring.payouts().lines_of_batch(payout)].count("pending"))

    assert pending == [2, 1, 0]
    assert (
        sum(line.tax for line in payouts_wiring.payouts().lines_of_batch(payout))
        == (130_000 - 80_000) * 2_000 // 10_000
    )


def test_the_months_of_one_person_follow_each_other_over_all_his_accounts(finance: Finance) -> None:
    finance.clock.set(datetime(2026, 1, 20, tzinfo=UTC))
    first, second = one_person(finance, 600_000, 0)
    taxes = []
    for month, (a, b) in enumerate(((0, 0), (0, 800_000), (1_500_000, 500_000)), 1):
        for member, fen in ((first, a), (second, b)):
            if fen:
                finance.earn(member, fen)
        lines = send(finance, month, PLATFORM)
        settle(finance, lines)
        taxes.append(sum(line.tax for line in lines.values()))

    assert taxes == [0, 3_600, 33_000]


def test_a_line_that_fails_in_the_next_year_is_out_of_its_own_and_income_of_the_new_one(finance: Finance) -> None:
    finance.clock.set(datetime(2026, 11, 20, tzinfo=UTC))
    first, second = one_person(finance, 600_000, 0)
    settle(finance, send(finance, 11, PLATFORM))
    finance.earn(first, 2_000_000)
    finance.earn(second, 1_000_000)
    december = send(finance, 12, PLATFORM)
    settle(finance, december, **{first: "failed"})
    closed = {line.member: line for line in payouts_wiring.payouts().lines_of_batch("pay_202612")}
    period = Period("2027-01")
    finance.clock.set(period.ends + timedelta(hours=3))
    open_batch(period, Opener("schedule"), PLATFORM, payouts_wiring.payouts())
    finance.advance("pay_202701", only_csv=True)
    finance.approve_as("stf_li", "pay_202701")
    while finance.advance("pay_202701", only_csv=True):
        pass
    january = {line.member: line for line in payouts_wiring.payouts().lines_of_batch("pay_202701")}

    assert closed[first].status == "failed"
    # January begins anew: nothing is left of December, and its first month pays tax on everything above 5 000.
    assert (january[first].gross, january[first].tax) == (2_000_000, (2_000_000 * 8 // 10 - 500_000) * 3 // 100)
    assert january[first].before == TaxToDate(2027, 1, 1, 0, 0, 0, 0)
    finance.check_ledger()


def test_who_is_pending_in_an_older_batch_is_not_listed_under_another_account(finance: Finance) -> None:
    first, second = one_person(finance, 60_000, 0)
    send(finance, 10, LABOUR)
    finance.earn(second, 40_000)
    finance.earn(first, 5_000)
    finance.clock.set(Period("2026-11").ends + timedelta(hours=3))
    open_batch(Period("2026-11"), Opener("schedule"), LABOUR, payouts_wiring.payouts())
    finance.advance("pay_202611", only_csv=True)

    assert list(payouts_wiring.payouts().lines_of_batch("pay_202611")) == []


@pytest.mark.parametrize("fails", [0, 1])
def test_a_transfer_that_failed_is_retried_with_the_tax_of_what_was_paid(finance: Finance, fails: int) -> None:
    members = sorted(one_person(finance, 60_000, 60_000))
    lines = send(finance, 10, LABOUR)
    lost, kept = lines[members[fails]], lines[members[1 - fails]]
    payout = lost.batch
    finance.results({"number": lost.number, "result": "failed"}, payout=payout)
    finance.advance(payout, only_csv=True)
    # Only the channel's own word allows a second attempt; here the tax alone is looked at.
    again = retried(lost, "stf_li")
    found = payouts_wiring.payouts().find_batch(payout)
    assert found is not None
    known = paying_out_wiring.payees()(members, finance.clock.now())
    taxed = taxed_month(found, finance.clock.now(), payouts_wiring.payouts())
    before, waiting = figures_before(taxed, [again], known, payouts_wiring.payouts())
    figures = before[again.number].line

    assert not waiting
    assert figures is not None
    assert (figures.month_income, figures.month_withheld) == (60_000, kept.tax)


class Meeting:
    """Payouts in which, just before a step claims, others take all that is left - or, where a retry is asked for at
    that moment, one of them takes what it then can."""

    def __init__(self, finance: Finance, payout: str, retry: Callable[[], object] | None = None) -> None:
        self._finance, self._payout, self._retry, self.met = finance, payout, retry, 0
        self._payouts = payouts_wiring.payouts()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._payouts, name)

    def claim_lines(self, lines: Sequence[Line], **more: Any) -> Sequence[Line]:
        if not self.met:
            self.met = 1
            if self._retry is not None:
                self._retry()
                self._finance.advance(self._payout, only_csv=True)
            else:
                while self._finance.advance(self._payout, only_csv=True):
                    self.met += 1
        return self._payouts.claim_lines(lines, **more)


def test_steps_that_meet_at_the_claim_tax_a_person_once(finance: Finance, monkeypatch: pytest.MonkeyPatch) -> None:
    members = one_person(finance, 60_000, 40_000, 30_000)
    payout = open_and_approve(finance, 10, LABOUR)
    meeting = Meeting(finance, payout)
    real = payouts_wiring.payouts
    monkeypatch.setattr(payouts_wiring, "payouts", lambda: meeting if not meeting.met else real())
    with pytest.raises(ConflictError, match="PAYOUT_CHANGED"):
        finance.advance(payout, only_csv=True)
    while finance.advance(payout, only_csv=True):
        pass
    lines = list(real().lines_of_batch(payout))

    assert meeting.met > 1
    assert [line.status for line in lines] == ["sent"] * 3
    assert sum(line.tax for line in lines) == (130_000 - 80_000) * 2_000 // 10_000
    assert [finance.balance(member) for member in members] == [{"paying": fen} for fen in (60_000, 40_000, 30_000)]
    finance.check_ledger()


def test_a_retry_that_is_asked_for_while_a_step_claims_another_account_is_taxed_with_it(
    finance: Finance, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = sorted(one_person(finance, 60_000, 60_000))
    other = finance.member(3, 10_000)  # still on its way: while it is, lines may be retried
    ways: dict[tuple[str, int], Way] = {(member, 1): "failed" for member in members}
    sandbox = SandboxTransfers(lambda line: ways.get((line.member, line.attempt), "silent"))
    monkeypatch.setattr(payouts_wiring, "transfer_channel", lambda _: sandbox)
    lines = send(finance, 10, replace(LABOUR, channel="sandbox"))
    payout, real = lines[other].batch, payouts_wiring.payouts()

    def retry(member: str) -> None:
        number, request = lines[member].number, RequestKey(f"req_{member}", "x")
        retry_line(payout, number, "stf_li", request, real)

    retry(members[1])
    meeting = Meeting(finance, payout, lambda: retry(members[0]))
    monkeypatch.setattr(payouts_wiring, "payouts", lambda: meeting if not meeting.met else real)
    with pytest.raises(ConflictError, match="PAYOUT_CHANGED"):
        finance.advance(payout, only_csv=True)
    while finance.advance(payout, only_csv=True):
        pass
    again = [line for line in real.lines_of_batch(payout) if line.attempt == 2]

    assert [(line.status, line.gross) for line in again] == [("sent", 60_000)] * 2
    assert sum(line.tax for line in again) == (120_000 - 80_000) * 2_000 // 10_000
    finance.check_ledger()


def test_a_debt_that_was_offset_lowers_the_base(finance: Finance) -> None:
    member = finance.member(1, 100_000)
    finance.earn(member, -15_000)
    line = send(finance, 10, LABOUR)[member]

    assert (line.gross, line.tax) == (85_000, 1_000)
