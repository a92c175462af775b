"""Writing the quarter's file for the tax office, and telling a person what was withheld from him."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

from cardstock.clock import Clock
from cardstock.errors import NOT_FOUND
from cardstock.payouts.model import MAX_ATTEMPTS, Batch, Period, batch_id, named_file, transfer_number
from cardstock.payouts.ports import Files, Payees, Payouts, QuarterWriter, TaxFiles
from cardstock.payouts.tax.model import (
    Certificate,
    Quarter,
    TaxFile,
    TaxQuarter,
    Waiting,
    person_months,
    quarter_of,
)
from cardstock.payouts.tax.to_date import person_of

_LOOKED_BACK: Final = 60
"""Batches that are looked at for what is due: five years."""
_QUARTERS_LOOKED_AT: Final = 4
_QUARTERS_SHOWN: Final = 8


def certificate(member: str, year: int, *, brand: str, payouts: Payouts, payees: Payees, clock: Clock) -> Certificate:
    """What was withheld from the person behind a member in a year, over all members who are that person.

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
        # Of who was erased, what his payments had to keep.
        name=payee.name or next((month.name for month in reversed(months)), ""),
        id_number=payee.id_number or next((month.id_number for month in reversed(months)), ""),
        year=year,
        months=months,
        open_periods=tuple(
            sorted(batch.period.key for batch in batches if batch.id in wanted and batch.status != "settled")
        ),
    )


def write_due(
    now: datetime,
    *,
    brand: str,
    payouts: Payouts,
    tax_files: TaxFiles,
    files: Files,
    writers: Sequence[QuarterWriter],
) -> tuple[list[TaxFile], list[Waiting]]:
    """Write the file of every quarter of the last year that is over, settled and not written; what waits for payouts.

    Killed anywhere and repeated, it writes the same bytes. A quarter tells its year so far, so it needs every month of
    that since the brand's first payout: a month whose batch is missing is waited for, too.
    """
    made: list[TaxFile] = []
    waiting: list[Waiting] = []
    for quarter, batches in _due(now, payouts, {file.quarter for file in tax_files.page(limit=_QUARTERS_SHOWN)}):
        open_ones = tuple(one for one, batch in batches.items() if batch is None or batch.status != "settled")
        if open_ones:
            waiting.append(Waiting(quarter.key, open_ones))
            continue
        settled = [batch for batch in batches.values() if batch is not None]
        content = quarter_of(brand, quarter, settled, {batch.id: payouts.lines_of_batch(batch.id) for batch in settled})
        made.append(_write(content, now, tax_files=tax_files, files=files, writers=writers))
    return made, waiting


def quarters(now: datetime, *, payouts: Payouts, tax_files: TaxFiles) -> tuple[list[TaxFile], list[Waiting]]:
    """The last quarters that were written, newest first, and those that are over and wait for payouts."""
    written = tax_files.page(limit=_QUARTERS_SHOWN)
    waiting = []
    for quarter, batches in _due(now, payouts, {file.quarter for file in written}):
        open_ones = tuple(one for one, batch in batches.items() if batch is None or batch.status != "settled")
        if open_ones:
            waiting.append(Waiting(quarter.key, open_ones))
    return written, waiting


def _due(
    now: datetime, payouts: Payouts, written: Collection[str]
) -> Iterator[tuple[Quarter, dict[str, Batch | None]]]:
    """Quarters that are over and not written, each with the batches of its year so far, since the brand's first."""
    known = {batch.id: batch for batch in payouts.batch_page(_LOOKED_BACK, None)[0]}
    for quarter in _ended(now):
        wanted = [batch_id(period) for period in quarter.year_so_far if known and batch_id(period) >= min(known)]
        if wanted and wanted[-1] == batch_id(quarter.periods[-1]) and quarter.key not in written:
            yield quarter, {one: known.get(one) for one in wanted}


def _ended(now: datetime) -> list[Quarter]:
    """The last quarters that were over at `now`, oldest first."""
    found: list[Quarter] = []
    period = Period.before(now)
    quarter = Quarter.of(period)
    if quarter.periods[-1] != period:
        quarter = quarter.before
    while len(found) < _QUARTERS_LOOKED_AT:
        found.append(quarter)
        quarter = quarter.before
    return found[::-1]


def _write(
    content: TaxQuarter, now: datetime, *, tax_files: TaxFiles, files: Files, writers: Sequence[QuarterWriter]
) -> TaxFile:
    stored = []
    for write in writers:
        document = write(content)
        file = named_file(f"tax/{content.quarter.key}", document)
        files.put_once(file.key, document)
        stored.append(file)
    written = TaxFile(
        quarter=content.quarter.key,
        written_at=now,
        batches=tuple(batch.id for batch in content.batches),
        persons=len({month.person for month in content.months}),
        income=sum(month.income for month in content.months),
        tax=sum(month.tax for month in content.months),
        files=tuple(stored),
    )
    tax_files.add(written)
    return written
