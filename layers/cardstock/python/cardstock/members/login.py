"""Logging in: the first login registers a member, later ones find the member again."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import INVITER_UNKNOWN, MEMBER_ERASED, STORE_BUSY, Pointer, RefusedError
from cardstock.ids import new_id
from cardstock.members import errors
from cardstock.members.model import Account, Member, phone_key, union_key
from cardstock.members.ports import LoginPlatform, Members
from cardstock.members.session_model import Arrival, Known, Leads, Session, started

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


def log_in(request: LoginRequest, *, platforms: Mapping[str, LoginPlatform], members: Members) -> LoginResult:
    """A session of the member behind the platform's account, registered with number and inviter in one step if new.

    A newcomer whose invite cannot be followed is refused whole (INVITER_UNKNOWN and the other rules): nothing is kept.
    An invite never keeps a known member out: it is followed if the rules allow. A known union id, or a known telephone
    number, gives the account to its member; the account comes first, then the union id. Three calls of the store at
    most, if nobody else writes the same. Raises `InvalidError` (PLATFORM_UNKNOWN), `UnauthorizedError` (MEMBER_ERASED),
    `RefusedError`, and what the platform refuses (`members.ports.LoginPlatform`).
    """
    platform = platforms.get(request.platform)
    if platform is None:
        raise errors.PLATFORM_UNKNOWN(pointers=(Pointer("/platform", "UNKNOWN"),))
    found = platform.identify(request.app_id, request.login_code)
    account = Account(request.platform, request.app_id, found.openid, found.kind)
    phone = platform.phone_of(request.app_id, request.phone_code, found.openid) if request.phone_code else ""
    keys = (account.key, union_key(request.platform, found.union_id)) if found.union_id else (account.key,)
    now = clock.now()
    newcomer = Member(id=new_id("mem", now), account=account.name, created_at=now, phone=phone, scene=request.scene)
    vouched = _Vouched(keys, phone, newcomer, started(new_id("ses", now), newcomer.id, account.name, now))
    for _ in range(_ATTEMPTS):
        arrival = _arrival(vouched, members.look_up(keys, request.invite), members=members)
        if arrival.is_new and request.invite is not None and arrival.invited is None:
            raise INVITER_UNKNOWN()
        entered = _enter(arrival, members=members)
        if entered is not None:
            return entered
    raise STORE_BUSY()


class _Vouched(msgspec.Struct, frozen=True):
    """What the platform vouches for: the keys of the account and of the union id, and the telephone number; and what
    follows for somebody who is new."""

    keys: tuple[str, ...]
    phone: str
    newcomer: Member
    session: Session


def _arrival(vouched: _Vouched, leads: Leads, *, members: Members) -> Arrival:
    keys, phone, session = vouched.keys, vouched.phone, vouched.session
    unled = tuple(key for key in keys if key not in leads.owners)
    owner_id = next((leads.owners[key] for key in keys if key in leads.owners), None)
    closer = members.look_closer(owner_id, phone, leads.invited)
    if owner_id is None and closer.phone_owner is not None:
        owner_id = closer.phone_owner
        closer = members.look_closer(owner_id, phone, closer.invited)
    if owner_id is None:
        accounts = (*unled, phone_key(phone)) if phone else unled
        return Arrival(Known(vouched.newcomer), session, is_new=True, accounts=accounts, invited=closer.invited)
    known = closer.known
    if known is None or known.member.state == "erased":
        raise MEMBER_ERASED()
    if known.member.phone or closer.phone_owner == owner_id:
        phone = ""
    if phone and closer.phone_owner is not None:
        raise errors.PHONE_TAKEN()
    return Arrival(
        known,
        replace(session, member_id=owner_id),
        accounts=(*unled, phone_key(phone)) if phone else unled,
        phone=phone,
        invited=closer.invited if known.inviter_id is None else None,
    )


def _enter(arrival: Arrival, *, members: Members) -> LoginResult | None:
    """The log-in that was written; None if it must be read again. The network keeps no known member out."""
    try:
        entered = members.enter(arrival)
    except RefusedError:
        if arrival.is_new:
            raise
        arrival = replace(arrival, invited=None)
        entered = members.enter(arrival)
    if not entered:
        return None
    member = replace(arrival.known.member, phone=arrival.phone) if arrival.phone else arrival.known.member
    return LoginResult(member, arrival.session, arrival.is_new, arrival.inviter_id)
