"""What a member says of themselves, and finding a member who may act."""

from cardstock import clock
from cardstock.errors import BODY_INVALID, MEMBER_ERASED, NOT_FOUND, Pointer
from cardstock.members import errors
from cardstock.members.model import MEMBER_ID, Member
from cardstock.members.ports import Members


def find_caller(member_id: str, *, members: Members) -> Member:
    """The member who calls. Raises `UnauthorizedError` (MEMBER_ERASED) when the token has outlived the member."""
    member = members.find_member(member_id)
    if member is None or member.state == "erased":
        raise MEMBER_ERASED()
    return member


def find_logged_in(member_id: str, session_id: str, *, members: Members) -> Member | None:
    """The member behind a token whose session has not ended: for what a token that outlives its session must not do.

    None without a member. Raises `UnauthorizedError` (SESSION_ENDED). One read.
    """
    member, goes_on = members.find_with_session(member_id, session_id)
    if not goes_on:
        raise errors.SESSION_ENDED()
    return member


def require_not_closed(member_id: str, *, members: Members) -> None:
    """Raises `UnauthorizedError` (MEMBER_ERASED) when the token has outlived the member. One read."""
    member = members.find_member(member_id)
    if member is not None and member.state == "erased":
        raise MEMBER_ERASED()


def find_member(member_id: str, *, members: Members) -> Member:
    """The member whom somebody else names, by whatever text. Raises `NotFoundError`."""
    member = members.find_member(member_id) if MEMBER_ID.fullmatch(member_id) else None
    if member is None or member.state == "erased":
        raise NOT_FOUND()
    return member


def change_profile(member_id: str, nickname: str, birth_year: int | None, *, members: Members) -> Member:
    """The member with the new profile. Raises `InvalidError` for a birth year in the future."""
    if birth_year is not None and birth_year > clock.now().year:
        raise BODY_INVALID(pointers=(Pointer("/birth_year", "OUT_OF_RANGE", {"max": clock.now().year}),))
    member = members.change_profile(member_id, nickname, birth_year)
    if member is None:
        raise MEMBER_ERASED()
    return member
