"""Queue and map: advance a payout batch, or a part of one."""

import time
from typing import Any

import msgspec

from cardstock.aws.tables import connect
from cardstock.edge import queue
from cardstock.flows import paying_out_wiring
from cardstock.payouts import steps, wiring
from cardstock.payouts.queue import PayoutStep

STEP_SECONDS = 150
"""No chunk starts later than this. The rest of the function's time is for the report."""


def take(step: PayoutStep) -> bool:
    """Run the step; return whether to run another at once. The step after the parts sends what they left itself."""
    deadline = time.monotonic() + STEP_SECONDS
    needs = paying_out_wiring.payout_step(lambda: time.monotonic() < deadline, in_parts=not step.part)
    return steps.take(needs, step.payout_id, step.part)


def consume(body: bytes) -> None:
    """Run a message's step, and request another one if there is more to do."""
    step = queue.decode(PayoutStep, body)
    if take(step):
        wiring.request_step(step.payout_id, step.part)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of messages, or one step of the map, which repeats it while there is more to do."""
    return _of_queue(event, context) if "Records" in event else {"more": take(msgspec.convert(event, PayoutStep))}


_of_queue = queue.each(consume)
connect()
