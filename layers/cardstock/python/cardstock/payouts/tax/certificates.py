"""What was withheld from a person in a year."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from cardstock import clock
from cardstock.errors import NOT_FOUND
from cardstock.payouts.lines import MAX_ATTEMPTS, Line, transfer_number
from cardstock.payouts.model import Batch, taxed_within
from cardstock.payouts.payees import Payee
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.ports import Payees, Payouts
from cardstock.payouts.tax.model import Certificate, OwnCertificate, PersonMonth, YearSoFar, person_months
from cardstock.payouts.tax.own import own_months
from cardstock.payouts.tax.to_date import person_of

_BATCHES_LOOKED_AT: Final = 36
"""Of the year and of the two before it: a batch is unfinished for two years at most."""


def certificate_of(member: str, year: int, brand: str, payouts: Payouts, payees: Payees) -> Certificate:
    """What was withheld in a year from the person behind a member, over all members of that person.

    One read per fifty batches of a member. Raises `NotFoundError` for a member that does not exist.
    """
    payee, known = _payee(member, payees)
    paid = _paid_in(year, person_of(member, known), payouts)
    so_far = YearSoFar({batch.id for batch in paid.batches if batch.rules.carry_over_gap})
    for line in paid.lines:
        so_far.add(line)
    return _certificate(brand, payee, year, paid, tuple(person_months(paid.lines, year=so_far)))


def own_certificate_of(member: str, year: int, brand: str, payouts: Payouts, payees: Payees) -> OwnCertificate:
    """What a member was paid in a year, and what was withheld from it: that member's payments alone, with those of
    siblings that the person has merged with it.

    An identity is verified by a name and a number, which others may know: so a member reads nothing of another account
    of the same person, unless both accounts have said that they are one. The figures of a month are computed from the
    payments that are shown; a month whose tax does not follow from them has none.
    Costs and raises like `certificate_of`; a member with siblings and a group takes one read more.
    """
    payee, _ = _payee(member, payees)
    others = payees(payee.siblings, clock.now()) if payee.group and payee.siblings else {}
    merged = tuple(sorted({member, *(each for each, one in others.items() if one.group == payee.group)}))
    paid = _paid_in(year, merged, payouts)
    carrying = {batch.id for batch in paid.batches if batch.rules.carry_over_gap}
    months = own_months(paid.lines, carrying)
    explained = _certificate(brand, payee, year, paid, tuple(month for month, _ in months))
    return OwnCertificate(explained, tuple(follows for _, follows in months))


class _Paid(msgspec.Struct, frozen=True):
    """Batches that may have lines of a year, and the sent lines of some members in it."""

    batches: list[Batch]
    lines: list[Line]


def _payee(member: str, payees: Payees) -> tuple[Payee, Mapping[str, Payee]]:
    known = payees([member], clock.now())
    if member not in known:
        raise NOT_FOUND()
    return known[member], known


def _paid_in(year: int, members: Sequence[str], payouts: Payouts) -> _Paid:
    january, december = Period(f"{year}-01"), Period(f"{year}-12")
    # `~` sorts right behind December's batch; the year after the last one that ids can name has no January.
    recent, _ = payouts.batch_page(_BATCHES_LOOKED_AT, f"{batch_id(december)}~")
    batches = [batch for batch in recent if taxed_within(batch, january, december, clock.now())]
    keys = [
        (batch.id, transfer_number(one, batch.period, attempt))
        for batch in sorted(batches, key=lambda batch: batch.id)
        for one in members
        for attempt in range(1, MAX_ATTEMPTS + 1)
    ]
    found = payouts.lines_at(keys) if keys else []
    return _Paid(batches, [line for line in found if line.gross and january <= line.taxed_in <= december])


def _certificate(brand: str, payee: Payee, year: int, paid: _Paid, months: tuple[PersonMonth, ...]) -> Certificate:
    return Certificate(
        brand=brand,
        person=payee.person or next((month.person for month in reversed(months)), ""),
        # Erased members: use the name stored with the payment.
        name=payee.name or next((month.name for month in reversed(months)), ""),
        id_number=payee.id_number or next((month.id_number for month in reversed(months)), ""),
        year=year,
        months=months,
        open_periods=tuple(sorted(batch.period.key for batch in paid.batches if batch.status != "settled")),
    )
