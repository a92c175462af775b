"""What the ledger's steps cost, in calls and capacity units, whatever the size of the network and of the shop."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cardstock.aws import tables as base
from cardstock.ledger import store as stored
from cardstock.ledger.accrual import accrue
from cardstock.ledger.claw_back import claw_back
from cardstock.ledger.model import Accrual
from cardstock.ledger.release import release, release_day, schedule_key, sweep
from infra.local.costs import Costs, Meter, attach, install, shape_of
from tests.house.cloud import Cloud, names_here, template
from tests.people.clock import TestClock
from tests.people.memory_ledger import accrual, credit

PEOPLE = tuple(f"mem_01kbfj4y5r9zq2x7vw3t8n6m4{letter}" for letter in "cde")


@pytest.fixture
def costs_of(cloud: Cloud) -> Iterator[Callable[[Callable[[], Any]], Costs]]:
    """Counts what a piece of work costs."""
    install()
    base.disconnect()
    names = names_here()

    def find(table: str, key: Any) -> Any:
        with attach(None):  # type: ignore[arg-type]  # looking is not counted
            return cloud.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")

    meter = Meter(find=find, shapes={names[table.name]: shape_of(table.definition) for table in template().tables})

    def measured(work: Callable[[], Any]) -> Costs:
        before = meter.costs
        with attach(meter):
            work()
        return meter.costs - before

    yield measured
    base.disconnect()


def paying(order_id: str) -> Accrual:
    """Three rewards with ids and amounts as long as they get."""
    kinds = ("direct", "team", "peer")
    return accrual(
        order_id, *(credit(kind, who, 9_999_999, base=9_999_999) for kind, who in zip(kinds, PEOPLE, strict=True))
    )


def test_each_step_for_three_people_is_one_transaction_of_ten_units(
    costs_of: Callable[[Callable[[], Any]], Costs], clock: TestClock
) -> None:
    books, order = stored.DynamoBooks(), paying("ord_01kbfj4y5r9zq2x7vw3t8n6m4f")
    taken = {"direct": 1, "team": 1, "peer": 1}

    accrued = costs_of(lambda: accrue(order, books=books))
    clawed = costs_of(lambda: claw_back("rfd_01kbfj4y5r9zq2x7vw3t8n6m4g", taken, order, books=books))  # type: ignore[arg-type]  # literal keys
    released = costs_of(lambda: release(order, books=books))

    assert (accrued.calls, accrued.wcu) == (1, 10)
    assert (clawed.calls, clawed.wcu, clawed.by_call["dynamodb:TransactWriteItems"]) == (2, 10, 1)
    assert (released.calls, released.wcu, released.by_call["dynamodb:TransactWriteItems"]) == (2, 10, 1)
    # A release is 3.33 units an entry.
    assert released.wcu <= 3.5 * len(order.credits)


def test_the_cost_does_not_grow_with_what_is_there(
    costs_of: Callable[[Callable[[], Any]], Costs], clock: TestClock
) -> None:
    books = stored.DynamoBooks()

    def live(order_id: str) -> list[tuple[int, float]]:
        order = paying(order_id)
        steps: list[Callable[[], Any]] = [
            lambda: accrue(order, books=books),
            lambda: claw_back(f"rfd_{order_id}", {"direct": 1}, order, books=books),
            lambda: release(order, books=books),
        ]
        measured = [costs_of(step) for step in steps]
        return [(cost.calls, cost.wcu) for cost in measured]

    first = live("ord_00")
    for number in range(1, 30):
        accrue(paying(f"ord_{number:02d}"), books=books)

    assert live("ord_99") == first


def test_an_order_is_put_into_its_day_for_one_unit(
    costs_of: Callable[[Callable[[], Any]], Costs], clock: TestClock
) -> None:
    calendar = stored.DynamoCalendar()
    day = release_day(clock.now(), 7)

    costs = [
        costs_of(lambda number=number: schedule_key(f"ord_{number}", day, calendar=calendar))  # type: ignore[misc]  # a lambda with a default
        for number in range(3)
    ]

    assert [(cost.calls, cost.wcu) for cost in costs] == [(2, 2), (1, 1), (1, 1)]


def test_a_night_of_fifty_orders_remembers_twice_how_far_it_came(
    costs_of: Callable[[Callable[[], Any]], Costs], clock: TestClock
) -> None:
    calendar = stored.DynamoCalendar()
    day = release_day(clock.now(), 7)
    for number in range(50):
        schedule_key(f"ord_{number:02d}", day, calendar=calendar)
    clock.move(days=9)

    cost = costs_of(lambda: sweep(clock.now(), lambda order_id: True, calendar=calendar, time_left=lambda: True))

    assert cost.wcu == 3
    assert cost.calls <= 6
