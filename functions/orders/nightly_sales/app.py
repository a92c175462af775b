"""Schedule: stores the sales of the days that are over."""

from datetime import datetime
from typing import Any

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.orders import wiring


def run(scheduled_at: datetime, deadline: schedule.Deadline) -> dict[str, Any]:
    """Store the days before that of `scheduled_at`; days without time left wait for the next night."""
    from cardstock.orders import sales  # with the first tick, not at the start

    now = min(scheduled_at, clock.now())
    done = sales.store_days(now, sales=wiring.stored_sales(), orders=wiring.order_days(), time_left=deadline.time_left)
    if done.left:
        count("SalesUnfinished")
        logger.warning("sales of days are not stored", left=done.left)
    return {"closed": done.closed, "open": done.open, "left": done.left}


# For the last day: a hundred reads of a hundred orders each.
handler = schedule.ticked(run, reserve_seconds=60)
connect()
