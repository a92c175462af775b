"""A member changes the telephone number, by a proof of the platform on which the session began."""

from typing import Final

import msgspec

from cardstock import clock
from cardstock.errors import MEMBER_ERASED, STORE_BUSY, Pointer
from cardstock.ids import new_id
from cardstock.limits import Use
from cardstock.members import errors
from cardstock.members.erasure_model import former_key
from cardstock.members.login import LoginNeeds
from cardstock.members.model import Member, phone_key
from cardstock.members.phones import keeps_number
from cardstock.members.ports import LoginPlatform, Members
from cardstock.members.profile import find_logged_in
from cardstock.members.session_model import PHONE_CODES, Known, PhoneChange

_ATTEMPTS: Final = 5


class PhoneRequest(msgspec.Struct, frozen=True):
    """Who wants another number, in which session and with which account (`wechat:wx123:oABC`), and the codes of the
    platform. `login_code`: where the proof is read with the key of a log-in, as on Baidu."""

    member_id: str
    session_id: str
    account: str
    phone_code: str
    login_code: str | None = None


def change_phone(request: PhoneRequest, needs: LoginNeeds) -> Member:
    """The member with the number that the code proves. The one before is free; a number of another member moves here
    by the rules of a log-in of a known member (`phones`), and that one is notified.

    The number that the member has already changes nothing. Raises `RefusedError`: LINKED_TO_STAFF; PHONE_HELD (the
    number is that of a member who is staff, or anybody can repeat the proof and the number is another member's);
    `InvalidError` (PLATFORM_UNKNOWN), `UnauthorizedError` (MEMBER_ERASED, SESSION_ENDED; LOGIN_CODE_INVALID, also for
    a log-in code of another account), `ThrottledError` (TOO_MANY: the account's `PHONE_CODES`; no number is asked for
    then), and what the platform refuses.
    """
    members, now = needs.members, clock.now()
    _changeable(find_logged_in(request.member_id, request.session_id, members=members))
    name, app_id, openid = (*request.account.split(":", 2), "", "", "")[:3]
    platform = needs.platforms.get(name)
    if platform is None:
        raise errors.PLATFORM_UNKNOWN()
    uses = (Use(PHONE_CODES, needs.marker.of("account", request.account)),)
    for over in members.look_up((), None, uses).over:
        raise over.limit.refusal(now)
    phone = _proved(request, platform, app_id, openid)
    for _ in range(_ATTEMPTS):
        former = former_key(phone_key(phone), needs.marker)
        closer = members.look_closer(request.member_id, phone, former=former)
        member = _changeable(closer.known.member if closer.known else None)
        holder_id = closer.phone_owner if closer.phone_owner != member.id else None
        is_held = holder_id is not None and _is_held(holder_id, platform, members)
        if member.phone == phone or is_held:
            members.count_refused(uses, now)
            if is_held:
                raise errors.PHONE_HELD()
            return member
        change = PhoneChange(
            new_id("phm", now), member, phone, not platform.proves_holder, f"{name}:{app_id}", now, uses, holder_id,
            None if holder_id or closer.former in member.relatives else closer.former,
        )  # fmt: skip
        if members.change_phone(change):
            return change.after
    raise STORE_BUSY()


def _changeable(member: Member | None) -> Member:
    if member is None or member.state == "erased":
        raise MEMBER_ERASED()
    if member.staff_link:
        raise errors.LINKED_TO_STAFF()
    return member


def _proved(request: PhoneRequest, platform: LoginPlatform, app_id: str, openid: str) -> str:
    """The number. A log-in code comes first: some platforms read the number with its key."""
    if request.login_code and platform.identify(app_id, request.login_code).openid != openid:
        raise errors.LOGIN_CODE_INVALID(pointers=(Pointer("/login_code", "INVALID"),))
    return platform.phone_of(app_id, request.phone_code, openid)


def _is_held(holder_id: str, platform: LoginPlatform, members: Members) -> bool:
    if not platform.proves_holder:
        return True
    holder = members.find_member(holder_id)
    return keeps_number(Known(holder) if holder else None)
