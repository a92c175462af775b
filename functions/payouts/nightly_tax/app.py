"""Schedule: writes the quarter's tax file in the night after its last payout has settled."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count
from cardstock.payouts import wiring
from cardstock.payouts.tax.quarters import write_due_quarters


def run(scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """Write each quarter once. Returns also how many wait for payouts, so that a delay is seen before the deadline."""
    written, waiting = write_due_quarters(wiring.quarters(), scheduled_at)
    count("TaxQuartersWaiting", len(waiting))
    return {"written": [one.quarter for one in written], "waiting": [one.quarter for one in waiting]}


handler = schedule.ticked(run)
connect()
