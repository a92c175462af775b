"""How often somebody may do something, counted in windows of fixed length that begin at 1970-01-01T00:00Z.

Around the end of a window up to twice as much gets through: that bounds a cost as well, and needs one number.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil
from typing import Protocol, TypeAlias

import msgspec

from cardstock.clock import from_epoch_ms
from cardstock.errors import TOO_MANY, CardstockError


class Limit(msgspec.Struct, frozen=True):
    """At most `most` in a `window` for each member or account. `name` is part of the counter's key."""

    name: str
    most: int
    window: timedelta

    def key(self, who: str, now: datetime) -> str:
        """Under which the counter of this window is stored: `count#exports#mem_...#20427`.

        `who` must be nothing by which a person could be recognised: our own id, or a mark (`marks`).
        """
        return f"count#{self.name}#{who}#{int(now.timestamp() // self.window.total_seconds())}"

    def ends(self, now: datetime) -> datetime:
        """When the window ends."""
        seconds = int(self.window.total_seconds())
        return from_epoch_ms((int(now.timestamp()) // seconds + 1) * seconds * 1000)

    def refusal(self, now: datetime) -> CardstockError:
        """TOO_MANY, with the seconds until the next window."""
        return TOO_MANY(retry_after=max(1, ceil((self.ends(now) - now).total_seconds())))


class Use(msgspec.Struct, frozen=True):
    """Something that is counted: the limit, and who does it, by our own id or by a mark."""

    limit: Limit
    who: str


CountUse: TypeAlias = Callable[[], None]
"""Counts once for whoever calls, before the thing is done. Raises `ThrottledError` (TOO_MANY) at the limit. A verb that
has a limit calls it when it does the thing: a refusal, and a repeat that changes nothing, are not counted."""


class Counts(Protocol):
    """Counters that go when their windows are over."""

    def count(self, use: Use, now: datetime) -> bool:
        """Count once more, unless there are `most` already; whether it was counted. Raises `UnavailableError`."""
