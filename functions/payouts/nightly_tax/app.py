"""Schedule: writes the quarter's file for the tax office in the night after its last payout has settled."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count
from cardstock.payouts import wiring
from cardstock.payouts.tax import files as taxation


def run(scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """Write each quarter once. What waits for its payouts is counted, so that a late one is seen before it is due."""
    written, waiting = taxation.write_due(
        scheduled_at,
        brand=wiring.brand(),
        payouts=wiring.payouts(),
        tax_files=wiring.tax_files(),
        files=wiring.report_files(),
        writers=wiring.quarter_writers(),
    )
    count("TaxQuartersWaiting", len(waiting))
    return {"written": [one.quarter for one in written], "waiting": [one.quarter for one in waiting]}


handler = schedule.ticked(run)
connect()
