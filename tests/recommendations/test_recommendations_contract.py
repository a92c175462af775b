"""What every store of serving rows guarantees: the one in DynamoDB and the one in memory."""

from datetime import UTC, datetime

import pytest

from cardstock.recommendations.model import POPULAR_KEY, Entry, Row, member_key
from cardstock.recommendations.ports import LearntRows
from cardstock.recommendations.store import DynamoRows
from tests.people.memory_recommendations import MemoryRows

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
