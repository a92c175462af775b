"""Debts of closed accounts: repaid by the same person's new account, or brought before people.

An account is closed without debt. A refund after that takes back rewards which were paid out or given up, and leaves a
debt on an account that earns nothing any more. Whoever registers again is the same person (`Member.former`): until the
debt is repaid the new account is paid nothing, and each night its available money repays it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from cardstock.ledger.offsets import offset_debt
from cardstock.ledger.ports import Debts
from cardstock.members.model import Member
from cardstock.members.ports import Members
from cardstock.money import Fen
from cardstock.open_items.clearing import end_item, new_item
from cardstock.open_items.ports import OpenItems


class DebtNeeds(msgspec.Struct, frozen=True):
    """The ports of closed accounts' debts."""

    debts: Debts
    members: Members
    items: OpenItems


class DebtNight(msgspec.Struct, frozen=True):
    """One night: fen that were repaid, accounts that owe still, and those that raised. Not `finished`: the time was up,
    and the next night continues."""

    repaid: Fen
    owing: int
    failed: tuple[str, ...]
    finished: bool


def settle_debts(
    now: datetime, needs: DebtNeeds, *, time_left: Callable[[], bool], on_failure: Callable[[str], None]
) -> DebtNight:
    """Repay what closed accounts owe, as far as the same persons' new accounts have it, and open an item about what
    nobody can repay; items about debts that are gone end. Safe to repeat. An account that raises does not stop the
    others: `on_failure` is called with its id while the error is handled."""
    debts = dict(needs.debts.debtors())
    _end_items(debts, needs.items)
    repaid = owing = 0
    failed: list[str] = []
    for closed in _closed(debts, needs.members):
        if not time_left():
            return DebtNight(repaid, owing, tuple(failed), finished=False)
        try:
            part = _settle(closed, debts[closed.id], now, needs)
        except Exception:  # any error of one account is reported, and the caller fails the run
            on_failure(closed.id)
            failed.append(closed.id)
            part = 0
        repaid, owing = repaid + part, owing + (part < debts[closed.id])
    return DebtNight(repaid, owing, tuple(failed), finished=True)


def owing_formerly(
    members: Sequence[Member],
    available_of: Callable[[Sequence[str]], Mapping[str, Fen]],
    find_members: Callable[[Sequence[str]], Mapping[str, Member]],
) -> frozenset[str]:
    """The ids of those of the members who had an account before that was closed and owes.

    No read without such members; else one of balances, and one of members if any of them owes.
    """
    returned = [member for member in members if member.former and member.state != "erased"]
    related = sorted({other for member in returned for other in member.relatives})
    owing = [each for each, fen in available_of(related).items() if fen < 0] if related else []
    closed = {each for each, found in find_members(owing).items() if found.state == "erased"} if owing else set()
    return frozenset(member.id for member in returned if member.relatives & closed)


def _closed(debts: Mapping[str, Fen], members: Members) -> Iterator[Member]:
    found = members.find_members(list(debts)) if debts else {}
    return (found[each] for each in sorted(found) if found[each].state == "erased")


def _settle(closed: Member, debt: Fen, now: datetime, needs: DebtNeeds) -> Fen:
    """The fen that were repaid now."""
    related = needs.members.find_members(closed.relatives) if closed.relatives else {}
    # Only who registered again: an account that was merged before keeps its own money, and its own debts.
    living = sorted(each.id for each in related.values() if each.state != "erased" and each.former)
    if not living:
        facts = {"closed_at": "" if closed.erased_at is None else closed.erased_at.isoformat()}
        needs.items.add_item(
            new_item(
                "debt_after_closing", f"{closed.id}.{debt}", closed.id, amount_fen=debt, member_id=closed.id,
                facts=facts,
            )
        )  # fmt: skip
        return 0
    left, available = debt, needs.debts.available_of(living)
    for member_id in living:
        part = min(left, available.get(member_id, 0))
        if part > 0 and offset_debt(closed.id, member_id, part, now, debts=needs.debts) == "booked":
            left -= part
    return debt - left


def _end_items(debts: Mapping[str, Fen], items: OpenItems) -> None:
    """End the items about debts that are repaid or written off, or are of another sum by now."""
    for item in items.items_of_kind("debt_after_closing"):
        if item.state == "open" and debts.get(item.subject) != item.amount_fen:
            end_item(item, f"the account owes {debts.get(item.subject, 0)} fen", items=items)
