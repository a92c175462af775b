"""Schedule: builds the search index anew, of all products."""

from datetime import datetime
from typing import Any

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.catalog import wiring as catalog_wiring
from cardstock.edge import schedule
from cardstock.flows.finding_products import rebuild_index
from cardstock.search import wiring


def run(_scheduled_at: datetime, _deadline: schedule.Deadline) -> dict[str, Any]:
    """Replace the index."""
    products = rebuild_index(
        clock.now(),
        pages=catalog_wiring.pages(),
        variants=catalog_wiring.variants(),
        stored=wiring.stored_index(),
    )
    return {"products": products}


handler = schedule.ticked(run, reserve_seconds=10)
connect()
