"""Schedule: writes the quarter's file for the tax office in the night after its last payout has settled."""

from datetime import datetime
from typing import Any

from cardstock import bootstrap
from cardstock.edge import schedule
from cardstock.edge.observability import count
from cardstock.payouts import taxation


def run(scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """Write each quarter once. What waits for its payouts is counted, so that a late one is seen before it is due."""
    written, waiting = taxation.write_due(
        scheduled_at,
        brand=bootstrap.brand(),
        payouts=bootstrap.payouts(),
        tax_files=bootstrap.tax_files(),
        files=bootstrap.report_files(),
        writers=bootstrap.quarter_writers(),
    )
    count("TaxQuartersWaiting", len(waiting))
    return {"written": [one.quarter for one in written], "waiting": [one.quarter for one in waiting]}


handler = schedule.ticked(run)
bootstrap.warm()
