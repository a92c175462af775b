"""The history of paid orders in DynamoDB, for learning.

| Access pattern | How | Costs |
|---|---|---|
| paid orders of a year | Scan of `orders`, projected | 0.5 RCU for each 4 KB of the whole table |
"""

from collections.abc import Iterator
from datetime import datetime

from cardstock.orders.model import PaidOrder
from cardstock.orders.store import OrderItem


class DynamoPaidOrders:
    """`orders.ports.PaidOrders`. Not read consistently: what was paid a second ago is learnt tomorrow."""

    def paid_orders_since(self, moment: datetime) -> Iterator[PaidOrder]:
        """An order placed before `moment` is left out even if it was paid after it: they are minutes apart."""
        found = OrderItem.scan(
            OrderItem.paid_at.exists() & (OrderItem.placed_at >= moment),
            attributes_to_get=["pk", "member_id", "l", "tp"],
        )
        for item in found:
            yield PaidOrder(item.order_id, item.member_id, item.paid_at, item.lines)
