"""Money that a channel takes is booked, refunded or an open item, whatever happens around the closing of its order."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynamodb.exceptions import PynamoDBException

from cardstock.catalog.model import Variant
from cardstock.clock import SystemClock, set_clock
from cardstock.edge.signatures import sign, verify
from cardstock.errors import CardstockError, ConflictError, UnavailableError
from cardstock.ids import RequestKey
from cardstock.open_items.store import every_item
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.change_model import Step
from cardstock.orders.channels.sandbox import SandboxChannel
from cardstock.orders.model import NO_FREIGHT, Order, Receiver, RequestedUnits
from cardstock.orders.payment import end_payment, expire_due, record_payment
from cardstock.orders.payment_model import PaymentNotice
from cardstock.orders.placement import QuoteNeeds, cancel_order, make_quote, place_order
from cardstock.orders.ports import PaymentChannel
from cardstock.orders.refund_ends import finish_refunds
from cardstock.orders.store import every_refund
from infra.local.sandbox import Sandbox, SandboxError
from tests.house import faults
from tests.house.interleave import every_way
from tests.people.buyers import BUYER
from tests.people.clock import START, TestClock
from tests.people.memory_orders import MemoryChannel, MemoryCoupons, MemoryNetwork, MemoryOrders
from tests.people.shop import Shop

KEY = "c2FuZGJveC1rZXktZm9yLXRlc3Rz"
STOCK = 50


# --- in memory, at random ---


class BusyOrders(MemoryOrders):
    """A store that may be killed before or after a step, or lose a race to nobody."""

    def __init__(self, product: Variant) -> None:
        super().__init__([product])
        self.fault = ""

    def store_step(self, step: Step) -> bool:
        fault, self.fault = self.fault, ""
        if fault == "kill_before":
            raise faults.Killed
        # Without an order in it, a step is only refused if what it makes exists.
        stored = not (fault == "conflict" and step.orders) and super().store_step(step)
        if fault == "kill_after":
            raise faults.Killed
        return stored


class World:
    """One order, its channel and its buyer."""

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.orders = BusyOrders(Variant("a", "A", "sup_a", 1_000, True, True, True, STOCK, 0, -1, START))
        self.company = Sandbox(tell=self._tell, key=lambda: KEY, now=clock.now)
        self.channels: dict[str, PaymentChannel] = {
            "sandbox": SandboxChannel(
                "http://pay.test",
                verify=lambda headers, raw: verify([KEY], headers, raw, clock.now()),
                sign=lambda message_id, body: sign(KEY, message_id, clock.now(), body),
                transport=httpx.MockTransport(self._answer),
            ),
        }
        self.notices: list[tuple[bytes, dict[str, str]]] = []
        self.fault = ""
        needs = QuoteNeeds(self.orders, MemoryNetwork(), NO_FREIGHT, MemoryCoupons)
        quote = make_quote(needs, BUYER, [RequestedUnits("a", 3)], None)
        request = RequestKey("req_1", "f")
        placed = place_order(
            BUYER, quote, Receiver("n", "1", "a"), request, orders=self.orders, network=MemoryNetwork()
        )
        self.order_id = placed.order.order_id

    @property
    def order(self) -> Order:
        return self.orders.orders[self.order_id]

    def _tell(self, body: bytes, headers: Any) -> int | None:
        self.notices.append((body, dict(headers)))
        return None

    def _answer(self, request: httpx.Request) -> httpx.Response:
        fault, self.fault = self.fault, ""
        if fault == "kill_before":
            raise faults.Killed
        if fault == "lose_request":
            raise httpx.ConnectTimeout("late", request=request)
        if fault == "pay_before":
            self.pay()
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, sent, content = self.company.answer(
            request.method, request.url.raw_path.decode(), headers, request.content
        )
        if fault == "pay_after":
            self.pay()
        if fault == "kill_after":
            raise faults.Killed
        if fault == "lose_answer":
            raise httpx.ReadTimeout("late", request=request)
        return httpx.Response(status, headers=sent, content=content)

    # What happens

    def pay(self) -> None:
        self.company.payment_status = "succeeded"
        with suppress(SandboxError):
            self.company.pay(self.order_id, self.order.amount_fen)

    def pay_wrongly(self) -> None:
        with suppress(SandboxError):
            self.company.pay(self.order_id, 7)

    def pay_in_dollars(self) -> None:
        if self.order_id not in self.company.payments:
            self.company.pay(self.order_id, self.order.amount_fen, notify=False)
            self.company.payments[self.order_id]["currency"] = "USD"
            self.company.notify(self.order_id)

    def begin_to_pay(self) -> None:
        self.company.payment_status = "processing"
        with suppress(SandboxError):
            self.company.pay(self.order_id, self.order.amount_fen)
        self.company.payment_status = "succeeded"

    def fail_to_pay(self) -> None:
        self.company.payment_status = "failed"
        if self.order_id in self.company.payments:
            with suppress(SandboxError):
                self.company.pay(self.order_id, self.company.payments[self.order_id].get("amount_fen", 1))
        self.company.payment_status = "succeeded"

    def notice_arrives(self) -> None:
        if self.notices:
            body, _ = self.notices[-1]
            found = self.channels["sandbox"].read_notice(sign(KEY, "msg_1", self.clock.now(), body), body)
            assert isinstance(found, PaymentNotice)
            record_payment(found, orders=self.orders)

    def notice_is_lost(self) -> None:
        self.notices.clear()

    def cancel(self, fault: str) -> None:
        self._set(fault)
        cancel_order(BUYER, self.order_id, orders=self.orders, channels=self.channels)

    def sweep(self, fault: str) -> None:
        self._set(fault)
        at = max(self.clock.now(), self.order.expires_at + timedelta(seconds=1))
        self.clock.set(at)
        expire_due(at, orders=self.orders, channels=self.channels, time_left=lambda: True)
        finish_refunds(orders=self.orders, channels=self.channels, time_left=lambda: True)

    def _set(self, fault: str) -> None:
        """What goes wrong next: at a call of the channel or at a step of the store."""
        where, _, how = fault.partition(" ")
        self.fault = how if where == "channel" else ""
        self.orders.fault = how if where == "store" else ""

    def a_day_passes(self) -> None:
        self.clock.move(hours=24)

    def end(self) -> None:
        """Nobody does anything new; what was begun ends, and the channel answers."""
        if self.company.payments.get(self.order_id, {}).get("status") == "processing":
            self.pay()
        self.notice_is_lost()
        for _ in range(3):
            self.sweep("")

    def taken(self) -> int:
        """What the channel has taken and not given back, in fen."""
        payment = self.company.payments.get(self.order_id, {})
        taken = int(payment["amount_fen"]) if payment.get("status") == "succeeded" else 0
        return taken - sum(
            int(refund["amount_fen"]) for refund in self.company.refunds.values() if refund["status"] == "succeeded"
        )


FAULTS = (
    "", "channel lose_request", "channel lose_answer", "channel kill_before", "channel kill_after",
    "channel pay_before", "channel pay_after", "store kill_before", "store kill_after", "store conflict",
)  # fmt: skip
BUYING = (
    "pay", "pay_wrongly", "pay_in_dollars", "begin_to_pay", "fail_to_pay", "notice_arrives", "notice_is_lost",
    "a_day_passes",
)  # fmt: skip
THINGS = [(name,) for name in BUYING] + [(name, fault) for name in ("sweep", "cancel") for fault in FAULTS]


@pytest.fixture(autouse=True)
def restored_clock() -> Iterator[None]:
    """The clock that each example sets is put back."""
    yield
    set_clock(SystemClock())


def lived(things: Sequence[tuple[str, ...]]) -> World:
    clock = TestClock()
    set_clock(clock)
    world = World(clock)
    for name, *how in things:
        clock.move(seconds=1)
        with suppress(CardstockError, faults.Killed):
            getattr(world, name)(*how)
        check_stock(world)
    return world


def check_stock(world: World) -> None:
    """Units are for sale exactly if no payment can buy them any more."""
    released = world.order.status in ("cancelled", "expired")
    product = world.orders.products["a"]

    assert (product.stock, product.held) == ((STOCK, 0) if released else (STOCK - 3, 3))
    if released:  # the channel has ended it before
        assert world.company.payments[world.order_id]["status"] in ("closed", "succeeded")


def check_life(things: Sequence[tuple[str, ...]]) -> None:
    world = lived(things)
    world.end()
    check_stock(world)
    kept = world.order.amount_fen if world.order.is_paid else 0
    strays = [refund for refund in world.orders.refunds.values() if refund.kind == "stray"]
    items = [finding for finding in world.orders.findings.values() if finding.kind != "payment_undecided"]

    assert world.taken() == kept + sum(finding.amount_fen for finding in items)
    assert world.order.status in ("paid", "cancelled", "expired")
    assert all(refund.status == "succeeded" for refund in strays)
    assert {(finding.kind, finding.currency) for finding in items} <= {("payment_mismatch", "USD")}


@pytest.mark.parametrize("first", THINGS, ids=" ".join)
def test_every_two_things_that_happen_leave_money_and_stock_in_order(first: tuple[str, ...]) -> None:
    for second in THINGS:
        check_life([first, second])


@given(st.lists(st.sampled_from(THINGS), min_size=3, max_size=12))
def test_money_taken_is_booked_refunded_or_an_open_item_whatever_happens(things: list[tuple[str, ...]]) -> None:
    check_life(things)


class Named(MemoryChannel):
    """One of several channels."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


@pytest.mark.parametrize("silent", ["one", "two"])
def test_an_order_ends_when_the_last_of_its_channels_has_closed_it(silent: str) -> None:
    world = lived([])
    channels = {name: Named(name) for name in ("one", "two")}
    channels[silent].answers = False
    world.channels = dict(channels)
    with pytest.raises(UnavailableError, match="PAYMENT_PENDING"):
        world.cancel("")
    world.sweep("")
    waits = world.order.status
    channels[silent].answers = True
    world.sweep("")

    assert (waits, world.order.status) == ("placed", "expired")
    assert all(channel.closed == {world.order_id} for channel in channels.values())


@pytest.mark.parametrize("silent", ["one", "two"])
def test_a_payment_at_one_channel_wins_while_another_is_silent(silent: str) -> None:
    world = lived([])
    channels = {name: Named(name) for name in ("one", "two")}
    channels[silent].answers = False
    world.channels = dict(channels)
    channels["two" if silent == "one" else "one"].pay(world.order)
    with pytest.raises(ConflictError, match="ORDER_PAID"):
        world.cancel("")

    assert (world.order.status, world.order.channel) == ("paid", "two" if silent == "one" else "one")


# --- on tables: every call ---


def unpaid(shop: Shop, order_id: str) -> None:
    """Nothing was paid."""


def paid(shop: Shop, order_id: str) -> None:
    shop.channel.pay(order_id)  # and its notice is lost


def paid_wrongly(shop: Shop, order_id: str) -> None:
    shop.channel.pay(order_id, 7)


def paid_in_dollars(shop: Shop, order_id: str) -> None:
    shop.channel.pay(order_id)
    shop.channel.company.payments[order_id]["currency"] = "USD"


def sweep(shop: Shop, order_id: str) -> Callable[[], Any]:
    shop.clock.move(minutes=31)
    return shop.sweep


def cancel(shop: Shop, order_id: str) -> Callable[[], Any]:
    return lambda: shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations")


def books(shop: Shop) -> Any:
    """All that must not differ after faults."""
    items = sorted((item.kind, item.subject, item.amount_fen, item.currency) for item in every_item())
    return shop.order_books(), items


def attempt(step: Callable[[], Any]) -> None:
    """One try, however it ends: refused, killed, or dead of what the SDK raises."""
    with suppress(CardstockError, PynamoDBException):
        faults.survive(step)


@pytest.mark.parametrize("make", [sweep, cancel])
@pytest.mark.parametrize("happened", [unpaid, paid, paid_wrongly, paid_in_dollars])
def test_a_disturbed_closing_and_its_repeat_end_in_the_books_of_an_undisturbed_one(
    shop: Shop, happened: Callable[[Shop, str], None], make: Callable[[Shop, str], Callable[[], Any]]
) -> None:
    attempt(sweep(shop, shop.buyer.order({"71053": 1}, key="first")))  # secrets are fetched once
    order_id = shop.buyer.order({"71053": 5}, key="second")
    happened(shop, order_id)
    step, company = make(shop, order_id), shop.channel.company
    before, payments, refunds = shop.cloud.snapshot(), dict(company.payments), dict(shop.channel.refunds)

    def restore() -> None:
        before.restore()
        company.payments = dict(payments)
        shop.channel.refunds = dict(refunds)

    with faults.watch() as calls, shop.channel.at(-1, "kill_before") as asked:
        step()
    step()
    expected, ways = books(shop), list[tuple[faults.Mode, int]]()
    assert calls
    assert asked

    for mode in faults.MODES:
        for index, call in enumerate(calls):
            if mode in ("conflict", "throttle") and not call.startswith("dynamodb."):
                continue
            if mode == "conflict" and call not in ("dynamodb.TransactWriteItems", "dynamodb.PutItem"):
                continue
            restore()
            with faults.at(index, mode):
                attempt(step)
            step()
            step()
            assert books(shop) == expected, f"{mode} at {call} ({index})"
    for mode in ("kill_before", "kill_after", "lose_answer"):
        for index, path in enumerate(asked):
            restore()
            with shop.channel.at(index, mode) as seen:
                attempt(step)
            between = shop.stock()
            step()
            step()
            ways.append((mode, index))
            assert len(seen) > index
            assert books(shop) == expected, f"{mode} at {path} ({index})"
            assert path != "/v1/closings" or between["71053"] == (95, 5)  # nothing is for sale before the answer
    assert len(ways) == 3 * len(asked)


def test_a_payment_and_a_sweep_in_every_order_of_their_calls_end_in_one_of_them(shop: Shop) -> None:
    shop.sweep()
    order_id = shop.buyer.order()
    shop.clock.move(minutes=31)
    before, ends = shop.cloud.snapshot(), set[tuple[str, int, tuple[int, int]]]()

    def restore() -> None:
        before.restore()
        shop.channel.company.payments.clear()

    def pay() -> None:
        with suppress(SandboxError):
            shop.channel.notify(shop.channel.pay(order_id))

    for run in every_way(lambda: [pay, shop.sweep], restore):
        assert not any(isinstance(end, BaseException) for end in run.ends), run
        order = orders_wiring.orders().find_order(order_id)
        assert order is not None
        status = shop.channel.company.payments[order_id]["status"]
        assert (order.status, status) in (("paid", "succeeded"), ("expired", "closed"))
        ends.add((order.status, len(list(every_refund())), shop.stock()["85123A"]))

    assert ends == {("paid", 0, (94, 6)), ("expired", 0, (100, 0))}


def test_a_payment_and_a_cancellation_in_every_order_of_their_calls_end_in_one_of_them(shop: Shop) -> None:
    shop.sweep()
    order_id = shop.buyer.order()
    attempt(cancel(shop, shop.buyer.order({"71053": 1}, key="first")))  # secrets are fetched once
    before, ends = shop.cloud.snapshot(), set[tuple[str, int, int]]()

    def restore() -> None:
        before.restore()
        shop.channel.company.payments.clear()

    def pay() -> None:
        with suppress(SandboxError):
            shop.channel.notify(shop.channel.pay(order_id))

    for run in every_way(lambda: [pay, cancel(shop, order_id)], restore):
        order = orders_wiring.orders().find_order(order_id)
        assert order is not None
        assert (
            shop.channel.company.payments[order_id]["status"]
            == {"paid": "succeeded", "cancelled": "closed"}[order.status]
        )
        ends.add((order.status, len(list(every_refund())), run.ends[1].status))

    assert ends == {("paid", 0, 409), ("cancelled", 0, 200)}


@pytest.mark.parametrize(("app", "asked"), [
    ("wechat:wx1", {"sandbox", "wechat"}), ("alipay:2021", {"sandbox", "alipay"}), ("dev:wx1", {"sandbox"}),
    ("", {"sandbox", "wechat", "alipay", "douyin"}),
])  # fmt: skip
def test_only_channels_that_may_take_money_in_the_app_of_the_order_close_it(
    app: str, asked: set[str], clock: TestClock
) -> None:
    channels = {name: MemoryChannel() for name in ("sandbox", "wechat", "alipay", "douyin")}
    order = Order(
        "ord_01kbdxdh50fcazdjhcnqh2rzv5", "mem_a", "placed", (), 1, Receiver("n", "1", "a"), None, {}, clock.now(),
        app=app,
    )  # fmt: skip
    ended = end_payment(order, orders=MemoryOrders(), channels=channels)

    assert {name for name, channel in channels.items() if channel.closed} == asked
    assert ended.waiting == ()
