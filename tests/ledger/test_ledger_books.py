"""The ledger's ports: one suite for what the services are tested with and for what runs."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cardstock.aws.tables import ConditionFailedError, Transaction
from cardstock.ledger import service
from cardstock.ledger import store as stored
from cardstock.ledger.model import Balance, LedgerTransaction, Posting, account
from cardstock.ledger.ports import Books, Calendar, Statements
from cardstock.ledger.statements_store import DynamoStatements
from tests.house.cloud import Cloud
from tests.people.ledger_memory import (
    MemoryBooks,
    MemoryCalendar,
    MemoryStatements,
    MovingClock,
    accrual,
    credit,
)

AT = datetime(2026, 12, 1, 2, tzinfo=UTC)


@pytest.fixture(params=["memory", "dynamodb"])
def books(request: pytest.FixtureRequest, cloud: Cloud) -> Books:
    return MemoryBooks() if request.param == "memory" else stored.DynamoBooks()


@pytest.fixture(params=["memory", "dynamodb"])
def calendar(request: pytest.FixtureRequest, cloud: Cloud) -> Calendar:
    return MemoryCalendar() if request.param == "memory" else stored.DynamoCalendar()


@pytest.fixture(params=["memory", "dynamodb"])
def statements(request: pytest.FixtureRequest, cloud: Cloud) -> Statements:
    return MemoryStatements() if request.param == "memory" else DynamoStatements()


def test_a_life_ends_in_the_same_balances(books: Books) -> None:
    clock = MovingClock()
    answers = [
        service.accrue(accrual(), books=books, clock=clock),
        service.accrue(accrual(), books=books, clock=clock),
        service.claw("rfd_1", {"direct": 100, "team": 50, "peer": 0}, accrual(), books=books, clock=clock),
        service.claw("rfd_1", {"direct": 100, "team": 50, "peer": 0}, accrual(), books=books, clock=clock),
        service.release(accrual(), books=books, clock=clock),
        service.release(accrual(), books=books, clock=clock),
        service.claw("rfd_2", {"direct": 29_900}, accrual(), books=books, clock=clock),
    ]

    assert answers == ["booked", "repeated"] * 3 + ["booked"]
    assert books.balance("mem_r") == Balance("mem_r")
    assert books.balance("mem_t") == Balance("mem_t", free=19_950)
    assert books.balance("mem_p") == Balance("mem_p", free=2_000)
    assert books.balance("mem_nobody") == Balance("mem_nobody")
    row = books.rewards("ord_1")
    assert row is not None
    assert (row.state, row.version, row.released_at) == ("available", 4, clock.at)
    assert [row.rest(credit) for credit in row.credits] == [0, 19_950, 2_000]
    assert books.rewards("ord_2") is None


def test_a_row_that_moved_on_is_not_replaced(books: Books) -> None:
    clock = MovingClock()
    service.accrue(accrual(), books=books, clock=clock)
    row = books.rewards("ord_1")
    assert row is not None
    release = service._releasing(row, clock.now())
    claw = service._clawing("rfd_1", {"direct": 1}, row, clock.now())

    assert books.change(*release) == "booked"
    assert books.change(*claw) == "outdated"
    assert books.change(*release) == "repeated"
    assert books.balance("mem_r") == Balance("mem_r", free=30_000)


def test_days_remember_their_orders_and_how_far_the_sweep_came(calendar: Calendar) -> None:
    for order_id in ("ord_b", "ord_a", "ord_b"):
        calendar.schedule(date(2026, 12, 8), order_id)
    calendar.schedule(date(2026, 12, 10), "ord_c")

    assert calendar.days(since=None, before=date(2026, 12, 10)) == [date(2026, 12, 8)]
    assert calendar.days(since=date(2026, 12, 9), before=date(2026, 12, 11)) == [date(2026, 12, 10)]
    assert calendar.days(since=date(2026, 12, 9), before=date(2026, 12, 9)) == []
    assert list(calendar.due(date(2026, 12, 8), "")) == ["ord_a", "ord_b"]
    assert list(calendar.due(date(2026, 12, 8), "ord_a")) == ["ord_b"]
    assert list(calendar.due(date(2026, 12, 9), "")) == []
    assert calendar.progress() is None


def test_progress_never_moves_backwards(calendar: Calendar) -> None:
    calendar.save_progress(date(2026, 12, 8), "ord_b")
    calendar.save_progress(date(2026, 12, 8), "ord_a")
    assert calendar.progress() == (date(2026, 12, 8), "ord_b")

    calendar.save_progress(date(2026, 12, 9), "")
    calendar.save_progress(date(2026, 12, 8), "~")

    assert calendar.progress() == (date(2026, 12, 9), "")


def test_a_statement_is_read_by_period_and_page_newest_first(statements: Statements) -> None:
    for number in range(5):
        claimed = service.claimed(f"n{number}", "mem_r", 100 + number, AT + timedelta(days=number))
        service.project(claimed, statements=statements)
        service.project(claimed, statements=statements)
    service.project(service.claimed("other", "mem_t", 7, AT), statements=statements)

    first, after = statements.read("mem_r", since=None, until=None, after=None, limit=2)
    second, last = statements.read("mem_r", since=None, until=None, after=after, limit=3)
    period, _ = statements.read(
        "mem_r", since=AT + timedelta(days=1), until=AT + timedelta(days=3), after=None, limit=20
    )

    assert [line.cause for line in first + second] == ["n4", "n3", "n2", "n1", "n0"]
    assert after == first[-1].key
    assert last is None or statements.read("mem_r", since=None, until=None, after=last, limit=3) == ([], None)
    assert [line.cause for line in period] == ["n2", "n1"]
    assert first[0].change == {"available": -104, "paying": 104}


# What only the store can do


def test_postings_that_do_not_add_up_are_never_written(cloud: Cloud) -> None:
    wrong = LedgerTransaction("x", "accrued", "x", AT, (Posting(account("mem_r", "frozen"), 1),))

    with pytest.raises(ValueError, match="not to zero"), Transaction() as transaction:
        stored.post(transaction, wrong)

    assert cloud.items("ledger") == []


def test_a_covered_step_takes_no_more_than_there_is(cloud: Cloud) -> None:
    service.release(accrual(), books=stored.DynamoBooks(), clock=MovingClock())

    def claim(number: str, amount: int) -> None:
        with Transaction() as transaction:
            stored.post(transaction, service.claimed(number, "mem_p", amount, AT), covered=True)

    claim("n1", 1_500)
    with pytest.raises(ConditionFailedError) as short:
        claim("n2", 501)
    with pytest.raises(ConditionFailedError) as again:
        claim("n1", 1_500)
    claim("n3", 500)

    assert set(short.value.failed) == {1}
    assert 0 in again.value.failed
    assert stored.DynamoBooks().balance("mem_p") == Balance("mem_p", paying=2_000)
    assert {transaction.id for transaction in stored.transactions()} == {
        "accrue.ord_1", "release.ord_1", "claim.n1", "claim.n3",
    }  # fmt: skip


def test_what_is_stored_is_what_was_booked(cloud: Cloud) -> None:
    memory, dynamo, clock = MemoryBooks(), stored.DynamoBooks(), MovingClock()
    for books in (memory, dynamo):
        service.claw("rfd_1", {"direct": 5}, accrual(), books=books, clock=clock)
        service.release(accrual(), books=books, clock=clock)

    assert {transaction.id: transaction for transaction in stored.transactions()} == memory.transactions
    assert {balance.member_id: balance for balance in stored.balances()} == memory.balances
    assert {row.order_id: row for row in stored.all_rewards()} == memory.rows


def test_the_rewards_of_three_people_fit_a_kilobyte_with_five_partial_refunds(cloud: Cloud) -> None:
    member_ids = ("mem_01kbfj4y5r9zq2x7vw3t8n6m4c", "mem_01kbfj4y5r9zq2x7vw3t8n6m4d", "mem_01kbfj4y5r9zq2x7vw3t8n6m4e")
    order_id = "ord_01kbfj4y5r9zq2x7vw3t8n6m4f"
    paid = accrual(
        order_id,
        *(
            credit(reward, member_id, 9_999_999, base=9_999_999)
            for reward, member_id in zip(("direct", "team", "peer"), member_ids, strict=True)
        ),
    )
    for number in range(5):
        refund_id = f"rfd_01kbfj4y5r9zq2x7vw3t8n6m{number:02d}"
        taken = {"direct": 123_456, "team": 123_456, "peer": 12_345}
        service.claw(refund_id, taken, paid, books=stored.DynamoBooks(), clock=MovingClock())  # type: ignore[arg-type]  # literal keys

    sizes = {
        item["pk"]["S"]: sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())
        for table in ("rewards", "ledger")
        for item in cloud.items(table)
    }

    assert max(sizes.values()) <= 1024, sizes


def test_a_record_of_the_stream_is_the_transaction(cloud: Cloud) -> None:
    service.accrue(accrual(), books=stored.DynamoBooks(), clock=MovingClock())
    [image] = cloud.items("ledger")
    record = {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": image["pk"]}, "NewImage": image}}

    assert stored.transaction_of(record) == next(stored.transactions())
    for tampering in ("MODIFY", "REMOVE"):
        with pytest.raises(ValueError, match=tampering):
            stored.transaction_of({**record, "eventName": tampering})
