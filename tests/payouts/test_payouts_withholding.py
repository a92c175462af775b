"""Lives of persons who are paid through several accounts, with failures and retries: figures are always the fold of
what was paid, tax is what the law's formula gives, and what failed leaves nothing behind."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.payouts.lines import Line, transfer_number
from cardstock.payouts.model import Batch, Rules
from cardstock.payouts.payees import Payee
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.tax.model import Quarter, person_months, quarter_of
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
from cardstock.payouts.tax.to_date import NOTHING, FiguresBefore, figures_before, person_of

NOON = datetime(2026, 1, 1, 4, tzinfo=UTC)
MEMBERS = ("mem_a", "mem_b", "mem_c")
PERSONS = {
    member: Payee(member, "张伟", "", verified=True, of_age=True, person="prs_1", id_number="1***X",
                  siblings=tuple(other for other in MEMBERS if other != member))
    for member in MEMBERS
}  # fmt: skip


class Memory:
    """As much of `ports.Payouts` as tax reads."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Line] = {}

    def put(self, line: Line) -> Line:
        self.stored[line.batch, line.number] = line
        return line

    def find_lines(self, wanted: str, numbers: Iterable[str]) -> Mapping[str, Line]:
        return {number: self.stored[wanted, number] for number in numbers if (wanted, number) in self.stored}


class Life:
    """One person, month after month, under one table."""

    def __init__(self, table: TaxTable, *, carry_over_gap: bool = False) -> None:
        self.table = table
        self.rules = Rules(1, "bank_file", 1, table.method, table.id, carry_over_gap)
        self.payouts: Any = Memory()
        self.corrected: frozenset[str] = frozenset()

    def batch(self, month: int) -> Batch:
        period = Period(f"2026-{month:02d}")
        return Batch(batch_id(period), period, "sending", self.rules, "schedule", period.ends)

    def taxed(self, month: int) -> TaxedMonth:
        """Every other batch of the year is as it would be found."""
        batch = self.batch(month)
        others = [self.batch(other) for other in range(1, 13) if other != month]
        return TaxedMonth(batch, batch.period, NOON, others, self.corrected)

    def pending(self, month: int, member: str, attempt: int = 1) -> Line:
        batch = self.batch(month)
        number = transfer_number(member, batch.period, attempt)
        return self.payouts.put(Line(batch.id, batch.period.key, member, attempt, number, 10**9))  # type: ignore[no-any-return] # a fake of Any

    def send(self, month: int, line: Line, gross: int, known: Mapping[str, Payee] = PERSONS) -> Line:
        """As a step does it: refused while another line of the person goes first."""
        batch = self.batch(month)
        before, waiting = figures_before(self.taxed(month), [line], known, self.payouts)
        assert not waiting
        figures, carry = before.get(line.number, NOTHING), self.rules.carry_over_gap
        tax, after = withhold(self.table, batch.period.month, gross, figures.line, carry_over_gap=carry)
        assert 0 <= tax <= gross
        sent = replace(
            line, status="sent", gross=gross, tax=tax, net=gross - tax, person=known[line.member].person, after=after,
            before=in_month(figures.batch, batch.period.month, carry_over_gap=carry), tax_table=self.table.id,
            tax_month=batch.period.key,
        )  # fmt: skip
        self.payouts.put(sent)
        return sent

    def end(self, line: Line, status: Any) -> None:
        self.payouts.put(replace(line, status=status))

    def correct(self, line: Line, status: Any) -> None:
        """As two persons do it, whatever was sent since."""
        self.end(line, status)
        self.corrected |= {line.member}

    def paid(self) -> list[Line]:
        return [line for line in self.payouts.stored.values() if line.status == "paid"]

    def withheld(self) -> int:
        return sum(line.tax for line in self.paid())


def due_to_date(incomes: list[int]) -> Fraction:
    """The formula of announcement 2025 No. 16 in yuan, written down anew: months in a row, 1 to the last."""
    base = Fraction(sum(incomes), 100) * Fraction(4, 5) - 5_000 * len(incomes)
    steps = [(36_000, 3, 0), (144_000, 10, 2_520), (300_000, 20, 16_920), (420_000, 25, 31_920), (660_000, 30, 52_920),
             (960_000, 35, 85_920), (10**12, 45, 181_920)]  # fmt: skip
    rate, quick = next((rate, quick) for limit, rate, quick in steps if base <= limit)
    return max(base * rate / 100 - quick, Fraction(0)) * 100


amounts = st.integers(1, 40_000_000)
months = st.lists(
    st.lists(st.tuples(amounts, st.sampled_from(["paid", "failed", "failed, then paid"])), min_size=0, max_size=3),
    min_size=1,
    max_size=8,
)


@given(life=months, carry=st.booleans())
def test_figures_are_the_fold_of_what_was_paid(life: list[list[tuple[int, str]]], carry: bool) -> None:
    one = Life(PLATFORM_2025, carry_over_gap=carry)
    folded: TaxToDate | None = None
    for month, lines in enumerate(life, 1):
        for member, (gross, end) in zip(MEMBERS, lines, strict=False):
            sent = one.send(month, one.pending(month, member), gross)
            one.end(sent, "paid" if end == "paid" else "failed")
            if end == "failed, then paid":
                sent = one.send(month, one.pending(month, member, 2), gross)
                one.end(sent, "paid")
            if end != "failed":
                folded = counted(folded, date(2026, month, 1), gross, sent.tax, carry_over_gap=carry)
        before, _ = figures_before(one.taxed(month + 1), [one.pending(month + 1, "mem_c")], PERSONS, one.payouts)

        # Without carrying over, only what the month before left is looked at.
        expected = folded if folded is not None and (carry or folded.month == month) else None
        assert list(before.values()) == ([] if expected is None else [FiguresBefore(expected, expected)])
        assert expected is None or expected.withheld >= 0
        del one.payouts.stored[one.batch(month + 1).id, transfer_number("mem_c", one.batch(month + 1).period, 1)]
    assert sum(month.tax for month in person_months(one.paid())) == one.withheld()


@given(
    life=st.lists(st.tuples(amounts, st.sampled_from(["paid", "failed", ""]), st.booleans()), min_size=1, max_size=8),
    carry=st.booleans(),
)
def test_what_is_corrected_counts_in_its_month_whatever_was_sent_since(
    life: list[tuple[int, str, bool]], carry: bool
) -> None:
    one = Life(PLATFORM_2025, carry_over_gap=carry)
    ended: list[tuple[Line, str, bool]] = []
    for month, (gross, end, wrong) in enumerate(life, 1):
        if end:
            ended.append((one.send(month, one.pending(month, "mem_a"), gross), end, wrong))
            one.end(ended[-1][0], end)
    folded: TaxToDate | None = None
    for sent, end, wrong in ended:
        right = end if not wrong else "failed" if end == "paid" else "paid"
        if wrong:
            one.correct(sent, right)
        if right == "paid":
            folded = counted(folded, sent.taxed_in.month, sent.gross, sent.tax, carry_over_gap=carry)
    month = len(life) + 1
    before, _ = figures_before(one.taxed(month), [one.pending(month, "mem_b")], PERSONS, one.payouts)

    expected = folded if folded is not None and (carry or folded.month == month - 1) else None
    assert list(before.values()) == ([] if expected is None else [FiguresBefore(expected, expected)])


def test_a_month_whose_first_payment_was_corrected_begins_without_it() -> None:
    one = Life(LABOUR_2019)
    first = one.send(1, one.pending(1, "mem_a"), 500_000)
    after = counted(None, date(2026, 1, 1), first.gross, first.tax)
    # Of the payout after it, which was paid in the same month.
    second = replace(
        one.send(2, one.pending(2, "mem_a"), 300_000), tax_month="2026-01", before=after, status="paid"
    )  # fmt: skip
    both, rest = (person_months([replace(first, status=status), second]) for status in ("paid", "failed"))

    assert [(month.income, month.assessment.income) for month in both] == [(800_000, 800_000)]
    assert [(month.income, month.assessment.income) for month in rest] == [(300_000, 300_000)]


@given(incomes=st.lists(amounts, min_size=1, max_size=12))
def test_consecutive_months_withhold_what_the_formula_says_to_the_fen(incomes: list[int]) -> None:
    one = Life(PLATFORM_2025)
    most = 0
    for month, income in enumerate(incomes, 1):
        one.end(one.send(month, one.pending(month, "mem_a"), income), "paid")
        exact = due_to_date(incomes[:month])
        most = max(most, int(exact + Fraction(1, 2)))  # half up; what was withheld is never given back

        assert one.withheld() == most


@pytest.mark.parametrize("table", [LABOUR_2019, PLATFORM_2025], ids=lambda table: table.id)
@given(life=st.lists(st.lists(amounts, min_size=1, max_size=3), min_size=1, max_size=6))
def test_several_accounts_pay_the_tax_of_one(table: TaxTable, life: list[list[int]]) -> None:
    split, whole = Life(table), Life(table)
    for month, parts in enumerate(life, 1):
        for member, gross in zip(MEMBERS, parts, strict=False):
            split.end(split.send(month, split.pending(month, member), gross), "paid")
        whole.end(whole.send(month, whole.pending(month, "mem_a"), sum(parts)), "paid")

        assert split.withheld() == whole.withheld()
    assert [(one.income, one.tax, one.figures) for one in person_months(split.paid())] == [
        (one.income, one.tax, one.figures) for one in person_months(whole.paid())
    ]


@pytest.mark.parametrize("table", [LABOUR_2019, PLATFORM_2025], ids=lambda table: table.id)
@given(life=months)
def test_what_failed_leaves_nothing_behind(table: TaxTable, life: list[list[tuple[int, str]]]) -> None:
    disturbed, undisturbed = Life(table), Life(table)
    for month, lines in enumerate(life, 1):
        for member, (gross, end) in zip(MEMBERS, lines, strict=False):
            first = disturbed.send(month, disturbed.pending(month, member), gross)
            disturbed.end(first, "paid" if end == "paid" else "failed")
            if end == "failed, then paid":
                disturbed.end(disturbed.send(month, disturbed.pending(month, member, 2), gross), "paid")
            if end != "failed":
                undisturbed.end(undisturbed.send(month, undisturbed.pending(month, member), gross), "paid")

    def seen(life: Life) -> list[Any]:
        return [(one.period, one.income, one.tax, one.figures, one.assessment) for one in person_months(life.paid())]

    assert seen(disturbed) == seen(undisturbed)


def test_what_is_on_its_way_counts_until_it_fails() -> None:
    one = Life(LABOUR_2019)
    first = one.send(1, one.pending(1, "mem_a"), 60_000)
    second = one.send(1, one.pending(1, "mem_b"), 40_000)
    one.end(first, "failed")
    third = one.send(1, one.pending(1, "mem_c"), 60_000)

    assert (first.tax, second.tax) == (0, 4_000)
    # 40 000 + 60 000 make 4 000, and that much was withheld already.
    assert third.tax == 0


def test_of_two_pending_lines_the_later_one_waits() -> None:
    one = Life(LABOUR_2019)
    lines = [one.pending(1, "mem_b"), one.pending(1, "mem_a"), one.pending(1, "mem_a", 2)]
    _, waiting = figures_before(one.taxed(1), lines, PERSONS, one.payouts)

    assert waiting == {lines[0].number, lines[2].number}


def test_two_accounts_are_one_person_as_well_as_three() -> None:
    two = {
        "mem_a": replace(PERSONS["mem_a"], siblings=("mem_b",)),
        "mem_b": replace(PERSONS["mem_b"], siblings=("mem_a",)),
    }
    one = Life(LABOUR_2019)
    taxes = [one.send(1, one.pending(1, member), 80_000, two).tax for member in two]

    # 800 are free once, not twice: 1 600 less 800, at 20 %.
    assert taxes == [0, 16_000]


def test_a_change_of_method_begins_anew() -> None:
    one = Life(LABOUR_2019)
    one.end(one.send(9, one.pending(9, "mem_a"), 500_000), "paid")
    one.table, one.rules = PLATFORM_2025, Rules(1, "bank_file", 1, "platform", PLATFORM_2025.id)
    october = one.send(10, one.pending(10, "mem_a"), 500_000)

    assert october.before == TaxToDate(2026, 10, 1, 0, 0, 0, 0)
    assert october.tax == 0


def test_under_a_monthly_method_nobody_but_his_own_accounts_is_read() -> None:
    class Silent:
        def find_lines(self, _batch: str, _numbers: Iterable[str]) -> Mapping[str, Line]:
            raise AssertionError("nothing has to be read")

    alone = {"mem_a": replace(PERSONS["mem_a"], siblings=())}
    one, silent = Life(LABOUR_2019), Silent()

    assert figures_before(one.taxed(2), [one.pending(2, "mem_a")], alone, silent) == ({}, set())
    assert person_of("mem_x", {}) == ("mem_x",)


@given(gross=st.integers(0, 10**10), earlier=st.integers(0, 10**10), row=st.integers(1, 12))
def test_a_month_s_tax_is_what_its_parts_make(gross: int, earlier: int, row: int) -> None:
    figures = TaxToDate(2026, 12, row, earlier + gross, 0, gross, 0)
    for table in (LABOUR_2019, PLATFORM_2025):
        how = assess(table, figures)
        income = gross if table.method == "labour" else earlier + gross
        exact = max(Fraction(how.taxable * how.rate, 10_000) - how.quick, Fraction(0))

        assert how.income == income
        assert how.taxable == max(income - how.expense - how.allowance, 0)
        # The base is rounded for the eye alone: half a fen of it at most, a quarter of a fen of tax, and the rounding.
        assert abs(how.due - exact) <= 1


def test_a_quarter_knows_its_months_and_the_one_before() -> None:
    assert Quarter("2026-Q4").periods == (Period("2026-10"), Period("2026-11"), Period("2026-12"))
    assert [Quarter.of(Period(f"2026-{month:02d}")).key for month in (1, 3, 4, 12)] == [
        "2026-Q1", "2026-Q1", "2026-Q2", "2026-Q4",
    ]  # fmt: skip
    assert Quarter("2026-Q1").before == Quarter("2025-Q4")
    assert Quarter("2026-Q4").before == Quarter("2026-Q3")


def test_a_quarter_is_the_same_in_whatever_order_it_is_read() -> None:
    one = Life(PLATFORM_2025)
    for month in (10, 11, 12):
        for member in MEMBERS:
            one.end(one.send(month, one.pending(month, member), 700_000 * month), "paid")
    batches = [replace(one.batch(month), stage="settled", closed_at=NOON) for month in (10, 11, 12)]
    lines = {batch.id: [line for line in one.paid() if line.batch == batch.id] for batch in batches}
    turned = {batch: found[::-1] for batch, found in lines.items()}
    found = quarter_of("Cardstock", Quarter("2026-Q4"), batches, lines)

    assert quarter_of("Cardstock", Quarter("2026-Q4"), batches[::-1], turned) == found
    assert [month.income for month in found.months] == [3 * 700_000 * month for month in (10, 11, 12)]
    assert [(year.months, year.transfers, year.income) for year in found.years] == [(3, 9, 3 * 700_000 * 33)]
    with pytest.raises(ValueError, match="not settled"):
        quarter_of("Cardstock", Quarter("2026-Q4"), [one.batch(10)], lines)


@pytest.mark.parametrize("table", [LABOUR_2019, PLATFORM_2025], ids=lambda table: table.id)
def test_a_bracket_holds_up_to_its_end(table: TaxTable) -> None:
    for bracket, after in zip(table.brackets, table.brackets[1:], strict=False):
        assert bracket.up_to is not None
        for base, expected in ((bracket.up_to, bracket), (bracket.up_to + 4, after)):
            # 20 % off either way, and under `platform` the allowance of one month.
            income = base * 10 // 8 if table.method == "labour" else (base + table.exempt) * 10 // 8
            how = assess(table, TaxToDate(2026, 1, 1, income, 0, income, 0))

            assert (how.taxable, how.rate, how.quick) == (base, expected.rate, expected.quick)


def test_a_quarter_tells_the_year_so_far_of_everybody() -> None:
    one = Life(PLATFORM_2025)
    for month in range(1, 7):
        one.end(one.send(month, one.pending(month, "mem_a"), 1_000_000), "paid" if month != 3 else "failed")
    batches = [replace(one.batch(month), stage="settled", closed_at=NOON) for month in range(1, 7)]
    lines = {batch.id: [line for line in one.payouts.stored.values() if line.batch == batch.id] for batch in batches}
    first = quarter_of("Cardstock", Quarter("2026-Q1"), batches[:3], lines)
    second = quarter_of("Cardstock", Quarter("2026-Q2"), batches, lines)

    assert [batch.id for batch in second.batches] == ["pay_202604", "pay_202605", "pay_202606"]
    assert [month.period for month in second.months] == ["2026-04", "2026-05", "2026-06"]
    assert [(year.months, year.income) for year in (*first.years, *second.years)] == [(2, 2_000_000), (5, 5_000_000)]
    assert second.years[0].tax == one.withheld()
    assert Quarter("2026-Q2").year_so_far == tuple(Period(f"2026-{month:02d}") for month in range(1, 7))
