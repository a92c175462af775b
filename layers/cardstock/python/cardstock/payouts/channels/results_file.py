"""Reading a bank's answer to a bank file: CSV as banks and spreadsheets write it.

Understood are UTF-8 with and without a byte-order mark, and GBK; commas, tabs and semicolons; lines before the header;
quoted numbers, numbers that a spreadsheet must leave alone (`="0123"`, `'0123`), amounts with thousands and a
sign of the yuan; a last line with totals. A row that is not understood refuses the whole file with the row's number, as
a spreadsheet counts it (`#row=7`, RFC 7111).
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, TypeAlias

import msgspec

from cardstock.errors import Pointer
from cardstock.money import Fen
from cardstock.payouts import errors
from cardstock.payouts.bringing import Brought, BroughtLine
from cardstock.payouts.lines import Result
from cardstock.payouts.result_faults import fault, fault_in_row
from cardstock.payouts.transfer_answers import Answer

Column: TypeAlias = Literal["reference", "result", "reason", "amount", "holder", "number"]

COLUMNS: Final[Mapping[Column, frozenset[str]]] = {
    "reference": frozenset(
        {"转账单号", "业务参考号", "客户参考号", "参考号", "商户订单号", "reference", "transfernumber"}
    ),
    "result": frozenset({"处理结果", "处理状态", "交易结果", "交易状态", "结果", "状态", "result", "status"}),
    "reason": frozenset({"失败原因", "原因", "退票原因", "错误信息", "reason"}),
    "amount": frozenset({"金额", "金额(元)", "交易金额", "实发金额", "amount"}),
    "holder": frozenset({"收款人户名", "户名", "收款户名", "姓名", "holder"}),
    "number": frozenset({"收款账号", "账号", "收款人账号", "卡号", "account"}),
}
"""The headers under which a column is known, without blanks, in one case."""
RESULTS: Final[Mapping[str, Result]] = {
    **dict.fromkeys(("成功", "交易成功", "处理成功", "已入账", "已到账", "paid", "success", "succeeded"), "paid"),
    **dict.fromkeys(("失败", "交易失败", "处理失败", "退票", "退汇", "已退回", "failed", "returned"), "failed"),
}
"""What banks call a result. Another word is not guessed: the file is refused until the bank has finished."""
_NEEDED: Final[tuple[Column, ...]] = ("reference", "result", "amount", "holder")
_HEADERS: Final[Mapping[Column, tuple[str, str]]] = {
    "reference": ("转账单号", "转账单号 (transfer number)"),
    "result": ("处理结果", "处理结果 (result)"),
    "amount": ("金额", "金额 (amount)"),
    "holder": ("户名", "户名 (holder)"),
}
_ALL_HEADERS: Final = "、".join(one for one, _ in _HEADERS.values()), ", ".join(one for _, one in _HEADERS.values())
_WORDS: Final = "、".join(RESULTS), ", ".join(RESULTS)
_A_NUMBER: Final = "32 位字母和数字", "32 letters and digits"
_AN_AMOUNT: Final = "元，至多两位小数，如 4,200.00", "yuan with two decimals at most, such as 4,200.00"
_HEADER_WITHIN: Final = 20
_TOTAL: Final = ("合计", "总计", "小计", "total")
_REFERENCE: Final = re.compile(r"[0-9a-z]{32}\Z", re.ASCII)
_MOST_NAMED: Final = 100


class _Row(msgspec.Struct, frozen=True):
    number: int
    cells: Mapping[Column, str]


def read_results(content: bytes, source: str, at: datetime, *, whole: bool = True) -> Brought:
    """The results in a bank's file, brought by `source`. `whole`: it answers every transfer that was sent.

    Raises `InvalidError` (RESULTS_FILE_INVALID) pointing to each row that is not understood.
    """
    rows, faults = _rows(_text(content))
    file = hashlib.sha256(content).hexdigest()[:32]
    lines: list[BroughtLine] = []
    seen: dict[str, int] = {}
    for row in rows:
        try:
            line = _line(row, source, at, file)
        except _RowError as error:
            faults.append(error.fault_in(row.number))
            continue
        number = line.answer.number
        if number in seen:
            before = f"第 {seen[number]} 行", f"row {seen[number]}"
            faults.append(fault_in_row(row.number, "TRANSFER_TWICE", expected=before, given=number))
        seen.setdefault(number, row.number)
        lines.append(line)
    if not rows and not faults:
        faults.append(fault("#row=1", "NO_ROWS"))
    if faults:
        raise errors.RESULTS_FILE_INVALID(pointers=tuple(faults[:_MOST_NAMED]), rows=len(faults))
    total = sum(line.answer.amount or 0 for line in lines)
    return Brought(lines, lines=len(lines) if whole else None, net=total if whole else None, in_file=True)


def numbered_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Every record of a file, cleaned, with the row that a refusal names. Raises `InvalidError`
    (RESULTS_FILE_INVALID)."""
    for number, cells in _records(_text(content)):
        yield number, [_clean(cell) for cell in cells]


class _RowError(Exception):
    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self._code = code
        self._values = values

    def fault_in(self, row: int) -> Pointer:
        return fault_in_row(row, self._code, **self._values)


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\ufffd" in text or "\x00" in text:
            break  # somebody has decoded it wrongly before
        return text
    raise errors.RESULTS_FILE_INVALID(pointers=(fault("#row=1", "ENCODING"),), rows=1)


def _rows(text: str) -> tuple[list[_Row], list[Pointer]]:
    """The rows below the header, and what is wrong with the file as a whole."""
    known: dict[int, Column] = {}
    rows: list[_Row] = []
    head: tuple[int, str] | None = None
    for number, cells in _records(text):
        if head is None and any(map(_clean, cells)):
            head = number, _shown(cells)
        if not known:
            known = _header(cells)
            if not known and number >= _HEADER_WITHIN:
                break
            missing = [name for name in _NEEDED if name not in known.values()] if known else []
            if missing:
                return [], [
                    fault_in_row(
                        number, f"COLUMN_MISSING_{name.upper()}", text="COLUMN_MISSING",
                        expected=_HEADERS[name], given=_shown(cells),
                    )
                    for name in missing
                ]  # fmt: skip
            continue
        row = _Row(number, {name: _clean(cells[at]) if at < len(cells) else "" for at, name in known.items()})
        filled = [cell for cell in map(_clean, cells) if cell]
        if not filled:
            continue
        if not row.cells["reference"] and filled[0].casefold().startswith(_TOTAL):
            continue
        rows.append(row)
    if known:
        return rows, []
    if head is None:
        return [], [fault("#row=1", "HEADER_MISSING", text="EMPTY")]
    return [], [fault_in_row(head[0], "HEADER_MISSING", expected=_ALL_HEADERS, given=head[1])]


def _shown(cells: Sequence[str]) -> str:
    return " | ".join(filter(None, map(_clean, cells)))


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the row at which a spreadsheet shows it."""
    head = text[:4096]
    delimiter = max(",\t;", key=head.count)
    try:
        yield from enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1)
    except csv.Error as error:
        raise errors.RESULTS_FILE_INVALID(pointers=(fault("#row=1", "CSV"),), rows=1) from error


def _header(cells: Sequence[str]) -> dict[int, Column]:
    """Which column stands where, if this is the header: it names transfers and their results."""
    names = ["".join(unicodedata.normalize("NFKC", cell).split()).casefold() for cell in cells]
    found: dict[int, Column] = {}
    for at, name in enumerate(names):
        column = next((column for column, aliases in COLUMNS.items() if name in aliases), None)
        if column is not None and column not in found.values():
            found[at] = column
    return found if {"reference", "result"} <= set(found.values()) else {}


def _clean(cell: str) -> str:
    text = unicodedata.normalize("NFKC", cell)
    text = "".join(character for character in text if unicodedata.category(character) not in ("Cc", "Cf")).strip()
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return text.removeprefix("'").strip()


def _line(row: _Row, source: str, at: datetime, file: str) -> BroughtLine:
    cells = row.cells
    number = cells["reference"].lower()
    if not _REFERENCE.match(number):
        if number:
            raise _RowError("TRANSFER_UNKNOWN", given=cells["reference"])
        raise _RowError("TRANSFER_MISSING", text="NUMBER_MISSING", expected=_A_NUMBER)
    result = RESULTS.get(cells["result"].casefold())
    if result is None:
        raise _RowError("RESULT_UNKNOWN", expected=_WORDS, given=cells["result"])
    amount = _fen(cells["amount"])
    if not cells["holder"]:
        raise _RowError("HOLDER_MISSING")
    reason = cells.get("reason", "")[:64] or None
    answer = Answer(number, result, at, source, reason if result == "failed" else None, amount, file=file)
    return BroughtLine(answer, cells["holder"], cells.get("number") or None, row.number)


def _fen(text: str) -> Fen:
    """`4,200.00`, `¥4200` or `4200元` in fen. Raises for a part of a fen, and for everything else."""
    wrong = _RowError("AMOUNT_INVALID", expected=_AN_AMOUNT, given=text)
    plain = text.replace(",", "").removeprefix("¥").removesuffix("元").strip()
    if not re.fullmatch(r"[0-9]{1,13}(\.[0-9]+)?", plain, re.ASCII):
        raise wrong
    try:
        fen = Decimal(plain).scaleb(2)
    except InvalidOperation as error:
        raise wrong from error
    if fen != int(fen):
        raise wrong
    return int(fen)
