"""Counters of limits in memory."""

from collections import Counter
from datetime import datetime

from cardstock.limits import Use


class MemoryCounts:
    """`limits.Counts`."""

    def __init__(self) -> None:
        self.counted = Counter[str]()

    def count(self, use: Use, now: datetime) -> bool:
        key = use.limit.key(use.who, now)
        if self.counted[key] >= use.limit.most:
            return False
        self.counted[key] += 1
        return True


def uncounted() -> None:
    """`limits.CountUse` of a verb whose limit is of no interest."""
