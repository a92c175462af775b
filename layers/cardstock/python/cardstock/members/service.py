"""Logging in, and what a member tells about himself."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from cardstock.clock import Clock
from cardstock.errors import (
    BODY_INVALID,
    INVITER_UNKNOWN,
    MEMBER_ERASED,
    NOT_FOUND,
    Pointer,
    RefusedError,
)
from cardstock.ids import new_id
from cardstock.members import errors
from cardstock.members.model import MEMBER_ID, Account, Member, Person, born_on, hash_number, mask_number
from cardstock.members.ports import Inviters, Members, Platform, Verifier


class Login(msgspec.Struct, frozen=True):
    """What a client presents: codes from the platform, and the invite that brought it, each `None` if there is none."""

    platform: str
    app_id: str
    login_code: str
    phone_code: str | None = None
    invite: str | None = None
    scene: str = ""


class Session(msgspec.Struct, frozen=True):
    """Who logged in, whether this registered him, and who brought him."""

    member: Member
    is_new: bool
    inviter_id: str | None


def log_in(
    login: Login, *, platforms: Mapping[str, Platform], members: Members, inviters: Inviters, clock: Clock
) -> Session:
    """The member behind the platform's account, registered with number and inviter in one step if he is new.

    A newcomer with an invite that cannot be followed is refused whole (INVITER_UNKNOWN and the other rules): nothing is
    kept. Somebody who is known already is never kept out by an invite: it is followed if the rules allow. A known
    telephone number makes a new account the known member's. Raises `InvalidError` (PLATFORM_UNKNOWN),
    `UnauthorizedError` (LOGIN_CODE_INVALID), `RefusedError`.
    """
    platform = platforms.get(login.platform)
    if platform is None:
        raise errors.PLATFORM_UNKNOWN(pointers=(Pointer("/platform", "UNKNOWN"),))
    account = Account(login.platform, login.app_id, platform.identify(login.app_id, login.login_code))
    phone = platform.phone(login.app_id, login.phone_code) if login.phone_code else ""
    known = members.find_by_account(account)
    if known is None and phone:
        owner = members.find_by_phone(phone)
        known = members.add_account(owner, account) if owner else None
    if known is not None:
        return _welcome_back(known, phone, login.invite, members=members, inviters=inviters)
    now = clock.now()
    newcomer = Member(
        id=new_id("mem", now),
        account=f"{account.platform}:{account.app_id}:{account.openid}",
        created_at=now,
        phone=phone,
        scene=login.scene,
    )
    inviter_id = None if login.invite is None else _inviter(login.invite, inviters=inviters)
    joined = members.join(newcomer, account, inviter_id)
    if joined.id != newcomer.id:
        return _welcome_back(joined, phone, login.invite, members=members, inviters=inviters)
    return Session(joined, True, inviter_id)


def _welcome_back(member: Member, phone: str, invite: str | None, *, members: Members, inviters: Inviters) -> Session:
    if member.erased_at is not None:
        raise MEMBER_ERASED()
    if phone and not member.phone:
        member = members.add_phone(member, phone)
    bound = inviters.of(member.id)
    if bound is None and invite is not None:
        try:
            bound = follow_invite(member.id, invite, inviters=inviters)
        except RefusedError:
            bound = None
    return Session(member, False, bound)


def follow_invite(member_id: str, invite: str, *, inviters: Inviters) -> str:
    """Bind the member to whoever invited him; the inviter's id. The same again changes nothing.

    Raises `RefusedError`: INVITER_UNKNOWN, INVITER_SELF, INVITER_BOUND, INVITER_TOO_LATE, INVITER_HAS_REFERRED.
    """
    inviter_id = _inviter(invite, inviters=inviters)
    inviters.bind(member_id, inviter_id)
    return inviter_id


def _inviter(invite: str, *, inviters: Inviters) -> str:
    inviter_id = inviters.resolve(invite)
    if inviter_id is None:
        raise INVITER_UNKNOWN()
    return inviter_id


def present_member(member_id: str, *, members: Members) -> Member:
    """The member. Raises `UnauthorizedError` (MEMBER_ERASED) when his token outlived him."""
    member = members.find(member_id)
    if member is None or member.erased_at is not None:
        raise MEMBER_ERASED()
    return member


def known_member(member_id: str, *, members: Members) -> Member:
    """Somebody else's view of a member, for whatever text was given as his id. Raises `NotFoundError`."""
    member = members.find(member_id) if MEMBER_ID.fullmatch(member_id) else None
    if member is None or member.erased_at is not None:
        raise NOT_FOUND()
    return member


def change_profile(member_id: str, nickname: str, birth_year: int | None, *, members: Members, clock: Clock) -> Member:
    """The member with the new profile. Raises `InvalidError` for a birth year to come."""
    if birth_year is not None and birth_year > clock.now().year:
        raise BODY_INVALID(pointers=(Pointer("/birth_year", "OUT_OF_RANGE"),))
    member = members.set_profile(member_id, nickname, birth_year)
    if member is None:
        raise MEMBER_ERASED()
    return member


def verify_person(
    member_id: str, name: str, number: str, *, members: Members, verifier: Verifier | None, clock: Clock
) -> Member:
    """The member, verified as the person of that name and ID number. The same person again changes nothing.

    Raises `InvalidError` (ID_NUMBER_INVALID), `RefusedError`: IDENTITY_FIXED (he is verified as somebody else already),
    IDENTITY_MISMATCH, IDENTITY_IN_USE (`MOST_MEMBERS` are this person already), VERIFICATION_MISSING (this deployment
    has nobody who can verify).
    """
    number = number.upper()
    now = clock.now()
    born = born_on(number, now.date())
    member = present_member(member_id, members=members)
    if member.person is None:
        if verifier is None:
            raise errors.VERIFICATION_MISSING()
        method = verifier(name, number)
        person = Person(name, mask_number(number), hash_number(number, members.salt()), born, method, now)
        if members.set_person(member_id, person):
            return replace(member, person=person)
        member = present_member(member_id, members=members)
    if member.person is None or member.person.name != name or not member.person.is_number(number):
        raise errors.IDENTITY_FIXED()
    return member
