"""The report of a closed batch, the comparison of its three books, and the announcement of its settlement."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.payouts.books import Booking, LedgerLine, Reconciliation
from cardstock.payouts.lines import CORRECTIONS, Line, as_of
from cardstock.payouts.model import Batch, moved, written
from cardstock.payouts.needs import Pause, StepNeeds
from cardstock.payouts.ports import Ledger, Payouts
from cardstock.payouts.report.content import Report, assemble, reconcile
from cardstock.payouts.transfer_answers import Answer

SETTLED: Final = "payout.settled"


class Books(msgspec.Struct, frozen=True):
    """The three books of a batch, read at one moment; `lines` by number."""

    lines: Sequence[Line]
    bookings: Mapping[str, Booking]
    postings: Sequence[LedgerLine]
    answers: Mapping[str, Sequence[Answer]]


def read_books(batch: Batch, lines: Iterable[Line], payouts: Payouts, ledger: Ledger) -> Books:
    """The lines with their bookings and answers."""
    ordered = sorted(lines, key=lambda line: line.number)
    return Books(ordered, *ledger.bookings(ordered), payouts.answers_of_batch(batch.id))


def compare_books(batch: Batch, payouts: Payouts, ledger: Ledger) -> tuple[Reconciliation, int]:
    """The reconciliation of a batch at this moment, each money counted once, and how many of its lines are not sent
    yet."""
    lines = sorted(payouts.lines_of_batch(batch.id), key=lambda line: line.number)
    sent = [line for line in lines if line.status != "pending"]
    bookings, _ = ledger.bookings(sent)
    return reconcile(sent, bookings, payouts.answers_of_batch(batch.id)).once, len(lines) - len(sent)


def report_of(batch: Batch, brand: str, payouts: Payouts, ledger: Ledger, books: Books | None = None) -> Report:
    """The report of a batch. It never changes: answers and corrections after the closing are left out.

    `books` saves a read if they were just read to close the batch. Raises ValueError for a batch that is not closed.
    """
    if books is None:
        lines = (as_of(line, batch.closed_at) for line in payouts.lines_of_batch(batch.id))
        books = read_books(batch, lines, payouts, ledger)
        books = replace(books, answers=_answered_until(batch.closed_at, books))
    members = sorted({line.member for line in books.lines})
    postings = ledger.statements(members, batch.since, batch.opened_at)
    return assemble(
        brand=brand,
        batch=batch,
        lines=books.lines,
        bookings=books.bookings,
        answers=books.answers,
        postings=chain(postings, books.postings),
        corrected=(line for line in payouts.corrected_lines(batch.since, batch.opened_at) if line.batch != batch.id),
    )


def write_report(needs: StepNeeds, batch: Batch, _lines: Iterable[Line]) -> Batch | Pause:
    """Write the report of a closed batch, from its stored books."""
    return write_report_of(needs, batch, None)


def write_report_of(needs: StepNeeds, batch: Batch, books: Books | None) -> Batch | Pause:
    """Write each file of the report once: a repeat finds the same bytes. `books` are those that closed the batch."""
    if not needs.enough_time():
        return "again"
    report = report_of(batch, needs.brand, needs.payouts, needs.ledger, books)
    reports = []
    for write in needs.writers():
        document = write(report)
        file = written(batch, document)
        needs.files.put_once(file.key, document)
        reports.append(file)
    return needs.payouts.replace_batch(moved(batch, "reported", settled_at=clock.now(), reports=tuple(reports)))


def announce_settlement(needs: StepNeeds, batch: Batch, _lines: Iterable[Line]) -> Batch:
    """Announce that the batch has settled. Killed before the write, the next step announces the same event again."""
    needs.announce(SETTLED, batch)
    return needs.payouts.replace_batch(moved(batch, "settled"))


def _answered_until(closed_at: datetime | None, books: Books) -> Mapping[str, Sequence[Answer]]:
    """The answers that closed the batch, by number. One that came while it was being closed is left out as well: it
    does not say what its line says."""
    if closed_at is None:
        return books.answers
    lines = {line.number: line for line in books.lines if line.status in CORRECTIONS}
    found = {}
    for number, answers in books.answers.items():
        before = [answer for answer in answers if answer.received_at <= closed_at]
        while before and number in lines and not _says(before[-1], lines[number]):
            before.pop()
        if before:
            found[number] = tuple(before)
    return found


def _says(answer: Answer, line: Line) -> bool:
    """Whether an answer is what the line of a closed batch says."""
    if line.status != "paid" or answer.result != "paid":
        return (line.status == "paid") == (answer.result == "paid")
    return answer.amount in (None, line.net)
