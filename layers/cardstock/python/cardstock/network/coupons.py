"""Coupons of plans without cash: for verified referrals (`unlock`), or for friends who bought (`free_order`).

A member has at most one coupon; a second one is granted only after the first was revoked.
"""

from datetime import datetime

from msgspec.structs import replace

from cardstock import clock
from cardstock.money import Fen
from cardstock.network.deciding import Draft, decide_and_commit, plan_in, position_of
from cardstock.network.model import Change, Event, Position, revocation_id
from cardstock.network.persons import is_verified_elsewhere
from cardstock.network.plan import Plan, split_ref
from cardstock.network.ports import KnownPositions, Network, Plans
from cardstock.network.publishing import get_plan


def count_verified(member_id: str, *, network: Network) -> tuple[Event, ...]:
    """Count a newly verified member as a verified referral, which may grant the referrer a coupon. Returns the
    events."""
    decision = decide_and_commit(
        network,
        (member_id,),
        lambda known, reading: verification(known[member_id], known, plan_in(reading), clock.now()),
    )
    return decision.change.events


def coupon_value(member_id: str, coupon_id: str, *, network: Network, plans: Plans) -> Fen | None:
    """The fen that a coupon takes off one order of this member; None if the member does not have it now.

    A `free_order` coupon takes off the price that its plan names, an `unlock` coupon the amount of its plan.
    """
    position = position_of(member_id, network=network)
    if position.coupon != "granted" or coupon_id != position.coupon_id:
        return None
    for event in network.find_events((coupon_id,)):
        plan_id, version = split_ref(str(event.details["plan"]))
        plan = get_plan(plan_id, version, plans=plans)
        return plan.price if plan.benefit == "free_order" else plan.benefit_coupon or None
    return None


def verification(member: Position, known: KnownPositions, plan: Plan, at: datetime) -> Change:
    """Count the newly verified `member` as a verified referral; under an `unlock` plan enough of them grant the
    referrer a coupon. A second verification changes nothing."""
    if member.verified or member.erased:
        return Change()
    after = replace(member, verified=True)
    if member.referrer is None:
        return Change((after,))
    counted = count_verified_referral(after, known[member.referrer], known, plan, at)
    return Change((after, *counted.positions), events=counted.events)


def count_verified_referral(
    member: Position, referrer: Position, known: KnownPositions, plan: Plan, at: datetime
) -> Change:
    """Count the verified `member` for the referrer, unless the same person is counted there as another member, and
    grant the coupon of an `unlock` plan when there are enough. The change has the referrer in any case."""
    if is_verified_elsewhere(member, referrer.id, known):
        return Change((referrer,))
    after = replace(referrer, verified_referrals=referrer.verified_referrals + 1)
    if plan.benefit == "unlock" and after.verified_referrals >= plan.benefit_n:
        return _granted(after, known, plan, at, member.id) or Change((after,))
    return Change((after,))


def grant_free_order(draft: Draft, member_id: str, plan: Plan, at: datetime) -> None:
    """Grant the coupon of a `free_order` plan to a member who bought and has enough friends who did."""
    member = draft[member_id]
    if plan.benefit == "free_order" and _has_enough(member, plan):
        granted = _granted(member, draft, plan, at, draft.cause)
        for position in granted.positions:
            draft.put(position)
        draft.events.extend(granted.events)


def revoke_free_order(draft: Draft, member_id: str, plan: Plan, at: datetime) -> None:
    """Revoke the coupon of a `free_order` plan if too few friends are left. The orders area handles an order that used
    it."""
    member = draft[member_id]
    if plan.benefit == "free_order" and member.coupon == "granted" and not _has_enough(member, plan):
        draft.put(replace(member, coupon="revoked"))
        for other in member.same_person:
            draft.put(replace(draft[other], coupon_elsewhere=None))
        details = {"benefit": plan.benefit, "counted": member.counted, "plan": plan.ref}
        draft.add_event("benefit_undone", revocation_id(member.coupon_id), member.id, at, details)


def _has_enough(member: Position, plan: Plan) -> bool:
    return member.qualifying > 0 and member.counted >= plan.benefit_n


def _granted(member: Position, known: KnownPositions, plan: Plan, at: datetime, cause: str) -> Change:
    """Grant the coupon of a plan without cash: once per person, unless it was revoked."""
    held = member.coupon == "granted" or member.coupon_elsewhere is not None
    if held or not plan.benefit_n or not member.is_here(at):
        return Change()
    after = replace(member, coupon="granted", coupons=member.coupons + 1)
    others = [replace(known[other], coupon_elsewhere=after.coupon_id) for other in member.same_person]
    details = {"benefit": plan.benefit, "plan": plan.ref}
    return Change((after, *others), events=(Event(after.coupon_id, "benefit", member.id, at, cause, details),))
