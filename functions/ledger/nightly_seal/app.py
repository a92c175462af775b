"""Schedule: seals the ledger's new transactions, so that each of them can be proven."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count
from cardstock.ledger import wiring


def run(scheduled_at: datetime, deadline: schedule.Deadline) -> dict[str, Any]:
    """Seal what was booked before `scheduled_at`; transactions without time left wait for the next run."""
    from cardstock.ledger import sealing  # with the first tick, not at the start

    sealed = sealing.seal(
        scheduled_at, seals=wiring.seals(), archive=wiring.seal_archive(), time_left=deadline.time_left
    )
    count("TransactionsSealed", sealed.transactions)
    if not sealed.finished:
        count("SealUnfinished")
    return {"seals": sealed.seals, "transactions": sealed.transactions, "finished": sealed.finished}


# A seal of 4 096 transactions takes some 10 s: 330 batches to DynamoDB, and one object.
handler = schedule.ticked(run, reserve_seconds=60)
connect()
