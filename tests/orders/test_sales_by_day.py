"""Orders by day, and the sales of days: on stores in memory and in DynamoDB, in random lives of a store.

Whatever happened, and whenever the night came, the sales of a day are the sums over the orders and refunds.
"""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.catalog.model import Variant
from cardstock.clock import brand_day
from cardstock.errors import CardstockError
from cardstock.ids import RequestKey, new_id
from cardstock.orders import payment, refund_ends, refunds, sales
from cardstock.orders.change_model import Step
from cardstock.orders.days_store import DynamoOrderDays, DynamoSales
from cardstock.orders.model import Order, OrderLine, Receiver, RequestedUnits
from cardstock.orders.payment_model import PaymentNotice
from cardstock.orders.ports import OrderDays, Orders, Sales
from cardstock.orders.refund_model import Refund
from cardstock.orders.sales_model import TOTAL, SalesOfDay, SalesSum
from cardstock.orders.steps import close_step
from cardstock.orders.store import DynamoOrders, every_order, every_refund
from tests.house.cloud import Cloud
from tests.people.clock import TestClock, clock_at
from tests.people.goods import Goods, publish_goods
from tests.people.marks import MARKER
from tests.people.memory_orders import MemoryOrderDays, MemoryOrders, MemorySales

CONTRACT = {OrderDays: (MemoryOrderDays, DynamoOrderDays), Sales: (MemorySales, DynamoSales)}

START = datetime(2026, 11, 30, 10, tzinfo=UTC)  # six in the evening in China
SUPPLIERS = {"lamp": "sup_a", "cup": "sup_b", "jar": "sup_a"}


class Shop:
    """Orders and sales in one kind of store, and what happens to them at random."""

    def __init__(self, kind: str, clock: TestClock, seed: int) -> None:
        self.kind, self.clock, self.chance = kind, clock, random.Random(seed)
        self.orders: Orders
        self.days: OrderDays
        self.sales: Sales
        goods = [Goods(sku, sku, supplier, 100, True, True, True, 10**6) for sku, supplier in SUPPLIERS.items()]
        clock.set(START)
        if kind == "memory":
            made = MemoryOrders(
                [
                    Variant(one.sku, one.name, one.supplier_id, 100, True, True, True, 10**6, 0, -1, START)
                    for one in goods
                ]
            )
            self.orders, self.days, self.sales = made, MemoryOrderDays(made), MemorySales()
        else:
            publish_goods(goods, START)
            self.orders, self.days, self.sales = DynamoOrders(MARKER), DynamoOrderDays(), DynamoSales()
        self.ids: list[str] = []
        self._count = 0

    def place(self) -> str:
        """An order of random lines."""
        now = self.clock.now()
        skus = self.chance.sample(sorted(SUPPLIERS), self.chance.randint(1, 3))
        lines = tuple(
            OrderLine(number, sku, sku, units, 100, units * 100 - 7, SUPPLIERS[sku], True, True)
            for number, sku in enumerate(skus, 1)
            for units in (self.chance.randint(1, 3),)
        )
        freight = self.chance.choice((0, 800))
        order = Order(
            order_id=new_id("ord", now), member_id=f"mem_{self.chance.randint(0, 1)}", status="placed", lines=lines,
            amount_fen=sum(each.net_fen for each in lines) + freight, receiver=Receiver("a", "1", "b"),
            attribution=None, snapshot={}, placed_at=now,
        )  # fmt: skip
        assert self.orders.add_order(order, self._request()) is None
        self.ids.append(order.order_id)
        return order.order_id

    def pay(self) -> None:
        """The channel reports a payment, perhaps long after it was made; perhaps a second one."""
        order = self._some()
        if order is not None:
            late = timedelta(hours=self.chance.choice((0, 0, 1, 7, 30, 60)))
            number = f"t{self.chance.randint(0, 1)}"
            notice = PaymentNotice("sandbox", order.order_id, number, order.amount_fen, "CNY", self.clock.now() - late)
            payment.record_payment(notice, orders=self.orders)

    def close(self) -> None:
        """An order that waits expires."""
        order = self._some()
        if order is not None and order.status == "placed":
            assert self.orders.store_step(close_step(order, "expired", self.clock.now()))

    def ask_back(self) -> None:
        """Units, or an amount without units, are refunded later."""
        order = self._some()
        if order is not None and order.is_paid:
            try:
                if self.chance.random() < 0.5:
                    wanted = [RequestedUnits(order.lines[0].sku, 1)]
                    refunds.accept_return("s", order.order_id, wanted, "r", self._request(), orders=self.orders)
                else:
                    refunds.grant_goodwill("s", order.order_id, 13, "r", self._request(), orders=self.orders)
            except CardstockError:  # nothing is left of the order
                return

    def give_back(self) -> None:
        """The channel has sent the money of a refund, perhaps of a stray payment."""
        if waiting := sorted(self.orders.open_refunds()):
            refund_ends.complete_refund(*self.chance.choice(waiting), orders=self.orders)

    def night(self) -> None:
        """The nightly run, which may have no time for all days."""
        most = self.chance.choice((1, 99))
        time_left = iter([True] * most + [False] * 99)
        sales.store_days(self.clock.now(), sales=self.sales, orders=self.days, time_left=lambda: next(time_left))

    def live(self, steps: int) -> None:
        """So many things happen, with hours between some of them."""
        happenings = [self.place] * 5 + [self.pay] * 6 + [self.close] * 2 + [self.ask_back] * 3
        happenings += [self.give_back] * 3 + [self.night] * 4
        for _ in range(steps):
            self.clock.move(hours=self.chance.choice((0, 0, 0, 1, 5, 20)), seconds=1)
            self.chance.choice(happenings)()

    def all_orders(self) -> list[Order]:
        return list(self.orders.orders.values() if isinstance(self.orders, MemoryOrders) else every_order())

    def all_refunds(self) -> list[Refund]:
        return list(self.orders.refunds.values() if isinstance(self.orders, MemoryOrders) else every_refund())

    def _some(self) -> Order | None:
        return self.orders.find_order(self.chance.choice(self.ids)) if self.ids else None

    def _request(self) -> RequestKey:
        self._count += 1
        return RequestKey(f"req_{self._count}", "f")


def expected(store: Shop, day: date, of: str) -> SalesOfDay:
    """The sales of a day, from the fields of all orders and refunds alone."""
    orders = {order.order_id: order for order in store.all_orders()}

    def mine(supplier_id: str) -> bool:
        return of in (TOTAL, supplier_id)

    def together(found: Iterable[Order]) -> SalesSum:
        own = [(order, [one for one in order.lines if mine(one.supplier_id)]) for order in found]
        own = [(order, lines) for order, lines in own if lines]
        return SalesSum(
            len(own),
            sum(one.units for _, lines in own for one in lines),
            sum(one.net_fen for _, lines in own for one in lines),
            sum(order.amount_fen - order.goods_fen for order, _ in own) if of == TOTAL else 0,
        )

    back = [
        (each, [one for one in each.lines if mine(SUPPLIERS[one.sku])])
        for each in store.all_refunds()
        if each.kind != "stray" and each.succeeded_at is not None and brand_day(each.succeeded_at) == day
    ]
    back = [(each, lines) for each, lines in back if lines]
    goods = sum(one.amount_fen for _, lines in back for one in lines)
    return SalesOfDay(
        day,
        of,
        together(order for order in orders.values() if brand_day(order.placed_at) == day),
        together(each for each in orders.values() if each.paid_at is not None and brand_day(each.paid_at) == day),
        SalesSum(
            len(back),
            sum(one.units for _, lines in back for one in lines),
            goods,
            sum(each.amount_fen for each, _ in back) - goods if of == TOTAL else 0,
        ),
    )


def wrong_days(store: Shop) -> list[tuple[date, str]]:
    """The days whose sales as they are read now are not the sums over the orders: closed ones, and the newest three of
    the others."""
    today = brand_day(store.clock.now())
    since = today - timedelta(days=30)
    wrong = []
    for of in (TOTAL, "sup_a", "sup_b", "sup_none"):
        found = sales.read_sales(of, since, today, store.clock.now(), sales=store.sales, orders=store.days)
        exact = [each for each in found.days if each.closed] + [each for each in found.days if not each.closed][-3:]
        wrong += [(each.day, of) for each in exact if replace(each, closed=False) != expected(store, each.day, of)]
        assert len(found.days) + len(found.unsummed) == 31
    return wrong


def wrong_stored(store: Shop, *, closed_alone: bool) -> list[tuple[date, str]]:
    """The stored days that are not the sums over the orders."""
    since, until = date(2026, 1, 1), date(2027, 12, 31)
    stored = [each for of in (TOTAL, "sup_a", "sup_b") for each in store.sales.days_of(of, since, until)]
    return [
        (each.day, each.of)
        for each in stored
        if each.closed >= closed_alone and replace(each, closed=False) != expected(store, each.day, each.of)
    ]


def lived_right(store: Shop) -> None:
    """What is read, and what is closed, is right at any time; all that is stored is right after a night."""
    assert wrong_days(store) == wrong_stored(store, closed_alone=True) == []
    night(store)
    recent = brand_day(store.clock.now()) - timedelta(days=31)
    assert [key for key in wrong_stored(store, closed_alone=False) if key[0] >= recent] == []


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 120))
def test_the_sales_of_a_day_are_the_sums_over_its_orders_whenever_the_night_came(seed: int, steps: int) -> None:
    with clock_at(START) as clock:
        store = Shop("memory", clock, seed)
        store.live(steps)

        lived_right(store)


@pytest.mark.parametrize("seed", [0, 1])
def test_they_are_in_the_tables_too(seed: int, cloud: Cloud, clock: TestClock) -> None:
    store = Shop("dynamodb", clock, seed)
    store.live(120)

    lived_right(store)

    assert len(cloud.items("orders")) > 20
    assert any(refund.succeeded_at for refund in store.all_refunds())


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest, clock: TestClock) -> Shop:
    if request.param == "dynamodb":
        request.getfixturevalue("cloud")
    return Shop(request.param, clock, 1)


def pay_at(store: Shop, order_id: str, paid_at: datetime) -> None:
    order = store.orders.find_order(order_id)
    assert order is not None
    notice = PaymentNotice("sandbox", order_id, "t", order.amount_fen, "CNY", paid_at)
    assert payment.record_payment(notice, orders=store.orders) == "paid"


def read(store: Shop, since: date, until: date) -> sales.SalesByDay:
    return sales.read_sales(TOTAL, since, until, store.clock.now(), sales=store.sales, orders=store.days)


def night(store: Shop) -> sales.StoredDays:
    return sales.store_days(store.clock.now(), sales=store.sales, orders=store.days, time_left=lambda: True)


MONDAY, TUESDAY = date(2026, 11, 30), date(2026, 12, 1)


def test_the_day_ends_at_midnight_in_china(store: Shop) -> None:
    store.clock.set(datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC))
    first = store.place()
    store.clock.move(seconds=1)
    second = store.place()

    assert [[order.order_id for order in store.days.placed_on(day)] for day in (MONDAY, TUESDAY)] == [[first], [second]]
    assert [store.days.newest_orders(day, 5, None)[0][0].order_id for day in (MONDAY, TUESDAY)] == [first, second]


def test_a_payment_after_midnight_counts_on_its_own_day_and_once(store: Shop) -> None:
    store.clock.set(datetime(2026, 11, 30, 15, 50, tzinfo=UTC))
    order_id = store.place()
    store.clock.move(minutes=20)
    pay_at(store, order_id, store.clock.now())
    found = read(store, MONDAY, TUESDAY).days

    assert [(each.placed.count, each.paid.count) for each in found] == [(1, 0), (0, 1)]
    assert [order.order_id for order in store.days.paid_later_on(TUESDAY)] == [order_id]
    assert list(store.days.paid_later_on(MONDAY)) == []


def test_a_day_is_closed_once_none_of_its_orders_waits(store: Shop) -> None:
    store.clock.set(datetime(2026, 11, 30, 15, 50, tzinfo=UTC))
    order_id = store.place()
    store.clock.move(minutes=55)
    waits = night(store)
    open_day = read(store, MONDAY, MONDAY).days[0]
    pay_at(store, order_id, datetime(2026, 11, 30, 15, 55, tzinfo=UTC))
    closed, again = night(store), night(store)
    found = read(store, MONDAY, TUESDAY).days

    assert (waits, closed, again) == (sales.StoredDays(30, 1, 0), sales.StoredDays(1, 0, 0), sales.StoredDays(0, 0, 0))
    assert (open_day.closed, open_day.placed.count, open_day.paid.count) == (False, 1, 0)
    assert [(each.closed, each.placed.count, each.paid.count) for each in found] == [(True, 1, 1), (False, 0, 0)]


def test_an_order_that_waits_for_long_keeps_later_days_open_and_readable(store: Shop) -> None:
    stuck = store.place()
    for _ in range(6):
        store.clock.move(days=1)
        store.place()
        night(store)
    before = read(store, MONDAY, MONDAY + timedelta(days=6))
    pay_at(store, stuck, START + timedelta(hours=1))
    store.clock.move(days=1)

    assert [(each.closed, each.placed.count) for each in before.days] == [(False, 1)] * 7
    assert before.unsummed == ()
    assert night(store) == sales.StoredDays(1, 6, 0)
    assert read(store, MONDAY, MONDAY).days[0].paid.count == 1


def test_a_run_without_time_goes_on_in_the_next_night(store: Shop) -> None:
    time_left = iter([True, True, False])
    first = sales.store_days(store.clock.now(), sales=store.sales, orders=store.days, time_left=lambda: next(time_left))

    assert first == sales.StoredDays(2, 0, 29)
    assert night(store) == sales.StoredDays(29, 0, 0)


def test_a_reading_sums_three_days_at_most_and_names_the_others(store: Shop) -> None:
    store.place()
    found = read(store, MONDAY - timedelta(days=5), TUESDAY)

    assert [each.day for each in found.days] == [MONDAY - timedelta(days=2), MONDAY - timedelta(days=1), MONDAY]
    assert found.unsummed == tuple(MONDAY - timedelta(days=number) for number in (5, 4, 3))
    assert found.days[-1].placed.count == 1


def test_stored_sales_come_back_and_a_day_can_be_stored_again(store: Shop) -> None:
    total = SalesOfDay(MONDAY, TOTAL, SalesSum(1, 2, 300, 40), SalesSum(5, 6, 70, 8), SalesSum(9, 1, 2, 3), True)
    own = replace(total, of="sup_a", placed=SalesSum(1, 1, 100))
    store.sales.store_day([replace(total, paid=SalesSum(), closed=False), own])
    store.sales.store_day([total, own])

    assert store.sales.days_of(TOTAL, MONDAY, TUESDAY) == [total]
    assert store.sales.days_of("sup_a", MONDAY, MONDAY) == [own]
    assert store.sales.days_of("sup_b", MONDAY, MONDAY) == store.sales.days_of(TOTAL, TUESDAY, TUESDAY) == []


def test_a_refund_is_on_the_day_on_which_it_succeeded(store: Shop) -> None:
    order_id = store.place()
    pay_at(store, order_id, store.clock.now())
    made = refunds.grant_goodwill("s", order_id, 5, "r", RequestKey("req_r", "f"), orders=store.orders)
    before = list(store.days.refunded_on(MONDAY))
    store.clock.move(hours=10)
    done = refund_ends.complete_refund(order_id, made.refund.refund_id, orders=store.orders)

    assert before == list(store.days.refunded_on(MONDAY)) == []
    assert list(store.days.refunded_on(TUESDAY)) == [(done, store.orders.find_order(order_id))]


def test_a_refused_refund_counts_when_it_is_paid_another_way_and_never_when_it_is_given_up(store: Shop) -> None:
    order_id = store.place()
    pay_at(store, order_id, store.clock.now())
    made = [
        refunds.grant_goodwill("s", order_id, fen, "r", RequestKey(f"req_{fen}", "f"), orders=store.orders).refund
        for fen in (5, 9)
    ]
    refused = [replace(each, status="refused", refused_at=store.clock.now(), version=2) for each in made]
    assert store.orders.store_step(Step(refunds=tuple(refused)))
    store.clock.move(hours=10)
    now = store.clock.now()
    paid = replace(refused[0], status="succeeded", succeeded_at=now, paid_another_way=True, version=3)
    given_up = replace(refused[1], status="given_up", given_up_at=now, version=3)
    assert store.orders.store_step(Step(refunds=(paid, given_up)))
    found = read(store, MONDAY, TUESDAY).days

    assert [(each.refunded.count, each.refunded.goods_fen) for each in found] == [(0, 0), (1, 5)]


def test_the_orders_of_a_day_are_paged_newest_first(store: Shop) -> None:
    ids = []
    for _ in range(9):
        store.clock.move(seconds=1)
        ids.append(store.place())
    found, after = [], None
    while True:
        page, after = store.days.newest_orders(MONDAY, 4, after)
        found += [order.order_id for order in page]
        if after is None:
            break

    assert found == ids[::-1]
    assert store.days.newest_orders(TUESDAY, 4, None) == ([], None)
    assert store.days.newest_orders(MONDAY, 9, None)[1] is None


def test_a_later_change_of_an_order_leaves_its_day(store: Shop) -> None:
    order_id = store.place()
    order = store.orders.find_order(order_id)
    assert order is not None
    store.clock.move(days=3)
    store.orders.store_step(Step(orders=(replace(order, status="cancelled", closed_at=START, version=2),)))

    assert [each.order_id for each in store.days.placed_on(MONDAY)] == [order_id]
