"""Schedule: expires orders that nobody paid, gives their stock back, and finishes refunds that took long."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge.observability import count, logger
from cardstock.edge.schedule import ticked
from cardstock.orders import service, wiring

_RESERVE_MS = 10_000
"""Left for the order in hand: a question to the channel and a transaction, with their time-outs."""


def sweep(scheduled_at: datetime, context: Any) -> dict[str, Any]:
    """Expire what was due at `scheduled_at`. What is not reached is left to the next sweep."""

    def time_left() -> bool:
        return bool(context.get_remaining_time_in_millis() > _RESERVE_MS)

    orders, channels, clock = wiring.orders(), wiring.payment_channels(), process_clock()
    swept = service.expire_due(scheduled_at, orders=orders, channels=channels, clock=clock, time_left=time_left)
    if swept.unanswered:
        count("ChannelUnanswered", swept.unanswered)
    refunds = service.finish_refunds(orders=orders, channels=channels, clock=clock, time_left=time_left)
    if refunds.refused:
        count("RefundsRefused", len(refunds.refused))
        logger.error("refunds refused", refund_ids=refunds.refused)
    return {
        "expired": swept.expired,
        "paid": swept.paid,
        "unanswered": swept.unanswered,
        "finished": swept.finished,
        "refunded": refunds.done,
        "refunds_left": refunds.left,
    }


handler = ticked(sweep)
connect()
