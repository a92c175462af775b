"""Sales by day: summed from the orders, and stored every night until nothing of the day can change any more."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock.clock import brand_day
from cardstock.orders.model import Order, OrderLine
from cardstock.orders.ports import OrderDays, Sales
from cardstock.orders.refund_model import Refund
from cardstock.orders.sales_model import TOTAL, SalesOfDay, SalesSum

MOST_DAYS: Final = 31
"""Days of one reading, and days back that the nightly run stores."""
SUMMED_ON_READING: Final = 3
"""Days that one reading sums from the orders: today, yesterday until the night has closed it, and one more."""


class SalesByDay(msgspec.Struct, frozen=True):
    """Sales of days, oldest first. `unsummed` days are stored by the next nightly run."""

    days: tuple[SalesOfDay, ...]
    unsummed: tuple[date, ...]


class StoredDays(msgspec.Struct, frozen=True):
    """Numbers of a nightly run: days that are `closed` now, days `open` because an order still waits for its payment,
    which the next night sums again, and days `left` for want of time."""

    closed: int
    open: int
    left: int


def sum_day(day: date, *, orders: OrderDays) -> tuple[SalesOfDay, ...]:
    """The sales of a day: the total first, then each supplier with a part of it.

    Reads every order placed on the day, and those that were paid or refunded on it.
    """
    placed, paid, refunded = (defaultdict[str, SalesSum](SalesSum) for _ in range(3))
    for order in orders.placed_on(day):
        _add(placed, _of_order(order))
        if order.paid_at is not None and brand_day(order.paid_at) == day:
            _add(paid, _of_order(order))
    for order in orders.paid_later_on(day):
        _add(paid, _of_order(order))
    for refund, order in orders.refunded_on(day):
        if refund.part_of_order:
            _add(refunded, _of_refund(refund, order))
    suppliers = sorted({*placed, *paid, *refunded} - {TOTAL})
    return tuple(SalesOfDay(day, of, placed[of], paid[of], refunded[of]) for of in (TOTAL, *suppliers))


def read_sales(of: str, since: date, until: date, now: datetime, *, sales: Sales, orders: OrderDays) -> SalesByDay:
    """The sales of the days from `since` to `until`, at most until today: of all (`TOTAL`) or of one supplier.

    Closed days cost one read. Of the others the newest `SUMMED_ON_READING` are summed from their orders now; older
    ones are as the last night has summed them.
    """
    wanted = _days(since, min(until, brand_day(now)))
    totals = {each.day: each for each in sales.days_of(TOTAL, since, until)}
    stored = totals if of == TOTAL else {each.day: each for each in sales.days_of(of, since, until)}
    found = {day: stored.get(day, SalesOfDay(day, of, closed=total.closed)) for day, total in totals.items()}
    for day in [each for each in wanted if each not in found or not found[each].closed][-SUMMED_ON_READING:]:
        summed = {each.of: each for each in sum_day(day, orders=orders)}
        found[day] = summed.get(of, SalesOfDay(day, of))
    return SalesByDay(
        tuple(found[day] for day in wanted if day in found), tuple(day for day in wanted if day not in found)
    )


def store_days(now: datetime, *, sales: Sales, orders: OrderDays, time_left: Callable[[], bool]) -> StoredDays:
    """Store the days of the last `MOST_DAYS` that are over and not closed, oldest first. Safe to repeat.

    A day with an order that still waits for its payment stays open: the payment could lie on that day.
    """
    last = brand_day(now) - timedelta(days=1)
    first = last - timedelta(days=MOST_DAYS - 1)
    closed = {each.day for each in sales.days_of(TOTAL, first, last) if each.closed}
    missing = [day for day in _days(first, last) if day not in closed]
    waits = orders.oldest_waiting()
    done = []
    for day in missing:
        if not time_left():
            break
        done.append(_store_day(day, waits, sales, orders))
    return StoredDays(sum(done), len(done) - sum(done), len(missing) - len(done))


def store_again(since: date, now: datetime, *, sales: Sales, orders: OrderDays) -> int:
    """Store the days from `since` on that are over, in place of what is stored; their number. For orders that have come
    into their lists later. Safe to repeat."""
    days = _days(since, brand_day(now) - timedelta(days=1))
    waits = orders.oldest_waiting()
    for day in days:
        _store_day(day, waits, sales, orders)
    return len(days)


def _store_day(day: date, waits: date | None, sales: Sales, orders: OrderDays) -> bool:
    """`waits` is the oldest day with an order that waits, read before the day's orders: later none starts to wait."""
    closed = waits is None or day < waits
    sales.store_day([replace(each, closed=closed) for each in sum_day(day, orders=orders)])
    return closed


def _days(since: date, until: date) -> list[date]:
    return [since + timedelta(days=number) for number in range((until - since).days + 1)]


def _add(sums: dict[str, SalesSum], parts: Iterable[tuple[str, SalesSum]]) -> None:
    for of, part in parts:
        sums[of] += part


def _of_order(order: Order) -> Iterable[tuple[str, SalesSum]]:
    yield TOTAL, _lines(order.lines, order.freight_fen)
    for supplier_id in order.supplier_ids:
        yield supplier_id, _lines([line for line in order.lines if line.supplier_id == supplier_id])


def _lines(lines: Sequence[OrderLine], freight: int = 0) -> SalesSum:
    return SalesSum(1, sum(line.units for line in lines), sum(line.net_fen for line in lines), freight)


def _of_refund(refund: Refund, order: Order) -> Iterable[tuple[str, SalesSum]]:
    yield TOTAL, SalesSum(1, sum(line.units for line in refund.lines), refund.goods_fen, refund.freight_fen)
    supplier_of = {line.line_no: line.supplier_id for line in order.lines}
    for supplier_id in sorted({supplier_of[line.line_no] for line in refund.lines}):
        own = [line for line in refund.lines if supplier_of[line.line_no] == supplier_id]
        yield supplier_id, SalesSum(1, sum(line.units for line in own), sum(line.amount_fen for line in own))
