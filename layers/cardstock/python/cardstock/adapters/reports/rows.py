"""The rows of a table, put into a sheet as XlsxWriter would, byte for byte, in a fifth of its time.

A report to ten thousand people has three million cells, and XlsxWriter asks of each one what it may be and where it may
stand. Here both are known. It costs reaching into XlsxWriter's private parts: its version is pinned by hash, and a test
compares every byte with what its public methods write. What a table has beside its rows goes through these.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from string import ascii_uppercase
from typing import Any, Final, Literal, TypeAlias

from cardstock.adapters.reports.texts import local, printable, yuan
from cardstock.money import BPS_ONE, Fen

Kind: TypeAlias = Literal["text", "money", "count", "rate", "time"]
Looks: TypeAlias = Mapping[str, Any]
"""A format for each kind of cell."""

TEXT_MAX: Final = 32_767
_EPOCH: Final = date(1899, 12, 31).toordinal()
_SPECIAL: Final = re.compile("[&<>\x00-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9a-fA-F]{4}_|^\\s|\\s$")
_ESCAPED: Final = re.compile("(_x[0-9a-fA-F]{4}_)")
_CONTROL: Final = re.compile("([\x00-\x08\x0b-\x1f])")
_BORDER: Final = re.compile("^\\s|\\s$")
_EXACT: Final = 10**16
"""A cell's number has sixteen digits."""


def _text(text: str) -> str:
    """In the row itself: the text, whatever it holds, and nothing but text."""
    space = ""
    if len(text) > TEXT_MAX // 2 or _SPECIAL.search(text) is not None:
        units = printable(text)[:TEXT_MAX].encode("utf-16-le")[: 2 * TEXT_MAX]
        text = _ESCAPED.sub(r"_x005F\1", units.decode("utf-16-le", "ignore"))
        text = _CONTROL.sub(lambda found: f"_x{ord(found[1]):04X}_", text)
        space = ' xml:space="preserve"' if _BORDER.search(text) else ""
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f' t="inlineStr"><is><t{space}>{text}</t></is></c>'


def _money(fen: Fen) -> str:
    if abs(fen) >= _EXACT:
        return f"><v>{yuan(fen):.16G}</v></c>"
    whole, rest = divmod(abs(fen), 100)
    return f"><v>{'-' if fen < 0 else ''}{whole}.{rest:02d}</v></c>"


def _count(number: int) -> str:
    return f"><v>{number:.16G}</v></c>"


@lru_cache(maxsize=64)
def _rate(bps: int) -> str:
    return f"><v>{Decimal(bps) / BPS_ONE:.16G}</v></c>"


@lru_cache(maxsize=4096)
def _time(moment: datetime) -> str:
    wall = local(moment)
    seconds = wall.hour * 3_600 + wall.minute * 60 + wall.second
    # A spreadsheet's 1900 has a 29th of February.
    return f"><v>{wall.toordinal() - _EPOCH + seconds / 86_400 + 1:.16G}</v></c>"


_ENDS: Final[Mapping[Kind, Callable[[Any], str]]] = {
    "text": _text,
    "money": _money,
    "count": _count,
    "rate": _rate,
    "time": _time,
}


class Rows:
    """The rows of one sheet below its header, at most 26 cells each. Nothing else may be written there between `add`
    and `end`."""

    def __init__(self, sheet: Any, kinds: Sequence[Kind]) -> None:
        self._sheet = sheet
        self._kinds = kinds
        self._ends = [_ENDS[kind] for kind in kinds]
        self._starts: dict[int, list[tuple[str, str]]] = {}
        self._begun = False

    def add(self, number: int, values: Sequence[Any], looks: Looks, *, level: int = 0) -> None:
        """Put row `number`, counted from 0, with these values; None is an empty cell. `level`: how far it folds."""
        sheet, row = self._sheet, number + 1
        if not self._begun:
            sheet._write_single_row(number)
            self._begun = True
        outline = f' outlineLevel="{level}"' if level else ""
        sheet.outline_row_level = max(sheet.outline_row_level, level)
        cells = [
            f"{start}{row}{look}{'/>' if value is None else end(value)}"
            for (start, look), end, value in zip(self._starts_of(looks), self._ends, values, strict=True)
        ]
        sheet.fh.write(f'<row r="{row}"{outline}>{"".join(cells)}</row>')

    def _starts_of(self, looks: Looks) -> list[tuple[str, str]]:
        """What comes before and after the row's number, cell by cell."""
        if id(looks) not in self._starts:
            self._starts[id(looks)] = [
                (f'<c r="{letter}', f'" s="{looks[kind]._get_xf_index()}"')
                for letter, kind in zip(ascii_uppercase, self._kinds, strict=False)
            ]
        return self._starts[id(looks)]

    def end(self, number: int) -> None:
        """Row `number` is the first one that the sheet's own methods may write again."""
        self._sheet._check_dimensions(number - 1, len(self._kinds) - 1)
        self._sheet._write_single_row(number)
