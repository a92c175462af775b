"""The draft report of a listed batch: what it would pay if it were sent now, for whoever approves it.

The forecast is made by the code that sends (`sizing.py`, `tax/to_date.py`), and stores nothing: what is sized is kept
in memory, so that a person's next line is taxed after it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from cardstock.payouts.lines import Line
from cardstock.payouts.model import Batch, File, draft_file
from cardstock.payouts.needs import StepNeeds, chunks
from cardstock.payouts.payees import Payee
from cardstock.payouts.report.draft import Draft, Forecast, LastPayout, assemble_draft
from cardstock.payouts.sizing import LineSizing
from cardstock.payouts.targets import find_payees
from cardstock.payouts.tax.months import TaxedMonth, taxed_month
from cardstock.payouts.tax.to_date import Lines, figures_before

_READ_AT_ONCE: Final = 99


def write_draft(needs: StepNeeds, batch: Batch) -> tuple[File, ...]:
    """Write each file of the draft, and return them. A repeat with the same facts writes the same bytes."""
    draft = draft_of(needs, batch)
    files = []
    for write in needs.draft_writers():
        document = write(draft)
        file = draft_file(batch, document)
        needs.files.put_once(file.key, document)
        files.append(file)
    return tuple(files)


def draft_of(needs: StepNeeds, batch: Batch) -> Draft:
    """The draft of a listed batch, as of its listing. It only reads."""
    if batch.listed_at is None:
        raise ValueError(f"{batch.id} is not listed")
    lines = list(needs.payouts.lines_of_batch(batch.id))
    taxed = taxed_month(batch, batch.listed_at, needs.payouts)
    listed = {line.member for line in lines}
    return assemble_draft(
        brand=needs.brand,
        batch=batch,
        taxed=taxed.month.key,
        table=taxed.table,
        forecasts=_forecasts(needs, taxed, lines),
        last=_last_payout(needs, batch),
        left_out=[one for one in needs.payouts.left_out_of_batch(batch.id) if one.member not in listed],
        contradictions=needs.contradictions(),
    )


def _forecasts(needs: StepNeeds, taxed: TaxedMonth, lines: Sequence[Line]) -> Iterator[Forecast]:
    """Each line as it would be sent or dropped. Lines of one person follow each other, as they do when they are
    sent."""
    channel = needs.channel(taxed.batch.rules.channel)
    decided = _Decided(needs.payouts)
    waiting = lines
    while waiting:
        left: list[Line] = []
        for read in chunks(waiting, _READ_AT_ONCE):
            members = [line.member for line in read]
            known = find_payees(
                taxed.batch, members, taxed.now, payees=needs.payees, bank_targets=needs.bank_targets
            )  # fmt: skip
            before, wait = figures_before(taxed, read, known, decided)
            sizing = LineSizing(taxed, channel, known, before)
            now = [line for line in read if line.number not in wait]
            sized = [sizing.sized[line.number] for line in now if sizing.size(line, line.limit)]
            done = [*sized, *sizing.take_dropped()]
            decided.add(done, known)
            left += [line for line in read if line.number in wait]
            yield from _told(needs, taxed.now, done, known)
        waiting = left


def _told(needs: StepNeeds, now: datetime, lines: Sequence[Line], known: Mapping[str, Payee]) -> Iterator[Forecast]:
    members = [line.member for line in lines]
    if not members:
        return
    changes, paid = needs.open_changes(members, now), needs.ledger.paid_before(members)
    for line in lines:
        payee = known.get(line.member)
        yield Forecast(line, payee, changes.get(line.member), new=line.member not in paid)


def _last_payout(needs: StepNeeds, batch: Batch) -> LastPayout | None:
    """What the payout before this one paid, by member."""
    found, _ = needs.payouts.batch_page(1, batch.id)
    if not found:
        return None
    paid: dict[str, Line] = {}
    for line in needs.payouts.lines_of_batch(found[0].id):
        if line.status == "paid":
            paid[line.member] = line
    return LastPayout(found[0].id, paid)


class _Decided:
    """The lines of a batch as they would be after sending; nothing is stored."""

    def __init__(self, stored: Lines) -> None:
        self._stored = stored
        self._lines: dict[str, Line] = {}

    def add(self, lines: Iterable[Line], known: Mapping[str, Payee]) -> None:
        """Keep the lines of persons who have several members; no other line is asked for."""
        for line in lines:
            payee = known.get(line.member)
            if payee is not None and payee.siblings:
                self._lines[line.number] = line

    def find_lines(self, batch_id: str, numbers: Iterable[str]) -> Mapping[str, Line]:
        found = dict(self._stored.find_lines(batch_id, numbers))
        return {number: self._lines.get(number, line) for number, line in found.items()}
