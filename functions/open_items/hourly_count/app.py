"""Schedule: counts open items and the age of the oldest, for the alarm about what nobody clears."""

from datetime import datetime, timedelta
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count
from cardstock.open_items import wiring
from cardstock.open_items.clearing import count_open


def run(scheduled_at: datetime, _deadline: schedule.Deadline) -> dict[str, Any]:
    """Count; a repeat counts again."""
    found = count_open(items=wiring.open_items())
    hours = 0 if found.oldest is None else max(0, (scheduled_at - found.oldest) // timedelta(hours=1))
    count("OpenItems", found.open)
    count("OpenItemsOldestHours", hours)
    return {"open": found.open, "oldest_hours": hours}


handler = schedule.ticked(run)
connect()
