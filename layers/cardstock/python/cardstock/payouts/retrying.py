"""Retrying failed transfers, and how long that is possible.

A batch whose books agree stays open while one of its lines can still be retried: for three days after every line was
first final, or until a person of finance, or the next batch, ends it. What failed is available to its payee at once; if
nobody retries it, the next batch lists it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import NOT_FOUND
from cardstock.ids import RequestKey, RequestResult
from cardstock.payouts import errors
from cardstock.payouts.lines import MAX_ATTEMPTS, RETURNED, Line, retried
from cardstock.payouts.model import ENDED, RETRIABLE, Batch, moved
from cardstock.payouts.ports import Payouts
from cardstock.payouts.reading import existing_batch
from cardstock.payouts.transfer_answers import Answer, returned_by_channel

RETRY_TIME: Final = timedelta(hours=72)
"""How long a failed line can be retried after every line was first final. The last moment is still in time."""


def retry_line(payout_id: str, number: str, actor: str, request: RequestKey, payouts: Payouts) -> RequestResult[Line]:
    """The second attempt of a line.

    Allowed only if the channel itself last answered that the first attempt failed or was cancelled, nothing contradicts
    that, and until the time for retries is over, the next batch is opened or this one is closed. Raises
    `NotFoundError`, `ConflictError` (PAYOUT_NOT_SENT, PAYOUT_CLOSED, TRANSFER_NOT_FAILED, PAYOUT_CHANGED),
    `RefusedError` (RETRIED_ALREADY).
    """
    batch = existing_batch(payout_id, payouts)
    line = payouts.find_lines(batch.id, [number]).get(number)
    if line is None:
        raise NOT_FOUND()
    again = retried(line, actor)
    known = payouts.find_lines(batch.id, [again.number]).get(again.number)
    if known is not None:
        payouts.check_reuse(request)
        return RequestResult(known, replayed=True)
    if batch.status in ("open", "approved"):
        raise errors.PAYOUT_NOT_SENT()
    now = clock.now()
    if batch.stage not in RETRIABLE or retries_are_over(batch, now) or not is_newest(batch, payouts):
        raise errors.PAYOUT_CLOSED()
    if again.attempt > MAX_ATTEMPTS:
        raise errors.RETRIED_ALREADY()
    if not _has_failed(batch, line, payouts.find_answers(batch.id, [number]).get(number, ())):
        raise errors.TRANSFER_NOT_FAILED()
    return payouts.add_retry(moved(batch, "sending", sent_at=None, spread_at=None, books=None), again, request, now)


def end_retries(payout_id: str, actor: str, request: RequestKey, payouts: Payouts) -> RequestResult[Batch]:
    """The batch, none of whose lines can be retried any more; the next step closes it if its books agree.

    A batch that was ended before, or is closed, stays as it is. Raises `NotFoundError`, `RefusedError`
    (IDEMPOTENCY_KEY_REUSED), `ConflictError` (PAYOUT_NOT_SENT; PAYOUT_NOT_FINAL while a line is not final;
    PAYOUT_CHANGED if a line was retried, or a step went on, at the same time).
    """
    batch = existing_batch(payout_id, payouts)
    if batch.retries_ended_at is not None or batch.stage in ENDED:
        payouts.check_reuse(request)
        return RequestResult(batch, replayed=True)
    if batch.status in ("open", "approved"):
        raise errors.PAYOUT_NOT_SENT()
    if not all(line.final for line in payouts.lines_of_batch(batch.id)):
        raise errors.PAYOUT_NOT_FINAL()
    ended = replace(batch, retries_ended_by=actor, retries_ended_at=clock.now())
    return RequestResult(payouts.end_retries(ended, request), replayed=False)


def retries_are_over(batch: Batch, now: datetime) -> bool:
    """Whether a person or the time has ended the retries of a batch."""
    return batch.retries_ended_at is not None or (batch.retry_until is not None and now > batch.retry_until)


def is_newest(batch: Batch, payouts: Payouts) -> bool:
    """Whether no later period has a batch: it would list what failed in this one. Two calls."""
    newest, _ = payouts.batch_page(1, None)
    return newest[0].id == batch.id


def first_final(lines: Sequence[Line]) -> datetime:
    """When the last of the lines, all final, was final. Raises ValueError if there is none."""
    return max(line.closed_at for line in lines if line.closed_at is not None)


def any_can_be_retried(batch: Batch, lines: Sequence[Line], answers: Mapping[str, Sequence[Answer]]) -> bool:
    """Whether a second attempt of one of the lines is possible, as far as lines and answers say. `lines` are all of the
    batch."""
    attempts = {(line.member, line.attempt) for line in lines}
    return any(
        line.attempt < MAX_ATTEMPTS
        and (line.member, line.attempt + 1) not in attempts
        and _has_failed(batch, line, answers.get(line.number, ()))
        for line in lines
    )


def _has_failed(batch: Batch, line: Line, answers: Sequence[Answer]) -> bool:
    """Whether the channel itself last said that the line was not paid, and nothing contradicts that."""
    return line.status in RETURNED and line.contradiction is None and returned_by_channel(batch, answers)
