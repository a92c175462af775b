"""Queue: takes a payout one step further - lists, sends, applies results, reconciles, writes the report."""

import time
from collections.abc import Callable

import msgspec

from cardstock import bootstrap
from cardstock.edge import queue
from cardstock.errors import ConflictError
from cardstock.payouts import service

STEP_SECONDS = 150
"""No chunk begins later than this; the function may run twice as long."""


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """The batch that can go on."""

    payout_id: str


def consume(body: bytes) -> None:
    """Go as far as the batch can come, and ask for another step while there is more to do."""
    step = queue.decode(Step, body)
    try:
        more = service.advance(
            step.payout_id,
            brand=bootstrap.brand(),
            payouts=bootstrap.payouts(),
            ledger=bootstrap.payout_ledger(),
            payees=bootstrap.payees(),
            channel=bootstrap.transfer_channel,
            files=bootstrap.report_files(),
            writers=bootstrap.report_writers(),
            announce=bootstrap.announce_payout,
            clock=bootstrap.clock(),
            enough_time=_until(time.monotonic() + STEP_SECONDS),
        )
    except ConflictError as error:
        # Two steps at once: the other one was faster. Whatever is left to do is done by the next.
        if error.code != "PAYOUT_CHANGED":
            raise
        more = True
    if more:
        bootstrap.take_payout_step(step.payout_id)


def _until(deadline: float) -> Callable[[], bool]:
    return lambda: time.monotonic() < deadline


handler = queue.each(consume)
bootstrap.warm()
