"""Serving rows in DynamoDB: what they cost, and what a busy table does."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.exceptions import GetError

from cardstock.aws.tables import connection
from cardstock.errors import UnavailableError
from cardstock.recommendations.model import POPULAR_KEY, Entry, Row, member_key
from cardstock.recommendations.recommending import MAX_SHOWN
from cardstock.recommendations.store import DynamoRows
from tests.house.cloud import Cloud

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def row(key: str, sku: str = "tent") -> Row:
    return Row(key, NOW, (Entry(sku, "帐篷", own=1000), Entry("mat", "Mat", together=707, because=sku)), "标题")


@contextmanager
def watched(seen: Callable[..., Any]) -> Iterator[None]:
    """`seen` hears of each call to DynamoDB before it is sent."""
    events = connection().client.meta.events
    events.register("before-call.dynamodb", seen)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb", seen)


def test_an_answer_is_one_call_whatever_is_shown(cloud: Cloud) -> None:
    calls: list[str] = []
    with watched(lambda model, **_: calls.append(model.name)):
        DynamoRows().read_rows([member_key("m"), POPULAR_KEY, *(f"product#{n}" for n in range(MAX_SHOWN))])

    assert calls == ["BatchGetItem"]


def test_learning_again_writes_over_and_more_than_one_batch(cloud: Cloud) -> None:
    rows = DynamoRows()
    rows.write_rows(row(f"product#{n}") for n in range(60))

    written = rows.write_rows(row(f"product#{n}", "lamp") for n in range(60))

    assert written == 60
    assert len(cloud.items("recommendations")) == 60
    assert rows.read_rows(["product#59"])["product#59"].entries[0].sku == "lamp"


class Refusing:
    """A busy table: takes nothing of as many BatchWriteItem calls as told."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, model: Any, params: dict[str, Any], **_: Any) -> Any:
        if model.name != "BatchWriteItem" or self.times == 0:
            return None
        self.times -= 1
        requested = json.loads(params["body"])["RequestItems"]["recommendations"]
        return SimpleNamespace(status_code=200), {"UnprocessedItems": {"recommendations": requested}}


def test_what_a_busy_table_did_not_take_is_sent_again_after_growing_pauses(cloud: Cloud) -> None:
    pauses: list[float] = []

    with watched(Refusing(3)):
        written = DynamoRows(sleep=pauses.append).write_rows([row("product#a"), row("product#b")])

    assert written == len(cloud.items("recommendations")) == 2
    assert pauses == [0.1, 0.2, 0.4]


def test_a_table_that_stays_busy_fails_the_learning(cloud: Cloud) -> None:
    with watched(Refusing(99)), pytest.raises(UnavailableError):
        DynamoRows(sleep=lambda _: None).write_rows([row("product#a")])


def test_a_row_expires_a_year_and_a_month_after_its_newest_purchase(cloud: Cloud) -> None:
    DynamoRows().write_rows([row(POPULAR_KEY)])

    assert cloud.items("recommendations")[0]["expires_at"] == {
        "N": str(int((NOW + timedelta(days=396)).timestamp()))
    }  # fmt: skip


def test_a_store_that_does_not_answer_is_unavailable(cloud: Cloud) -> None:
    def late(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://dynamodb")

    with watched(late), pytest.raises(UnavailableError):
        DynamoRows().read_rows([POPULAR_KEY])


def test_a_table_that_is_not_there_is_a_defect_and_not_a_busy_store(cloud: Cloud) -> None:
    cloud.dynamodb.delete_table(TableName="recommendations")

    with pytest.raises(GetError):
        DynamoRows().read_rows([POPULAR_KEY])
