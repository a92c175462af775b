"""The rewards of an order, and what refunds claw back. Pure arithmetic on order lines, snapshot and plan.

Guarantees for every plan: parts add up exactly to the whole; all rewards of an order together never exceed what was
paid for the lines they are measured on, nor the plan's cap; at most one direct, one team and one peer reward; no
buyer earns on their own order; the same arguments always give the same fen.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from msgspec.structs import replace

from cardstock.errors import REFUND_EXCEEDS_PAID
from cardstock.money import BPS_ONE, Fen, half_up, share, split
from cardstock.network.model import (
    Case,
    Edge,
    Explanation,
    LineRefunds,
    OrderLine,
    Outcome,
    Person,
    Reward,
    RewardKind,
    Role,
    Snapshot,
    WhatIf,
)
from cardstock.network.plan import Amount, Plan

_Rate: TypeAlias = tuple[str, Amount]
ROLES: Final[tuple[Role, ...]] = ("member", "distributor", "partner")


def net_lines(values: Sequence[Fen], coupon: Fen) -> list[Fen]:
    """The fen paid for each line: its value less its part of the coupons (their sum), spread by value.

    Largest remainder, ties to the first line. Coupons above the value of the goods count as that value. Freight is no
    line.
    """
    discounts = split(min(coupon, sum(values)), values)
    return [value - discount for value, discount in zip(values, discounts, strict=True)]


def rewards_for(
    lines: Sequence[OrderLine], snapshot: Snapshot, plan: Plan, *, buyer_id: str = ""
) -> tuple[Reward, ...]:
    """The rewards of one order in the order direct, team, peer; at most one of each.

    A reward that limits reduce to zero keeps its row; one that is not due has none. `buyer_id`, if given, earns nothing
    on the buyer's own order even if the snapshot names the buyer.
    """
    due = _due(lines, snapshot, plan, buyer_id)
    return _within_limits(due, lines, plan) if due else ()


def explain(lines: Sequence[OrderLine], snapshot: Snapshot, plan: Plan, *, buyer_id: str = "") -> Explanation:
    """The rewards of `rewards_for`, and for each kind the rule and the edge behind it, or why it is not due."""
    rewards = rewards_for(lines, snapshot, plan, buyer_id=buyer_id)
    peer = _peer(snapshot, plan, buyer_id)
    if peer != "not_in_plan" and not any(reward.role == "partner" for reward in rewards if reward.kind != "peer"):
        peer = "no_earning_partner"
    cases = (
        _case("direct", "referrer", _direct(snapshot, plan, buyer_id)[0], snapshot.referrer, rewards),
        _case("team", "owner", _team(snapshot, plan, buyer_id)[0], snapshot.owner, rewards),
        _case("peer", "peer", peer, snapshot.peer, rewards),
    )
    net = sum(line.net for line in lines)
    cap = None if plan.cap_bps is None else net * plan.cap_bps // BPS_ONE
    return Explanation(plan=plan.ref, net=net, cap=cap, limit=_limit(rewards, lines, plan), cases=cases)


def what_if(
    lines: Sequence[OrderLine], snapshot: Snapshot, plan: Plan, *, buyer_id: str = ""
) -> dict[RewardKind, tuple[WhatIf, ...]]:
    """For each reward of `rewards_for`, the single differences that would have changed its amount, by the same rules.

    The differences: another role of the earner, a partner as the buyer's referrer where the owner earned, and no cap.
    """
    found: dict[RewardKind, list[WhatIf]] = {}
    others = _differences(snapshot, plan)
    for reward in rewards_for(lines, snapshot, plan, buyer_id=buyer_id):
        changed = found.setdefault(reward.kind, [])
        for whose, difference, other_snapshot, other_plan in others:
            if whose not in ("", reward.member_id) or (difference.what == "referrer_role" and reward.kind != "team"):
                continue
            then = rewards_for(lines, other_snapshot, other_plan, buyer_id=buyer_id)
            amount = _amount_of(reward.kind, reward.member_id, then)
            if amount != reward.amount:
                changed.append(replace(difference, amount=amount))
    return {kind: tuple(changed) for kind, changed in found.items()}


def what_if_not_due(
    lines: Sequence[OrderLine], snapshot: Snapshot, plan: Plan, case: Case, *, buyer_id: str = ""
) -> tuple[WhatIf, ...]:
    """For a reward that is not due, the single differences that would have made it due, with its amount then.

    The differences: another role of the person of `case`, a distributor as the buyer's referrer where a partner kept
    the owner from earning, and a binding that was not over.
    """
    if case.person is None or case.reward is not None:
        return ()
    others = [other for other in _differences(snapshot, plan) if other[0] == case.person.id]
    if case.outcome == "referrer_is_partner" and snapshot.referrer is not None:
        distributor = _as_role(snapshot, snapshot.referrer.id, "distributor")
        others.append(("", WhatIf("referrer_role", "distributor", 0), distributor, plan))
    if snapshot.lapsed:
        others.append(("", WhatIf("binding", "none", 0), replace(snapshot, lapsed=False), plan))
    found = (
        replace(
            difference,
            amount=_amount_of(case.kind, case.person.id, rewards_for(lines, then, other, buyer_id=buyer_id)),
        )
        for _, difference, then, other in others
    )
    return tuple(each for each in found if each.amount)


def _amount_of(kind: RewardKind, member_id: str, rewards: Sequence[Reward]) -> Fen:
    return next((reward.amount for reward in rewards if (reward.kind, reward.member_id) == (kind, member_id)), 0)


def _differences(snapshot: Snapshot, plan: Plan) -> list[tuple[str, WhatIf, Snapshot, Plan]]:
    """Whose it is ("" for everybody's), the difference, and the snapshot and plan with it."""
    others: list[tuple[str, WhatIf, Snapshot, Plan]] = []
    for person in {each.id: each for each in (snapshot.referrer, snapshot.owner, snapshot.peer) if each}.values():
        others += [
            (person.id, WhatIf("role", role, 0), _as_role(snapshot, person.id, role), plan)
            for role in ROLES
            if role != person.role
        ]
    if snapshot.referrer is not None and snapshot.referrer.role != "partner":
        partner = _as_role(snapshot, snapshot.referrer.id, "partner")
        others.append(("", WhatIf("referrer_role", "partner", 0), partner, plan))
    if plan.cap_bps is not None:
        others.append(("", WhatIf("cap", "none", 0), snapshot, replace(plan, cap_bps=None)))
    return others


def _as_role(snapshot: Snapshot, member_id: str, role: Role) -> Snapshot:
    def turned(person: Person | None) -> Person | None:
        return replace(person, role=role) if person is not None and person.id == member_id else person

    return replace(
        snapshot, referrer=turned(snapshot.referrer), owner=turned(snapshot.owner), peer=turned(snapshot.peer)
    )


def _case(kind: RewardKind, edge: Edge, outcome: Outcome, person: Person | None, rewards: Sequence[Reward]) -> Case:
    for reward in rewards:
        if reward.kind == kind:
            return Case(kind, "earned" if reward.amount else "cut_to_zero", person, edge, reward)
    return Case(kind, "nothing_measured" if outcome == "earned" else outcome, person, edge)


def clawed(reward: Reward, refunded: Sequence[Fen]) -> Fen:
    """The total claw-back of `reward` after `refunded` fen of each order line were refunded.

    It is the half-up share of the refunds on the lines it is measured on. Cumulative: a refund takes this less what was
    taken before; after the last fen all is taken. Raises `RefusedError` if more is refunded than paid.
    """
    base = back = 0
    for paid, given in zip(reward.measured, refunded, strict=True):
        if paid:
            if not 0 <= given <= paid:
                raise REFUND_EXCEEDS_PAID(paid_fen=paid, refunded_fen=given)
            base += paid
            back += given
    return half_up(reward.amount * back, base) if base else 0


def taken(rewards: Sequence[Reward], refunded: Sequence[Fen]) -> dict[RewardKind, Fen]:
    """What refunds of `refunded` fen of each line together claw back of each reward."""
    return {reward.kind: clawed(reward, refunded) for reward in rewards}


def awaits_settling(lines: Sequence[OrderLine], rewards: Sequence[Reward], plan: Plan) -> bool:
    """Whether anything depends on the settling of an order: a reward, a role, or the team dividend."""
    if rewards or any(line.qualifying for line in lines):
        return True
    return bool(plan.dividend_bps) and any(line.net for line in lines)


def nothing_refunded(lines: Sequence[OrderLine]) -> LineRefunds:
    """An order without refunds."""
    return LineRefunds((0,) * len(lines), (0,) * len(lines))


def refund_units(lines: Sequence[OrderLine], done: LineRefunds, units: Mapping[int, int]) -> LineRefunds:
    """`done` plus a refund of `units` (by index of the line).

    Each line refunds the half-up share of all its units so far, less what its earlier units refunded; at most what
    goodwill refunds have left of it. Raises `RefusedError`, and changes nothing, for more units than were bought.
    """
    new_units, new_fen = list(done.units), list(done.fen)
    for index, count in units.items():
        if not 0 <= index < len(lines) or count < 1:
            raise REFUND_EXCEEDS_PAID(line=index)
        line, before = lines[index], done.units[index]
        if before + count > line.units:
            raise REFUND_EXCEEDS_PAID(line=index, units=line.units - before)
        new_units[index] = before + count
        given = half_up(line.net * (before + count), line.units) - half_up(line.net * before, line.units)
        new_fen[index] = min(new_fen[index] + given, line.net)
    return LineRefunds(tuple(new_units), tuple(new_fen))


def refund_amount(lines: Sequence[OrderLine], done: LineRefunds, amount: Fen) -> LineRefunds:
    """`done` plus a refund of `amount` fen without units: spread over what is left of all lines.

    Largest remainder, ties to the first line. Raises `RefusedError` for more than is left.
    """
    rests = [line.net - given for line, given in zip(lines, done.fen, strict=True)]
    if not 0 < amount <= sum(rests):
        raise REFUND_EXCEEDS_PAID(fen=sum(rests))
    parts = split(amount, rests)
    return LineRefunds(done.units, tuple(given + part for given, part in zip(done.fen, parts, strict=True)))


def qualifying_net(lines: Sequence[OrderLine]) -> Fen:
    """Paid for the lines that make an order a qualifying purchase; 0 if it is none."""
    return sum(line.net for line in lines if line.qualifying)


def qualifying_refunded(lines: Sequence[OrderLine], refunded: Sequence[Fen]) -> Fen:
    """Refunded of the qualifying lines."""
    return sum(given for line, given in zip(lines, refunded, strict=True) if line.qualifying)


def qualifying_returned(net: Fen, refunds: Iterable[tuple[datetime, str, Fen]]) -> tuple[Fen, datetime | None]:
    """The counting sum of `refunds` (moment, id, fen of qualifying lines, for which `net` was paid), and its moment.

    The refund that passes the half sets the moment, and none after it counts, so the result does not depend on the
    order of their arrival.
    """
    back, since = 0, None
    for moment, _, fen in sorted(refunds):
        if fen and 2 * back <= net:
            back, since = back + fen, moment
    return back, since


def dividend(plan: Plan, net_sales: Fen, team_sales: Mapping[str, Fen]) -> dict[str, Fen]:
    """The team dividend of one month: `dividend_bps` of all net sales (floored), divided by the owners' team sales.

    Largest remainder, ties in the order of the mapping. The shares add up to the pool. Empty if refunds exceed sales,
    or no team sold.
    """
    pool = net_sales * plan.dividend_bps // BPS_ONE
    if pool <= 0 or not sum(team_sales.values()):
        return {}
    return dict(zip(team_sales, split(pool, list(team_sales.values())), strict=True))


def _direct(snapshot: Snapshot, plan: Plan, buyer_id: str) -> tuple[Outcome, _Rate]:
    person = snapshot.referrer
    partner = person is not None and person.role == "partner"
    rate = ("direct_partner", plan.direct_partner) if partner else ("direct_distributor", plan.direct_distributor)
    outcome: Outcome = "earned"
    if plan.benefit != "cash" or not rate[1].value:
        outcome = "not_in_plan"
    elif person is None:
        outcome = "nobody"
    elif person.id == buyer_id:
        outcome = "own_order"
    elif person.erased:
        outcome = "erased"
    elif snapshot.lapsed:
        outcome = "binding_over"
    elif person.role == "member" and plan.earners == "qualified":
        outcome = "not_qualified"
    return outcome, rate


def _team(snapshot: Snapshot, plan: Plan, buyer_id: str) -> tuple[Outcome, _Rate]:
    person = snapshot.owner
    rate = ("team", plan.team)
    outcome: Outcome = "earned"
    if plan.benefit != "cash" or plan.max_levels == 1 or not plan.team.value:
        outcome = "not_in_plan"
    elif snapshot.referrer is not None and snapshot.referrer.role == "partner":
        outcome = "referrer_is_partner"
    elif person is None:
        outcome = "nobody"
    elif person.id == buyer_id:
        outcome = "own_order"
    elif person.erased:
        outcome = "erased"
    elif person.role != "partner":
        outcome = "owner_not_partner"
    return outcome, rate


def _peer(snapshot: Snapshot, plan: Plan, buyer_id: str) -> Outcome:
    person = snapshot.peer
    outcome: Outcome = "earned"
    if plan.benefit != "cash" or plan.max_levels == 1 or not plan.peer_bps:
        outcome = "not_in_plan"
    elif person is None:
        outcome = "nobody"
    elif person.id == buyer_id:
        outcome = "own_order"
    elif person.erased:
        outcome = "erased"
    elif person.role != "partner":
        outcome = "peer_not_partner"
    return outcome


def _measure(lines: Sequence[OrderLine], rate: Amount) -> tuple[tuple[Fen, ...], Fen]:
    """The paid fen of each measured line, and the reward at `rate` on them, rounded once."""
    if rate.unit == "fen":
        measured = tuple(line.net if line.qualifying and line.earns else 0 for line in lines)
        units = sum(line.units for line, net in zip(lines, measured, strict=True) if net)
        return measured, rate.value * units
    measured = tuple(line.net if line.earns else 0 for line in lines)
    return measured, share(sum(measured), rate.value)


def _due(lines: Sequence[OrderLine], snapshot: Snapshot, plan: Plan, buyer_id: str) -> list[Reward]:
    due: list[Reward] = []
    direct, direct_rate = _direct(snapshot, plan, buyer_id)
    if direct == "earned" and snapshot.referrer is not None:
        _add(due, "direct", snapshot.referrer, direct_rate, lines)
    team, team_rate = _team(snapshot, plan, buyer_id)
    if team == "earned" and snapshot.owner is not None:
        _add(due, "team", snapshot.owner, team_rate, lines)
    if plan.peer_bps and _peer(snapshot, plan, buyer_id) == "earned" and snapshot.peer is not None:
        # At most one partner earns: the owner earns only if the referrer is not a partner.
        index = next((i for i, reward in enumerate(due) if reward.role == "partner"), None)
        if index is not None:
            earned = due[index]
            part = share(earned.limited, plan.peer_bps)
            if part:
                if plan.peer_funding == "earner":
                    due[index] = replace(earned, limited=earned.limited - part)
                person, rate = snapshot.peer, Amount(plan.peer_bps, "bps")
                due.append(Reward("peer", person.id, person.role, "peer_bps", rate, earned.measured, part, part, part))
    return due


def _add(due: list[Reward], kind: RewardKind, person: Person, rate: _Rate, lines: Sequence[OrderLine]) -> None:
    measured, full = _measure(lines, rate[1])
    if full:
        limited = min(full, sum(measured))
        due.append(Reward(kind, person.id, person.role, rate[0], rate[1], measured, full, limited, limited))


def _limit(due: Sequence[Reward], lines: Sequence[OrderLine], plan: Plan) -> Fen:
    union = sum(line.net for i, line in enumerate(lines) if any(reward.measured[i] for reward in due))
    if plan.cap_bps is None:
        return union
    return min(union, sum(line.net for line in lines) * plan.cap_bps // BPS_ONE)


def _within_limits(due: Sequence[Reward], lines: Sequence[OrderLine], plan: Plan) -> tuple[Reward, ...]:
    wanted = [reward.limited for reward in due]
    limit = _limit(due, lines, plan)
    amounts = split(limit, wanted) if sum(wanted) > limit else wanted
    return tuple(
        reward if reward.amount == amount else replace(reward, amount=amount)
        for reward, amount in zip(due, amounts, strict=True)
    )
