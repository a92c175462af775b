"""When an order settles, and the refunds of its lines: pure rules."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cardstock.money import Fen
from cardstock.orders.model import Order
from cardstock.orders.refund_model import OPEN_REFUND, Refund


def opens_at(order: Order, days: int) -> datetime | None:
    """`days` after the receipt of the order, regardless of after-sales; None before the receipt."""
    return None if order.received_at is None else order.received_at + timedelta(days=days)


def settles_at(order: Order, days: int, refunds: Sequence[Refund]) -> datetime | None:
    """`days` after the receipt, or, if later, when the last after-sale requested until then succeeded.

    None before the receipt, and while an after-sale is open.
    """
    over = opens_at(order, days)
    if over is None or any(refund.part_of_order and refund.status in OPEN_REFUND for refund in refunds):
        return None
    after_sales = [
        (each.requested_at, each.succeeded_at) for each in refunds if each.part_of_order and each.succeeded_at
    ]
    for requested_at, succeeded_at in sorted(after_sales):
        if requested_at <= over:
            over = max(over, succeeded_at)
    return over


def returned(order: Order, refunds: Iterable[Refund]) -> list[Fen]:
    """The fen that `refunds` take of each line of the order, in the order of the lines."""
    back = [0] * len(order.lines)
    for refund in refunds:
        for line in refund.lines:
            back[line.line_no - 1] += line.amount_fen
    return back
