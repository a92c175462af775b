"""Reading batches and lines: for finance, and for the member who is paid."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from cardstock.errors import NOT_FOUND
from cardstock.money import Fen
from cardstock.payouts.books import Difference, Reconciliation, Totals
from cardstock.payouts.lines import Line, as_of, replacements
from cardstock.payouts.model import HANDED_OVER, Batch
from cardstock.payouts.periods import Period
from cardstock.payouts.ports import Payouts
from cardstock.payouts.transfer_answers import Answer

_REPLACED = "replaced"


class StatusTotal(msgspec.Struct, frozen=True):
    """The lines of one status: how many, and their sums in fen."""

    lines: int
    listed: Fen
    gross: Fen
    tax: Fen
    net: Fen


class LinesSummary(msgspec.Struct, frozen=True):
    """The sums of a batch's lines by status, and the lines about whose end people have to know.

    `replaced` are the lines that were retried under another number: they are in no other sum.
    """

    totals: dict[str, StatusTotal]
    replaced: StatusTotal
    contradicted: tuple[Line, ...]
    corrected: tuple[Line, ...]


class MemberPage(msgspec.Struct, frozen=True):
    """A member's own lines, and before which batch id there are more."""

    lines: Sequence[Line]
    following: str | None
    left_out: tuple[Period, str] | None = None
    """The newest batch's period and the reason, if it does not list the member for a reason that is stored."""


def existing_batch(payout_id: str, payouts: Payouts) -> Batch:
    """The batch as it is now. Raises `NotFoundError`."""
    batch = payouts.find_batch(payout_id)
    if batch is None:
        raise NOT_FOUND()
    return batch


def answers_of(batch: Batch, payouts: Payouts) -> Mapping[str, Sequence[Answer]]:
    """All answers about a batch, by number, oldest first. Before it is handed over there are none: no call."""
    return payouts.answers_of_batch(batch.id) if batch.stage in HANDED_OVER else {}


def withdrawals(member: str, limit: int, before: str | None, payouts: Payouts) -> MemberPage:
    """A member's own lines in the `limit` (at most 50) periods before a batch id, newest first; from the newest one on,
    also why that does not list the member. Three calls, and one more without a line in the newest batch."""
    batches, following = payouts.batch_page(limit, before)
    lines = payouts.lines_of_member(member, batches) if batches else []
    if before is not None or not batches or any(line.batch == batches[0].id for line in lines):
        return MemberPage(lines, following)
    found = payouts.find_left_out(batches[0].id, member)
    return MemberPage(lines, following, None if found is None else (batches[0].period, found.reason))


def summary(lines: Iterable[Line]) -> LinesSummary:
    """The sums of lines by status, and those of them with contradictions and corrections."""
    counts: Counter[str] = Counter()
    sums: dict[str, list[Fen]] = {_REPLACED: [0, 0, 0, 0]}
    contradicted, corrected = [], []
    known = list(lines)
    replaced = replacements(known)
    for line in known:
        name = _REPLACED if line.number in replaced else line.status
        counts[name] += 1
        held = sums.setdefault(name, [0, 0, 0, 0])
        for index, amount in enumerate((line.listed, line.gross, line.tax, line.net)):
            held[index] += amount
        if line.contradiction is not None:
            contradicted.append(line)
        if line.corrections:
            corrected.append(line)
    totals = {status: StatusTotal(counts[status], *held) for status, held in sums.items()}
    return LinesSummary(totals, totals.pop(_REPLACED), tuple(contradicted), tuple(corrected))


def books_now(batch: Batch, found: LinesSummary) -> Reconciliation | None:
    """The batch's last reconciliation with what has happened since, each money counted once: corrections move its sums
    in all three books, and a contradiction that nobody has cleared is a difference."""
    books = batch.books
    if books is None:
        return None
    for line in found.corrected:
        before = as_of(line, batch.closed_at)
        if before.status != line.status and (before.status == "paid" or line.status == "paid"):
            sign = 1 if line.status == "paid" else -1
            books = replace(
                books,
                ledger=_shifted(books.ledger, line, sign),
                batch=_shifted(books.batch, line, sign),
                channel=_shifted(books.channel, line, sign),
            )
    known = {difference.number for difference in books.differences}
    news = tuple(_difference(line) for line in found.contradicted if line.number not in known)
    again = found.replaced
    replaced = Totals(count=again.lines, claimed=again.gross, returned=again.gross)
    return replace(books, differences=books.differences + news, replaced=replaced).once


def _shifted(totals: Totals, line: Line, sign: int) -> Totals:
    """The sums with the line paid (1) or not paid (-1) after all."""
    return replace(
        totals,
        paid=totals.paid + sign * line.net,
        tax=totals.tax + sign * line.tax,
        returned=totals.returned - sign * line.gross,
    )


def _difference(line: Line) -> Difference:
    """A contradiction as a difference of the books."""
    found = line.contradiction
    channel = "-" if found is None else f"{found.first}, {found.then}"
    paid = (line.net, line.tax, 0) if line.status == "paid" else (0, 0, line.gross)
    ledger = "claimed {} paid {} tax {} returned {}".format(line.gross, *paid)
    batch = f"{line.status} gross {line.gross} tax {line.tax} net {line.net}"
    return Difference(line.number, line.member, "OUTCOME", ledger, batch, channel)
