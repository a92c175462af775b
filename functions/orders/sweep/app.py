"""Schedule: expires unpaid orders, and finishes refunds that took long."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from cardstock.aws.tables import connect
from cardstock.edge.observability import count, logger
from cardstock.edge.schedule import Deadline, ticked
from cardstock.orders import payment, refund_ends, wiring

METRICS = {
    "ChannelUnanswered": "unanswered", "OpenItemsOpened": "unresolved", "PaymentsPaid": "paid",
    "PaymentsStray": "stray",
}  # fmt: skip


def sweep(scheduled_at: datetime, deadline: Deadline) -> dict[str, Any]:
    """Expire orders due at `scheduled_at`. Orders without time left wait for the next sweep."""
    orders, channels, time_left = wiring.orders(), wiring.payment_channels(), deadline.time_left
    swept = payment.expire_due(scheduled_at, orders=orders, channels=channels, time_left=time_left)
    finished = refund_ends.finish_refunds(orders=orders, channels=channels, time_left=time_left)
    figures = {name: getattr(swept, figure) for name, figure in METRICS.items()}
    figures |= {"RefundsMustAct": len(finished.must_act), "RefundsUnanswered": finished.unanswered}
    for name in [name for name, number in figures.items() if number]:
        count(name, figures[name])
    if finished.oldest is not None:
        count("RefundsOldestHours", max(0, (scheduled_at - finished.oldest) // timedelta(hours=1)))
    if finished.must_act:
        logger.error("the merchant must act before these are refunded", refund_ids=finished.must_act)
    return {
        **structs.asdict(swept), "refunded": finished.done, "refunds_left": finished.left,
        "refunds_refused": len(finished.refused),
    }  # fmt: skip


# For the last order: a call of the channel and a transaction, with their time-outs.
handler = ticked(sweep, reserve_seconds=10)
connect()
