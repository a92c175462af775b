"""The ports and the result of a batch's step."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, TypeAlias, TypeVar

import msgspec

from cardstock.payouts.lines import Line
from cardstock.payouts.model import Batch
from cardstock.payouts.ports import (
    BankTargets,
    Channel,
    Contradictions,
    DraftWriter,
    EnoughTime,
    Files,
    Ledger,
    OpenChanges,
    Payees,
    PayoutAnnouncer,
    PayoutMap,
    Payouts,
    Writer,
)

Pause: TypeAlias = Literal["wait", "again"]
"""Why a step ends: `wait` for an event or a person, or `again` because its time was up."""

T = TypeVar("T")


class StepNeeds(msgspec.Struct, frozen=True):
    """The ports of `advance`."""

    brand: str
    payouts: Payouts
    ledger: Ledger
    payees: Payees
    bank_targets: BankTargets
    channel: Callable[[str], Channel]
    """The channel of a name."""
    files: Files
    writers: Callable[[], Sequence[Writer]]
    """The report's writers; their libraries are loaded when this is called."""
    draft_writers: Callable[[], Sequence[DraftWriter]]
    open_changes: OpenChanges
    contradictions: Contradictions
    announce: PayoutAnnouncer
    payout_map: PayoutMap | None
    """None in the step after the parts, which sends the left lines itself."""
    enough_time: EnoughTime


Step: TypeAlias = Callable[[StepNeeds, Batch, Iterable[Line]], Batch | Pause]
"""Moves a batch one stage on. The lines are those of the batch, read lazily."""


def chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """The values in lists of at most `size`, read lazily."""
    source = iter(values)
    while chunk := list(islice(source, size)):
        yield chunk
