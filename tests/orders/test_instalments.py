"""Paying the channel in instalments: what is offered, what is refused, and what the order keeps.

The brand has the whole amount at once, so nothing else about the order differs.
"""

from typing import Any

import pytest

from cardstock.orders import wiring as orders_wiring
from infra.local.sandbox import SandboxError
from tests.orders.test_platform_payments import Counter
from tests.people.payment_parties import PARTIES, opened
from tests.people.shop import Shop

SMALL = {"84406B": 3}  # 3,003 fen


def start(shop: Shop, order_id: str, **body: Any) -> Any:
    return shop.buyer.send("POST", f"/v1/orders/{order_id}/payments", {"channel": "sandbox"} | body)


def shown(shop: Shop, order_id: str) -> Any:
    return shop.buyer.send("GET", f"/v1/orders/{order_id}").body


@pytest.mark.parametrize(("amount", "numbers"), [(9_999, []), (10_000, [3, 6, 12]), (223_803, [3, 6, 12])])
def test_a_client_asks_what_is_offered_for_an_amount(shop: Shop, amount: int, numbers: list[int]) -> None:
    got = shop.buyer.send("GET", "/v1/payment-channels", query={"amount_fen": str(amount)})

    assert (got.status, got.body) == (
        200,
        {"items": [{"channel": "sandbox", "instalments": numbers, "agreements": True}]},
    )


def test_the_channel_s_page_gets_the_number_and_the_order_keeps_what_the_notice_says(shop: Shop) -> None:
    order_id = shop.buyer.order()
    started = start(shop, order_id, instalments=6)
    before = shown(shop, order_id)
    shop.channel.notify(shop.channel.pay(order_id, instalments=6))
    after = shown(shop, order_id)

    assert (started.status, started.body["pay_url"].rpartition("&")[2]) == (200, "instalments=6")
    assert (started.body["amount_fen"], before["instalments"]) == (223_803, 1)
    assert (after["status"], after["instalments"], after["amount_fen"]) == ("paid", 6, 223_803)


def test_the_payer_may_choose_otherwise_on_the_channel_s_page(shop: Shop) -> None:
    order_id = shop.buyer.order()
    start(shop, order_id, instalments=6)
    start(shop, order_id)
    shop.channel.notify(shop.channel.pay(order_id, instalments=3))

    assert (shown(shop, order_id)["status"], shown(shop, order_id)["instalments"]) == ("paid", 3)


def test_paid_at_once_the_address_names_no_number_and_the_order_costs_no_byte_more(shop: Shop) -> None:
    order_id = shop.buyer.order()
    started = start(shop, order_id, instalments=1)
    shop.channel.notify(shop.channel.pay(order_id))

    assert "instalments" not in started.body["pay_url"]
    assert all("pi" not in item for item in shop.cloud.items("orders"))


@pytest.mark.parametrize(
    ("cart", "number", "code"),
    [
        ({"71053": 1}, 2, "INSTALMENTS_NOT_OFFERED"),
        ({"71053": 1}, 24, "INSTALMENTS_NOT_OFFERED"),
        (SMALL, 3, "INSTALMENTS_BELOW_LEAST"),
        (SMALL, 5, "INSTALMENTS_NOT_OFFERED"),
    ],
)
def test_what_is_not_offered_is_refused_by_name_and_changes_nothing(
    shop: Shop, cart: dict[str, int], number: int, code: str
) -> None:
    order_id = shop.buyer.order(cart)
    before = shop.cloud.state()
    got = start(shop, order_id, instalments=number)

    assert (got.status, got.body["code"], got.body["errors"][0]["pointer"]) == (422, code, "/instalments")
    assert shop.cloud.state() == before


def test_the_only_number_there_is_is_named_as_such(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    party = PARTIES["wechat"](shop.clock)
    with opened(party, shop.cloud, monkeypatch):
        counter = Counter(shop, party)
        path = f"/v1/orders/{counter.order()}/payments"
        got = counter.send("POST", path, {"channel": "wechat", "instalments": 3})

    [wrong] = got.body["errors"]
    assert (wrong["code"], wrong["allowed"], wrong["detail"]) == ("NOT_OFFERED", [1], "应为：1。")


def test_a_paid_order_is_refused_for_that_whatever_the_number(shop: Shop) -> None:
    assert start(shop, shop.buyer.paid_order(), instalments=5).body["code"] == "ORDER_PAID"


@pytest.mark.parametrize("name", PARTIES)
def test_a_platform_without_instalments_is_sent_nothing(shop: Shop, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    party = PARTIES[name](shop.clock)
    with opened(party, shop.cloud, monkeypatch), party.served.at(-1, "kill_before") as calls:
        counter = Counter(shop, party)
        order_id = counter.order()
        got = counter.send("POST", f"/v1/orders/{order_id}/payments", {"channel": name, "instalments": 3})
        offered = counter.send("GET", "/v1/payment-channels", query={"amount_fen": "33900"}).body["items"]

    assert (got.status, got.body["code"], calls) == (422, "INSTALMENTS_NOT_OFFERED", [])
    assert {each["channel"]: each["instalments"] for each in offered}[name] == []
    assert {each["channel"] for each in offered} <= {"sandbox", name}


def test_a_refund_of_an_order_paid_in_instalments_is_as_any_other(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.channel.notify(shop.channel.pay(order_id, instalments=12))
    shop.buyer.refund(order_id, {"84406B": 2})
    shop.sweep()

    paid = orders_wiring.orders().find_order(order_id)
    assert paid is not None
    refunded = [(call["transaction_no"], call["amount_fen"]) for call in shop.channel.calls]
    assert refunded == [(paid.transaction_no, 2_002)]
    assert (shown(shop, order_id)["refunded_fen"], shown(shop, order_id)["instalments"]) == (2_002, 12)


def test_a_payment_found_by_closing_keeps_its_number_too(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.channel.pay(order_id, instalments=3)
    shop.clock.move(minutes=31)
    shop.sweep()

    assert (shown(shop, order_id)["status"], shown(shop, order_id)["instalments"]) == ("paid", 3)


@pytest.mark.parametrize(("amount", "number"), [(9_999, 3), (10_000, 2), (10_000, 0), (10_000, True)])
def test_the_sandbox_itself_refuses_what_it_does_not_offer(shop: Shop, amount: int, number: int) -> None:
    with pytest.raises(SandboxError):
        shop.channel.company.pay("ord_1", amount, instalments=number, notify=False)

    assert shop.channel.company.payments == {}
