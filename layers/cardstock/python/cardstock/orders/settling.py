"""When an order settles, and what was given back of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cardstock.money import Fen
from cardstock.orders.model import Order, Refund


def opens_at(order: Order, days: int) -> datetime | None:
    """When the `days` that an order waits after its receipt are over, after-sales aside; None before the receipt."""
    return None if order.received_at is None else order.received_at + timedelta(days=days)


def settles_at(order: Order, days: int, refunds: Sequence[Refund]) -> datetime | None:
    """When those days are over, or the last after-sale that was asked for until then; None before the receipt, and
    while an after-sale is open."""
    over = opens_at(order, days)
    if over is None or any(r.part_of_order and r.succeeded_at is None for r in refunds):
        return None
    after_sales = [(r.requested_at, r.succeeded_at) for r in refunds if r.part_of_order and r.succeeded_at]
    for asked_at, closed_at in sorted(after_sales):
        if asked_at <= over:
            over = max(over, closed_at)
    return over


def returned(order: Order, refunds: Iterable[Refund]) -> list[Fen]:
    """What `refunds` give back of each line of the order."""
    back = [0] * len(order.lines)
    for refund in refunds:
        for line in refund.lines:
            back[line.line_no - 1] += line.amount_fen
    return back
