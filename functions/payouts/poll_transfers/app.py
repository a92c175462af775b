"""Schedule: have each channel asked how the transfers in flight stand."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.payouts import steps, wiring


def run(_scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """One step for each batch whose channel answers by itself; a step too many changes nothing."""
    found = steps.polled(wiring.payouts())
    for batch in found:
        wiring.request_step(batch.id)
    return {"steps": len(found)}


handler = schedule.ticked(run)
connect()
