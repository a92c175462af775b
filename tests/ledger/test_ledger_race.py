"""Many hands at one balance and one order's rewards, on an engine that isolates transactions as AWS does."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from cardstock.aws.tables import ConditionFailedError, Transaction
from cardstock.ledger.accrual import accrue
from cardstock.ledger.claw_back import claw_back
from cardstock.ledger.model import RewardKind
from cardstock.ledger.payout_steps import claimed
from cardstock.ledger.release import release
from cardstock.ledger.store import DynamoBooks, post
from tests.house.racing import at_once
from tests.people.memory_ledger import accrual, credit

pytestmark = pytest.mark.engine

TABLES = ("ledger", "balances", "rewards")
NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def books(tables: None) -> DynamoBooks:
    return DynamoBooks()


def claim(number: str, fen: int) -> bool:
    try:
        with Transaction() as write:
            post(write, claimed(number, "mem_a", fen, NOW), covered=True)
    except ConditionFailedError:
        return False
    return True


def test_sixteen_withdrawals_of_what_five_can_have_are_five(books: DynamoBooks) -> None:
    order = accrual("ord_1", credit("direct", "mem_a", 50_000))
    release(order, books=books)
    ends = at_once(*(lambda n=n: claim(f"n{n}", 10_000) for n in range(16)))
    balance = books.balance_of("mem_a")

    assert sum(ends) == 5
    assert (balance.free, balance.paying) == (0, 50_000)


def test_the_same_withdrawal_sixteen_times_at_once_is_one(books: DynamoBooks) -> None:
    release(accrual("ord_1", credit("direct", "mem_a", 50_000)), books=books)
    ends = at_once(*(lambda: claim("n1", 10_000) for _ in range(16)))
    balance = books.balance_of("mem_a")

    assert sum(ends) == 1
    assert (balance.free, balance.paying) == (40_000, 10_000)


def test_a_credit_a_release_and_every_refund_at_once_and_again_end_in_one_set_of_books(books: DynamoBooks) -> None:
    order = accrual("ord_1", credit("direct", "mem_a", 30_000), credit("team", "mem_b", 20_000))
    taken: dict[RewardKind, int] = {"direct": 3_000, "team": 2_000}
    steps: list[Callable[[], Any]] = [
        lambda: accrue(order, books=books),
        lambda: release(order, books=books),
        *(lambda n=n: claw_back(f"rfd_{n}", taken, order, books=books) for n in range(6)),
    ]
    at_once(*steps, *steps)
    found = [books.balance_of(member) for member in ("mem_a", "mem_b")]
    row = books.find_rewards("ord_1")

    assert [(balance.frozen, balance.free) for balance in found] == [(0, 12_000), (0, 8_000)]
    assert row is not None
    assert (row.state, row.version, len(row.claws)) == ("available", 8, 6)
