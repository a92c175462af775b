"""Withheld tax as JSON: a person's certificate data, and the quarters' files. Amounts are fen, rates bps."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Callable, Iterable
from typing import Annotated, Final

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment, Period
from cardstock.edge.http import Model
from cardstock.payouts.model import File
from cardstock.payouts.report_schemas import ReportFile
from cardstock.payouts.tax.model import Certificate, OwnCertificate, PersonMonth, TaxFile, UnwrittenQuarter

Transfers = Annotated[
    list[str], Meta(examples=[["2026110vgk3qxnq5p7m1a9c2d4e6f8g0"]], description="Numbers of the transfers.")
]
Quarter = Annotated[str, Meta(examples=["2026-Q4"])]
Periods = Annotated[list[str], Meta(examples=[["2026-12"]])]
Payouts = Annotated[list[str], Meta(examples=[["pay_202610", "pay_202611", "pay_202612"]])]


PersonId = Annotated[
    str,
    Meta(
        examples=["prs_0123456789abcdefghjkmnpqrs"], description="Id of the person behind all accounts of one identity."
    ),
]


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
    person_id: PersonId
    name: Annotated[str, Meta(description="Real name.", examples=["王小明"])]
    id_number: Annotated[str, Meta(description="Identity number, masked.", examples=["110101********002X"])]
    year: Annotated[int, Meta(examples=[2026], description="Calendar year of the payments.")]
    income_fen: Annotated[int, Meta(description="Fen that were paid out in the year, before tax.", examples=[420_000])]
    withheld_fen: Annotated[int, Meta(description="Fen of tax that were withheld in the year.", examples=[67_200])]
    months: Annotated[list[TaxMonth], Meta(description="The months with income, oldest first.")]
    open_periods: Annotated[Periods, Meta(description="Months that are not settled: their payments may be missing.")]

    @classmethod
    def of(cls, found: Certificate) -> TaxYear:
        """A certificate for finance."""
        return cls(
            withholder=found.brand,
            person_id=found.person,
            name=found.name,
            id_number=found.id_number,
            year=found.year,
            income_fen=found.income,
            withheld_fen=found.tax,
            months=[TaxMonth.of(month) for month in found.months],
            open_periods=list(found.open_periods),
        )


_NOT_OTHERS = "; null if other payments of the person counted in this tax"


class OwnTaxMonth(Model):
    """One month of a member: what was paid, what was withheld, and, if it follows from these payments alone, how.

    Tax is a person's. Where other payments of the same person counted too, such as those of another account, the
    figures of the tax are null: they would show what those were.
    """

    period: Annotated[Period, Meta(description="Month whose income it is: by default the one in which it was paid.")]
    transfers: Transfers
    income_fen: Annotated[int, Meta(description="Fen paid out to the member, before tax.", examples=[420_000])]
    withheld_fen: Annotated[int, Meta(description="Fen of tax that were withheld from it.", examples=[67_200])]
    net_fen: Annotated[int, Meta(description="Fen that reached the member.", examples=[352_800])]
    method: Annotated[
        str,
        Meta(
            examples=["labour"],
            description="Tax method: `labour` by the month, `platform` over consecutive months.",
        ),
    ]
    table: Annotated[str, Meta(examples=["labour-2019"], description="Tax table used.")]
    source: Annotated[str, Meta(examples=["国家税务总局公告2018年第61号"], description="Where the table is published.")]
    others_counted: Annotated[
        bool, Meta(description="Whether payments that are not shown here counted in this tax.", examples=[False])
    ]
    months_in_a_row: Annotated[
        int | None, Meta(description=f"Consecutive months with income that end here{_NOT_OTHERS}.", examples=[2])
    ]
    taxed_fen: Annotated[
        int | None, Meta(description=f"Income that is taxed, in fen{_NOT_OTHERS}.", examples=[420_000])
    ]
    expense_fen: Annotated[int | None, Meta(description=f"Deducted expenses in fen{_NOT_OTHERS}.", examples=[84_000])]
    allowance_fen: Annotated[int | None, Meta(description=f"Income free of tax, in fen{_NOT_OTHERS}.", examples=[0])]
    taxable_fen: Annotated[int | None, Meta(description=f"Taxable income in fen{_NOT_OTHERS}.", examples=[336_000])]
    rate_bps: Annotated[
        int | None, Meta(description=f"Rate of the bracket, in basis points{_NOT_OTHERS}.", examples=[2_000])
    ]
    quick_fen: Annotated[
        int | None, Meta(description=f"Quick deduction of the bracket, in fen{_NOT_OTHERS}.", examples=[0])
    ]
    due_fen: Annotated[
        int | None,
        Meta(description=f"Tax before subtracting what was already withheld, in fen{_NOT_OTHERS}.", examples=[67_200]),
    ]

    @classmethod
    def of(cls, month: PersonMonth, *, follows: bool) -> OwnTaxMonth:
        """A month; `follows`: whether its tax follows from these payments alone."""
        how = month.assessment
        figures = (
            month.figures.months, how.income, how.expense, how.allowance, how.taxable, how.rate, how.quick, how.due,
        )  # fmt: skip
        shown: tuple[int | None, ...] = figures if follows else (None,) * len(figures)
        return cls(
            month.period, list(month.transfers), month.income, month.tax, month.net, month.table.method,
            month.table.id, month.table.source, not follows, *shown,
        )  # fmt: skip


class OwnTaxYear(Model):
    """What a member was paid in a year and what was withheld: data, not the tax authority's certificate.

    Only the member's own payments, and those of accounts that the person has merged with it.
    """

    withholder: Annotated[str, Meta(examples=["Cardstock"], description="The brand.")]
    person_id: PersonId
    name: Annotated[str, Meta(description="Real name, masked.", examples=["王**"])]
    id_number: Annotated[str, Meta(description="Identity number, masked.", examples=["110101********002X"])]
    year: Annotated[int, Meta(examples=[2026], description="Calendar year of the payments.")]
    income_fen: Annotated[int, Meta(description="Fen paid out to the member, before tax.", examples=[420_000])]
    withheld_fen: Annotated[int, Meta(description="Fen of tax that were withheld from it.", examples=[67_200])]
    months: Annotated[list[OwnTaxMonth], Meta(description="The months with income, oldest first.")]
    open_periods: Annotated[Periods, Meta(description="Months that are not settled: their payments may be missing.")]
    text: Annotated[
        str,
        Meta(
            description="What is shown here and where the person sees everything, in the language of the request.",
            examples=["此处只有本账户的付款。全部收入和已缴税款请在国家税务总局“个人所得税”App 查询。"],
        ),
    ]

    @classmethod
    def of(cls, found: OwnCertificate, shown_name: Callable[[str], str], language: str) -> OwnTaxYear:
        """The member's part of a certificate; `shown_name` masks the name, as the member's own profile does."""
        whole = found.certificate
        return cls(
            withholder=whole.brand,
            person_id=whole.person,
            name=shown_name(whole.name) if whole.name else whole.name,
            id_number=whole.id_number,
            year=whole.year,
            income_fen=whole.income,
            withheld_fen=whole.tax,
            months=[
                OwnTaxMonth.of(month, follows=follows)
                for month, follows in zip(whole.months, found.follows, strict=True)
            ],
            open_periods=list(whole.open_periods),
            text=_WHERE[language == "en"],
        )


_WHERE: Final = (
    "此处只有本账户及已合并账户的付款和代扣税款。税款按人计算，同一人的其他账户也计入。"
    "全部收入和已缴税款请在国家税务总局“个人所得税”App 查询。",
    "These are the payments of this account and of accounts merged with it, and the tax withheld from them. Tax is "
    "computed for the person: other accounts of the same person count too. The whole income and tax are in the tax "
    "authority's app (个人所得税).",
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
