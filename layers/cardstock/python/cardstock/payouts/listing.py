"""Listing the members of a batch, and announcing that it is listed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from cardstock import clock
from cardstock.money import Fen
from cardstock.payouts.drafting import write_draft
from cardstock.payouts.lines import Line, new_line
from cardstock.payouts.model import Batch, LeftOut, LeftOutSum, moved
from cardstock.payouts.needs import StepNeeds, chunks
from cardstock.payouts.payees import Balance, DropReason, Payee
from cardstock.payouts.ports import Payouts
from cardstock.payouts.targets import find_payees, payee_refusal
from cardstock.payouts.tax.to_date import person_of

LISTED: Final = "payout.opened"
UNDER_MINIMUM: Final = "under_minimum"
OLDER_LOOKED_AT: Final = 24
_LISTED_AT_ONCE: Final = 90


class LeftOutSums:
    """Counts who is not listed, by reason."""

    def __init__(self, known: Iterable[LeftOutSum] = ()) -> None:
        self._sums = {one.reason: (one.members, one.amount) for one in known}

    def add(self, reason: str, amount: Fen) -> None:
        members, total = self._sums.get(reason, (0, 0))
        self._sums[reason] = (members + 1, total + amount)

    def all(self) -> tuple[LeftOutSum, ...]:
        return tuple(LeftOutSum(reason, *self._sums[reason]) for reason in sorted(self._sums))


def list_payees(needs: StepNeeds, batch: Batch, _lines: Iterable[Line]) -> Batch:
    """Add a line for every member who is eligible now. A killed step starts again; once all are listed, it adds
    nobody."""
    blocked = _blocked_by_older(batch, needs.payouts)
    now, sums = clock.now(), LeftOutSums()
    for chunk in chunks(_above_minimum(batch, needs.ledger.open_balances(), sums), _LISTED_AT_ONCE):
        known = find_payees(
            batch,
            [balance.member for balance in chunk],
            now,
            payees=needs.payees,
            bank_targets=needs.bank_targets,
        )
        reasons = {balance.member: reason_left_out(batch, balance, known, blocked) for balance in chunk}
        for balance in chunk:
            reason = reasons[balance.member]
            if reason is not None:
                sums.add(reason, balance.available)
        needs.payouts.add_lines(
            batch, [new_line(batch, balance) for balance in chunk if reasons[balance.member] is None]
        )
        needs.payouts.add_left_out(batch, _left_out(chunk, known, reasons))
    counted = _count(moved(batch, "counted", listed_at=now, left_out=sums.all()), needs.payouts)
    return needs.payouts.replace_batch(counted)


def is_under_minimum(batch: Batch, balance: Balance) -> bool:
    """Whether a member has money, but less than is paid out."""
    return 0 <= balance.available < batch.rules.minimum


def _above_minimum(batch: Batch, balances: Iterable[Balance], sums: LeftOutSums) -> Iterator[Balance]:
    """The balances of members who have enough, or owe. The others are counted and not looked up: they may be many."""
    for balance in balances:
        if is_under_minimum(batch, balance):
            sums.add(UNDER_MINIMUM, balance.available)
        else:
            yield balance


def reason_left_out(
    batch: Batch, balance: Balance, known: Mapping[str, Payee], blocked: Mapping[str, DropReason]
) -> DropReason | None:
    """Why a member with enough money is not listed; None if the member is. `blocked` has the reasons of older
    transfers, by member; one of them blocks the whole person."""
    reason = payee_refusal(batch, known.get(balance.member), balance)
    if reason is not None:
        return reason
    found = {blocked[member] for member in person_of(balance.member, known) if member in blocked}
    return min(found, key=_WORST.index, default=None)


_WORST: Final[Sequence[DropReason]] = ("disputed", "attempt_open")
"""The reasons of older transfers, the one to be named first."""


def _left_out(chunk: Iterable[Balance], known: Mapping[str, Payee], reasons: Mapping[str, str | None]) -> list[LeftOut]:
    """Who is not listed and why. Of erased members there is nothing to show."""
    return [
        LeftOut(balance.member, balance.available, reason, known[balance.member].name)
        for balance in chunk
        if (reason := reasons[balance.member]) is not None and reason != "erased"
    ]


def announce_listing(needs: StepNeeds, batch: Batch, _lines: Iterable[Line]) -> Batch:
    """Write the draft report and announce that the batch is listed. A batch without lines needs no approval and goes on
    to sending.

    Killed between the announcement and the write, the next step announces the same event again.
    """
    if not batch.listed:
        # A concurrent step may have added lines after this one counted. From here on nobody adds any.
        counted = _count(batch, needs.payouts)
        if counted.listed:
            batch = needs.payouts.replace_batch(counted)
    drafts = write_draft(needs, batch)
    needs.announce(LISTED, batch)
    return needs.payouts.replace_batch(moved(batch, "listed" if batch.listed else "sending", drafts=drafts))


def _blocked_by_older(batch: Batch, payouts: Payouts) -> dict[str, DropReason]:
    """Members who have a line in an older batch that is not settled, and those whose results contradict each other."""
    before, _ = payouts.batch_page(OLDER_LOOKED_AT, batch.id)
    unsettled = [other for other in before if other.status != "settled"]
    open_lines = {line.member for other in unsettled for line in payouts.lines_of_batch(other.id) if not line.final}
    return blocked_by(open_lines, unsettled, payouts)


def blocked_by(open_lines: Iterable[str], unsettled: Sequence[Batch], payouts: Payouts) -> dict[str, DropReason]:
    """By member, why an older transfer keeps the member from being listed. `open_lines` are members with a line in
    flight.

    A member whose transfer was reported paid after it was reported failed has a balance that is too high until the
    difference is resolved.
    """
    differing = {found.member for other in unsettled if other.books for found in other.books.differences}
    blocked: dict[str, DropReason] = dict.fromkeys((*open_lines, *differing), "attempt_open")
    return blocked | dict.fromkeys(payouts.disputed_members(), "disputed")


def _count(batch: Batch, payouts: Payouts) -> Batch:
    lines = list(payouts.lines_of_batch(batch.id))
    return replace(batch, listed=len(lines), listed_amount=sum(line.listed for line in lines))
