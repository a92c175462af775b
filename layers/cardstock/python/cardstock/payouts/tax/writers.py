"""The quarter's tax file: who was paid, how much, and what was withheld; as a workbook and as CSV.

The columns are those of the identity and income lists of State Taxation Administration announcement 2025 No. 15 as far
as the brand has them, and of the withholding return (announcement 2018 No. 61). The ID number is masked, since the full
one is not stored: an accountant adds it from the verification service before filing.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from cardstock.money import BPS_ONE, Fen
from cardstock.payouts.report.content import Control
from cardstock.payouts.report.csv_file import csv_bytes
from cardstock.payouts.report.sheets import Column, Writer, band, controls
from cardstock.payouts.report.texts import METHOD, both, local_text, yuan
from cardstock.payouts.report.workbook import TAX
from cardstock.payouts.tax.model import PersonMonth, TaxQuarter
from cardstock.texts import one_line

_DOCUMENT = "居民身份证 Resident ID card"
_COUNTRY = "中国 China"
_KIND = "佣金收入 Commission"

NOTES = (
    "本文件为数据，不是申报表；是否报送、如何报送由会计确认。 This file is data, not a filing; an accountant confirms.",
    "证件号码已脱敏：系统不保存完整号码，报送前由会计从实名核验机构取得。"
    " ID numbers are masked: they are kept nowhere.",
    "月份为支付当月，批次设定为所属期间的除外。 A month is the one of the payment, unless a payout was set to"
    " its own month.",
    "按月方法的费用和税额为当月数，累计方法为累计数。 Under the monthly method expenses and tax due are of the month,"
    " under the cumulative one to date.",
    "发放前已扣回的佣金不计入收入。 Commission that was clawed back before it was paid out is no income.",
)


class _Person(msgspec.Struct, frozen=True):
    """One person's quarter."""

    person: str
    name: str
    id_number: str
    members: int
    months: str
    transfers: int
    income: Fen
    tax: Fen
    net: Fen


_PERSONS = (
    Column("姓名", "Name", 18, "text", lambda one: one.name),
    Column("证件类型", "Document", 26, "text", lambda _: _DOCUMENT),
    Column("证件号码", "ID number", 22, "text", lambda one: one.id_number),
    Column("国家或地区", "Country", 14, "text", lambda _: _COUNTRY),
    Column("用户唯一标识", "Person", 36, "text", lambda one: one.person),
    Column("账号数", "Members", 10, "count", lambda one: one.members),
    Column("收入类型", "Kind of income", 22, "text", lambda _: _KIND),
    Column("月份", "Months", 24, "text", lambda one: one.months),
    Column("交易笔数", "Transactions", 12, "count", lambda one: one.transfers),
    Column("收入总额", "Income (CNY)", 15, "money", lambda one: one.income),
    Column("退款金额", "Refunds (CNY)", 14, "money", lambda _: 0),
    Column("收入净额", "Net income (CNY)", 18, "money", lambda one: one.income),
    Column("已扣个税", "Withheld (CNY)", 15, "money", lambda one: one.tax),
    Column("实发", "Paid out (CNY)", 15, "money", lambda one: one.net),
)


_YEARS = (
    Column("纳税人", "Person", 33, "text", lambda one: one.person),
    Column("姓名", "Name", 18, "text", lambda one: one.name),
    Column("证件号码", "ID number", 21, "text", lambda one: one.id_number),
    Column("月数", "Months", 10, "count", lambda one: one.months),
    Column("笔数", "Transfers", 11, "count", lambda one: one.transfers),
    Column("本年收入", "Income of the year", 18, "money", lambda one: one.income),
    Column("本年已扣个税", "Withheld", 15, "money", lambda one: one.tax),
    Column("本年实发", "Net", 15, "money", lambda one: one.net),
)
"""The columns of a certificate of the year so far; a person's months are in the API."""


_CORRECTIONS = (
    Column("纳税人", "Person", 33, "text", lambda one: one.person),
    Column("姓名", "Name", 18, "text", lambda one: one.name),
    Column("证件号码", "ID number", 21, "text", lambda one: one.id_number),
    Column("月份", "Month", 11, "text", lambda one: one.period),
    Column("转账单号", "Transfer number", 35, "text", lambda one: one.number),
    Column("收入变动", "Income (CNY)", 15, "money", lambda one: one.income),
    Column("个税变动", "Withheld (CNY)", 15, "money", lambda one: one.tax),
    Column("实发变动", "Net (CNY)", 15, "money", lambda one: one.net),
    Column("更正时间", "Corrected", 21, "text", lambda one: local_text(one.at)),
)


def quarter_workbook(quarter: TaxQuarter) -> bytes:
    """The workbook of a quarter. The same quarter gives the same bytes."""
    writer = Writer(
        title=f"Tax file {quarter.quarter.key}",
        brand=quarter.brand,
        created=quarter.closed_at,
        footer=f"{quarter.brand} {quarter.quarter.key}".replace("&", "&&"),
    )
    persons = _persons(quarter.months)
    _summary(writer, quarter, persons)
    writer.table("人员收入 Persons", _PERSONS, persons)
    writer.table("按月扣缴 Months", TAX, quarter.months, freeze=2)
    writer.table("本年累计 Year to date", _YEARS, quarter.years, freeze=2)
    if quarter.corrections:
        writer.table("往期更正 Corrections", _CORRECTIONS, quarter.corrections, freeze=2)
    controls(
        writer,
        quarter.controls,
        [
            Control(f"{batch.id} {file.name} (bytes)", file.size, 0, file.sha256)
            for batch in quarter.batches
            for file in batch.reports
        ],
    )
    writer.book.close()
    return writer.target.getvalue()


def quarter_csv(quarter: TaxQuarter) -> bytes:
    """Every person's months as CSV; amounts in yuan with two decimals, the rate in per cent."""
    return csv_bytes(
        [f"{column.zh} {column.en}" for column in TAX],
        ([_written(column, column.value(month)) for column in TAX] for month in quarter.months),
    )


def _written(column: Column, value: object) -> str:
    if column.kind == "money" and isinstance(value, int):
        return str(yuan(value))
    if column.kind == "rate" and isinstance(value, int):
        return f"{value * 100 // BPS_ONE}%"
    return str(value)


def _persons(months: Sequence[PersonMonth]) -> list[_Person]:
    found = []
    for person, group in groupby(months, key=lambda month: month.person):
        own = list(group)
        found.append(
            _Person(
                person=person,
                name=own[-1].name,
                id_number=own[-1].id_number,
                members=len({member for month in own for member in month.members}),
                months=" ".join(month.period for month in own),
                transfers=sum(len(month.transfers) for month in own),
                income=sum(month.income for month in own),
                tax=sum(month.tax for month in own),
                net=sum(month.net for month in own),
            )
        )
    return found


def _summary(writer: Writer, quarter: TaxQuarter, persons: Sequence[_Person]) -> None:
    """One page: the months, the tax tables used, and notes for an accountant."""
    sheet = writer.sheet("汇总 Summary")
    sheet.set_portrait()
    sheet.fit_to_pages(1, 1)
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 5, 19)
    sheet.set_row(0, 30)
    writer.label(sheet, (0, 0), f"{one_line(quarter.brand)} · 涉税数据 Tax data {quarter.quarter.key}", writer.title)
    writer.label(
        sheet, (1, 0), f"{len(persons):,} 人 persons · {local_text(quarter.closed_at)} (UTC+8)", writer.subtitle
    )
    row = band(
        writer, sheet, 3, "各月 Months",
        ("月份\nMonth", "人数\nPersons", "笔数\nTransfers", "收入\nIncome", "已扣个税\nWithheld", "实发\nNet"),
    )  # fmt: skip
    for period in quarter.quarter.periods:
        own = [month for month in quarter.months if month.period == period.key]
        _amounts(writer, sheet, row, period.key, own)
        row += 1
    _amounts(writer, sheet, row, "合计 Total", quarter.months)
    row = band(writer, sheet, row + 2, "个税方法 Tax method", ())
    for table in quarter.tables:
        until = "" if table.valid_until is None else f"{table.valid_until}"
        facts = (
            (both(METHOD, table.method), f"{table.id} · {table.valid_from} → {until}"),
            ("依据 Source", table.source),
        )
        for name, value in facts:
            row = _fact(writer, sheet, row, name, value)
    row = band(writer, sheet, row + 1, "批次 Payouts", ())
    for batch in quarter.batches:
        row = _fact(writer, sheet, row, batch.id, f"结清 Closed {local_text(batch.closed_at)}")
    row = band(writer, sheet, row + 1, "说明 Notes", ())
    for note in NOTES:
        sheet.set_row(row, 30)
        sheet.merge_range(row, 0, row, 5, "", writer.wrapped)
        writer.label(sheet, (row, 0), note, writer.wrapped)
        row += 1
    sheet.activate()


def _amounts(writer: Writer, sheet: object, row: int, name: str, months: Iterable[PersonMonth]) -> None:
    own = list(months)
    looks = writer.strong if name.startswith("合计") else writer.plain
    writer.cell(sheet, (row, 0), "text", name, looks)
    writer.cell(sheet, (row, 1), "count", len({month.person for month in own}), looks)
    writer.cell(sheet, (row, 2), "count", sum(len(month.transfers) for month in own), looks)
    for column, amount in enumerate(
        (sum(one.income for one in own), sum(one.tax for one in own), sum(one.net for one in own)), 3
    ):
        writer.cell(sheet, (row, column), "money", amount, looks)


def _fact(writer: Writer, sheet: object, row: int, name: str, value: str) -> int:
    writer.cell(sheet, (row, 0), "text", name, writer.plain)
    for column in range(1, 6):
        writer.cell(sheet, (row, column), "text", value if column == 1 else "", writer.plain)
    return row + 1
