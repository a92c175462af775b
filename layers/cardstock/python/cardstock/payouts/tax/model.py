"""Payments to persons and the tax withheld: the quarter's file for the tax authority, and a person's certificate.

Everything follows from paid lines alone, so a repeat gives the same. A line counts in the month whose income it is
(`months.py`), whenever the bank answers.

Operators of internet platforms report who earns on them, and how much, within the month after each quarter: Provisions
on the reporting of tax-related information by internet platform enterprises (互联网平台企业涉税信息报送规定, State
Council order 810 of 2025, article 4), with identity (name, kind and number of the document, country, the platform's own
id of the person) and income by kind (total, refunds, net, number of transactions) as State Taxation Administration
announcement 2025 No. 15 lists them; what was filed in withholding returns need not be reported again. Withholding
itself follows announcements 2018 No. 61 and 2025 No. 16. Whether a brand has to report at all, and in which form, its
accountant confirms: these files are data, not a filing.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
from msgspec.structs import replace

from cardstock.money import Fen
from cardstock.payouts import errors
from cardstock.payouts.lines import Line, as_of
from cardstock.payouts.model import Batch, File, taxed_within
from cardstock.payouts.periods import Period
from cardstock.payouts.report.content import Control, control
from cardstock.payouts.tax.tables import TABLES, Assessment, Method, TaxTable, TaxToDate, assess, counted, in_month

_QUARTER = re.compile(r"20[0-9]{2}-Q[1-4]")
_TABLES = {table.id: table for table in TABLES}
_PAID = frozenset({"paid"})
_NEVER = datetime.fromtimestamp(0, UTC)


class Quarter(msgspec.Struct, frozen=True):
    """Three months of the brand, written `2026-Q4`."""

    key: str

    def __post_init__(self) -> None:
        if _QUARTER.fullmatch(self.key) is None:
            raise errors.PERIOD_INVALID(period=self.key)

    @property
    def before(self) -> "Quarter":
        """The quarter before it."""
        return Quarter.of(Period.before(self.periods[0].starts + timedelta(days=1)))

    @property
    def periods(self) -> tuple[Period, Period, Period]:
        """Its months."""
        year, number = self.key.split("-Q")
        first, second, third = (Period(f"{year}-{int(number) * 3 - back:02d}") for back in (2, 1, 0))
        return first, second, third

    @property
    def year_so_far(self) -> tuple[Period, ...]:
        """The months of its year from January to the quarter's last one."""
        last = self.periods[-1].month
        return tuple(Period(f"{last.year}-{month:02d}") for month in range(1, last.month + 1))

    @classmethod
    def of(cls, period: Period) -> "Quarter":
        """The quarter of a month."""
        return cls(f"{period.month.year}-Q{(period.month.month + 2) // 3}")


class PersonMonth(msgspec.Struct, frozen=True):
    """What one person was paid as income of one month, over all members of the person, and how its tax is computed."""

    person: str
    name: str
    id_number: str
    """Masked."""
    period: str
    """The month whose income it is."""
    members: tuple[str, ...]
    transfers: tuple[str, ...]
    income: Fen
    tax: Fen
    net: Fen
    table: TaxTable
    figures: TaxToDate
    assessment: Assessment


class PersonYear(msgspec.Struct, frozen=True):
    """What one person was paid and what was withheld, from January to the end of a quarter."""

    person: str
    name: str
    id_number: str
    months: int
    transfers: int
    income: Fen
    tax: Fen
    net: Fen


class Certificate(msgspec.Struct, frozen=True):
    """The data of a withholding certificate of one person and year."""

    brand: str
    person: str
    name: str
    id_number: str
    year: int
    months: tuple[PersonMonth, ...]
    open_periods: tuple[str, ...]
    """Months of the year whose batch is not settled; their lines may be missing here."""

    @property
    def income(self) -> Fen:
        return sum(month.income for month in self.months)

    @property
    def tax(self) -> Fen:
        return sum(month.tax for month in self.months)


class OwnCertificate(msgspec.Struct, frozen=True):
    """The part of a certificate that a member may read: the own payments. `follows` says of each month whether its tax
    follows from them alone."""

    certificate: Certificate
    follows: tuple[bool, ...]


class CorrectedPayment(msgspec.Struct, frozen=True):
    """A payment of an earlier quarter that was corrected after that quarter's file. `income` and `tax` are what it adds
    to the month (below zero: takes out of it)."""

    person: str
    name: str
    id_number: str
    period: str
    number: str
    income: Fen
    tax: Fen
    net: Fen
    at: datetime


class TaxQuarter(msgspec.Struct, frozen=True):
    """The content of a quarter's file. `closed_at`, when the last of its batches was closed, is its date."""

    brand: str
    quarter: Quarter
    batches: tuple[Batch, ...]
    months: tuple[PersonMonth, ...]
    years: tuple[PersonYear, ...]
    """Every person paid in the year so far, in this quarter or before."""
    closed_at: datetime
    controls: tuple[Control, ...]
    corrections: tuple[CorrectedPayment, ...] = ()
    """Of earlier quarters, since the file before."""

    @property
    def tables(self) -> tuple[TaxTable, ...]:
        """The tax tables used, in order of their first use."""
        return tuple({month.table.id: month.table for month in self.months}.values())


class TaxFile(msgspec.Struct, frozen=True):
    """A quarter whose file was written, and its sums."""

    quarter: str
    written_at: datetime
    batches: tuple[str, ...]
    persons: int
    income: Fen
    tax: Fen
    files: tuple[File, ...]


class UnwrittenQuarter(msgspec.Struct, frozen=True):
    """A quarter that is over but cannot be written yet, and the payouts that are not settled."""

    quarter: str
    payouts: tuple[str, ...]


class YearSoFar:
    """What persons were paid in each month of a year. `carrying` are the batches whose brand carries figures over a
    gap."""

    def __init__(self, carrying: Collection[str]) -> None:
        self._carrying = carrying
        self._paid: dict[tuple[str, Method], dict[date, tuple[Fen, Fen]]] = {}
        self._corrected: set[str] = set()

    def add(self, line: Line) -> None:
        """Count a line of the year, paid or not."""
        person = line.person or line.member
        if line.corrections:
            self._corrected.add(person)
        if line.status in _PAID:
            months = self._paid.setdefault((person, _TABLES[line.tax_table].method), {})
            gross, tax = months.get(line.taxed_in.month, (0, 0))
            months[line.taxed_in.month] = (gross + line.gross, tax + line.tax)

    def figures_after(self, person: str, line: Line) -> TaxToDate | None:
        """The figures after a paid line's month of a person of whom a payment was corrected: what lines say of earlier
        months was right before the correction. None for anybody else, and under a monthly method."""
        method = _TABLES[line.tax_table].method
        if person not in self._corrected or method != "platform":
            return None
        months = self._paid[person, method]
        paid = ((month, *months[month]) for month in months if month <= line.taxed_in.month)
        return folded(paid, carry_over_gap=line.batch in self._carrying)


def person_months(lines: Iterable[Line], *, whole: bool = True, year: YearSoFar | None = None) -> list[PersonMonth]:
    """Paid lines summed by person and month, in that order. `year` has all lines of the year up to these."""
    grouped: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if line.status == "paid":
            grouped.setdefault((line.person or line.member, line.taxed_in.key), []).append(line)
    return [_person_month(*key, grouped[key], whole=whole, year=year) for key in sorted(grouped)]


def corrected_payments(
    lines: Iterable[Line], before: str, since: datetime | None, until: datetime
) -> Iterator[CorrectedPayment]:
    """The corrections in `since` <= time < `until` of lines of months before `before`."""
    for line in lines:
        for one in line.corrections:
            if line.taxed_in.key < before and (since is None or since <= one.at) and one.at < until:
                sign = 1 if one.after == "paid" else -1
                yield CorrectedPayment(
                    person=line.person or line.member,
                    name=line.name,
                    id_number=line.id_number,
                    period=line.taxed_in.key,
                    number=line.number,
                    income=sign * line.gross,
                    tax=sign * line.tax,
                    net=sign * line.net,
                    at=one.at,
                )


def person_years(lines: Iterable[Line]) -> list[PersonYear]:
    """Paid lines of one year summed by person; `lines` must be in the order of their months."""
    found: dict[str, PersonYear] = {}
    seen: set[tuple[str, str]] = set()
    for line in lines:
        if line.status != "paid":
            continue
        person = line.person or line.member
        known = found.get(person) or PersonYear(person, "", "", 0, 0, 0, 0, 0)
        new = (person, line.taxed_in.key) not in seen
        seen.add((person, line.taxed_in.key))
        found[person] = PersonYear(
            person=person,
            name=line.name,
            id_number=line.id_number,
            months=known.months + new,
            transfers=known.transfers + 1,
            income=known.income + line.gross,
            tax=known.tax + line.tax,
            net=known.net + line.net,
        )
    return [found[person] for person in sorted(found)]


def _person_month(
    person: str, period: str, lines: Sequence[Line], *, whole: bool, year: YearSoFar | None
) -> PersonMonth:
    own = sorted(lines, key=lambda line: line.number)
    latest = max(own, key=lambda line: (line.sent_at or _NEVER, line.number))
    table = _TABLES[own[0].tax_table]
    figures = None if year is None else year.figures_after(person, latest)
    figures = figures or month_of(own, _PAID, whole=whole)
    if figures is None:
        raise ValueError("a month in which nothing was paid is none")
    return PersonMonth(
        person=person,
        name=latest.name,
        id_number=latest.id_number,
        period=period,
        members=tuple(sorted({line.member for line in own})),
        transfers=tuple(line.number for line in own),
        income=sum(line.gross for line in own),
        tax=sum(line.tax for line in own),
        net=sum(line.net for line in own),
        table=table,
        figures=figures,
        assessment=assess(table, figures),
    )


def month_of(lines: Iterable[Line], counting: Collection[str], *, whole: bool = True) -> TaxToDate | None:
    """A person's tax figures after those lines of one month that have a status of `counting`; None without any.

    `whole`: `lines` has all of that month; else what was paid before the first of them counts too.
    """
    own = [line for line in lines if line.status in counting]
    if not own:
        return None
    month = own[0].taxed_in.month
    # A later batch's lines begin where an earlier one of the same month has ended: the least is the month's start.
    figures = min((in_month(line.before, month) for line in own), key=lambda start: start.month_income)
    if whole:  # What the month had paid by then is among `own`, or was corrected since.
        income, withheld = figures.income - figures.month_income, figures.withheld - figures.month_withheld
        figures = replace(figures, income=income, withheld=withheld, month_income=0, month_withheld=0)
    for line in own:
        figures = counted(figures, month, line.gross, line.tax)
    return figures


def folded(paid: Iterable[tuple[date, Fen, Fen]], *, carry_over_gap: bool) -> TaxToDate | None:
    """A person's tax figures after what was paid in these months, with the tax of it; None without any."""
    figures: TaxToDate | None = None
    for month, gross, tax in sorted(paid):
        figures = counted(figures, month, gross, tax, carry_over_gap=carry_over_gap)
    return figures


def quarter_of(
    brand: str, quarter: Quarter, batches: Sequence[Batch], lines: Mapping[str, Iterable[Line]]
) -> TaxQuarter:
    """The content of a quarter's file from the batches that may have lines of its year so far. The order of the batches
    does not matter.

    Raises ValueError for a batch that is not settled.
    """
    ordered = sorted(batches, key=lambda batch: batch.id)
    closed = [batch.closed_at for batch in ordered if batch.status == "settled" and batch.closed_at is not None]
    if len(closed) != len(ordered) or not closed:
        raise ValueError("a quarter that is not settled has no file")
    months, year_so_far = set(quarter.periods), set(quarter.year_so_far)
    first, _, last = quarter.periods
    paid: list[Line] = []
    year = YearSoFar({batch.id for batch in ordered if batch.rules.carry_over_gap})

    def one_after_the_other() -> Iterator[Line]:
        for batch in ordered:
            # Later corrections are for the next file: a repeat writes the same.
            ended = (as_of(line, max(closed)) for line in lines[batch.id])
            found = [line for line in ended if line.gross and line.taxed_in in year_so_far]
            for line in sorted(found, key=lambda line: (line.taxed_in, line.number)):
                year.add(line)
                if line.status != "paid":
                    continue
                if line.taxed_in in months:
                    paid.append(line)
                yield line

    years = person_years(one_after_the_other())  # streamed: earlier months are not kept in memory
    return TaxQuarter(
        brand=brand,
        quarter=quarter,
        batches=tuple(batch for batch in ordered if taxed_within(batch, first, last, max(closed))),
        months=tuple(person_months(paid, year=year)),
        years=tuple(years),
        closed_at=max(closed),
        controls=(
            control("income", paid, sum(line.gross for line in paid)),
            control("tax", taxed := [line for line in paid if line.tax], sum(line.tax for line in taxed)),
        ),
    )
