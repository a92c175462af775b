"""Whatever happens to a step of an order, the same request again ends in the books of an undisturbed run."""

from collections.abc import Callable
from typing import Any

import pytest

from cardstock.orders import fulfilment, refund_ends
from cardstock.orders import wiring as orders_wiring
from tests.house import faults
from tests.house.cloud import http_event, serve
from tests.house.disturbed import attempt, can_happen
from tests.people.buyers import BUYER
from tests.people.goods import publish_goods
from tests.people.payees import ending, verify
from tests.people.replies import reply
from tests.people.shop import GOODS, Shop
from tests.people.staff import say_yes, staff_key

LATER = {"carrier": "SF", "tracking_no": "SF1", "event_id": "evt-1"}


def place(shop: Shop) -> Callable[[], Any]:
    quote = shop.buyer.quote().body["quote"]
    return lambda: shop.buyer.place(quote)


def pay(shop: Shop) -> Callable[[], Any]:
    order_id = shop.buyer.order()
    notice = shop.channel.notice(order_id)
    return lambda: shop.channel.notify(notice)


def cancel(shop: Shop) -> Callable[[], Any]:
    order_id = shop.buyer.order()
    return lambda: shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations")


def refund(shop: Shop) -> Callable[[], Any]:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    return lambda: shop.buyer.refund(order_id, {"85123A": 2, "84406B": 3})


def goodwill(shop: Shop) -> Callable[[], Any]:
    staff, order_id = shop.staff.key("orders:refund"), shop.buyer.order()
    shop.buyer.pay(order_id)
    return lambda: shop.staff.grant(order_id, 19_901, staff=staff)


def execute(shop: Shop) -> Callable[[], Any]:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    refund_id = shop.buyer.refund(order_id, {"85123A": 2, "84406B": 3}).body["refund_id"]
    return lambda: refund_ends.execute_refund(
        order_id,
        refund_id,
        orders=orders_wiring.orders(),
        channels=orders_wiring.payment_channels(),
    )


def refuse(shop: Shop) -> Callable[[], Any]:
    step, shop.channel.refund_status = execute(shop), "failed"
    return step


def close(shop: Shop, outcome: str) -> Callable[[], Any]:
    """The second person's word about a refund that its channel refuses."""
    verify()
    refuse(shop)()
    shop.channel.refund_status = "succeeded"
    (item,) = shop.cloud.items("open-items")
    path, body = f"/v1/open-items/{item['sk']['S']}/clearings", ending(outcome)
    first, second = (staff_key(name, "open_items:clear") for name in ("Li Na", "Wang Fang"))
    assert serve(http_event("POST", path, body, token=first))["statusCode"] == 200
    assert say_yes(http_event("POST", path, body, token=second)) is None

    def say() -> Any:
        answer = reply(serve(http_event("POST", path, body, token=second)))
        assert answer.status == 503 or answer.body["status"] == "cleared"
        return answer

    return say


def pay_another_way(shop: Shop) -> Callable[[], Any]:
    return close(shop, "paid_another_way")


def give_up(shop: Shop) -> Callable[[], Any]:
    return close(shop, "given_up")


def finish(shop: Shop) -> Callable[[], Any]:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    shop.buyer.refund(order_id, {"85123A": 2})
    return shop.sweep


def ship(shop: Shop) -> Callable[[], Any]:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    shop.buyer.refund(order_id, {"84406B": 3})
    return lambda: fulfilment.report_shipment("sup_lights", order_id, **LATER, orders=orders_wiring.orders())


def receive(shop: Shop) -> Callable[[], Any]:
    ship(shop)()
    order_id = orders_wiring.orders().orders_of_member(BUYER, 1, None)[0][0].order_id
    return lambda: shop.buyer.send("POST", f"/v1/orders/{order_id}/receipts")


def sweep(shop: Shop) -> Callable[[], Any]:
    shop.buyer.order()
    shop.buyer.order({"71053": 5}, key="order-2")
    shop.clock.move(minutes=31)
    return shop.sweep


def late_payment(shop: Shop) -> Callable[[], Any]:
    order_id = shop.buyer.order()
    notice = shop.channel.notice(order_id)
    shop.clock.move(minutes=31)
    shop.sweep()
    return lambda: shop.channel.notify(notice)


STEPS = [
    place, pay, cancel, refund, goodwill, execute, refuse, pay_another_way, give_up, finish, ship, receive, sweep,
    late_payment,
]  # fmt: skip


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", STEPS)
def test_a_disturbed_step_and_its_repeat_end_in_the_books_of_one_undisturbed_step(
    make: Callable[[Shop], Callable[[], Any]], mode: faults.Mode, shop: Shop
) -> None:
    make(shop)()  # secrets are fetched once
    reset(shop)
    step = make(shop)
    with faults.watch() as calls:
        step()
    expected = shop.order_books()

    assert calls
    for index, call in enumerate(calls):
        if mode == "throttle" and not call.startswith("dynamodb."):
            continue  # channels and queues have tests of their own
        if not can_happen(mode, call):
            continue
        reset(shop)
        step = make(shop)
        with faults.at(index, mode) as seen:
            attempt(step)
        step()

        assert len(seen) > index
        assert shop.order_books() == expected, f"{mode} at call {index} ({call})"


@pytest.mark.parametrize("make", [place, pay, refund, goodwill])
def test_a_write_whose_answers_are_all_lost_is_unknown_and_its_repeat_finds_it(
    make: Callable[[Shop], Callable[[], Any]], shop: Shop
) -> None:
    make(shop)()
    expected = shop.order_books()
    reset(shop)
    step = make(shop)
    with faults.watch() as calls:
        faults.survive(step)
    reset(shop)
    step = make(shop)
    with faults.at(calls.index("dynamodb.TransactWriteItems"), "lose_answer", times=faults.ALWAYS):
        unknown = step()
    found = step()

    assert (unknown.status, unknown.body["code"]) == (503, "STORE_UNAVAILABLE")
    assert found.status in (200, 201, 202)
    assert shop.order_books() == expected


@pytest.mark.parametrize("mode", ["conflict", "throttle"])
def test_a_store_that_stays_busy_is_a_503_and_writes_nothing(mode: faults.Mode, shop: Shop) -> None:
    step = place(shop)
    before = shop.order_books()
    with faults.at(1, mode, times=faults.ALWAYS):
        answer = step()

    assert (answer.status, answer.body["code"], answer.body["retryable"]) == (503, "STORE_BUSY", True)
    assert shop.order_books() == before


def reset(shop: Shop) -> None:
    """An empty shop."""
    shop.channel.refund_status = "succeeded"
    for table in ("orders", "supplier-orders", "products", "product-pages", "requests", "open-items"):
        for item in shop.cloud.items(table):
            key = {name: item[name] for name in ("pk", "sk") if name in item}
            shop.cloud.dynamodb.delete_item(TableName=table, Key=key)
    publish_goods(GOODS, shop.clock.now())
