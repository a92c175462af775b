"""The payout report as a workbook: summary with native charts, lines, a statement per payee, ledger lines, tax,
exceptions, control totals.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from unicodedata import east_asian_width

import msgspec

from cardstock.money import Fen
from cardstock.payouts.books import LedgerLine
from cardstock.payouts.lines import Line
from cardstock.payouts.report.content import Control, Report, Statement
from cardstock.payouts.report.sheets import Column, Writer, band, controls
from cardstock.payouts.report.texts import (
    ACCOUNT,
    CHANNEL,
    FINDING,
    KIND,
    REPLACED,
    TAX_MONTH,
    approver,
    both,
    bringers,
    local_text,
    opener,
    retries_ended,
    tax_facts,
    yuan,
)
from cardstock.payouts.tax.model import person_months
from cardstock.payouts.wording import REASON, STATUS
from cardstock.texts import one_line

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_BRACKETS_YUAN = (0, 50, 100, 500, 1_000, 5_000)
_COLOURS = ("#1F5C99", "#E07B39", "#8C8C8C", "#C9A227", "#5B8C5A")
_MOST_NAMED = 10
"""Bringings of results that the first page names; the API has the others."""
_NAME_COLUMN = 1
_FACT_WIDTH = 92
"""Letters that fit into the five columns beside a label; a Chinese one counts twice."""

_LINES = (
    Column("收款人", "Payee", 33, "text", lambda line: line.member),
    Column("姓名", "Name", 18, "text", lambda line: line.name),
    Column("次数", "Attempt", 9, "count", lambda line: line.attempt),
    Column("转账单号", "Transfer number", 35, "text", lambda line: line.number),
    Column("状态", "Status", 20, "text", lambda line: both(STATUS, line.status)),
    Column("原因", "Reason", 27, "text", lambda line: both(REASON, line.reason or "")),
    Column("挂账", "Listed (CNY)", 14, "money", lambda line: line.listed),
    Column("应发", "Gross (CNY)", 14, "money", lambda line: line.gross),
    Column("应扣个税", "Tax (CNY)", 14, "money", lambda line: line.tax),
    Column("应付", "Net (CNY)", 14, "money", lambda line: line.net),
    Column("到账", "Paid (CNY)", 14, "money", lambda line: line.net if line.status == "paid" else 0),
    Column("已扣个税", "Withheld (CNY)", 15, "money", lambda line: line.tax if line.status == "paid" else 0),
    Column("提交时间", "Sent at", 19, "time", lambda line: line.sent_at),
    Column("完成时间", "Closed at", 19, "time", lambda line: line.closed_at),
)
_LEDGER = (
    Column("收款人", "Payee", 33, "text", lambda posting: posting.member),
    Column("时间", "Time", 19, "time", lambda posting: posting.at),
    Column("分录", "Entry", 44, "text", lambda posting: posting.entry),
    Column("类型", "Kind", 28, "text", lambda posting: both(KIND, posting.kind)),
    Column("依据", "Cause", 37, "text", lambda posting: posting.cause),
    Column("账户", "Account", 20, "text", lambda posting: both(ACCOUNT, posting.account)),
    Column("金额", "Amount (CNY)", 15, "money", lambda posting: posting.amount),
)
TAX = (
    Column("纳税人", "Person", 33, "text", lambda month: month.person),
    Column("姓名", "Name", 18, "text", lambda month: month.name),
    Column("证件号码", "ID number", 21, "text", lambda month: month.id_number),
    Column("月份", "Month", 10, "text", lambda month: month.period),
    Column("笔数", "Transfers", 11, "count", lambda month: len(month.transfers)),
    Column("收入", "Income", 14, "money", lambda month: month.income),
    Column("连续月数", "Months in a row", 16, "count", lambda month: month.figures.months),
    Column("累计收入", "Income to date", 15, "money", lambda month: month.figures.income, adds_up=False),
    Column("费用", "Expenses", 13, "money", lambda month: month.assessment.expense, adds_up=False),
    Column("减除费用", "Allowance", 13, "money", lambda month: month.assessment.allowance, adds_up=False),
    Column("应纳税所得额", "Taxable", 15, "money", lambda month: month.assessment.taxable, adds_up=False),
    Column("税率", "Rate", 8, "rate", lambda month: month.assessment.rate),
    Column("速算扣除数", "Quick deduction", 16, "money", lambda month: month.assessment.quick, adds_up=False),
    Column("应扣税额", "Tax due", 13, "money", lambda month: month.assessment.due, adds_up=False),
    Column("累计已扣", "Withheld to date", 17, "money", lambda month: month.figures.withheld, adds_up=False),
    Column("本月已扣", "Withheld", 13, "money", lambda month: month.tax),
    Column("实发", "Net", 14, "money", lambda month: month.net),
    Column("税表", "Table", 15, "text", lambda month: month.table.id),
)
"""One person's month in CNY. Expenses, allowance, taxable income and tax due are of the month under a monthly method,
and year to date under a cumulative one."""
_FINDINGS = (
    Column("类别", "Finding", 34, "text", lambda finding: both(FINDING, finding.code)),
    Column("收款人", "Payee", 33, "text", lambda finding: finding.member),
    Column("转账单号", "Transfer number", 35, "text", lambda finding: finding.number),
    # Dropped, returned and retried amounts have no meaningful sum.
    Column("金额", "Amount (CNY)", 15, "money", lambda finding: finding.amount, adds_up=False),
    Column("说明", "Detail", 44, "text", lambda finding: both(REASON, finding.reason)),
)
_STATEMENTS = (
    Column("收款人", "Payee", 33, "text", lambda row: row.member),
    Column("姓名", "Name", 18, "text", lambda row: row.name),
    Column("时间", "Time", 19, "time", lambda row: row.at),
    Column("事项", "Item", 30, "text", lambda row: row.item),
    Column("依据", "Cause", 37, "text", lambda row: row.cause),
    Column("期初可提现", "Opening", 14, "money", lambda row: row.opening),
    Column("计入", "Credited", 14, "money", lambda row: row.amounts[0]),
    Column("转可提现", "Released", 14, "money", lambda row: row.amounts[1]),
    Column("扣回", "Clawed back", 14, "money", lambda row: row.amounts[2]),
    Column("挂账", "Listed", 14, "money", lambda row: row.listed),
    Column("应发", "Gross (CNY)", 14, "money", lambda row: row.amounts[3]),
    Column("代扣个税", "Tax (CNY)", 14, "money", lambda row: row.amounts[4]),
    Column("实发", "Net (CNY)", 14, "money", lambda row: row.amounts[5]),
)


class _StatementRow(msgspec.Struct, frozen=True):
    """A payee's totals, or one movement below them. An amount that does not apply is None."""

    member: str
    name: str
    at: datetime | None
    item: str
    cause: str
    amounts: tuple[Fen | None, Fen | None, Fen | None, Fen | None, Fen | None, Fen | None]
    opening: Fen | None = None
    listed: Fen | None = None

    @property
    def is_head(self) -> bool:
        """Whether it has the payee's totals."""
        return self.listed is not None


def workbook(report: Report) -> bytes:
    """The workbook of `report`. The same report gives the same bytes."""
    writer = Writer(
        title=f"Payout report {report.batch.period.key}",
        brand=report.brand,
        created=report.closed_at,
        footer=report.batch.id,
    )
    _summary(writer, report)
    again = Column("由重试取代", "Replaced by", 35, "text", lambda line: report.replaced.get(line.number, ""))
    writer.table(
        "发放明细 Lines",
        (*_LINES, again),
        report.lines,
        freeze=2,
        counts=lambda line: line.number not in report.replaced,
    )
    writer.table(
        "个人对账单 Statements",
        _STATEMENTS,
        _statement_rows(report.statements),
        freeze=2,
        heads=lambda row: row.is_head,
    )
    writer.table("账本分录 Ledger lines", _LEDGER, report.postings)
    writer.table("个税 Tax", TAX, person_months(report.lines, whole=False), freeze=2)
    writer.table("异常 Exceptions", _FINDINGS, report.findings)
    files = (Control(f"文件 File {file.name} (bytes)", file.size, 0, file.sha256) for file in report.batch.transfers)
    controls(writer, report.controls, tuple(files))
    writer.book.close()
    return writer.target.getvalue()


def _statement_rows(statements: Iterable[Statement]) -> Iterable[_StatementRow]:
    for statement in statements:
        member, name = statement.member, statement.name
        totals = (
            statement.credited, statement.released, statement.clawed, statement.gross, statement.tax, statement.net,
        )  # fmt: skip
        listed = statement.lines[0].listed
        yield _StatementRow(member, name, None, "对账单 Statement", "", totals, statement.opening, listed)
        for (at, _, kind, cause), group in groupby(
            statement.postings, key=lambda posting: (posting.at, posting.entry, posting.kind, posting.cause)
        ):
            amounts = _amounts(kind, list(group))
            if any(amounts):
                yield _StatementRow(member, name, at, both(KIND, kind), cause, amounts)
        for line in statement.lines:
            item = f"{' '.join(KIND['paid'])} · {both(STATUS, line.status)}"
            paid = (line.gross, line.tax, line.net) if line.status == "paid" else (None, None, None)
            yield _StatementRow(member, name, line.closed_at, item, line.number, (None, None, None, *paid))


def _amounts(
    kind: str, postings: Sequence[LedgerLine]
) -> tuple[Fen | None, Fen | None, Fen | None, Fen | None, Fen | None, Fen | None]:
    """The entry's amounts in the columns credited, released and clawed back; payouts have their own rows."""
    by_account: Counter[str] = Counter()
    for posting in postings:
        by_account[posting.account] += posting.amount
    credited = by_account["frozen"] if kind == "accrued" else None
    released = by_account["available"] if kind == "released" else None
    clawed = -by_account.total() if kind == "clawed" else None
    return credited, released, clawed, None, None, None


def _summary(writer: Writer, report: Report) -> None:
    """One page: the batch, its sums, whether the three books agree, and three charts."""
    sheet = writer.sheet("汇总 Summary")
    sheet.set_portrait()
    sheet.fit_to_pages(1, 1)
    sheet.set_column(0, 0, 32)
    sheet.set_column(1, 5, 20)
    batch = report.batch
    sheet.set_row(0, 30)
    writer.label(
        sheet, (0, 0), f"{one_line(report.brand)} · 佣金发放报告 Payout report {batch.period.key}", writer.title
    )
    writer.label(
        sheet, (1, 0),
        f"{batch.id} · {both(CHANNEL, batch.rules.channel)} · {local_text(report.closed_at)} (UTC+8)", writer.subtitle,
    )  # fmt: skip
    row = _outcomes(writer, sheet, report, 3)
    row = _books(writer, sheet, report, row + 1)
    row = _facts(writer, sheet, report, row + 1)
    _charts(writer, sheet, report, row + 1)
    sheet.activate()


def _outcomes(writer: Writer, sheet: Any, report: Report, row: int) -> int:
    row = band(
        writer, sheet, row, "发放结果 Outcome",
        ("状态\nStatus", "笔数\nLines", "挂账\nListed", "应发\nGross", "代扣个税\nTax", "实发\nNet"),
    )  # fmt: skip
    by_status: dict[str, list[Line]] = {"paid": [], "failed": [], "expired": [], "dropped": []}
    replaced: list[Line] = []
    for line in report.lines:
        (replaced if line.number in report.replaced else by_status[line.status]).append(line)
    whole: list[Line] = []
    for status, lines in by_status.items():
        _outcome(writer, sheet, row, both(STATUS, status), lines)
        whole += lines
        row += 1
    _outcome(writer, sheet, row, "合计 Total", whole)
    if replaced:
        row += 1
        _outcome(writer, sheet, row, " ".join(REPLACED), replaced)
    return row + 1


def _outcome(writer: Writer, sheet: Any, row: int, name: str, lines: Sequence[Line]) -> None:
    looks = writer.strong if name.startswith("合计") else writer.plain
    paid = [line for line in lines if line.status == "paid"]
    amounts = (
        sum(line.listed for line in lines),
        sum(line.gross for line in lines),
        sum(line.tax for line in paid),
        sum(line.net for line in paid),
    )
    writer.cell(sheet, (row, 0), "text", name, looks)
    writer.cell(sheet, (row, 1), "count", len(lines), looks)
    for column, amount in enumerate(amounts, 2):
        writer.cell(sheet, (row, column), "money", amount, looks)


def _books(writer: Writer, sheet: Any, report: Report, row: int) -> int:
    row = band(
        writer, sheet, row, "三方对账 Three-way reconciliation",
        ("账册\nBook", "笔数\nLines", "占用\nClaimed", "实发\nPaid", "代扣个税\nTax", "退回\nReturned"),
    )  # fmt: skip
    books = report.reconciliation
    for name, totals in (
        ("账本 Ledger", books.ledger),
        ("批次 Batch", books.batch),
        ("渠道 Channel", books.channel),
    ):
        writer.cell(sheet, (row, 0), "text", name, writer.plain)
        writer.cell(sheet, (row, 1), "count", totals.count, writer.plain)
        for column, amount in enumerate((totals.claimed, totals.paid, totals.tax, totals.returned), 2):
            writer.cell(sheet, (row, column), "money", amount, writer.plain)
        row += 1
    writer.label(sheet, (row, 0), "✓ 三方一致，差异 0 All three agree, 0 differences", writer.good)
    return row + 1


def _facts(writer: Writer, sheet: Any, report: Report, row: int) -> int:
    batch = report.batch
    row = band(writer, sheet, row, "批次 Batch", ())
    for name, value in (
        ("开立 Opened", f"{local_text(batch.opened_at)} · {opener(batch)}"),
        ("对账区间 Statements cover", f"{local_text(batch.since)} → {local_text(batch.opened_at)}"),
        ("审批 Approved", f"{local_text(batch.approved_at)} · {approver(batch)} · {batch.note or '-'}"),
        ("发放 Sent", local_text(batch.sent_at)),
        *(("结果提交 Results brought", said) for said in bringers(report.brought[:_MOST_NAMED], 1)),
        *((("结束重试 Retries ended", ended),) if (ended := retries_ended(batch)) else ()),
        ("最低发放额 Minimum", f"{yuan(batch.rules.minimum)} CNY"),
        *tax_facts(report.tax_tables),
        *((("个税月份 Tax month", both(TAX_MONTH, batch.rules.tax_month)),) if batch.rules.tax_month else ()),
        ("提示 Note", "税表使用前须经会计确认 An accountant confirms the tax table before use"),
    ):
        # A long note beside its five columns would widen the printed page and so shrink everything on it.
        lines = -(-sum(2 if east_asian_width(letter) in "WF" else 1 for letter in value) // _FACT_WIDTH)
        if lines > 1:
            sheet.set_row(row, 15 * lines)
        writer.cell(sheet, (row, 0), "text", name, writer.plain)
        for column in range(1, 6):
            writer.cell(sheet, (row, column), "text", value if column == 1 else "", writer.plain)
        if lines > 1:
            wrapped = writer.book.add_format({"num_format": "@", "indent": 1, "text_wrap": True, "valign": "vcenter"})
            sheet.merge_range(row, 1, row, 5, "", wrapped)
            writer.label(sheet, (row, 1), value, wrapped)
        row += 1
    return row


def _charts(writer: Writer, sheet: Any, report: Report, row: int) -> None:
    """Three charts, with their cells below them so that every bar can be checked."""
    top = row
    data = row + 16
    paid = sorted(
        (statement for statement in report.statements if statement.net),
        key=lambda statement: (-statement.net, statement.member),
    )
    listed = sum(line.listed for line in report.lines if line.number not in report.replaced)
    returned = report.reconciliation.batch.returned
    net, tax = report.reconciliation.batch.paid, report.reconciliation.batch.tax
    parts = (
        ("实发 Net", net),
        ("代扣个税 Tax", tax),
        ("退回 Returned", min(returned, listed - net - tax)),
        ("本期不发 Left", max(listed - net - tax - returned, 0)),
    )
    sizes = _sizes([statement.net for statement in paid])
    best = [(_short(statement.name or statement.member), statement.net) for statement in paid[:10]]
    row = band(
        writer, sheet, data, "图表数据 Chart data",
        ("挂账去向\nListed money", "金额\nCNY", "实发区间\nNet", "人数\nPayees", "前十名\nTop ten", "实发\nNet"),
        (2, 4),
    )  # fmt: skip
    for index in range(max(len(parts), len(sizes), len(best))):
        for column, cells, kind in ((0, parts, "money"), (2, sizes, "count"), (4, best, "money")):
            if index < len(cells):
                writer.cell(sheet, (row + index, column), "text", cells[index][0], writer.plain)
                writer.cell(sheet, (row + index, column + 1), kind, cells[index][1], writer.plain)
    name = sheet.get_name()

    def series(column: int, count: int) -> dict[str, Any]:
        last = row + max(count, 1) - 1
        return {
            "categories": [name, row, column, last, column],
            "values": [name, row, column + 1, last, column + 1],
        }

    plain = {"name_font": {"size": 11, "bold": True, "color": "#1F3A5F"}}
    ring = writer.book.add_chart({"type": "doughnut"})
    points = [{"fill": {"color": colour}} for colour in _COLOURS[: len(parts)]]
    ring.add_series(series(0, len(parts)) | {"points": points})
    ring.set_title({"name": "挂账去向 Listed money", **plain})
    ring.set_legend({"position": "bottom"})
    columns = writer.book.add_chart({"type": "column"})
    columns.add_series(
        series(2, len(sizes)) | {"fill": {"color": _COLOURS[0]}, "gap": 40, "data_labels": {"value": True}}
    )
    columns.set_title({"name": "每人实发分布 Payees by net (CNY)", **plain})
    columns.set_legend({"none": True})
    columns.set_y_axis({"major_gridlines": {"visible": True, "line": {"color": "#E3E6EA"}}, "num_format": "#,##0"})
    bars = writer.book.add_chart({"type": "bar"})
    labels = {"value": True, "num_format": "#,##0", "font": {"size": 8}}
    bars.add_series(series(4, len(best)) | {"fill": {"color": _COLOURS[1]}, "gap": 40, "data_labels": labels})
    bars.set_title({"name": "实发前十 Ten largest (CNY)", **plain})
    bars.set_legend({"none": True})
    bars.set_y_axis({"reverse": True})
    bars.set_x_axis({"visible": False, "major_gridlines": {"visible": False}})
    for chart, left in ((ring, 0), (columns, 318), (bars, 636)):
        chart.set_size({"width": 312, "height": 300})
        sheet.insert_chart(top, 0, chart, {"x_offset": left, "y_offset": 6, "object_position": 3})


def _short(name: str) -> str:
    """A name that fits beside a bar."""
    flat = " ".join(name.split())
    return flat if len(flat) <= 12 else f"{flat[:11]}…"


def _sizes(nets: Sequence[Fen]) -> list[tuple[str, int]]:
    """How many payees got an amount in each range; ranges in yuan, upper end excluded."""
    counted: Counter[int] = Counter()
    for net in nets:
        counted[max(index for index, low in enumerate(_BRACKETS_YUAN) if net >= low * 100)] += 1
    ends = (*_BRACKETS_YUAN[1:], None)
    return [
        (f"{low:,} +" if high is None else f"{low:,} – {high:,}", counted[index])
        for index, (low, high) in enumerate(zip(_BRACKETS_YUAN, ends, strict=True))
    ]
