"""Schedule: has the channel asked how the transfers stand that are on their way."""

from datetime import datetime
from typing import Any

from cardstock import bootstrap
from cardstock.edge import schedule
from cardstock.payouts import service


def run(_scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """One step for each payout whose channel answers by itself; a step too many changes nothing."""
    found = service.on_their_way(payouts=bootstrap.payouts())
    for batch in found:
        bootstrap.take_payout_step(batch.id)
    return {"steps": len(found)}


handler = schedule.ticked(run)
bootstrap.warm()
