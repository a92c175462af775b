"""Logging in: the first login registers a member, later ones find the member again."""

from collections.abc import Mapping, Sequence, Set
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import (
    CONSENT_MISSING,
    INVITER_UNKNOWN,
    MEMBER_ERASED,
    STORE_BUSY,
    CardstockError,
    Pointer,
    RefusedError,
    UnauthorizedError,
)
from cardstock.ids import new_id
from cardstock.limits import Use
from cardstock.marks import Marker
from cardstock.members import errors
from cardstock.members.consent_model import Purpose, Versions, allows, with_consent
from cardstock.members.consents import require_current
from cardstock.members.erasure_model import former_key
from cardstock.members.model import Account, Member, phone_key, union_key
from cardstock.members.phones import how_to_join, keeps_number
from cardstock.members.ports import Holdings, LoginPlatform, Members
from cardstock.members.session_model import (
    LOG_INS,
    PHONE_CODES,
    Arrival,
    Invited,
    Known,
    Leads,
    Session,
    started,
)

PhoneNotBound: TypeAlias = Literal["kept", "held"]
"""Why a number that was proved is not the member's: the member has another one and keeps it, or the number is another
member's and stays there."""
_ATTEMPTS: Final = 5


class LoginRequest(msgspec.Struct, frozen=True):
    """What a client presents: codes from the platform, the invite that brought it, the scene (entry point), and to
    which versions of which purposes the person agreed there."""

    platform: str
    app_id: str
    login_code: str
    phone_code: str | None = None
    invite: str | None = None
    scene: str = ""
    consents: Sequence[tuple[Purpose, int]] = ()


class LoginResult(msgspec.Struct, frozen=True):
    """The member who logged in, the session, whether this login registered the member, and who brought the member."""

    member: Member
    session: Session
    is_new: bool
    inviter_id: str | None
    phone_not_bound: PhoneNotBound | None = None
    """Why the number that was proved is not the member's; None if it is, or if none was."""


class LoginNeeds(msgspec.Struct, frozen=True):
    """The ports of logging in, and the versions of consents that are in force."""

    platforms: Mapping[str, LoginPlatform]
    members: Members
    holdings: Holdings
    versions: Versions
    marker: Marker


def log_in(request: LoginRequest, needs: LoginNeeds) -> LoginResult:
    """A session of the member behind the platform's account, registered with number and inviter in one step if new.

    A newcomer whose invite cannot be followed is refused whole (INVITER_UNKNOWN and the other rules): nothing is kept.
    An invite never keeps a known member out: it is followed if the rules allow. A known union id gives the account to
    its member. A number of another member lets a new account join that member by the rules of `phones`; else it moves
    to the member who logs in, or stays with a member who is linked with a person of the staff: then the log-in goes on
    without it, as it does if anybody can repeat the proof. A member who has a number keeps it, and changes it by
    `changing_phone` alone: `phone_not_bound` says so. Three calls of the
    store at most, if nobody else writes the same and the number is nobody else's.

    Whoever registers with an account, union id or number of a closed account is a new member who is the same person as
    that one (`Member.former`), and is brought by nobody: an invite is left out.

    The consents of the request are stored on the member in the same step. Nobody enters without the consent to
    `account` in the version in force, given now or before: an account that leads to no member is refused before its
    number is asked for, and nothing is kept.

    Raises `InvalidError` (PLATFORM_UNKNOWN), `UnauthorizedError` (MEMBER_ERASED), `RefusedError` (CONSENT_MISSING,
    CONSENT_OUTDATED, and the network's), `ThrottledError`
    (TOO_MANY: the account's `LOG_INS` or `PHONE_CODES`; a number is not asked for then), and what the platform refuses
    (`members.ports.LoginPlatform`).
    """
    members, versions = needs.members, needs.versions
    platform = needs.platforms.get(request.platform)
    if platform is None:
        raise errors.PLATFORM_UNKNOWN(pointers=(Pointer("/platform", "UNKNOWN"),))
    _require_current(request.consents, versions)
    found, now = platform.identify(request.app_id, request.login_code), clock.now()
    account = Account(request.platform, request.app_id, found.openid, found.kind)
    keys = (account.key, union_key(request.platform, found.union_id)) if found.union_id else (account.key,)
    counted = needs.marker.of("account", account.name)
    uses = tuple(Use(limit, counted) for limit in ((LOG_INS, PHONE_CODES) if request.phone_code else (LOG_INS,)))
    former = {key: former_key(key, needs.marker) for key in keys}
    leads = members.look_up((*keys, *former.values()), request.invite, uses)
    for use in leads.over:
        raise use.limit.refusal(now)
    if leads.owners.keys().isdisjoint(keys) and "account" not in dict(request.consents):
        raise _account_missing(versions)
    phone = platform.phone_of(request.app_id, request.phone_code, found.openid) if request.phone_code else ""
    newcomer = Member(id=new_id("mem", now), account=account.name, created_at=now, phone=phone, scene=request.scene)
    if phone:
        newcomer = replace(newcomer, phone_at=now, phone_claimed=not platform.proves_holder)
    session = started(new_id("ses", now), newcomer.id, account.name, now)
    if phone:
        former[phone_key(phone)] = former_key(phone_key(phone), needs.marker)
    vouched = _Vouched(keys, phone, newcomer, session, uses, request.invite is not None, request.consents, former)
    try:
        return _enter(vouched, leads, request.invite, needs)
    except (RefusedError, UnauthorizedError):
        if phone:
            members.count_refused(uses, now)
        raise


def _require_current(consents: Sequence[tuple[Purpose, int]], versions: Versions) -> None:
    for place, (purpose, version) in enumerate(consents):
        require_current(purpose, version, versions, f"/consents/{place}/version")


def _account_missing(versions: Versions) -> CardstockError:
    missing = Pointer("/consents", "CONSENT_MISSING")
    return CONSENT_MISSING(pointers=(missing,), purpose="account", version=versions["account"])


def _enter(vouched: "_Vouched", leads: Leads, invite: str | None, needs: LoginNeeds) -> LoginResult:
    members, versions = needs.members, needs.versions
    for _ in range(_ATTEMPTS):
        arrival = _agreed(vouched, _arrival(vouched, leads, members=members, holdings=needs.holdings))
        if not allows(arrival.member, "account", versions):
            raise _account_missing(versions)
        try:
            entered = members.enter(arrival)
        except RefusedError:
            if arrival.is_new:
                raise
            arrival = replace(arrival, invited=None)  # the network keeps no known member out
            entered = members.enter(arrival)
        if entered:
            reason = _not_bound(vouched.phone, arrival.member)
            return LoginResult(arrival.member, arrival.session, arrival.is_new, arrival.inviter_id, reason)
        leads = members.look_up((*vouched.keys, *(vouched.former[key] for key in vouched.keys)), invite)
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
    consents: Sequence[tuple[Purpose, int]]
    former: Mapping[str, str]
    """Key -> the key under which it is kept whose it was before a closing."""


def _arrival(vouched: _Vouched, leads: Leads, *, members: Members, holdings: Holdings) -> Arrival:
    keys, phone, now = vouched.keys, vouched.phone, vouched.session.made_at
    newcomer = vouched.newcomer
    unled = tuple(key for key in keys if key not in leads.owners)
    owner_id = next((leads.owners[key] for key in keys if key in leads.owners), None)
    closer = members.look_closer(owner_id, phone, leads.invited, former=vouched.former.get(phone_key(phone), ""))
    holder_id = closer.phone_owner
    closed = {leads.owners[was] for key in unled if (was := vouched.former[key]) in leads.owners}
    proven = not newcomer.phone_claimed
    if closer.former is not None and holder_id is None:
        closed.add(closer.former)
    if owner_id is not None:
        arrival = _again(_known_arrival(vouched, closer.known, closer.invited, unled, holder_id), closed)
        if arrival.phone_from is None:
            return arrival
        keeps = not proven or keeps_number(members.look_closer(arrival.phone_from).known)
        return replace(arrival, phone="", phone_from=None) if keeps else arrival
    if holder_id is not None:
        holder = members.look_closer(holder_id, invited=closer.invited).known
        join = how_to_join(holder.member, now, proven=proven, holdings=holdings) if holder else None
        if join is not None:
            joined = _known_arrival(vouched, holder, closer.invited, unled, holder_id)
            return replace(_again(joined, closed), join=join)
        if not proven or keeps_number(holder):
            newcomer, phone, holder_id = replace(newcomer, phone="", phone_at=None, phone_claimed=False), "", None
    if vouched.is_invited and closer.invited is None and not closed:
        raise INVITER_UNKNOWN()
    return Arrival(
        Known(replace(newcomer, former=tuple(sorted(closed)))),
        vouched.session,
        is_new=True,
        accounts=(*unled, phone_key(phone)) if phone and holder_id is None else unled,
        invited=None if closed else closer.invited,
        uses=vouched.uses,
        phone_from=holder_id,
    )


def _again(arrival: Arrival, closed: Set[str]) -> Arrival:
    """The arrival of a known member, who is the same person as these closed accounts too."""
    return replace(arrival, former=tuple(sorted(closed - arrival.known.member.relatives)))


def _agreed(vouched: _Vouched, arrival: Arrival) -> Arrival:
    """The arrival with what the person agreed to, if that was not said before."""
    consents = arrival.known.member.consents
    for purpose, version in vouched.consents:
        consents = with_consent(consents, purpose, version, vouched.session.made_at, granted=True)
    return arrival if consents is arrival.known.member.consents else replace(arrival, consents=consents)


def _not_bound(phone: str, member: Member) -> PhoneNotBound | None:
    if phone in ("", member.phone):
        return None
    return "kept" if member.phone else "held"


def _known_arrival(
    vouched: _Vouched, known: Known | None, invited: Invited | None, unled: tuple[str, ...], holder_id: str | None
) -> Arrival:
    """The arrival of a known member; `holder_id` is the member to whom the number leads. A member with a number keeps
    it."""
    if known is None or known.member.state == "erased":
        raise MEMBER_ERASED()
    member = known.member
    phone = "" if member.phone or holder_id == member.id else vouched.phone
    return Arrival(
        known,
        replace(vouched.session, member_id=member.id),
        accounts=(*unled, phone_key(phone)) if phone and holder_id is None else unled,
        phone=phone,
        claimed=vouched.newcomer.phone_claimed,
        invited=invited if known.inviter_id is None else None,
        uses=vouched.uses,
        phone_from=holder_id if phone else None,
    )
