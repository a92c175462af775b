"""Taking an identity from an account that is not that person's: by two persons, with a reason.

A name and an identity number are known to others than their person, so somebody else can be verified with them. The
first person of the staff asks; that is an open item (`identity_disputed`). Another person clears it as `taken_away`, in
one transaction with the end of the verification, or as `kept`. What was paid and declared stays; a second item
(`tax_misfiled`) says that the declaration must be corrected.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from cardstock import clock
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, NOT_FOUND, REASON_MISSING
from cardstock.flows import merging
from cardstock.ids import RequestKey, RequestResult
from cardstock.members import errors, identity
from cardstock.members.model import Member
from cardstock.members.ports import Members
from cardstock.open_items.clearing import new_item
from cardstock.open_items.model import ConfirmedItem, OpenItem, item_id
from cardstock.open_items.ports import OpenItems
from cardstock.payouts.lines import RETURNED, Line
from cardstock.payouts.model import Batch
from cardstock.payouts.ports import Payouts

_ATTEMPTS: Final = 4
_BATCHES_A_PAGE: Final = 36
_PARTED_WITHIN: Final = timedelta(days=2)
_NOT_PAID: Final = RETURNED | {"dropped"}


def dispute_identity(
    member_id: str, reason: str, actor: str, request: RequestKey, *, members: Members, items: OpenItems
) -> RequestResult[OpenItem]:
    """Ask that the verified identity be taken from the member. Nothing changes for the member yet.

    A repeat of `request` gives what the first one gave, whatever has become of it. Raises `NotFoundError`, and
    `RefusedError`: REASON_MISSING, IDENTITY_MISSING, IDEMPOTENCY_KEY_REUSED.
    """
    if not reason.strip():
        raise REASON_MISSING()
    known = items.find_item(item_id("identity_disputed", request.id))
    if known is None:
        member = members.find_member(member_id)
        if member is None:
            raise NOT_FOUND()
        if member.person is None:
            raise errors.IDENTITY_MISSING()
        facts = {
            "asked_by": actor,
            "reason": reason,
            "verified_at": member.person.verified_at.isoformat(timespec="milliseconds"),
            "verification": member.person.method,
            "accounts_of_person": len(member.siblings) + 1,
            "request": request.fingerprint,
        }
        item = new_item(
            "identity_disputed", request.id, member.person.id, amount_fen=0, member_id=member_id, facts=facts
        )
        if items.add_item(item):
            return RequestResult(item, replayed=False)
        known = items.find_item(item.id) or item
    if not request.made(known.facts["request"]):
        raise IDEMPOTENCY_KEY_REUSED()
    return RequestResult(known, replayed=True)


def take_identity(
    item: OpenItem, stored: OpenItem | ConfirmedItem, items: OpenItems, members: Members, payouts: Payouts
) -> bool:
    """Take the identity that a cleared item names, in the transaction that stores it as `stored`; False if the item has
    changed. Whoever is not that person any more keeps what is stored.

    One read of the member, of the person's members and of the batches, and one per fifty batches with lines.
    """
    for _ in range(_ATTEMPTS):
        member = members.find_member(item.member_id)
        if member is None or member.person is None or member.person.id != item.subject:
            # Another dispute has taken it, or the account is erased.
            return items.save_with(stored, lambda _transaction: None, None)
        if items.save_with(stored, identity.take_identity(member, members=members), _misfiled(item, member, payouts)):
            return True
        found = items.find_item(item.id)
        if found is None or found.version != item.version - 1:
            return False
    return False


def part_accounts(items: OpenItems, merges: Callable[[], merging.MergeNeeds]) -> int:
    """Have who counts as one person follow, where an identity was taken in the last two days; the number of these.

    Until then the account counts as the same person, which gives it nothing. Run every hour; a repeat changes nothing.
    """
    taken = [
        item
        for item in items.items_of_kind("identity_disputed")
        if item.cleared is not None
        and item.cleared.outcome == "taken_away"
        and clock.now() < item.cleared.at + _PARTED_WITHIN
    ]
    for item in taken:
        merging.part_from_person(item.member_id, merges())
    return len(taken)


def _misfiled(item: OpenItem, member: Member, payouts: Payouts) -> OpenItem | None:
    """The item that says what was declared for the wrong person; None if nothing was."""
    lines = [line for line in _lines_of(member.id, payouts) if line.person in ("", item.subject)]
    if not lines:
        return None
    paid = [line for line in lines if line.gross]
    months = sorted({line.taxed_in.key for line in paid})
    facts = {
        "item_id": item.id,
        "transfers": len(paid),
        "not_sent_yet": len(lines) - len(paid),
        "tax_fen": sum(line.tax for line in paid),
        "months": " ".join(months),
    }
    income = sum(line.gross for line in paid)
    return new_item("tax_misfiled", item.id, item.subject, amount_fen=income, member_id=member.id, facts=facts)


def _lines_of(member_id: str, payouts: Payouts) -> list[Line]:
    """Lines of the member that were sent and have not come back, and those that are being sent at this moment."""
    lines: list[Line] = []
    before: str | None = None
    while True:
        batches, before = payouts.batch_page(_BATCHES_A_PAGE, before)
        sending = {batch.id for batch in batches if batch.status in ("approved", "sending")}
        lines += [
            line
            for line in _read(member_id, batches, payouts)
            if (line.gross and line.status not in _NOT_PAID) or (line.status == "pending" and line.batch in sending)
        ]
        if before is None:
            return lines


def _read(member_id: str, batches: Sequence[Batch], payouts: Payouts) -> list[Line]:
    return payouts.lines_of_member(member_id, batches) if batches else []
