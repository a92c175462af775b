"""Schedule: divides the team dividend of the month that has ended. Plans without one leave nothing to divide."""

from datetime import datetime, timedelta
from typing import Any

from cardstock import bootstrap
from cardstock.edge import schedule
from cardstock.edge.observability import count

_RESERVE_MS = 10_000


class DividendUnfinishedError(Exception):
    """There was no time to pay every share. The next attempt pays those that are missing."""


def run(scheduled_at: datetime, context: Any) -> dict[str, Any]:
    """Pay the shares, each once, whatever the schedule does."""
    dividends, clock = bootstrap.dividends(), bootstrap.clock()

    def go_on() -> None:
        if context.get_remaining_time_in_millis() < _RESERVE_MS:
            raise DividendUnfinishedError

    # The month before the one of the tick; one from the future divides nothing that is not over.
    this_month = dividends.month_of(min(scheduled_at, clock.now()))
    month = dividends.month_of(datetime.fromisoformat(f"{this_month}-01T00:00:00+08:00") - timedelta(hours=1))
    paid, total = dividends.divide(month, go_on)
    count("DividendShares", paid)
    return {"month": month, "shares": paid, "total_fen": total}


handler = schedule.ticked(run)
bootstrap.warm()
