"""The JSON of members who are one person."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Final

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import MemberId, Moment
from cardstock.edge.http import Model
from cardstock.errors import MEMBER_ERASED, NOT_FOUND
from cardstock.members import errors
from cardstock.members.merge_model import UNDO_WINDOW, Group

CODE_CODES: Final = (errors.LINKED_TO_STAFF, MEMBER_ERASED)
MERGE_CODES: Final = (
    errors.MERGE_CODE_INVALID,
    errors.MERGED_WITH_OTHERS,
    errors.MERGED_TOO_MANY,
    errors.IDENTITIES_DIFFER,
    errors.LINKED_TO_STAFF,
    MEMBER_ERASED,
)
PART_CODES: Final = (NOT_FOUND, errors.MERGE_FINAL, errors.LINKED_TO_STAFF, MEMBER_ERASED)

_Code = Annotated[
    str,
    Meta(
        min_length=12,
        max_length=12,
        pattern=r"^[2-9A-HJKMNP-Za-hjkmnp-z]{12}\Z",
        description="Code that the other account got.",
        examples=["k7m2p9xw4tab"],
    ),
]


class NewMergeCode(Model):
    """A code for the person's other account."""

    code: Annotated[_Code, Meta(description="Code for the other account, good once; it is not shown again.")]
    expires_at: Annotated[Moment, Meta(description="Until when it is good.")]


class MergeAccounts(Model):
    """The code that the person's other account got."""

    code: _Code


class MergedAccount(Model):
    """A member of the group."""

    member_id: Annotated[MemberId, Meta(description="An account of the person.")]
    merged_at: Annotated[Moment, Meta(description="When the member joined the group.")]
    undo_until: Annotated[Moment, Meta(description="Until when the merge can be undone.")]
    me: Annotated[bool, Meta(description="Whether it is the member of this call.")]


class MergedAccounts(Model):
    """The members who are one person by their word; empty for a member who merged with nobody."""

    items: Annotated[list[MergedAccount], Meta(description="Members in the sequence in which they joined.")]

    @classmethod
    def of(cls, group: Group | None, member_id: str) -> MergedAccounts:
        """The group as one of its members sees it."""
        return cls(
            [
                MergedAccount(
                    each.member_id, rfc3339(each.at), rfc3339(each.at + UNDO_WINDOW), each.member_id == member_id
                )
                for each in (group.members if group else ())
            ]
        )
