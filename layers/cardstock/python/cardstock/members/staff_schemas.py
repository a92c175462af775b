"""Members as JSON for headquarters: no openid, no identity number, telephone number and name masked."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import Day, MemberId, Moment, NextCursor, day_in_query
from cardstock.edge.http import LINE, Model
from cardstock.members.model import Member, MemberState, mask_name, mask_phone


class MemberQuery(PageQuery, kw_only=True):
    """Which members, and where in the list."""

    day: Annotated[Day | None, Meta(description="Registered on this day; absent: today.")] = None
    phone: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=64,
                pattern=LINE,
                description="The whole telephone number, as people write it; of any day. The search is logged.",
                examples=["13800138000"],
            ),
        ]
        | None
    ) = None

    def registered_on(self, today: date) -> date:
        """The day. Raises `InvalidError` QUERY_INVALID for one that does not exist."""
        return day_in_query(self.day, "day") or today


class StaffMember(Model):
    """A member as headquarters sees it."""

    member_id: MemberId
    state: Annotated[
        MemberState, Meta(description="`verified` once the real name was verified.", examples=["registered"])
    ]
    nickname: Annotated[str, Meta(description="Name that the member chose; empty if none.", examples=["小明"])]
    phone: Annotated[
        str, Meta(description="Telephone number, masked; empty if none is bound.", examples=["+86138****8000"])
    ]
    name: Annotated[str | None, Meta(description="Real name, masked; null before it is verified.", examples=["王**"])]
    platform: Annotated[str, Meta(description="Login platform of the first login.", examples=["dev"])]
    scene: Annotated[str, Meta(description="The platform's entry point; empty if unknown.", examples=["1011"])]
    created_at: Annotated[Moment, Meta(description="When the member first logged in.")]

    @classmethod
    def of(cls, member: Member) -> Self:
        """A member for staff; of an erased one only that there was one."""
        there = member.state != "erased"
        return cls(
            member_id=member.id,
            state=member.state,
            nickname=member.nickname if there else "",
            phone=mask_phone(member.phone) if there else "",
            name=mask_name(member.person.name) if member.person and there else None,
            platform=member.account.partition(":")[0],
            scene=member.scene,
            created_at=rfc3339(member.created_at),
        )


class StaffMembers(Model):
    """Some members, newest first."""

    items: Annotated[list[StaffMember], Meta(description="Members, newest first.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, members: Sequence[Member], next_cursor: str | None) -> Self:
        """A page of members."""
        return cls([StaffMember.of(member) for member in members], next_cursor)


class DisputeIdentity(Model):
    """Why the member is not the person as whom it was verified."""

    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=LINE,
            description="Reason; it stays on record.",
            examples=["the person came with the card, file of 2026-11-20"],
        ),
    ]


class IdentityDispute(Model):
    """An open item that asks another person to take an identity from a member."""

    item_id: Annotated[
        str, Meta(description="Open item that another person clears.", examples=["oit_01kbdxdh50fcazdjhcnqh2rzv5"])
    ]
    member_id: MemberId

    @classmethod
    def of(cls, item_id: str, member_id: str) -> Self:
        """The item of a dispute."""
        return cls(item_id, member_id)
