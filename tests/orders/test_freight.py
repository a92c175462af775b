"""Freight is shown and paid with the order, earns no reward, and goes back only if nothing was ever sent."""

import json

import pytest
from msgspec.structs import replace

from cardstock.flows import wiring as flows_wiring
from cardstock.orders import fulfilment
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.model import Freight, Order
from tests.people.shop import Shop

KIT, HANGER = "85123A", "84406B"
"""255.00 and 10.01 yuan a unit, of two suppliers."""


@pytest.fixture(autouse=True)
def freight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders_wiring, "freight", lambda: Freight(800, 60_000))


def found(order_id: str) -> Order:
    order = orders_wiring.orders().find_order(order_id)
    assert order is not None
    return order


def send_kit(shop: Shop, order_id: str) -> None:
    fulfilment.report_shipment("sup_lights", order_id, "SF", "SF1", "evt_1", orders=orders_wiring.orders())


@pytest.mark.parametrize(("units", "goods", "freight_fen"), [(1, 26_501, 800), (2, 52_001, 800), (3, 77_501, 0)])
def test_freight_is_part_of_what_is_paid_until_the_goods_are_worth_enough(
    shop: Shop, units: int, goods: int, freight_fen: int
) -> None:
    quote = shop.buyer.quote({KIT: units, HANGER: 1}).body
    placed = shop.buyer.place(quote["quote"]).body
    assert shop.buyer.pay(placed["order_id"]).status == 200
    order = shop.buyer.send("GET", f"/v1/orders/{placed['order_id']}").body

    for shown in (quote, placed, order):
        assert (shown["freight_fen"], shown["amount_fen"]) == (freight_fen, goods + freight_fen)
        assert sum(line["net_fen"] for line in shown["lines"]) == goods
    assert order["status"] == "paid"


def test_no_reward_and_no_sale_is_measured_on_freight(shop: Shop) -> None:
    referrer = shop.trade.appoint("mem_" + "r" * 26)
    order = found(shop.trade.buy(shop.trade.member("mem_" + "b" * 26, referrer)))
    dearer = replace(order, amount_fen=order.amount_fen + 800)

    assert flows_wiring.rules().accrual(dearer) == flows_wiring.rules().accrual(order)
    assert flows_wiring.rules().accrual(order).credits
    assert (dearer.freight_fen, dearer.goods_fen, dearer.kept_fen) == (800, order.goods_fen, order.kept_fen)


def test_freight_goes_back_with_the_last_unit_if_nothing_was_sent(shop: Shop) -> None:
    order_id = shop.buyer.order({KIT: 1, HANGER: 2})
    shop.buyer.pay(order_id)
    back = [
        shop.buyer.refund(order_id, {sku: 1}, key=f"refund-{index}").body
        for index, sku in enumerate((HANGER, KIT, HANGER))
    ]
    after = shop.buyer.send("GET", f"/v1/orders/{order_id}").body

    assert [(made["amount_fen"], made["freight_fen"]) for made in back] == [(1_001, 0), (25_500, 0), (1_801, 800)]
    assert after["refunded_fen"] == after["amount_fen"] == 28_302
    listed = shop.buyer.send("GET", f"/v1/orders/{order_id}/refunds").body["items"]
    assert sorted(refund["freight_fen"] for refund in listed) == [0, 0, 800]


def test_freight_stays_once_anything_was_sent(shop: Shop) -> None:
    order_id = shop.buyer.order({KIT: 1, HANGER: 1})
    shop.buyer.pay(order_id)
    send_kit(shop, order_id)
    staff = shop.staff.key("orders:refund")
    back = [shop.staff.take_back(order_id, {sku: 1}, staff=staff, key=sku).body for sku in (KIT, HANGER)]
    after = shop.buyer.send("GET", f"/v1/orders/{order_id}").body

    assert [made["freight_fen"] for made in back] == [0, 0]
    assert after["refunded_fen"] == 26_501
    assert after["amount_fen"] == 27_301


def test_goodwill_never_gives_freight_and_a_return_after_it_still_does(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders_wiring, "goodwill_bound", lambda: 10_000)
    order_id, staff = shop.buyer.order({KIT: 1}), shop.staff.key("orders:refund")
    shop.buyer.pay(order_id)
    refused = shop.staff.grant(order_id, 25_501, staff=staff)
    given = shop.staff.grant(order_id, 25_500, staff=staff, key="all")
    back = shop.buyer.refund(order_id, {KIT: 1})

    assert (refused.status, refused.body["facts"]["refundable_fen"]) == (422, 25_500)
    assert (given.body["amount_fen"], given.body["freight_fen"]) == (25_500, 0)
    assert (back.body["amount_fen"], back.body["freight_fen"]) == (800, 800)
    assert found(order_id).refunded_fen == found(order_id).amount_fen


def test_a_payment_without_the_freight_is_not_the_order_s(shop: Shop) -> None:
    order_id = shop.buyer.order({KIT: 1})
    answer = shop.channel.notify(json.dumps(shop.channel.notice(order_id, amount_fen=25_500)))

    assert answer.status == 200
    assert found(order_id).status == "placed"
    assert found(order_id).returned_payments


def test_a_quote_keeps_the_freight_it_was_made_with(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    quote = shop.buyer.quote({KIT: 1}).body["quote"]
    monkeypatch.setattr(orders_wiring, "freight", lambda: Freight(0, 0))

    assert shop.buyer.place(quote).body["freight_fen"] == 800
    assert shop.buyer.quote({KIT: 1}).body["freight_fen"] == 0
