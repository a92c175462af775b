"""Schedule: divides the team dividend of the month that has ended, if a plan has one."""

from datetime import datetime
from typing import Any

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count
from cardstock.flows import wiring


class DividendUnfinishedError(Exception):
    """There was no time to pay every share. The next attempt, which follows at once, continues."""


def run(scheduled_at: datetime, deadline: schedule.Deadline) -> dict[str, Any]:
    """Pay the shares, each once, however often the schedule fires."""
    from cardstock.network.dividends import month_before  # with the first tick, not at the start

    # The month before the tick's; a tick from the future cannot divide a month that is not over.
    month = month_before(min(scheduled_at, clock.now()))
    divided = wiring.dividends().divide(month, deadline.time_left)
    if not divided.finished:
        raise DividendUnfinishedError(f"{divided.shares} shares of {month} are paid")
    count("DividendShares", divided.shares)
    return {"month": month, "shares": divided.shares, "total_fen": divided.total}


handler = schedule.ticked(run, reserve_seconds=10)
connect()
