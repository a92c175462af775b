"""Applying answers to lines, and closing a batch whose three books agree."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from cardstock import clock
from cardstock.payouts.lines import IN_FLIGHT, Line
from cardstock.payouts.model import Batch, moved
from cardstock.payouts.needs import Pause, StepNeeds, chunks
from cardstock.payouts.ports import CHUNK
from cardstock.payouts.report.content import reconcile
from cardstock.payouts.reporting import read_books, write_report_of
from cardstock.payouts.transfer_answers import Answer, answered_all, has_final_answer

_DIFFERENCES_KEPT: Final = 50


def settle_answered(needs: StepNeeds, batch: Batch, _lines: Iterable[Line]) -> Batch | Pause:
    """Apply the answers; close the batch and write its report once every line is final and the three books agree.

    If the books differ, the batch keeps its stage and finance sees the differences in `books`.
    """
    if not _apply_answers(needs, batch):
        return "again"
    lines = list(needs.payouts.lines_of_batch(batch.id))
    if not all(line.final for line in lines):
        return "wait"
    read = read_books(batch, lines, needs.payouts, needs.ledger)
    books = reconcile(read.lines, read.bookings, read.answers)
    kept = replace(books, differences=books.differences[:_DIFFERENCES_KEPT])
    if not books.closes:
        if kept != batch.books:
            needs.payouts.replace_batch(replace(batch, books=kept))
        return "wait"
    # Not before the last answer, even if clocks differ: reports leave out answers after the closing.
    last = max((answer.received_at for said in read.answers.values() for answer in said), default=batch.opened_at)
    closed = needs.payouts.replace_batch(moved(batch, "closed", books=kept, closed_at=max(clock.now(), last)))
    return write_report_of(needs, closed, read)


def _apply_answers(needs: StepNeeds, batch: Batch) -> bool:
    """Apply the first final answer to each line in flight; return whether there was time for all.

    Every chunk gives lines an answer or makes them final, so a step that ran out of time leaves fewer to the next.
    """
    payouts = needs.payouts
    in_flight = [line for line in payouts.lines_of_batch(batch.id) if line.status in IN_FLIGHT]
    said = payouts.answers_of_batch(batch.id)
    confirmed = _confirmed_answers(batch, in_flight, said)
    for news in chunks(confirmed, CHUNK):
        if not needs.enough_time():
            return False
        payouts.record_answers(batch.id, news)
    if confirmed:
        # Somebody may have brought another result meanwhile: the first one that is stored is applied.
        said = payouts.answers_of_batch(batch.id)
    heard = ((line, answered_all(line, said.get(line.number, ()))) for line in in_flight)
    for chunk in chunks((after for before, after in heard if after != before), CHUNK):
        if not needs.enough_time():
            return False
        payouts.finish_lines(chunk)
    return True


def _confirmed_answers(batch: Batch, in_flight: Sequence[Line], said: Mapping[str, Sequence[Answer]]) -> list[Answer]:
    """Each line without a final answer as paid, once the whole bank file is confirmed; otherwise none."""
    if batch.stage != "confirmed" or batch.confirmed_at is None or batch.confirmed_by is None:
        return []
    return [
        Answer(line.number, "paid", batch.confirmed_at, batch.confirmed_by)
        for line in in_flight
        if not has_final_answer(said.get(line.number, ()))
    ]
