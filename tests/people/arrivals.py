"""Members who arrive as a log-in brings them, without a platform."""

from datetime import datetime

from msgspec.structs import replace

from cardstock.ids import new_id
from cardstock.members.model import Account, Member, phone_key
from cardstock.members.ports import Members
from cardstock.members.session_model import Arrival, Known, Session, started
from tests.people.consents import EVERY


def session_of(member_id: str, now: datetime) -> Session:
    """A session that starts now."""
    return started(new_id("ses", now), member_id, "dev:wx1:o", now)


def register(members: Members, member: Member, account: Account, inviter_id: str | None = None) -> Member:
    """Register a member with account, telephone number and inviter, who agreed to everything by default."""
    member = replace(member, consents=member.consents or EVERY)
    keys = (account.key, phone_key(member.phone)) if member.phone else (account.key,)
    session = session_of(member.id, member.created_at)
    invited = members.look_up((), inviter_id).invited
    assert members.enter(Arrival(Known(member), session, is_new=True, accounts=keys, invited=invited))
    return member
