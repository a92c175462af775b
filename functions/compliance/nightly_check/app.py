"""Nightly compliance check: sales to non-promoters, and subtrees whose payouts must stop."""

from datetime import datetime
from typing import Any

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.clock import brand_day
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.flows import wiring


def run(scheduled_at: datetime, deadline: schedule.Deadline) -> dict[str, Any]:
    """Check the network as it is now; a repeat changes nothing."""
    from cardstock.flows.nightly_compliance import check_network  # with the first tick, not at the start

    today = brand_day(min(scheduled_at, clock.now()))
    found = check_network(today, wiring.nightly_check(), require_time=deadline.require_time)
    share = found.share
    if share.warns:
        count("OutsideSalesLow")
        logger.warning("most sales go to promoters", until=share.day.isoformat(), outside_bps=share.outside_bps)
    count("SubtreeAlarms", len(found.alarms))
    for alarm in found.alarms:
        logger.warning("payouts of a subtree are stopped", alarm_id=alarm.id, people=alarm.people, levels=alarm.levels)
    return {"members": found.members, "outside_bps": share.outside_bps, "alarms": len(found.alarms)}


handler = schedule.ticked(run, reserve_seconds=20)
connect()
