"""The functions of the search: from products that are published, through queue and index, to hits."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from cardstock.catalog import wiring as catalog_wiring
from cardstock.catalog.product_model import Attribute, Option, Product, Publication, VariantTerms, Wording
from cardstock.flows.finding_products import entry_of, plain_text
from cardstock.search import keeping
from cardstock.search import wiring as search_wiring
from functions.search.api import app as api
from functions.search.nightly_index import app as nightly
from functions.search.on_product import app as on_product
from infra.local.pipes import matches
from tests.house import faults
from tests.house.cloud import ROOT, Cloud, Context, http_event, queue_event, template
from tests.people.clock import TestClock
from tests.people.goods import old_item

EVENTS = ROOT / "events/search"
AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
[PIPE] = [pipe for pipe in template().pipes if pipe.table.endswith("-product-pages")]
LAMP = Product(
    product_id="lamp",
    supplier_id="sup_a",
    title=Wording("保温灯", "Warm lantern"),
    variants=(VariantTerms("LAMP-1-W", 900, (0,), list_price_fen=1_200), VariantTerms("LAMP-1-B", 950, (1,))),
    description=Wording("<p>重庆 &amp; <b>露营</b></p>", "<p>For camping</p>"),
    category_ids=("lights",),
    brand="LUMEN",
    options=(Option(Wording("颜色", "Colour"), (Wording("白色", "white"), Wording("黑色", "black"))),),
    attributes=(Attribute(Wording("材质", "Material"), Wording("黄铜", "Brass")),),
)
CUP = Product("cup", "sup_a", Wording("保温杯", "Thermos"), (VariantTerms("cup", 5_000),), brand="LUMEN")


@pytest.fixture(autouse=True)
def new_function(cloud: Cloud, clock: TestClock) -> None:
    """A process that has no index yet."""
    search_wiring.search_index.cache_clear()
    clock.set(AT)


def publish(*products: Product, stock: int = 5) -> list[str]:
    """Publish, and the messages of what is written."""
    publications = [Publication(each, dict.fromkeys(each.skus, stock)) for each in products]
    catalog_wiring.products().publish(publications, AT)
    return [json.dumps(record(each.product_id)) for each in products]


def record(product_id: str, sk: str = "page#card") -> dict[str, Any]:
    """A record of the stream of pages."""
    return {"eventName": "MODIFY", "dynamodb": {"Keys": {"pk": {"S": product_id}, "sk": {"S": sk}}}}


def follow(*bodies: str) -> list[str]:
    answer = on_product.handler(queue_event("product-changes", *bodies), Context())
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def get(path: str = "/v1/search", language: str = "zh", **query: str) -> Any:
    event = http_event("GET", path, query=query, headers={"Accept-Language": language})
    answer = api.handler(event, Context())
    return {"status": answer["statusCode"], **json.loads(answer["body"])}


def found(**query: str) -> list[str]:
    return [item["product_id"] for item in get(**query)["items"]]


def event(name: str) -> Any:
    return json.loads((ROOT / f"events/search/{name}.json").read_text("utf-8"))


def test_what_is_published_is_found_and_what_is_archived_is_not() -> None:
    assert follow(*publish(LAMP, CUP)) == []
    assert found(q="保温") == ["cup", "lamp"]
    assert found(q="lanterns") == ["lamp"]
    assert found(q="LAMP-1") == ["lamp"]
    assert found(q="chongqing") == []
    assert found(q="露营") == ["lamp"]

    follow(*publish(replace(CUP, state="archived")))
    search_wiring.search_index.cache_clear()
    assert found(q="保温") == ["lamp"]
    follow(*publish(CUP))
    search_wiring.search_index.cache_clear()
    assert sorted(found(q="保温")) == ["cup", "lamp"]


def test_a_hit_is_shown_by_its_card_in_the_buyers_language() -> None:
    follow(*publish(LAMP))
    zh, en = get(q="baowend"), get(q="warn lantern", language="en")

    assert zh["items"] == [
        {
            "product_id": "lamp",
            "title": "保温灯",
            "picture": None,
            "currency": "CNY",
            "price_from_fen": 900,
            "price_to_fen": 950,
            "list_price_fen": 1_200,
            "in_stock": True,
        }
    ]
    assert (zh["total"], zh["next_cursor"], zh["dropped"], zh["built_at"]) == (1, None, [], "2026-12-01T08:00:00.000Z")
    assert en["items"][0]["title"] == "Warm lantern"
    assert en["corrected"] == "warm lantern"


def test_facets_lead_to_filters() -> None:
    follow(*publish(LAMP, CUP))
    page = get(q="保温")
    facets = {facet["name"]: facet for facet in page["facets"]}

    assert facets["品牌"]["values"] == [{"value": "LUMEN", "name": "LUMEN", "count": 2}]
    assert [value["name"] for value in facets["颜色"]["values"]] != []
    assert {value["name"] for value in facets["材质"]["values"]} == {"黄铜"}
    colour = f"{facets['颜色']['id']}.{facets['颜色']['values'][0]['value']}"
    assert found(q="保温", attributes=colour) == ["lamp"]
    assert found(attributes=colour, category="lights", brands="LUMEN, OTHER", max_price_fen="1000") == ["lamp"]
    assert found(q="保温", min_price_fen="1000") == ["cup"]
    assert found(q="保温", sort="price_up") == ["lamp", "cup"]
    assert found(brands="OTHER") == []


def test_stock_that_is_gone_is_filtered() -> None:
    follow(*publish(LAMP, stock=0), *publish(CUP))

    assert sorted(found()) == ["cup", "lamp"]
    assert found(in_stock="true") == ["cup"]


def test_a_sale_that_has_not_begun_is_found_when_it_begins(clock: TestClock) -> None:
    follow(*publish(replace(CUP, on_sale_from=AT + timedelta(hours=1))))

    assert get(q="保温")["total"] == 0
    clock.move(minutes=59, seconds=59)
    assert get(q="保温")["total"] == 0
    clock.move(seconds=1)
    assert found(q="保温") == ["cup"]


def test_pages_follow_each_other_and_a_cursor_is_good_for_its_search_alone() -> None:
    products = [
        replace(CUP, product_id=f"cup{number}", variants=(VariantTerms(f"cup{number}", 100),)) for number in range(7)
    ]
    follow(*publish(*products))
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(10):
        page = get(q="保温杯", limit="3", **({"cursor": cursor} if cursor else {}))
        seen += [item["product_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert get(q="保温", limit="3", cursor=cursor)["status"] == 400

    assert sorted(seen) == [product.product_id for product in products]


def test_suggestions_complete_what_is_typed() -> None:
    follow(*publish(LAMP, CUP))

    assert get("/v1/search/suggestions", q="lum")["items"] == [{"text": "LUMEN", "products": 2}]
    assert get("/v1/search/suggestions", q="lig", limit="1")["items"] == [{"text": "lights", "products": 1}]


def test_before_the_first_product_nothing_is_found() -> None:
    page = get(q="保温")

    assert (page["status"], page["items"], page["total"]) == (200, [], 0)


def test_a_product_that_no_page_shows_is_found_after_the_night(cloud: Cloud) -> None:
    cloud.dynamodb.put_item(TableName="products", Item=old_item("oldcup", "老杯子", "sup_a", 100, AT, 3))
    publish(CUP)
    nightly.handler(event("nightly_index/tick"), Context())

    assert sorted(found(q="杯")) == ["cup", "oldcup"]


def test_a_first_page_costs_two_reads_and_a_second_one_within_seconds_one(clock: TestClock) -> None:
    follow(*publish(LAMP, CUP))
    get(q="x")
    search_wiring.search_index.cache_clear()
    with faults.watch() as cold:
        found(q="保温")
    with faults.watch() as warm:
        found(q="保温")
    clock.move(seconds=keeping.LOOKED_AT_AFTER.total_seconds())
    with faults.watch() as later:
        found(q="保温")

    assert cold == ["s3.GetObject", "dynamodb.BatchGetItem"]
    assert warm == ["dynamodb.BatchGetItem"]
    assert later == ["s3.GetObject", "dynamodb.BatchGetItem"]


@pytest.mark.parametrize("products", [1, 20])
def test_changes_that_come_together_cost_one_index(products: int) -> None:
    follow(*publish(LAMP))
    cups = [
        replace(CUP, product_id=f"cup{each}", variants=(VariantTerms(f"cup{each}", 100),)) for each in range(products)
    ]
    messages = publish(*cups)
    with faults.watch() as calls:
        follow(*messages, *messages)
    with faults.watch() as again:
        follow(*messages)

    assert calls == ["s3.GetObject", "dynamodb.BatchGetItem", "s3.PutObject"]
    assert again == ["s3.GetObject", "dynamodb.BatchGetItem"]


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
@pytest.mark.parametrize("call", range(3))
def test_an_upkeep_that_is_stopped_is_done_by_its_repeat(call: int, mode: faults.Mode) -> None:
    follow(*publish(LAMP))
    messages = publish(CUP)
    try:
        with faults.at(call, mode):
            follow(*messages)
    except faults.Killed:
        pass
    follow(*messages)

    assert sorted(found(q="保温")) == ["cup", "lamp"]


def test_the_pipe_admits_cards_and_nothing_else() -> None:
    kinds = ("page#card", "page#content", "draft#sup_a")
    admitted = {sk: matches(PIPE.patterns, record("lamp", sk)) for sk in kinds}

    assert admitted == {"page#card": True, "page#content": False, "draft#sup_a": False}


@pytest.mark.parametrize("name", sorted(path.stem for path in (EVENTS / "api").glob("*.json")))
def test_example_requests_are_answered_or_refused(name: str) -> None:
    follow(*publish(LAMP))
    answer = api.handler(event(f"api/{name}"), Context())

    assert (answer["statusCode"] == 200) == (not name.startswith("bad_")), answer["body"]


@pytest.mark.parametrize("name", sorted(path.stem for path in (EVENTS / "on_product").glob("*.json")))
def test_example_messages_are_followed_or_reported(name: str) -> None:
    publish(LAMP)
    answer = on_product.handler(event(f"on_product/{name}"), Context())

    assert bool(answer["batchItemFailures"]) == name.startswith("bad_")


@pytest.mark.parametrize(
    ("name", "error"), [("bad_without_time_zone", ValueError), ("bad_unknown_field", msgspec.ValidationError)]
)
def test_a_malformed_tick_fails(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        nightly.handler(event(f"nightly_index/{name}"), Context())


def test_html_becomes_text() -> None:
    assert plain_text("<p>重庆 &amp; <b>露营</b></p>") == "重庆 & 露营"
    publish(LAMP)
    [page] = catalog_wiring.pages().pages_by_id(["lamp"]).values()

    assert entry_of(page).description == "重庆 & 露营 For camping"
    assert [each.page.product.product_id for each in catalog_wiring.pages().every_page()] == ["lamp"]
