"""What was withheld, as JSON: a person's certificate data, and the quarters' files. Amounts are fen, rates bps."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.http import Model
from cardstock.members.model import mask_name
from cardstock.payouts.model import File
from cardstock.payouts.schemas import ReportFile
from cardstock.payouts.tax.model import Certificate, PersonMonth, TaxFile, Waiting

Transfers = Annotated[
    list[str], Meta(examples=[["2026110vgk3qxnq5p7m1a9c2d4e6f8g0"]], description="Numbers of the transfers.")
]
Quarter = Annotated[str, Meta(examples=["2026-Q4"])]
Periods = Annotated[list[str], Meta(examples=[["2026-12"]])]
Payouts = Annotated[list[str], Meta(examples=[["pay_202610", "pay_202611", "pay_202612"]])]


class TaxMonth(Model):
    """One month of a person: what he was paid, what was withheld, and how that was made.

    `taxed_fen`, `expense_fen`, `allowance_fen`, `taxable_fen` and `due_fen` are of the month under the method `labour`
    and to date under `platform`; `due_fen` is before what was withheld already.
    """

    period: str
    transfers: Transfers
    income_fen: int
    withheld_fen: int
    net_fen: int
    method: Annotated[str, Meta(examples=["labour"])]
    table: Annotated[str, Meta(examples=["labour-2019"])]
    source: Annotated[str, Meta(examples=["国家税务总局公告2018年第61号"])]
    months_in_a_row: int
    taxed_fen: int
    expense_fen: int
    allowance_fen: int
    taxable_fen: int
    rate_bps: int
    quick_fen: int
    due_fen: int


class TaxYear(Model):
    """What a withholding certificate of one person and year is made of: data, not the tax office's certificate.

    All accounts of the person count. Months in `open_periods` are not settled: what they will add is not here yet.
    """

    withholder: Annotated[str, Meta(examples=["Cardstock"], description="The brand.")]
    person_id: Annotated[str, Meta(examples=["prs_0123456789abcdefghjkmnpqrs"])]
    name: str
    id_number: str
    year: Annotated[int, Meta(examples=[2026])]
    income_fen: int
    withheld_fen: int
    months: list[TaxMonth]
    open_periods: Periods


class TaxQuarterFile(Model):
    """A quarter whose file for the tax office was written, once."""

    quarter: Quarter
    written_at: str
    payouts: Payouts
    persons: int
    income_fen: int
    withheld_fen: int
    files: list[ReportFile]


class WaitingQuarter(Model):
    """A quarter that is over, and the payouts that have to settle before its file can be written."""

    quarter: Quarter
    payouts: Payouts


class TaxQuarters(Model):
    """The last quarters that were written, newest first, and those that wait."""

    items: list[TaxQuarterFile]
    waiting: list[WaitingQuarter]


def year_told(found: Certificate, *, masked: bool) -> TaxYear:
    """A certificate; to the person himself his name is masked, as in his profile."""
    return TaxYear(
        withholder=found.brand,
        person_id=found.person,
        name=mask_name(found.name) if masked and found.name else found.name,
        id_number=found.id_number,
        year=found.year,
        income_fen=found.income,
        withheld_fen=found.tax,
        months=[_month(month) for month in found.months],
        open_periods=list(found.open_periods),
    )


def _month(month: PersonMonth) -> TaxMonth:
    how = month.assessment
    return TaxMonth(
        period=month.period,
        transfers=list(month.transfers),
        income_fen=month.income,
        withheld_fen=month.tax,
        net_fen=month.net,
        method=month.table.method,
        table=month.table.id,
        source=month.table.source,
        months_in_a_row=month.figures.months,
        taxed_fen=how.income,
        expense_fen=how.expense,
        allowance_fen=how.allowance,
        taxable_fen=how.taxable,
        rate_bps=how.rate,
        quick_fen=how.quick,
        due_fen=how.due,
    )


def quarters_told(
    written: Iterable[tuple[TaxFile, Iterable[tuple[File, str]]]], waiting: Iterable[Waiting]
) -> TaxQuarters:
    """The quarters, the written ones with links to their files."""
    return TaxQuarters(
        [
            TaxQuarterFile(
                found.quarter,
                rfc3339(found.written_at),
                list(found.batches),
                found.persons,
                found.income,
                found.tax,
                [ReportFile(file.name, file.content_type, file.size, file.sha256, url) for file, url in files],
            )
            for found, files in written
        ],
        [WaitingQuarter(found.quarter, list(found.payouts)) for found in waiting],
    )
