"""Following invites."""

from cardstock.errors import INVITER_UNKNOWN
from cardstock.members.ports import Inviters


def follow_invite(member_id: str, invite: str, *, inviters: Inviters) -> str:
    """Bind the member to the inviter behind `invite`; the inviter's id. The same again changes nothing.

    Raises `RefusedError`: INVITER_UNKNOWN, INVITER_SELF, INVITER_BOUND, INVITER_TOO_LATE, INVITER_HAS_REFERRED.
    """
    inviter_id = resolve_invite(invite, inviters=inviters)
    inviters.bind_inviter(member_id, inviter_id)
    return inviter_id


def resolve_invite(invite: str, *, inviters: Inviters) -> str:
    """The id of the inviter. Raises `RefusedError` (INVITER_UNKNOWN)."""
    inviter_id = inviters.member_behind(invite)
    if inviter_id is None:
        raise INVITER_UNKNOWN()
    return inviter_id
