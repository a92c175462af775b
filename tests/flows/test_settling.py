"""A night in memory: what settles, what is held, what waits, and what a killed step leaves."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest

from cardstock.flows.dividends import Dividends
from cardstock.flows.rewarding import PlanRules
from cardstock.flows.settling import SettlingNeeds, schedule_release, settle_night, settle_order
from cardstock.ledger.accrual import accrue
from cardstock.network.model import Event
from cardstock.orders.model import Order, OrderLine, Receiver
from tests.people.clock import TestClock
from tests.people.memory_ledger import MemoryBooks, MemoryCalendar
from tests.people.memory_network import MemoryTeamSales
from tests.people.memory_orders import MemoryOrders
from tests.people.referrals import START, Referrals


class Checks:
    """Purchase checks with these orders on hold."""

    def __init__(self) -> None:
        self.held: set[str] = set()

    def open_hold(self, order: Order, accrual: Any) -> Any:
        return order.order_id if order.order_id in self.held else None


class Events:
    """Counts flushes, and fails the next one if `fails`."""

    def __init__(self) -> None:
        self.published: set[str] = set()
        self.fails = False

    def positions(self, moved: Sequence[Event]) -> None:
        self.published |= {event.id for event in moved}

    def flush(self) -> None:
        if self.fails:
            raise ConnectionError


class Shop:
    """Orders of a member whom a partner brought, all received and credited."""

    def __init__(self, *order_ids: str) -> None:
        self.referrals = Referrals()
        self.referrals.appoint("mem_r")
        self.referrals.bind("mem_a", "mem_r")
        self.orders, self.books, self.calendar = MemoryOrders(), MemoryBooks(), MemoryCalendar()
        self.checks, self.events = Checks(), Events()
        self.rules = PlanRules(self.referrals.plans)
        for order_id in order_ids:
            order = Order(
                order_id=order_id,
                member_id="mem_a",
                status="completed",
                lines=(OrderLine(1, "kit", "Kit", 1, 49_900, 49_900, "sup_1", qualifying=True, earns=True),),
                amount_fen=49_900,
                receiver=Receiver("王小明", "13800000000", "上海"),
                attribution=None,
                snapshot=self.referrals.place("mem_a").snapshot.to_compact(),
                placed_at=START,
                paid_at=START,
                received_at=START + timedelta(days=1),
            )
            self.orders.orders[order_id] = order
            accrue(self.rules.accrual(order), books=self.books)
            schedule_release(order, rules=self.rules, calendar=self.calendar)

    @property
    def needs(self) -> SettlingNeeds:
        plans = self.referrals.plans
        return SettlingNeeds(
            orders=self.orders,
            rules=self.rules,
            purchase_checks=cast(Any, self.checks),
            dividends=Dividends(MemoryTeamSales(), plans, self.books),
            books=self.books,
            calendar=self.calendar,
            network=self.referrals.network,
            plans=plans,
            events=self.events,
        )

    def night(self, after_days: int = 9) -> Any:
        now = self.referrals.clock.move(days=after_days)
        return settle_night(now, self.needs, time_left=lambda: True, on_failure=lambda _: None)


@pytest.fixture(autouse=True)
def still(clock: TestClock) -> TestClock:
    return clock


def test_a_night_releases_what_is_due_and_names_what_is_held() -> None:
    shop = Shop("ord_1", "ord_2")
    shop.checks.held.add("ord_2")

    night = shop.night()

    assert (night.settled, night.held, night.waiting, night.failed, night.finished) == (1, 1, 0, (), True)
    assert (shop.books.balance_of("mem_r").available, shop.books.balance_of("mem_r").frozen) == (30_000, 30_000)


def test_an_order_before_its_day_waits() -> None:
    shop = Shop("ord_1")

    assert settle_order("ord_1", shop.needs) == "waiting"
    assert shop.night(after_days=1).settled == 0
    assert shop.books.balance_of("mem_r").available == 0


def test_an_order_that_does_not_exist_fails_alone_and_comes_again() -> None:
    shop = Shop("ord_1", "ord_2")
    lost = shop.orders.orders.pop("ord_1")

    first = shop.night()
    shop.orders.orders["ord_1"] = lost
    second = shop.night(after_days=1)

    assert (first.settled, first.failed) == (1, ("ord_1",))
    assert (second.settled, second.failed) == (1, ())


def test_a_night_whose_events_were_not_taken_settles_once_and_publishes_again() -> None:
    shop = Shop("ord_1")
    shop.events.fails = True
    broken = shop.night()
    booked = dict(shop.books.transactions)
    shop.events.fails = False

    again = shop.night(after_days=1)

    assert (broken.failed, again.settled) == (("ord_1",), 1)
    assert shop.books.transactions == booked
