"""Payout steps on the tables: months that build on each other, and steps that meet."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.errors import ConflictError, RefusedError
from cardstock.flows import paying_out_wiring
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.lines import Line, new_line
from cardstock.payouts.model import Rules, written
from cardstock.payouts.opening import Opener, open_batch
from cardstock.payouts.payees import Balance, Payee
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.ports import Writer
from cardstock.payouts.reporting import report_of
from tests.people.finance import FIRST, PAYOUT, Finance, member_id


def pay_month(finance: Finance, month: int, rules: Rules, *, result: str = "paid") -> int | None:
    """One month from opening to its end; the tax of the first member's line, if there is one."""
    period = Period(f"2026-{month:02d}")
    finance.clock.set(period.ends + timedelta(hours=3))
    payout = batch_id(period)
    open_batch(period, Opener("schedule"), rules, payouts_wiring.payouts())
    finance.advance(payout, only_csv=True)
    finance.approve_as("stf_li", payout)
    finance.advance(payout, only_csv=True)
    lines = finance.lines(payout)
    sent = [line["number"] for line in lines.values() if line["status"] == "sent"]
    if sent:
        finance.results(*({"number": number, "result": result} for number in sent), payout=payout)
        finance.advance(payout, only_csv=True)
    found = payouts_wiring.payouts().find_batch(payout)
    assert found is not None
    assert found.status == "settled"
    return lines[member_id(1)]["tax_fen"] if member_id(1) in lines else None


def test_who_has_opened_a_payout_does_not_approve_it(finance: Finance) -> None:
    finance.member(1, 5_000)
    period, payouts = Period("2026-11"), payouts_wiring.payouts()
    finance.clock.set(period.ends + timedelta(hours=3))
    rules = Rules(1_000, "bank_file", 10, "labour", "labour-2019")
    open_batch(period, Opener("stf_li"), rules, payouts)
    finance.advance(batch_id(period))

    with pytest.raises(RefusedError, match="APPROVER_OPENED_IT"):
        finance.approve_as("stf_li", batch_id(period))


def platform(*, carry_over_gap: bool = False) -> Rules:
    return Rules(1_000, "bank_file", 10, "platform", "platform-2025", carry_over_gap)


def test_platform_tax_builds_on_the_months_before(finance: Finance) -> None:
    finance.clock.set(datetime(2026, 1, 20, tzinfo=UTC))
    member = finance.member(1)
    taxes = []
    for month, fen in ((1, 600_000), (2, 800_000), (3, 2_000_000)):
        finance.earn(member, fen)
        taxes.append(pay_month(finance, month, platform()))

    assert taxes == [0, 3_600, 33_000]
    assert finance.balance(member) == {"paid": 3_363_400, "withheld": 36_600}
    finance.check_ledger()


def test_a_month_that_was_not_paid_in_the_end_is_taken_out_again(finance: Finance) -> None:
    finance.clock.set(datetime(2026, 1, 20, tzinfo=UTC))
    member = finance.member(1, 5_000_000)
    first = pay_month(finance, 1, platform(), result="failed")
    again = pay_month(finance, 2, platform())

    # The same as if February were the first month: nothing of January counts, or February would reach the next bracket.
    assert first == again == (5_000_000 * 8 // 10 - 500_000) * 3 // 100
    assert finance.balance(member) == {"paid": 5_000_000 - first, "withheld": first}


@pytest.mark.parametrize(("carry_over_gap", "tax"), [(False, 0), (True, 14_400)])
def test_a_gap_restarts_the_months(finance: Finance, carry_over_gap: bool, tax: int) -> None:
    finance.clock.set(datetime(2026, 1, 20, tzinfo=UTC))
    member = finance.member(1, 2_000_000)
    rules = platform(carry_over_gap=carry_over_gap)
    pay_month(finance, 1, rules)
    nothing = pay_month(finance, 2, rules)
    finance.earn(member, 600_000)

    assert nothing is None
    assert pay_month(finance, 3, rules) == tax


def test_what_the_tax_leaves_under_the_channel_s_minimum_is_not_sent(finance: Finance) -> None:
    poor, taxed, enough = finance.member(1, 1_000), finance.member(2, 100_000), finance.member(3, 100_002)
    rules = Rules(1_000, "bank_file", 96_001, "labour", "labour-2019")
    pay_month(finance, 10, rules)
    lines = finance.lines("pay_202610")

    # 1 000.00 less 40.00 of tax is one fen too little.
    for member, available in ((poor, 1_000), (taxed, 100_000)):
        assert (lines[member]["status"], lines[member]["reason"]) == ("dropped", "under_channel_minimum")
        assert finance.balance(member) == {"available": available}
    assert lines[enough]["status"] == "paid"


class Growing:
    """The ledger, in which a member earns just before it is read again."""

    def __init__(self, finance: Finance, member: str, fen: int) -> None:
        self._finance, self._member, self._fen = finance, member, fen
        self._ledger = paying_out_wiring.payout_ledger()

    def balances(self, members: Sequence[str]) -> Mapping[str, Balance]:
        self._finance.earn(self._member, self._fen)
        return self._ledger.balances(members)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


def test_a_line_that_shrank_and_whose_member_earns_again_pays_no_more_than_was_listed(finance: Finance) -> None:
    member = finance.member(1, 5_000)
    finance.tick()
    finance.advance()
    finance.approve()
    finance.earn(member, -2_000)
    ledger: Any = Growing(finance, member, 9_000)
    finance.advance(ledger=ledger)

    assert finance.lines()[member]["gross_fen"] == 5_000
    assert finance.balance(member) == {"available": 7_000, "paying": 5_000}


def test_a_step_that_lists_late_adds_nobody_whom_the_other_one_has_left_out(finance: Finance) -> None:
    finance.member(1, 5_000)
    late = finance.member(2, 5_000)
    finance.tick()

    def held(members: Sequence[str], now: datetime) -> Mapping[str, Payee]:
        known = dict(paying_out_wiring.payees()(members, now))
        return {one: replace(payee, hold=payee.hold or one == late) for one, payee in known.items()}

    def after_the_other_step(members: Sequence[str], now: datetime) -> Mapping[str, Payee]:
        finance.advance(payees=held)
        return paying_out_wiring.payees()(members, now)

    with pytest.raises(ConflictError, match="PAYOUT_CHANGED"):
        finance.advance(payees=after_the_other_step)

    assert set(finance.lines()) == {member_id(1)}


class Met:
    """Payouts, where a step that lists at the same moment adds a line once this one has counted."""

    def __init__(self, member: str) -> None:
        self._member = member
        self._payouts = payouts_wiring.payouts()

    def lines_of_batch(self, batch: str, part: str = "") -> Iterator[Line]:
        counted = list(self._payouts.lines_of_batch(batch, part))
        found = self._payouts.find_batch(batch)
        if found is not None and found.stage == "listing":
            self._payouts.add_lines(found, [new_line(found, Balance(self._member, 5_000))])
        return iter(counted)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._payouts, name)


def test_a_line_that_another_step_adds_to_a_batch_of_nobody_is_not_sent_without_approval(finance: Finance) -> None:
    member = finance.member(1)
    finance.tick()
    finance.earn(member, 5_000)
    held = finance.balance(member)
    met: Any = Met(member)

    def nobody_yet(members: Sequence[str], now: datetime) -> Mapping[str, Payee]:
        return {found: replace(payee, hold=True) for found, payee in paying_out_wiring.payees()(members, now).items()}

    finance.advance(payees=nobody_yet, payouts=met)
    finance.advance()
    waiting = (finance.payout(), finance.lines()[member]["status"], finance.balance(member))
    finance.approve()
    finance.advance()

    assert waiting[0]["status"] == "open"
    assert (waiting[0]["listed"], waiting[0]["listed_fen"]) == (1, 5_000)
    assert waiting[1:] == ("pending", held)
    assert finance.lines()[member]["status"] == "sent"


class Interrupted:
    """Payees, asked for while another step of the same batch runs, from beginning to end or for so many chunks."""

    def __init__(self, finance: Finance, *, chunks: int = 99) -> None:
        self._finance, self._chunks = finance, chunks
        self.interrupted = False

    def __call__(self, members: Sequence[str], now: datetime) -> Mapping[str, Payee]:
        if not self.interrupted:
            self.interrupted = True
            self._finance.advance(chunks=self._chunks)
        return paying_out_wiring.payees()(members, now)


def test_two_steps_that_list_at_once_list_everybody_once(finance: Finance) -> None:
    finance.member(1, 5_000)
    finance.tick()
    meeting = Interrupted(finance)
    with pytest.raises(ConflictError, match="PAYOUT_CHANGED"):
        finance.advance(payees=meeting)
    finance.member(2, 5_000)
    finance.advance()
    payout = payouts_wiring.payouts().find_batch("pay_202611")

    assert meeting.interrupted
    assert payout is not None
    assert (payout.listed, payout.listed_amount) == (1, 5_000)
    assert set(finance.lines()) == {member_id(1)}


def test_two_steps_that_send_at_once_claim_once(finance: Finance) -> None:
    members = [finance.member(index, 5_000) for index in range(40)]
    finance.tick()
    finance.advance()
    finance.approve()
    meeting = Interrupted(finance)
    finance.advance(payees=meeting)

    assert meeting.interrupted
    assert {line["status"] for line in finance.lines().values()} == {"sent"}
    assert [finance.balance(member) for member in members] == [{"paying": 5_000}] * 40
    finance.check_ledger()


def test_the_bank_s_file_has_what_a_step_that_was_met_on_the_way_has_sent(finance: Finance) -> None:
    members = [finance.member(index, 5_000) for index in range(40)]
    finance.tick()
    finance.advance()
    finance.approve()
    numbers = {line.member: line.number for line in payouts_wiring.payouts().lines_of_batch(PAYOUT)}
    # Sent by the other step, which has time for one chunk, before this one would leave the member out.
    held = min(members, key=numbers.__getitem__)
    meeting = Interrupted(finance, chunks=1)

    def with_a_hold(members: Sequence[str], now: datetime) -> Mapping[str, Payee]:
        known = dict(meeting(members, now))
        return known | {held: replace(known[held], hold=True)}

    with pytest.raises(ConflictError, match="PAYOUT_CHANGED"):
        finance.advance(payees=with_a_hold)
    sent = [line for line in payouts_wiring.payouts().lines_of_batch(PAYOUT) if line.status == "sent"]
    finance.advance()
    content = finance.cloud.s3.get_object(Bucket="reports", Key=f"payouts/{PAYOUT}/transfers.csv")["Body"].read()

    assert len(sent) == 40
    assert sorted(row.rpartition(",")[2] for row in content.decode().splitlines()[1:]) == sorted(numbers.values())
    assert finance.payout()["status"] == "sending"


def test_what_a_bank_contradicts_once_the_books_have_closed_changes_no_report(finance: Finance) -> None:
    member = finance.member(1, 5_000)
    finance.tick()
    finance.advance()
    finance.approve()
    finance.advance()
    number = finance.lines()[member]["number"]
    paid, failed = ({"number": number, "result": result} for result in ("paid", "failed"))
    finance.results(paid)
    more = finance.advance(chunks=1, only_csv=True)
    closed = payouts_wiring.payouts().find_batch(PAYOUT)
    finance.clock.move(hours=1)
    contradicted = finance.results(failed)
    finance.advance(only_csv=True)
    settled = payouts_wiring.payouts().find_batch(PAYOUT)
    assert settled is not None
    report = report_of(settled, payouts_wiring.brand(), payouts_wiring.payouts(), paying_out_wiring.payout_ledger())

    assert more
    assert closed is not None
    assert (closed.stage, closed.status, closed.closed_at) == ("closed", "sending", FIRST)
    assert (contradicted[0], contradicted[1]["recorded"]) == (202, 1)
    assert settled.status == "settled"
    assert [written(settled, write(report)) for write in payouts_wiring.report_writers()[1:2]] == list(settled.reports)


def test_money_that_fails_repays_a_debt_first(finance: Finance) -> None:
    member = finance.member(1, 5_000)
    finance.tick()
    finance.advance()
    finance.approve()
    finance.advance()
    finance.earn(member, -2_000)
    in_debt = finance.balance(member)
    finance.results({"number": finance.lines()[member]["number"], "result": "failed"})
    finance.advance()

    assert in_debt == {"available": -2_000, "paying": 5_000}
    assert finance.balance(member) == {"available": 3_000}
    finance.check_ledger()


def test_only_the_step_that_writes_the_report_loads_its_writers(
    finance: Finance, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    writers = payouts_wiring.report_writers

    def loading() -> Sequence[Writer]:
        found = payouts_wiring.payouts().find_batch(PAYOUT)
        loaded.append(found.stage if found is not None else "")
        return writers()

    monkeypatch.setattr(payouts_wiring, "report_writers", loading)
    finance.member(1, 5_000)
    finance.sent()
    before = list(loaded)
    finance.results(others=True)
    assert not finance.drain()

    assert before == []
    assert loaded == ["closed"]
