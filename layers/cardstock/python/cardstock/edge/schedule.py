"""The schedule edge: EventBridge Scheduler's event, which the template writes as `{"scheduled_at": "<time>"}`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from cardstock.edge.observability import flush, logger


class Tick(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a schedule sends: the moment it was due, whenever it arrives and however often."""

    scheduled_at: datetime


class Deadline:
    """When a run must stop: `reserve_seconds` before Lambda would stop it.

    Pass the bound methods on: `time_left=deadline.time_left` to a verb that stops by itself and is continued by the
    next run, `go_on=deadline.require_time` to one whose half is worth nothing.
    """

    def __init__(self, context: Any, *, reserve_seconds: float) -> None:
        self._context = context
        self._reserve_ms = reserve_seconds * 1000

    def time_left(self) -> bool:
        """Whether the run may take up its next piece of work."""
        return bool(self._context.get_remaining_time_in_millis() >= self._reserve_ms)

    def require_time(self) -> None:
        """Do nothing while there is time. Raises `UnfinishedError` when there is none."""
        if not self.time_left():
            raise UnfinishedError


class UnfinishedError(Exception):
    """The run ended before its work, and nothing of it counts. Give the function more time or memory."""


def ticked(
    run: Callable[[datetime, Deadline], dict[str, Any]], *, reserve_seconds: float = 10
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """A handler that calls `run(scheduled_at, deadline)`, whose deadline is `reserve_seconds` before Lambda's.

    A malformed event raises, is retried and ends in the schedule's dead-letter queue. `run` must give the same result
    for the same moment however often it is called.
    """

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        try:
            tick = msgspec.convert(event, Tick)
            if tick.scheduled_at.tzinfo is None:
                raise ValueError("scheduled_at has no time zone")
            result = run(tick.scheduled_at.astimezone(UTC), Deadline(context, reserve_seconds=reserve_seconds))
            logger.info("schedule done", scheduled_at=tick.scheduled_at.isoformat(), **result)
            return result
        finally:
            flush()

    return handler
