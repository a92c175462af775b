"""Telephone numbers that another account proves to have: it joins their member, or the number moves to it.

Whoever has a number today need not be who had it: carriers give numbers on. So an account joins the member of its
number only if that member has confirmed it, or if it cannot be anybody else's and there is nothing to be had. Else the
number moves, and the member who loses it is notified. A proof that anybody can repeat (`LoginPlatform.proves_holder`)
takes a number from nobody, and joins only who has confirmed it. A member who is linked with a person of the staff
keeps its number, and no account joins it: only an owner changes who a person of the staff is. A member who has a number
changes it by `changing_phone`, never by logging in.
"""

from datetime import datetime, timedelta
from typing import Final

from cardstock import clock
from cardstock.errors import MEMBER_ERASED
from cardstock.members import errors
from cardstock.members.model import Member
from cardstock.members.ports import Holdings, Members
from cardstock.members.profile import find_caller
from cardstock.members.session_model import Join, Known

JOINING_WINDOW: Final = timedelta(minutes=10)
"""How long a member's word that an account may join holds: time to log in elsewhere, once."""
PROOF_HOLDS: Final = timedelta(days=90)
"""A carrier gives a number on after ninety days at the earliest: a younger proof is of the same person."""
QUIET: Final = timedelta(days=180)
"""An order in this time is something to be had: its goods, address and refund."""


def open_joining(member_id: str, *, members: Members) -> datetime:
    """Let one account that has the member's number join within ten minutes; until when. A repeat begins anew.

    Raises `RefusedError` (PHONE_MISSING, LINKED_TO_STAFF), `UnauthorizedError` (MEMBER_ERASED).
    """
    until = clock.now() + JOINING_WINDOW
    if members.open_joining(member_id, until):
        return until
    member = find_caller(member_id, members=members)
    if member.staff_link:
        raise errors.LINKED_TO_STAFF()
    if member.phone:
        raise MEMBER_ERASED()  # in the same moment
    raise errors.PHONE_MISSING()


def keeps_number(holder: Known | None) -> bool:
    """Whether the member is linked with a person of the staff: its number moves to nobody."""
    return holder is not None and holder.member.staff_link != ""


def how_to_join(member: Member, now: datetime, *, proven: bool, holdings: Holdings) -> Join | None:
    """How an account that has the member's number joins; None: not at all. Asks for holdings only if that decides.

    `proven`: the account's proof cannot be repeated by anybody else.
    """
    if member.state == "erased" or member.staff_link:
        return None
    if member.lets_join(now):
        return "confirmed"
    if member.phone_claimed or not proven or member.group or member.relatives:
        return None  # who joins one account of a person gets at what the others have
    proven_at = member.phone_at or member.created_at
    if member.person is not None or now >= proven_at + PROOF_HOLDS:
        return None
    return None if holdings.has_holdings(member.id, now - QUIET) else "empty"
