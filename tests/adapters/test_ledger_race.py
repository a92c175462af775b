"""Many hands at one balance and one order's rewards, on an engine that isolates transactions as AWS does."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from cardstock.adapters.dynamodb import base
from cardstock.adapters.dynamodb.base import ConditionFailedError, Transaction
from cardstock.adapters.dynamodb.ledger import DynamoBooks, post
from cardstock.clock import SystemClock
from cardstock.errors import UnavailableError
from cardstock.ledger import service
from cardstock.ledger.model import RewardKind
from infra.local.engine import Engine
from tests.cloud import names_here, template
from tests.unit.ledger_memory import accrual, credit

pytestmark = pytest.mark.engine

TABLES = ("ledger", "balances", "rewards")
NOW = datetime(2026, 12, 1, tzinfo=UTC)
CLOCK = SystemClock()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    log: Path = tmp_path_factory.mktemp("engine") / "engine.log"
    started = Engine.start(state=None, log=log, region=os.environ["AWS_REGION"])
    yield started
    started.stop()


@pytest.fixture
def books(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoBooks]:
    client = boto3.client("dynamodb", endpoint_url=engine.endpoint)
    shapes = {names_here()[table.name]: table.definition for table in template().tables}
    for name in TABLES:
        client.create_table(TableName=name, **shapes[name])
    monkeypatch.setenv("AWS_ENDPOINT_URL", engine.endpoint)
    base.disconnect()
    yield DynamoBooks()
    base.disconnect()
    for name in TABLES:
        client.delete_table(TableName=name)
    client.close()


def at_once(*steps: Callable[[], Any]) -> list[Any]:
    """What each step gives; a busy store is asked again, as queues do."""

    def one(step: Callable[[], Any]) -> Any:
        while True:
            try:
                return step()
            except UnavailableError:
                continue

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(one, steps))


def claim(number: str, fen: int) -> bool:
    try:
        with Transaction() as write:
            post(write, service.claimed(number, "mem_a", fen, NOW), covered=True)
    except ConditionFailedError:
        return False
    return True


def test_sixteen_withdrawals_of_what_five_can_have_are_five(books: DynamoBooks) -> None:
    order = accrual("ord_1", credit("direct", "mem_a", 50_000))
    service.release(order, books=books, clock=CLOCK)
    ends = at_once(*(lambda n=n: claim(f"n{n}", 10_000) for n in range(16)))
    balance = books.balance("mem_a")

    assert sum(ends) == 5
    assert (balance.free, balance.paying) == (0, 50_000)


def test_the_same_withdrawal_sixteen_times_at_once_is_one(books: DynamoBooks) -> None:
    service.release(accrual("ord_1", credit("direct", "mem_a", 50_000)), books=books, clock=CLOCK)
    ends = at_once(*(lambda: claim("n1", 10_000) for _ in range(16)))
    balance = books.balance("mem_a")

    assert sum(ends) == 1
    assert (balance.free, balance.paying) == (40_000, 10_000)


def test_a_credit_a_release_and_every_refund_at_once_and_again_end_in_one_set_of_books(books: DynamoBooks) -> None:
    order = accrual("ord_1", credit("direct", "mem_a", 30_000), credit("team", "mem_b", 20_000))
    taken: dict[RewardKind, int] = {"direct": 3_000, "team": 2_000}
    steps: list[Callable[[], Any]] = [
        lambda: service.accrue(order, books=books, clock=CLOCK),
        lambda: service.release(order, books=books, clock=CLOCK),
        *(lambda n=n: service.claw(f"rfd_{n}", taken, order, books=books, clock=CLOCK) for n in range(6)),
    ]
    at_once(*steps, *steps)
    found = [books.balance(member) for member in ("mem_a", "mem_b")]
    row = books.rewards("ord_1")

    assert [(balance.frozen, balance.free) for balance in found] == [(0, 12_000), (0, 8_000)]
    assert row is not None
    assert (row.state, row.version, len(row.claws)) == ("available", 8, 6)
