"""A report's tables: what stands in a cell is what was put there, whatever the library makes of such a text."""

import io
import zipfile
from operator import itemgetter
from xml.etree import ElementTree

import pytest
from openpyxl import load_workbook

from cardstock.payouts.report.sheets import Column, Writer
from tests.people.finance import FIRST

COLUMNS = [Column("列", "text", 12, "text", itemgetter(index), adds_up=False) for index in range(2)]


@pytest.mark.parametrize("name", ["<r><t>x</t></r>", "<r></broken></r>"])
def test_text_that_the_library_takes_for_its_own_xml_stays_text(name: str) -> None:
    made = Writer(title="tables", brand="Cardstock", created=FIRST, footer="tables")

    made.table("Rows", COLUMNS, [(name, None), (None, name)])
    made.label(made.sheet("Page"), (0, 0), name, made.title)
    made.book.close()
    content = made.target.getvalue()
    book = load_workbook(io.BytesIO(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [archive.read(part) for part in archive.namelist() if part.startswith("xl/worksheets/sheet")]

    assert [book["Rows"][cell].value.strip() for cell in ("A2", "B3")] == [name] * 2
    assert book["Page"]["A1"].value.strip() == name
    for sheet in sheets:
        assert b"broken>" not in sheet.replace(b"broken&gt;", b"")
        ElementTree.fromstring(sheet)
