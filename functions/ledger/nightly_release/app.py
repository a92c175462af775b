"""Schedule: releases the rewards of orders whose return window and freeze are over, and counts them as settled."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.flows import settling_wiring


class UnsettledError(Exception):
    """Some orders could not be settled. They are scheduled for the next night; a person should check them."""


def run(scheduled_at: datetime, deadline: schedule.Deadline) -> dict[str, Any]:
    """Settle what was due before `scheduled_at`. Raises `UnsettledError` after the last order if some failed."""
    from cardstock.flows import settling  # with the first tick, not at the start

    night = settling.settle_night(
        scheduled_at,
        settling_wiring.settling(),
        time_left=deadline.time_left,
        on_failure=lambda order_id: logger.exception("order not settled", order_id=order_id),
    )
    count("OrdersSettled", night.settled)
    count("OrdersHeld", night.held)
    if not night.finished:
        count("ReleaseUnfinished")
    if night.failed:
        raise UnsettledError(f"{len(night.failed)} orders, the first {night.failed[0]}")
    return {"settled": night.settled, "held": night.held, "waiting": night.waiting, "finished": night.finished}


# An order takes some 30 ms; conflicts are retried for a second.
handler = schedule.ticked(run, reserve_seconds=10)
connect()
