"""Sheets of a workbook: tables with totals, sections, and the formats that they share.

Every text goes through `write_string`, so no name becomes a formula, a link or a number. Amounts are numbers, exact to
the fen. Rows are streamed (`constant_memory`): a larger batch needs disk, not memory.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Literal, TypeAlias

import msgspec

from cardstock.money import BPS_ONE
from cardstock.payouts.report.content import Control
from cardstock.payouts.report.texts import CONTROL, both, local, yuan
from cardstock.texts import lines_of, one_line

Kind: TypeAlias = Literal["text", "money", "count", "rate", "time"]
Looks: TypeAlias = Mapping[str, Any]
"""A format for each kind of cell."""

_ROWS_PER_SHEET = 1_000_000
"""A sheet ends at 1 048 576 rows; further rows go into the next sheet."""
_TEXT_MAX = 32_767


class Column(msgspec.Struct, frozen=True):
    """A column of a table: bilingual header, width in characters, kind of cell, and the value of a row."""

    zh: str
    en: str
    width: int
    kind: Kind
    value: Callable[[Any], Any]
    adds_up: bool = True
    """Whether the column has a total; year-to-date figures have none."""


CONTROLS = (
    Column("项目", "Part", 34, "text", lambda control: both(CONTROL, control.name)),
    Column("行数", "Rows", 10, "count", lambda control: control.rows),
    Column("金额", "Amount (CNY)", 18, "money", lambda control: control.amount),
    Column("SHA-256", "of the rows", 72, "text", lambda control: control.sha256),
)


class Writer:
    """A workbook being written, and the formats that its sheets share. `footer` is on every printed page."""

    def __init__(self, *, title: str, brand: str, created: datetime, footer: str) -> None:
        from xlsxwriter import Workbook  # only in the layer of the report writer

        self.footer = one_line(footer)
        self.target = BytesIO()
        self.book = Workbook(
            self.target,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_format_properties": {"font_name": "Microsoft YaHei", "font_size": 10},
            },
        )
        self.book.set_properties(
            {
                "title": title,
                "author": one_line(brand),
                "created": local(created),
            }
        )
        line = {"bottom": 4, "bottom_color": "#C8CDD3"}
        kinds: dict[str, dict[str, Any]] = {
            "text": {"num_format": "@", "indent": 1},
            "money": {"num_format": "#,##0.00;[Red]-#,##0.00"},
            "count": {"num_format": "#,##0"},
            "rate": {"num_format": "0%"},
            "time": {"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left", "indent": 1},
        }
        strong = {"bold": True, "bg_color": "#EAF0F6"}
        self.plain = {kind: self.book.add_format(look | line | {"valign": "vcenter"}) for kind, look in kinds.items()}
        self.strong = {
            kind: self.book.add_format(look | strong | {"valign": "vcenter"}) for kind, look in kinds.items()
        }
        head = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F3A5F", "text_wrap": True, "valign": "vcenter"}
        self.header = self.book.add_format(head | {"indent": 1})
        self.number_header = self.book.add_format(head | {"align": "right"})
        self.title = self.book.add_format({"bold": True, "font_size": 18, "font_color": "#1F3A5F"})
        self.subtitle = self.book.add_format({"font_size": 11, "font_color": "#5A6472"})
        self.section = self.book.add_format(
            {
                "bold": True,
                "font_size": 11,
                "font_color": "#1F3A5F",
                "bottom": 2,
                "bottom_color": "#1F3A5F",
                "indent": 1,
            }
        )
        self.wrapped = self.book.add_format({"text_wrap": True, "valign": "top", "indent": 1, "font_color": "#5A6472"})
        self.good = self.book.add_format({"bold": True, "font_color": "#2E7D32"})

    def sheet(self, name: str) -> Any:
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        # A space, because digits directly after the code would belong to the font size.
        sheet.set_footer(f"&L&8 {self.footer}&C&8 {name}&R&8 &P / &N")
        sheet.hide_gridlines(2)
        return sheet

    def cell(self, sheet: Any, at: tuple[int, int], kind: str, value: Any, looks: Looks) -> None:
        """Write one cell. Only this method and `label` write into a sheet."""
        look = looks[kind]
        if value is None:
            sheet.write_blank(*at, None, look)
        elif kind == "money":
            sheet.write_number(*at, yuan(value), look)
        elif kind == "count":
            sheet.write_number(*at, value, look)
        elif kind == "rate":
            sheet.write_number(*at, Decimal(value) / BPS_ONE, look)
        elif kind == "time":
            sheet.write_datetime(*at, local(value), look)
        else:
            self.label(sheet, at, one_line(value), look)

    def label(self, sheet: Any, at: tuple[int, int], text: str, look: Any) -> None:
        clean = "\n".join(lines_of(text))[:_TEXT_MAX]
        # XlsxWriter takes this for its own XML and writes it unescaped.
        rich = clean.startswith("<r>") and clean.endswith("</r>")
        sheet.write_string(*at, f" {clean}" if rich else clean, look)

    def table(
        self,
        name: str,
        columns: Sequence[Column],
        rows: Iterable[Any],
        *,
        freeze: int = 1,
        heads: Callable[[Any], bool] | None = None,
        counts: Callable[[Any], bool] = lambda _row: True,
    ) -> None:
        """A sheet with one table: header frozen, filter on, repeated on each printed page, totals in the last row.

        With `heads`, which tells the head of a group from the rows below it, heads are marked and they alone add up.
        Rows that `counts` denies do not add up either.
        """
        sums = {index: 0 for index, column in enumerate(columns) if column.kind == "money" and column.adds_up}
        part, number, sheet = 1, 1, self.begin(name, columns, freeze)
        for row in rows:
            if number > _ROWS_PER_SHEET:
                self._end(sheet, columns, number)
                part, number, sheet = part + 1, 1, self.begin(f"{name} {part + 1}", columns, freeze)
            head = heads is not None and heads(row)
            inner = heads is not None and not head
            if inner:
                sheet.set_row(number, None, None, {"level": 1})
            values = [column.value(row) for column in columns]
            for index, (column, value) in enumerate(zip(columns, values, strict=True)):
                self.cell(sheet, (number, index), column.kind, value, self.strong if head else self.plain)
            if not inner and counts(row):
                for index in sums:
                    sums[index] += values[index] or 0
            number += 1
        self._end(sheet, columns, number)
        if not sums:
            return
        self.label(sheet, (number, 0), "合计 Total", self.strong["text"])
        for index, column in enumerate(columns[1:], 1):
            self.cell(sheet, (number, index), column.kind, sums.get(index), self.strong)

    def begin(self, name: str, columns: Sequence[Column], freeze: int) -> Any:
        """A sheet with only its header."""
        sheet = self.sheet(name)
        for index, column in enumerate(columns):
            sheet.set_column(index, index, column.width)
        sheet.set_row(0, 32)
        for index, column in enumerate(columns):
            look = self.number_header if column.kind in ("money", "count", "rate") else self.header
            self.label(sheet, (0, index), f"{column.zh}\n{column.en}", look)
        sheet.freeze_panes(1, freeze)
        sheet.repeat_rows(0)
        sheet.outline_settings(symbols_below=False)
        return sheet

    def _end(self, sheet: Any, columns: Sequence[Column], number: int) -> None:
        if number > 1:
            sheet.autofilter(0, 0, number - 1, len(columns) - 1)


def band(  # noqa: PLR0917 - private, four callers
    writer: Writer, sheet: Any, row: int, title: str, headers: Sequence[str], text_columns: Sequence[int] = ()
) -> int:
    """Write a section's title and header row; return the next row."""
    for column in range(6):
        writer.label(sheet, (row, column), title if column == 0 else "", writer.section)
    if not headers:
        return row + 1
    sheet.set_row(row + 1, 30)
    for column, header in enumerate(headers):
        words = column in (0, *text_columns)
        writer.label(sheet, (row + 1, column), header, writer.header if words else writer.number_header)
    return row + 2


def controls(writer: Writer, parts: Sequence[Control], files: Sequence[Control] = ()) -> None:
    """The last sheet: totals and hashes that a reader can recompute."""
    sheet = writer.begin("控制总额 Control totals", CONTROLS, 1)
    for number, one in enumerate((*parts, *files), 1):
        for index, column in enumerate(CONTROLS):
            value = None if column.kind == "money" and number > len(parts) else column.value(one)
            writer.cell(sheet, (number, index), column.kind, value, writer.plain)
