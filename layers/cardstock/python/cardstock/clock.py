"""The one source of time: services take a `Clock`, so that a test or a demo can move it."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, Protocol

BRAND_ZONE: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Days and months of the brand. China has one zone and has kept one offset since 1991: no zone database is needed."""


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ProcessClock:
    """The one clock of this process. Production never moves it; tests and the demonstration do, by `set_clock`."""

    def __init__(self) -> None:
        self._source: Clock = SystemClock()

    def now(self) -> datetime:
        return self._source.now()


_PROCESS: Final = ProcessClock()


def now() -> datetime:
    """The present moment for everything in this process, aware, in UTC."""
    return _PROCESS.now()


def set_clock(new: Clock) -> None:
    """Let this process take its time from `new`."""
    _PROCESS._source = new


def brand_day(moment: datetime) -> date:
    """The brand's day."""
    return moment.astimezone(BRAND_ZONE).date()


def day_ends(day: date) -> datetime:
    """The first moment after the brand's day."""
    return datetime(day.year, day.month, day.day, tzinfo=BRAND_ZONE) + timedelta(days=1)


def to_epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00Z, rounded down; how moments are stored."""
    return int(moment.timestamp() * 1000)


def from_epoch_ms(value: int) -> datetime:
    """The inverse of `to_epoch_ms`."""
    return datetime.fromtimestamp(value / 1000, UTC)


def rfc3339(moment: datetime) -> str:
    """`2026-12-01T08:26:00.000Z`: how moments leave the system."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
