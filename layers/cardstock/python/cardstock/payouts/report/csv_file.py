"""The lines of a batch as CSV: UTF-8 with BOM and CRLF, which spreadsheets open without an import dialog."""

import csv
import io
from collections.abc import Iterable, Sequence

from cardstock.payouts.report.content import Report
from cardstock.payouts.report.texts import both, local_text, yuan
from cardstock.payouts.wording import REASON, STATUS
from cardstock.texts import one_line

CONTENT_TYPE = "text/csv; charset=utf-8"

_HEADER = (
    "收款人 payee", "姓名 name", "次数 attempt", "转账单号 transfer number", "状态 status", "原因 reason",
    "挂账(元) listed", "应发(元) gross", "应扣个税(元) tax", "应付(元) net", "到账(元) paid", "已扣个税(元) withheld",
    "提交时间 sent at", "完成时间 closed at", "由重试取代 replaced by",
)  # fmt: skip


def lines_csv(report: Report) -> bytes:
    """All lines by member and attempt, amounts in yuan with two decimals. The money of a line that was replaced stands
    in the line that replaced it as well: sums leave it out."""
    return csv_bytes(
        _HEADER,
        (
            (
                line.member,
                line.name,
                str(line.attempt),
                line.number,
                both(STATUS, line.status),
                both(REASON, line.reason or ""),
                str(yuan(line.listed)),
                str(yuan(line.gross)),
                str(yuan(line.tax)),
                str(yuan(line.net)),
                str(yuan(line.net if line.status == "paid" else 0)),
                str(yuan(line.tax if line.status == "paid" else 0)),
                local_text(line.sent_at),
                local_text(line.closed_at),
                report.replaced.get(line.number, ""),
            )
            for line in report.lines
        ),
    )


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV file in which every cell is one line, and no cell is a formula even if a name begins like one."""
    return encoded_csv(header, rows, "utf-8-sig")


def encoded_csv(header: Sequence[str], rows: Iterable[Sequence[str]], encoding: str) -> bytes:
    """The same in another encoding; `utf-8-sig` begins with a byte-order mark."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_cell(value) for value in header])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode(encoding)


def _cell(value: str) -> str:
    """The cell, after an apostrophe if a spreadsheet would read it as a formula (OWASP)."""
    clean = one_line(value)
    formula = clean != "-" and clean.startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    return f"'{clean}" if formula else clean
