"""What every store of SKUs guarantees: the one in DynamoDB and the one in memory."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from msgspec.structs import replace

from cardstock.catalog.model import SKU, Variant
from cardstock.catalog.ports import Products, Variants
from cardstock.catalog.product_store import DynamoProducts
from cardstock.catalog.store import DynamoVariants
from cardstock.edge.fields import ProductId, Sku
from cardstock.errors import ConflictError, NotFoundError, RefusedError
from cardstock.ids import RequestKey
from cardstock.orders.ports import Catalogue
from tests.people.goods import Goods, publish_goods
from tests.people.memory_catalog import MemoryProducts, MemoryVariants
from tests.people.memory_orders import MemoryOrders

CONTRACT = {Variants: (MemoryVariants, DynamoVariants), Catalogue: (MemoryVariants, MemoryOrders, DynamoVariants)}

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
LAMP = Goods("lamp", "LAMP", "sup_a", 900, True, False, True, 10)
CUP = Goods("cup", "CUP", "sup_b", 100, False, True, True, 5)


def key(name: str, fingerprint: str = "f") -> RequestKey:
    return RequestKey(f"req_{name}", fingerprint)


@pytest.fixture(params=["memory", "dynamodb"])
def variants(request: pytest.FixtureRequest) -> Variants:
    found: Variants
    products: Products
    if request.param == "memory":
        found = MemoryVariants()
        products = MemoryProducts(found)
    else:
        request.getfixturevalue("cloud")
        found, products = DynamoVariants(), DynamoProducts()
    publish_goods([LAMP, CUP], AT, products)
    return found


def stock(variants: Variants, sku: str = "lamp") -> int:
    variant = variants.find_variant(sku)
    assert variant is not None
    return variant.stock


def test_a_sku_comes_back_as_it_was_published(variants: Variants) -> None:
    lamp = Variant("lamp", "LAMP", "sup_a", 900, True, False, True, 10, 0, -1, AT, product_id="lamp")

    assert variants.find_variant("lamp") == lamp
    assert variants.find_variant("nothing") is None
    assert variants.variants_by_sku(["lamp", "nothing", "cup"]).keys() == {"lamp", "cup"}


def test_units_are_added_once_for_a_request(variants: Variants) -> None:
    added = [variants.add_stock("lamp", 3, key("1"), AT) for _ in range(2)]

    assert (added, stock(variants)) == ([True, False], 13)
    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        variants.add_stock("lamp", 4, key("1", "other"), AT)


def test_more_than_there_is_cannot_be_removed(variants: Variants) -> None:
    with pytest.raises(ConflictError) as refused:
        variants.add_stock("lamp", -11, key("1"), AT)
    with pytest.raises(NotFoundError):
        variants.add_stock("nothing", 1, key("2"), AT)

    assert (refused.value.code, refused.value.facts["lines"]) == ("STOCK_SHORT", [{"sku": "lamp", "available": 10}])
    assert variants.add_stock("lamp", -10, key("3"), AT)
    assert stock(variants) == 0


def test_a_later_count_replaces_the_stock_and_an_earlier_one_does_not(variants: Variants) -> None:
    applied = [variants.count_stock("sup_a", "lamp", count, version, AT) for count, version in ((7, 2), (8, 1), (9, 2))]

    assert (applied, stock(variants)) == ([True, False, False], 7)
    for supplier_id, sku in (("sup_b", "lamp"), ("sup_a", "nothing")):
        with pytest.raises(NotFoundError):
            variants.count_stock(supplier_id, sku, 1, 9, AT)


def test_pages_hold_every_product_once(variants: Variants) -> None:
    first, after = variants.list_leading(1, None)
    rest, end = variants.list_leading(1, after)
    own, own_end = variants.leading_of_supplier("sup_b", 1, None)

    assert {each.sku for each in (*first, *rest)} == {"lamp", "cup"}
    assert end is None
    assert ([each.sku for each in own], own_end) == (["cup"], None)


def test_staff_list_every_sku(variants: Variants) -> None:
    first, after = variants.every_variant(None, 1, None)
    rest, end = variants.every_variant(None, 1, after)
    own, own_end = variants.every_variant("sup_a", 5, None)

    assert sorted(each.sku for each in (*first, *rest)) == ["cup", "lamp"]
    assert ([each.sku for each in own], end, own_end) == (["lamp"], None, None)
    assert variants.every_variant("sup_c", 5, None) == ([], None)


@pytest.mark.parametrize("field", [Sku, ProductId])
def test_a_sku_is_the_same_in_json_and_in_the_catalogue(field: object) -> None:
    _, *metas = get_args(field)
    (meta,) = (each for each in metas if each.pattern)

    assert meta.pattern == rf"^{SKU.pattern}\Z"


def test_a_sale_begins_at_its_moment() -> None:
    variant = Variant("lamp", "LAMP", "sup_a", 900, True, False, True, 10, 0, -1, AT, on_sale_from=AT)

    assert variant.is_for_sale(AT)
    assert not variant.is_for_sale(AT - timedelta(milliseconds=1))
    assert not replace(variant, active=False).is_for_sale(AT)


@pytest.fixture(params=["memory", "orders", "dynamodb"])
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    """What orders see: a lamp, and a cup that is not for sale."""
    if request.param == "orders":
        stocked = [(LAMP, True, 10), (CUP, False, 5)]
        return MemoryOrders(
            Variant(g.sku, g.name, g.supplier_id, g.price_fen, True, True, active, stock, 0, -1, AT)
            for g, active, stock in stocked
        )
    goods = [LAMP, replace(CUP, active=False)]
    if request.param == "dynamodb":
        request.getfixturevalue("cloud")
        publish_goods(goods, AT, DynamoProducts())
        return DynamoVariants()
    found = MemoryVariants()
    publish_goods(goods, AT, MemoryProducts(found))
    return found


def test_the_catalogue_has_those_of_the_skus_that_exist_whether_for_sale_or_not(catalogue: Catalogue) -> None:
    found = catalogue.variants_by_sku(iter(["lamp", "cup", "unknown", "lamp"]))

    assert {sku: (offer.name, offer.price_fen, offer.stock, offer.is_for_sale(AT)) for sku, offer in found.items()} == {
        "lamp": ("LAMP", 900, 10, True), "cup": ("CUP", 100, 5, False),
    }  # fmt: skip
    assert catalogue.variants_by_sku([]) == {}
