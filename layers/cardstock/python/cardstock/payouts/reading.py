"""Reading batches and lines: for finance, and for the member who is paid."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from cardstock.errors import NOT_FOUND
from cardstock.money import Fen
from cardstock.payouts.model import Batch, Line
from cardstock.payouts.ports import Payouts


class StatusTotal(msgspec.Struct, frozen=True):
    """The lines of one status: how many, and their sums in fen."""

    lines: int
    listed: Fen
    gross: Fen
    tax: Fen
    net: Fen


def existing_batch(payout_id: str, payouts: Payouts) -> Batch:
    """The batch as it is now. Raises `NotFoundError`."""
    batch = payouts.find_batch(payout_id)
    if batch is None:
        raise NOT_FOUND()
    return batch


def withdrawals(member: str, limit: int, before: str | None, payouts: Payouts) -> tuple[list[Line], str | None]:
    """A member's own lines in the `limit` (at most 50) periods before a batch id, newest first; and the batch id
    before which there are more.
    """
    batches, following = payouts.batch_page(limit, before)
    return payouts.lines_of_member(member, batches) if batches else [], following


def totals(lines: Iterable[Line]) -> dict[str, StatusTotal]:
    """The sums of lines by status."""
    counts: Counter[str] = Counter()
    sums: dict[str, list[Fen]] = {}
    for line in lines:
        counts[line.status] += 1
        held = sums.setdefault(line.status, [0, 0, 0, 0])
        for index, amount in enumerate((line.listed, line.gross, line.tax, line.net)):
            held[index] += amount
    return {status: StatusTotal(counts[status], *held) for status, held in sums.items()}
