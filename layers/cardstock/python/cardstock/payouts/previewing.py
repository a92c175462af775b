"""What the next payout would list if it were opened now. Nothing is stored.

There is no index of balances, as the listing itself needs none: it reads them all, once a month. A preview reads them
by page, and a page carries the sums of the pages before it, so that each call has a bounded cost. Money that moves
while the pages are read may be seen twice or not at all.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from cardstock.money import Fen
from cardstock.payouts.lines import MAX_ATTEMPTS, transfer_number
from cardstock.payouts.listing import (
    OLDER_LOOKED_AT,
    UNDER_MINIMUM,
    LeftOutSums,
    blocked_by,
    is_under_minimum,
    reason_left_out,
)
from cardstock.payouts.model import Batch, LeftOutSum, Rules
from cardstock.payouts.payees import Balance, DropReason, Payee
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.ports import BankTargets, Ledger, Payees, Payouts
from cardstock.payouts.targets import find_payees
from cardstock.payouts.tax.to_date import person_of

BALANCES_READ: Final = 1_000
"""Most balances that one call reads: eleven reads of balances, and three for the members of each."""
_READ_AT_ONCE: Final = 99


class PreviewNeeds(msgspec.Struct, frozen=True):
    """The ports of a preview."""

    payouts: Payouts
    ledger: Ledger
    payees: Payees
    bank_targets: BankTargets


class ListedNow(msgspec.Struct, frozen=True):
    """A member who would be listed."""

    member: str
    name: str
    available: Fen


class SoFar(msgspec.Struct, frozen=True, array_like=True):
    """The sums over all pages read until now."""

    read: int = 0
    listed: int = 0
    amount: Fen = 0
    left_out: tuple[LeftOutSum, ...] = ()


class Position(msgspec.Struct, frozen=True, array_like=True):
    """After which member the next page begins, and the sums until there."""

    after: str
    so_far: SoFar

    @classmethod
    def of(cls, text: str) -> "Position":
        return msgspec.json.decode(text, type=cls)

    @property
    def text(self) -> str:
        return msgspec.json.encode(self).decode()


class Preview(msgspec.Struct, frozen=True):
    """One page: members who would be listed, and the sums so far."""

    period: Period
    rules: Rules
    at: datetime
    rows: tuple[ListedNow, ...]
    so_far: SoFar
    following: Position | None
    """None if every balance was read."""


def next_period(now: datetime, payouts: Payouts) -> Period:
    """The month of the next payout: the last one if it has no batch yet, else the present one."""
    last = Period.before(now)
    return last if payouts.find_batch(batch_id(last)) is None else Period.of(now)


def preview_page(  # noqa: PLR0917 - a page is limit and position
    period: Period, rules: Rules, now: datetime, limit: int, position: Position | None, needs: PreviewNeeds
) -> Preview:
    """Up to `limit` members who would be listed now, of at most `BALANCES_READ` balances after a position."""
    batch = Batch(batch_id(period), period, "listing", rules, "", now)
    older = _Older(batch, needs.payouts)
    so_far = SoFar() if position is None else position.so_far
    after: str | None = None if position is None else position.after
    read, listed, amount, sums = so_far.read, so_far.listed, so_far.amount, LeftOutSums(so_far.left_out)
    rows: list[ListedNow] = []
    more = True
    while more and len(rows) < limit and read - so_far.read < BALANCES_READ:
        page, last = needs.ledger.balance_page(min(_READ_AT_ONCE, BALANCES_READ - (read - so_far.read)), after)
        reasons, known = _reasons(batch, page, now, older, needs)
        for balance in page:
            if len(rows) == limit:
                break
            after, read = balance.member, read + 1
            reason = reasons.get(balance.member)
            if reason is not None:
                sums.add(reason, balance.available)
            elif balance.available:
                listed, amount = listed + 1, amount + balance.available
                rows.append(ListedNow(balance.member, known[balance.member].name, balance.available))
        more = last is not None or (bool(page) and after != page[-1].member)
    found = SoFar(read, listed, amount, sums.all())
    following = Position(after, found) if more and after is not None else None
    return Preview(period, rules, now, tuple(rows), found, following)


def reason_now(balance: Balance, period: Period, rules: Rules, now: datetime, needs: PreviewNeeds) -> str | None:
    """Why a payout of the period would not list this balance now; None if it would."""
    batch = Batch(batch_id(period), period, "listing", rules, "", now)
    reasons, _ = _reasons(batch, [balance], now, _Older(batch, needs.payouts), needs)
    return reasons.get(balance.member)


def _reasons(
    batch: Batch, page: Sequence[Balance], now: datetime, older: "_Older", needs: PreviewNeeds
) -> tuple[dict[str, str], Mapping[str, Payee]]:
    """Why members of a page would not be listed; a member without money has no reason."""
    owned = [balance for balance in page if balance.available]
    reasons: dict[str, str] = {one.member: UNDER_MINIMUM for one in owned if is_under_minimum(batch, one)}
    enough = [balance for balance in owned if balance.member not in reasons]
    members = [balance.member for balance in enough]
    known = find_payees(batch, members, now, payees=needs.payees, bank_targets=needs.bank_targets) if members else {}
    blocked = older.blocked(known)
    for balance in enough:
        reason = reason_left_out(batch, balance, known, blocked)
        if reason is not None:
            reasons[balance.member] = reason
    return reasons, known


class _Older:
    """Lines of older batches that keep members from being listed, read by key."""

    def __init__(self, batch: Batch, payouts: Payouts) -> None:
        before, _ = payouts.batch_page(OLDER_LOOKED_AT, batch.id)
        self._payouts = payouts
        self._unsettled = [other for other in before if other.status != "settled"]
        self._blocked = blocked_by((), self._unsettled, payouts)

    def blocked(self, known: Mapping[str, Payee]) -> dict[str, DropReason]:
        members = {one for member in known for one in person_of(member, known)}
        found: dict[str, DropReason] = {}
        for other in self._unsettled if members else ():
            numbers = [
                transfer_number(member, other.period, attempt)
                for member in members
                for attempt in range(1, MAX_ATTEMPTS + 1)
            ]
            lines = self._payouts.find_lines(other.id, numbers).values()
            found |= dict.fromkeys((line.member for line in lines if not line.final), "attempt_open")
        return found | self._blocked
