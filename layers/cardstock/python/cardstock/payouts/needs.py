"""What a step of a batch needs, and what it answers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, TypeAlias, TypeVar

import msgspec

from cardstock.payouts.model import Batch, Line
from cardstock.payouts.ports import Announce, Channel, EnoughTime, Files, Ledger, Payees, PayoutMap, Payouts, Writer

Pause: TypeAlias = Literal["wait", "again"]
"""Why a step ends here: `wait` for an event or a person, or `again` at once because its time was up."""

T = TypeVar("T")


class StepNeeds(msgspec.Struct, frozen=True):
    """The ports of `advance`."""

    brand: str
    payouts: Payouts
    ledger: Ledger
    payees: Payees
    channel: Callable[[str], Channel]
    """The channel that a batch was opened with, by its name."""
    files: Files
    writers: Callable[[], Sequence[Writer]]
    """The report's writers; their libraries are loaded when this is called."""
    announce: Announce
    payout_map: PayoutMap | None
    """None in the step after the parts, which takes the lines itself that they left."""
    enough_time: EnoughTime


Step: TypeAlias = Callable[[StepNeeds, Batch, Iterable[Line]], Batch | Pause]
"""Takes a batch one stage on. The lines are those of the batch, read when they are asked for."""


def chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """The values in lists of `size`, read as they are asked for."""
    source = iter(values)
    while chunk := list(islice(source, size)):
        yield chunk
