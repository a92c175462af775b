"""Members who are one person: for each referrer they count once, and never for themselves.

Positions stay apart: edges, orders and roles are a member's. So a merge can be undone, and counts are as before.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from cardstock.network.deciding import Draft
from cardstock.network.model import Change, Position
from cardstock.network.plan import MAX_PROMOTE_N
from cardstock.network.ports import KnownPositions


def regrouping(groups: Collection[frozenset[str]], known: KnownPositions, at: datetime, cause: str) -> Change:
    """The change after which each of `groups` is one person, and nobody of one group is the same as one of another.

    `groups` has every member whose group changes, and those who stay in it. Counts of their referrers follow at once;
    roles and coupons do not: they change by the next order that counts or ends. So a merge takes nothing that was given
    before, and its end gives nothing. Without a change of a group nothing changes. Whoever had no position yet, and is
    one person with a closed account, is bound to no inviter any more.
    """
    draft = Draft(known, cause)
    members = sorted(member_id for group in groups for member_id in group)
    before = {member_id: draft[member_id] for member_id in members}
    referrers = {position.referrer: None for position in before.values() if position.referrer}
    heads, verified = _counts(before.values(), "counting"), _counts(before.values(), "verified")
    for group in groups:
        closed = any(before[member_id].erased for member_id in group)
        for member_id in group:
            position = before[member_id]
            # A new account of somebody who closed one: that person was here before, and nobody brings them again.
            returns = closed and not position.rev
            others = tuple(sorted(group - {member_id}))
            draft.put(replace(position, same_person=others, has_paid=position.has_paid or returns))
    if not draft.positions():
        return Change()
    for group in groups:
        _mark_coupons(draft, group)
    after = [draft[member_id] for member_id in members]
    heads_after, verified_after = _counts(after, "counting"), _counts(after, "verified")
    for referrer_id in sorted(referrers):
        referrer = draft[referrer_id]
        more = heads_after.get(referrer_id, 0) - heads.get(referrer_id, 0)
        more_verified = verified_after.get(referrer_id, 0) - verified.get(referrer_id, 0)
        draft.put(
            replace(
                referrer,
                counted=referrer.counted + more,
                first=_first(referrer, {each.id: each for each in after}),
                verified_referrals=referrer.verified_referrals + more_verified,
            )
        )
    for position in before.values():
        if draft[position.id].same_person != position.same_person:
            # A position changes once from each `rev`, so the same change has the same id.
            details = {"same_person": draft[position.id].same_person, "before": position.same_person}
            draft.add_event("person", f"person.{position.id}.{position.rev}", position.id, at, details)
    return Change(draft.positions(), events=tuple(draft.events))


def is_represented(member: Position, referrer_id: str, known: KnownPositions) -> bool:
    """Whether another member who is the same person counts for the referrer, or is the referrer."""
    return referrer_id in member.same_person or bool(counting_others(member, referrer_id, known))


def counting_others(member: Position, referrer_id: str, known: KnownPositions) -> list[str]:
    """The other members who are the same person, and count for the referrer."""
    others = (known[other] for other in member.same_person)
    return [other.id for other in others if other.counting and other.referrer == referrer_id]


def is_verified_elsewhere(member: Position, referrer_id: str, known: KnownPositions) -> bool:
    """Whether another member who is the same person counts as verified for the referrer, or is the referrer."""
    if referrer_id in member.same_person:
        return True
    return any(other.verified and other.referrer == referrer_id for other in map(known.__getitem__, member.same_person))


def _counts(positions: Iterable[Position], of: str) -> Mapping[str, int]:
    """Referrer -> the number of persons among these members who count for the referrer."""
    persons: dict[str, set[frozenset[str]]] = {}
    for position in positions:
        if getattr(position, of) and position.referrer and position.referrer not in position.same_person:
            persons.setdefault(position.referrer, set()).add(frozenset((position.id, *position.same_person)))
    return {referrer: len(each) for referrer, each in persons.items()}


def _first(referrer: Position, members: Mapping[str, Position]) -> tuple[str, ...]:
    """The referrer's first referrals, one of each person; who counts from now on for the first time comes last."""
    own = [each.id for each in members.values() if each.counting and each.referrer == referrer.id]
    kept: list[str] = []
    for member_id in (*referrer.first, *(each for each in own if each not in referrer.first)):
        member = members.get(member_id)
        if member and (referrer.id in member.same_person or not set(kept).isdisjoint(member.same_person)):
            continue
        kept.append(member_id)
    return tuple(kept[:MAX_PROMOTE_N])


def _mark_coupons(draft: Draft, group: frozenset[str]) -> None:
    """A person has one coupon: the members who have none know of the one that another has."""
    held = [draft[member_id].coupon_id for member_id in sorted(group) if draft[member_id].coupon == "granted"]
    for member_id in group:
        elsewhere = next((coupon for coupon in held if coupon != draft[member_id].coupon_id), None)
        draft.put(replace(draft[member_id], coupon_elsewhere=elsewhere))
