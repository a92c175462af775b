"""The record of what persons of the staff did."""

from datetime import datetime
from typing import Final

import msgspec

from cardstock.ids import new_id

ACTION_PREFIX: Final = "act_"


class RecordedAction(msgspec.Struct, frozen=True):
    """An action that began: who, when, what, why. It was done, unless its process was cut off."""

    person_id: str
    action_id: str
    at: datetime
    by: str
    call: str
    things: str = ""
    details: str = ""
    reason: str = ""
    trace_id: str = ""


def bounds_of(since: datetime | None, until: datetime | None, after: str | None) -> tuple[str, str]:
    """The least and the greatest id of actions from `since` until before `until`, not newer than the id `after`."""
    low = ACTION_PREFIX if since is None else f"{_stem(since)}"
    high = f"{ACTION_PREFIX}~" if until is None else f"{_stem(until)}"
    return low, high if after is None else min(high, after)


def _stem(moment: datetime) -> str:
    """The beginning that all ids of a moment have: fewer letters sort before them."""
    return new_id("act", moment)[: len(ACTION_PREFIX) + 10]
