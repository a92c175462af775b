"""Releasing a settled order's rewards. Orders are listed by release day; a nightly sweep settles whole days."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.clock import brand_day
from cardstock.ledger.accrual import Step, change_rewards
from cardstock.ledger.model import (
    Accrual,
    LedgerTransaction,
    OrderRewards,
    Posting,
    account,
    milliseconds,
    nonzero,
    transaction_id,
)
from cardstock.ledger.ports import Booked, Books, Calendar

_REMEMBERED_EVERY: Final = 25
"""Orders between two writes of the progress: an interrupted sweep repeats at most this many."""
_DAY_IS_DONE: Final = "~"
"""Sorts after every `due_key`."""


def release(accrual: Accrual, *, books: Books) -> Booked:
    """Make available what refunds have left of an order's rewards. The caller has checked that the order has settled.

    Credits the order first if that is missing. One call after the read, 10 WCU for three people. Raises
    `UnavailableError` if the outcome is unknown: repeat it.
    """

    def decide(rewards: OrderRewards) -> Step | None:
        return None if rewards.state == "available" else release_step(rewards)

    return change_rewards(accrual, decide, books)


def release_step(rewards: OrderRewards) -> Step:
    """The transaction that releases an order's rewards, and the row after it."""
    now = clock.now()
    postings = []
    for credit in rewards.credits:
        rest = rewards.rest(credit)
        postings.append(Posting(account(credit.member_id, "frozen"), -rest, credit.reward))
        postings.append(Posting(account(credit.member_id, "available"), rest, credit.reward))
    transaction = LedgerTransaction(
        id=transaction_id("released", rewards.order_id),
        kind="released",
        cause=rewards.order_id,
        order_id=rewards.order_id,
        at=now,
        postings=nonzero(*postings),
        plan=rewards.plan,
    )
    return transaction, replace(rewards, state="available", released_at=now, version=rewards.version + 1)


def release_day(received_at: datetime, days: int) -> date:
    """The brand's day at whose end an order is released: `days` after its receipt."""
    return brand_day(received_at + timedelta(days=days))


def due_key(order_id: str, received_at: datetime, paid_at: datetime) -> str:
    """An order's sort key in its day: by receipt, then payment."""
    return f"{milliseconds(received_at)}#{milliseconds(paid_at)}#{order_id}"


def schedule_release(order_id: str, received_at: datetime, paid_at: datetime, days: int, *, calendar: Calendar) -> None:
    """Schedule an order's release at the end of its release day, `days` after its receipt; a repeat changes nothing."""
    schedule_key(due_key(order_id, received_at, paid_at), release_day(received_at, days), calendar=calendar)


def schedule_key(key: str, day: date, *, calendar: Calendar) -> None:
    """Add an order (its `due_key`) to `day`, or to today if that day is over, because its sweep has ended.

    The sweep of a day starts half an hour after its end, when every call that began on that day has ended.
    """
    calendar.schedule_order(max(day, brand_day(clock.now())), key)


class SweepResult(msgspec.Struct, frozen=True):
    """Number of orders that a sweep settled, and moved to the next day (`waiting`). Not `finished`: its time was up,
    and the next sweep continues."""

    settled: int
    waiting: int
    finished: bool


def sweep(
    until: datetime, settle: Callable[[str], bool], *, calendar: Calendar, time_left: Callable[[], bool]
) -> SweepResult:
    """Settle the orders of all days that ended before `until` (never later than now), from the stored progress, each
    day's by receipt, then payment.

    `settle` settles one order; False moves it to the next night. An interrupted sweep repeats at most the last few
    orders, so `settle` must be safe to repeat.
    """
    end = brand_day(min(until, clock.now()))
    reached, last = calendar.sweep_progress() or (None, "")
    settled = waiting = 0
    for day in calendar.days_with_orders(since=reached, before=end):
        done = last if day == reached else ""
        for key in calendar.keys_of_day(day, done):
            if not time_left():
                calendar.save_sweep_progress(day, done)
                return SweepResult(settled, waiting, finished=False)
            if settle(key.rpartition("#")[2]):
                settled += 1
            else:
                waiting += 1
                schedule_key(key, end, calendar=calendar)
            done = key
            if (settled + waiting) % _REMEMBERED_EVERY == 0:
                calendar.save_sweep_progress(day, done)
        calendar.save_sweep_progress(day, _DAY_IS_DONE)
    return SweepResult(settled, waiting, finished=True)
