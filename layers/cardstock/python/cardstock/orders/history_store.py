"""The history of paid orders in DynamoDB, for recommendations.

| Access pattern | How | Costs |
|---|---|---|
| paid orders of a year | Scan of `orders`, projected | 0.5 RCU for each 4 KB of the whole table |
"""

from collections.abc import Iterator
from datetime import datetime

from cardstock.orders.model import PaidOrder
from cardstock.orders.store import OrderItem


class DynamoPaidOrders:
    """`orders.ports.PaidOrders`. Not read consistently: a very recent payment may be learnt a day later."""

    def paid_orders_since(self, moment: datetime) -> Iterator[PaidOrder]:
        """Leaves out an order placed before `moment`, even if it was paid after it: placing and paying are minutes
        apart."""
        found = OrderItem.scan(
            OrderItem.paid_at.exists() & (OrderItem.placed_at >= moment),
            attributes_to_get=["pk", "member_id", "l", "tp"],
        )
        for item in found:
            yield PaidOrder(item.order_id, item.member_id, item.paid_at, item.lines)
