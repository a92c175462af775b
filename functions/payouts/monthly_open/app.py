"""Schedule: opens the batch of the month that has ended, and takes up every batch that could go on."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge import schedule
from cardstock.flows import wiring as flows_wiring
from cardstock.payouts import service
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.model import SCHEDULE_ACTOR, Period


def run(scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """Open once, whatever the schedule does; the steps follow through the queue."""
    period = Period.before(scheduled_at)
    batch = service.open_batch(
        period,
        actor=SCHEDULE_ACTOR,
        rules=flows_wiring.payout_rules(period),
        payouts=payouts_wiring.payouts(),
        clock=process_clock(),
    )
    waiting = service.unfinished(payouts=payouts_wiring.payouts())
    for found in waiting:
        payouts_wiring.take_payout_step(found.id)
    return {"payout_id": batch.id, "steps": len(waiting)}


handler = schedule.ticked(run)
connect()
