"""Alarms about subtrees: raised every night; each stops the payouts of its subtree until two people have lifted it."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from cardstock import clock
from cardstock.approving import Confirm, MoneyStep, UseOnce
from cardstock.compliance import errors
from cardstock.compliance.model import Alarm, Lift, Subtree
from cardstock.compliance.ports import Alarms
from cardstock.errors import NOT_FOUND, REASON_MISSING, SECOND_PERSON_NEEDED


def raise_alarms(found: Iterable[Subtree], *, alarms: Alarms) -> tuple[Alarm, ...]:
    """Store an alarm for each subtree, and stop its earners' payouts. Returns the alarms that stop payouts.

    A lifted alarm stays lifted until its subtree has twice as many people. A killed run continues when it is repeated.
    """
    raised = []
    for subtree in found:
        known = alarms.newest_alarm_of(subtree.head)
        if known is not None and not known.stops_payouts and subtree.people < 2 * known.people:
            continue
        if known is None or not known.stops_payouts:
            known = _new_alarm(subtree, 1 if known is None else known.number + 1, alarms)
        known = _with_figures(known, subtree, alarms)
        alarms.stop_payouts(known.id, subtree.earners)
        raised.append(known)
    return tuple(raised)


def lift_alarm(
    alarm_id: str, actor: str, reason: str, *, can_approve: Callable[[str], bool], confirm: Confirm, alarms: Alarms
) -> Alarm:
    """The first call requests the lifting, a call by another person lifts the alarm, and payouts of its subtree go on.

    A repeat by the requester changes nothing, nor does any call after the lifting. `can_approve`: whether `actor` may
    approve what the given person requested. `confirm` asks the phone of a second person. Raises `NotFoundError`,
    `RefusedError` (REASON_MISSING, SECOND_PERSON_NEEDED), `ConflictError` (ALARM_CHANGED), and what `confirm` raises.
    """
    if not reason.strip():
        raise REASON_MISSING()
    alarm = alarms.find_alarm(alarm_id)
    if alarm is None:
        raise NOT_FOUND()
    lift, version = Lift(actor, clock.now(), reason), alarm.version + 1
    use: UseOnce | None = None
    if alarm.state == "open":
        after = replace(alarm, state="lift_requested", requested=lift, version=version)
    elif alarm.state == "lifted" or alarm.requested is None or alarm.requested.by == actor:
        return alarm
    elif not can_approve(alarm.requested.by):
        raise SECOND_PERSON_NEEDED()
    else:
        use = confirm(MoneyStep("lift_alarm", alarm.id, str(alarm.version), count=alarm.earning))
        after = replace(alarm, state="lifted", lifted=lift, version=version)
    if not alarms.save_alarm(after, use):
        raise errors.ALARM_CHANGED()
    return after


def _new_alarm(subtree: Subtree, number: int, alarms: Alarms) -> Alarm:
    alarm = Alarm(
        id=f"{subtree.head}.{number}",
        head=subtree.head,
        people=subtree.people,
        levels=subtree.levels,
        earning=len(subtree.earners),
        at=clock.now(),
    )
    return alarm if alarms.save_alarm(alarm) else alarms.find_alarm(alarm.id) or alarm


def _with_figures(alarm: Alarm, subtree: Subtree, alarms: Alarms) -> Alarm:
    """The alarm with tonight's figures, stored if they have changed."""
    after = replace(alarm, people=subtree.people, levels=subtree.levels, earning=len(subtree.earners))
    if after == alarm:
        return alarm
    after = replace(after, version=alarm.version + 1)
    return after if alarms.save_alarm(after) else alarm
