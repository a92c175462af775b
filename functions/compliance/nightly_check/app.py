"""Schedule: looks at the sales and the network as the law does, and stops the payouts of what it would look at."""

from datetime import datetime, timedelta
from typing import Any

from cardstock.aws.tables import connect
from cardstock.clock import brand_day, process_clock
from cardstock.compliance import wiring as compliance_wiring
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.flows import wiring as flows_wiring

_RESERVE_MS = 20_000
_DAYS_CLOSED = 2
"""Yesterday, and once more the day before: a message about an order may come late."""


class GuardUnfinishedError(Exception):
    """There was no time to read the whole network: nothing is known about its subtrees. Give the function more."""


def run(scheduled_at: datetime, context: Any) -> dict[str, Any]:
    """Close the days, then look for subtrees. Again, it changes nothing."""
    from cardstock.compliance import service  # with the first tick, not at the start

    def go_on() -> None:
        if context.get_remaining_time_in_millis() < _RESERVE_MS:
            raise GuardUnfinishedError

    alarms, clock = compliance_wiring.alarms(), process_clock()
    referrers, earners = flows_wiring.referral_tree(go_on)
    promoters = frozenset(referrers.values())
    today = brand_day(min(scheduled_at, clock.now()))
    for back in range(_DAYS_CLOSED, 0, -1):
        share = service.close_day(
            today - timedelta(days=back), promoters.__contains__, traces=compliance_wiring.traces(), alarms=alarms
        )
    if share.warns:
        count("OutsideSalesLow")
        logger.warning("most sales go to promoters", until=share.day.isoformat(), outside_bps=share.outside_bps)
    opened = service.sound(service.subtrees(referrers, earners), alarms=alarms, clock=clock)
    count("SubtreeAlarms", len(opened))
    for alarm in opened:
        logger.warning("payouts of a subtree are stopped", alarm_id=alarm.id, people=alarm.people, levels=alarm.levels)
    return {"members": len(referrers), "outside_bps": share.outside_bps, "alarms": len(opened)}


handler = schedule.ticked(run)
connect()
