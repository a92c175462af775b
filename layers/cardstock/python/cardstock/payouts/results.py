"""The bank's results, uploaded by finance. `advance` applies them."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import Pointer
from cardstock.payouts import errors
from cardstock.payouts.lines import RETURNED
from cardstock.payouts.model import ASKED, HANDED_OVER, Batch, moved
from cardstock.payouts.ports import Payouts
from cardstock.payouts.reading import existing_batch
from cardstock.payouts.targets import BY_BANK
from cardstock.payouts.transfer_answers import Answer, after_closing


class BroughtResults(msgspec.Struct, frozen=True):
    """How many of the uploaded answers were new, and how many were known."""

    recorded: int
    repeated: int


def record_results(payout_id: str, answers: Sequence[Answer], payouts: Payouts) -> BroughtResults:
    """Record uploaded answers.

    Repeating the last answer about a number changes nothing. A different answer is recorded but never applied, and
    keeps the batch from settling until it is resolved. Raises `NotFoundError`, `ConflictError` (PAYOUT_NOT_SENT) before
    anything was sent, `InvalidError` (TRANSFER_UNKNOWN) pointing to numbers that the batch did not send, `RefusedError`
    (FAILURE_BY_CHANNEL) for a failure where the channel answers for each transfer, `ConflictError` (TRANSFER_WAITS) for
    a transfer that the payee can still accept.
    """
    batch = existing_batch(payout_id, payouts)
    if batch.stage not in HANDED_OVER:
        raise errors.PAYOUT_NOT_SENT()
    lines = payouts.find_lines(batch.id, {answer.number for answer in answers})
    strangers = [
        Pointer(f"/results/{index}/number", "TRANSFER_UNKNOWN")
        for index, answer in enumerate(answers)
        if answer.number not in lines or lines[answer.number].status in ("pending", "dropped")
    ]
    if strangers:
        raise errors.TRANSFER_UNKNOWN(pointers=tuple(strangers))
    if batch.rules.channel not in BY_BANK and any(answer.result in RETURNED for answer in answers):
        # A person who takes silence for a failure would have the money paid twice.
        raise errors.FAILURE_BY_CHANNEL()
    said = payouts.answers_of_batch(batch.id) if batch.stage in ASKED else {}
    if any(not line.final and _waits_for_payee(said.get(line.number, ())) for line in lines.values()):
        raise errors.TRANSFER_WAITS()
    recorded = payouts.record_answers(
        batch.id, [replace(answer, received_at=after_closing(batch, answer.received_at)) for answer in answers]
    )
    return BroughtResults(recorded, len(answers) - recorded)


def confirm_all(payout_id: str, actor: str, payouts: Payouts) -> Batch:
    """Record that every transfer without an answer was paid, as a bank confirms a whole file.

    A second confirmation changes nothing. Raises `NotFoundError`, `ConflictError` (PAYOUT_NOT_SENT), and
    (CHANNEL_SPEAKS_ITSELF) where the channel answers for each transfer.
    """
    batch = existing_batch(payout_id, payouts)
    if batch.stage not in HANDED_OVER:
        raise errors.PAYOUT_NOT_SENT()
    if batch.stage in ASKED:
        raise errors.CHANNEL_SPEAKS_ITSELF()
    if batch.stage != "with_bank":
        return batch
    return payouts.replace_batch(moved(batch, "confirmed", confirmed_by=actor, confirmed_at=clock.now()))


def _waits_for_payee(answers: Sequence[Answer]) -> bool:
    return bool(answers) and answers[-1].result == "waiting_user"
