"""The one clock that tests move: it stands still until a test moves it, and everything in the process reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from cardstock.clock import SystemClock, set_clock

START = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
"""16:00 of 1 December 2026 in Shanghai, on every test's first look at the clock."""


class TestClock:
    """A clock that stands still. `move(hours=2)` moves it on, `set(moment)` puts it anywhere."""

    __test__ = False

    def __init__(self, at: datetime = START) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        """Make it `at`, which may be earlier than now."""
        self._at = at

    def move(self, **by: float) -> datetime:
        """Move it on by `timedelta(**by)`; the new moment."""
        self._at += timedelta(**by)
        return self._at


@contextmanager
def clock_at(moment: datetime) -> Iterator[TestClock]:
    """The process's clock, standing at `moment`; the machine's clock again afterwards."""
    made = TestClock(moment)
    set_clock(made)
    try:
        yield made
    finally:
        set_clock(SystemClock())


@pytest.fixture
def clock() -> Iterator[TestClock]:
    """The process's clock for one test."""
    with clock_at(START) as made:
        yield made
