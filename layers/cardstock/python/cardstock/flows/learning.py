"""The purchases to learn from: the paid orders. Apart from the serving rows, whose reader pays for every import.

| Access pattern | How | Costs |
|---|---|---|
| purchases of a year | Scan of `orders`, projected | 0.5 RCU for each 4 KB of the whole table |
"""

from collections.abc import Iterator
from datetime import datetime

from cardstock.orders.store import OrderItem
from cardstock.recommendations.model import Purchase


class DynamoPurchases:
    """`recommendations.ports.Purchases`."""

    def purchases_since(self, moment: datetime) -> Iterator[Purchase]:
        """Not read consistently: what was paid a second ago is learnt tomorrow.

        An order placed before `moment` is left out even when it was paid after it; they are minutes apart.
        """
        found = OrderItem.scan(
            OrderItem.paid_at.exists() & (OrderItem.placed_at >= moment),
            attributes_to_get=["pk", "member_id", "l", "tp"],
        )
        for item in found:
            for line in item.lines:
                yield Purchase(
                    item.member_id, line.sku, line.name, line.units - line.refunded_units, item.paid_at, item.order_id
                )
