"""The inbox compares what is reported: one parcel is one parcel, and one value is one message."""

import json

from cardstock.orders import wiring as orders_wiring
from tests.people.shop import Shop
from tests.people.suppliers import LIGHTS


def parcel(order_id: str, **other: str) -> dict[str, str]:
    return {
        "type": "shipment.created",
        "order_id": order_id,
        "carrier": "SF",
        "tracking_no": "SF1390001234567",
        **other,
    }


def test_a_parcel_is_listed_once_under_any_message_id_and_spelling(shop: Shop) -> None:
    secret, order_id = shop.supplier.register(), shop.buyer.paid_order()
    first = shop.supplier.report(secret, parcel(order_id), message_id="m1")
    shop.clock.move(minutes=5)
    spellings: tuple[dict[str, str], ...] = (
        {},
        {"carrier": "ｓｆ"},
        {"carrier": " sf "},
        {"tracking_no": "sf 1390-0012-34567"},
    )
    again = [
        shop.supplier.report(secret, parcel(order_id, **other), message_id=f"m{number}")
        for number, other in enumerate(spellings, 2)
    ]
    other = shop.supplier.report(secret, parcel(order_id, carrier="YTO"), message_id="m9")
    part = orders_wiring.orders().find_supplier_orders(order_id, (LIGHTS,))[LIGHTS]

    assert (first.status, first.body) == (200, {"repeat": False})
    assert {(found.status, found.body["repeat"]) for found in again} == {(200, True)}
    assert {found.body["reported_at"] for found in again} == {"2026-12-01T08:00:00.000Z"}
    assert other.body == {"repeat": False}
    assert [one.carrier for one in part.parcels] == ["SF", "YTO"]


def test_a_message_that_comes_again_in_another_form_is_the_same_message(shop: Shop) -> None:
    secret, order_id = shop.supplier.register(), shop.buyer.paid_order()
    body = parcel(order_id)
    first = shop.supplier.report(secret, body)
    turned = dict(reversed(body.items()))
    again = shop.supplier.report(secret, json.dumps(turned, indent=2).replace("SF", "\\u0053F"))
    marked = shop.supplier.report(secret, "\ufeff" + json.dumps(body))
    changed = shop.supplier.report(secret, body | {"carrier": "YTO"})

    assert (first.status, again.status, marked.status) == (200, 200, 200)
    assert (first.body["repeat"], again.body["repeat"], marked.body["repeat"]) == (False, True, True)
    assert (changed.status, changed.body["code"]) == (422, "MESSAGE_ID_REUSED")


def test_a_message_with_a_byte_order_mark_and_unknown_fields_is_taken(shop: Shop) -> None:
    secret, order_id = shop.supplier.register(), shop.buyer.paid_order()
    body = parcel(order_id) | {"warehouse": {"name": "北仓"}, "weight_g": 1.5}
    answer = shop.supplier.report(secret, "\ufeff" + json.dumps(body))

    assert (answer.status, answer.body) == (200, {"repeat": False})


def test_another_number_under_the_same_version_is_no_repeat_and_the_answer_names_what_stands(
    shop: Shop,
) -> None:
    secret = shop.supplier.register()
    shop.buyer.pay(shop.buyer.order({"85123A": 2}))
    count = {"type": "inventory.updated", "sku": "85123A", "stock": 7, "version": 9}
    answers = [
        shop.supplier.report(secret, count | changed, message_id=f"m{number}").body
        for number, changed in enumerate(({}, {"stock": 3}, {}))
    ]

    assert answers == [
        {"repeat": False},
        {"repeat": False, "newest_version": 9, "newest_stock": 7},
        {"repeat": True, "newest_version": 9},
    ]
    assert shop.stock()["85123A"] == (5, 2)


def test_an_older_count_is_ignored_and_the_answer_names_the_newest(shop: Shop) -> None:
    secret = shop.supplier.register()
    shop.stock_up()
    count = {"type": "inventory.updated", "sku": "85123A", "stock": 7, "version": 9}
    answers = [
        shop.supplier.report(secret, count | changed, message_id=f"m{number}").body
        for number, changed in enumerate(({}, {"version": 8, "stock": 3}, {}, {"version": 10, "stock": 5}))
    ]

    assert answers == [
        {"repeat": False},
        {"repeat": False, "newest_version": 9},
        {"repeat": True, "newest_version": 9},
        {"repeat": False},
    ]
    assert shop.stock()["85123A"] == (5, 0)
