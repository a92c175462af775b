"""The members' part of closing an account."""

from datetime import datetime
from typing import Any

from cardstock.marks import Marker
from cardstock.members.closing_model import ClosingRequest
from cardstock.members.erasure_model import former_key
from cardstock.members.model import Member, phone_key
from cardstock.members.ports import Members


def close_account(
    member: Member, now: datetime, request: ClosingRequest | None = None, *, members: Members, marker: Marker
) -> Any:
    """What erases the member as a part of another area's transaction: see `members.ports.Members.closing_step`."""
    former = former_key(phone_key(member.phone), marker) if member.phone else ""
    return members.closing_step(member, now, former, request)
