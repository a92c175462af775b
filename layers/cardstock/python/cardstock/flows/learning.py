"""Recommendations learn from orders: each paid line of an order is a purchase."""

from collections.abc import Iterator
from datetime import datetime

from cardstock.orders.ports import PaidOrders
from cardstock.recommendations.model import Purchase


class OrderPurchases:
    """`recommendations.ports.Purchases` on the paid orders."""

    def __init__(self, orders: PaidOrders) -> None:
        self._orders = orders

    def purchases_since(self, moment: datetime) -> Iterator[Purchase]:
        """Each line with the units that the member kept, possibly 0."""
        for order in self._orders.paid_orders_since(moment):
            for line in order.lines:
                kept = line.units - line.refunded_units
                yield Purchase(order.member_id, line.sku, line.name, kept, order.paid_at, order.order_id)
