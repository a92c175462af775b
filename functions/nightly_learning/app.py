"""Schedule: learn recommendations from what was bought."""

from datetime import datetime
from typing import Any

from cardstock import bootstrap
from cardstock.edge import schedule
from cardstock.recommendations import service


def run(_scheduled_at: datetime, _context: Any) -> dict[str, Any]:
    """Learn from what is known now: a tick that comes late, twice or too early must not put old rows over newer."""
    rows = service.learn_from(bootstrap.purchases(), at=bootstrap.clock().now(), rows=bootstrap.learnt_rows())
    return {"rows": rows}


handler = schedule.ticked(run)
bootstrap.warm()
