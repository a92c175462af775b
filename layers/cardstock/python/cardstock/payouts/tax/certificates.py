"""What was withheld from a person in a year."""

from typing import Final

from cardstock import clock
from cardstock.errors import NOT_FOUND
from cardstock.payouts.lines import MAX_ATTEMPTS, transfer_number
from cardstock.payouts.model import taxed_within
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.ports import Payees, Payouts
from cardstock.payouts.tax.model import Certificate, YearSoFar, person_months
from cardstock.payouts.tax.to_date import person_of

_BATCHES_LOOKED_AT: Final = 36
"""Of the year and of the two before it: a batch is unfinished for two years at most."""


def certificate_of(member: str, year: int, brand: str, payouts: Payouts, payees: Payees) -> Certificate:
    """What was withheld in a year from the person behind a member, over all members of that person.

    One read per fifty batches of a member. Raises `NotFoundError` for a member that does not exist.
    """
    now = clock.now()
    known = payees([member], now)
    if member not in known:
        raise NOT_FOUND()
    january, december = Period(f"{year}-01"), Period(f"{year}-12")
    # `~` sorts right behind December's batch; the year after the last one that ids can name has no January.
    recent, _ = payouts.batch_page(_BATCHES_LOOKED_AT, f"{batch_id(december)}~")
    batches = [batch for batch in recent if taxed_within(batch, january, december, now)]
    keys = [
        (batch.id, transfer_number(one, batch.period, attempt))
        for batch in sorted(batches, key=lambda batch: batch.id)
        for one in person_of(member, known)
        for attempt in range(1, MAX_ATTEMPTS + 1)
    ]
    found = payouts.lines_at(keys) if keys else []
    lines = [line for line in found if line.gross and january <= line.taxed_in <= december]
    so_far = YearSoFar({batch.id for batch in batches if batch.rules.carry_over_gap})
    for line in lines:
        so_far.add(line)
    months = tuple(person_months(lines, year=so_far))
    payee = known[member]
    return Certificate(
        brand=brand,
        person=payee.person or next((month.person for month in reversed(months)), ""),
        # Erased members: use the name stored with the payment.
        name=payee.name or next((month.name for month in reversed(months)), ""),
        id_number=payee.id_number or next((month.id_number for month in reversed(months)), ""),
        year=year,
        months=months,
        open_periods=tuple(sorted(batch.period.key for batch in batches if batch.status != "settled")),
    )
