"""Writing each quarter's file for the tax authority, once all its payouts are settled."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock.payouts.model import Batch, named_file, taxed_within
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.ports import Files, Payouts, QuarterWriter, TaxFiles
from cardstock.payouts.tax.model import (
    CorrectedPayment,
    Quarter,
    TaxFile,
    TaxQuarter,
    UnwrittenQuarter,
    corrected_payments,
    quarter_of,
)

_LOOKED_BACK: Final = 60
"""How many recent batches are searched for due quarters: five years."""
_QUARTERS_LOOKED_AT: Final = 4
_QUARTERS_SHOWN: Final = 8


class QuarterNeeds(msgspec.Struct, frozen=True):
    """The ports for writing quarters."""

    brand: str
    payouts: Payouts
    tax_files: TaxFiles
    files: Files
    writers: Sequence[QuarterWriter]


def write_due_quarters(needs: QuarterNeeds, now: datetime) -> tuple[list[TaxFile], list[UnwrittenQuarter]]:
    """Write the file of every quarter of the last year that is over, settled and not written; return also those that
    wait.

    Killed anywhere and repeated, it writes the same bytes. A quarter's file has the year so far, so it needs every
    batch that may have lines of it: a month without a batch, since the brand's first one, must be paid out first.
    """
    payouts = needs.payouts
    written = {file.quarter for file in needs.tax_files.newest_tax_files(limit=_QUARTERS_SHOWN)}
    made: list[TaxFile] = []
    waiting: list[UnwrittenQuarter] = []
    for quarter, batches in _due(now, payouts, written):
        open_ones = tuple(one for one, batch in batches.items() if batch is None or batch.status != "settled")
        if open_ones:
            waiting.append(UnwrittenQuarter(quarter.key, open_ones))
            continue
        settled = [batch for batch in batches.values() if batch is not None]
        lines = {batch.id: payouts.lines_of_batch(batch.id) for batch in settled}
        content = quarter_of(needs.brand, quarter, settled, lines)
        content = replace(content, corrections=_corrections(needs, content))
        made.append(_write(needs, content, now))
    return made, waiting


def newest_quarters(
    now: datetime, payouts: Payouts, tax_files: TaxFiles
) -> tuple[list[TaxFile], list[UnwrittenQuarter]]:
    """The last written quarters, newest first, and the ended ones that wait for payouts."""
    written = tax_files.newest_tax_files(limit=_QUARTERS_SHOWN)
    waiting = []
    for quarter, batches in _due(now, payouts, {file.quarter for file in written}):
        open_ones = tuple(one for one, batch in batches.items() if batch is None or batch.status != "settled")
        if open_ones:
            waiting.append(UnwrittenQuarter(quarter.key, open_ones))
    return written, waiting


def _due(
    now: datetime, payouts: Payouts, written: Collection[str]
) -> Iterator[tuple[Quarter, dict[str, Batch | None]]]:
    """Quarters that are over and not written, each with the batches that may have lines of its year so far.

    A month without a batch since the brand's first one may have such lines too, until its batch says otherwise.
    """
    known = {batch.id: batch for batch in payouts.batch_page(_LOOKED_BACK, None)[0]}
    for quarter in _ended(now):
        last = quarter.periods[-1]
        if quarter.key in written or not known or batch_id(last) < min(known):
            continue
        months = {batch_id(period) for period in quarter.year_so_far if batch_id(period) >= min(known)}
        wanted: dict[str, Batch | None] = dict.fromkeys(sorted(months - known.keys()))
        for batch in known.values():
            if taxed_within(batch, quarter.year_so_far[0], last, now):
                wanted[batch.id] = batch
        if wanted:
            yield quarter, dict(sorted(wanted.items()))


def _corrections(needs: QuarterNeeds, content: TaxQuarter) -> tuple[CorrectedPayment, ...]:
    """The corrections of earlier months since the file before was closed. Later ones are for the next file."""
    key, first = content.quarter.key, content.quarter.periods[0].key
    files = needs.tax_files.newest_tax_files(limit=_QUARTERS_SHOWN)
    before = next((file for file in files if file.quarter < key), None)
    known, _ = needs.payouts.batch_page(_LOOKED_BACK, None)
    ends = (batch.closed_at for batch in known if before is not None and batch.id in before.batches)
    since = max((end for end in ends if end is not None), default=None)
    lines = needs.payouts.corrected_lines(since, content.closed_at)
    return tuple(corrected_payments(sorted(lines, key=lambda line: line.number), first, since, content.closed_at))


def _ended(now: datetime) -> list[Quarter]:
    """The last quarters that had ended at `now`, oldest first."""
    found: list[Quarter] = []
    period = Period.before(now)
    quarter = Quarter.of(period)
    if quarter.periods[-1] != period:
        quarter = quarter.before
    while len(found) < _QUARTERS_LOOKED_AT:
        found.append(quarter)
        quarter = quarter.before
    return found[::-1]


def _write(needs: QuarterNeeds, content: TaxQuarter, now: datetime) -> TaxFile:
    stored = []
    for write in needs.writers:
        document = write(content)
        file = named_file(f"tax/{content.quarter.key}", document)
        needs.files.put_once(file.key, document)
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
    needs.tax_files.add_tax_file(written)
    return written
