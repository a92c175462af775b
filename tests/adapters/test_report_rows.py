"""Rows of a table are written past XlsxWriter's checks: they must be what its own public methods write."""

import io
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import pytest
from openpyxl import load_workbook

from cardstock.adapters.reports.rows import Kind, Rows
from cardstock.adapters.reports.workbook import Column, Writer

AT = datetime(2026, 11, 30, 19, 4, 5, 678_000, UTC)
TEXTS = (
    "张伟", "mem_0abc", "", " ", " before", "after ", "after\n", "two\nlines\tand a tab", "=1+1", "http://a.example",
    "<b>&amp;</b>", '"quoted"', "_x0041_", "_x00g1_", "\x00\x01\x1f", "\x7f\x85", "\u2028", "\ud800", "\ufffe\uffff",
    "🧧", "名" * 40_000, "🧧" * 20_000, "<r>", "a</r>",
)  # fmt: skip
FEN = (0, 1, -1, 99, -100, 12_345, -1_234_567, 10**15 + 1, 10**16 - 1, 10**16, -(10**18) - 7)
COUNTS = (0, 1, 10_000, 1_048_576, 10**15)
RATES = (0, 300, 2_000, 10_000, 333)
TIMES = tuple(AT + timedelta(days=days, seconds=17 * days, milliseconds=days) for days in (-20_000, -1, 0, 1, 31, 400))
KINDS: Sequence[Kind] = ("text", "money", "count", "rate", "time", "text")


def rows() -> list[tuple[Any, ...]]:
    longest = max(len(TEXTS), len(FEN), len(COUNTS), len(RATES), len(TIMES))
    made = [
        tuple(values[index % len(values)] for values in (TEXTS, FEN, COUNTS, RATES, TIMES, TEXTS[::-1]))
        for index in range(longest)
    ]
    return [*made, (None,) * len(KINDS), *((None, *row[1:5], None) for row in made)]


def columns() -> list[Column]:
    return [Column("列", kind, 12, kind, itemgetter(index), adds_up=False) for index, kind in enumerate(KINDS)]


def writer() -> Writer:
    return Writer(title="rows", brand="Cardstock", created=AT, footer="rows")


def closed(made: Writer) -> bytes:
    made.book.close()
    return made.target.getvalue()


def test_rows_are_the_bytes_that_the_library_itself_writes() -> None:
    quick, slow = writer(), writer()

    quick.table("Rows", columns(), rows())
    quick.table("More", columns(), rows()[:1])
    for name, content in (("Rows", rows()), ("More", rows()[:1])):
        sheet = slow.begin(name, columns(), 1)
        for number, row in enumerate(content, 1):
            for index, (column, value) in enumerate(zip(columns(), row, strict=True)):
                slow.cell(sheet, (number, index), column.kind, value, slow.plain)
        sheet.autofilter(0, 0, len(content), len(KINDS) - 1)

    assert closed(quick) == closed(slow)


def test_rows_that_fold_are_the_bytes_that_the_library_itself_writes() -> None:
    quick, slow = writer(), writer()

    folded = quick.begin("Rows", columns(), 1)
    table = Rows(folded, KINDS)
    sheet = slow.begin("Rows", columns(), 1)
    for number, row in enumerate(rows()[:9], 1):
        head = number % 3 == 1
        table.add(number, row, quick.strong if head else quick.plain, level=int(not head))
        if not head:
            sheet.set_row(number, None, None, {"level": 1})
        for index, kind in enumerate(KINDS):
            slow.cell(sheet, (number, index), kind, row[index], slow.strong if head else slow.plain)
    table.end(10)
    for made, begun in ((quick, folded), (slow, sheet)):
        made.cell(begun, (10, 0), "text", "after the rows", made.plain)
        made.cell(begun, (10, len(KINDS)), "text", "in a column of its own", made.plain)

    assert closed(quick) == closed(slow)


@pytest.mark.parametrize("name", ["<r><t>x</t></r>", "<r></broken></r>"])
def test_text_that_the_library_takes_for_its_own_xml_stays_text(name: str) -> None:
    made = writer()

    made.table("Rows", columns(), [(name, None, None, None, None, name)])
    made.label(made.sheet("Page"), (0, 0), name, made.title)
    content = closed(made)
    book = load_workbook(io.BytesIO(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [archive.read(part) for part in archive.namelist() if part.startswith("xl/worksheets/sheet")]

    assert book["Rows"]["A2"].value == book["Rows"]["F2"].value == name
    assert book["Page"]["A1"].value.strip() == name
    for sheet in sheets:
        assert b"broken>" not in sheet.replace(b"broken&gt;", b"")
        ElementTree.fromstring(sheet)
