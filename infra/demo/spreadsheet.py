"""Tables as spreadsheets write them: any usual encoding and separator, and the forms of numbers, ids and dates.

Nothing is guessed about a single value: an id keeps its characters, a number must be a whole one, and the order of day
and month is that of the whole file.
"""

import csv
import gzip
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Final

MAX_RECORD_LINES: Final = 50
"""Lines of one record: a quote that stays open for longer is a stray one."""
MAX_FIELD: Final = 10_000
DELIMITERS: Final = (",", ";", "\t")
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00]")
_GROUPED: Final = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?\Z")
_DECIMAL_COMMA: Final = re.compile(r"[-+]?\d+,\d{1,2}\Z")
_NUMBER: Final = re.compile(r"[-+]?\d{1,15}(\.\d{1,15})?([eE][-+]?\d{1,2})?\Z")
_ID_WITH_ZEROS: Final = re.compile(r"(\d+)\.0+\Z")
_ROUNDED_ID: Final = re.compile(r"\d+(\.\d+)?[eE][-+]?\d+\Z")
_DATE: Final = re.compile(
    r"(?P<a>\d{1,4})[-/.年](?P<b>\d{1,2})[-/.月](?P<c>\d{1,4})日?"
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?\s*(?P<half>[AaPp][Mm])?Z?)?\Z"
)
_SERIAL: Final = re.compile(r"\d{5}(\.\d+)?\Z")
_SERIAL_START: Final = datetime(1899, 12, 30, tzinfo=UTC)
"""Day 0 of a spreadsheet's dates."""


class TableError(Exception):
    """The file as a whole cannot be used; the message says why."""


class ValueFault(Exception):
    """One value cannot be used; `reason` is a word for counting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """A record: its number as a spreadsheet counts (the first line is 1), and its values by column.

    `fault` says why it has no values: `no_values`, `open_quote`, `too_few_fields`, `too_many_fields`, `field_too_long`.
    """

    number: int
    values: Mapping[str, str]
    fault: str | None = None


def read_text(path: Path) -> str:
    """The text of a file, gzipped or not: UTF-8 or UTF-16 with a mark, UTF-8, GBK, else Windows Western.

    Raises `TableError` if there is no such file, or if it is not what gzip wrote.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError, gzip.BadGzipFile, ValueError) as error:
        raise TableError(f"{path} cannot be read: {error}") from error
    except Exception as error:  # zlib.error has no public base
        raise TableError(f"{path} is damaged: {error}") from error
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("cp1252", "replace")


def read_table(path: Path, columns: Mapping[str, Sequence[str]]) -> Iterator[Row]:
    """The rows below the header of `path`. `columns`: for each name, the headers under which spreadsheets have it.

    Blank lines are passed over, but counted in the numbers; a row with separators alone is a bad one. Raises
    `TableError` if there is no header with all columns.
    """
    records = _records(read_text(path))
    separator, places, width = ",", dict[str, int](), 0
    wanted = {name: {_plain(title) for title in (name, *others)} for name, others in columns.items()}
    for number, lines in records:
        if not lines[0].strip(",;\t \r\n") or lines[0].lower().startswith("sep="):
            continue
        separator, header = max(
            ((each, [_plain(cell) for cell in _cells("".join(lines), each)]) for each in DELIMITERS),
            key=lambda found: sum(bool(titles & set(found[1])) for titles in wanted.values()),
        )
        missing = [name for name, titles in wanted.items() if not titles & set(header)]
        if missing:
            raise TableError(f"{path}: row {number} is not a header, it lacks the columns {', '.join(missing)}")
        places = {name: next(i for i, cell in enumerate(header) if cell in titles) for name, titles in wanted.items()}
        width = len(header)
        break
    else:
        raise TableError(f"{path} is empty")
    yield from _rows(_again(records, separator, width), separator, places, width)


def _rows(
    records: Iterable[tuple[int, list[str]]], separator: str, places: Mapping[str, int], width: int
) -> Iterator[Row]:
    for number, lines in records:
        text = "".join(lines)
        if separator not in text and not text.strip():
            continue
        if not text.strip(f'{separator}" \r\n\t'):
            yield Row(number, {}, "no_values")
            continue
        if _open(text, separator):
            yield Row(number, {}, "open_quote")
            continue
        cells = _cells(text, separator)
        fault = None
        if len(cells) <= max(places.values()):
            fault = "too_few_fields"
        elif any(cell.strip() for cell in cells[width:]):
            fault = "too_many_fields"
        elif any(len(cell) > MAX_FIELD for cell in cells):
            fault = "field_too_long"
        yield Row(number, {} if fault else {name: cells[place] for name, place in places.items()}, fault)


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number and lines, a record a line; `_again` joins those of a quoted line end."""
    for number, line in enumerate(re.split(r"(?<=\n)|(?<=\r)(?!\n)", text), 1):
        if line:
            yield number, [line]


def _again(records: Iterable[tuple[int, list[str]]], separator: str, width: int) -> Iterator[tuple[int, list[str]]]:
    """The records with those lines joined that a quoted line end divides, numbered anew.

    A quote that stays open, or whose record has not as many fields as the header, is a stray one: its line stands
    alone.
    """
    waiting = list(records)
    first = waiting[0][0] if waiting else 0
    at = joined = 0
    while at < len(waiting):
        lines = [waiting[at][1][0]]
        while _open("".join(lines), separator) and len(lines) < min(MAX_RECORD_LINES, len(waiting) - at):
            lines.append(waiting[at + len(lines)][1][0])
        if len(lines) > 1 and (_open("".join(lines), separator) or len(_cells("".join(lines), separator)) != width):
            lines = lines[:1]
        yield first + at - joined, lines
        at += len(lines)
        joined += len(lines) - 1


def _open(text: str, separator: str) -> bool:
    """Whether `text` ends inside a quoted field, by the rules of Python's csv."""
    if '"' not in text:
        return False
    inside, fresh, position = False, True, 0
    while position < len(text):
        char = text[position]
        if inside:
            if char == '"':
                if text[position + 1 : position + 2] == '"':
                    position += 1
                else:
                    inside = False
        elif char == '"' and fresh:
            inside, fresh = True, False
        else:
            fresh = char == separator
        position += 1
    return inside


def _cells(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([text.rstrip("\r\n")], delimiter=separator), [])
    except csv.Error:  # longer than csv's own limit, or a line end where none can be
        return ["x" * (MAX_FIELD + 1)] * (text.count(separator) + 1)


def _plain(title: str) -> str:
    return re.sub(r"[\W_]+", "", _INVISIBLE.sub("", title).lower())


def read_line(value: str) -> str:
    """A text on one line, without invisible characters and outer blanks; `="x"`, which keeps a spreadsheet from reading
    a number, is x."""
    text = " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", value)).split())
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1].strip()
    return text


def read_id(value: str) -> str:
    """An id as it stands: only the `.0` that a spreadsheet adds to digits is dropped. Raises `ValueFault`
    `rounded_id` for digits that a spreadsheet has rounded (`5.36E+05`)."""
    text = read_line(value)
    if _ROUNDED_ID.match(text):
        raise ValueFault("rounded_id")
    whole = _ID_WITH_ZEROS.match(text)
    return whole[1] if whole else text


def read_decimal(value: str) -> Decimal:
    """A number, also `1,250.50`, and `2,55` with a decimal comma. Raises `ValueFault` `no_number`."""
    text = read_line(value).replace(" ", "")
    if _GROUPED.match(text):
        text = text.replace(",", "")
    elif _DECIMAL_COMMA.match(text):
        text = text.replace(",", ".")
    if not _NUMBER.match(text):
        raise ValueFault("no_number")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueFault("no_number") from error


def read_whole(value: str) -> int:
    """A whole number, also `6.0`. Raises `ValueFault` `no_whole_number`."""
    try:
        number = read_decimal(value)
    except ValueFault as fault:
        raise ValueFault("no_whole_number") from fault
    if number != number.to_integral_value():
        raise ValueFault("no_whole_number")
    return int(number)


def read_fen(value: str) -> int:
    """A price in fen, rounded half up."""
    return int((read_decimal(value) * 100).to_integral_value(ROUND_HALF_UP))


def day_first(values: Iterable[str]) -> bool | None:
    """Whether dates like `1/12/2010` begin with the day: True or False by those that leave no choice, False if none
    does, None if they contradict each other."""
    first = second = False
    for value in values:
        found = _DATE.match(read_line(value))
        if found and len(found["a"]) < 3:
            first |= int(found["a"]) > 12
            second |= int(found["b"]) > 12
    return None if first and second else first


def read_moment(value: str, *, days_first: bool | None) -> datetime:
    """A moment, in UTC: `2010-12-01 08:26:00`, `2010/12/1 8:26`, `12/1/2010 8:26 AM`, `1.12.2010`, with 年月日, or as
    a spreadsheet's count of days. Raises `ValueFault` `no_date`, or `ambiguous_date` where the file has both orders."""
    text = read_line(value)
    if _SERIAL.match(text):
        return _SERIAL_START + timedelta(seconds=round(float(text) * 86_400))
    found = _DATE.match(text)
    if found is None:
        raise ValueFault("no_date")
    first, second, third = (int(found[name]) for name in "abc")
    if len(found["a"]) == 4:
        year, month, day = first, second, third
    else:
        if days_first is None and first <= 12 and second <= 12 and first != second:
            raise ValueFault("ambiguous_date")
        turned = first > 12 or bool(days_first and second <= 12)
        year, month, day = (third, second, first) if turned else (third, first, second)
        year += 2000 if len(found["c"]) == 2 else 0
    hour, minute, second_of = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    if found["half"]:
        hour = hour % 12 + (12 if found["half"].lower() == "pm" else 0)
    try:
        return datetime(year, month, day, hour, minute, second_of, tzinfo=UTC)
    except ValueError as error:
        raise ValueFault("no_date") from error
