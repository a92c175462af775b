"""Withheld tax as JSON: a person's certificate data, and the quarters' files. Amounts are fen, rates bps."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Callable, Iterable
from typing import Annotated

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment, Period
from cardstock.edge.http import Model
from cardstock.payouts.model import File
from cardstock.payouts.report_schemas import ReportFile
from cardstock.payouts.tax.model import Certificate, PersonMonth, TaxFile, UnwrittenQuarter

Transfers = Annotated[
    list[str], Meta(examples=[["2026110vgk3qxnq5p7m1a9c2d4e6f8g0"]], description="Numbers of the transfers.")
]
Quarter = Annotated[str, Meta(examples=["2026-Q4"])]
Periods = Annotated[list[str], Meta(examples=[["2026-12"]])]
Payouts = Annotated[list[str], Meta(examples=[["pay_202610", "pay_202611", "pay_202612"]])]


class TaxMonth(Model):
    """One month of a person: what was paid, what was withheld, and how that was made.

    The figures of the tax are of the month under the method `labour`, and to date under `platform`.
    """

    period: Annotated[Period, Meta(description="Month whose income it is: by default the one in which it was paid.")]
    transfers: Transfers
    income_fen: Annotated[int, Meta(description="Fen paid out, before tax.", examples=[420_000])]
    withheld_fen: Annotated[int, Meta(description="Fen of tax that were withheld.", examples=[67_200])]
    net_fen: Annotated[int, Meta(description="Fen that reached the person.", examples=[352_800])]
    method: Annotated[
        str,
        Meta(
            examples=["labour"],
            description="Tax method: `labour` by the month, `platform` over consecutive months.",
        ),
    ]
    table: Annotated[str, Meta(examples=["labour-2019"], description="Tax table used.")]
    source: Annotated[str, Meta(examples=["国家税务总局公告2018年第61号"], description="Where the table is published.")]
    months_in_a_row: Annotated[int, Meta(description="Consecutive months with income that end here.", examples=[2])]
    taxed_fen: Annotated[
        int,
        Meta(description="Income that is taxed, in fen.", examples=[420_000]),
    ]
    expense_fen: Annotated[int, Meta(description="Deducted expenses in fen.", examples=[84_000])]
    allowance_fen: Annotated[int, Meta(description="Income free of tax, in fen.", examples=[0])]
    taxable_fen: Annotated[int, Meta(description="Taxable income in fen.", examples=[336_000])]
    rate_bps: Annotated[int, Meta(description="Rate of the bracket, in basis points.", examples=[2_000])]
    quick_fen: Annotated[int, Meta(description="Quick deduction of the bracket, in fen.", examples=[0])]
    due_fen: Annotated[
        int, Meta(description="Tax before subtracting what was already withheld, in fen.", examples=[67_200])
    ]

    @classmethod
    def of(cls, month: PersonMonth) -> TaxMonth:
        how = month.assessment
        return cls(
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


class TaxYear(Model):
    """What a withholding certificate of one person and year is made of: data, not the tax authority's certificate.

    All accounts of the person count.
    """

    withholder: Annotated[str, Meta(examples=["Cardstock"], description="The brand.")]
    person_id: Annotated[
        str,
        Meta(
            examples=["prs_0123456789abcdefghjkmnpqrs"],
            description="Id of the person behind all accounts of one identity.",
        ),
    ]
    name: Annotated[str, Meta(description="Real name; masked when the member reads it.", examples=["王小明"])]
    id_number: Annotated[str, Meta(description="Identity number, masked.", examples=["110101********002X"])]
    year: Annotated[int, Meta(examples=[2026], description="Calendar year of the payments.")]
    income_fen: Annotated[int, Meta(description="Fen that were paid out in the year, before tax.", examples=[420_000])]
    withheld_fen: Annotated[int, Meta(description="Fen of tax that were withheld in the year.", examples=[67_200])]
    months: Annotated[list[TaxMonth], Meta(description="The months with income, oldest first.")]
    open_periods: Annotated[Periods, Meta(description="Months that are not settled: their payments may be missing.")]

    @classmethod
    def of(cls, found: Certificate, shown_name: Callable[[str], str] = str) -> TaxYear:
        """A certificate. `shown_name` may mask the name, as a member's own profile does."""
        return cls(
            withholder=found.brand,
            person_id=found.person,
            name=shown_name(found.name) if found.name else found.name,
            id_number=found.id_number,
            year=found.year,
            income_fen=found.income,
            withheld_fen=found.tax,
            months=[TaxMonth.of(month) for month in found.months],
            open_periods=list(found.open_periods),
        )


class TaxQuarterFile(Model):
    """A quarter whose file for the tax authority was written, once."""

    quarter: Annotated[Quarter, Meta(description="Quarter that the files are for.")]
    written_at: Annotated[Moment, Meta(description="When the files were written.")]
    payouts: Annotated[Payouts, Meta(description="Payouts that they cover.")]
    persons: Annotated[int, Meta(description="Number of persons in them.", examples=[12])]
    income_fen: Annotated[int, Meta(description="Fen that were paid out, before tax.", examples=[1_260_000])]
    withheld_fen: Annotated[int, Meta(description="Fen of tax that were withheld.", examples=[56_100])]
    files: Annotated[list[ReportFile], Meta(description="Files for the tax authority.")]

    @classmethod
    def of(cls, found: TaxFile, files: Iterable[tuple[File, str]]) -> TaxQuarterFile:
        """A quarter with links to its files."""
        return cls(
            found.quarter,
            rfc3339(found.written_at),
            list(found.batches),
            found.persons,
            found.income,
            found.tax,
            [ReportFile.of(file, url) for file, url in files],
        )


class WaitingQuarter(Model):
    """A quarter that is over, and the payouts that have to settle before its file can be written."""

    quarter: Annotated[Quarter, Meta(description="Quarter that is over and has no files yet.")]
    payouts: Annotated[Payouts, Meta(description="Payouts that have to settle first.")]

    @classmethod
    def of(cls, found: UnwrittenQuarter) -> WaitingQuarter:
        return cls(found.quarter, list(found.payouts))


class TaxQuarters(Model):
    """The last quarters that were written, newest first, and those that wait."""

    items: Annotated[list[TaxQuarterFile], Meta(description="Quarters that were written, newest first.")]
    waiting: Annotated[list[WaitingQuarter], Meta(description="Quarters that wait for a payout.")]
