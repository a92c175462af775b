"""Changes of a member's standing: promoted and demoted by the rules, appointed by an operator, erased.

Each promotion has a number (`promote.{member}.{n}`), so it happens once, and so does the demotion that ends it.
"""

from datetime import datetime

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import NOT_FOUND, REASON_MISSING
from cardstock.network.deciding import Draft, decide_and_commit, plan_in
from cardstock.network.model import Change, Event, Position
from cardstock.network.plan import Plan
from cardstock.network.ports import Network


def appoint_partner(member_id: str, reason: str, actor: str, *, network: Network) -> Position:
    """Make a member a partner whom no rule demotes; `actor` and `reason` are stored. A repeat changes nothing.

    The caller has checked that the id is a member's. Raises `RefusedError` (see `appointment`).
    """
    decision = decide_and_commit(
        network,
        {member_id},
        lambda known, reading: appointment(known[member_id], reason, actor, plan_in(reading), clock.now()),
    )
    return decision.position_of(member_id)


def erase_member(member_id: str, *, network: Network) -> Position:
    """End the member's earning and counting; the position stays so that nobody else moves up."""
    decision = decide_and_commit(network, {member_id}, lambda known, _: erasure(known[member_id], clock.now()))
    return decision.position_of(member_id)


def appointment(member: Position, reason: str, actor: str, plan: Plan, at: datetime) -> Change:
    """Make `member` a partner whom no rule demotes. `plan` (the one in force) decides whether the owner's team is left.

    A second appointment changes nothing. Raises `RefusedError` REASON_MISSING, `NotFoundError` for an erased member.
    """
    if not reason.strip():
        raise REASON_MISSING()
    if member.erased:
        raise NOT_FOUND()
    if member.standing == "appointed_partner":
        return Change()
    risen = member if member.is_partner else _risen(member, plan)
    details = {"reason": reason, "role": member.role, "owner": member.owner, "peer": member.peer}
    event = Event(f"appoint.{member.id}", "appoint", member.id, at, actor, details)
    return Change((replace(risen, standing="appointed_partner"),), events=(event,))


def erasure(member: Position, at: datetime) -> Change:
    """From `at` on `member` earns nothing, begins to count for nobody, and keeps its standing; the position stays."""
    if member.erased:
        return Change()
    event = Event(f"erase.{member.id}", "erase", member.id, at, member.id, {"role": member.role})
    return Change((replace(member, erased_at=at),), events=(event,))


def promote(draft: Draft, member: Position, plan: Plan, at: datetime) -> None:
    """Promote a distributor with enough counting referrals; under `keep_recruits` the first of them move along."""
    enough = 0 < plan.promote_n <= member.counted
    if member.standing != "distributor" or not enough or not member.is_here(at):
        return
    after = draft.put(replace(_risen(member, plan), ascents=member.ascents + 1, needed=plan.promote_n))
    moved = _move_recruits(draft, member, plan, at) if plan.leave_mode == "keep_recruits" else {}
    details = {"owner": member.owner, "peer": after.peer, "role": member.role, "moved": moved, "plan": plan.ref}
    draft.add_event("promote", f"promote.{member.id}.{after.ascents}", member.id, at, details)


def demote(draft: Draft, member: Position, plan: Plan, at: datetime) -> None:
    """Demote a partner by the rules: back to the old owner, and to the role that the member's own orders hold."""
    if member.standing != "partner" or not member.is_here(at):
        return
    fallen = replace(member, standing="distributor" if member.qualifying else "member")
    if member.membership == "left":
        fallen = replace(fallen, membership="in_team", owner=member.peer, peer=None)
    draft.put(fallen)
    details = {"owner": fallen.owner, "role": fallen.role, "counted": member.counted, "plan": plan.ref}
    draft.add_event("demote", f"demote.{member.id}.{member.ascents}", member.id, at, details)


def _risen(member: Position, plan: Plan) -> Position:
    """A member as a partner, who has left the owner's team unless the plan's `leave_mode` is `none`."""
    if plan.leave_mode == "none":
        return replace(member, standing="partner")
    return replace(member, standing="partner", membership="left", owner=None, peer=member.owner)


def _move_recruits(draft: Draft, member: Position, plan: Plan, at: datetime) -> dict[str, str | None]:
    """Move the first recruits who are not partners into the promoted member's team. Returns recruit -> old owner."""
    moved: dict[str, str | None] = {}
    for recruit_id in member.first[: plan.promote_n]:
        recruit = draft[recruit_id]
        if not recruit.is_partner and not recruit.erased and recruit.owner != member.id:
            moved[recruit_id] = recruit.owner
            # Never earlier than before: an order placed after `at` has already set the owner.
            draft.put(replace(recruit, owner=member.id, owner_at=max(at, recruit.owner_at or at)))
    return moved
