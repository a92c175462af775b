"""A clock that can be moved, so that a month passes in seconds."""

from datetime import UTC, datetime, timedelta


class ShiftedClock:
    """The machine's clock plus `shift`. It only moves forward: nothing stored is ever in its future."""

    def __init__(self, shift: timedelta = timedelta(0)) -> None:
        self.shift = shift

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def move_to(self, moment: datetime) -> None:
        """Set the time to `moment` (aware). ValueError if that is in the past."""
        shift = moment - datetime.now(UTC)
        if shift < self.shift - timedelta(milliseconds=1):
            raise ValueError(f"time moves forward: it is {self.now().isoformat()}, not {moment.isoformat()}")
        self.shift = max(shift, self.shift)

    def move_by(self, step: timedelta) -> None:
        """Let `step` pass. ValueError if it is negative."""
        self.move_to(self.now() + step)
