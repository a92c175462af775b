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
from cardstock.payouts.payees import Balance
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.report import quarter_writers
from cardstock.payouts.tax.quarters import QuarterNeeds, write_due_quarters
from tests.people.memory_payouts import MemoryFiles, MemoryPayouts, MemoryTaxFiles

RULES = Rules(1_000, "bank_file", 10, "labour", "labour-2019")
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
