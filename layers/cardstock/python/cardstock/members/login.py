"""Logging in: the first login registers a member, later ones find the member again."""

from collections.abc import Mapping

import msgspec

from cardstock import clock
from cardstock.errors import MEMBER_ERASED, Pointer, RefusedError
from cardstock.ids import new_id
from cardstock.members import errors
from cardstock.members.inviting import follow_invite, resolve_invite
from cardstock.members.model import Account, Member
from cardstock.members.ports import Inviters, LoginPlatform, Members


class LoginRequest(msgspec.Struct, frozen=True):
    """What a client presents: codes from the platform, the invite that brought it, and the scene (entry point)."""

    platform: str
    app_id: str
    login_code: str
    phone_code: str | None = None
    invite: str | None = None
    scene: str = ""


class LoginResult(msgspec.Struct, frozen=True):
    """The member who logged in, whether this login registered it, and who brought it."""

    member: Member
    is_new: bool
    inviter_id: str | None


def log_in(
    request: LoginRequest, *, platforms: Mapping[str, LoginPlatform], members: Members, inviters: Inviters
) -> LoginResult:
    """The member behind the platform's account, registered with telephone number and inviter in one step if new.

    A newcomer whose invite cannot be followed is refused whole (INVITER_UNKNOWN and the other rules): nothing is kept.
    An invite never keeps a known member out: it is followed if the rules allow. A known telephone number gives the
    account to the member who has the number. Raises `InvalidError` (PLATFORM_UNKNOWN), `UnauthorizedError`
    (MEMBER_ERASED), `RefusedError`, and what the platform refuses (`members.ports.LoginPlatform`).
    """
    platform = platforms.get(request.platform)
    if platform is None:
        raise errors.PLATFORM_UNKNOWN(pointers=(Pointer("/platform", "UNKNOWN"),))
    found = platform.identify(request.app_id, request.login_code)
    account = Account(request.platform, request.app_id, found.openid, found.kind)
    phone = platform.phone_of(request.app_id, request.phone_code, found.openid) if request.phone_code else ""
    known = _find_known(account, phone, members=members)
    if known is not None:
        return _log_in_known(known, phone, request.invite, members=members, inviters=inviters)
    newcomer = _newcomer(account, phone, request.scene)
    inviter_id = None if request.invite is None else resolve_invite(request.invite, inviters=inviters)
    registered = members.register_member(newcomer, account, inviter_id)
    if registered.id != newcomer.id:
        return _log_in_known(registered, phone, request.invite, members=members, inviters=inviters)
    return LoginResult(registered, is_new=True, inviter_id=inviter_id)


def _find_known(account: Account, phone: str, *, members: Members) -> Member | None:
    known = members.find_member_by_account(account)
    if known is None and phone:
        owner = members.find_member_by_phone(phone)
        known = members.add_account(owner, account) if owner else None
    return known


def _newcomer(account: Account, phone: str, scene: str) -> Member:
    now = clock.now()
    return Member(id=new_id("mem", now), account=account.name, created_at=now, phone=phone, scene=scene)


def _log_in_known(
    member: Member, phone: str, invite: str | None, *, members: Members, inviters: Inviters
) -> LoginResult:
    if member.state == "erased":
        raise MEMBER_ERASED()
    if phone and not member.phone:
        member = members.add_phone(member, phone)
    inviter_id = inviters.inviter_of(member.id)
    if inviter_id is None and invite is not None:
        try:
            inviter_id = follow_invite(member.id, invite, inviters=inviters)
        except RefusedError:
            inviter_id = None
    return LoginResult(member, is_new=False, inviter_id=inviter_id)
