"""A payment that is corrected after its quarter's tax file: the file stays, the next one names the correction."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from openpyxl import load_workbook

from cardstock.files import Document
from cardstock.payouts.lines import Correction, Line, LineStatus, new_line
from cardstock.payouts.model import Batch, Rules
from cardstock.payouts.payees import Balance, Payee
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.report import quarter_writers
from cardstock.payouts.tax.certificates import certificate_of
from cardstock.payouts.tax.model import Quarter, quarter_of
from cardstock.payouts.tax.quarters import QuarterNeeds, write_due_quarters
from cardstock.payouts.tax.tables import PLATFORM_2025, TaxToDate, in_month, withhold
from tests.people.memory_payouts import MemoryFiles, MemoryPayees, MemoryPayouts, MemoryTaxFiles

RULES = Rules(1_000, "bank_file", 10, "labour", "labour-2019")
TABLE = PLATFORM_2025
MONTHS = [Period(f"2026-{month:02d}") for month in (10, 11, 12)] + [Period(f"2027-{month:02d}") for month in (1, 2, 3)]
CORRECTED = MONTHS[2].ends + timedelta(days=9)


def settled(payouts: MemoryPayouts, month: Period, change: Callable[[Line], Line]) -> None:
    """A month's batch with one line over 500 000 fen, as it was when the batch had settled."""
    batch = payouts.open_batch(Batch(batch_id(month), month, "listing", RULES, "schedule", month.ends))
    line = new_line(batch, Balance("mem_1", 500_000))
    paid = replace(line, status="paid", gross=500_000, tax=80_000, net=420_000, person="prs_1", name="张伟",
                   tax_table="labour-2019", sent_at=month.ends)  # fmt: skip
    payouts.add_lines(batch, [change(paid)])
    ended = replace(batch, stage="settled", closed_at=month.ends + timedelta(days=1))
    payouts.keep(ended)


def corrected(before: LineStatus, after: LineStatus, at: datetime) -> Callable[[Line], Line]:
    made = Correction("oit_1", "n", at, before, None, after)
    return lambda line: replace(line, status=after, corrections=(made,))


def same(line: Line) -> Line:
    return line


def sheet(document: Document, name: str) -> list[list[object]]:
    """The rows below the header of a sheet; none if there is no such sheet."""
    book = load_workbook(io.BytesIO(document.content))
    return [[cell.value for cell in row] for row in book[name].iter_rows(min_row=2)] if name in book.sheetnames else []


@pytest.mark.parametrize(
    ("before", "after", "income", "sign"), [("paid", "failed", 1_500_000, -1), ("failed", "paid", 1_000_000, 1)]
)
def test_a_written_quarter_stays_and_the_next_one_names_what_was_corrected(
    before: LineStatus, after: LineStatus, income: int, sign: int
) -> None:
    payouts, tax_files, files = MemoryPayouts(), MemoryTaxFiles(), MemoryFiles()
    needs = QuarterNeeds("Cardstock", payouts, tax_files, files, quarter_writers())
    for month in MONTHS[:3]:
        change: Callable[[Line], Line] = (lambda line: replace(line, status=before)) if month == MONTHS[1] else same
        settled(payouts, month, change)
    (first,), _ = write_due_quarters(needs, MONTHS[2].ends + timedelta(days=5))
    ((pk, number), line), *_ = ((key, one) for key, one in payouts.stored_lines() if one.period == "2026-11")
    payouts.put_line(corrected(before, after, CORRECTED)(line))
    # The same again, as after a kill before the quarter was noted: the files must be the same.
    again = QuarterNeeds("Cardstock", payouts, MemoryTaxFiles(), files, quarter_writers())
    (repeated,), _ = write_due_quarters(again, CORRECTED + timedelta(days=1))
    for month in MONTHS[3:]:
        settled(payouts, month, same)
    (second,), _ = write_due_quarters(needs, MONTHS[5].ends + timedelta(days=5))
    books = {key: document for key, document in files.written.items() if key.endswith(".xlsx")}
    old, new = (books[next(key for key in books if quarter in key)] for quarter in ("2026-Q4", "2027-Q1"))
    rows = sheet(new, "往期更正 Corrections")

    assert (first.income, repeated.files) == (income, first.files)
    assert second.income == 1_500_000
    assert sheet(old, "往期更正 Corrections") == []
    assert [row[3:7] for row in rows if row[4] == number] == [["2026-11", number, sign * 5_000, sign * 800]]
    assert pk == "pay_202611"


@pytest.mark.parametrize("carry", [False, True])
@pytest.mark.parametrize(
    ("month", "after", "figures"),
    [
        (0, "failed", {False: [(2026, 11, 1, 2), (2026, 12, 2, 4)], True: [(2026, 11, 1, 2), (2026, 12, 2, 4)]}),
        (1, "failed", {False: [(2026, 10, 1, 2), (2026, 12, 1, 2)], True: [(2026, 10, 1, 2), (2026, 12, 1, 4)]}),
        (0, "paid", {carry: [(2026, 10, 1, 2), (2026, 11, 2, 4), (2026, 12, 3, 6)] for carry in (False, True)}),
    ],
)
def test_to_date_figures_of_a_quarter_and_a_certificate_follow_a_correction_in_an_earlier_month(
    month: int, after: LineStatus, figures: dict[bool, list[tuple[int, int, int, int]]], *, carry: bool
) -> None:
    payouts, how = MemoryPayouts(), replace(RULES, tax_method="platform", tax_table=TABLE.id, carry_over_gap=carry)
    before: LineStatus = "failed" if after == "paid" else "paid"
    so_far: TaxToDate | None = None
    for index, period in enumerate(MONTHS[:3]):
        batch = Batch(batch_id(period), period, "settled", how, "schedule", period.ends, closed_at=period.ends)
        payouts.keep(batch)
        tax, then = withhold(TABLE, period.month, 2_000_000, so_far, carry_over_gap=carry)
        start = in_month(so_far, period.month, carry_over_gap=carry)
        line = replace(
            new_line(batch, Balance("mem_1", 2_000_000)), status="paid", gross=2_000_000, tax=tax,
            net=2_000_000 - tax, person="prs_1", tax_table=TABLE.id, before=start, sent_at=period.ends,
        )  # fmt: skip
        if index != month or before == "paid":
            so_far = then
        # Corrected when the last of them is closed: whatever was sent before knew nothing of it.
        payouts.put_line(corrected(before, after, MONTHS[2].ends)(line) if index == month else line)
    batches, _ = payouts.batch_page(9, None)
    lines = {batch.id: list(payouts.lines_of_batch(batch.id)) for batch in batches}
    quarter = quarter_of("Cardstock", Quarter("2026-Q4"), batches, lines)
    payees = MemoryPayees(Payee("mem_1", "张伟", "openid", verified=True, of_age=True, person="prs_1"))
    year = certificate_of("mem_1", 2026, "Cardstock", payouts, payees)

    for months in (quarter.months, year.months):
        told = [(one.figures.year, one.figures.month, one.figures.months, one.figures.income) for one in months]
        assert told == [(*when, millions * 1_000_000) for *when, millions in figures[carry]]
        assert [one.assessment.income for one in months] == [one.figures.income for one in months]
        assert [one.figures.month_income for one in months] == [2_000_000] * len(months)
        assert months[-1].figures.withheld == sum(
            one.tax for one in months if (carry or month != 1 or one is months[-1])
        )
