"""Queue and map: take a payout batch, or a part of one, on."""

import time
from typing import Any

import msgspec

from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.flows import wiring as flows_wiring
from cardstock.payouts import steps, wiring
from cardstock.payouts.queue import PayoutStep

STEP_SECONDS = 150
"""No chunk begins later than this. The rest of the function's time is the report's."""


def take(step: PayoutStep) -> bool:
    """Take the step; whether there is more to do at once. The step after the parts takes itself what they left."""
    deadline = time.monotonic() + STEP_SECONDS
    needs = flows_wiring.payout_step(lambda: time.monotonic() < deadline, in_parts=not step.part)
    return steps.take(needs, step.payout_id, step.part)


def consume(body: bytes) -> None:
    """Take the step of a message, and ask for another one while there is more to do."""
    step = queue.decode(PayoutStep, body)
    if take(step):
        wiring.request_step(step.payout_id, step.part)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of messages, or the one step of the map, which repeats it while there is more to do."""
    return _of_queue(event, context) if "Records" in event else {"more": take(msgspec.convert(event, PayoutStep))}


_of_queue = queue.each(consume)
connect()
