"""Schedule: opens the batch of the month that has ended, and advances every unfinished batch."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.flows import paying_out_wiring
from cardstock.payouts import steps, wiring
from cardstock.payouts.model import SCHEDULE_ACTOR, Period
from cardstock.payouts.opening import Opener, open_batch


def run(scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """Open once, however often the schedule fires; the next steps follow through the queue."""
    period = Period.before(scheduled_at)
    batch = open_batch(period, Opener(SCHEDULE_ACTOR), paying_out_wiring.payout_rules(period), wiring.payouts())
    unfinished = steps.unfinished(wiring.payouts())
    for found in unfinished:
        wiring.request_step(found.id)
    return {"payout_id": batch.id, "steps": len(unfinished)}


handler = schedule.ticked(run)
connect()
