"""What every store of products guarantees: the one in DynamoDB and the one in memory."""

from datetime import UTC, datetime
from typing import get_args

import pytest
from msgspec.structs import replace

from cardstock.catalog.model import SKU, Draft, Listing, Product
from cardstock.catalog.ports import Products
from cardstock.catalog.store import DynamoProducts
from cardstock.edge.fields import Sku
from cardstock.errors import ConflictError, NotFoundError, RefusedError
from cardstock.ids import RequestKey
from cardstock.orders.ports import Catalogue
from tests.people.memory_catalog import MemoryProducts
from tests.people.memory_orders import MemoryOrders

CONTRACT = {Products: (MemoryProducts, DynamoProducts), Catalogue: (MemoryProducts, MemoryOrders, DynamoProducts)}

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
LAMP = Listing("lamp", "LAMP", "sup_a", 900, True, False, True, 10)
CUP = Listing("cup", "CUP", "sup_b", 100, False, True, True, 5)


def key(name: str, fingerprint: str = "f") -> RequestKey:
    return RequestKey(f"req_{name}", fingerprint)


@pytest.fixture(params=["memory", "dynamodb"])
def products(request: pytest.FixtureRequest) -> Products:
    found: Products
    if request.param == "memory":
        found = MemoryProducts()
    else:
        request.getfixturevalue("cloud")
        found = DynamoProducts()
    found.publish_listings([LAMP, CUP], AT)
    return found


def stock(products: Products, sku: str = "lamp") -> int:
    product = products.find_product(sku)
    assert product is not None
    return product.stock


def test_a_product_comes_back_as_it_was_published(products: Products) -> None:
    lamp = Product("lamp", "LAMP", "sup_a", 900, True, False, True, 10, 0, -1, AT)

    assert products.find_product("lamp") == lamp
    assert products.find_product("nothing") is None
    assert products.products_by_sku(["lamp", "nothing", "cup"]).keys() == {"lamp", "cup"}


def test_weight_and_freight_template_follow_what_was_published_last(products: Products) -> None:
    products.publish_listings([replace(LAMP, weight_g=350, freight_template="heavy")], AT)
    heavy = products.products_by_sku(["lamp"])["lamp"]
    products.publish_listings([LAMP], AT)
    plain = products.products_by_sku(["lamp"])["lamp"]

    assert (heavy.weight_g, heavy.freight_template) == (350, "heavy")
    assert (plain.weight_g, plain.freight_template) == (None, "")


def test_a_draft_has_no_price_is_listed_nowhere_and_never_touches_a_published_product(products: Products) -> None:
    for name in ("bowl", "BOWL"):
        products.store_draft(Draft("bowl", name, "sup_a", 7), AT)
    before = products.products_by_sku(["lamp", "cup"])
    with pytest.raises(ConflictError, match="PRODUCT_PUBLISHED"):
        products.store_draft(Draft("lamp", "x", "sup_a", 1), AT)
    for sku in ("cup", "bowl"):
        with pytest.raises(ConflictError, match="SKU_TAKEN"):
            products.store_draft(Draft(sku, "x", "sup_c", 1), AT)

    assert products.products_by_sku(["lamp", "cup"]) == before
    assert products.find_product("bowl") == Product("bowl", "BOWL", "sup_a", 0, False, True, False, 7, 0, -1, AT)
    assert {each.sku for each in products.list_products(10, None)[0]} == {"lamp", "cup"}
    assert [each.sku for each in products.products_of_supplier("sup_a", 10, None)[0]] == ["lamp"]


def test_a_draft_gives_way_to_a_product_of_another_supplier(products: Products) -> None:
    products.store_draft(Draft("bowl", "squat", "sup_a", 7), AT)
    taken = replace(LAMP, supplier_id="sup_c")
    bowl = replace(LAMP, sku="bowl", supplier_id="sup_c", initial_stock=3)
    before = products.products_by_sku(["lamp", "bowl"])
    with pytest.raises(ConflictError, match="SKU_TAKEN"):
        products.publish_listings([bowl, taken], AT)

    assert products.products_by_sku(["lamp", "bowl"]) == before
    for _ in range(2):
        products.publish_listings([bowl], AT)
    assert products.find_product("bowl") == Product("bowl", "LAMP", "sup_c", 900, True, False, True, 3, 0, -1, AT)
    with pytest.raises(ConflictError, match="SKU_TAKEN"):
        products.store_draft(Draft("bowl", "again", "sup_a", 7), AT)


def test_publishing_again_replaces_the_terms_and_leaves_the_stock(products: Products) -> None:
    products.publish_listings([replace(LAMP, name="LIGHT", price_fen=800, active=False, initial_stock=99)], AT)
    product = products.find_product("lamp")

    assert product is not None
    assert (product.name, product.price_fen, product.active, product.stock) == ("LIGHT", 800, False, 10)


def test_a_sku_of_another_supplier_is_refused_and_nothing_is_published(products: Products) -> None:
    with pytest.raises(ConflictError) as refused:
        products.publish_listings([replace(CUP, name="MUG"), replace(LAMP, supplier_id="sup_b")], AT)
    cup = products.find_product("cup")

    assert (refused.value.code, refused.value.facts) == ("SKU_TAKEN", {"skus": ["lamp"]})
    assert cup is not None
    assert cup.name == "CUP"


def test_units_are_added_once_for_a_request(products: Products) -> None:
    added = [products.add_stock("lamp", 3, key("1"), AT) for _ in range(2)]

    assert (added, stock(products)) == ([True, False], 13)
    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        products.add_stock("lamp", 4, key("1", "other"), AT)


def test_more_than_there_is_cannot_be_removed(products: Products) -> None:
    with pytest.raises(ConflictError) as refused:
        products.add_stock("lamp", -11, key("1"), AT)
    with pytest.raises(NotFoundError):
        products.add_stock("nothing", 1, key("2"), AT)

    assert (refused.value.code, refused.value.facts["lines"]) == ("STOCK_SHORT", [{"sku": "lamp", "available": 10}])
    assert products.add_stock("lamp", -10, key("3"), AT)
    assert stock(products) == 0


def test_a_later_count_replaces_the_stock_and_an_earlier_one_does_not(products: Products) -> None:
    applied = [products.count_stock("sup_a", "lamp", count, version, AT) for count, version in ((7, 2), (8, 1), (9, 2))]

    assert (applied, stock(products)) == ([True, False, False], 7)
    for supplier_id, sku in (("sup_b", "lamp"), ("sup_a", "nothing")):
        with pytest.raises(NotFoundError):
            products.count_stock(supplier_id, sku, 1, 9, AT)


def test_pages_hold_every_product_once(products: Products) -> None:
    first, after = products.list_products(1, None)
    rest, end = products.list_products(1, after)
    own, own_end = products.products_of_supplier("sup_b", 1, None)

    assert {product.sku for product in (*first, *rest)} == {"lamp", "cup"}
    assert end is None
    assert ([product.sku for product in own], own_end) == (["cup"], None)


def test_a_sku_is_the_same_in_json_and_in_the_catalogue() -> None:
    _, *metas = get_args(Sku)
    (meta,) = (each for each in metas if each.pattern)

    assert meta.pattern == rf"^{SKU.pattern}\Z"


@pytest.fixture(params=["memory", "orders", "dynamodb"])
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    """What orders see: a lamp, and a cup that is not for sale."""
    if request.param == "orders":
        stocked = [(LAMP, True, 10), (CUP, False, 5)]
        return MemoryOrders(
            Product(g.sku, g.name, g.supplier_id, g.price_fen, True, True, active, stock, 0, -1, AT)
            for g, active, stock in stocked
        )
    if request.param == "dynamodb":
        request.getfixturevalue("cloud")
    found = MemoryProducts() if request.param == "memory" else DynamoProducts()
    found.publish_listings([LAMP, replace(CUP, active=False)], AT)
    return found


def test_the_catalogue_has_those_of_the_products_that_exist_whether_for_sale_or_not(catalogue: Catalogue) -> None:
    found = catalogue.products_by_sku(iter(["lamp", "cup", "unknown", "lamp"]))

    assert {sku: (offer.name, offer.price_fen, offer.stock, offer.active) for sku, offer in found.items()} == {
        "lamp": ("LAMP", 900, 10, True), "cup": ("CUP", 100, 5, False),
    }  # fmt: skip
    assert catalogue.products_by_sku([]) == {}


def test_staff_list_drafts_and_what_is_not_for_sale_too(products: Products) -> None:
    products.store_draft(Draft("bowl", "BOWL", "sup_a", 7), AT)
    products.publish_listings([replace(CUP, active=False)], AT)
    found, after = [], None
    while True:
        page, after = products.every_product(None, 2, after)
        found += [each.sku for each in page]
        if after is None:
            break
    own, following = products.every_product("sup_a", 1, None)
    rest, end = products.every_product("sup_a", 1, following)

    assert sorted(found) == ["bowl", "cup", "lamp"]
    assert ([each.sku for each in (*own, *rest)], end) == (["bowl", "lamp"], None)
    assert products.every_product("sup_c", 5, None) == ([], None)
