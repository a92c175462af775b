"""A transfer channel's answers about lines."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.money import Fen
from cardstock.payouts.lines import FINAL, RETURNED, Confirmation, Line, Result
from cardstock.payouts.model import Batch

_ITEM: Final = "oit_"
"""Beginning of the ids of open items."""


class Answer(msgspec.Struct, frozen=True):
    """A channel's answer about one number. `source` is the channel, or the person who uploaded the answer, or the open
    item with which two persons have cleared contradicting ones. `amount` is the net, if the channel named one. `file`
    is the hash of the bank's file that has it, if one has."""

    number: str
    result: Result
    received_at: datetime
    source: str
    reason: str | None = None
    amount: Fen | None = None
    confirmation: Confirmation | None = None
    file: str | None = None

    @property
    def decided(self) -> bool:
        """Whether two persons have decided it by clearing an open item."""
        return self.source.startswith(_ITEM)


class BroughtBy(msgspec.Struct, frozen=True):
    """Results that a person brought at one moment. Those that were known before are not counted."""

    by: str
    at: datetime
    results: int


def brought_by(batch: Batch, answers: Mapping[str, Sequence[Answer]]) -> tuple[BroughtBy, ...]:
    """Who brought results of a batch and when, oldest first; `answers` are those of its lines. What the channel says
    itself, and what two persons have decided, is brought by nobody."""
    counts: Counter[tuple[datetime, str]] = Counter()
    for said in answers.values():
        counts.update(
            (answer.received_at, answer.source)
            for answer in said
            if answer.source != batch.rules.channel and not answer.decided
        )
    return tuple(BroughtBy(by, at, results) for (at, by), results in sorted(counts.items()))


def answered(line: Line, answer: Answer) -> Line:
    """The line after the channel's answer. A final line does not change."""
    if line.final:
        return line
    final = answer.result in FINAL
    return replace(
        line,
        status=answer.result,
        reason=answer.reason if answer.result in RETURNED else None,
        closed_at=answer.received_at if final else None,
        confirmation=None if final else answer.confirmation or line.confirmation,
    )


def answered_all(line: Line, answers: Iterable[Answer]) -> Line:
    """The line after all answers about it, oldest first."""
    for answer in answers:
        line = answered(line, answer)
    return line


def has_final_answer(answers: Iterable[Answer]) -> bool:
    """Whether the channel has said how a transfer ended."""
    return any(answer.result in FINAL for answer in answers)


def contradict(one: Answer, other: Answer) -> bool:
    """Whether two final answers contradict each other: paid, and not paid. Two ways of not being paid agree."""
    return one.result in FINAL and other.result in FINAL and (one.result == "paid") != (other.result == "paid")


def repeats(answer: Answer, answers: Sequence[Answer]) -> bool:
    """Whether the answer adds nothing to the last one that people did not decide themselves, or comes with a file that
    was brought before. An amount or a reason that it does not name adds nothing.

    An answer that contradicts what two persons have decided is a repeat only if it is the one that they have seen last
    and set aside, by JSON or in the same file: whatever else the bank says may have happened since, even if its file is
    the same byte for byte.
    """
    last = next((known for known in reversed(answers) if not known.decided), None)
    if last is None:
        return False
    same = (
        answer.result == last.result
        and answer.amount in (None, last.amount)
        and answer.reason in (None, last.reason)
        and answer.confirmation in (None, last.confirmation)
    )
    if answers[-1].decided and contradict(answer, answers[-1]):
        return same and answer.file in (None, last.file)
    return same or (answer.file is not None and answer.file in (known.file for known in _comparable(answer, answers)))


def _comparable(answer: Answer, answers: Sequence[Answer]) -> Iterator[Answer]:
    """The answers, newest first, back to a decision that this one contradicts."""
    for known in reversed(answers):
        if known.decided and contradict(answer, known):
            return
        yield known


def after_closing(batch: Batch | None, at: datetime) -> datetime:
    """The moment in milliseconds, or one after the batch was closed: its report leaves out what came later, even if
    clocks differ."""
    at, closed = from_epoch_ms(to_epoch_ms(at)), None if batch is None else batch.closed_at
    return at if closed is None else max(at, closed + timedelta(milliseconds=1))


def returned_by_channel(batch: Batch, answers: Sequence[Answer]) -> bool:
    """Whether the last answer came from the channel itself and says that the transfer was not paid. What people have
    decided is no answer of the channel."""
    said = [answer for answer in answers if not answer.decided]
    return bool(said) and said[-1].result in RETURNED and said[-1].source == batch.rules.channel
