"""Schedule: learn recommendations from what was bought."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge import schedule
from cardstock.flows import wiring as flows_wiring
from cardstock.recommendations import service
from cardstock.recommendations import wiring as recommendations_wiring


def run(_scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """Learn from what is known now: a tick that comes late, twice or too early must not put old rows over newer."""
    rows = service.learn_from(
        flows_wiring.purchases(), at=process_clock().now(), rows=recommendations_wiring.learnt_rows()
    )
    return {"rows": rows}


handler = schedule.ticked(run)
connect()
