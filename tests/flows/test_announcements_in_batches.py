"""What a batch of changes announces goes out together, and is not lost when the webhooks queue is away."""

from typing import Any

import pytest

from cardstock import environment
from functions.orders.on_change import app as on_order_event
from tests.house import faults
from tests.house.cloud import Context, queue_event
from tests.people.shop import Shop
from tests.people.trade import line

Changes = list[dict[str, Any]]


@pytest.fixture
def changes(shop: Shop) -> Changes:
    """Ten changes of orders and supplier orders."""
    shop.trade.member("mem_a")
    for _ in range(3):
        shop.trade.buy("mem_a", line(1), line(2))
    return shop.trade.order_records()[-10:]


def sends(calls: list[str]) -> list[str]:
    return [call for call in calls if call.rpartition(".")[2].startswith("SendMessage")]


def test_ten_changes_are_told_in_one_call(shop: Shop, changes: Changes) -> None:
    with faults.watch() as calls:
        answer = on_order_event.handler(queue_event("orders", *changes), Context())

    assert answer == {"batchItemFailures": []}
    assert len(changes) == 10
    assert len(sends(calls)) == 1
    assert len(shop.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))) >= 9


def test_a_batch_that_could_not_be_told_comes_again_whole_and_is_told_once(shop: Shop, changes: Changes) -> None:
    on_order_event.handler(queue_event("orders", *changes), Context())
    with faults.watch() as calls:
        on_order_event.handler(queue_event("orders", *changes), Context())
    send = next(index for index, call in enumerate(calls) if sends([call]))
    expected = {event["id"] for event in shop.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))}
    with faults.at(send, "throttle", times=faults.ALWAYS):
        away = on_order_event.handler(queue_event("orders", *changes), Context())
    between = shop.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))
    back = on_order_event.handler(queue_event("orders", *changes), Context())

    assert len(away["batchItemFailures"]) == len(changes)
    assert between == []
    assert back == {"batchItemFailures": []}
    told = [event["id"] for event in shop.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))]
    assert sorted(told) == sorted(expected)


def test_a_supplier_is_told_which_units_it_need_not_send_any_more(shop: Shop) -> None:
    shop.trade.member("mem_a")
    order_id = shop.trade.buy("mem_a", line(1, units=3), line(2))
    shop.trade.take("supplier-orders")
    shop.trade.ask_back(order_id, sku1=2)
    first = shop.trade.take("supplier-orders")
    shop.trade.ask_back(order_id, sku1=1)
    for waiting in (first, first, shop.trade.take("supplier-orders")):
        assert on_order_event.handler(queue_event("orders", *waiting), Context()) == {"batchItemFailures": []}

    told = [
        event
        for event in shop.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))
        if event["type"] == "fulfilment.reduced"
    ]
    by_id = {event["id"]: (event["subject"], event["data"]) for event in told}
    part = {"order_id": order_id, "supplier_id": "sup_2"}
    assert len(told) == 3
    assert list(by_id.values()) == [
        (order_id, part | {"lines": [{"sku": "sku1", "name": "Ware 1", "units": units, "cancelled": 3 - units}]})
        for units in (1, 0)
    ]
    assert len({event["time"] for event in told}) == 2


def test_a_parcel_that_leaves_after_units_were_given_back_is_told_as_a_parcel(shop: Shop) -> None:
    shop.trade.member("mem_a")
    order_id = shop.trade.buy("mem_a", line(1, units=3))
    shop.trade.ask_back(order_id, sku1=2)
    shop.trade.take("supplier-orders")
    shop.trade.receive(order_id)
    on_order_event.handler(queue_event("orders", *shop.trade.take("supplier-orders")), Context())

    kinds = [event["type"] for event in shop.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))]
    assert ("shipment.created" in kinds, "fulfilment.reduced" in kinds) == (True, False)
