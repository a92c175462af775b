"""Every verified payment ends booked, refunded, or as an open item; the channel is told that it is taken."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from cardstock.ids import derived_id
from cardstock.open_items.model import OpenItem
from cardstock.open_items.store import every_item
from cardstock.orders import payment
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.payment_model import PaymentNotice
from cardstock.orders.store import every_refund
from tests.house import faults
from tests.people.shop import Shop

TAKEN = {"code": "SUCCESS"}
UNKNOWN = derived_id("ord", "nobody's")
Notice = dict[str, Any]


def items() -> list[OpenItem]:
    return sorted(every_item(), key=lambda item: item.id)


def told(shop: Shop, notice: Notice | str) -> None:
    got = shop.channel.notify(notice)

    assert (got.status, got.body) == (200, TAKEN)


def status_of(order_id: str) -> str:
    order = orders_wiring.orders().find_order(order_id)
    assert order is not None
    return order.status


@pytest.mark.parametrize("off", [-1, 1, 100_000])
def test_a_payment_of_another_amount_is_refunded_whole_and_the_order_waits_on(shop: Shop, off: int) -> None:
    order_id = shop.buyer.order()
    right = shop.channel.notice(order_id)
    wrong = right | {"amount_fen": right["amount_fen"] + off, "transaction_no": "wrong"}
    for _ in range(2):
        told(shop, wrong)
    waiting = status_of(order_id)
    told(shop, right | {"transaction_no": "right"})
    told(shop, wrong)
    (refund,) = every_refund()

    assert (waiting, status_of(order_id)) == ("placed", "paid")
    assert (refund.kind, refund.status, refund.amount_fen, refund.total_fen, refund.transaction_no) == (
        "stray", "requested", wrong["amount_fen"], wrong["amount_fen"], "wrong",
    )  # fmt: skip
    assert items() == []


def test_a_payment_that_is_refunded_never_pays_its_order(shop: Shop) -> None:
    order_id = shop.buyer.order()
    right = shop.channel.notice(order_id)
    told(shop, right | {"amount_fen": 1})
    told(shop, right)

    assert status_of(order_id) == "placed"
    assert len(list(every_refund())) == 1


def test_a_payment_in_another_currency_is_an_open_item_with_what_the_channel_said(shop: Shop) -> None:
    order_id = shop.buyer.order()
    notice = shop.channel.notice(order_id) | {"currency": "USD"}
    for _ in range(2):
        told(shop, notice)
    (item,) = items()

    assert (item.kind, item.subject, item.amount_fen, item.currency, item.state) == (
        "payment_mismatch", order_id, notice["amount_fen"], "USD", "open",
    )  # fmt: skip
    assert item.facts["transaction_no"] == notice["transaction_no"]
    assert item.facts["order_amount_fen"] == str(notice["amount_fen"])
    assert status_of(order_id) == "placed"
    assert list(every_refund()) == []


def test_a_payment_in_another_currency_that_the_sweep_finds_is_an_open_item_and_its_order_expires(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.channel.pay(order_id)
    shop.channel.company.payments[order_id]["currency"] = "USD"
    shop.clock.move(minutes=31)
    swept = [shop.sweep() for _ in range(2)]
    (item,) = items()

    assert (item.kind, item.subject, item.currency) == ("payment_mismatch", order_id, "USD")
    assert [(each["unresolved"], each["expired"]) for each in swept] == [(1, 1), (0, 0)]
    assert status_of(order_id) == "expired"


def test_a_payment_of_another_amount_that_the_sweep_finds_is_refunded_and_its_order_expires(shop: Shop) -> None:
    order_id = shop.buyer.order()
    shop.channel.pay(order_id, 7)
    shop.clock.move(minutes=31)
    swept = [shop.sweep() for _ in range(2)]
    (refund,) = every_refund()

    assert (refund.kind, refund.amount_fen, refund.total_fen, refund.status) == ("stray", 7, 7, "succeeded")
    assert [(each["stray"], each["expired"], each["unanswered"]) for each in swept] == [(1, 1, 0), (0, 0, 0)]
    assert status_of(order_id) == "expired"
    assert items() == []


def test_a_payment_of_another_order_than_the_channel_was_asked_about_changes_neither(shop: Shop) -> None:
    order_id, other = shop.buyer.order(), shop.buyer.order({"84406B": 1}, key="other")
    paid = shop.channel.pay(other)
    told(shop, paid)
    shop.channel.company.payments[order_id] = shop.channel.company.payments[other]
    shop.clock.move(minutes=31)
    swept = [shop.sweep() for _ in range(2)]
    (item,) = items()
    del shop.channel.company.payments[order_id]
    mended = shop.sweep()

    assert (item.kind, item.subject, item.amount_fen) == ("payment_mismatch", order_id, paid["amount_fen"])
    assert item.facts["stated_order"] == other
    assert [(each["unresolved"], each["unanswered"], each["expired"]) for each in swept] == [(1, 1, 0), (0, 1, 0)]
    assert (status_of(order_id), status_of(other), mended["expired"]) == ("expired", "paid", 1)
    assert list(every_refund()) == []


@pytest.mark.parametrize("status", ["placed", "paid", "expired"])
def test_a_payment_of_nothing_is_an_open_item_and_no_refund(shop: Shop, status: str) -> None:
    """WeChat and Alipay can say 0: a refund of it would be refused for ever."""
    order_id = shop.buyer.order()
    if status == "paid":
        told(shop, shop.channel.notice(order_id))
    elif status == "expired":
        shop.clock.move(minutes=31)
        shop.sweep()
    nothing = PaymentNotice("wechat", order_id, "420000", 0, "CNY", shop.clock.now())
    outcomes = [payment.record_payment(nothing, orders=orders_wiring.orders()) for _ in range(2)]
    (item,) = items()

    assert outcomes == ["unresolved", "repeated"]
    assert (item.kind, item.subject, item.amount_fen) == ("payment_mismatch", order_id, 0)
    assert (status_of(order_id), list(every_refund())) == (status, [])


@pytest.mark.parametrize("number", [UNKNOWN, "2088-not-ours", "ord_../x"])
def test_a_payment_for_an_unknown_order_is_an_open_item(shop: Shop, number: str) -> None:
    notice = shop.channel.notice(number, amount_fen=4_200)
    for _ in range(2):
        told(shop, notice)
    (item,) = items()

    assert (item.kind, item.subject, item.amount_fen, item.currency) == ("payment_unknown", number, 4_200, "CNY")


def test_another_amount_for_the_payment_that_is_booked_is_an_open_item_and_refunds_nothing(shop: Shop) -> None:
    order_id = shop.buyer.order()
    notice = shop.channel.notice(order_id)
    told(shop, notice)
    told(shop, notice | {"amount_fen": 5})
    (item,) = items()

    assert (item.kind, item.amount_fen, item.facts["order_status"]) == ("payment_mismatch", 5, "paid")
    assert list(every_refund()) == []


def test_a_second_payment_and_a_late_one_are_refunded_whole(shop: Shop) -> None:
    paid = shop.buyer.order()
    told(shop, shop.channel.notice(paid))
    told(shop, shop.channel.notice(paid, transaction_no="second", amount_fen=7))
    late = shop.buyer.order(key="late")
    notice = shop.channel.notice(late)
    shop.clock.move(minutes=31)
    shop.sweep()
    told(shop, notice | {"paid_at": shop.channel.notice(late)["paid_at"]})

    assert sorted((refund.kind, refund.amount_fen) for refund in every_refund()) == [
        ("stray", 7), ("stray", notice["amount_fen"]),
    ]  # fmt: skip
    assert items() == []


@pytest.mark.parametrize("raw", ["{", "[" * 50_000, '{"amount_fen":0}', '{"amount_fen":"12"}', "null"])
def test_a_signed_notice_that_cannot_be_read_is_an_open_item(shop: Shop, raw: str) -> None:
    for _ in range(2):
        told(shop, raw)
    (item,) = items()

    assert (item.kind, item.facts["bytes"]) == ("payment_unknown", str(len(raw)))


def test_an_unreadable_notice_shows_its_numbers_and_not_its_payer(shop: Shop) -> None:
    notice = shop.channel.notice(UNKNOWN, amount_fen=9) | {"amount_fen": "9", "payer": "wechat:wx1:secret"}
    told(shop, notice)
    (item,) = items()

    assert item.facts["order_no"] == UNKNOWN
    assert item.facts["amount_fen"] == "9"
    assert "secret" not in json.dumps(item.facts)


def other_amount(shop: Shop, key: str) -> Notice:
    order_id = shop.buyer.order({"84406B": 1}, key=key)
    return shop.channel.notice(order_id, amount_fen=3, transaction_no=f"t{key}")


def other_currency(shop: Shop, key: str) -> Notice:
    order_id = shop.buyer.order({"84406B": 1}, key=key)
    return shop.channel.notice(order_id, transaction_no=f"t{key}") | {"currency": "USD"}


def unknown_order(shop: Shop, key: str) -> Notice:
    return shop.channel.notice(derived_id("ord", key), amount_fen=5)


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", [other_amount, other_currency, unknown_order])
def test_a_disturbed_notice_that_comes_again_is_recorded_once(
    shop: Shop, make: Callable[[Shop, str], Notice], mode: faults.Mode
) -> None:
    told(shop, make(shop, "first"))  # secrets are fetched once
    for index in range(2):
        if mode == "conflict" and index == 0:
            continue  # a read of one item, which DynamoDB refuses to nobody
        notice = make(shop, f"{mode}{index}")
        before = len(items()) + len(list(every_refund()))
        with faults.at(index, mode) as seen:
            faults.survive(partial(shop.channel.notify, notice))
        told(shop, notice)

        assert len(seen) > index
        assert len(items()) + len(list(every_refund())) == before + 1
