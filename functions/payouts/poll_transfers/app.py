"""Schedule: has the channel asked how the transfers stand that are on their way."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.payouts import service, wiring


def run(_scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """One step for each payout whose channel answers by itself; a step too many changes nothing."""
    found = service.on_their_way(payouts=wiring.payouts())
    for batch in found:
        wiring.take_payout_step(batch.id)
    return {"steps": len(found)}


handler = schedule.ticked(run)
connect()
