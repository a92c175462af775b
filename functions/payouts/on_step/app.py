"""Queue and map: takes a payout one step further - lists, sends, applies results, reconciles, writes the report."""

import time
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge import queue
from cardstock.errors import ConflictError
from cardstock.flows import wiring as flows_wiring
from cardstock.payouts import errors, service
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.model import PARTS, REST

STEP_SECONDS = 150
"""No chunk begins later than this; what is left of the function's time is the report's."""


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """The batch that can go on, or the part of it."""

    payout_id: str
    part: Annotated[str, msgspec.Meta(pattern=rf"\A([{''.join(PARTS)}]|{REST})?\Z")] = ""


def take(step: Step) -> bool:
    """Go as far as the batch can come; whether there is more to do at once."""
    try:
        return _take(step)
    except ConflictError as error:
        # Two steps at once: the other one was faster. Whatever is left to do is done by the next.
        if error.refusal is not errors.PAYOUT_CHANGED:
            raise
        return True


def _take(step: Step) -> bool:
    enough_time = _until(time.monotonic() + STEP_SECONDS)
    if step.part in PARTS:
        return service.take_part(
            step.payout_id,
            step.part,
            payouts=payouts_wiring.payouts(),
            ledger=flows_wiring.payout_ledger(),
            payees=flows_wiring.payees(),
            channel=payouts_wiring.transfer_channel,
            clock=process_clock(),
            enough_time=enough_time,
        )
    return service.advance(
        step.payout_id,
        brand=payouts_wiring.brand(),
        payouts=payouts_wiring.payouts(),
        ledger=flows_wiring.payout_ledger(),
        payees=flows_wiring.payees(),
        channel=payouts_wiring.transfer_channel,
        files=payouts_wiring.report_files(),
        writers=payouts_wiring.report_writers(),
        announce=flows_wiring.announce_payout,
        # The step after the parts does itself what they have left.
        spread=None if step.part else payouts_wiring.spread_payout(),
        clock=process_clock(),
        enough_time=enough_time,
    )


def consume(body: bytes) -> None:
    """Take the step of a message, and ask for another one while there is more to do."""
    step = queue.decode(Step, body)
    if take(step):
        payouts_wiring.take_payout_step(step.payout_id, step.part)


def _until(deadline: float) -> Callable[[], bool]:
    return lambda: time.monotonic() < deadline


_of_queue = queue.each(consume)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of messages, or the one step that the map gives to a run of its own, again while there is more to do."""
    if "Records" in event:
        return _of_queue(event, context)
    return {"more": take(msgspec.convert(event, Step))}


connect()
