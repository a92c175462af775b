"""The files of a draft report: a workbook and a CSV. Every sheet and every file says that it is a draft."""

from collections.abc import Sequence
from typing import Any

from cardstock.payouts.report.csv_file import csv_bytes
from cardstock.payouts.report.draft import Draft, DraftRow
from cardstock.payouts.report.sheets import Column, Writer, band
from cardstock.payouts.report.texts import CHANNEL, MARK, TAX_MONTH, both, local_text, opener, tax_facts, yuan
from cardstock.payouts.wording import REASON, STATUS

_DRAFT = "草稿 DRAFT"
_FORECAST = "预计，非实付：以发放时为准 Forecast, nothing is paid: sending decides"


def _looked_at(row: DraftRow) -> str:
    """What to look at, as text."""
    found = [both(MARK, mark) for mark in row.marks]
    if row.changing is not None:
        found.append(f"最早生效 not before {local_text(row.changing)}")
    found += [f"将不发 would be left out: {both(REASON, reason)}" for reason in row.dropped]
    return "; ".join(found)


_ROWS = (
    Column("姓名", "Name", 22, "text", lambda row: row.name),
    Column("证件号码", "ID number", 21, "text", lambda row: row.id_number),
    Column("收款账户", "Account", 14, "text", lambda row: "; ".join(row.accounts)),
    Column("挂账", "Listed (CNY)", 14, "money", lambda row: row.listed),
    Column("预计应发", "Gross, forecast", 15, "money", lambda row: row.gross),
    Column("预计个税", "Tax, forecast", 14, "money", lambda row: row.tax),
    Column("预计实发", "Net, forecast", 15, "money", lambda row: row.net),
    Column("上期应发", "Last gross", 14, "money", lambda row: row.last_gross),
    Column("上期个税", "Last tax", 13, "money", lambda row: row.last_tax),
    Column("上期实发", "Last net", 14, "money", lambda row: row.last_net),
    Column("实发变动", "Change of net", 14, "money", lambda row: row.change),
    Column("收款人", "Members", 33, "text", lambda row: "; ".join(row.members)),
    Column("提示", "To look at", 70, "text", _looked_at),
)
_LEFT_OUT = (
    Column("姓名", "Name", 18, "text", lambda one: one.name),
    Column("收款人", "Member", 33, "text", lambda one: one.member),
    Column("可提现", "Available (CNY)", 16, "money", lambda one: one.available),
    Column("原因", "Reason", 40, "text", lambda one: both(REASON, one.reason)),
)
_CONTRADICTIONS = (
    Column("转账单号", "Transfer number", 35, "text", lambda one: one.number),
    Column("批次", "Payout", 14, "text", lambda one: one.payout),
    Column("收款人", "Member", 33, "text", lambda one: one.member),
    Column("金额", "Amount (CNY)", 15, "money", lambda one: one.amount),
    Column("先", "First result", 22, "text", lambda one: both(STATUS, one.first)),
    Column("后", "Then", 22, "text", lambda one: both(STATUS, one.then)),
    Column("时间", "Opened at", 19, "time", lambda one: one.at),
)


def draft_workbook(draft: Draft) -> bytes:
    """The workbook of a draft. The same draft gives the same bytes."""
    writer = Writer(
        title=f"DRAFT payout {draft.batch.period.key}",
        brand=draft.brand,
        created=draft.at,
        footer=f"{_DRAFT} {draft.batch.id}",
    )
    _summary(writer, draft)
    writer.table(f"{_DRAFT} 预计 Forecast", _ROWS, draft.rows)
    writer.table(f"{_DRAFT} 未列入 Left out", _LEFT_OUT, draft.left_out)
    writer.table(f"{_DRAFT} 矛盾 Disputed", _CONTRADICTIONS, draft.contradictions)
    writer.book.close()
    return writer.target.getvalue()


def draft_csv(draft: Draft) -> bytes:
    """Persons and members who are left out as CSV, amounts in yuan with two decimals; its first column says that it is
    a draft."""
    left_out = ("未列入金额 Left out (CNY)", "未列入原因 left out because")
    header = [_DRAFT, *(f"{column.zh} {column.en}" for column in _ROWS), *left_out]
    rows = [["草稿", *_written(row), "", ""] for row in draft.rows]
    for one in draft.left_out:
        cells = dict.fromkeys((column.en for column in _ROWS), "")
        cells |= {"Name": one.name, "Members": one.member}
        rows.append(["草稿", *cells.values(), str(yuan(one.available)), both(REASON, one.reason)])
    return csv_bytes(header, rows)


def _written(row: DraftRow) -> list[str]:
    return [
        str(yuan(column.value(row))) if column.kind == "money" else str(column.value(row)) for column in _ROWS
    ]  # fmt: skip


def _summary(writer: Writer, draft: Draft) -> None:
    """One page: the forecast's sums, the change, who is left out, and the rules."""
    sheet = writer.sheet(f"{_DRAFT} 汇总 Summary")
    sheet.set_portrait()
    sheet.fit_to_pages(1, 1)
    sheet.set_column(0, 0, 54)
    sheet.set_column(1, 5, 15)
    sheet.set_row(0, 30)
    batch = draft.batch
    warning = writer.book.add_format({"bold": True, "font_size": 18, "font_color": "#C62828"})
    writer.label(sheet, (0, 0), f"{_DRAFT} · {draft.brand} · 佣金发放 Payout {batch.period.key}", warning)
    writer.label(sheet, (1, 0), _FORECAST, writer.book.add_format({"bold": True, "font_color": "#C62828"}))
    facts = f"{batch.id} · {both(CHANNEL, batch.rules.channel)} · {local_text(draft.at)} (UTC+8)"
    writer.label(sheet, (2, 0), facts, writer.subtitle)
    row = _sums(writer, sheet, draft, 4)
    row = _marked(writer, sheet, draft, row + 1)
    row = _left_out(writer, sheet, draft, row + 1)
    _rules(writer, sheet, draft, row + 1)
    sheet.activate()


def _sums(writer: Writer, sheet: Any, draft: Draft, row: int) -> int:
    row = band(
        writer, sheet, row, "预计 Forecast",
        ("", "人数\nPersons", "挂账\nListed", "应发\nGross", "个税\nTax", "实发\nNet"),
    )  # fmt: skip
    paid = [one for one in draft.rows if one.gross]
    last = [one for one in draft.rows if one.last_gross]
    blank = None
    lines: Sequence[tuple[str, int, int | None, int, int, int]] = (
        ("预计发放 Would be paid", len(paid), sum(one.listed for one in draft.rows), sum(one.gross for one in paid),
         sum(one.tax for one in paid), sum(one.net for one in paid)),
        (f"其中上期 Of them last time {draft.last}".strip(), len(last), blank, sum(one.last_gross for one in last),
         sum(one.last_tax for one in last), sum(one.last_net for one in last)),
    )  # fmt: skip
    for name, persons, *amounts in lines:
        writer.cell(sheet, (row, 0), "text", name, writer.plain)
        writer.cell(sheet, (row, 1), "count", persons, writer.plain)
        for column, amount in enumerate(amounts, 2):
            writer.cell(sheet, (row, column), "money", amount, writer.plain)
        row += 1
    new = [one for one in draft.rows if not one.last_gross]
    for name, persons, net in (
        ("上期没有 Not paid last time", len(new), sum(one.net for one in new)),
        ("上期有、本期未列 Paid last time, not listed", draft.gone, -draft.gone_net),
    ):
        row = _line(writer, sheet, row, name, persons, net)
    change = sum(one.change for one in draft.rows) - draft.gone_net
    return _line(writer, sheet, row, "实发合计变动 Change of all net", None, change)


def _line(writer: Writer, sheet: Any, row: int, name: str, persons: int | None, net: int) -> int:  # noqa: PLR0917
    """A row with a number of persons in the second column and an amount in the last one."""
    writer.cell(sheet, (row, 0), "text", name, writer.plain)
    writer.cell(sheet, (row, 1), "count", persons, writer.plain)
    for column in (2, 3, 4):
        writer.cell(sheet, (row, column), "text", "", writer.plain)
    writer.cell(sheet, (row, 5), "money", net, writer.plain)
    return row + 1


def _marked(writer: Writer, sheet: Any, draft: Draft, row: int) -> int:
    row = band(
        writer, sheet, row, "提示 To look at",
        ("", "人数\nPersons", "", "", "", "实发\nNet"),
    )  # fmt: skip
    for mark in MARK:
        own = [one for one in draft.rows if mark in one.marks]
        row = _line(writer, sheet, row, both(MARK, mark), len(own), sum(one.net for one in own))
    dropped = [one for one in draft.rows if one.dropped]
    row = _line(writer, sheet, row, "将不发 Would be left out", len(dropped), sum(one.net for one in dropped))
    found = draft.contradictions
    amount = sum(one.amount for one in found)
    return _line(writer, sheet, row, "结果矛盾的转账 Contradicting results", len(found), amount)


def _left_out(writer: Writer, sheet: Any, draft: Draft, row: int) -> int:
    row = band(
        writer, sheet, row, "未列入 Left out",
        ("原因\nReason", "人数\nMembers", "", "", "", "可提现\nAvailable"),
    )  # fmt: skip
    for one in draft.batch.left_out:
        row = _line(writer, sheet, row, both(REASON, one.reason), one.members, one.amount)
    return row


def _rules(writer: Writer, sheet: Any, draft: Draft, row: int) -> None:
    batch = draft.batch
    row = band(writer, sheet, row, "依据 Rules", ())
    for name, value in (
        ("开立 Opened", f"{local_text(batch.opened_at)} · {opener(batch)}"),
        ("最低发放额 Minimum", f"{yuan(batch.rules.minimum)} CNY"),
        *tax_facts([draft.table]),
        ("个税月份 Tax month", f"{draft.taxed} · {both(TAX_MONTH, batch.rules.tax_month or 'earned')}"),
        ("提示 Note", "在另一月份发放时，个税会不同 If it is sent in another month, the tax differs"),
    ):
        writer.cell(sheet, (row, 0), "text", name, writer.plain)
        sheet.merge_range(row, 1, row, 5, "", writer.wrapped)
        writer.label(sheet, (row, 1), value, writer.wrapped)
        sheet.set_row(row, 30 if len(value) > 60 else 15)
        row += 1
