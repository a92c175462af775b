"""A reward's life: credited, released, taken back, paid out."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cardstock.errors import NotFoundError, UnavailableError
from cardstock.ledger import service
from cardstock.ledger.model import LedgerTransaction, OrderRewards, Posting, account, pocket_of
from cardstock.ledger.ports import Booked
from tests.people.ledger_memory import (
    MemoryBooks,
    MemoryCalendar,
    MemoryStatements,
    MovingClock,
    accrual,
    credit,
)


@pytest.fixture
def books() -> MemoryBooks:
    return MemoryBooks()


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


def test_a_paid_order_credits_its_rewards_frozen(books: MemoryBooks, clock: MovingClock) -> None:
    booked = service.accrue(accrual(), books=books, clock=clock)

    assert booked == "booked"
    assert books.balance("mem_r").frozen == 30_000
    assert books.balance("mem_r").available == 0
    [transaction] = books.transactions.values()
    assert transaction.id == "accrue.ord_1"
    assert transaction.plan == "chain21@1"
    assert Posting("brand:commission", -52_000) in transaction.postings


def test_an_order_that_pays_nobody_leaves_no_trace(books: MemoryBooks, clock: MovingClock) -> None:
    nothing = service.Accrual("ord_1", "unlock@0", ())

    assert service.accrue(nothing, books=books, clock=clock) == "nothing"
    assert service.claw("rfd_1", {}, nothing, books=books, clock=clock) == "nothing"
    assert service.release(nothing, books=books, clock=clock) == "nothing"
    assert not books.transactions


def test_a_reward_cut_to_zero_keeps_its_row_and_posts_nothing(books: MemoryBooks, clock: MovingClock) -> None:
    service.accrue(accrual("ord_1", credit("direct", "mem_r", 0)), books=books, clock=clock)

    assert books.transactions["accrue.ord_1"].postings == ()
    assert books.rows["ord_1"].credits[0].member_id == "mem_r"


def test_every_step_again_changes_nothing(books: MemoryBooks, clock: MovingClock) -> None:
    def steps() -> list[Booked]:
        return [
            service.accrue(accrual(), books=books, clock=clock),
            service.claw("rfd_1", {"direct": 10, "team": 20}, accrual(), books=books, clock=clock),
            service.release(accrual(), books=books, clock=clock),
            service.claw("rfd_2", {"direct": 1}, accrual(), books=books, clock=clock),
        ]

    assert steps() == ["booked"] * 4
    before = (dict(books.transactions), dict(books.balances), dict(books.rows))
    clock.pass_days(1)

    assert steps() == ["repeated"] * 4
    assert (books.transactions, books.balances, books.rows) == before


def test_a_refund_before_the_credit_writes_it_in_full_and_takes_back_at_once(
    books: MemoryBooks, clock: MovingClock
) -> None:
    service.claw("rfd_1", {"direct": 30_000, "team": 5, "peer": 0}, accrual(), books=books, clock=clock)
    late = service.accrue(accrual(), books=books, clock=clock)

    assert late == "repeated"
    assert [posting.amount for posting in books.transactions["accrue.ord_1"].postings] == [
        30_000, 20_000, 2_000, -52_000,
    ]  # fmt: skip
    assert (books.balance("mem_r").frozen, books.balance("mem_t").frozen) == (0, 19_995)


def test_two_refunds_leave_the_same_row_in_either_order(clock: MovingClock) -> None:
    rows = []
    for order in (("rfd_1", "rfd_2"), ("rfd_2", "rfd_1")):
        books = MemoryBooks()
        for refund_id in order:
            service.claw(refund_id, {"direct": 10}, accrual(), books=books, clock=clock)
        rows.append(books.rows["ord_1"].claws)

    assert rows[0] == rows[1]


def test_a_release_before_the_credit_writes_both(books: MemoryBooks, clock: MovingClock) -> None:
    assert service.release(accrual(), books=books, clock=clock) == "booked"
    assert (books.balance("mem_r").frozen, books.balance("mem_r").available) == (0, 30_000)


def test_a_refund_takes_the_rewards_own_frozen_money_first(books: MemoryBooks, clock: MovingClock) -> None:
    service.accrue(accrual("ord_1", credit("direct", "mem_r", 500)), books=books, clock=clock)
    service.accrue(accrual("ord_2", credit("direct", "mem_r", 700)), books=books, clock=clock)
    service.release(accrual("ord_2", credit("direct", "mem_r", 700)), books=books, clock=clock)

    service.claw("rfd_1", {"direct": 500}, accrual("ord_1"), books=books, clock=clock)

    assert (books.balance("mem_r").frozen, books.balance("mem_r").available) == (0, 700)


def test_a_refund_after_the_release_never_takes_other_orders_frozen_money(
    books: MemoryBooks, clock: MovingClock
) -> None:
    one, other = accrual("ord_1", credit("direct", "mem_r", 500)), accrual("ord_2", credit("direct", "mem_r", 700))
    service.accrue(one, books=books, clock=clock)
    service.release(one, books=books, clock=clock)
    service.accrue(other, books=books, clock=clock)
    books.book(service.claimed("n1", "mem_r", 500, clock.now()))

    service.claw("rfd_1", {"direct": 500}, one, books=books, clock=clock)

    balance = books.balance("mem_r")
    assert (balance.frozen, balance.available, balance.debt, balance.paying) == (700, 0, 500, 500)


def test_debt_is_repaid_by_the_next_release(books: MemoryBooks, clock: MovingClock) -> None:
    one, other = accrual("ord_1", credit("direct", "mem_r", 500)), accrual("ord_2", credit("direct", "mem_r", 700))
    for order in (one, other):
        service.accrue(order, books=books, clock=clock)
    service.release(one, books=books, clock=clock)
    books.book(service.claimed("n1", "mem_r", 500, clock.now()))
    books.book(service.paid("n1", "mem_r", 400, 100, clock.now()))
    service.claw("rfd_1", {"direct": 500}, one, books=books, clock=clock)

    service.release(other, books=books, clock=clock)

    balance = books.balance("mem_r")
    assert (balance.available, balance.debt, balance.paid, balance.withheld, balance.paying) == (200, 0, 400, 100, 0)


def test_a_failed_transfer_that_comes_back_repays_debt(books: MemoryBooks, clock: MovingClock) -> None:
    one = accrual("ord_1", credit("direct", "mem_r", 500))
    service.release(one, books=books, clock=clock)
    books.book(service.claimed("n1", "mem_r", 500, clock.now()))
    service.claw("rfd_1", {"direct": 200}, one, books=books, clock=clock)

    assert books.balance("mem_r").debt == 200
    books.book(service.returned("n1", "mem_r", 500, clock.now()))

    assert (books.balance("mem_r").available, books.balance("mem_r").debt) == (300, 0)


def test_a_release_takes_what_refunds_have_left(books: MemoryBooks, clock: MovingClock) -> None:
    service.claw("rfd_1", {"direct": 29_000, "team": 20_000}, accrual(), books=books, clock=clock)

    service.release(accrual(), books=books, clock=clock)

    assert books.balance("mem_r").available == 1_000
    assert books.balance("mem_t").available == 0
    assert books.balance("mem_p").available == 2_000
    assert all(balance.frozen == 0 for balance in books.balances.values())


def test_more_than_was_credited_is_never_taken(books: MemoryBooks, clock: MovingClock) -> None:
    service.claw("rfd_1", {"direct": 29_999}, accrual(), books=books, clock=clock)

    with pytest.raises(ValueError, match="takes 2 of 1 direct"):
        service.claw("rfd_2", {"direct": 2}, accrual(), books=books, clock=clock)


class BusyBooks(MemoryBooks):
    """Somebody else changes the row between each read and write, `times` times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def change(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        if self.times:
            self.times -= 1
            return "outdated"
        return super().change(transaction, rewards)


def test_a_row_changed_meanwhile_is_read_again(clock: MovingClock) -> None:
    books = BusyBooks(times=3)
    service.accrue(accrual(), books=books, clock=clock)

    assert service.release(accrual(), books=books, clock=clock) == "booked"
    assert service.claw("rfd_1", {"direct": 1}, accrual(), books=books, clock=clock) == "booked"


def test_a_row_that_never_rests_is_left_to_the_next_attempt(clock: MovingClock) -> None:
    books = BusyBooks(times=100)

    with pytest.raises(UnavailableError):
        service.release(accrual(), books=books, clock=clock)


def test_an_account_that_is_none_is_refused() -> None:
    assert pocket_of(account("mem_r", "frozen")) == ("mem_r", "frozen")
    assert pocket_of("brand:commission") is None
    for wrong in ("", "member:mem_r", "member::frozen", "member:mem_r:gold", "brand:", "mem_r:frozen"):
        with pytest.raises(ValueError, match="no account"):
            pocket_of(wrong)


# Explaining


def test_a_member_sees_his_own_rewards_on_an_order_with_what_refunds_took(
    books: MemoryBooks, clock: MovingClock
) -> None:
    service.accrue(accrual(), books=books, clock=clock)
    service.claw("rfd_1", {"direct": 10, "team": 20}, accrual(), books=books, clock=clock)
    service.claw("rfd_2", {"direct": 5}, accrual(), books=books, clock=clock)

    [explained] = service.explain("ord_1", "mem_r", books=books)

    assert explained.claws == (("rfd_1", 10), ("rfd_2", 5))
    assert explained.rest == 30_000 - 15
    assert (explained.plan, explained.state) == ("chain21@1", "frozen")


@pytest.mark.parametrize(("order_id", "member_id"), [("ord_1", "mem_x"), ("ord_2", "mem_r")])
def test_somebody_elses_rewards_are_not_told_from_none(
    order_id: str, member_id: str, books: MemoryBooks, clock: MovingClock
) -> None:
    service.accrue(accrual(), books=books, clock=clock)

    with pytest.raises(NotFoundError):
        service.explain(order_id, member_id, books=books)


# Statements


def test_a_transaction_is_one_line_for_each_member_in_it(books: MemoryBooks, clock: MovingClock) -> None:
    service.release(accrual(), books=books, clock=clock)
    statements = MemoryStatements()

    for _ in range(2):
        for transaction in books.transactions.values():
            service.project(transaction, statements=statements)

    lines, cursor = statements.read("mem_r", None, None, 20, None)
    assert cursor is None
    assert [(line.kind, line.change, line.rewards) for line in lines] == [
        ("released", {"frozen": -30_000, "available": 30_000}, ("direct",)),
        ("accrued", {"frozen": 30_000}, ("direct",)),
    ]


# Release by day


def test_an_order_is_due_at_the_end_of_the_brands_day() -> None:
    late_evening_in_shanghai = datetime(2026, 12, 1, 15, 59, tzinfo=UTC)

    assert service.release_day(late_evening_in_shanghai, 7) == date(2026, 12, 8)
    assert service.release_day(late_evening_in_shanghai + timedelta(minutes=1), 7) == date(2026, 12, 9)


def sweep(
    until: datetime,
    calendar: MemoryCalendar,
    clock: MovingClock,
    *,
    orders: int = 1000,
    waits: frozenset[str] = frozenset(),
) -> tuple[service.Swept, list[str]]:
    settled: list[str] = []

    def settle(order_id: str) -> bool:
        if order_id in waits:
            return False
        settled.append(order_id)
        return True

    swept = service.sweep(until, settle, calendar=calendar, clock=clock, time_left=lambda: len(settled) < orders)
    return swept, settled


def test_a_sweep_settles_the_days_that_are_over_and_no_other() -> None:
    calendar, clock = MemoryCalendar(), MovingClock(datetime(2026, 12, 1, tzinfo=UTC))
    for day, order_id in ((8, "ord_a"), (9, "ord_b"), (10, "ord_c")):
        service.schedule(order_id, date(2026, 12, day), calendar=calendar, clock=clock)
    clock.at = datetime(2026, 12, 9, 16, 30, tzinfo=UTC)  # half past midnight of the tenth in Shanghai

    swept, settled = sweep(clock.at, calendar, clock)

    assert settled == ["ord_a", "ord_b"]
    assert swept == service.Swept(settled=2, waiting=0, finished=True)
    assert sweep(clock.at, calendar, clock)[1] == []


def test_a_tick_from_the_future_settles_nothing_early() -> None:
    calendar, clock = MemoryCalendar(), MovingClock(datetime(2026, 12, 8, tzinfo=UTC))
    service.schedule("ord_a", date(2026, 12, 8), calendar=calendar, clock=clock)

    _, settled = sweep(clock.at + timedelta(days=300), calendar, clock)

    assert settled == []


def test_a_sweep_without_time_left_is_continued_by_the_next() -> None:
    calendar, clock = MemoryCalendar(), MovingClock(datetime(2026, 12, 1, tzinfo=UTC))
    due = [f"ord_{number:03d}" for number in range(70)]
    for order_id in due:
        service.schedule(order_id, date(2026, 12, 1 + int(order_id[-3:]) // 30), calendar=calendar, clock=clock)
    clock.pass_days(30)

    first, one = sweep(clock.at, calendar, clock, orders=33)
    second, other = sweep(clock.at, calendar, clock)

    assert (first.finished, second.finished) == (False, True)
    assert one + other == due


def test_a_killed_sweep_repeats_at_most_the_last_few_orders() -> None:
    calendar, clock = MemoryCalendar(), MovingClock(datetime(2026, 12, 1, tzinfo=UTC))
    due = [f"ord_{number:03d}" for number in range(60)]
    for order_id in due:
        service.schedule(order_id, date(2026, 12, 2), calendar=calendar, clock=clock)
    clock.pass_days(30)
    seen: list[str] = []

    def settle_until_killed(order_id: str) -> bool:
        if len(seen) == 40:
            raise KeyboardInterrupt
        seen.append(order_id)
        return True

    with pytest.raises(KeyboardInterrupt):
        service.sweep(clock.at, settle_until_killed, calendar=calendar, clock=clock, time_left=lambda: True)
    _, again = sweep(clock.at, calendar, clock)

    assert again == due[25:]


def test_an_order_that_has_to_wait_comes_again_the_next_night() -> None:
    calendar, clock = MemoryCalendar(), MovingClock(datetime(2026, 12, 1, tzinfo=UTC))
    service.schedule("ord_a", date(2026, 12, 2), calendar=calendar, clock=clock)
    clock.at = datetime(2026, 12, 3, 16, 30, tzinfo=UTC)

    for _ in range(3):
        swept, _ = sweep(clock.at, calendar, clock, waits=frozenset({"ord_a"}))
        assert swept.waiting == 1
        clock.pass_days(1)
    _, settled = sweep(clock.at, calendar, clock)

    assert settled == ["ord_a"]


def test_orders_of_a_day_settle_by_receipt_then_payment() -> None:
    calendar, clock = MemoryCalendar(), MovingClock(datetime(2026, 12, 1, tzinfo=UTC))
    later = clock.at + timedelta(milliseconds=1)
    keys = [
        service.due_key("ord_a", received_at=later, paid_at=clock.at),
        service.due_key("ord_b", received_at=clock.at, paid_at=later),
        service.due_key("ord_c", received_at=clock.at, paid_at=clock.at),
    ]
    for key in keys:
        service.schedule(key, date(2026, 12, 2), calendar=calendar, clock=clock)
    clock.pass_days(2)

    assert sweep(clock.at, calendar, clock)[1] == ["ord_c", "ord_b", "ord_a"]


def test_an_order_whose_day_is_over_already_is_put_into_today() -> None:
    calendar, clock = MemoryCalendar(), MovingClock(datetime(2026, 12, 20, 4, tzinfo=UTC))
    calendar.save_progress(date(2026, 12, 19), "~")

    service.schedule("ord_a", date(2026, 12, 8), calendar=calendar, clock=clock)
    clock.pass_days(1)

    assert sweep(clock.at, calendar, clock)[1] == ["ord_a"]
