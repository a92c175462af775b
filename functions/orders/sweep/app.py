"""Schedule: expires unpaid orders, and finishes refunds that took long."""

from datetime import datetime
from typing import Any

from cardstock.aws.tables import connect
from cardstock.edge.observability import count, logger
from cardstock.edge.schedule import Deadline, ticked
from cardstock.orders import payment, refunds, wiring


def sweep(scheduled_at: datetime, deadline: Deadline) -> dict[str, Any]:
    """Expire orders due at `scheduled_at`. Orders without time left wait for the next sweep."""
    orders, channels, time_left = wiring.orders(), wiring.payment_channels(), deadline.time_left
    swept = payment.expire_due(scheduled_at, orders=orders, channels=channels, time_left=time_left)
    if swept.unanswered:
        count("ChannelUnanswered", swept.unanswered)
    finished = refunds.finish_refunds(orders=orders, channels=channels, time_left=time_left)
    if finished.refused:
        count("RefundsRefused", len(finished.refused))
        logger.error("refunds refused", refund_ids=finished.refused)
    return {
        "expired": swept.expired,
        "paid": swept.paid,
        "unanswered": swept.unanswered,
        "finished": swept.finished,
        "refunded": finished.done,
        "refunds_left": finished.left,
    }


# For the last order: a call of the channel and a transaction, with their time-outs.
handler = ticked(sweep, reserve_seconds=10)
connect()
