"""The queues of payouts: the next step of a batch, and the parts of a big one."""

import json

from cardstock import environment
from cardstock.aws.queues import Queue
from cardstock.payouts.model import PARTS, Batch


def request_step(payout_id: str, part: str = "") -> None:
    """Ask for a batch, or a part of one, to be taken on; a repeat does no harm. Raises `UnavailableError`."""
    step = {"payout_id": payout_id, "part": part} if part else {"payout_id": payout_id}
    Queue(environment.text("PAYOUT_STEPS_QUEUE_URL")).send(json.dumps(step))


class QueuedPayoutMap:
    """`payouts.ports.PayoutMap`: one message, which starts the state machine that maps over the parts."""

    def __init__(self, above: int) -> None:
        self.above = above

    def __call__(self, batch: Batch) -> None:
        Queue(environment.text("PAYOUT_MAPS_QUEUE_URL")).send(json.dumps({"payout_id": batch.id, "parts": PARTS}))
