"""The queues of payouts: the next step of a batch, and the parts of a big one."""

import json
from typing import Annotated

import msgspec

from cardstock import environment
from cardstock.aws.queues import Queue
from cardstock.payouts.model import PARTS, REST, Batch


class PayoutStep(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Message: the batch to advance, or a part of it."""

    payout_id: str
    part: Annotated[str, msgspec.Meta(pattern=rf"\A([{''.join(PARTS)}]|{REST})?\Z")] = ""


def request_step(payout_id: str, part: str = "") -> None:
    """Request the next step of a batch, or of a part of one; a repeat does no harm. Raises `UnavailableError`."""
    Queue(environment.text("PAYOUT_STEPS_QUEUE_URL")).send(msgspec.json.encode(PayoutStep(payout_id, part)).decode())


class QueuedPayoutMap:
    """`payouts.ports.PayoutMap`: one message, which starts the state machine whose map processes the parts."""

    def __init__(self, above: int) -> None:
        self.above = above

    def __call__(self, batch: Batch) -> None:
        Queue(environment.text("PAYOUT_MAPS_QUEUE_URL")).send(json.dumps({"payout_id": batch.id, "parts": PARTS}))
