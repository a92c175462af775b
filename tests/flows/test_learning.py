"""Purchases to learn from: what members paid for and kept, from the orders in memory and in DynamoDB."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from cardstock.flows.learning import OrderPurchases
from cardstock.ids import new_id
from cardstock.orders.history_store import DynamoPaidOrders
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.orders.ports import PaidOrders
from cardstock.orders.store import order_item
from cardstock.recommendations.model import Purchase
from tests.people.memory_orders import MemoryPaidOrders

CONTRACT = {PaidOrders: (MemoryPaidOrders, DynamoPaidOrders)}

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def line(number: int, sku: str, units: int, refunded: int = 0) -> OrderLine:
    return OrderLine(number, sku, f"name of {sku}", units, 100, units * 100, "sup_1", False, True, refunded)


def order(placed_at: datetime, *lines: OrderLine, paid: bool = True) -> Order:
    return Order(
        order_id=new_id("ord", placed_at),
        member_id="mem_1",
        status="paid" if paid else "placed",
        lines=lines,
        amount_fen=sum(each.net_fen for each in lines),
        receiver=Receiver("n", "p", "a"),
        attribution=None,
        snapshot={},
        placed_at=placed_at,
        paid_at=placed_at + timedelta(minutes=1) if paid else None,
        channel="sandbox" if paid else None,
        transaction_no="t" if paid else None,
    )


@pytest.fixture(params=["memory", "dynamodb"])
def history(request: pytest.FixtureRequest) -> Callable[..., PaidOrders]:
    """Makes the history of the orders that it is called with."""
    if request.param == "memory":
        return MemoryPaidOrders
    request.getfixturevalue("cloud")

    def stored(*orders: Order) -> PaidOrders:
        for each in orders:
            order_item(each).save()
        return DynamoPaidOrders()

    return stored


def test_purchases_are_the_kept_units_of_paid_orders_in_the_window(history: Callable[..., PaidOrders]) -> None:
    recent = order(NOW - timedelta(days=3), line(1, "a", 5, refunded=2), line(2, "b", 1, refunded=1))
    unpaid = order(NOW - timedelta(days=2), line(1, "c", 1), paid=False)
    ancient = order(NOW - timedelta(days=400), line(1, "d", 1))

    found = list(OrderPurchases(history(recent, unpaid, ancient)).purchases_since(NOW - timedelta(days=365)))

    at = NOW - timedelta(days=3) + timedelta(minutes=1)
    assert found == [
        Purchase("mem_1", "a", "name of a", 3, at, recent.order_id),
        Purchase("mem_1", "b", "name of b", 0, at, recent.order_id),
    ]
