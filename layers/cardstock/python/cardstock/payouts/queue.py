"""What a payout sends: its next step to its own queue, and what happened to partners."""

import json

from cardstock import environment
from cardstock.aws.queues import Queue
from cardstock.clock import rfc3339
from cardstock.flows.announcing import Announcements, event
from cardstock.payouts.model import PARTS, Batch
from cardstock.payouts.service import OPENED


def ask_for_step(payout_id: str, part: str = "") -> None:
    """One message; a repeat does no harm. Raises `UnavailableError`."""
    step = {"payout_id": payout_id, "part": part} if part else {"payout_id": payout_id}
    Queue(environment.text("PAYOUT_STEPS_QUEUE_URL")).send(json.dumps(step))


class SpreadParts:
    """`payouts.ports.Spread`: one message, which starts the state machine that maps over the parts."""

    def __init__(self, above: int) -> None:
        self.above = above

    def __call__(self, batch: Batch) -> None:
        """Raises `UnavailableError`."""
        Queue(environment.text("PAYOUT_MAPS_QUEUE_URL")).send(json.dumps({"payout_id": batch.id, "parts": PARTS}))


def tell(announcements: Announcements, kind: str, batch: Batch) -> None:
    """`payout.opened` when everybody is listed, `payout.settled` with the hashes of its files. Nobody is named."""
    data: dict[str, object] = {"payout_id": batch.id, "period": batch.period.key, "status": batch.status}
    if kind == OPENED:
        at = batch.listed_at or batch.opened_at
        data |= {"lines": batch.listed, "listed_fen": batch.listed_amount}
    else:
        at = batch.settled_at or batch.opened_at
        books = batch.books.batch if batch.books is not None else None
        if books is not None:
            data |= {"lines": books.count, "paid_fen": books.paid, "tax_fen": books.tax, "returned_fen": books.returned}
        data["closed_at"] = rfc3339(batch.closed_at or at)
        data["files"] = [{"name": file.name, "sha256": file.sha256} for file in (*batch.transfers, *batch.reports)]
    announcements.send([event(kind, batch.id, at, data)])
