"""The members' part of closing an account."""

from datetime import datetime
from typing import Any

from cardstock.members.model import Member
from cardstock.members.ports import Members


def close_account(member: Member, now: datetime, *, members: Members) -> Any:
    """What erases the member as a part of another area's transaction: see `members.ports.Members.closing_step`."""
    return members.closing_step(member, now)
