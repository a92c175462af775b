"""A person's tax figures before a line, over all members of the person.

Only amounts that were paid in the end count: a failed transfer is removed as soon as its failure is known, in whatever
month or year. A transfer in flight counts until then, and raises the tax base of later lines.

Two lines of one person in one batch are never sized at once. The first pending line by attempt and member goes; the
others wait until it is final. No lock is needed, however many steps run.
"""

from collections.abc import Mapping, Sequence

from cardstock.payouts.model import MAX_ATTEMPTS, Batch, Line, Payee, Period, batch_id, transfer_number
from cardstock.payouts.ports import Payouts
from cardstock.payouts.tax.model import month_of
from cardstock.payouts.tax.tables import TABLES, TaxToDate, counted

_COUNTS = frozenset({"sent", "waiting_user", "paid"})
Person = tuple[str, ...]
"""The members of one person, sorted."""


def figures_before(
    batch: Batch, lines: Sequence[Line], known: Mapping[str, Payee], payouts: Payouts
) -> tuple[dict[str, TaxToDate], set[str]]:
    """By number, the figures of each line's person before it; and the numbers that wait for another line of the person.

    Costs no read under a monthly method unless a payee has more than one member. Otherwise numbers of other lines
    follow from member and month, so they are read by key: the month before, and earlier months only if the brand
    carries figures over a gap.
    """
    persons = {line.member: person_of(line.member, known) for line in lines}
    earlier = _earlier_months(batch, set(persons.values()), payouts) if batch.rules.tax_method == "platform" else {}
    others = _same_month(batch, {person for person in persons.values() if len(person) > 1}, payouts)
    before: dict[str, TaxToDate] = {}
    waiting: set[str] = set()
    for line in lines:
        person = persons[line.member]
        so_far = earlier.get(person)
        for other in others.get(person, ()):
            if other.number == line.number:
                continue
            if other.status == "pending" and (other.attempt, other.member) < (line.attempt, line.member):
                waiting.add(line.number)
            if other.status in _COUNTS:
                so_far = _with(other, so_far, batch)
        if so_far is not None:
            before[line.number] = so_far
    return before, waiting


def person_of(member: str, known: Mapping[str, Payee]) -> Person:
    """All members of the person behind `member`, with `member` itself."""
    payee = known.get(member)
    return tuple(sorted({member, *(payee.siblings if payee is not None else ())}))


def _earlier_months(batch: Batch, persons: set[Person], payouts: Payouts) -> dict[Person, TaxToDate]:
    found: dict[Person, TaxToDate] = {}
    month, carry_over_gap = batch.period.month, batch.rules.carry_over_gap
    same = {table.id for table in TABLES if table.method == batch.rules.tax_method}
    for earlier in range(month.month - 1, 0, -1):
        missing = persons - found.keys()
        if not missing:
            break
        lines = _lines(Period(f"{month.year}-{earlier:02d}"), missing, payouts)
        for person, own in lines.items():
            figures = month_of(line for line in own if line.tax_table in same)
            if figures is not None:
                found[person] = figures
        if not carry_over_gap:
            break
    return found


def _same_month(batch: Batch, persons: set[Person], payouts: Payouts) -> dict[Person, list[Line]]:
    return _lines(batch.period, persons, payouts) if persons else {}


def _lines(period: Period, persons: set[Person], payouts: Payouts) -> dict[Person, list[Line]]:
    numbers = {
        transfer_number(member, period, attempt): person
        for person in persons
        for member in person
        for attempt in range(1, MAX_ATTEMPTS + 1)
    }
    lines: dict[Person, list[Line]] = {}
    for number, line in sorted(payouts.find_lines(batch_id(period), numbers).items()):
        lines.setdefault(numbers[number], []).append(line)
    return lines


def _with(other: Line, so_far: TaxToDate | None, batch: Batch) -> TaxToDate:
    return counted(so_far, batch.period.month, other.gross, other.tax, carry_over_gap=batch.rules.carry_over_gap)
