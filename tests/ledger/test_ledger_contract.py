"""The ports of the ledger: one suite for the fakes of the tests and for the stores that run."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from cardstock import environment
from cardstock.aws import files as s3
from cardstock.aws.tables import ConditionFailedError, Transaction
from cardstock.errors import NotFoundError, RefusedError
from cardstock.ids import RequestKey
from cardstock.ledger import store as stored
from cardstock.ledger.accrual import accrue
from cardstock.ledger.archive import S3SealArchive
from cardstock.ledger.charges import charge_coupon
from cardstock.ledger.claw_back import claw_back, claw_back_step
from cardstock.ledger.model import Balance, Leaf, LedgerTransaction, Posting, Seal, SealedLeaves, WriteOff, account
from cardstock.ledger.payout_steps import claimed
from cardstock.ledger.ports import (
    Books,
    Calendar,
    SealArchive,
    Seals,
    StatementPages,
    Statements,
    WriteOffs,
)
from cardstock.ledger.release import release, release_step
from cardstock.ledger.seals_store import DynamoSeals
from cardstock.ledger.statements import project
from cardstock.ledger.statements_store import DynamoStatements
from cardstock.ledger.store import DynamoBooks, DynamoCalendar, DynamoWriteOffs
from cardstock.ledger.write_offs import approve_write_off
from tests.house.cloud import Cloud
from tests.people.clock import TestClock
from tests.people.memory_ledger import (
    MemoryArchive,
    MemoryBooks,
    MemoryCalendar,
    MemorySeals,
    MemoryStatements,
    MemoryWriteOffs,
    accrual,
    credit,
)
from tests.people.staff import unasked

CONTRACT = {
    Books: (MemoryBooks, DynamoBooks),
    WriteOffs: (MemoryWriteOffs, DynamoWriteOffs),
    Calendar: (MemoryCalendar, DynamoCalendar),
    Statements: (MemoryStatements, DynamoStatements),
    StatementPages: (MemoryStatements, DynamoStatements),
    Seals: (MemorySeals, DynamoSeals),
    SealArchive: (MemoryArchive, S3SealArchive),
}

AT = datetime(2026, 12, 1, 2, tzinfo=UTC)


@pytest.fixture(params=["memory", "dynamodb"])
def books(request: pytest.FixtureRequest, cloud: Cloud) -> Books:
    return MemoryBooks() if request.param == "memory" else DynamoBooks()


@pytest.fixture(params=["memory", "dynamodb"])
def calendar(request: pytest.FixtureRequest, cloud: Cloud) -> Calendar:
    return MemoryCalendar() if request.param == "memory" else DynamoCalendar()


@pytest.fixture(params=["memory", "dynamodb"])
def statements(request: pytest.FixtureRequest, cloud: Cloud) -> Statements:
    return MemoryStatements() if request.param == "memory" else DynamoStatements()


@pytest.fixture(params=["memory", "dynamodb"])
def write_offs(request: pytest.FixtureRequest, cloud: Cloud) -> tuple[WriteOffs, Books]:
    if request.param == "memory":
        memory = MemoryWriteOffs()
        return memory, memory.books
    return DynamoWriteOffs(), DynamoBooks()


@pytest.fixture(params=["memory", "dynamodb"])
def seals(request: pytest.FixtureRequest, cloud: Cloud) -> Seals:
    return MemorySeals() if request.param == "memory" else DynamoSeals()


@pytest.fixture(params=["memory", "s3"])
def archive(request: pytest.FixtureRequest, cloud: Cloud) -> Iterator[SealArchive]:
    s3.forget_client()
    yield MemoryArchive() if request.param == "memory" else S3SealArchive(s3.Files(environment.text("REPORTS_BUCKET")))
    s3.forget_client()


def test_a_life_ends_in_the_same_balances(books: Books, clock: TestClock) -> None:
    answers = [
        accrue(accrual(), books=books),
        accrue(accrual(), books=books),
        claw_back("rfd_1", {"direct": 100, "team": 50, "peer": 0}, accrual(), books=books),
        claw_back("rfd_1", {"direct": 100, "team": 50, "peer": 0}, accrual(), books=books),
        release(accrual(), books=books),
        release(accrual(), books=books),
        claw_back("rfd_2", {"direct": 29_900}, accrual(), books=books),
    ]

    assert answers == ["booked", "repeated"] * 3 + ["booked"]
    assert books.balance_of("mem_r") == Balance("mem_r")
    assert books.balance_of("mem_t") == Balance("mem_t", free=19_950)
    assert books.balance_of("mem_p") == Balance("mem_p", free=2_000)
    assert books.balance_of("mem_nobody") == Balance("mem_nobody")
    row = books.find_rewards("ord_1")
    assert row is not None
    assert (row.state, row.version, row.released_at) == ("available", 4, clock.now())
    assert [row.rest(credit) for credit in row.credits] == [0, 19_950, 2_000]
    assert books.find_rewards("ord_2") is None


def test_a_row_that_moved_on_is_not_replaced(books: Books, clock: TestClock) -> None:
    accrue(accrual(), books=books)
    row = books.find_rewards("ord_1")
    assert row is not None
    released = release_step(row)
    clawed = claw_back_step("rfd_1", {"direct": 1}, row)

    assert books.book_change(*released) == "booked"
    assert books.book_change(*clawed) == "outdated"
    assert books.book_change(*released) == "repeated"
    assert books.balance_of("mem_r") == Balance("mem_r", free=30_000)


def test_days_remember_their_orders_and_how_far_the_sweep_came(calendar: Calendar) -> None:
    for order_id in ("ord_b", "ord_a", "ord_b"):
        calendar.schedule_order(date(2026, 12, 8), order_id)
    calendar.schedule_order(date(2026, 12, 10), "ord_c")

    assert calendar.days_with_orders(since=None, before=date(2026, 12, 10)) == [date(2026, 12, 8)]
    assert calendar.days_with_orders(since=date(2026, 12, 9), before=date(2026, 12, 11)) == [date(2026, 12, 10)]
    assert calendar.days_with_orders(since=date(2026, 12, 9), before=date(2026, 12, 9)) == []
    assert list(calendar.keys_of_day(date(2026, 12, 8), "")) == ["ord_a", "ord_b"]
    assert list(calendar.keys_of_day(date(2026, 12, 8), "ord_a")) == ["ord_b"]
    assert list(calendar.keys_of_day(date(2026, 12, 9), "")) == []
    assert calendar.sweep_progress() is None


def test_progress_never_moves_backwards(calendar: Calendar) -> None:
    calendar.save_sweep_progress(date(2026, 12, 8), "ord_b")
    calendar.save_sweep_progress(date(2026, 12, 8), "ord_a")
    assert calendar.sweep_progress() == (date(2026, 12, 8), "ord_b")

    calendar.save_sweep_progress(date(2026, 12, 9), "")
    calendar.save_sweep_progress(date(2026, 12, 8), "~")

    assert calendar.sweep_progress() == (date(2026, 12, 9), "")


def test_a_statement_is_read_by_period_and_page_newest_first(statements: Statements) -> None:
    pages: StatementPages = statements
    for number in range(5):
        claim = claimed(f"n{number}", "mem_r", 100 + number, AT + timedelta(days=number))
        project(claim, statements=statements)
        project(claim, statements=statements)
    project(claimed("other", "mem_t", 7, AT), statements=statements)

    first, after = pages.lines_of_member("mem_r", since=None, until=None, after=None, limit=2)
    second, last = pages.lines_of_member("mem_r", since=None, until=None, after=after, limit=3)
    period, _ = pages.lines_of_member(
        "mem_r", since=AT + timedelta(days=1), until=AT + timedelta(days=3), after=None, limit=20
    )

    assert [line.cause for line in first + second] == ["n4", "n3", "n2", "n1", "n0"]
    assert after == first[-1].key
    assert last is None or pages.lines_of_member("mem_r", None, None, 3, last) == ([], None)
    assert [line.cause for line in period] == ["n2", "n1"]
    assert first[0].change == {"available": -104, "paying": 104}


def test_a_write_off_is_kept_once_and_booked_once(write_offs: tuple[WriteOffs, Books], clock: TestClock) -> None:
    kept, books = write_offs
    asked = WriteOff("wro_1", "mem_r", 500, "key_1", clock.now(), "reason")
    charge_coupon("benefit.mem_r.1", "mem_r", "ord_1", 700, books=books)

    assert kept.find_write_off("wro_1") is None
    assert kept.keep_write_off(asked, RequestKey("req_1", "f")) == (asked, False)
    assert kept.keep_write_off(asked, RequestKey("req_1", "f")) == (asked, True)
    with pytest.raises(RefusedError):
        kept.keep_write_off(asked, RequestKey("req_1", "other"))
    approve = partial(
        approve_write_off, "wro_1", "seen", "key_2", can_approve=lambda _: True, confirm=unasked, write_offs=kept
    )
    booked = approve()
    clock.move(days=1)
    assert approve() == booked == kept.find_write_off("wro_1")
    assert (booked.state, booked.approved_by, booked.note) == ("booked", "key_2", "seen")
    assert books.balance_of("mem_r").debt == 200


def test_a_write_off_of_more_than_is_owed_by_now_is_not_booked(
    write_offs: tuple[WriteOffs, Books], clock: TestClock
) -> None:
    kept, books = write_offs
    asked = WriteOff("wro_1", "mem_r", 500, "key_1", clock.now(), "reason")
    charge_coupon("benefit.mem_r.1", "mem_r", "ord_1", 499, books=books)
    kept.keep_write_off(asked, RequestKey("req_1", "f"))

    with pytest.raises(RefusedError):
        approve_write_off("wro_1", "", "key_2", can_approve=lambda _: True, confirm=unasked, write_offs=kept)
    assert kept.find_write_off("wro_1") == asked
    assert books.balance_of("mem_r").debt == 499


def test_leaves_wait_until_they_are_forgotten_and_seals_are_listed_newest_first(seals: Seals) -> None:
    leaves = [Leaf(f"t{number}", AT + timedelta(minutes=number), f"{number:064x}") for number in range(3)]
    for leaf in (*leaves, leaves[0]):
        seals.note_leaf(leaf)

    assert seals.last_seal() is None
    assert sorted(leaf.transaction_id for leaf in seals.noted_leaves(AT + timedelta(minutes=2))) == ["t0", "t1"]
    for number in (1, 2):
        seal = Seal(number, "", 1, "", "", "", "", ())
        seals.keep_seal(SealedLeaves(seal, (leaves[number - 1],)))
    seals.forget_leaves(leaves[:2])
    seals.forget_leaves(leaves[:1])

    assert [leaf.transaction_id for leaf in seals.noted_leaves(AT + timedelta(days=1))] == ["t2"]
    assert seals.seal_numbers(["t0", "t1", "t2"]) == {"t0": 1, "t1": 2}
    last = seals.last_seal()
    assert last is not None
    assert last.number == 2
    page, after = seals.list_seals(1, None)
    rest, _ = seals.list_seals(5, after)
    assert [seal.number for seal in (*page, *rest)] == [2, 1]


def test_a_seal_is_written_once(archive: SealArchive) -> None:
    with pytest.raises(NotFoundError):
        archive.read_seal(1)

    assert archive.write_seal_once(1, b"first") == b"first"
    assert archive.write_seal_once(1, b"second") == b"first"
    assert archive.read_seal(1) == b"first"


# What only the store can do


def test_postings_that_do_not_add_up_are_never_written(cloud: Cloud) -> None:
    wrong = LedgerTransaction("x", "accrued", "x", AT, (Posting(account("mem_r", "frozen"), 1),))

    with pytest.raises(ValueError, match="not to zero"), Transaction() as transaction:
        stored.post(transaction, wrong)

    assert cloud.items("ledger") == []


def test_a_covered_step_takes_no_more_than_there_is(cloud: Cloud) -> None:
    release(accrual(), books=DynamoBooks())

    def claim(number: str, amount: int) -> None:
        with Transaction() as transaction:
            stored.post(transaction, claimed(number, "mem_p", amount, AT), covered=True)

    claim("n1", 1_500)
    with pytest.raises(ConditionFailedError) as short:
        claim("n2", 501)
    with pytest.raises(ConditionFailedError) as again:
        claim("n1", 1_500)
    claim("n3", 500)

    assert set(short.value.failed) == {1}
    assert 0 in again.value.failed
    assert DynamoBooks().balance_of("mem_p") == Balance("mem_p", paying=2_000)
    assert {transaction.id for transaction in stored.every_transaction()} == {
        "accrue.ord_1", "release.ord_1", "claim.n1", "claim.n3",
    }  # fmt: skip


def test_what_is_stored_is_what_was_booked(cloud: Cloud, clock: TestClock) -> None:
    memory, dynamo = MemoryBooks(), DynamoBooks()
    for books in (memory, dynamo):
        claw_back("rfd_1", {"direct": 5}, accrual(), books=books)
        release(accrual(), books=books)

    assert {transaction.id: transaction for transaction in stored.every_transaction()} == memory.transactions
    assert {balance.member_id: balance for balance in stored.every_balance()} == memory.balances
    assert {row.order_id: row for row in stored.every_rewards_row()} == memory.rows


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
        claw_back(refund_id, taken, paid, books=DynamoBooks())  # type: ignore[arg-type]  # literal keys

    sizes = {
        item["pk"]["S"]: sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())
        for table in ("rewards", "ledger")
        for item in cloud.items(table)
    }

    assert max(sizes.values()) <= 1024, sizes


def test_a_record_of_the_stream_is_the_transaction(cloud: Cloud) -> None:
    accrue(accrual(), books=DynamoBooks())
    [image] = cloud.items("ledger")
    record = {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": image["pk"]}, "NewImage": image}}

    assert stored.transaction_of(record) == next(stored.every_transaction())
    for tampering in ("MODIFY", "REMOVE"):
        with pytest.raises(ValueError, match=tampering):
            stored.transaction_of({**record, "eventName": tampering})
