"""Headquarters lists and reads orders and sales over HTTP, with keys of the staff."""

import json
from typing import Any

import pytest

from cardstock.orders.model import Receiver
from tests.house.cloud import http_event, serve
from tests.people.buyers import BUYER, RECEIVER, STRANGER
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.suppliers import HANGERS, LIGHTS

ORDERS, SALES = "/v1/headquarters/orders", "/v1/headquarters/sales"
TODAY = "2026-12-01"


def get(shop: Shop, path: str, *scopes: str, **query: str) -> Reply:
    """A request of a person with these scopes, or with those that reading takes."""
    token = shop.staff.key(*(scopes or ("orders:read", "sales:read")))
    return reply(serve(http_event("GET", path, token=token, query=query or None)))


def pages(shop: Shop, **query: str) -> list[list[str]]:
    """The ids on the pages of a list, up to its end."""
    found, cursor = [], ""
    while True:
        got = get(shop, ORDERS, **query, **({"cursor": cursor} if cursor else {}))
        assert got.status == 200, got
        found.append([item["order_id"] for item in got.body["items"]])
        cursor = got.body["next_cursor"]
        if cursor is None:
            return found


@pytest.fixture
def three(shop: Shop) -> tuple[Shop, list[str]]:
    """A shop with three orders of today, oldest first: one paid, one of hangers alone, one of another member."""
    ids = [shop.buyer.paid_order("order-1")]
    shop.clock.move(seconds=1)
    ids.append(shop.buyer.order({"84406B": 1}, key="order-2"))
    shop.clock.move(seconds=1)
    quote = shop.buyer.quote({"71053": 1}, member=STRANGER).body["quote"]
    ids.append(shop.buyer.place(quote, member=STRANGER, key="order-3").body["order_id"])
    return shop, ids


def test_the_orders_of_a_day_are_listed_newest_first_by_pages(three: tuple[Shop, list[str]]) -> None:
    shop, ids = three

    assert pages(shop, limit="2") == [[ids[2], ids[1]], [ids[0]]]
    assert pages(shop, day=TODAY, limit="1") == [[each] for each in reversed(ids)]
    assert pages(shop, day="2026-11-30") == [[]]


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ({"status": "paid"}, [0]),
        ({"status": "placed"}, [2, 1]),
        ({"supplier_id": HANGERS}, [1, 0]),
        ({"supplier_id": LIGHTS, "status": "placed"}, [2]),
        ({"supplier_id": "sup_none"}, []),
        ({"member_id": BUYER}, [1, 0]),
        ({"member_id": STRANGER, "day": TODAY}, [2]),
        ({"member_id": STRANGER, "day": "2026-11-30"}, []),
        ({"member_id": BUYER, "status": "placed", "supplier_id": HANGERS}, [1]),
        ({"member_id": "mem_nobody"}, []),
    ],
)
def test_a_filter_shows_what_fits_and_nothing_twice(
    query: dict[str, str], fits: list[int], three: tuple[Shop, list[str]]
) -> None:
    shop, ids = three
    for limit in ("1", "100"):
        found = pages(shop, limit=limit, **query)

        assert [each for page in found for each in page] == [ids[number] for number in fits]
        assert all(found) or found == [[]]


def test_a_cursor_is_good_for_its_own_filter_alone(three: tuple[Shop, list[str]]) -> None:
    shop, _ = three
    cursor = get(shop, ORDERS, limit="1").body["next_cursor"]

    assert get(shop, ORDERS, cursor=cursor, day=TODAY).status == 200
    for other in ({"day": "2026-11-30"}, {"status": "paid"}, {"member_id": BUYER}, {"supplier_id": HANGERS}):
        assert get(shop, ORDERS, cursor=cursor, **other).body["code"] == "CURSOR_INVALID"


def test_an_order_is_read_with_payment_refunds_and_supplier_orders(three: tuple[Shop, list[str]]) -> None:
    shop, ids = three
    shop.staff.grant(ids[0], 500, staff=shop.staff.key("orders:refund"))
    shop.buyer.refund(ids[0], {"84406B": 1})
    order = get(shop, f"{ORDERS}/{ids[0]}").body
    unpaid = get(shop, f"{ORDERS}/{ids[1]}").body

    assert (order["status"], order["member_id"], order["amount_fen"]) == ("paid", BUYER, 223_803)
    assert (order["payment"]["channel"], order["payment"]["amount_fen"]) == ("sandbox", 223_803)
    assert sorted((each["goodwill"], each["amount_fen"]) for each in order["refunds"]) == [(False, 1001), (True, 500)]
    assert {each["granted_by"] is None for each in order["refunds"]} == {True, False}
    assert [each["supplier_id"] for each in order["supplier_orders"]] == [LIGHTS, HANGERS]
    assert (unpaid["payment"], unpaid["refunds"], unpaid["supplier_orders"]) == (None, [], [])


def test_nothing_personal_leaves_unmasked(three: tuple[Shop, list[str]]) -> None:
    shop, ids = three
    answers: list[Any] = [get(shop, ORDERS).body, get(shop, f"{ORDERS}/{ids[0]}").body]
    texts = json.dumps(answers, ensure_ascii=False)

    assert answers[1]["receiver"] == {"name": "王**", "phone": "138****8000", "address": "上海市静安区****"}
    assert [value for value in RECEIVER.values() if value in texts] == []
    assert "南京西路" not in texts


@pytest.mark.parametrize(
    ("receiver", "shown"),
    [
        (("王", "+8613800138000", "北京"), ("王**", "+86138****8000", "****")),
        (("Li", "010-88886666转802", "12 High Street, Shanghai"), ("L**", "010-****6666", "****")),
        (("李", "12345", ""), ("李**", "****2345", "****")),
    ],
)
def test_a_receiver_is_masked(receiver: tuple[str, str, str], shown: tuple[str, str, str]) -> None:
    assert Receiver(*receiver).masked() == Receiver(*shown)


def test_sales_are_read_by_day_and_by_supplier(three: tuple[Shop, list[str]]) -> None:
    shop, ids = three
    shop.staff.grant(ids[0], 500, staff=shop.staff.key("orders:refund"))
    [today] = get(shop, SALES).body["items"]
    [hangers] = get(shop, SALES, supplier_id=HANGERS).body["items"]
    two = get(shop, SALES, since="2026-11-30", until="2026-12-31").body

    assert (today["day"], today["closed"]) == (TODAY, False)
    assert today["placed"] == {
        "count": 3, "units": 13, "goods_fen": 258_704, "freight_fen": 0, "amount_fen": 258_704
    }  # fmt: skip
    assert (today["paid"]["count"], today["paid"]["amount_fen"], today["refunded"]["count"]) == (1, 223_803, 0)
    assert (hangers["placed"]["count"], hangers["placed"]["goods_fen"], hangers["paid"]["units"]) == (2, 4_004, 3)
    assert two["code"] == "QUERY_INVALID"
    assert [each["day"] for each in get(shop, SALES, since="2026-11-30").body["items"]] == ["2026-11-30", TODAY]
    assert get(shop, SALES, since="2026-12-02", until="2026-12-03").body["items"] == []


def test_each_reading_takes_its_own_scope_and_changes_nothing(three: tuple[Shop, list[str]]) -> None:
    shop, ids = three
    keys = {scope: shop.staff.key(scope) for scope in ("orders:read", "sales:read", "orders:refund", "members:read")}
    before = shop.cloud.state()
    found = {
        (path, scope): serve(http_event("GET", path, token=token))["statusCode"]
        for path in (ORDERS, f"{ORDERS}/{ids[0]}", SALES)
        for scope, token in keys.items()
    }

    assert {key for key, status in found.items() if status == 200} == {
        (ORDERS, "orders:read"), (f"{ORDERS}/{ids[0]}", "orders:read"), (SALES, "sales:read")
    }  # fmt: skip
    assert set(found.values()) == {200, 403}
    assert shop.cloud.state() == before
