"""Listing the members of a batch, and announcing that it is listed."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from cardstock import clock
from cardstock.payouts.model import Balance, Batch, LeftOut, Line, Payee, moved, new_line
from cardstock.payouts.needs import StepNeeds, chunks
from cardstock.payouts.ports import Payouts
from cardstock.payouts.targets import find_payees, payee_refusal
from cardstock.payouts.tax.to_date import person_of

LISTED: Final = "payout.opened"
_LISTED_AT_ONCE: Final = 90
_OLDER_LOOKED_AT: Final = 24


def list_payees(needs: StepNeeds, batch: Batch, _lines: Iterable[Line]) -> Batch:
    """Add a line for every member who is eligible now. A killed step starts again; once all are listed, it adds
    nobody."""
    blocked = _blocked_by_older(batch, needs.payouts)
    now = clock.now()
    for chunk in chunks(needs.ledger.eligible(batch.rules.minimum), _LISTED_AT_ONCE):
        known = find_payees(
            batch,
            [balance.member for balance in chunk],
            now,
            payees=needs.payees,
            bank_targets=needs.bank_targets,
        )
        reasons = {
            balance.member: payee_refusal(batch, known.get(balance.member), balance)
            or ("attempt_open" if not blocked.isdisjoint(person_of(balance.member, known)) else None)
            for balance in chunk
        }
        needs.payouts.add_lines(
            batch, [new_line(batch, balance) for balance in chunk if reasons[balance.member] is None]
        )
        needs.payouts.add_left_out(batch, _left_out(chunk, known, reasons))
    counted = _count(moved(batch, "counted", listed_at=now), needs.payouts)
    return needs.payouts.replace_batch(counted)


def _left_out(chunk: Iterable[Balance], known: Mapping[str, Payee], reasons: Mapping[str, str | None]) -> list[LeftOut]:
    """Who is not listed and why. Of erased members there is nothing to show."""
    return [
        LeftOut(balance.member, balance.available, reason, known[balance.member].name)
        for balance in chunk
        if (reason := reasons[balance.member]) is not None and reason != "erased"
    ]


def announce_listing(needs: StepNeeds, batch: Batch, _lines: Iterable[Line]) -> Batch:
    """Announce that the batch is listed. A batch without lines needs no approval and goes on to sending.

    Killed between the announcement and the write, the next step announces the same event again.
    """
    if not batch.listed:
        # A concurrent step may have added lines after this one counted. From here on nobody adds any.
        counted = _count(batch, needs.payouts)
        if counted.listed:
            batch = needs.payouts.replace_batch(counted)
    needs.announce(LISTED, batch)
    return needs.payouts.replace_batch(moved(batch, "listed" if batch.listed else "sending"))


def _blocked_by_older(batch: Batch, payouts: Payouts) -> set[str]:
    """Members who have a line in an older batch that is not settled.

    Also members whose transfer was reported paid after it was reported failed: their balance is too high until the
    difference is resolved.
    """
    before, _ = payouts.batch_page(_OLDER_LOOKED_AT, batch.id)
    unsettled = [other for other in before if other.status != "settled"]
    open_lines = {line.member for other in unsettled for line in payouts.lines_of_batch(other.id) if not line.final}
    disputed = {found.member for other in unsettled if other.books for found in other.books.differences}
    return open_lines | disputed | payouts.disputed_members()


def _count(batch: Batch, payouts: Payouts) -> Batch:
    lines = list(payouts.lines_of_batch(batch.id))
    return replace(batch, listed=len(lines), listed_amount=sum(line.listed for line in lines))
