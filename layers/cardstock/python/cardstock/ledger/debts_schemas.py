"""Debt and its forgiving, as JSON."""

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.http import Model
from cardstock.errors import NOT_FOUND, REASON_MISSING
from cardstock.ledger import errors
from cardstock.money import MAX_FEN

if TYPE_CHECKING:
    from cardstock.ledger.model import WriteOff

ASKING_CODES: Final = (REASON_MISSING, errors.DEBT_SMALLER)
APPROVING_CODES: Final = (NOT_FOUND, errors.SECOND_PERSON_NEEDED, errors.DEBT_SMALLER)


class AskWriteOff(Model):
    """Whose debt, how much of it, and why; the reason stays on record."""

    member_id: Annotated[str, Meta(pattern=r"^mem_[0-9a-z]{26}$", examples=["mem_01kbdxdh50fcazdjhcnqh2rzv5"])]
    amount_fen: Annotated[int, Meta(ge=1, le=MAX_FEN, examples=[19_900])]
    reason: Annotated[str, Meta(min_length=1, max_length=500, examples=["member has died, file of 2026-11-20"])]


class ApproveWriteOff(Model):
    """What the second person wants to have on record."""

    note: Annotated[str, Meta(max_length=200, examples=["seen the file"])] = ""


class WrittenOff(Model):
    """A write-off. Without `approved_by` nothing is booked yet; with it `entry_id` is its entry in the ledger."""

    write_off_id: str
    member_id: str
    amount_fen: int
    asked_by: str
    asked_at: str
    reason: str
    approved_by: str | None
    approved_at: str | None
    note: str | None
    entry_id: str | None


class WriteOffList(Model):
    """Some write-offs by id; `next_cursor` is null on the last page."""

    items: list[WrittenOff]
    next_cursor: str | None


def told(found: "WriteOff") -> WrittenOff:
    """The view of a write-off."""
    from cardstock.ledger.model import transaction_id

    return WrittenOff(
        write_off_id=found.id,
        member_id=found.member_id,
        amount_fen=found.amount,
        asked_by=found.asked_by,
        asked_at=rfc3339(found.asked_at),
        reason=found.reason,
        approved_by=found.approved_by or None,
        approved_at=None if found.approved_at is None else rfc3339(found.approved_at),
        note=found.note or None,
        entry_id=transaction_id("written_off", found.id) if found.approved_by else None,
    )
