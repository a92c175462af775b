"""Schedule: erases receiver, payer and device of orders that ended three years ago."""

from datetime import datetime
from typing import Any

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.flows import order_retention_wiring


def run(scheduled_at: datetime, deadline: schedule.Deadline) -> dict[str, Any]:
    """Erase what is due, day by day; days without time left wait for the next night."""
    from cardstock.flows import order_retention  # with the first tick, not at the start

    now = min(scheduled_at, clock.now())
    night = order_retention.erase_old_orders(
        now, order_retention_wiring.order_retention(), time_left=deadline.time_left
    )
    if night.left:
        count("OrdersToErase", night.left)
        logger.warning("old orders are not erased", days=night.left)
    return {"erased": night.erased, "left": night.left}


# For the last day: ten thousand orders take some five minutes.
handler = schedule.ticked(run, reserve_seconds=360)
connect()
