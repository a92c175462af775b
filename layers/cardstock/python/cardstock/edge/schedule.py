"""The schedule edge: EventBridge Scheduler's event, which the template writes as `{"scheduled_at": "<time>"}`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from cardstock.edge.observability import flush, logger


class Tick(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a schedule sends: the moment it was due, whenever it arrives and however often."""

    scheduled_at: datetime


def ticked(run: Callable[[datetime, Any], dict[str, Any]]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """A handler that calls `run(scheduled_at, context)`. A malformed event raises, is retried and ends in the
    schedule's dead-letter queue; `run` must give the same result for the same moment however often it is called."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        try:
            tick = msgspec.convert(event, Tick)
            if tick.scheduled_at.tzinfo is None:
                raise ValueError("scheduled_at has no time zone")
            result = run(tick.scheduled_at.astimezone(UTC), context)
            logger.info("schedule done", scheduled_at=tick.scheduled_at.isoformat(), **result)
            return result
        finally:
            flush()

    return handler
