"""Schedule: clears open items that have ended by themselves, and counts the others for the alarm about their age. Has
who counts as one person follow where an identity was taken."""

from datetime import datetime, timedelta
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count
from cardstock.flows.identity_disputes import part_accounts
from cardstock.flows.joining_wiring import merge_needs
from cardstock.flows.open_items import review_items
from cardstock.open_items import wiring
from cardstock.open_items.clearing import count_open
from cardstock.orders import wiring as orders_wiring


def run(scheduled_at: datetime, deadline: schedule.Deadline) -> dict[str, Any]:
    """Review and count; a repeat counts again."""
    items = wiring.open_items()
    review = review_items(items=items, orders=orders_wiring.orders(), time_left=deadline.time_left)
    part_accounts(items, merge_needs)
    if review.opened:
        count("OpenItemsOpened", review.opened)
    found = count_open(items=items)
    hours = 0 if found.oldest is None else max(0, (scheduled_at - found.oldest) // timedelta(hours=1))
    count("OpenItems", found.open)
    count("OpenItemsOldestHours", hours)
    return {"open": found.open, "oldest_hours": hours, "cleared": review.cleared, "opened": review.opened}


handler = schedule.ticked(run, reserve_seconds=5)
connect()
