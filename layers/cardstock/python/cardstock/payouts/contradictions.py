"""Answers about one transfer that contradict each other, and what two persons decide about them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock.money import Fen
from cardstock.payouts import errors
from cardstock.payouts.lines import CORRECTIONS, FINAL, RETURNED, Correction, Line, LineStatus, Result
from cardstock.payouts.transfer_answers import Answer, contradict

_RESULTS: Final[Mapping[LineStatus, Result]] = {"paid": "paid", "failed": "failed", "expired": "expired"}
"""The answer that ends a line with a status."""


class Contradiction(msgspec.Struct, frozen=True):
    """A transfer whose results contradict each other, which people have not cleared."""

    number: str
    payout: str
    member: str
    amount: Fen
    first: str
    """The result that was booked."""
    then: str
    at: datetime


class Clearing(msgspec.Struct, frozen=True):
    """What two persons have decided about contradicting results: whether the payee has the money."""

    batch: str
    number: str
    item: str
    arrived: bool
    at: datetime
    persons: tuple[str, str]


def contradicted(answers: Sequence[Answer], last: Answer) -> Answer | None:
    """The final answer that holds, if `last` is the first one since it that contradicts it: paid, and not paid. Two
    ways of not being paid agree.

    The first final answer holds until people clear a contradiction; then what they have decided.
    """
    holding, known = None, False
    for answer in answers:
        if answer.result not in FINAL:
            continue
        if holding is None or answer.decided:
            holding, known = answer, False
        elif contradict(answer, holding):
            known = True
    if holding is None or known or not contradict(last, holding):
        return None
    return holding


def contradiction_cause(number: str, answers: Iterable[Answer]) -> str:
    """The cause of the next open item about a transfer, and of the entry with which clearing it corrects the books:
    the number, and a count from the second one on."""
    decided = sum(answer.decided for answer in answers)
    return f"{number}.{decided + 1}" if decided else number


def number_of(cause: str) -> str:
    """The transfer number in the cause of an entry."""
    return cause.partition(".")[0]


def cleared(line: Line, clearing: Clearing, answers: Sequence[Answer]) -> tuple[Line, Answer]:
    """The line after a clearing, and the clearing as the answer that holds from now on. `answers` are those before.

    The line has one correction more if the outcome is not the one that it had. Raises `ConflictError`
    (RESULT_NOT_APPLIED) for a line that is not final yet.
    """
    if line.status not in CORRECTIONS:
        raise errors.RESULT_NOT_APPLIED()
    after: LineStatus = line.status
    corrections = line.corrections
    if (line.status == "paid") != clearing.arrived:
        (after,) = CORRECTIONS[line.status]
        cause = contradiction_cause(line.number, answers)
        corrections += (Correction(clearing.item, cause, clearing.at, line.status, line.reason, after),)
    decided = Answer(line.number, _RESULTS[after], clearing.at, clearing.item)
    reason = line.reason if after == line.status else _last_reason(after, answers)
    return replace(line, status=after, reason=reason, contradiction=None, corrections=corrections), decided


def _last_reason(status: LineStatus, answers: Sequence[Answer]) -> str | None:
    """The last reason that was given for a result, or for another way of not being paid if none was given for it. What
    people have decided has no reason of a bank."""
    given = [answer for answer in reversed(answers) if answer.reason is not None and answer.result in RETURNED]
    same = [answer for answer in given if answer.result == status]
    return next((answer.reason for answer in (*same, *given)), None) if status in RETURNED else None
