"""Advancing a batch, stage by stage.

`advance` moves a batch as far as possible now, and stops between chunks when its time is up. The stored stage alone
decides the next step, so a step can be killed anywhere, repeated, and run twice at once.
"""

from collections.abc import Callable, Mapping
from typing import Final

from cardstock.errors import NOT_FOUND, ConflictError
from cardstock.payouts import errors
from cardstock.payouts.asking import ask_channel, ask_part
from cardstock.payouts.listing import announce_listing, list_payees
from cardstock.payouts.model import PARTS, POLLED, WAITING, Batch, Stage
from cardstock.payouts.needs import Step, StepNeeds
from cardstock.payouts.ports import Payouts
from cardstock.payouts.reading import existing_batch
from cardstock.payouts.reporting import announce_settlement, write_report
from cardstock.payouts.sending import send_lines, send_part
from cardstock.payouts.settling import settle_answered

STEPS: Final[Mapping[Stage, Step]] = {
    "listing": list_payees,
    "counted": announce_listing,
    "approved": send_lines,
    "sending": send_lines,
    "sending_parts": send_lines,
    "with_bank": settle_answered,
    "confirmed": settle_answered,
    "asking": ask_channel,
    "asking_parts": ask_channel,
    "closed": write_report,
    "reported": announce_settlement,
}
"""The step of each stage; stages without one wait for a person, or are the end."""
PART_STEPS: Final[Mapping[Stage, Callable[[StepNeeds, Batch, str], bool]]] = {
    "sending_parts": send_part,
    "asking_parts": ask_part,
}
_BATCHES_LOOKED_AT: Final = 24


def take(needs: StepNeeds, payout_id: str, part: str) -> bool:
    """Advance a batch or one of its parts; return whether to request another step at once.

    Of two concurrent steps one may lose a conflict; the next step does the rest.
    """
    try:
        return advance_part(needs, payout_id, part) if part in PARTS else advance(needs, payout_id)
    except ConflictError as error:
        if error.refusal is not errors.PAYOUT_CHANGED:
            raise
        return True


def advance(needs: StepNeeds, payout_id: str) -> bool:
    """Move a batch as far as possible now; return whether to request another step at once.

    Raises `NotFoundError` for a batch that does not exist; every other error is worth a repeat.
    """
    batch, lines = needs.payouts.batch_with_lines(payout_id)
    if batch is None:
        raise NOT_FOUND()
    while batch.stage in STEPS:
        done = STEPS[batch.stage](needs, batch, lines)
        if not isinstance(done, Batch):
            return done == "again"
        batch, lines = done, needs.payouts.lines_of_batch(done.id)
    return False


def advance_part(needs: StepNeeds, payout_id: str, part: str) -> bool:
    """Send one of a batch's `PARTS`, or ask about it, while other steps process the others; return whether time was up.

    A line that waits for a line of another part is left to `REST`, the step after all parts. Raises `NotFoundError`.
    """
    batch = existing_batch(payout_id, needs.payouts)
    step = PART_STEPS.get(batch.stage)
    return step is not None and step(needs, batch, part)


def unfinished(payouts: Payouts) -> list[Batch]:
    """Batches of the last two years that can go on without a person."""
    batches, _ = payouts.batch_page(_BATCHES_LOOKED_AT, None)
    return [batch for batch in batches if batch.stage not in WAITING]


def polled(payouts: Payouts) -> list[Batch]:
    """Batches whose channel must be asked about their transfers."""
    batches, _ = payouts.batch_page(_BATCHES_LOOKED_AT, None)
    return [batch for batch in batches if batch.stage in POLLED]
