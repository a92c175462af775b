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
from cardstock.payouts.retrying import RETRY_TIME, any_can_be_retried, first_final, is_newest, retries_are_over
from cardstock.payouts.transfer_answers import Answer, answered_all, has_final_answer

_DIFFERENCES_KEPT: Final = 50


def settle_answered(needs: StepNeeds, batch: Batch, _lines: Iterable[Line]) -> Batch | Pause:
    """Apply the answers; close the batch and write its report once every line is final, the three books agree, and no
    line can be retried any more.

    Until then the batch keeps its stage. Finance sees in `books` what differs, and in `retry_until` how long a failed
    line can be retried.
    """
    if not _apply_answers(needs, batch):
        return "again"
    lines = list(needs.payouts.lines_of_batch(batch.id))
    if not all(line.final for line in lines):
        return "wait"
    now = clock.now()
    if _has_waited(batch, lines) and not retries_are_over(batch, now) and is_newest(batch, needs.payouts):
        return "wait"
    read = read_books(batch, lines, needs.payouts, needs.ledger)
    books = reconcile(read.lines, read.bookings, read.answers)
    compared = replace(batch, books=replace(books, differences=books.differences[:_DIFFERENCES_KEPT]))
    retriable = any_can_be_retried(batch, read.lines, read.answers)
    if retriable and batch.retry_until is None:
        compared = replace(compared, retry_until=first_final(lines) + RETRY_TIME)
    waits = retriable and not retries_are_over(compared, now)
    if not books.closes or (waits and is_newest(batch, needs.payouts)):
        if compared != batch:
            needs.payouts.replace_batch(compared)
        return "wait"
    # Not before the last answer, even if clocks differ: reports leave out answers after the closing.
    last = max((answer.received_at for said in read.answers.values() for answer in said), default=batch.opened_at)
    closed = needs.payouts.replace_batch(moved(compared, "closed", closed_at=max(now, last)))
    return write_report_of(needs, closed, read)


def _has_waited(batch: Batch, lines: Sequence[Line]) -> bool:
    """Whether the batch is known to wait for retries, and nothing has happened to its lines since: a poll every quarter
    of an hour need not compare the books again. They are compared once more before the batch is closed."""
    return (
        batch.retry_until is not None
        and batch.books is not None
        and batch.books.closes
        and all(line.attempt == 1 and line.contradiction is None and not line.corrections for line in lines)
    )


def _apply_answers(needs: StepNeeds, batch: Batch) -> bool:
    """Apply the first final answer to each line in flight; return whether there was time for all.

    Every chunk makes lines final, so a step that ran out of time leaves fewer to the next.
    """
    payouts = needs.payouts
    in_flight = [line for line in payouts.lines_of_batch(batch.id) if line.status in IN_FLIGHT]
    said = payouts.answers_of_batch(batch.id)
    confirmed = _confirmed_answers(batch, in_flight, said)
    heard: dict[str, Sequence[Answer]] = {
        line.number: (*said.get(line.number, ()), *confirmed.get(line.number, ())) for line in in_flight
    }
    changed = (line for line in in_flight if answered_all(line, heard[line.number]) != line)
    for chunk in chunks(changed, CHUNK):
        if not needs.enough_time():
            return False
        news = [answer for line in chunk for answer in confirmed.get(line.number, ())]
        if news:
            payouts.record_answers(batch.id, news)
            # Somebody may have brought another result meanwhile: the first one that is stored is applied.
            heard |= payouts.find_answers(batch.id, [answer.number for answer in news])
        payouts.finish_lines([answered_all(line, heard[line.number]) for line in chunk])
    return True


def _confirmed_answers(
    batch: Batch, in_flight: Sequence[Line], said: Mapping[str, Sequence[Answer]]
) -> Mapping[str, tuple[Answer, ...]]:
    """Each line without a final answer as paid, by number, once the whole bank file is confirmed; otherwise empty."""
    if batch.stage != "confirmed" or batch.confirmed_at is None or batch.confirmed_by is None:
        return {}
    return {
        line.number: (Answer(line.number, "paid", batch.confirmed_at, batch.confirmed_by),)
        for line in in_flight
        if not has_final_answer(said.get(line.number, ()))
    }
