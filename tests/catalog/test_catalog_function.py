"""The catalogue through its handler: publishing, browsing, stock that adds up, and counts that never undo a sale."""

from typing import Any

import pytest

from cardstock.catalog import stock
from cardstock.catalog import wiring as catalog_wiring
from cardstock.edge.secrets import forget_provider
from cardstock.errors import NotFoundError
from tests.house.cloud import ROOT_KEY, Context, http_event, serve
from tests.people.replies import Reply, reply
from tests.people.shop import GOODS, Shop
from tests.people.staff import staff_key, supplier_key

TERMS = {"name": "JUMBO BAG", "supplier_id": "sup_bags", "price_fen": 20_800, "initial_stock": 240}


@pytest.fixture(autouse=True)
def goods(shop: Shop) -> None:
    shop.stock_up()


@pytest.fixture
def send(shop: Shop) -> Any:
    for supplier_id in ("sup_bags", "sup_lights"):
        shop.supplier.register(supplier_id)
    keys = {"staff": staff_key("Li Na", "catalog:write")}
    keys |= {owner: supplier_key(owner, "catalog:write") for owner in ("sup_bags", "sup_lights")}

    def send(method: str, path: str, body: Any = None, *, owner: str = "staff", **more: Any) -> Reply:
        return reply(serve(http_event(method, path, body, token=keys[owner], **more), Context()))

    return send


def count(shop: Shop, on_shelf: int, version: int, sku: str = "71053", supplier: str = "sup_lights") -> bool:
    return stock.count_stock(supplier, sku, on_shelf, version, products=catalog_wiring.products())


def test_a_product_is_published_and_read(send: Any) -> None:
    assert send("PUT", "/v1/products/85099B", TERMS).body == {"skus": ["85099B"]}
    shown = send("GET", "/v1/products/85099B").body

    assert (shown["price_fen"], shown["stock"], shown["active"], shown["qualifying"]) == (20_800, 240, True, False)


def test_publishing_anew_changes_the_terms_and_never_the_stock(send: Any, shop: Shop) -> None:
    shop.buyer.order({"71053": 2})
    again = {"name": "LANTERN", "supplier_id": "sup_lights", "price_fen": 35_000, "initial_stock": 7}
    for _ in range(2):
        send("PUT", "/v1/products/71053", again)

    assert send("GET", "/v1/products/71053").body["price_fen"] == 35_000
    assert shop.stock()["71053"] == (98, 2)


def test_many_are_published_together_or_not_at_all(send: Any) -> None:
    many = [{"sku": f"bag{number}", **TERMS} for number in range(100)]
    taken = [*many[:2], {"sku": "71053", **TERMS}]
    refused = send("PUT", "/v1/products", {"products": taken})
    unknown = send("GET", "/v1/products/bag0")
    done = send("PUT", "/v1/products", {"products": many})
    too_many = send("PUT", "/v1/products", {"products": [*many, {"sku": "bag100", **TERMS}]})

    assert (refused.status, refused.body["code"], refused.body["facts"]) == (409, "SKU_TAKEN", {"skus": ["71053"]})
    assert unknown.status == 404
    assert (done.status, len(done.body["skus"])) == (200, 100)
    assert too_many.status == 400


@pytest.mark.parametrize("sku", ["71053", "85099B"], ids=["live", "new"])
@pytest.mark.parametrize("many", [True, False])
def test_a_supplier_sets_no_price_no_terms_and_no_sale(send: Any, shop: Shop, sku: str, many: bool) -> None:
    terms = {**TERMS, "supplier_id": "sup_lights", "price_fen": 1, "qualifying": True, "earns": True, "active": True}
    before = shop.cloud.state()
    path, body = ("/v1/products", {"products": [{"sku": sku, **terms}]}) if many else (f"/v1/products/{sku}", terms)
    refused = [send("PUT", path, body, owner=owner) for owner in ("sup_lights", "sup_bags")]

    assert [(each.status, each.body["code"]) for each in refused] == [(403, "TERMS_FOR_STAFF")] * 2
    assert shop.cloud.state() == before


def test_a_supplier_drafts_a_product_that_staff_publish(send: Any, shop: Shop) -> None:
    draft = {"name": "JUMBO BAG", "initial_stock": 240}
    drafted = [send("PUT", "/v1/products/85099B/draft", draft, owner="sup_bags") for _ in range(2)]
    stocked = send("POST", "/v1/products/85099B/stock", {"add": 5}, owner="sup_bags", key="k")
    hidden = [send("GET", "/v1/products/85099B").status, shop.buyer.quote({"85099B": 1}).body["code"]]
    listed = {item["sku"] for item in send("GET", "/v1/products", query={"supplier_id": "sup_bags"}).body["items"]}
    seen = [
        send("GET", "/v1/products/85099B/draft", owner=owner).status for owner in ("staff", "sup_bags", "sup_lights")
    ]
    published = send("PUT", "/v1/products/85099B", TERMS)
    late = send("PUT", "/v1/products/85099B/draft", {"name": "加微信 x"}, owner="sup_bags")
    shown = send("GET", "/v1/products/85099B").body

    assert [(each.status, each.body["stock"]) for each in drafted] == [(200, 240)] * 2
    assert "price_fen" not in drafted[0].body
    assert (stocked.status, hidden, listed, seen) == (200, [404, "NOT_FOR_SALE"], set(), [200, 200, 404])
    assert (published.status, late.status, late.body["code"]) == (200, 409, "PRODUCT_PUBLISHED")
    assert (shown["name"], shown["price_fen"], shown["stock"], shown["active"]) == ("JUMBO BAG", 20_800, 245, True)
    assert send("GET", "/v1/products/85099B/draft").status == 404


def test_a_supplier_changes_its_own_things_only(send: Any) -> None:
    stock = send("POST", "/v1/products/71053/stock", {"add": 5}, owner="sup_bags", key="k")
    draft = send("PUT", "/v1/products/71053/draft", {"name": "mine"}, owner="sup_bags")
    staff = send("PUT", "/v1/products/85099B/draft", {"name": "ours"})

    assert (stock.status, draft.status, draft.body["code"]) == (404, 409, "SKU_TAKEN")
    assert (staff.status, staff.body["code"]) == (403, "NOT_A_SUPPLIER")


def test_a_product_has_a_supplier_that_exists(send: Any, shop: Shop) -> None:
    before = shop.cloud.state()
    nobody = TERMS | {"supplier_id": "sup_ofnobody"}
    one = send("PUT", "/v1/products/85099B", nobody)
    many = send("PUT", "/v1/products", {"products": [{"sku": "a", **TERMS}, {"sku": "b", **nobody}]})

    assert [(each.status, each.body["code"]) for each in (one, many)] == [(400, "SUPPLIER_UNKNOWN")] * 2
    assert [[(e["pointer"], e["code"]) for e in each.body["errors"]] for each in (one, many)] == [
        [("/supplier_id", "UNKNOWN")],
        [("/products/1/supplier_id", "UNKNOWN")],
    ]
    assert shop.cloud.state() == before


def test_products_are_browsed_page_by_page_and_by_supplier(send: Any) -> None:
    def browse(**query: str) -> list[list[str]]:
        pages, cursor = [], None
        while True:
            page = send("GET", "/v1/products", query={"limit": "2", **query, **({"cursor": cursor} if cursor else {})})
            pages.append([item["sku"] for item in page.body["items"]])
            cursor = page.body["next_cursor"]
            if cursor is None:
                return pages

    everything, lights = browse(), browse(supplier_id="sup_lights")

    assert sorted(sku for page in everything for sku in page) == sorted(listing.sku for listing in GOODS)
    assert sorted(sku for page in lights for sku in page) == ["71053", "85123A"]
    assert browse(supplier_id="sup_nobody") == [[]]


def test_added_stock_is_added_once(send: Any, shop: Shop) -> None:
    first = send("POST", "/v1/products/71053/stock", {"add": 24}, key="delivery-1")
    again = send("POST", "/v1/products/71053/stock", {"add": 24}, key="delivery-1")
    other = send("POST", "/v1/products/71053/stock", {"add": 25}, key="delivery-1")

    assert (first.body["stock"], first.replayed, again.replayed) == (124, False, True)
    assert (other.status, other.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert shop.stock()["71053"] == (124, 0)


def test_reserved_units_cannot_be_taken_away(send: Any, shop: Shop) -> None:
    shop.buyer.order({"71053": 60})
    refused = send("POST", "/v1/products/71053/stock", {"add": -41}, key="k")

    assert (refused.status, refused.body["facts"]["lines"]) == (409, [{"sku": "71053", "available": 40}])
    assert send("POST", "/v1/products/71053/stock", {"add": -40}, key="k2").body["stock"] == 0


def test_a_count_leaves_what_is_held_and_an_older_one_changes_nothing(shop: Shop) -> None:
    shop.buyer.order({"71053": 30})
    newer, older, same = count(shop, 50, 7), count(shop, 500, 6), count(shop, 500, 7)

    assert (newer, older, same) == (True, False, False)
    assert shop.stock()["71053"] == (20, 30)


def test_a_count_below_what_is_held_sells_nothing_until_more_comes(shop: Shop, send: Any) -> None:
    shop.buyer.order({"71053": 30})
    count(shop, 10, 1)
    refused = shop.buyer.quote({"71053": 1})
    shown = send("GET", "/v1/products/71053").body["stock"]
    more = send("POST", "/v1/products/71053/stock", {"add": 25}, key="k").body["stock"]

    assert (refused.body["code"], shown) == ("STOCK_SHORT", 0)
    assert refused.body["facts"]["lines"] == [{"sku": "71053", "available": 0}]
    assert more == 5


@pytest.mark.parametrize(("sku", "supplier"), [("71053", "sup_bags"), ("nothing", "sup_lights")])
def test_a_supplier_counts_its_own_products_only(sku: str, supplier: str, shop: Shop) -> None:
    with pytest.raises(NotFoundError):
        count(shop, 10, 1, sku, supplier)


def test_the_root_key_publishes_nothing(shop: Shop) -> None:
    event = http_event("PUT", "/v1/products/85099B", TERMS, token=ROOT_KEY)
    forget_provider()
    answer = reply(serve(event, Context()))

    assert (answer.status, answer.body["code"]) == (403, "SCOPE_MISSING")


def test_a_cold_function_signs_cursors_with_the_secret_it_fetches(shop: Shop) -> None:
    forget_provider()
    page = reply(serve(http_event("GET", "/v1/products", query={"limit": "1"}), Context()))

    assert page.body["next_cursor"]
