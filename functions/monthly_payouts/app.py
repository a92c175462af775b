"""Schedule: opens the batch of the month that has ended, and takes up every batch that could go on."""

from datetime import datetime
from typing import Any

from cardstock import bootstrap
from cardstock.edge import schedule
from cardstock.payouts import service
from cardstock.payouts.model import SCHEDULE_ACTOR, Period


def run(scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """Open once, whatever the schedule does; the steps follow through the queue."""
    period = Period.before(scheduled_at)
    batch = service.open_batch(
        period,
        actor=SCHEDULE_ACTOR,
        rules=bootstrap.payout_rules(period),
        payouts=bootstrap.payouts(),
        clock=bootstrap.clock(),
    )
    waiting = service.unfinished(payouts=bootstrap.payouts())
    for found in waiting:
        bootstrap.take_payout_step(found.id)
    return {"payout_id": batch.id, "steps": len(waiting)}


handler = schedule.ticked(run)
bootstrap.warm()
