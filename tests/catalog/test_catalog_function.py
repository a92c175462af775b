"""The catalogue through its handlers: publishing, browsing, stock that adds up, and counts that never undo a sale."""

from datetime import timedelta
from typing import Any

import pytest

from cardstock.catalog import stock
from cardstock.catalog import wiring as catalog_wiring
from cardstock.clock import rfc3339
from cardstock.edge.secrets import forget_provider
from cardstock.errors import NotFoundError
from tests.house.cloud import ROOT_KEY, Context, http_event, serve
from tests.people.goods import old_item, terms_of
from tests.people.replies import Reply, reply
from tests.people.shop import GOODS, Shop
from tests.people.staff import staff_key, supplier_key
from tests.people.uploads import store_ready

TERMS = terms_of("JUMBO BAG", "sup_bags", 20_800, 240)
LAMP: dict[str, Any] = {
    "title": {"zh": "台灯", "en": "Desk lamp"},
    "supplier_id": "sup_lights",
    "description": {"zh": "<p onclick='x()'>亮<script>alert(1)</script></p>", "en": "<p>Bright</p>"},
    "category_ids": ["lights"],
    "brand": "LUMEN",
    "images": ["upl_" + "0" * 26],
    "options": [
        {
            "name": {"zh": "颜色", "en": "Colour"},
            "values": [{"zh": "白色", "en": "white"}, {"zh": "黑色", "en": "black"}],
        },
        {"name": {"zh": "尺寸"}, "values": [{"zh": "大"}, {"zh": "小"}]},
    ],
    "attributes": [{"name": {"zh": "材质", "en": "Material"}, "value": {"zh": "铁", "en": "Iron"}}],
    "variants": [
        {"sku": "lamp-w", "choice": ["白色", "大"], "price_fen": 900, "list_price_fen": 1_200, "initial_stock": 30},
        {"sku": "lamp-b", "choice": ["黑色", "小"], "price_fen": 950, "weight_g": 80, "initial_stock": 2},
    ],
}


@pytest.fixture(autouse=True)
def goods(shop: Shop) -> None:
    shop.stock_up()
    store_ready(LAMP["images"][0], "sup_lights")


@pytest.fixture
def send(shop: Shop) -> Any:
    for supplier_id in ("sup_bags", "sup_lights"):
        shop.supplier.register(supplier_id)
    keys = {"staff": staff_key("Li Na", "catalog:write", "catalog:read")}
    keys |= {owner: supplier_key(owner, "catalog:write") for owner in ("sup_bags", "sup_lights")}

    def send(method: str, path: str, body: Any = None, *, owner: str = "staff", **more: Any) -> Reply:
        return reply(serve(http_event(method, path, body, token=keys[owner], **more), Context()))

    return send


def count(shop: Shop, on_shelf: int, version: int, sku: str = "71053", supplier: str = "sup_lights") -> bool:
    return stock.count_stock(supplier, sku, on_shelf, version, variants=catalog_wiring.variants())


def skus(page: Reply) -> list[str]:
    return [sku["sku"] for item in page.body["items"] for sku in item["variants"]]


def test_a_product_with_one_sku_is_short_to_publish_and_read(send: Any) -> None:
    assert send("PUT", "/v1/products/85099B", TERMS).body == {"product_id": "85099B", "outcome": "made"}
    assert send("PUT", "/v1/products/85099B", TERMS).body["outcome"] == "same"
    shown = send("GET", "/v1/products/85099B").body
    [sku] = shown["variants"]

    assert (shown["title"], shown["state"], shown["options"], shown["description"]) == ("JUMBO BAG", "on_sale", [], "")
    assert (sku["sku"], sku["price_fen"], sku["stock"], sku["more_in_stock"]) == ("85099B", 20_800, 20, True)


def test_a_page_is_in_the_reader_s_language_and_runs_nothing(send: Any) -> None:
    assert send("PUT", "/v1/products/LAMP", LAMP).status == 200
    zh, en = (
        send("GET", "/v1/products/LAMP", headers={"Accept-Language": language}).body for language in ("zh-CN", "en")
    )
    white, black = en["variants"]

    assert (zh["title"], en["title"]) == ("台灯", "Desk lamp")
    assert (zh["description"], en["description"]) == ("<p>亮</p>", "<p>Bright</p>")
    assert [option["name"] for option in en["options"]] == ["Colour", "尺寸"]
    assert (white["choice"], zh["variants"][0]["choice"]) == (["white", "大"], ["白色", "大"])
    assert (white["list_price_fen"], black["list_price_fen"], black["weight_g"]) == (1_200, None, 80)
    assert (white["stock"], white["more_in_stock"], black["stock"], black["more_in_stock"]) == (20, True, 2, False)
    assert en["attributes"] == [{"name": "Material", "value": "Iron"}]


def test_staff_read_what_they_can_send_again(send: Any) -> None:
    send("PUT", "/v1/products/LAMP", LAMP)
    read = send("GET", "/v1/headquarters/products/LAMP").body
    again = {name: value for name, value in read.items() if name not in ("product_id", "revision", "updated_at")}

    assert read["revision"] == 1
    assert send("PUT", "/v1/products/LAMP", again).body["outcome"] == "same"
    assert send("GET", "/v1/headquarters/products/nothing").status == 404


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"variants": [{**LAMP["variants"][0], "choice": ["绿色", "大"]}]}, "/variants/0/choice/0", "UNKNOWN"),
        ({"variants": [{**LAMP["variants"][0], "choice": ["白色"]}]}, "/variants/0/choice", "OUT_OF_RANGE"),
        ({"variants": [LAMP["variants"][0]] * 2}, "/variants", "DUPLICATE"),
        ({"variants": [LAMP["variants"][0], {**LAMP["variants"][0], "sku": "x"}]}, "/variants", "DUPLICATE"),
        (
            {"options": [{"name": {"zh": "颜色"}, "values": [{"zh": "白色"}, {"zh": "白色"}]}]},
            "/options/0/values",
            "DUPLICATE",
        ),
        (
            {"variants": [{**LAMP["variants"][0], "list_price_fen": 900}]},
            "/variants/0/list_price_fen",
            "OUT_OF_RANGE",
        ),
        ({"images": ["https://elsewhere.example/x.jpg"]}, "/images/0", "UNKNOWN"),
        ({"video": "https://elsewhere.example/x.mp4"}, "/video", "UNKNOWN"),
        ({"images": ["http://media.example.com/x.jpg"]}, "/images/0", "PATTERN"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field(
    send: Any, shop: Shop, change: dict[str, Any], pointer: str, code: str
) -> None:
    before = shop.cloud.state()
    refused = send("PUT", "/v1/products/LAMP", LAMP | change)
    found = [each["pointer"] for each in refused.body["errors"]]

    assert (refused.status, found) == (400, [pointer])
    assert code == "PATTERN" or refused.body["errors"][0]["code"] == code
    assert shop.cloud.state() == before


def test_a_sale_that_has_not_begun_is_not_shown_and_not_sold_until_its_moment(send: Any, shop: Shop) -> None:
    begins = shop.clock.now() + timedelta(hours=1)
    send("PUT", "/v1/products/LAMP", LAMP | {"on_sale_from": rfc3339(begins)})
    cart = {"lamp-w": 1}
    hidden = [send("GET", "/v1/products/LAMP").status, shop.buyer.quote(cart).body["code"]]
    listed = [skus(send("GET", "/v1/products", query=query)) for query in ({"limit": "100"}, {"ids": "LAMP"})]
    staff = send("GET", "/v1/headquarters/products", query={"state": "scheduled"})
    shop.clock.set(begins)

    assert hidden == [404, "NOT_FOR_SALE"]
    assert [found for found in listed if "lamp-w" in found] == []
    assert [(item["product_id"], item["state"]) for item in staff.body["items"]] == [("LAMP", "scheduled")]
    assert send("GET", "/v1/products/LAMP").body["state"] == "on_sale"
    assert shop.buyer.quote(cart).status == 200


def test_a_quote_does_not_outlive_a_sale_that_is_put_off(send: Any, shop: Shop) -> None:
    send("PUT", "/v1/products/LAMP", LAMP)
    quote = shop.buyer.quote({"lamp-w": 1}).body["quote"]
    send("PUT", "/v1/products/LAMP", LAMP | {"on_sale_from": rfc3339(shop.clock.now() + timedelta(hours=1))})
    placed = shop.buyer.place(quote)

    assert (placed.status, placed.body["code"]) == (409, "PRICE_CHANGED")


def test_an_archived_product_is_shown_as_such_and_neither_listed_nor_sold(send: Any, shop: Shop) -> None:
    send("PUT", "/v1/products/LAMP", LAMP)
    send("PUT", "/v1/products/LAMP", LAMP | {"state": "archived"})
    listed = send("GET", "/v1/products", query={"limit": "100"})
    named = send("GET", "/v1/products", query={"ids": "71053,LAMP,nothing,71053"})
    back = send("PUT", "/v1/products/LAMP", LAMP | {"state": "draft"})

    assert send("GET", "/v1/products/LAMP").body["state"] == "archived"
    assert shop.buyer.quote({"lamp-w": 1}).body["code"] == "NOT_FOR_SALE"
    assert "lamp-w" not in skus(listed)
    assert [(item["product_id"], item["state"]) for item in named.body["items"]] == [
        ("71053", "on_sale"),
        ("LAMP", "archived"),
    ]
    assert (back.status, back.body["code"]) == (409, "PRODUCT_STATE")


def test_an_order_names_title_and_choice(send: Any, shop: Shop) -> None:
    send("PUT", "/v1/products/LAMP", LAMP)
    placed = shop.buyer.place(shop.buyer.quote({"lamp-b": 1}).body["quote"])

    assert [line["name"] for line in placed.body["lines"]] == ["台灯 黑色 小"]


def test_a_sku_of_an_earlier_release_is_shown_listed_and_sold_without_a_page(send: Any, shop: Shop) -> None:
    shop.cloud.dynamodb.put_item(
        TableName="products", Item=old_item("OLD", "Old lamp", "sup_lights", 700, shop.clock.now(), 5)
    )
    shop.cloud.dynamodb.put_item(
        TableName="products", Item=old_item("DRAFT", "Draft", "sup_lights", 0, shop.clock.now(), 5)
    )
    shown = send("GET", "/v1/products/OLD").body
    found = [
        skus(send("GET", "/v1/products", query=query))
        for query in ({"limit": "100"}, {"ids": "OLD,71053,DRAFT"}, {"supplier_id": "sup_lights"})
    ]
    placed = shop.buyer.place(shop.buyer.quote({"OLD": 1}).body["quote"])

    assert (shown["title"], [sku["stock"] for sku in shown["variants"]]) == ("Old lamp", [5])
    assert ["OLD" in each and "DRAFT" not in each for each in found] == [True] * 3
    assert send("GET", "/v1/products/DRAFT").status == 404
    assert placed.status == 201


def test_publishing_anew_changes_the_terms_and_never_the_stock(send: Any, shop: Shop) -> None:
    shop.buyer.order({"71053": 2})
    for _ in range(2):
        send("PUT", "/v1/products/71053", terms_of("LANTERN", "sup_lights", 35_000, 7))
    [sku] = send("GET", "/v1/products/71053").body["variants"]

    assert sku["price_fen"] == 35_000
    assert shop.stock()["71053"] == (98, 2)


def test_several_are_published_together_or_not_at_all(send: Any) -> None:
    many = [{"product_id": f"bag{number}", **TERMS} for number in range(33)]
    taken = [*many[:2], {"product_id": "71053", **TERMS}]
    refused = send("PUT", "/v1/products", {"products": taken})
    unknown = send("GET", "/v1/products/bag0")
    done = send("PUT", "/v1/products", {"products": many})
    wide = [{"product_id": f"box{number}", **LAMP} for number in range(26)]
    for number, each in enumerate(wide):
        each["variants"] = [{**sku, "sku": f"{sku['sku']}{number}"} for sku in LAMP["variants"]]
    too_many = send("PUT", "/v1/products", {"products": wide})
    twice = send("PUT", "/v1/products", {"products": [{"product_id": "a", **LAMP}, {"product_id": "b", **LAMP}]})

    assert (refused.status, refused.body["code"]) == (409, "SKU_TAKEN")
    assert set(refused.body["facts"]["skus"]) == {"71053"}
    assert unknown.status == 404
    assert (done.status, {each["outcome"] for each in done.body["items"]}) == (200, {"made"})
    assert (too_many.status, too_many.body["code"]) == (413, "PUBLICATION_TOO_LARGE")
    assert [(each["pointer"], each["code"]) for each in twice.body["errors"]] == [("/products", "DUPLICATE")]


@pytest.mark.parametrize("product_id", ["71053", "85099B"], ids=["live", "new"])
@pytest.mark.parametrize("many", [True, False])
def test_a_supplier_sets_no_price_no_terms_and_no_sale(send: Any, shop: Shop, product_id: str, many: bool) -> None:
    terms = terms_of("Mine", "sup_lights", 1, qualifying=True, earns=True)
    before = shop.cloud.state()
    path, body = (
        ("/v1/products", {"products": [{"product_id": product_id, **terms}]})
        if many
        else (f"/v1/products/{product_id}", terms)
    )
    refused = [send("PUT", path, body, owner=owner) for owner in ("sup_lights", "sup_bags")]

    assert [(each.status, each.body["code"]) for each in refused] == [(403, "TERMS_FOR_STAFF")] * 2
    assert shop.cloud.state() == before


def test_a_product_has_a_supplier_that_exists(send: Any, shop: Shop) -> None:
    before = shop.cloud.state()
    nobody = TERMS | {"supplier_id": "sup_ofnobody"}
    one = send("PUT", "/v1/products/85099B", nobody)
    many = send("PUT", "/v1/products", {"products": [{"product_id": "a", **TERMS}, {"product_id": "b", **nobody}]})

    assert [(each.status, each.body["code"]) for each in (one, many)] == [(400, "SUPPLIER_UNKNOWN")] * 2
    assert [[(e["pointer"], e["code"]) for e in each.body["errors"]] for each in (one, many)] == [
        [("/supplier_id", "UNKNOWN")],
        [("/products/1/supplier_id", "UNKNOWN")],
    ]
    assert shop.cloud.state() == before


DRAFT = {name: value for name, value in LAMP.items() if name not in ("supplier_id", "variants")} | {
    "variants": [{"sku": "lamp-w", "choice": ["白色", "大"], "weight_g": 80, "initial_stock": 24}]
}


def accepted(sha256: str, sku: str = "lamp-w", supplier_id: str = "sup_lights", **more: Any) -> dict[str, Any]:
    variant = {"sku": sku, "price_fen": 900, "qualifying": True}
    return {"supplier_id": supplier_id, "draft_sha256": sha256, "variants": [variant], **more}


def test_a_supplier_drafts_a_product_that_staff_accept(send: Any, shop: Shop) -> None:
    drafted = [send("PUT", "/v1/products/LAMP/draft", DRAFT, owner="sup_lights") for _ in range(2)]
    stocked = send("POST", "/v1/skus/lamp-w/stock", {"add": 5}, owner="sup_lights", key="k")
    hidden = [send("GET", "/v1/products/LAMP").status, shop.buyer.quote({"lamp-w": 1}).body["code"]]
    seen = [
        send("GET", "/v1/products/LAMP/draft", owner=owner, query=query).status
        for owner, query in (
            ("staff", {"supplier_id": "sup_lights"}),
            ("staff", None),
            ("sup_lights", None),
            ("sup_bags", None),
            ("sup_bags", {"supplier_id": "sup_lights"}),
        )
    ]
    waiting = [
        [
            (item["product_id"], item["supplier_id"])
            for item in send("GET", "/v1/product-drafts", owner=owner).body["items"]
        ]
        for owner in ("staff", "sup_lights", "sup_bags")
    ]
    sha256 = drafted[0].body["draft_sha256"]
    path = "/v1/products/LAMP/acceptances"
    first, again = (send("POST", path, accepted(sha256), key="a") for _ in range(2))
    shown = send("GET", "/v1/products/LAMP").body
    theirs = send("GET", "/v1/products/LAMP/draft", owner="sup_lights").body

    assert [(each.status, each.body["draft_sha256"], each.body["accepted"]) for each in drafted] == [
        (200, sha256, None)
    ] * 2
    assert "price_fen" not in str(drafted[0].body)
    assert (stocked.status, hidden, seen) == (404, [404, "NOT_FOR_SALE"], [200, 404, 200, 404, 404])
    assert waiting == [[("LAMP", "sup_lights")], [("LAMP", "sup_lights")], []]
    assert [(each.status, each.replayed) for each in (first, again)] == [(201, False), (201, True)]
    assert (shown["title"], shown["description"], shown["variants"][0]["price_fen"]) == ("台灯", "<p>亮</p>", 900)
    assert shop.stock()["lamp-w"] == (24, 0)
    assert theirs["accepted"] == first.body["accepted"]
    assert (theirs["accepted"]["draft_sha256"], theirs["accepted"]["variants"][0]["price_fen"]) == (sha256, 900)
    assert send("GET", "/v1/product-drafts").body["items"] == []


def test_a_draft_that_was_changed_is_not_accepted_unseen(send: Any, shop: Shop) -> None:
    sha256 = send("PUT", "/v1/products/LAMP/draft", DRAFT, owner="sup_lights").body["draft_sha256"]
    changed = send("PUT", "/v1/products/LAMP/draft", DRAFT | {"brand": "x"}, owner="sup_lights").body["draft_sha256"]
    before = shop.cloud.state()
    path = "/v1/products/LAMP/acceptances"
    refused = {
        "changed": send("POST", path, accepted(sha256), key="1"),
        "other sku": send("POST", path, accepted(changed, "lamp-x"), key="2"),
        "nobody's": send("POST", path, accepted(changed, supplier_id="sup_bags"), key="3"),
        "supplier": send("POST", path, accepted(changed), key="4", owner="sup_lights"),
    }

    assert {name: (each.status, each.body["code"]) for name, each in refused.items()} == {
        "changed": (409, "DRAFT_CHANGED"),
        "other sku": (400, "BODY_INVALID"),
        "nobody's": (404, "NOT_FOUND"),
        "supplier": (403, "TERMS_FOR_STAFF"),
    }
    after = shop.cloud.state()
    assert {name: after[name] for name in ("products", "product-pages")} == {
        name: before[name] for name in ("products", "product-pages")
    }


def test_a_later_draft_waits_and_what_was_accepted_stays_on_sale(send: Any) -> None:
    path = "/v1/products/LAMP/acceptances"
    first = send("PUT", "/v1/products/LAMP/draft", DRAFT, owner="sup_lights").body["draft_sha256"]
    send("POST", path, accepted(first), key="1")
    title = {"title": {"zh": "新台灯"}}
    second = send("PUT", "/v1/products/LAMP/draft", DRAFT | title, owner="sup_lights").body
    shown = send("GET", "/v1/products/LAMP").body["title"]
    send("POST", path, accepted(second["draft_sha256"]), key="2")

    assert (shown, second["accepted"]["draft_sha256"]) == ("台灯", first)
    assert send("GET", "/v1/products/LAMP").body["title"] == "新台灯"


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"images": ["https://elsewhere.example/x.jpg"]}, "MEDIA_HOST_UNKNOWN", "/images/0"),
        ({"variants": [{"sku": "lamp-w", "choice": ["绿色", "大"]}]}, "BODY_INVALID", "/variants/0/choice/0"),
    ],
)
def test_a_draft_that_does_not_fit_is_refused_by_its_field(
    send: Any, change: dict[str, Any], code: str, pointer: str
) -> None:
    refused = send("PUT", "/v1/products/LAMP/draft", DRAFT | change, owner="sup_lights")

    assert (refused.status, refused.body["code"]) == (400, code)
    assert [each["pointer"] for each in refused.body["errors"]] == [pointer]


def test_a_supplier_changes_its_own_things_only(send: Any) -> None:
    stock = send("POST", "/v1/skus/71053/stock", {"add": 5}, owner="sup_bags", key="k")
    draft = send("PUT", "/v1/products/71053/draft", DRAFT, owner="sup_bags")
    staff = send("PUT", "/v1/products/85099B/draft", DRAFT)

    assert (stock.status, draft.status, draft.body["code"]) == (404, 409, "SKU_TAKEN")
    assert (staff.status, staff.body["code"]) == (403, "NOT_A_SUPPLIER")


def test_products_are_browsed_page_by_page_and_by_supplier(send: Any) -> None:
    def browse(**query: str) -> list[list[str]]:
        pages, cursor = [], None
        while True:
            page = send("GET", "/v1/products", query={"limit": "2", **query, **({"cursor": cursor} if cursor else {})})
            pages.append(skus(page))
            cursor = page.body["next_cursor"]
            if cursor is None:
                return pages

    everything, lights = browse(), browse(supplier_id="sup_lights")

    assert sorted(sku for page in everything for sku in page) == sorted(listing.sku for listing in GOODS)
    assert sorted(sku for page in lights for sku in page) == ["71053", "85123A"]
    assert browse(supplier_id="sup_nobody") == [[]]


def test_added_stock_is_added_once(send: Any, shop: Shop) -> None:
    first = send("POST", "/v1/skus/71053/stock", {"add": 24}, key="delivery-1")
    again = send("POST", "/v1/skus/71053/stock", {"add": 24}, key="delivery-1")
    other = send("POST", "/v1/skus/71053/stock", {"add": 25}, key="delivery-1")

    assert (first.body["stock"], first.replayed, again.replayed) == (124, False, True)
    assert (other.status, other.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert shop.stock()["71053"] == (124, 0)


def test_reserved_units_cannot_be_taken_away(send: Any, shop: Shop) -> None:
    shop.buyer.order({"71053": 60})
    refused = send("POST", "/v1/skus/71053/stock", {"add": -41}, key="k")

    assert (refused.status, refused.body["facts"]["lines"]) == (409, [{"sku": "71053", "available": 40}])
    assert send("POST", "/v1/skus/71053/stock", {"add": -40}, key="k2").body["stock"] == 0


def test_a_count_leaves_what_is_held_and_an_older_one_changes_nothing(shop: Shop) -> None:
    shop.buyer.order({"71053": 30})
    newer, older, same = count(shop, 50, 7), count(shop, 500, 6), count(shop, 500, 7)

    assert (newer, older, same) == (True, False, False)
    assert shop.stock()["71053"] == (20, 30)


def test_a_count_below_what_is_held_sells_nothing_until_more_comes(shop: Shop, send: Any) -> None:
    shop.buyer.order({"71053": 30})
    count(shop, 10, 1)
    refused = shop.buyer.quote({"71053": 1})
    [sku] = send("GET", "/v1/headquarters/skus", query={"supplier_id": "sup_lights", "limit": "1"}).body["items"]
    more = send("POST", "/v1/skus/71053/stock", {"add": 25}, key="k").body["stock"]

    assert (refused.body["code"], sku["sku"], sku["stock"]) == ("STOCK_SHORT", "71053", -20)
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
