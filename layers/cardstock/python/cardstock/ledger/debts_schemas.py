"""Write-offs of debt as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from cardstock.clock import rfc3339
from cardstock.edge.fields import MemberId, Moment, NextCursor, PersonId
from cardstock.edge.http import Model
from cardstock.errors import NOT_FOUND, REASON_MISSING, SECOND_PERSON_NEEDED
from cardstock.ledger import errors
from cardstock.ledger.model import WriteOff, transaction_id
from cardstock.money import MAX_FEN

ASKING_CODES: Final = (NOT_FOUND, REASON_MISSING, errors.DEBT_SMALLER)
APPROVING_CODES: Final = (NOT_FOUND, SECOND_PERSON_NEEDED, errors.DEBT_SMALLER)


class AskWriteOff(Model):
    """The member, the amount of debt, and the reason, which stays on record."""

    member_id: Annotated[
        str,
        Meta(
            pattern=r"^mem_[0-9a-z]{26}\Z", examples=["mem_01kbdxdh50fcazdjhcnqh2rzv5"], description="Member who owes."
        ),
    ]
    amount_fen: Annotated[
        int, Meta(ge=1, le=MAX_FEN, examples=[19_900], description="Fen to write off, at most the member's debt.")
    ]
    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=500,
            examples=["member has died, file of 2026-11-20"],
            description="Reason; it stays on record.",
        ),
    ]


class ApproveWriteOff(Model):
    """The second person's note for the record."""

    note: Annotated[
        str,
        Meta(
            max_length=200,
            examples=["seen the file"],
            description="Note for the record; empty if there is none.",
        ),
    ] = ""


class WrittenOff(Model):
    """A write-off, booked once it is approved."""

    write_off_id: Annotated[
        str, Meta(description="Id of the write-off, for the approval.", examples=["wro_01kbdxdh50fcazdjhcnqh2rzv5"])
    ]
    member_id: MemberId
    amount_fen: Annotated[int, Meta(description="Fen of debt to write off.", examples=[19_900])]
    asked_by: Annotated[PersonId, Meta(description="Person who asked for it.")]
    asked_at: Annotated[Moment, Meta(description="When it was asked for.")]
    reason: Annotated[str, Meta(description="Why it was asked for.", examples=["member has died, file of 2026-11-20"])]
    approved_by: Annotated[
        PersonId | None,
        Meta(
            description="Person who approved it; null while nothing is booked.",
            examples=["stf_01kbdx8v2m4q6s8t0w1y3z5a7c"],
        ),
    ]
    approved_at: Annotated[Moment | None, Meta(description="When it was approved and booked; null before.")]
    note: Annotated[
        str | None, Meta(description="The approver's note; null if there is none.", examples=["seen the file"])
    ]
    entry_id: Annotated[
        str | None,
        Meta(
            description="Its entry in the ledger; null while nothing is booked.",
            examples=["write-off.wro_01kbdxdh50fcazdjhcnqh2rzv5"],
        ),
    ]

    @classmethod
    def as_asked(cls, found: WriteOff) -> WrittenOff:
        """A write-off as it was asked for, without its approval, so that a repeat gets the same answer."""
        return cls.of(replace(found, state="asked", approved_by="", approved_at=None, note=""))

    @classmethod
    def of(cls, found: WriteOff) -> WrittenOff:
        """A write-off; `entry_id` names its entry once it is booked."""
        return cls(
            write_off_id=found.id,
            member_id=found.member_id,
            amount_fen=found.amount,
            asked_by=found.asked_by,
            asked_at=rfc3339(found.asked_at),
            reason=found.reason,
            approved_by=found.approved_by or None,
            approved_at=None if found.approved_at is None else rfc3339(found.approved_at),
            note=found.note or None,
            entry_id=transaction_id("written_off", found.id) if found.state == "booked" else None,
        )


class WriteOffList(Model):
    """Some write-offs, by id."""

    items: Annotated[list[WrittenOff], Meta(description="Write-offs by id.")]
    next_cursor: NextCursor
