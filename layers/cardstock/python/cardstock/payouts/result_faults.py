"""What is wrong with results that a person brings: a sentence for each fault, with the row, what is expected there and
what was given. None of it is a secret to who brings results: that person has the file that was sent."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from cardstock.errors import Pointer
from cardstock.money import Fen

_GIVEN_MAX: Final = 80
_SHOWN_OF_NUMBER: Final = 4

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "EMPTY": ("文件是空的。", "The file is empty."),
    "NO_ROWS": ("表头之下没有数据行。", "No row stands below the header."),
    "CSV": (
        "不是有效的 CSV：可能有引号没有闭合。",
        "This is not valid CSV: a quotation mark may have no end.",
    ),
    "ENCODING": ("编码无法识别，应为 UTF-8 或 GBK。", "The encoding is neither UTF-8 nor GBK."),
    "HEADER_MISSING": (
        "前 20 行中没有表头，表头应含：{expected}；这一行是：{given}。",
        "No header stands in the first 20 rows. It has {expected}; this row is: {given}.",
    ),
    "COLUMN_MISSING": (
        "表头缺少一列，应为：{expected}；现有：{given}。",
        "The header lacks a column: {expected}. It has: {given}.",
    ),
    "NUMBER_MISSING": ("缺少转账单号，应为{expected}。", "The transfer number is missing: {expected}."),
    "TRANSFER_MISSING": (
        "缺少转账 {expected} 的结果。",
        "No row has the result of transfer {expected}.",
    ),
    "TRANSFER_UNKNOWN": (
        "{given} 不是本批次已发送的转账单号。",
        "{given} is not the number of a transfer that this payout has sent.",
    ),
    "TRANSFER_TWICE": (
        "转账单号 {given} 重复，{expected}已有该笔。",
        "The transfer {given} stands twice: it is in {expected} already.",
    ),
    "RESULTS_CONTRADICT": (
        "处理结果为 {given}，但同一转账在{expected}。",
        "The result is {given}, but the same transfer {expected}.",
    ),
    "RESULT_UNKNOWN": (
        "处理结果“{given}”无法识别，应为：{expected}。",
        "The result “{given}” is not understood. Understood are: {expected}.",
    ),
    "AMOUNT_INVALID": ("“{given}”不是金额，应为{expected}。", "“{given}” is no amount: {expected} is expected."),
    "AMOUNT_DIFFERS": ("金额为 {given}，应为 {expected}。", "The amount is {given}, expected is {expected}."),
    "HOLDER_MISSING": ("缺少户名。", "The holder is missing."),
    "HOLDER_DIFFERS": ("户名为“{given}”，应为“{expected}”。", "The holder is “{given}”, expected is “{expected}”."),
    "ACCOUNT_DIFFERS": ("账号（{given}）不符，应为{expected}。", "The account is {given}, expected is {expected}."),
}
Words = tuple[str, str]
"""Chinese, English."""


def fault(
    pointer: str, code: str, *, row: int | None = None, expected: str | Words = "", given: str | Words = "",
    text: str = "",
) -> Pointer:  # fmt: skip
    """A fault at `pointer`, with its sentence (of `text`, if that is not `code`) in Chinese and English."""
    wanted, said = _both(expected), tuple(one[:_GIVEN_MAX] for one in _both(given))
    zh, en = (
        template.format(expected=one, given=other)
        for template, one, other in zip(_TEXTS[text or code], wanted, said, strict=True)
    )
    bounds: dict[str, Any] = {"text": (zh, en)}
    if row is not None:
        bounds |= {"row": row, "text": (f"第 {row} 行：{zh}", f"Row {row}: {en}")}
    if expected:
        bounds["expected"] = wanted
    if given:
        bounds["given"] = said
    return Pointer(pointer, code, bounds)


def fault_in_row(row: int, code: str, **values: Any) -> Pointer:
    """A fault in a row of a file, as a spreadsheet counts it."""
    return fault(f"#row={row}", code, row=row, **values)


def yuan(amounts: Sequence[Fen]) -> Words:
    """One of some amounts in yuan, as the file has them."""
    written = [str(Decimal(amount).scaleb(-2)) for amount in amounts]
    return f"{' 或 '.join(written)} 元", f"{' or '.join(written)} yuan"


def ending(account: str) -> Words:
    """An account by its last digits; what is no number of an account is shown as it is."""
    if not account.isdigit():
        return account, account
    shown = account[-_SHOWN_OF_NUMBER:]
    return f"尾号 {shown}", f"one that ends in {shown}"


def _both(value: str | Words) -> Words:
    return (value, value) if isinstance(value, str) else value
