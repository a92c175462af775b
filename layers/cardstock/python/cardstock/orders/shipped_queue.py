"""The queue of shipped orders whose payment's platform must know what was sent."""

from collections.abc import Callable
from typing import Final

import msgspec

from cardstock.aws.queues import Queue
from cardstock.orders.model import Order

REPORTED: Final = frozenset({"wechat", "douyin"})
"""Channels whose platforms must know."""
SETTLES_AFTER_SECONDS: Final = 60
"""A platform knows a payment some seconds after it was made; an order may be shipped at once."""


class ShippedMessage(msgspec.Struct, frozen=True):
    """A shipped order."""

    order_id: str


class ShippedQueue:
    """`flows.order_changes.Shipments` on a queue, which is made when something is sent."""

    def __init__(self, queue: Callable[[], Queue]) -> None:
        self._queue = queue

    def tell(self, order: Order) -> None:
        if order.channel in REPORTED:
            body = msgspec.json.encode(ShippedMessage(order.order_id)).decode()
            self._queue().send(body, delay_seconds=SETTLES_AFTER_SECONDS)
