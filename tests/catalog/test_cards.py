"""Cards follow the stock: through the filter of the pipe, the queue and the function, whatever comes in between."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.catalog import upkeep
from cardstock.catalog import wiring as catalog_wiring
from cardstock.catalog.card_store import DynamoCards
from cardstock.catalog.ports import Cards, Products, Variants
from cardstock.catalog.product_model import Publication, card_of, shown_stock
from cardstock.catalog.product_store import DynamoProducts
from cardstock.catalog.store import DynamoVariants
from cardstock.catalog.upkeep import StockChange
from cardstock.ids import RequestKey
from functions.catalog.on_stock import app as on_stock
from infra.local.pipes import matches
from tests.catalog.test_products_contract import AT, LAMP, STOCK
from tests.house import faults
from tests.house.cloud import ROOT, Cloud, Context, queue_event, template
from tests.house.interleave import every_way
from tests.people.goods import old_item
from tests.people.memory_catalog import MemoryCards, MemoryProducts, MemoryVariants

CONTRACT = {Cards: (MemoryCards, DynamoCards)}
[PIPE] = [pipe for pipe in template().pipes if pipe.table.endswith("-products")]
EVENTS = ROOT / "events/catalog/on_stock"


def record(sku: str, before: int, after: int, product_id: str | None = "lamp") -> dict[str, Any]:
    """A record of the stream of SKUs."""

    def image(stock: int) -> dict[str, Any]:
        shown = {} if product_id is None else {"product_id": {"S": product_id}}
        return {"pk": {"S": sku}, "stock": {"N": str(stock)}, **shown}

    return {"eventName": "MODIFY", "dynamodb": {"OldImage": image(before), "NewImage": image(after)}}


def shown() -> Any:
    """What the stored card shows, and what it should."""
    card = catalog_wiring.products().cards_by_id(["lamp"])["lamp"].shown
    variants = catalog_wiring.variants().variants_by_sku(card)
    return card, {sku: shown_stock(variants[sku].stock) for sku in card}


@pytest.fixture
def lamp(cloud: Cloud) -> Cloud:
    catalog_wiring.products().publish([publication()], AT)
    return cloud


def publication(**change: Any) -> Publication:
    return Publication(replace(LAMP, **change), STOCK)


def sell(sku: str, units: int, number: int = 0) -> None:
    catalog_wiring.variants().add_stock(sku, -units, RequestKey(f"req_{sku}{number}", "f"), AT)


def consume(*records: dict[str, Any]) -> Any:
    return on_stock.handler(queue_event("stock-changes", *records), Context())["batchItemFailures"]


@given(before=st.integers(-5, 45), after=st.integers(-5, 45))
def test_the_pipe_lets_every_change_through_that_is_shown_and_none_between_large_stocks(
    before: int, after: int
) -> None:
    admitted = matches(PIPE.patterns, record("lamp-w", before, after))

    assert admitted or not StockChange("lamp", before, after).is_shown
    assert admitted is (before <= 20 or after <= 20)
    assert not matches(PIPE.patterns, record("lamp-w", before, after, None))


def test_a_batch_reads_once_and_writes_each_card_that_differs_once(lamp: Cloud) -> None:
    sell("lamp-w", 15)
    sell("lamp-b", 1)
    batch = [record("lamp-w", 30, 15), record("lamp-b", 2, 1), record("lamp-b", 2, 1)]
    with faults.watch() as calls:
        assert consume(*batch) == []

    assert shown() == ({"lamp-w": 15, "lamp-b": 1},) * 2
    assert calls == ["dynamodb.BatchGetItem", "dynamodb.BatchGetItem", "dynamodb.UpdateItem"]
    with faults.watch() as calls:
        assert consume(*batch) == []
    assert calls == ["dynamodb.BatchGetItem", "dynamodb.BatchGetItem"]


def test_what_is_not_shown_reads_nothing(lamp: Cloud) -> None:
    with faults.watch() as calls:
        assert consume(record("lamp-w", 30, 21), record("lamp-b", 2, 2), record("OLD", 3, 2, None)) == []

    assert calls == []


@pytest.mark.parametrize("mode", faults.MODES)
def test_whatever_happens_to_a_call_the_repeat_shows_the_stock(lamp: Cloud, mode: faults.Mode) -> None:
    sell("lamp-b", 2)
    batch = [record("lamp-b", 2, 0)]
    before = lamp.snapshot()
    with faults.watch() as calls:
        consume(*batch)
    for _ in faults.hit_each(calls, mode, before.restore, lambda: consume(*batch)):
        assert consume(*batch) == []
        assert shown() == ({"lamp-w": 21, "lamp-b": 0},) * 2


def test_a_card_shows_the_stock_however_sales_upkeep_and_publishing_mix(lamp: Cloud) -> None:
    before = lamp.snapshot()

    def sale() -> None:
        sell("lamp-b", 1)
        assert consume(record("lamp-b", 2, 1)) == []

    def change() -> None:
        catalog_wiring.products().publish([publication(brand="x")], AT)

    runs = 0
    for run in every_way(lambda: [sale, change], before.restore):
        runs += 1

        assert [end for end in run.ends if end is not None] == []
        assert shown() == ({"lamp-w": 21, "lamp-b": 1},) * 2
    assert runs > 10


def test_a_sku_that_joins_a_product_while_it_is_sold_shows_its_stock(cloud: Cloud) -> None:
    for sku in ("lamp-w", "lamp-b"):
        cloud.dynamodb.put_item(TableName="products", Item=old_item(sku, sku, "sup_a", 900, AT, 7))
    before = cloud.snapshot()

    def sale() -> None:
        sold = cloud.dynamodb.update_item(
            TableName="products", Key={"pk": {"S": "lamp-b"}}, UpdateExpression="ADD stock :less",
            ExpressionAttributeValues={":less": {"N": "-1"}}, ReturnValues="ALL_NEW",
        )["Attributes"]  # fmt: skip
        if "product_id" in sold:  # otherwise the pipe lets the record not through
            assert consume(record("lamp-b", 7, 6)) == []

    def join() -> None:
        catalog_wiring.products().publish([publication()], AT)

    for run in every_way(lambda: [sale, join], before.restore):
        assert [end for end in run.ends if end is not None] == []
        assert shown() == ({"lamp-w": 7, "lamp-b": 6},) * 2


def test_two_batches_at_once_show_the_stock_that_is_left(lamp: Cloud) -> None:
    before = lamp.snapshot()

    def sale(number: int, left: int) -> None:
        sell("lamp-b", 1, number)
        assert consume(record("lamp-b", left + 1, left)) == []

    for run in every_way(lambda: [lambda: sale(1, 1), lambda: sale(2, 0)], before.restore):
        assert [end for end in run.ends if end is not None] == []
        assert shown() == ({"lamp-w": 21, "lamp-b": 0},) * 2


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_messages_of_the_queue(path: Path, lamp: Cloud) -> None:
    failed = on_stock.handler(json.loads(path.read_text()), Context())["batchItemFailures"]

    assert bool(failed) is path.stem.startswith("bad_")


@pytest.fixture(params=["memory", "dynamodb"])
def cards(request: pytest.FixtureRequest) -> tuple[Cards, Products, Variants]:
    if request.param == "memory":
        variants = MemoryVariants()
        products = MemoryProducts(variants)
        return MemoryCards(products), products, variants
    request.getfixturevalue("cloud")
    return DynamoCards(), DynamoProducts(), DynamoVariants()


def test_every_store_of_cards_makes_them_show_the_stock(cards: tuple[Cards, Products, Variants]) -> None:
    kept, products, variants = cards
    products.publish([publication()], AT)
    variants.add_stock("lamp-b", -2, RequestKey("req_1", "f"), AT)
    changes = [StockChange("lamp", 2, 0), StockChange("nothing", 2, 0)]

    assert upkeep.keep_cards(changes, cards=kept) == frozenset()
    assert products.cards_by_id(["lamp"])["lamp"] == card_of(LAMP, STOCK | {"lamp-b": 0}, AT)
