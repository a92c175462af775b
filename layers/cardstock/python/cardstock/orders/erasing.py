"""Erasing whom an order went to: receiver, payer and device go once nothing can follow from it any more."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from cardstock.orders.change_model import Step
from cardstock.orders.model import ENDED_UNPAID, NOBODY, Order
from cardstock.orders.ports import Orders
from cardstock.orders.refund_model import OPEN_REFUND, Refund


def is_erased(order: Order) -> bool:
    """Whether nothing of a person is left in the order but the member's id."""
    return order.receiver == NOBODY and not order.payer and not order.device


def ended_at(order: Order, refunds: Sequence[Refund], settles_at: datetime | None) -> datetime | None:
    """When nothing could follow from the order any more; None while something can.

    Unpaid: when it was closed. All units refunded before they were sent: when the last refund succeeded. Else when it
    settles, `settles_at`, which is after the return window. An open refund keeps every order open.
    """
    if any(refund.status in OPEN_REFUND for refund in refunds):
        return None
    refunded = [refund.succeeded_at for refund in refunds if refund.succeeded_at is not None]
    if order.status in ENDED_UNPAID:
        ended = order.closed_at
    elif all(line.refunded_units == line.units for line in order.lines):
        ended = max(refunded, default=None)
    else:
        ended = settles_at
    return None if ended is None else max(ended, *refunded) if refunded else ended


def erase_people(order: Order, *, orders: Orders) -> bool:
    """Remove receiver, payer and device from the order and receivers from its supplier orders: all or nothing.

    False if something has changed since it was read, or if a repeat finds it done: read again.
    """
    parts = orders.find_supplier_orders(order.order_id, order.supplier_ids) if order.is_paid else {}
    return orders.store_step(
        Step(
            orders=(replace(order, receiver=NOBODY, payer="", device="", version=order.version + 1),),
            supplier_orders=tuple(replace(part, receiver=NOBODY, version=part.version + 1) for part in parts.values()),
        )
    )
