"""Schedule: expires orders that nobody paid, and gives their stock back."""

from datetime import datetime
from typing import Any

from cardstock import bootstrap
from cardstock.edge.observability import count
from cardstock.edge.schedule import ticked
from cardstock.orders import service

_RESERVE_MS = 10_000
"""Left for the order in hand: a question to the channel and a transaction, with their time-outs."""


def sweep(scheduled_at: datetime, context: Any) -> dict[str, Any]:
    """Expire what was due at `scheduled_at`. What is not reached is left to the next sweep."""
    swept = service.expire_due(
        scheduled_at,
        orders=bootstrap.orders(),
        channels=bootstrap.payment_channels(),
        clock=bootstrap.clock(),
        time_left=lambda: context.get_remaining_time_in_millis() > _RESERVE_MS,
    )
    if swept.unanswered:
        count("ChannelUnanswered", swept.unanswered)
    return {
        "expired": swept.expired,
        "paid": swept.paid,
        "unanswered": swept.unanswered,
        "finished": swept.finished,
    }


handler = ticked(sweep)
bootstrap.warm()
