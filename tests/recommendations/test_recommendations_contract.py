"""What every store of serving rows guarantees: the one in DynamoDB and the one in memory."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from cardstock.flows.learning import OrderPurchases
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.platforms.chat_completions import Budget, ChatCompletions
from cardstock.recommendations.model import POPULAR_KEY, Entry, Purchase, Row, member_key
from cardstock.recommendations.ports import LanguageModel, LearntRows, Purchases, ServingRows
from cardstock.recommendations.store import DynamoRows
from tests.people.memory_orders import MemoryPaidOrders
from tests.people.memory_recommendations import MemoryPurchases, MemoryRows, OneAnswerModel
from tests.people.model_server import ModelServer

CONTRACT = {
    ServingRows: (MemoryRows, DynamoRows),
    LearntRows: (MemoryRows, DynamoRows),
    Purchases: (MemoryPurchases, OrderPurchases),
    LanguageModel: (OneAnswerModel, ChatCompletions),
}

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(params=["memory", "dynamodb"])
def rows(request: pytest.FixtureRequest) -> LearntRows:
    if request.param == "memory":
        return MemoryRows()
    request.getfixturevalue("cloud")
    return DynamoRows()


def row(key: str, sku: str = "tent") -> Row:
    return Row(key, NOW, (Entry(sku, "帐篷", own=1000), Entry("mat", "Mat", together=707, because=sku)), "标题")


def test_rows_come_back_as_they_were_written(rows: LearntRows) -> None:
    written = rows.write_rows([row(member_key("m")), row(POPULAR_KEY), row("product#a")])
    found = rows.read_rows([member_key("m"), POPULAR_KEY, "product#absent"])

    assert written == 3
    assert found == {member_key("m"): row(member_key("m")), POPULAR_KEY: row(POPULAR_KEY)}


def test_learning_again_writes_over_what_was_learnt(rows: LearntRows) -> None:
    rows.write_rows(row(f"product#{n}") for n in range(60))
    written = rows.write_rows(row(f"product#{n}", "lamp") for n in range(60))

    assert written == 60
    assert rows.read_rows(["product#59"])["product#59"].entries[0].sku == "lamp"


def test_a_request_reads_those_of_its_rows_that_exist_in_any_order(rows: LearntRows) -> None:
    serving: ServingRows = rows
    learnt = [row(f"sku_{number}") for number in range(6)]
    rows.write_rows(learnt)

    assert serving.read_rows([f"sku_{number}" for number in range(12)]) == {found.key: found for found in learnt}
    assert serving.read_rows([]) == {}


def paid_order(number: int, placed_at: datetime, *units: tuple[int, int]) -> Order:
    """A paid order of a line for each pair of units and refunded units."""
    lines = tuple(
        OrderLine(line, f"sku_{line}", f"name {line}", bought, 100, bought * 100, "sup_1", False, True, refunded)
        for line, (bought, refunded) in enumerate(units, 1)
    )
    return Order(
        f"ord_{number}", "mem_1", "paid", lines, 100, Receiver("n", "1", "a"), None, {}, placed_at, paid_at=placed_at
    )


@pytest.fixture(params=["memory", "orders"])
def purchases(request: pytest.FixtureRequest) -> Purchases:
    """Two lines bought at `NOW`, one of them given back, and one the day before."""
    if request.param == "orders":
        orders = paid_order(1, NOW, (3, 1), (2, 2)), paid_order(2, NOW - timedelta(days=1), (1, 0))
        return OrderPurchases(MemoryPaidOrders(*orders))
    return MemoryPurchases(
        Purchase("mem_1", "sku_1", "name 1", 2, NOW, "ord_1"),
        Purchase("mem_1", "sku_2", "name 2", 0, NOW, "ord_1"),
        Purchase("mem_1", "sku_1", "name 1", 1, NOW - timedelta(days=1), "ord_2"),
    )


@pytest.mark.parametrize(("since", "units"), [(timedelta(0), [0, 2]), (timedelta(days=1), [0, 1, 2])])
def test_purchases_are_the_lines_of_orders_paid_since_a_moment(
    purchases: Purchases, since: timedelta, units: list[int]
) -> None:
    found = list(purchases.purchases_since(NOW - since))

    assert sorted(purchase.units for purchase in found) == units
    assert {purchase for purchase in found if purchase.at == NOW} == {
        Purchase("mem_1", "sku_1", "name 1", 2, NOW, "ord_1"), Purchase("mem_1", "sku_2", "name 2", 0, NOW, "ord_1"),
    }  # fmt: skip
    assert list(purchases.purchases_since(NOW + timedelta(microseconds=1))) == []


def model_that_says(answer: str) -> ChatCompletions:
    return ChatCompletions(
        base_url="https://models.example/v1",
        model="m",
        api_key="",
        record=lambda _usage: None,
        budgets={"task": Budget(5.0, 100, 50)},
        transport=ModelServer(answer).transport,
    )


@pytest.mark.parametrize("made", [OneAnswerModel, model_that_says])
def test_an_answer_is_what_accept_makes_of_it_and_one_that_is_refused_is_none(
    made: Callable[[str], LanguageModel],
) -> None:
    model, chinese = made('{"a": 1}'), made('{"推荐": "茶 & 点心 🫖"}')

    assert model.ask("task", "instruction", "material", json.loads) == {"a": 1}
    assert chinese.ask("task", "只用这些商品。", "王小明，上海", json.loads) == {"推荐": "茶 & 点心 🫖"}
    assert model.ask("task", "instruction", "material", int) is None
    assert model.ask("task", "instruction", "material", str.upper) == '{"A": 1}'
