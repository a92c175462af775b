"""Writing off a member's debt: one person asks, a second one approves, and the write-off is its own entry."""

from collections.abc import Callable

from msgspec.structs import replace

from cardstock import clock
from cardstock.approving import Confirm, MoneyStep
from cardstock.errors import NOT_FOUND, REASON_MISSING, SECOND_PERSON_NEEDED, Pointer
from cardstock.ids import RequestKey, RequestResult, derived_id
from cardstock.ledger import errors
from cardstock.ledger.model import (
    BRAND_WRITE_OFFS,
    LedgerTransaction,
    Posting,
    WriteOff,
    account,
    transaction_id,
)
from cardstock.ledger.ports import Books, WriteOffs
from cardstock.money import Fen


def ask_write_off(
    member_id: str,
    amount: Fen,
    reason: str,
    actor: str,
    request: RequestKey,
    *,
    is_member: Callable[[str], bool],
    books: Books,
    write_offs: WriteOffs,
) -> RequestResult[WriteOff]:
    """Ask to write off part of a member's debt. Nothing is booked yet.

    Raises `NotFoundError` for nobody (`is_member` is asked only where nothing is owed), and `RefusedError`:
    REASON_MISSING, DEBT_SMALLER, IDEMPOTENCY_KEY_REUSED.
    """
    if not reason.strip():
        raise REASON_MISSING()
    asked = WriteOff(derived_id("wro", request.id), member_id, amount, actor, clock.now(), reason)
    known = write_offs.find_write_off(asked.id)
    debt = books.balance_of(member_id).debt if known is None else amount
    if not debt and not is_member(member_id):
        raise NOT_FOUND(pointers=(Pointer("/member_id", "UNKNOWN"),))
    if not 0 < amount <= debt:
        raise errors.DEBT_SMALLER(debt_fen=debt)
    return write_offs.keep_write_off(asked, request)


def approve_write_off(
    write_off_id: str,
    note: str,
    actor: str,
    *,
    can_approve: Callable[[str], bool],
    confirm: Confirm,
    write_offs: WriteOffs,
) -> WriteOff:
    """Book a write-off, as the second person. A repeat, whoever makes it, changes nothing.

    `can_approve`: whether `actor` may approve what the given person asked for. `confirm` asks the phone of `actor`.
    Raises `NotFoundError`, and `RefusedError`: SECOND_PERSON_NEEDED, DEBT_SMALLER when the member owes less by now;
    and what `confirm` raises.
    """
    found = write_offs.find_write_off(write_off_id)
    if found is None:
        raise NOT_FOUND()
    if found.state == "booked":
        return found
    if not can_approve(found.asked_by):
        raise SECOND_PERSON_NEEDED()
    use = confirm(MoneyStep("approve_write_off", found.id, found.state, found.amount, 1))
    now = clock.now()
    approved = replace(found, state="booked", approved_by=actor, approved_at=now, note=note)
    transaction = LedgerTransaction(
        id=transaction_id("written_off", found.id),
        kind="written_off",
        cause=found.id,
        at=now,
        postings=(
            Posting(account(found.member_id, "available"), found.amount),
            Posting(BRAND_WRITE_OFFS, -found.amount),
        ),
        approved_by=(found.asked_by, actor),
    )
    booked = write_offs.book_write_off(transaction, approved, use)
    if booked == "outdated":
        raise errors.DEBT_SMALLER()
    return approved if booked == "booked" else write_offs.find_write_off(write_off_id) or approved
