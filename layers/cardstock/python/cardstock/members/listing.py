"""Members as headquarters finds them: by day of registration, by id, or by telephone number."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from cardstock.errors import NOT_FOUND
from cardstock.members.model import MEMBER_ID, Member
from cardstock.members.ports import Members
from cardstock.texts import clean_phone

_HOME: Final = "+86"
_MOBILE_DIGITS: Final = 11


def find_member(member_id: str, *, members: Members) -> Member:
    """A member, erased ones too. Raises `NotFoundError`. A malformed id costs no read."""
    member = members.find_member(member_id) if MEMBER_ID.fullmatch(member_id) else None
    if member is None:
        raise NOT_FOUND()
    return member


def registered_on(day: date, limit: int, after: str | None, *, members: Members) -> tuple[Sequence[Member], str | None]:
    """A page of the members who registered on a day of the brand, newest first, and the id after which the next one
    starts."""
    return members.members_of_day(day, limit, after)


def with_phone(text: str, *, members: Members) -> list[Member]:
    """The member with this telephone number, if there is one; the number as people write it, a Chinese one also without
    its country."""
    number = full_number(text)
    found = members.find_member_by_phone(number) if number else None
    return [] if found is None else [found]


def full_number(text: str) -> str | None:
    """`+8613800138000`, as numbers are bound to members; None for what is no such number."""
    digits = (clean_phone(text) or "").replace(" ", "").replace("-", "")
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    elif len(digits) == _MOBILE_DIGITS and digits.startswith("1"):
        digits = _HOME + digits
    elif len(digits) == _MOBILE_DIGITS + 2 and digits.startswith("861"):
        digits = f"+{digits}"
    return digits if digits.startswith("+") and digits[1:].isdigit() else None
