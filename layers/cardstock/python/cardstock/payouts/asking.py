"""Asking the channel for the status of transfers."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from cardstock import clock
from cardstock.payouts.lines import IN_FLIGHT, RETURNED, Line
from cardstock.payouts.model import Batch
from cardstock.payouts.needs import Pause, StepNeeds, chunks
from cardstock.payouts.parts import give_parts_to_map
from cardstock.payouts.ports import CHUNK
from cardstock.payouts.settling import settle_answered
from cardstock.payouts.transfer_answers import Answer, has_final_answer

CANCEL_AFTER: Final = timedelta(hours=72)
"""Cancel a transfer that its payee has not accepted by then. Channels let it expire after 24 hours, sometimes later."""


def ask_channel(needs: StepNeeds, batch: Batch, _lines: Iterable[Line]) -> Batch | Pause:
    """Ask about all transfers and apply the answers; a batch in parts is asked about by the payout map."""
    batch = give_parts_to_map(needs, batch)
    if batch.stage == "asking":
        _ask(needs, batch)
    return settle_answered(needs, batch, ())


def ask_part(needs: StepNeeds, batch: Batch, part: str) -> bool:
    """Ask about the transfers of one part. Always False: what it had no time for is asked about at the next poll."""
    _ask(needs, batch, part)
    return False


def _ask(needs: StepNeeds, batch: Batch, part: str = "") -> None:
    """Ask the channel about every line that is not known to be paid, and record its answers.

    A line without an answer is submitted again under the same number with the same parameters. A returned line is asked
    about too: a late payment must be known before the books are compared.
    """
    payouts, channel = needs.payouts, needs.channel(batch.rules.channel)
    said = payouts.answers_of_batch(batch.id, part)
    asked = [
        line
        for line in payouts.lines_of_batch(batch.id, part)
        if line.status in RETURNED or (line.status in IN_FLIGHT and not has_final_answer(said.get(line.number, ())))
    ]
    now = clock.now()
    # Start at another line each time, so that a step that runs out of time does not starve the same lines.
    begin = int(now.timestamp()) % len(asked) if asked else 0
    for chunk in chunks(asked[begin:] + asked[:begin], CHUNK):
        if not needs.enough_time():
            return
        late = [line for line in chunk if _is_overdue(line, now)]
        rest = [line for line in chunk if line not in late]
        answers = [*channel.ask(rest), *(channel.cancel(late) if late else ())]
        payouts.record_answers(batch.id, answers)
        answered = {answer.number: answer for answer in answers}
        silent = [line for line in rest if line.status in IN_FLIGHT and _is_unanswered(line, answered.get(line.number))]
        if silent:
            payouts.record_answers(batch.id, channel.transfer(silent))


def _is_overdue(line: Line, now: datetime) -> bool:
    return line.status == "waiting_user" and line.sent_at is not None and now - line.sent_at >= CANCEL_AFTER


def _is_unanswered(line: Line, answer: Answer | None) -> bool:
    """Whether to submit the line again: the channel does not know it, or the payee's confirmation is missing."""
    return answer is None or (answer.result == "waiting_user" and not (answer.confirmation or line.confirmation))
