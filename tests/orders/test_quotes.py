"""Quotes at their edges: a coupon above the goods, an order that its coupon pays, the largest amount."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from cardstock.catalog.model import Variant
from cardstock.errors import InvalidError, RefusedError
from cardstock.money import MAX_FEN
from cardstock.orders.model import NO_FREIGHT, Freight, RequestedUnits
from cardstock.orders.placement import QuoteNeeds, make_quote
from tests.people.buyers import RECEIVER
from tests.people.memory_orders import MemoryCoupons, MemoryNetwork, MemoryOrders
from tests.people.shop import Shop

AT = datetime(2026, 12, 1, tzinfo=UTC)


def product(sku: str, price_fen: int, supplier_id: str = "sup_a") -> Variant:
    return Variant(sku, sku, supplier_id, price_fen, True, True, True, 9, 0, -1, AT)


def quoting(products: Iterable[Variant], coupon_fen: int = 0, freight: Freight = NO_FREIGHT) -> QuoteNeeds:
    coupons = MemoryCoupons().grant("mem_a", "coupon", coupon_fen)
    return QuoteNeeds(MemoryOrders(products), MemoryNetwork(), freight, lambda: coupons)


@pytest.mark.parametrize(
    ("fen", "nets"), [(0, (1_000, 999)), (1_000, (500, 499)), (1_998, (1, 0)), (1_999, (0, 0)), (49_900, (0, 0))]
)
def test_a_coupon_above_the_goods_counts_as_the_goods(fen: int, nets: tuple[int, int]) -> None:
    needs = quoting([product("tea", 1_000), product("cup", 333)], coupon_fen=fen)
    quote = make_quote(needs, "mem_a", [RequestedUnits("tea", 1), RequestedUnits("cup", 3)], None, "coupon")

    assert tuple(line.net_fen for line in quote.lines) == nets
    assert quote.paid_by == ("buyer" if sum(nets) else "coupon")


def fifty(shared: int) -> list[Variant]:
    """Fifty products of a fen: the first `shared` of one supplier, each other of a supplier of its own."""
    return [product(str(sku), 1, "sup" if sku < shared else f"sup_{sku}") for sku in range(50)]


def test_an_order_that_a_coupon_covers_is_placed_with_its_supplier_orders_at_once_or_refused_in_the_quote() -> None:
    requested = [RequestedUnits(str(number), 1) for number in range(50)]
    # 50 lines and 47 or 48 suppliers, and three items beside them, of a hundred.
    fits, fits_not = quoting(fifty(4), MAX_FEN), quoting(fifty(3), MAX_FEN)
    quote = make_quote(fits, "mem_a", requested, None, "coupon")

    assert (quote.amount_fen, len({line.supplier_id for line in quote.lines})) == (0, 47)
    with pytest.raises(InvalidError, match="BODY_INVALID"):
        make_quote(fits_not, "mem_a", requested, None, "coupon")
    assert make_quote(fits_not, "mem_a", requested, None).amount_fen == 50


def test_freight_counts_towards_the_largest_amount_of_an_order() -> None:
    requested = [RequestedUnits("tea", 1)]
    quote = make_quote(quoting([product("tea", 1_000)], freight=Freight(MAX_FEN - 1_000, 0)), "mem_a", requested, None)
    above = quoting([product("tea", 1_000)], freight=Freight(MAX_FEN - 999, 0))

    assert quote.amount_fen == MAX_FEN
    with pytest.raises(RefusedError, match="AMOUNT_TOO_LARGE"):
        make_quote(above, "mem_a", requested, None)


def test_a_quote_that_is_placed_with_four_keys_is_one_order(shop: Shop) -> None:
    shop.stock_up()
    quote = shop.buyer.quote({"71053": 2}).body["quote"]
    held = shop.stock()["71053"]
    placed = [shop.buyer.place(quote, key=f"click-{number}") for number in range(4)]
    order_id = placed[0].body["order_id"]

    assert [(each.status, each.body["order_id"], each.replayed) for each in placed] == [
        (201, order_id, number > 0) for number in range(4)
    ]
    assert shop.stock()["71053"] == (held[0] - 2, held[1] + 2)
    assert shop.buyer.pay(order_id).status == 200
    again = shop.buyer.place(quote, key="after-payment")
    assert (again.status, again.body["order_id"]) == (201, order_id)


def test_a_quote_whose_order_has_ended_places_no_other(shop: Shop) -> None:
    shop.stock_up()
    quote = shop.buyer.quote({"71053": 2}).body["quote"]
    order_id = shop.buyer.place(quote, key="first").body["order_id"]
    shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations")
    held = shop.stock()
    refused = shop.buyer.place(quote, key="second")
    repeated = shop.buyer.place(quote, key="first")
    fresh = shop.buyer.place(shop.buyer.quote({"71053": 2}).body["quote"], key="third")

    assert (refused.status, refused.body["code"]) == (409, "QUOTE_USED")
    assert (repeated.status, repeated.body["order_id"]) == (201, order_id)
    assert (fresh.status, fresh.body["order_id"] != order_id) == (201, True)
    assert shop.stock()["71053"] == (held["71053"][0] - 2, held["71053"][1] + 2)


def test_a_quote_with_another_receiver_is_not_the_same_order(shop: Shop) -> None:
    shop.stock_up()
    quote = shop.buyer.quote({"71053": 2}).body["quote"]
    placed = shop.buyer.place(quote, key="first")
    body = {"quote": quote, "receiver": {**RECEIVER, "name": "李四"}}
    refused = shop.buyer.send("POST", "/v1/orders", body, key="second")

    assert placed.status == 201
    assert (refused.status, refused.body["code"]) == (409, "QUOTE_USED")


def test_two_quotes_of_one_cart_are_two_orders(shop: Shop) -> None:
    shop.stock_up()
    quotes = [shop.buyer.quote({"71053": 1}).body["quote"] for _ in range(2)]
    orders = {shop.buyer.place(quote, key=f"cart-{number}").body["order_id"] for number, quote in enumerate(quotes)}

    assert len(orders) == 2
