"""When nothing can follow from an order any more, and what its erasure leaves and announces."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.orders import wiring as orders_wiring
from cardstock.orders.erasing import ended_at, erase_people, is_erased
from cardstock.orders.model import NOBODY, Order, OrderLine, OrderStatus, Receiver
from cardstock.orders.refund_model import Refund, RefundStatus
from functions.orders.staff_api import app as staff_api
from tests.people.shop import Shop

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
SETTLES = NOW + timedelta(days=15)
SOMEBODY = Receiver("王小明", "13800138000", "上海市静安区南京西路1266号")


def an_order(status: OrderStatus, *, refunded: int = 0, **more: Any) -> Order:
    line = OrderLine(1, "s", "Ware", 2, 500, 1_000, "sup_1", True, True, refunded_units=refunded)
    return Order("ord_1", "mem_1", status, (line,), 1_000, SOMEBODY, None, {}, NOW, **more)


def a_refund(status: RefundStatus, *, succeeded_at: datetime | None = None) -> Refund:
    return Refund(
        "rfd_1", "ord_1", "mem_1", "return", status, 1, (), "", "sandbox", "t", 1, NOW, succeeded_at=succeeded_at
    )


@pytest.mark.parametrize(("order", "refunds", "settles_at", "ended"), [
    (an_order("cancelled", closed_at=NOW), (), None, NOW),
    (an_order("expired", closed_at=NOW), (), None, NOW),
    (an_order("expired", closed_at=NOW), (a_refund("requested"),), None, None),
    (an_order("expired", closed_at=NOW), (a_refund("succeeded", succeeded_at=LATER),), None, LATER),
    (an_order("placed"), (), None, None),
    (an_order("paid"), (), None, None),
    (an_order("paid", refunded=1), (a_refund("succeeded", succeeded_at=LATER),), None, None),
    (an_order("paid", refunded=2), (a_refund("succeeded", succeeded_at=LATER),), None, LATER),
    (an_order("paid", refunded=2), (a_refund("refused"),), None, None),
    (an_order("shipped"), (), None, None),
    (an_order("completed"), (), SETTLES, SETTLES),
    (an_order("completed"), (a_refund("requested"),), SETTLES, None),
    (an_order("completed"), (a_refund("succeeded", succeeded_at=SETTLES + timedelta(days=9)),), SETTLES,
     SETTLES + timedelta(days=9)),
    (an_order("completed"), (a_refund("given_up"),), SETTLES, SETTLES),
])  # fmt: skip
def test_an_order_has_ended_when_nothing_can_follow_from_it(
    order: Order, refunds: tuple[Refund, ...], settles_at: datetime | None, ended: datetime | None
) -> None:
    assert ended_at(order, refunds, settles_at) == ended


@pytest.mark.parametrize(("more", "erased"), [
    ({}, False), ({"receiver": NOBODY}, True), ({"receiver": NOBODY, "payer": "p"}, False),
    ({"receiver": NOBODY, "device": "d"}, False),
])  # fmt: skip
def test_an_order_is_erased_when_neither_receiver_nor_payer_nor_device_is_left(
    more: dict[str, Any], erased: bool
) -> None:
    assert is_erased(replace(an_order("completed"), **more)) is erased


def test_an_erased_order_keeps_its_goods_and_sums_and_announces_nothing(shop: Shop) -> None:
    shop.publish_plan()
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id, payer="someone", device="something")
    shop.trade.settle_down()
    first = shop.webhooks.waiting()
    orders = orders_wiring.orders()
    before = orders.find_order(order_id)
    assert before is not None
    assert erase_people(before, orders=orders)
    again = erase_people(before, orders=orders)
    shop.trade.settle_down()
    after = orders.find_order(order_id)
    parts = orders.find_supplier_orders(order_id, before.supplier_ids)

    assert again is False
    assert after is not None
    assert (after.receiver, after.payer, after.device) == (NOBODY, "", "")
    assert (after.lines, after.amount_fen, after.status) == (before.lines, before.amount_fen, before.status)
    assert {part.receiver for part in parts.values()} == {NOBODY}
    assert len(parts) == 2
    assert len(first) > 2
    assert shop.webhooks.waiting() == []


def test_headquarters_lists_an_erased_order_with_an_empty_receiver(shop: Shop) -> None:
    order_id = shop.buyer.paid_order()
    order = orders_wiring.orders().find_order(order_id)
    assert order is not None
    erase_people(order, orders=orders_wiring.orders())
    token = shop.staff.key("orders:read")
    read = shop.send(staff_api, "GET", f"/v1/headquarters/orders/{order_id}", token=token)

    assert read.status == 200, read
    assert read.body["receiver"] == {"name": "", "phone": "", "address": ""}
