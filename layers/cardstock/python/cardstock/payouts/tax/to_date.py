"""A person's tax figures before a line, over all members of the person.

Only amounts that were paid in the end count: a failed transfer is removed as soon as its failure is known, in whatever
month or year. A transfer in flight counts until then, and raises the tax base of later lines.

Two lines of one person in one batch are never sized at once. The first pending line by attempt and member goes; the
others wait until it is sent or dropped. No lock is needed, however many steps run. Lines of two batches are not sized
at once either: whoever has a line that is not final is not listed in a later batch.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from cardstock.payouts.lines import MAX_ATTEMPTS, Line, transfer_number
from cardstock.payouts.model import Batch
from cardstock.payouts.payees import Payee
from cardstock.payouts.periods import Period
from cardstock.payouts.tax.model import folded, month_of
from cardstock.payouts.tax.months import TaxedMonth
from cardstock.payouts.tax.tables import TABLES, TaxToDate, counted

COUNTS: Final = frozenset({"sent", "waiting_user", "paid"})
Person = tuple[str, ...]
"""The members of one person, sorted."""


class Lines(Protocol):
    """Where lines are read."""

    def find_lines(self, batch_id: str, numbers: Iterable[str]) -> Mapping[str, Line]:
        """The lines of these numbers that the batch has."""


class FiguresBefore(msgspec.Struct, frozen=True):
    """A person's figures before a line; None without income in the months that count."""

    batch: TaxToDate | None
    """Before every line of the batch."""
    line: TaxToDate | None
    """Before this line, with the person's other lines of the batch."""


NOTHING: Final = FiguresBefore(None, None)


def figures_before(
    taxed: TaxedMonth, lines: Sequence[Line], known: Mapping[str, Payee], payouts: Lines
) -> tuple[dict[str, FiguresBefore], set[str]]:
    """By number, the figures of each line's person before it; and the numbers that wait for another line of the person.

    Costs no read under a monthly method unless a payee has more than one member, or another batch has lines of the
    month. Numbers of other lines follow from member and batch, so they are read by key: those of the month, under the
    cumulative method of the month before, and of earlier months only if the brand carries figures over a gap.
    """
    persons = {line.member: person_of(line.member, known) for line in lines}
    month = _Months(taxed, payouts)
    earlier = month.before_batch(set(persons.values()))
    others = month.own_lines({person for person in persons.values() if len(person) > 1})
    before: dict[str, FiguresBefore] = {}
    waiting: set[str] = set()
    for line in lines:
        person = persons[line.member]
        of_batch = so_far = earlier.get(person)
        for other in others.get(person, ()):
            if other.number == line.number:
                continue
            if other.status == "pending" and (other.attempt, other.member) < (line.attempt, line.member):
                waiting.add(line.number)
            if other.status in COUNTS and other.taxed_in == taxed.month:
                so_far = month.counted(other, so_far)
        if so_far is not None:
            before[line.number] = FiguresBefore(of_batch, so_far)
    return before, waiting


def person_of(member: str, known: Mapping[str, Payee]) -> Person:
    """All members of the person behind `member`, with `member` itself."""
    payee = known.get(member)
    return tuple(sorted({member, *(payee.siblings if payee is not None else ())}))


class _Months:
    """Reads the lines of persons month by month."""

    def __init__(self, taxed: TaxedMonth, payouts: Lines) -> None:
        self._taxed = taxed
        self._payouts = payouts
        self._carry = taxed.batch.rules.carry_over_gap
        self._same = {table.id for table in TABLES if table.method == taxed.batch.rules.tax_method}

    def before_batch(self, persons: set[Person]) -> dict[Person, TaxToDate]:
        """Each person's figures before every line of the batch."""
        found = self._earlier_months(persons) if self._taxed.batch.rules.tax_method == "platform" else {}
        month = self._taxed.month
        for batch in sorted(self._taxed.with_lines_in(month), key=lambda batch: batch.id):
            for person, lines in self._read(batch, persons).items():
                for line in lines:
                    if line.status in COUNTS and line.taxed_in == month and line.tax_table in self._same:
                        found[person] = self.counted(line, found.get(person))
        return found

    def own_lines(self, persons: set[Person]) -> dict[Person, list[Line]]:
        """Each person's lines in the batch itself."""
        return self._read(self._taxed.batch, persons) if persons else {}

    def counted(self, line: Line, so_far: TaxToDate | None) -> TaxToDate:
        """The figures with a line of the month."""
        return counted(so_far, self._taxed.month.month, line.gross, line.tax, carry_over_gap=self._carry)

    def _earlier_months(self, persons: set[Person]) -> dict[Person, TaxToDate]:
        taxed = self._taxed
        corrected = {person for person in persons if not taxed.corrected.isdisjoint(person)}
        found = self._fold(corrected)
        year = taxed.month.month.year
        for number in range(taxed.month.month.month - 1, 0, -1):
            missing = persons - corrected - found.keys()
            if not missing:
                break
            month = Period(f"{year}-{number:02d}")
            lines: dict[Person, list[Line]] = {}
            for batch in (*taxed.with_lines_in(month), *self._own_batch_in(month)):
                for person, own in self._read(batch, missing).items():
                    lines.setdefault(person, []).extend(
                        line for line in own if line.taxed_in == month and line.tax_table in self._same
                    )
            for person, own in lines.items():
                figures = month_of(own, COUNTS)
                if figures is not None:
                    found[person] = figures
            if not self._carry:
                break
        return found

    def _fold(self, persons: set[Person]) -> dict[Person, TaxToDate]:
        """The figures of persons of whom a payment was corrected, from all lines of the year: what later lines say of
        earlier months was right before the correction. One read for each batch of the year."""
        lines: dict[Person, list[Line]] = {}
        for batch in (*self._taxed.others, self._taxed.batch) if persons else ():
            for person, own in self._read(batch, persons).items():
                lines.setdefault(person, []).extend(line for line in own if self._counts_earlier(line))
        found: dict[Person, TaxToDate] = {}
        month = self._taxed.month.month.month
        for person, own in lines.items():
            paid = ((line.taxed_in.month, line.gross, line.tax) for line in own)
            figures = folded(paid, carry_over_gap=self._carry)
            if figures is not None and (self._carry or figures.month == month - 1):
                found[person] = figures
        return found

    def _counts_earlier(self, line: Line) -> bool:
        """Whether a line counts as income of an earlier month of the year."""
        month = self._taxed.month
        return (
            line.status in COUNTS
            and line.tax_table in self._same
            and line.taxed_in < month
            and line.taxed_in.month.year == month.month.year
        )

    def _own_batch_in(self, month: Period) -> Sequence[Batch]:
        """The batch itself, if some of its lines may have been sent in an earlier month."""
        batch = self._taxed.batch
        return (batch,) if batch.rules.tax_month == "paid" and Period.of(batch.opened_at) <= month else ()

    def _read(self, batch: Batch, persons: Iterable[Person]) -> dict[Person, list[Line]]:
        numbers = {
            transfer_number(member, batch.period, attempt): person
            for person in persons
            for member in person
            for attempt in range(1, MAX_ATTEMPTS + 1)
        }
        lines: dict[Person, list[Line]] = {}
        for number, line in sorted(self._payouts.find_lines(batch.id, numbers).items()):
            lines.setdefault(numbers[number], []).append(line)
        return lines
