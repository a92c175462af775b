"""Logging in: the first login registers a member, later ones find the member again."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import MEMBER_ERASED, STORE_BUSY, Pointer, RefusedError
from cardstock.ids import new_id
from cardstock.members import errors
from cardstock.members.inviting import follow_invite, resolve_invite
from cardstock.members.model import Account, Member, phone_key, union_key
from cardstock.members.ports import Inviters, LoginPlatform, Members
from cardstock.members.session_model import Arrival, Known, Session, started

_ATTEMPTS: Final = 5


class LoginRequest(msgspec.Struct, frozen=True):
    """What a client presents: codes from the platform, the invite that brought it, and the scene (entry point)."""

    platform: str
    app_id: str
    login_code: str
    phone_code: str | None = None
    invite: str | None = None
    scene: str = ""


class LoginResult(msgspec.Struct, frozen=True):
    """The member who logged in, the session, whether this login registered the member, and who brought the member."""

    member: Member
    session: Session
    is_new: bool
    inviter_id: str | None


def log_in(
    request: LoginRequest, *, platforms: Mapping[str, LoginPlatform], members: Members, inviters: Inviters
) -> LoginResult:
    """A session of the member behind the platform's account, registered with number and inviter in one step if new.

    A newcomer whose invite cannot be followed is refused whole (INVITER_UNKNOWN and the other rules): nothing is kept.
    An invite never keeps a known member out: it is followed if the rules allow. A known union id, or a known telephone
    number, gives the account to its member; the account comes first, then the union id. Raises `InvalidError`
    (PLATFORM_UNKNOWN), `UnauthorizedError` (MEMBER_ERASED), `RefusedError`, and what the platform refuses
    (`members.ports.LoginPlatform`).
    """
    platform = platforms.get(request.platform)
    if platform is None:
        raise errors.PLATFORM_UNKNOWN(pointers=(Pointer("/platform", "UNKNOWN"),))
    found = platform.identify(request.app_id, request.login_code)
    account = Account(request.platform, request.app_id, found.openid, found.kind)
    phone = platform.phone_of(request.app_id, request.phone_code, found.openid) if request.phone_code else ""
    names = _Names(account, union_key(request.platform, found.union_id) if found.union_id else "", phone)
    now = clock.now()
    newcomer = Member(id=new_id("mem", now), account=account.name, created_at=now, phone=phone, scene=request.scene)
    session = started(new_id("ses", now), newcomer.id, account.name, now)
    for _ in range(_ATTEMPTS):
        arrival = _arrival(names, newcomer, session, members=members)
        if arrival.is_new and request.invite is not None:
            arrival = replace(arrival, inviter_id=resolve_invite(request.invite, inviters=inviters))
        if members.enter(arrival):
            return _result(arrival, request.invite, inviters=inviters)
    raise STORE_BUSY()


class _Names(msgspec.Struct, frozen=True):
    """What the platform vouches for: the account, the key of the union id, the telephone number."""

    account: Account
    union: str
    phone: str

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.account.key, self.union, phone_key(self.phone) if self.phone else "")))


def _arrival(names: _Names, newcomer: Member, session: Session, *, members: Members) -> Arrival:
    leads = members.look_up(names.keys)
    owner_id = next((leads[key] for key in names.keys if key in leads), None)
    unled = tuple(key for key in names.keys if key not in leads)
    if owner_id is None:
        return Arrival(Known(newcomer), session, is_new=True, accounts=unled)
    known = members.find_known(owner_id)
    if known is None or known.member.state == "erased":
        raise MEMBER_ERASED()
    member, session = known.member, replace(session, member_id=owner_id)
    phone = names.phone if not member.phone else ""
    if phone and leads.get(phone_key(phone), owner_id) != owner_id:
        raise errors.PHONE_TAKEN()
    if not phone:
        unled = tuple(key for key in unled if key != phone_key(names.phone))
    return Arrival(known, session, accounts=unled, phone=phone)


def _result(arrival: Arrival, invite: str | None, *, inviters: Inviters) -> LoginResult:
    member, inviter_id = arrival.known.member, arrival.inviter_id or arrival.known.inviter_id
    if inviter_id is None and invite is not None:
        try:
            inviter_id = follow_invite(member.id, invite, inviters=inviters)
        except RefusedError:
            inviter_id = None
    if arrival.phone:
        member = replace(member, phone=arrival.phone)
    return LoginResult(member, arrival.session, arrival.is_new, inviter_id)
