"""Schedule: opens the batch of the month that has ended, and advances every unfinished batch."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.errors import RefusedError
from cardstock.flows import paying_out_wiring
from cardstock.payouts import steps, wiring
from cardstock.payouts.errors import PERIOD_PAST
from cardstock.payouts.opening import open_by_schedule
from cardstock.payouts.periods import Period


def run(scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """Open once, however often the schedule fires; the next steps follow through the queue.

    A tick that comes a month late opens nothing and sounds the alarm; unfinished batches are advanced all the same.
    """
    period, payout_id = Period.before(scheduled_at), None
    try:
        payout_id = open_by_schedule(period, paying_out_wiring.payout_rules, wiring.payouts()).id
    except RefusedError as error:
        if error.refusal != PERIOD_PAST:
            raise
        count("PayoutsMissed")
        logger.error("payout missed: the tick came a month late", period=period.key)
    unfinished = steps.unfinished(wiring.payouts())
    for found in unfinished:
        wiring.request_step(found.id)
    return {"payout_id": payout_id, "steps": len(unfinished)}


handler = schedule.ticked(run)
connect()
