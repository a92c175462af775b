"""Schedule: divides the team dividend of the month that has ended. Plans without one leave nothing to divide."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge import schedule
from cardstock.edge.observability import count
from cardstock.flows import wiring

_RESERVE_MS = 10_000


class DividendUnfinishedError(Exception):
    """There was no time to pay every share. The next attempt, which follows at once, goes on where this one ended."""


def run(scheduled_at: datetime, context: Any) -> dict[str, Any]:
    """Pay the shares, each once, whatever the schedule does."""
    from cardstock.network.dividends import month_before  # with the first tick, not at the start

    # The month before the one of the tick; one from the future divides nothing that is not over.
    month = month_before(min(scheduled_at, process_clock().now()))
    divided = wiring.dividends().divide(month, lambda: context.get_remaining_time_in_millis() > _RESERVE_MS)
    if not divided.finished:
        raise DividendUnfinishedError(f"{divided.shares} shares of {month} are paid")
    count("DividendShares", divided.shares)
    return {"month": month, "shares": divided.shares, "total_fen": divided.total}


handler = schedule.ticked(run)
connect()
