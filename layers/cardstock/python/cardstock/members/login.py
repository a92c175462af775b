"""Logging in: the first login registers a member, later ones find the member again."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import INVITER_UNKNOWN, MEMBER_ERASED, STORE_BUSY, Pointer, RefusedError, UnauthorizedError
from cardstock.ids import new_id
from cardstock.limits import Use
from cardstock.members import errors
from cardstock.members.model import Account, Member, phone_key, union_key
from cardstock.members.ports import LoginPlatform, Members
from cardstock.members.session_model import LOG_INS, PHONE_CODES, Arrival, Known, Leads, Session, started

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
    `RefusedError`, `ThrottledError` (TOO_MANY: the account's `LOG_INS` or `PHONE_CODES`; a number is not asked for
    then), and what the platform refuses (`members.ports.LoginPlatform`).
    """
    platform = platforms.get(request.platform)
    if platform is None:
        raise errors.PLATFORM_UNKNOWN(pointers=(Pointer("/platform", "UNKNOWN"),))
    found, now = platform.identify(request.app_id, request.login_code), clock.now()
    account = Account(request.platform, request.app_id, found.openid, found.kind)
    keys = (account.key, union_key(request.platform, found.union_id)) if found.union_id else (account.key,)
    uses = tuple(Use(limit, account.name) for limit in ((LOG_INS, PHONE_CODES) if request.phone_code else (LOG_INS,)))
    leads = members.look_up(keys, request.invite, uses)
    for use in leads.over:
        raise use.limit.refusal(now)
    phone = platform.phone_of(request.app_id, request.phone_code, found.openid) if request.phone_code else ""
    newcomer = Member(id=new_id("mem", now), account=account.name, created_at=now, phone=phone, scene=request.scene)
    session = started(new_id("ses", now), newcomer.id, account.name, now)
    vouched = _Vouched(keys, phone, newcomer, session, uses, request.invite is not None)
    try:
        return _enter(vouched, leads, request.invite, members=members)
    except (RefusedError, UnauthorizedError):
        if phone:
            members.count_refused(uses, now)
        raise


def _enter(vouched: "_Vouched", leads: Leads, invite: str | None, *, members: Members) -> LoginResult:
    for _ in range(_ATTEMPTS):
        arrival = _arrival(vouched, leads, members=members)
        try:
            entered = members.enter(arrival)
        except RefusedError:
            if arrival.is_new:
                raise
            arrival = replace(arrival, invited=None)  # the network keeps no known member out
            entered = members.enter(arrival)
        if entered:
            member = replace(arrival.known.member, phone=arrival.phone) if arrival.phone else arrival.known.member
            return LoginResult(member, arrival.session, arrival.is_new, arrival.inviter_id)
        leads = members.look_up(vouched.keys, invite)
    raise STORE_BUSY()


class _Vouched(msgspec.Struct, frozen=True):
    """What the platform vouches for: the keys of the account and of the union id, and the telephone number; and what
    follows for somebody who is new."""

    keys: tuple[str, ...]
    phone: str
    newcomer: Member
    session: Session
    uses: tuple[Use, ...]
    is_invited: bool


def _arrival(vouched: _Vouched, leads: Leads, *, members: Members) -> Arrival:
    keys, phone, session = vouched.keys, vouched.phone, vouched.session
    unled = tuple(key for key in keys if key not in leads.owners)
    owner_id = next((leads.owners[key] for key in keys if key in leads.owners), None)
    closer = members.look_closer(owner_id, phone, leads.invited)
    if owner_id is None and closer.phone_owner is not None:
        owner_id = closer.phone_owner
        closer = members.look_closer(owner_id, phone, closer.invited)
    if owner_id is None:
        if vouched.is_invited and closer.invited is None:
            raise INVITER_UNKNOWN()
        accounts = (*unled, phone_key(phone)) if phone else unled
        new, uses = Known(vouched.newcomer), vouched.uses
        return Arrival(new, session, is_new=True, accounts=accounts, invited=closer.invited, uses=uses)
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
        uses=vouched.uses,
    )
