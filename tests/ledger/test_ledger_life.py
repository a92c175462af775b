"""A reward's life: credited, released, taken back, paid out."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cardstock.errors import UnavailableError
from cardstock.ledger.accrual import accrue
from cardstock.ledger.claw_back import claw_back
from cardstock.ledger.model import Accrual, LedgerTransaction, OrderRewards, Posting, account, pocket_of
from cardstock.ledger.payout_steps import claimed, paid, returned
from cardstock.ledger.ports import Booked
from cardstock.ledger.release import SweepResult, due_key, release, release_day, schedule_key, sweep
from cardstock.ledger.standing import rewards_of_member
from cardstock.ledger.statements import project
from tests.people.clock import TestClock
from tests.people.memory_ledger import (
    MemoryBooks,
    MemoryCalendar,
    MemoryStatements,
    accrual,
    credit,
)


@pytest.fixture
def books() -> MemoryBooks:
    return MemoryBooks()


def test_a_paid_order_credits_its_rewards_frozen(books: MemoryBooks, clock: TestClock) -> None:
    booked = accrue(accrual(), books=books)

    assert booked == "booked"
    assert books.balance_of("mem_r").frozen == 30_000
    assert books.balance_of("mem_r").available == 0
    [transaction] = books.transactions.values()
    assert transaction.id == "accrue.ord_1"
    assert transaction.plan == "chain21@1"
    assert Posting("brand:commission", -52_000) in transaction.postings


def test_an_order_that_pays_nobody_leaves_no_trace(books: MemoryBooks, clock: TestClock) -> None:
    nothing = Accrual("ord_1", "unlock@0", ())

    assert accrue(nothing, books=books) == "nothing"
    assert claw_back("rfd_1", {}, nothing, books=books) == "nothing"
    assert release(nothing, books=books) == "nothing"
    assert not books.transactions


def test_a_reward_cut_to_zero_keeps_its_row_and_posts_nothing(books: MemoryBooks, clock: TestClock) -> None:
    accrue(accrual("ord_1", credit("direct", "mem_r", 0)), books=books)

    assert books.transactions["accrue.ord_1"].postings == ()
    assert books.rows["ord_1"].credits[0].member_id == "mem_r"


def test_every_step_again_changes_nothing(books: MemoryBooks, clock: TestClock) -> None:
    def steps() -> list[Booked]:
        return [
            accrue(accrual(), books=books),
            claw_back("rfd_1", {"direct": 10, "team": 20}, accrual(), books=books),
            release(accrual(), books=books),
            claw_back("rfd_2", {"direct": 1}, accrual(), books=books),
        ]

    assert steps() == ["booked"] * 4
    before = (dict(books.transactions), dict(books.balances), dict(books.rows))
    clock.move(days=1)

    assert steps() == ["repeated"] * 4
    assert (books.transactions, books.balances, books.rows) == before


def test_a_refund_before_the_credit_writes_it_in_full_and_takes_back_at_once(
    books: MemoryBooks, clock: TestClock
) -> None:
    claw_back("rfd_1", {"direct": 30_000, "team": 5, "peer": 0}, accrual(), books=books)
    late = accrue(accrual(), books=books)

    assert late == "repeated"
    assert [posting.amount for posting in books.transactions["accrue.ord_1"].postings] == [
        30_000, 20_000, 2_000, -52_000,
    ]  # fmt: skip
    assert (books.balance_of("mem_r").frozen, books.balance_of("mem_t").frozen) == (0, 19_995)


def test_two_refunds_leave_the_same_row_in_either_order(clock: TestClock) -> None:
    rows = []
    for order in (("rfd_1", "rfd_2"), ("rfd_2", "rfd_1")):
        books = MemoryBooks()
        for refund_id in order:
            claw_back(refund_id, {"direct": 10}, accrual(), books=books)
        rows.append(books.rows["ord_1"].claws)

    assert rows[0] == rows[1]


def test_a_release_before_the_credit_writes_both(books: MemoryBooks, clock: TestClock) -> None:
    assert release(accrual(), books=books) == "booked"
    assert (books.balance_of("mem_r").frozen, books.balance_of("mem_r").available) == (0, 30_000)


def test_a_refund_takes_the_rewards_own_frozen_money_first(books: MemoryBooks, clock: TestClock) -> None:
    accrue(accrual("ord_1", credit("direct", "mem_r", 500)), books=books)
    accrue(accrual("ord_2", credit("direct", "mem_r", 700)), books=books)
    release(accrual("ord_2", credit("direct", "mem_r", 700)), books=books)

    claw_back("rfd_1", {"direct": 500}, accrual("ord_1"), books=books)

    assert (books.balance_of("mem_r").frozen, books.balance_of("mem_r").available) == (0, 700)


def test_a_refund_after_the_release_never_takes_other_orders_frozen_money(books: MemoryBooks, clock: TestClock) -> None:
    one, other = accrual("ord_1", credit("direct", "mem_r", 500)), accrual("ord_2", credit("direct", "mem_r", 700))
    accrue(one, books=books)
    release(one, books=books)
    accrue(other, books=books)
    books.book_transaction(claimed("n1", "mem_r", 500, clock.now()))

    claw_back("rfd_1", {"direct": 500}, one, books=books)

    balance = books.balance_of("mem_r")
    assert (balance.frozen, balance.available, balance.debt, balance.paying) == (700, 0, 500, 500)


def test_debt_is_repaid_by_the_next_release(books: MemoryBooks, clock: TestClock) -> None:
    one, other = accrual("ord_1", credit("direct", "mem_r", 500)), accrual("ord_2", credit("direct", "mem_r", 700))
    for order in (one, other):
        accrue(order, books=books)
    release(one, books=books)
    books.book_transaction(claimed("n1", "mem_r", 500, clock.now()))
    books.book_transaction(paid("n1", "mem_r", 400, 100, clock.now()))
    claw_back("rfd_1", {"direct": 500}, one, books=books)

    release(other, books=books)

    balance = books.balance_of("mem_r")
    assert (balance.available, balance.debt, balance.paid, balance.withheld, balance.paying) == (200, 0, 400, 100, 0)


def test_a_failed_transfer_that_comes_back_repays_debt(books: MemoryBooks, clock: TestClock) -> None:
    one = accrual("ord_1", credit("direct", "mem_r", 500))
    release(one, books=books)
    books.book_transaction(claimed("n1", "mem_r", 500, clock.now()))
    claw_back("rfd_1", {"direct": 200}, one, books=books)

    assert books.balance_of("mem_r").debt == 200
    books.book_transaction(returned("n1", "mem_r", 500, clock.now()))

    assert (books.balance_of("mem_r").available, books.balance_of("mem_r").debt) == (300, 0)


def test_a_release_takes_what_refunds_have_left(books: MemoryBooks, clock: TestClock) -> None:
    claw_back("rfd_1", {"direct": 29_000, "team": 20_000}, accrual(), books=books)

    release(accrual(), books=books)

    assert books.balance_of("mem_r").available == 1_000
    assert books.balance_of("mem_t").available == 0
    assert books.balance_of("mem_p").available == 2_000
    assert all(balance.frozen == 0 for balance in books.balances.values())


def test_more_than_was_credited_is_never_taken(books: MemoryBooks, clock: TestClock) -> None:
    claw_back("rfd_1", {"direct": 29_999}, accrual(), books=books)

    with pytest.raises(ValueError, match="takes 2 of 1 direct"):
        claw_back("rfd_2", {"direct": 2}, accrual(), books=books)


class BusyBooks(MemoryBooks):
    """Somebody else changes the row between each read and write, `times` times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def book_change(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        if self.times:
            self.times -= 1
            return "outdated"
        return super().book_change(transaction, rewards)


def test_a_row_changed_meanwhile_is_read_again(clock: TestClock) -> None:
    books = BusyBooks(times=3)
    accrue(accrual(), books=books)

    assert release(accrual(), books=books) == "booked"
    assert claw_back("rfd_1", {"direct": 1}, accrual(), books=books) == "booked"


def test_a_row_that_never_rests_is_left_to_the_next_attempt(clock: TestClock) -> None:
    books = BusyBooks(times=100)

    with pytest.raises(UnavailableError):
        release(accrual(), books=books)


def test_an_account_that_is_none_is_refused() -> None:
    assert pocket_of(account("mem_r", "frozen")) == ("mem_r", "frozen")
    assert pocket_of("brand:commission") is None
    for wrong in ("", "member:mem_r", "member::frozen", "member:mem_r:gold", "brand:", "mem_r:frozen"):
        with pytest.raises(ValueError, match="no account"):
            pocket_of(wrong)


# Explaining


def test_a_member_sees_his_own_rewards_on_an_order_with_what_refunds_took(books: MemoryBooks, clock: TestClock) -> None:
    accrue(accrual(), books=books)
    claw_back("rfd_1", {"direct": 10, "team": 20}, accrual(), books=books)
    claw_back("rfd_2", {"direct": 5}, accrual(), books=books)

    [explained], booked = rewards_of_member("ord_1", "mem_r", books=books)

    assert booked
    assert explained.claws == (("rfd_1", 10), ("rfd_2", 5))
    assert explained.rest == 30_000 - 15
    assert (explained.plan, explained.state) == ("chain21@1", "frozen")


def test_a_member_without_rewards_has_none_and_knows_whether_the_order_is_booked(
    books: MemoryBooks, clock: TestClock
) -> None:
    accrue(accrual(), books=books)

    assert rewards_of_member("ord_1", "mem_x", books=books) == ((), True)
    assert rewards_of_member("ord_2", "mem_r", books=books) == ((), False)


# Statements


def test_a_transaction_is_one_line_for_each_member_in_it(books: MemoryBooks, clock: TestClock) -> None:
    release(accrual(), books=books)
    statements = MemoryStatements()

    for _ in range(2):
        for transaction in books.transactions.values():
            project(transaction, statements=statements)

    lines, cursor = statements.lines_of_member("mem_r", None, None, 20, None)
    assert cursor is None
    assert [(line.kind, line.change, line.rewards) for line in lines] == [
        ("released", {"frozen": -30_000, "available": 30_000}, ("direct",)),
        ("accrued", {"frozen": 30_000}, ("direct",)),
    ]


# Release by day


def test_an_order_is_due_at_the_end_of_the_brands_day() -> None:
    late_evening_in_shanghai = datetime(2026, 12, 1, 15, 59, tzinfo=UTC)

    assert release_day(late_evening_in_shanghai, 7) == date(2026, 12, 8)
    assert release_day(late_evening_in_shanghai + timedelta(minutes=1), 7) == date(2026, 12, 9)


def night(
    until: datetime,
    calendar: MemoryCalendar,
    clock: TestClock,
    *,
    orders: int = 1000,
    waits: frozenset[str] = frozenset(),
) -> tuple[SweepResult, list[str]]:
    settled: list[str] = []

    def settle(order_id: str) -> bool:
        if order_id in waits:
            return False
        settled.append(order_id)
        return True

    swept = sweep(until, settle, calendar=calendar, time_left=lambda: len(settled) < orders)
    return swept, settled


def test_a_sweep_settles_the_days_that_are_over_and_no_other(clock: TestClock) -> None:
    calendar = MemoryCalendar()
    clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    for day, order_id in ((8, "ord_a"), (9, "ord_b"), (10, "ord_c")):
        schedule_key(order_id, date(2026, 12, day), calendar=calendar)
    clock.set(datetime(2026, 12, 9, 16, 30, tzinfo=UTC))  # half past midnight of the tenth in Shanghai

    swept, settled = night(clock.now(), calendar, clock)

    assert settled == ["ord_a", "ord_b"]
    assert swept == SweepResult(settled=2, waiting=0, finished=True)
    assert night(clock.now(), calendar, clock)[1] == []


def test_a_tick_from_the_future_settles_nothing_early(clock: TestClock) -> None:
    calendar = MemoryCalendar()
    clock.set(datetime(2026, 12, 8, tzinfo=UTC))
    schedule_key("ord_a", date(2026, 12, 8), calendar=calendar)

    _, settled = night(clock.now() + timedelta(days=300), calendar, clock)

    assert settled == []


def test_a_sweep_without_time_left_is_continued_by_the_next(clock: TestClock) -> None:
    calendar = MemoryCalendar()
    clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    due = [f"ord_{number:03d}" for number in range(70)]
    for order_id in due:
        schedule_key(order_id, date(2026, 12, 1 + int(order_id[-3:]) // 30), calendar=calendar)
    clock.move(days=30)

    first, one = night(clock.now(), calendar, clock, orders=33)
    second, other = night(clock.now(), calendar, clock)

    assert (first.finished, second.finished) == (False, True)
    assert one + other == due


def test_a_killed_sweep_repeats_at_most_the_last_few_orders(clock: TestClock) -> None:
    calendar = MemoryCalendar()
    clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    due = [f"ord_{number:03d}" for number in range(60)]
    for order_id in due:
        schedule_key(order_id, date(2026, 12, 2), calendar=calendar)
    clock.move(days=30)
    seen: list[str] = []

    def settle_until_killed(order_id: str) -> bool:
        if len(seen) == 40:
            raise KeyboardInterrupt
        seen.append(order_id)
        return True

    with pytest.raises(KeyboardInterrupt):
        sweep(clock.now(), settle_until_killed, calendar=calendar, time_left=lambda: True)
    _, again = night(clock.now(), calendar, clock)

    assert again == due[25:]


def test_an_order_that_has_to_wait_comes_again_the_next_night(clock: TestClock) -> None:
    calendar = MemoryCalendar()
    clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    schedule_key("ord_a", date(2026, 12, 2), calendar=calendar)
    clock.set(datetime(2026, 12, 3, 16, 30, tzinfo=UTC))

    for _ in range(3):
        swept, _ = night(clock.now(), calendar, clock, waits=frozenset({"ord_a"}))
        assert swept.waiting == 1
        clock.move(days=1)
    _, settled = night(clock.now(), calendar, clock)

    assert settled == ["ord_a"]


def test_orders_of_a_day_settle_by_receipt_then_payment(clock: TestClock) -> None:
    calendar = MemoryCalendar()
    clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    later = clock.now() + timedelta(milliseconds=1)
    keys = [
        due_key("ord_a", received_at=later, paid_at=clock.now()),
        due_key("ord_b", received_at=clock.now(), paid_at=later),
        due_key("ord_c", received_at=clock.now(), paid_at=clock.now()),
    ]
    for key in keys:
        schedule_key(key, date(2026, 12, 2), calendar=calendar)
    clock.move(days=2)

    assert night(clock.now(), calendar, clock)[1] == ["ord_c", "ord_b", "ord_a"]


def test_an_order_whose_day_is_over_already_is_put_into_today(clock: TestClock) -> None:
    calendar = MemoryCalendar()
    clock.set(datetime(2026, 12, 20, 4, tzinfo=UTC))
    calendar.save_sweep_progress(date(2026, 12, 19), "~")

    schedule_key("ord_a", date(2026, 12, 8), calendar=calendar)
    clock.move(days=1)

    assert night(clock.now(), calendar, clock)[1] == ["ord_a"]
