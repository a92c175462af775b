"""Tax withheld from payouts: dated tables with their sources, and the two methods that use them.

`labour` taxes one month's payments as remuneration for labour services. `platform` is cumulative over consecutive
months of income from a platform. The brand's accountant decides which one applies: the method is a setting, and every
report names the table that it used.

All amounts are fen, all rates basis points. One division, one rounding (half-up, to the fen) per withheld amount.
"""

from datetime import date
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.money import BPS_ONE, Bps, Fen, half_up
from cardstock.payouts import errors

Method: TypeAlias = Literal["labour", "platform"]


class Bracket(msgspec.Struct, frozen=True):
    """Taxable amounts up to and including `up_to` (None: no limit) pay `rate` of themselves, less `quick`."""

    up_to: Fen | None
    rate: Bps
    quick: Fen


class TaxTable(msgspec.Struct, frozen=True):
    """One tax method in one period of validity. `valid_until` is its last day; None: until further notice."""

    id: str
    method: Method
    valid_from: date
    valid_until: date | None
    source: str
    brackets: tuple[Bracket, ...]
    expense_rate: Bps
    """The part of the income that counts as its expense."""
    exempt: Fen
    """`labour`: the flat expense of small incomes. `platform`: the allowance of each consecutive month."""
    flat_until: Fen = 0
    """`labour` only: up to this income the flat expense applies, above it the rate."""


LABOUR_2019 = TaxTable(
    id="labour-2019",
    method="labour",
    valid_from=date(2019, 1, 1),
    valid_until=None,
    source="国家税务总局公告2018年第61号 (labour remuneration of residents, withholding table two)",
    brackets=(
        Bracket(2_000_000, 2_000, 0),
        Bracket(5_000_000, 3_000, 200_000),
        Bracket(None, 4_000, 700_000),
    ),
    expense_rate=2_000,
    exempt=80_000,
    flat_until=400_000,
)

PLATFORM_2025 = TaxTable(
    id="platform-2025",
    method="platform",
    valid_from=date(2025, 10, 1),
    valid_until=None,
    source="国家税务总局公告2025年第16号 (people earning on internet platforms, cumulative, withholding table one)",
    brackets=(
        Bracket(3_600_000, 300, 0),
        Bracket(14_400_000, 1_000, 252_000),
        Bracket(30_000_000, 2_000, 1_692_000),
        Bracket(42_000_000, 2_500, 3_192_000),
        Bracket(66_000_000, 3_000, 5_292_000),
        Bracket(96_000_000, 3_500, 8_592_000),
        Bracket(None, 4_500, 18_192_000),
    ),
    expense_rate=2_000,
    exempt=500_000,
)

TABLES = (LABOUR_2019, PLATFORM_2025)


class TaxToDate(msgspec.Struct, frozen=True):
    """What one person was paid, and what was withheld, up to and including one line. Both methods use it.

    `year` and `month` are those of the last income. `months` counts the consecutive months of income that end there;
    `income` and `withheld` belong to that run. `month_income` and `month_withheld` belong to the month alone.
    """

    year: int
    month: int
    months: int
    income: Fen
    withheld: Fen
    month_income: Fen
    month_withheld: Fen


class Assessment(msgspec.Struct, frozen=True):
    """The computation of the tax, in the terms of the withholding return. `taxable` is rounded for display; `due` is
    computed from the unrounded value and rounded once."""

    income: Fen
    expense: Fen
    allowance: Fen
    taxable: Fen
    rate: Bps
    quick: Fen
    due: Fen
    """Tax before subtracting what was already withheld."""


def table_for(method: str, month: date) -> TaxTable:
    """The table of `method` that holds on the first day of `month`.

    Raises RefusedError `TAX_TABLE_MISSING` if there is none: a payout with unknown tax is not sent.
    """
    for table in TABLES:
        ended = table.valid_until is not None and month > table.valid_until
        if table.method == method and table.valid_from <= month and not ended:
            return table
    raise errors.TAX_TABLE_MISSING(method=method, month=month.isoformat()[:7])


def withhold(
    table: TaxTable, month: date, gross: Fen, before: TaxToDate | None = None, *, carry_over_gap: bool = False
) -> tuple[Fen, TaxToDate]:
    """The tax of a line that pays out `gross` in `month`, and the person's figures after it.

    `before` are the figures after the person's last paid line. A month without income restarts the consecutive months
    and, unless `carry_over_gap`, income and tax to date; a new year restarts everything. The tax is never below zero
    and never above `gross`.
    """
    if gross < 0:
        raise ValueError("a line cannot pay out less than nothing")
    untaxed = counted(before, month, gross, 0, carry_over_gap=carry_over_gap)
    withheld = untaxed.month_withheld if table.method == "labour" else untaxed.withheld
    tax = min(max(assess(table, untaxed).due - withheld, 0), gross)
    return tax, counted(before, month, gross, tax, carry_over_gap=carry_over_gap)


def assess(table: TaxTable, figures: TaxToDate) -> Assessment:
    """The tax of a person's payments under `table`: of the month under `labour`, to date under `platform`."""
    if table.method == "labour":
        income, allowance = figures.month_income, 0
        flat = income <= table.flat_until
        expense = min(table.exempt, income) * BPS_ONE if flat else income * table.expense_rate
    else:
        income, allowance = figures.income, table.exempt * figures.months
        expense = income * table.expense_rate
    # In fen times BPS_ONE, so that a fraction of a fen is not rounded away before the rate applies.
    base = max((income - allowance) * BPS_ONE - expense, 0)
    bracket = next(one for one in table.brackets if one.up_to is None or base <= one.up_to * BPS_ONE)
    due = half_up(base * bracket.rate - bracket.quick * BPS_ONE * BPS_ONE, BPS_ONE * BPS_ONE)
    rounded = half_up(expense, BPS_ONE)
    return Assessment(
        income, rounded, allowance, max(income - rounded - allowance, 0), bracket.rate, bracket.quick, due
    )


def counted(before: TaxToDate | None, month: date, gross: Fen, tax: Fen, *, carry_over_gap: bool = False) -> TaxToDate:
    """A person's figures after `gross` was paid in `month`, of which `tax` was withheld.

    Lines of one month may be counted in any order. Raises ValueError for a month before that of `before`.
    """
    start = in_month(before, month, carry_over_gap=carry_over_gap)
    return replace(
        start,
        income=start.income + gross,
        withheld=start.withheld + tax,
        month_income=start.month_income + gross,
        month_withheld=start.month_withheld + tax,
    )


def in_month(before: TaxToDate | None, month: date, *, carry_over_gap: bool = False) -> TaxToDate:
    """The figures `before` as those of `month`, before anything more is paid in it.

    Raises ValueError for a month before that of `before`.
    """
    fresh = TaxToDate(month.year, month.month, 1, 0, 0, 0, 0)
    if before is None or before.year != month.year:
        return fresh
    if before.month == month.month:
        return before
    if before.month == month.month - 1:
        return replace(before, month=month.month, months=before.months + 1, month_income=0, month_withheld=0)
    if before.month > month.month:
        raise ValueError("the months of one person's payouts must not go backwards")
    return replace(fresh, income=before.income, withheld=before.withheld) if carry_over_gap else fresh
