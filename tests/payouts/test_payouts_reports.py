"""The report's files: the same bytes for the same report, text that stays text, amounts that stay exact."""

import csv
import io
import re
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from openpyxl import load_workbook

from cardstock.payouts.report.content import Report
from cardstock.payouts.report.cover import cover
from cardstock.payouts.report.csv_file import csv_bytes, lines_csv
from cardstock.payouts.report.workbook import workbook
from cardstock.texts import one_line
from tests.people.payout_report_sample import NAMES, sample


@pytest.fixture(scope="module")
def report() -> Report:
    return sample()


@pytest.fixture(scope="module")
def content(report: Report) -> bytes:
    return workbook(report)


@pytest.fixture(scope="module")
def book(content: bytes) -> Any:
    return load_workbook(io.BytesIO(content))


def test_every_writer_gives_the_same_bytes_again(report: Report, content: bytes) -> None:
    assert workbook(sample()) == content
    assert cover(sample()) == cover(report)
    assert lines_csv(sample()) == lines_csv(report)


def test_the_workbook_has_its_sheets_in_order(book: Any) -> None:
    assert book.sheetnames == [
        "汇总 Summary",
        "发放明细 Lines",
        "个人对账单 Statements",
        "账本分录 Ledger lines",
        "个税 Tax",
        "异常 Exceptions",
        "控制总额 Control totals",
    ]


def test_a_long_note_stays_within_the_width_of_the_summary(report: Report, content: bytes) -> None:
    note = "=" + "逐笔核对账本与渠道回执，" * 16
    noted = replace(report, batch=replace(report.batch, note=note))
    sheet = load_workbook(io.BytesIO(workbook(noted)))["汇总 Summary"]
    (row,) = [row for row in range(1, 40) if "审批" in str(sheet.cell(row, 1).value)]

    assert [str(area) for area in sheet.merged_cells.ranges] == [f"B{row}:F{row}"]
    assert (sheet.cell(row, 2).value.endswith(note), sheet.cell(row, 2).data_type) == (True, "s")
    assert sheet.cell(row, 2).alignment.wrap_text
    assert sheet.row_dimensions[row].height >= 60
    assert not load_workbook(io.BytesIO(content))["汇总 Summary"].merged_cells.ranges


def test_the_summary_carries_three_native_charts(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if name.startswith("xl/charts/chart")]
        kinds = {re.findall(r"<c:(doughnutChart|barChart)>", archive.read(name).decode())[0] for name in names}

    assert len(names) == 3
    assert kinds == {"doughnutChart", "barChart"}


def test_the_summary_says_who_approved_by_name(book: Any) -> None:
    texts = [str(cell.value) for row in book["汇总 Summary"].iter_rows() for cell in row]

    assert [text for text in texts if "李娜 finance (key_finance)" in text]


def test_no_cell_is_a_formula_and_no_link_leaves_the_workbook(content: bytes, book: Any) -> None:
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if "worksheets/sheet" in name]

    assert {cell.data_type for cell in cells} == {"s", "n", "d", "inlineStr"} & {cell.data_type for cell in cells}
    assert not [sheet for sheet in sheets if "<f>" in sheet or "<hyperlink" in sheet]


def test_names_survive_whatever_they_are_made_of(book: Any) -> None:
    column = [cell.value for cell in book["发放明细 Lines"]["B"][1:17]]

    # What looks like Excel's own escape is escaped, and openpyxl leaves that to its caller.
    assert [re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), name, count=1) for name in column] == [
        one_line(name) for name in NAMES
    ]


def test_amounts_are_numbers_exact_to_the_fen(book: Any, report: Report) -> None:
    sheet = book["发放明细 Lines"]
    gross = [cell.value for cell in sheet["H"][1:]]

    assert sheet["H"][1].number_format.startswith("#,##0.00")
    assert [Decimal(str(value)) for value in gross[:-1]] == [Decimal(line.gross).scaleb(-2) for line in report.lines]
    assert Decimal(str(gross[-1])) == Decimal(sum(line.gross for line in report.lines)).scaleb(-2)


def test_a_statement_adds_up_for_every_payee(book: Any) -> None:
    rows = list(book["个人对账单 Statements"].iter_rows(min_row=2, values_only=True))
    heads = [row for row in rows if row[3] == "对账单 Statement"]

    for head in heads:
        own = [row for row in rows if row[0] == head[0] and row is not head]
        for index in (6, 7, 8, 10, 11, 12):
            parts = sum((Decimal(str(row[index])) for row in own if row[index] is not None), Decimal(0))

            assert parts == Decimal(str(head[index])), (head[0], index)
    assert len(heads) == 16


def test_tables_are_frozen_filtered_and_bilingual(book: Any) -> None:
    sheet = book["账本分录 Ledger lines"]

    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == f"A1:G{sheet.max_row - 1}"
    assert [cell.value for cell in sheet[1]][:2] == ["收款人\nPayee", "时间\nTime"]


def test_control_totals_carry_the_hashes(book: Any, report: Report) -> None:
    rows = list(book["控制总额 Control totals"].iter_rows(min_row=2, values_only=True))

    assert [row[3] for row in rows] == [control.sha256 for control in report.controls] + ["ab" * 32]
    assert rows[0][1] == 16


def test_the_csv_opens_as_text_in_a_spreadsheet(report: Report) -> None:
    content = lines_csv(report)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))

    assert content.startswith(b"\xef\xbb\xbf")
    assert len(rows) == 17
    assert [row[1] for row in rows[1:6]] == ["张伟", "'" + NAMES[1], "'@SUM(A1)", "'+86 138", "'-1"]
    assert rows[1][7] == "10.00"


def test_the_columns_of_the_csv_add_up_to_the_books(report: Report) -> None:
    header, *rows = csv.reader(io.StringIO(lines_csv(report).decode("utf-8-sig"), newline=""))
    sums = {
        name: sum(int(Decimal(row[index]) * 100) for row in rows) for index, name in enumerate(header) if "元" in name
    }
    paid = [line for line in report.lines if line.status == "paid"]

    assert {line.status for line in report.lines} > {"paid", "failed"}
    assert sums["到账(元) paid"] == sum(line.net for line in paid)
    assert sums["已扣个税(元) withheld"] == sum(line.tax for line in paid)
    assert sums["应付(元) net"] == sum(line.net for line in report.lines)


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", " =1", "\r=1", "＝1", "－1"])
def test_no_csv_cell_is_a_formula(text: str) -> None:
    cell = next(csv.reader(io.StringIO(csv_bytes((text,), ((text,),)).decode("utf-8-sig").split("\r\n", 1)[1])))

    assert cell[0].startswith("'")


def test_the_cover_is_one_page_in_each_language(report: Report) -> None:
    content = cover(report)

    assert content.startswith(b"%PDF-1")
    assert len(re.findall(rb"/Type /Page\b", content)) == 2
    fonts = re.findall(rb"/Subtype /(Type\d|TrueType|CIDFont\w*)\b", content)
    assert set(fonts) == {b"TrueType"}
    assert content.count(b"/FontFile2") == len(fonts) >= 1
    assert b"Helvetica" not in content


def test_an_empty_batch_can_be_reported() -> None:
    empty = sample(0)

    assert load_workbook(io.BytesIO(workbook(empty)))["发放明细 Lines"]["A2"].value == "合计 Total"
    assert cover(empty)
    assert lines_csv(empty).count(b"\r\n") == 1


def test_what_cannot_be_added_up_has_no_sum(book: Any) -> None:
    tax, findings = book["个税 Tax"], book["异常 Exceptions"]
    totals = {tax.cell(1, index).value.split("\n")[1]: cell.value for index, cell in enumerate(tax[tax.max_row], 1)}

    assert (totals["Income"], totals["Withheld"]) == (36_930.34, 5_435.54)
    assert [totals[name] for name in ("Income to date", "Allowance", "Taxable", "Tax due", "Withheld to date")] == [
        None
    ] * 5
    assert findings["A"][-1].value != "合计 Total"


def test_the_tax_sheet_follows_the_return_from_income_to_tax(book: Any) -> None:
    rows = list(book["个税 Tax"].iter_rows(min_row=2, values_only=True))[:-1]

    for row in rows:
        income, expense, allowance, taxable, rate, quick, due = (row[index] for index in (5, 8, 9, 10, 11, 12, 13))
        assert Decimal(str(taxable)) == Decimal(str(income)) - Decimal(str(expense)) - Decimal(str(allowance))
        exact = Decimal(str(taxable)) * Decimal(str(rate)) - Decimal(str(quick))
        assert abs(Decimal(str(due)) - exact) <= Decimal("0.01")
    assert len(rows) == 12


def test_printed_pages_say_whose_they_are(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if "worksheets/sheet" in name]

    assert sheets
    for sheet in sheets:
        assert "&amp;L&amp;8 pay_202611&amp;C&amp;8 " in sheet
        assert 'fitToPage="1"' in sheet
