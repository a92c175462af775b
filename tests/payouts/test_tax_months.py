"""The month whose income a payment is: the one in which it is sent, or the payout's own, at the ends of months and
years, with retries, and where the setting has changed in between."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.clock import rfc3339
from cardstock.flows import paying_out_wiring
from cardstock.open_items.store import every_item
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.channels.sandbox import SandboxTransfers
from cardstock.payouts.line_store import LineItem
from cardstock.payouts.lines import Line, transfer_number
from cardstock.payouts.model import Batch, Rules
from cardstock.payouts.opening import Opener, open_batch
from cardstock.payouts.payees import Payee
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.tax.certificates import certificate_of
from cardstock.payouts.tax.model import Quarter, person_months
from cardstock.payouts.tax.months import TaxedMonth
from cardstock.payouts.tax.tables import (
    LABOUR_2019,
    PLATFORM_2025,
    TaxTable,
    TaxToDate,
    assess,
    counted,
    in_month,
    withhold,
)
from cardstock.payouts.tax.to_date import figures_before
from functions.payouts.nightly_tax import app as nightly
from tests.house.cloud import Cloud, Context
from tests.payouts.test_payouts_contradictions import clear_both
from tests.payouts.test_payouts_withholding import Memory
from tests.people.finance import Finance

Choice = Literal["paid", "earned"]
LABOUR = Rules(1_000, "bank_file", 10, "labour", LABOUR_2019.id)
PLATFORM = Rules(1_000, "bank_file", 10, "platform", PLATFORM_2025.id)


@pytest.fixture
def sandbox() -> Iterator[SandboxTransfers]:
    payouts_wiring.set_transfer_transport(None)
    made = payouts_wiring.transfer_channel("sandbox")
    assert isinstance(made, SandboxTransfers)
    yield made
    payouts_wiring.set_transfer_transport(None)


def rules(choice: Choice, method: Rules = LABOUR) -> Rules:
    return replace(method, tax_month=choice)


def opened(finance: Finance, month: str, how: Rules) -> str:
    """The batch of a month, opened and listed on the first day after it."""
    period = Period(month)
    finance.clock.set(period.ends + timedelta(hours=3))
    open_batch(period, Opener("schedule"), how, payouts_wiring.payouts())
    finance.advance(batch_id(period), only_csv=True)
    return batch_id(period)


def sent(finance: Finance, payout: str, at: datetime) -> dict[str, Line]:
    """The batch, approved and sent at a moment; its lines by member."""
    finance.clock.set(at)
    finance.approve_as("stf_li", payout)
    while finance.advance(payout, only_csv=True):
        pass
    return {line.member: line for line in payouts_wiring.payouts().lines_of_batch(payout)}


def settled(finance: Finance, payout: str) -> None:
    lines = [line for line in payouts_wiring.payouts().lines_of_batch(payout) if line.gross]
    finance.results(*({"number": line.number, "result": "paid"} for line in lines), payout=payout)
    finance.advance(payout, only_csv=True)


def year_of(finance: Finance, member: str, year: int) -> list[tuple[str, int, int]]:
    found = certificate_of(member, year, "Cardstock", payouts_wiring.payouts(), paying_out_wiring.persons())
    return [(month.period, month.income, month.tax) for month in found.months]


@pytest.mark.parametrize(("choice", "month"), [("paid", "2026-12"), ("earned", "2026-11")])
def test_a_payment_belongs_to_the_month_that_the_setting_says(finance: Finance, choice: Choice, month: str) -> None:
    member = finance.member(1, 500_000)
    payout = opened(finance, "2026-11", rules(choice))
    (line,) = sent(finance, payout, datetime(2026, 12, 5, tzinfo=UTC)).values()
    settled(finance, payout)

    assert (line.tax_month, line.taxed_in, line.tax) == (month, Period(month), 80_000)
    assert line.after == TaxToDate(2026, int(month[5:]), 1, 500_000, 80_000, 500_000, 80_000)
    assert year_of(finance, member, 2026) == [(month, 500_000, 80_000)]
    assert finance.payout(payout)["tax_month"] == choice


def test_the_day_in_shanghai_decides_on_the_month(finance: Finance) -> None:
    finance.member(1, 500_000)
    payout = opened(finance, "2026-11", rules("paid"))
    last_minute = Period("2026-12").ends - timedelta(minutes=1)
    (line,) = sent(finance, payout, last_minute).values()

    assert (line.tax_month, line.sent_at) == ("2026-12", last_minute)


@pytest.mark.parametrize(
    ("choice", "years"),
    [("paid", {2026: [], 2027: [("2027-01", 500_000, 80_000)]}),
     ("earned", {2026: [("2026-12", 500_000, 80_000)], 2027: []})],
)  # fmt: skip
def test_decembers_payout_is_income_of_the_new_year_if_it_is_paid_then(
    finance: Finance, choice: Choice, years: dict[int, list[Any]]
) -> None:
    member = finance.member(1, 500_000)
    payout = opened(finance, "2026-12", rules(choice))
    sent(finance, payout, datetime(2027, 1, 4, tzinfo=UTC))
    settled(finance, payout)

    assert {year: year_of(finance, member, year) for year in years} == years


def test_a_new_year_begins_with_the_first_payment_in_it(finance: Finance) -> None:
    finance.clock.set(datetime(2026, 10, 20, tzinfo=UTC))
    member = finance.member(1, 2_000_000)
    november = opened(finance, "2026-10", rules("paid", PLATFORM))
    sent(finance, november, datetime(2026, 11, 5, tzinfo=UTC))
    settled(finance, november)
    finance.earn(member, 2_000_000)
    december = opened(finance, "2026-11", rules("paid", PLATFORM))
    (second,) = sent(finance, december, datetime(2026, 12, 5, tzinfo=UTC)).values()
    settled(finance, december)
    finance.earn(member, 2_000_000)
    january = opened(finance, "2026-12", rules("paid", PLATFORM))
    (third,) = sent(finance, january, datetime(2027, 1, 5, tzinfo=UTC)).values()

    assert second.after is not None
    assert (second.after.months, second.after.income) == (2, 4_000_000)
    assert third.after is not None
    assert (third.after.year, third.after.months, third.after.income) == (2027, 1, 2_000_000)
    # 16 000 less 5 000 at 3 %; the second month adds as much; the new year begins anew.
    assert [second.tax, third.tax] == [33_000, 33_000]


def test_two_payouts_that_are_paid_in_one_month_are_taxed_as_one(finance: Finance) -> None:
    finance.clock.set(datetime(2026, 10, 20, tzinfo=UTC))
    member = finance.member(1, 60_000)
    late = opened(finance, "2026-10", rules("paid"))
    # Approved only in December, on the same day as November's.
    (first,) = sent(finance, late, datetime(2026, 12, 1, 1, tzinfo=UTC)).values()
    settled(finance, late)
    finance.earn(member, 40_000)
    payout = opened(finance, "2026-11", rules("paid"))
    (second,) = sent(finance, payout, datetime(2026, 12, 2, tzinfo=UTC)).values()
    settled(finance, payout)

    assert (first.tax, second.tax) == (0, 4_000)  # 1 000 less 800, at 20 %
    assert year_of(finance, member, 2026) == [("2026-12", 100_000, 4_000)]
    # What the second payout's own report says of the month has the first one in it.
    found = certificate_of(member, 2026, "Cardstock", payouts_wiring.payouts(), paying_out_wiring.persons())
    assert (found.months[0].figures.month_income, found.months[0].assessment.due) == (100_000, 4_000)
    (month,) = person_months(payouts_wiring.payouts().lines_of_batch(payout), whole=False)
    assert (month.income, month.figures.month_income, month.assessment.due) == (40_000, 100_000, 4_000)


def test_what_an_earlier_month_paid_is_no_income_of_this_one_though_its_payout_settles_now(finance: Finance) -> None:
    finance.clock.set(datetime(2026, 10, 20, tzinfo=UTC))
    member = finance.member(1, 60_000)
    payout = opened(finance, "2026-10", rules("paid"))
    sent(finance, payout, datetime(2026, 11, 20, tzinfo=UTC))
    finance.clock.set(datetime(2026, 12, 1, 1, tzinfo=UTC))
    settled(finance, payout)
    finance.earn(member, 40_000)
    payout = opened(finance, "2026-11", rules("paid"))
    (line,) = sent(finance, payout, datetime(2026, 12, 5, tzinfo=UTC)).values()

    assert (line.tax_month, line.tax) == ("2026-12", 0)


@pytest.mark.parametrize(("before", "after"), [("paid", "failed"), ("failed", "paid")])
def test_what_two_people_corrected_counts_in_its_month_whatever_was_sent_since(
    finance: Finance, before: str, after: str
) -> None:
    member = finance.member(1, 600_000)
    months, lines = ("2026-09", "2026-10", "2026-11"), list[Line]()
    for month in months:
        payout = opened(finance, month, rules("earned", PLATFORM))
        (line,) = sent(finance, payout, Period(month).ends + timedelta(days=1)).values()
        lines.append(line)
        if month == months[0]:
            finance.results({"number": line.number, "result": before}, payout=payout)
            finance.advance(payout, only_csv=True)
        else:
            settled(finance, payout)
        if month == months[1]:
            finance.results({"number": lines[0].number, "result": after}, payout=batch_id(Period(months[0])))
            (item,) = every_item()
            assert clear_both(item.id, "was_paid" if after == "paid" else "was_not_paid").body["status"] == "cleared"
        finance.earn(member, 2_000_000)
    folded: TaxToDate | None = None
    for line in lines[:2] if after == "paid" else lines[1:2]:
        folded = counted(folded, line.taxed_in.month, line.gross, line.tax)

    assert lines[2].before == in_month(folded, Period(months[2]).month)


def test_earned_months_stay_apart_on_whatever_day_they_are_paid(finance: Finance) -> None:
    finance.clock.set(datetime(2026, 10, 20, tzinfo=UTC))
    member = finance.member(1, 60_000)
    late = opened(finance, "2026-10", rules("earned"))
    sent(finance, late, datetime(2026, 12, 1, 1, tzinfo=UTC))
    settled(finance, late)
    finance.earn(member, 40_000)
    payout = opened(finance, "2026-11", rules("earned"))
    sent(finance, payout, datetime(2026, 12, 2, tzinfo=UTC))
    settled(finance, payout)

    assert year_of(finance, member, 2026) == [("2026-10", 60_000, 0), ("2026-11", 40_000, 0)]


@pytest.mark.parametrize(("choice", "months"), [("paid", ("2026-12", "2027-01")), ("earned", ("2026-11", "2026-11"))])
def test_a_retry_after_the_months_end_is_income_of_its_own_month(
    finance: Finance, sandbox: SandboxTransfers, choice: Choice, months: tuple[str, str]
) -> None:
    member, _ = finance.member(1, 500_000), finance.member(2, 500_000)  # the second one keeps the payout open
    sandbox.script = lambda line: "failed" if (line.member, line.attempt) == (member, 1) else "silent"
    payout = opened(finance, "2026-11", replace(rules(choice), channel="sandbox"))
    sent(finance, payout, Period("2026-12").ends - timedelta(minutes=5))
    lines = payouts_wiring.payouts().lines_of_batch(payout)
    first = next(line for line in lines if line.member == member)
    assert (first.status, first.tax_month) == ("failed", months[0])
    finance.clock.set(Period("2027-01").starts + timedelta(minutes=5))
    assert finance.retry(first.number, payout=payout)[0] == 202
    finance.advance(payout, only_csv=True)
    again = next(line for line in payouts_wiring.payouts().lines_of_batch(payout) if line.attempt == 2)

    assert (again.tax_month, again.tax) == (months[1], 80_000)
    assert year_of(finance, member, 2026 if choice == "paid" else 2027) == []


@pytest.mark.parametrize(("before", "after"), [("paid", "earned"), ("earned", "paid")])
def test_a_changed_setting_moves_nothing_that_was_sent(
    finance: Finance, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, before: Choice, after: Choice
) -> None:
    monkeypatch.setenv("TAX_MONTH", before)
    member = finance.member(1, 60_000)
    finance.tick()
    finance.drain()
    monkeypatch.setenv("TAX_MONTH", after)
    first = sent(finance, "pay_202611", datetime(2026, 12, 5, tzinfo=UTC))[member]
    settled(finance, "pay_202611")
    stored = cloud.state()
    known = year_of(finance, member, 2026)
    finance.earn(member, 100_000)
    finance.clock.set(Period("2026-12").ends + timedelta(hours=3))
    finance.tick()
    finance.drain()
    second = sent(finance, "pay_202612", datetime(2027, 1, 5, tzinfo=UTC))[member]

    assert first.tax_month == ("2026-12" if before == "paid" else "2026-11")
    assert known == [(first.tax_month, 60_000, 0)]
    assert second.tax_month == ("2027-01" if after == "paid" else "2026-12")
    # Where both are income of December, the second one pays the tax of both: 1 600 less 800, at 20 %.
    assert second.tax == (16_000 if second.tax_month == first.tax_month else 4_000)
    assert [item for item in stored["payouts"] if item not in cloud.state()["payouts"]] == []
    assert year_of(finance, member, 2026)[:1] == known


def test_a_line_of_an_older_release_belongs_to_its_payouts_month(finance: Finance) -> None:
    member = finance.member(1, 500_000)
    payout = opened(finance, "2026-11", LABOUR)
    (line,) = sent(finance, payout, datetime(2026, 12, 5, tzinfo=UTC)).values()
    LineItem(payout, f"line#{line.number}").update([LineItem.tax_month.remove()])
    settled(finance, payout)

    assert year_of(finance, member, 2026) == [("2026-11", 500_000, 80_000)]


@pytest.mark.parametrize(
    ("choice", "waits", "income"),
    [("paid", [], {"2026-11": 60_000, "2026-12": 0}), ("earned", ["2026-Q4"], {})],
)
def test_a_quarter_has_what_is_income_of_it(
    finance: Finance, choice: Choice, waits: list[str], income: dict[str, int]
) -> None:
    finance.clock.set(datetime(2026, 10, 20, tzinfo=UTC))
    member = finance.member(1, 60_000)
    for month, at in (("2026-10", datetime(2026, 11, 5, tzinfo=UTC)), ("2026-11", datetime(2026, 12, 5, tzinfo=UTC))):
        payout = opened(finance, month, rules(choice))
        if payouts_wiring.payouts().find_batch(payout).listed:  # type: ignore[union-attr] # it was opened
            sent(finance, payout, at)
        settled(finance, payout)
    finance.earn(member, 90_000)
    december = opened(finance, "2026-12", rules(choice))  # on its way when the quarter is over
    night = {"scheduled_at": rfc3339(finance.clock.now() + timedelta(hours=1))}
    found = nightly.handler(night, Context())

    # Paid in January, December's payout is no income of the quarter; earned in December, it is, and has to settle.
    assert found == {"written": [] if waits else ["2026-Q4"], "waiting": waits}
    assert Quarter("2026-Q4").year_so_far[-1] == Period("2026-12")
    if waits:
        sent(finance, december, finance.clock.now() + timedelta(days=3))
        settled(finance, december)
        assert nightly.handler(night, Context())["written"] == ["2026-Q4"]
    (file,) = payouts_wiring.tax_files().newest_tax_files(limit=1)
    assert (file.income, file.batches) == (
        (60_000, ("pay_202610", "pay_202611")) if choice == "paid" else
        (150_000, ("pay_202610", "pay_202611", "pay_202612"))
    )  # fmt: skip


def test_a_quarter_begins_with_what_decembers_payout_paid_in_january(finance: Finance) -> None:
    finance.clock.set(datetime(2026, 12, 20, tzinfo=UTC))
    member = finance.member(1, 60_000)
    for month in (12, 13, 14, 15):
        period = Period(f"{2026 + month // 13}-{(month - 1) % 12 + 1:02d}")
        payout = opened(finance, period.key, rules("paid"))
        sent(finance, payout, period.ends + timedelta(days=3))
        settled(finance, payout)
        finance.earn(member, 60_000)
    night = {"scheduled_at": rfc3339(Period("2027-03").ends + timedelta(days=9))}
    assert nightly.handler(night, Context())["written"] == ["2027-Q1"]
    (file,) = payouts_wiring.tax_files().newest_tax_files(limit=1)

    assert (file.income, file.batches) == (180_000, ("pay_202612", "pay_202701", "pay_202702"))
    assert [month for month, _, _ in year_of(finance, member, 2027)] == ["2027-01", "2027-02", "2027-03", "2027-04"]


class Shop:
    """Payouts of a year in which each batch has its own setting and is sent in a month of its own."""

    def __init__(self, table: TaxTable, *, carry: bool) -> None:
        self.table = table
        self.carry = carry
        self.payouts: Any = Memory()
        self.batches: list[Batch] = []

    def send(self, period: Period, choice: Choice, at: datetime, gross: int, status: Any) -> None:
        how = Rules(1, "bank_file", 1, self.table.method, self.table.id, self.carry, tax_month=choice)
        batch = Batch(batch_id(period), period, "sending", how, "schedule", period.ends)
        month = Period.of(at) if choice == "paid" else period
        number = transfer_number("mem_a", period, 1)
        line = Line(batch.id, period.key, "mem_a", 1, number, gross, person="prs_1")
        taxed = TaxedMonth(batch, month, at, [other for other in self.batches if other.id != batch.id])
        known = {"mem_a": Payee("mem_a", "张伟", "", verified=True, of_age=True, person="prs_1")}
        before, _ = figures_before(taxed, [line], known, self.payouts)
        figures = before.get(number)
        so_far = None if figures is None else figures.line
        tax, after = withhold(self.table, month.month, gross, so_far, carry_over_gap=self.carry)
        start = in_month(None if figures is None else figures.batch, month.month, carry_over_gap=self.carry)
        self.payouts.put(
            replace(line, status=status, gross=gross, tax=tax, net=gross - tax, before=start, after=after,
                    tax_table=self.table.id, tax_month=month.key, sent_at=at)
        )  # fmt: skip
        self.batches.append(replace(batch, stage="settled", closed_at=at))

    def paid(self) -> list[Line]:
        return [line for line in self.payouts.stored.values() if line.status == "paid"]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    table=st.sampled_from([LABOUR_2019, PLATFORM_2025]),
    carry=st.booleans(),
    choice=st.sampled_from(["paid", "earned"]),
    life=st.lists(
        st.tuples(st.integers(1, 20_000_000), st.integers(0, 2), st.sampled_from(["paid", "failed"])),
        min_size=1, max_size=9,
    ),
)  # fmt: skip
def test_a_years_tax_is_that_of_its_months_however_late_they_are_paid(
    table: TaxTable, carry: bool, choice: Choice, life: list[tuple[int, int, str]]
) -> None:
    """Payouts are sent in their order, each up to two months late. The judge sums incomes by month and applies the
    method to the sums."""
    shop = Shop(table, carry=carry)
    at = datetime(2026, 1, 31, 20, tzinfo=UTC)
    for number, (gross, late, status) in enumerate(life, 1):
        period = Period(f"2026-{number:02d}")
        at = max(at, period.ends + timedelta(days=31 * late + 1))
        if Period.of(at).month.year != 2026:
            break
        shop.send(period, choice, at, gross, status)
    incomes: dict[Period, int] = {}
    for line in shop.paid():
        month = Period.of(line.sent_at) if choice == "paid" and line.sent_at else Period(line.period)
        incomes[month] = incomes.get(month, 0) + line.gross
    figures: TaxToDate | None = None
    due = {}
    for month in sorted(incomes):
        figures = counted(figures, month.month, incomes[month], 0, carry_over_gap=carry)
        already = figures.withheld if table.method == "platform" else 0
        withheld = max(assess(table, figures).due - already, 0)
        figures = replace(figures, withheld=figures.withheld + withheld, month_withheld=withheld)
        due[month.key] = withheld

    assert {month.period: (month.income, month.tax) for month in person_months(shop.paid())} == {
        month.key: (income, due[month.key]) for month, income in sorted(incomes.items())
    }


def test_the_default_is_the_month_of_payment(finance: Finance) -> None:
    assert paying_out_wiring.payout_rules(Period("2026-11")).tax_month == "paid"


def test_an_unknown_setting_opens_nothing(finance: Finance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAX_MONTH", "whenever")

    with pytest.raises(ValueError, match="no tax month"):
        paying_out_wiring.payout_rules(Period("2026-11"))
