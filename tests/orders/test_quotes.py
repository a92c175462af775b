"""Quotes at their edges: a coupon above the goods, an order that its coupon pays, the largest amount."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from cardstock.catalog.model import Product
from cardstock.errors import InvalidError, RefusedError
from cardstock.money import MAX_FEN
from cardstock.orders.model import NO_FREIGHT, Freight, RequestedUnits
from cardstock.orders.placement import QuoteNeeds, make_quote
from tests.people.memory_orders import MemoryCoupons, MemoryNetwork, MemoryOrders

AT = datetime(2026, 12, 1, tzinfo=UTC)


def product(sku: str, price_fen: int, supplier_id: str = "sup_a") -> Product:
    return Product(sku, sku, supplier_id, price_fen, True, True, True, 9, 0, -1, AT)


def quoting(products: Iterable[Product], coupon_fen: int = 0, freight: Freight = NO_FREIGHT) -> QuoteNeeds:
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


def fifty(shared: int) -> list[Product]:
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
