"""Bind a member to the referrer who brought them, and set the team owner in the same write.

The referrer is set once, before the first paid order, for a member who has referred nobody: no loop can arise, because
the edge member -> referrer is added while no edge points at the member, and a loop would need one.

The team owner is found without walking a chain: the referrer if a partner, else the owner stored on the referrer. A
demoted owner is replaced by the next owner above; if that one is no partner either, there is no owner.
"""

from collections import ChainMap
from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import (
    INVITER_BOUND,
    INVITER_HAS_REFERRED,
    INVITER_SELF,
    INVITER_TOO_LATE,
    INVITER_UNKNOWN,
    MEMBER_CLOSING,
)
from cardstock.network.coupons import count_verified_referral
from cardstock.network.deciding import decide_and_commit, plan_in
from cardstock.network.model import Change, Event, Position
from cardstock.network.plan import Plan
from cardstock.network.ports import KnownPositions, Network


def bind_inviter(member_id: str, inviter_id: str, *, network: Network) -> Position:
    """Bind a member to the referrer, once. The same referrer again changes nothing.

    The caller has checked that both ids are members'. Raises `RefusedError` (see `binding`).
    """
    decision = decide_and_commit(
        network,
        {member_id, inviter_id},
        lambda known, reading: binding(known[member_id], known[inviter_id], known, clock.now(), plan_in(reading)),
    )
    return decision.position_of(member_id)


def bind_supposing(
    member: Position, inviter: Position, known: dict[str, Position], at: datetime, plan: Plan | None
) -> tuple[Change, str | None]:
    """The change that binds `member` (see `binding`), if the member named with it is a partner at that moment; None:
    in any case. `known` may lack positions above the inviter.

    A team owner is nearly always a partner: checking that while writing saves a log-in the read. Raises as `binding`.
    """
    supposed = _first_unknown_owner(inviter, known)
    partner = {supposed: Position(supposed, standing="partner")} if supposed else {}
    return binding(member, inviter, ChainMap(partner, known), at, plan), supposed


def _first_unknown_owner(inviter: Position, known: Mapping[str, Position]) -> str | None:
    """The first of those whom `owner_through` would ask for, in its order, that is not known."""
    owner_id = None if inviter.is_partner else inviter.owner
    if owner_id is None or owner_id not in known:
        return owner_id
    owner = known[owner_id]
    return None if owner.is_partner or owner.owner in known else owner.owner


def binding(
    member: Position, inviter: Position, known: KnownPositions, at: datetime, plan: Plan | None = None
) -> Change:
    """Bind `member` to `inviter`.

    `known` has the inviter's owner and, if that one is no partner any more, the next owner above. A member who was
    verified before counts from now on, as in `coupons.verification`, under `plan` (the one in force). Binding to the
    same inviter again changes nothing. Raises `RefusedError`: INVITER_UNKNOWN (also for erased members),
    INVITER_SELF (also for another member who is the same person), INVITER_BOUND (to another inviter),
    INVITER_TOO_LATE (after the first paid order), INVITER_HAS_REFERRED, MEMBER_CLOSING.
    """
    if member.referrer == inviter.id:
        return Change()
    _check_binding(member, inviter)
    owner = owner_through(inviter, known)
    owner_id = owner.id if owner else None
    if member.membership == "left":
        bound = replace(member, referrer=inviter.id, bound_at=at, peer=owner_id)
    else:
        bound = replace(member, referrer=inviter.id, bound_at=at, owner=owner_id, owner_at=at)
    details = {"referrer": inviter.id, "owner": bound.owner, "peer": bound.peer}
    events = (Event(f"bind.{member.id}", "bind", member.id, at, inviter.id, details),)
    if member.verified and plan is not None:
        counted = count_verified_referral(bound, replace(inviter, has_referred=True), known, plan, at)
        return Change((bound, *counted.positions), events=(*events, *counted.events))
    # Written once: later referrals do not touch the inviter's position, however many there are.
    positions = (bound,) if inviter.has_referred else (bound, replace(inviter, has_referred=True))
    return Change(positions, events=events)


def _check_binding(member: Position, inviter: Position) -> None:
    if member.erased:
        raise MEMBER_CLOSING()
    if inviter.erased:
        raise INVITER_UNKNOWN()
    if inviter.id == member.id or inviter.id in member.same_person:
        raise INVITER_SELF()
    if member.referrer is not None:
        raise INVITER_BOUND()
    if member.has_paid:
        raise INVITER_TOO_LATE()
    if member.has_referred:
        raise INVITER_HAS_REFERRED()


def owner_through(referrer: Position, known: KnownPositions) -> Position | None:
    """The team owner of a member brought by `referrer`: the referrer if a partner, else the referrer's owner."""
    if referrer.is_partner:
        return referrer
    return None if referrer.owner is None else partner_at(referrer.owner, known)


def partner_at(owner_id: str, known: KnownPositions) -> Position | None:
    """The stored owner if a partner, else the owner above it if a partner. It never looks further up."""
    owner = known[owner_id]
    if owner.is_partner:
        return owner
    following = None if owner.owner is None else known[owner.owner]
    return following if following is not None and following.is_partner else None
