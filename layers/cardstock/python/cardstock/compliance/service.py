"""The guard at accrual and every day: look, hold, sound the alarm, and let go only when people say so, with a reason.

Everything may be asked for again and changes nothing then. What is found depends on what was noted, never on the order
in which messages came: an order is looked at when it is paid, and again before its rewards are released.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

from msgspec.structs import replace

from cardstock.clock import Clock
from cardstock.compliance import errors
from cardstock.compliance.model import (
    OUTSIDE_DAYS,
    STOCKING_DAYS,
    Alarm,
    Hold,
    HoldReason,
    Identity,
    Purchase,
    Share,
    SoldDay,
    Subtree,
)
from cardstock.compliance.ports import Alarms, Holds, Identities, Traces
from cardstock.errors import NOT_FOUND, REASON_MISSING, SECOND_PERSON_NEEDED
from cardstock.law import ALARM_LEVELS, ALARM_PEOPLE

# At accrual


def watch(
    purchase: Purchase, stocking_units: int, *, traces: Traces, identities: Identities, holds: Holds, clock: Clock
) -> Hold | None:
    """Note a paid order, and hold its rewards if it is a related-party purchase or stocking up. The open hold, if any.

    Related: the payer or the device of the order was seen on somebody else's (not only on those of people on whom the
    buyer earns himself), the payer's account or the verified person of the buyer is that of somebody who earns on it.
    Stocking up: more than `stocking_units` units in `STOCKING_DAYS`, this order's included. An order on which nobody
    earns is noted only.
    """
    traces.note(purchase)
    return held(purchase, stocking_units, traces=traces, identities=identities, holds=holds, clock=clock)


def held(
    purchase: Purchase, stocking_units: int, *, traces: Traces, identities: Identities, holds: Holds, clock: Clock
) -> Hold | None:
    """The open hold of an order, which is put now if what was noted since says so. One that was lifted stays lifted."""
    if not purchase.earners:
        return None
    known = holds.find(purchase.order_id)
    if known is not None:
        return known if known.open else None
    found = _reasons(purchase, stocking_units, traces=traces, identities=identities)
    if not found:
        return None
    others = sorted({member_id for members in found.values() for member_id in members})
    hold = Hold(purchase.order_id, tuple(found), tuple(others), clock.now())
    holds.put(hold)
    return hold


def _reasons(
    purchase: Purchase, stocking_units: int, *, traces: Traces, identities: Identities
) -> dict[HoldReason, set[str]]:
    known = identities({purchase.buyer_id, *purchase.earners})
    nobody = Identity("", "")
    buyer = known.get(purchase.buyer_id, nobody)
    earners = [known.get(member_id, nobody) for member_id in purchase.earners]
    found: dict[HoldReason, set[str]] = {}
    if purchase.payer:
        others = _strangers(purchase, traces.users(purchase.payer))
        others |= {earner.member_id for earner in earners if earner.account == purchase.payer}
        if others:
            found["same_payer"] = others
    if purchase.device:
        others = _strangers(purchase, traces.users(purchase.device))
        if others:
            found["same_device"] = others
    same = {earner.member_id for earner in earners if earner.person and earner.person == buyer.person}
    if same:
        found["same_person"] = same
    since = purchase.paid_at - timedelta(days=STOCKING_DAYS)
    if traces.units(purchase.buyer_id, since, purchase.paid_at) > stocking_units:
        found["stocking_up"] = set()
    return found


def _strangers(purchase: Purchase, users: Mapping[str, Sequence[str]]) -> set[str]:
    """The other users of a mark, without those on whom the buyer earns: the mark is his own, and their orders tell."""
    buyer = purchase.buyer_id
    return {member_id for member_id, earners in users.items() if member_id != buyer and buyer not in earners}


def lift_hold(
    order_id: str, actor: str, reason: str, *, holds: Holds, resume: Callable[[str], None], clock: Clock
) -> Hold:
    """Let the rewards of an order go on; `resume` puts it where settling looks. A repeat changes nothing.

    Raises `NotFoundError`, `RefusedError` (REASON_MISSING).
    """
    if not reason.strip():
        raise REASON_MISSING()
    hold = holds.find(order_id)
    if hold is None:
        raise NOT_FOUND()
    if not hold.open:
        return hold
    # First: looked at while it is still held it only waits again; lifted and never looked at, it would wait for ever.
    resume(order_id)
    lifted = replace(hold, lifted_by=actor, lifted_at=clock.now(), lifted_why=reason)
    return lifted if holds.lift(lifted) else holds.find(order_id) or lifted


# Every day


def subtrees(referrers: Mapping[str, str], earners: Iterable[str]) -> tuple[Subtree, ...]:
    """The subtrees that reach the levels and heads of the law with money flowing in them, the highest heads only, by
    head: those below belong to them.

    `referrers`: member -> who brought him. Two passes over the members, whatever the depth.
    """
    waiting: dict[str, int] = {}
    for referrer in referrers.values():
        waiting[referrer] = waiting.get(referrer, 0) + 1
    people = dict.fromkeys(waiting, 1)
    levels = dict.fromkeys(waiting, 1)
    order = [member_id for member_id in referrers if member_id not in waiting]
    for member_id in order:  # grows on the way: who has nobody left to wait for below is next
        referrer = referrers.get(member_id, "")
        if referrer:
            people[referrer] += people.get(member_id, 1)
            levels[referrer] = max(levels[referrer], 1 + levels.get(member_id, 1))
            waiting[referrer] -= 1
            if not waiting[referrer]:
                order.append(referrer)
    wide = {head for head, count in people.items() if count >= ALARM_PEOPLE and levels[head] >= ALARM_LEVELS}
    if not wide:
        return ()
    paid = set(earners)
    tops: dict[str, list[str]] = {}
    top_of: dict[str, str | None] = {}
    for member_id in reversed(order):  # from the heads down
        above = referrers.get(member_id)
        top = None if above is None else top_of[above]
        top_of[member_id] = top or (member_id if member_id in wide else None)
    for member_id, top in top_of.items():
        if top is not None and member_id in paid:
            tops.setdefault(top, []).append(member_id)
    return tuple(
        Subtree(head, people[head], levels[head], tuple(sorted(members))) for head, members in sorted(tops.items())
    )


def sound(found: Sequence[Subtree], *, alarms: Alarms, clock: Clock) -> tuple[Alarm, ...]:
    """Keep an alarm for each subtree, and stop the payouts of everybody in it who earns. The open ones.

    An alarm that was lifted stays lifted until its subtree has twice the people. Killed and repeated, it goes on.
    """
    opened = []
    for subtree in found:
        known = alarms.of_head(subtree.head)
        if known is not None and not known.open and subtree.people < 2 * known.people:
            continue
        if known is None or not known.open:
            number = 1 if known is None else int(known.id.rpartition(".")[2]) + 1
            alarm = Alarm(
                id=f"{subtree.head}.{number}",
                head=subtree.head,
                people=subtree.people,
                levels=subtree.levels,
                earning=len(subtree.earners),
                at=clock.now(),
            )
            known = alarm if alarms.put(alarm) else alarms.find(alarm.id) or alarm
        known = _grown(known, subtree, alarms)
        alarms.stop(known.id, subtree.earners)
        opened.append(known)
    return tuple(opened)


def _grown(alarm: Alarm, subtree: Subtree, alarms: Alarms) -> Alarm:
    figures = (subtree.people, subtree.levels, len(subtree.earners))
    if figures == (alarm.people, alarm.levels, alarm.earning):
        return alarm
    after = replace(alarm, people=figures[0], levels=figures[1], earning=figures[2], version=alarm.version + 1)
    return after if alarms.put(after) else alarm


def lift_alarm(
    alarm_id: str, actor: str, reason: str, *, can_approve: Callable[[str], bool], alarms: Alarms, clock: Clock
) -> Alarm:
    """The first call asks for an alarm to be lifted, one by another person lifts it: payouts of its subtree go on.

    A repeat by the person who asked changes nothing; anybody's changes nothing after the lift. `can_approve`: whether
    `actor` may approve what the given person asked for. Raises `NotFoundError`, `RefusedError` (REASON_MISSING,
    SECOND_PERSON_NEEDED), `ConflictError` (ALARM_CHANGED).
    """
    if not reason.strip():
        raise REASON_MISSING()
    alarm = alarms.find(alarm_id)
    if alarm is None:
        raise NOT_FOUND()
    if not alarm.open or alarm.asked_by == actor:
        return alarm
    if alarm.asked_by and not can_approve(alarm.asked_by):
        raise SECOND_PERSON_NEEDED()
    now, version = clock.now(), alarm.version + 1
    if not alarm.asked_by:
        after = replace(alarm, asked_by=actor, asked_at=now, asked_why=reason, version=version)
    else:
        after = replace(alarm, lifted_by=actor, lifted_at=now, lifted_why=reason, version=version)
    if not alarms.put(after):
        raise errors.ALARM_CHANGED()
    return after


def close_day(day: date, promoters: Callable[[str], bool], *, traces: Traces, alarms: Alarms) -> Share:
    """Keep the sales of a day that is over, and tell the share of the last `OUTSIDE_DAYS`.

    `promoters`: whether somebody promotes without having a role: he has brought somebody.
    """
    sales = outside = 0
    for buyer_id, net, promoter in traces.sold(day):
        sales += net
        if not promoter and not promoters(buyer_id):
            outside += net
    alarms.keep_day(SoldDay(day, sales, outside))
    return share(day, alarms=alarms)


def share(until: date, *, alarms: Alarms) -> Share:
    """The days up to `until` that were closed, added up."""
    days = alarms.days(until - timedelta(days=OUTSIDE_DAYS - 1), until)
    return Share(until, sum(day.sales for day in days), sum(day.outside for day in days))
