"""What was withheld from a person in a year."""

from cardstock import clock
from cardstock.errors import NOT_FOUND
from cardstock.payouts.model import MAX_ATTEMPTS, Period, batch_id, transfer_number
from cardstock.payouts.ports import Payees, Payouts
from cardstock.payouts.tax.model import Certificate, person_months
from cardstock.payouts.tax.to_date import person_of


def certificate_of(member: str, year: int, brand: str, payouts: Payouts, payees: Payees) -> Certificate:
    """What was withheld in a year from the person behind a member, over all members of that person.

    One read per fifty months of a member. Raises `NotFoundError` for a member that does not exist.
    """
    known = payees([member], clock.now())
    if member not in known:
        raise NOT_FOUND()
    periods = [Period(f"{year}-{month:02d}") for month in range(1, 13)]
    keys = [
        (batch_id(period), transfer_number(one, period, attempt))
        for period in periods
        for one in person_of(member, known)
        for attempt in range(1, MAX_ATTEMPTS + 1)
    ]
    months = tuple(person_months(payouts.lines_at(keys)))
    wanted = {batch_id(period) for period in periods}
    # `~` sorts right behind December's batch; the year after the last one that ids can name has no January.
    batches, _ = payouts.batch_page(len(periods), f"{batch_id(periods[-1])}~")
    payee = known[member]
    return Certificate(
        brand=brand,
        person=payee.person or next((month.person for month in reversed(months)), ""),
        # Erased members: use the name stored with the payment.
        name=payee.name or next((month.name for month in reversed(months)), ""),
        id_number=payee.id_number or next((month.id_number for month in reversed(months)), ""),
        year=year,
        months=months,
        open_periods=tuple(
            sorted(batch.period.key for batch in batches if batch.id in wanted and batch.status != "settled")
        ),
    )
