"""Whatever happens to a step that Douyin alone has, its repeat ends in the books of an undisturbed one.

The steps that all platforms have are in `test_platform_payment_faults`.
"""

from collections.abc import Callable, Iterator

import pytest

from cardstock.open_items.store import every_item
from cardstock.orders import fulfilment
from cardstock.orders import wiring as orders_wiring
from functions.orders.on_shipped import app as on_shipped
from tests.house import faults
from tests.house.cloud import Context, http_event, queue_event, serve
from tests.house.disturbed import Prepared, Step, come_often_and_late, disturb_outside, disturb_store
from tests.orders.test_douyin_callbacks import ask, send_all
from tests.orders.test_platform_payment_faults import OF_PLATFORMS, scene
from tests.orders.test_platform_payments import Counter
from tests.people.payment_parties import DouyinParty, Sent, notify, opened
from tests.people.shop import Shop
from tests.people.staff import staff_key


@pytest.fixture
def counter(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    party = DouyinParty(shop.clock)
    with opened(party, shop.cloud, monkeypatch):
        yield Counter(shop, party)


def shipped(counter: Counter, units: int = 1) -> str:
    order_id = counter.paid(units)
    fulfilment.report_shipment("sup_lights", order_id, "SF", "SF1", "evt-1", orders=orders_wiring.orders())
    return order_id


def start(counter: Counter) -> Step:
    order_id = counter.order()
    return lambda: counter.start(order_id)


def second_start(counter: Counter) -> Step:
    order_id = counter.order()
    counter.start(order_id)
    return lambda: counter.start(order_id)


def end_by_buyer(counter: Counter) -> Step:
    order_id = counter.order(2)
    counter.opened(order_id)
    counter.party.company.end_by_buyer(order_id)
    counter.party.company.settle()
    (sent,) = counter.party.sent
    return lambda: notify("douyin", sent)


def end_by_time(counter: Counter) -> Step:
    counter.opened(counter.order(2))
    counter.shop.clock.move(minutes=31)
    counter.party.company.settle()
    (sent,) = counter.party.sent
    return lambda: notify("douyin", sent)


def asked(counter: Counter) -> Step:
    order_id = counter.paid(2)
    sent = ask(counter, order_id)
    return lambda: notify("douyin", sent)


def asked_of_a_sent_order(counter: Counter) -> Step:
    sent = ask(counter, shipped(counter))
    return lambda: notify("douyin", sent)


def agreeing(counter: Counter) -> Step:
    """The sweep has Douyin agree to what was not sent."""
    order_id = counter.paid(2)
    counter.party.answers = [None]
    sent = ask(counter, order_id)
    answer(counter, sent)
    return counter.sweep


def agreed(counter: Counter) -> Step:
    """A person of the staff agrees to what was sent."""
    order_id = shipped(counter, 2)
    answer(counter, ask(counter, order_id))
    return clearing("agreed")


def denied(counter: Counter) -> Step:
    order_id = shipped(counter, 2)
    answer(counter, ask(counter, order_id))
    return clearing("denied")


def end_of_an_agreed_one(counter: Counter) -> Step:
    order_id = shipped(counter)
    answer(counter, ask(counter, order_id))
    clearing("agreed")()
    counter.sweep()
    counter.party.company.settle()
    (sent,) = counter.party.sent
    return lambda: notify("douyin", sent)


def end_that_nobody_decided(counter: Counter) -> Step:
    order_id = shipped(counter)
    answer(counter, ask(counter, order_id))
    counter.shop.clock.move(hours=73)
    counter.party.company.settle()
    (sent,) = counter.party.sent
    return lambda: notify("douyin", sent)


def report(counter: Counter) -> Step:
    event = queue_event("orders-shipped", {"order_id": shipped(counter)})
    return lambda: on_shipped.handler(event, Context())


def answer(counter: Counter, sent: Sent) -> None:
    """Douyin reads our answer to what a buyer asked for."""
    send_all(counter, [sent])
    counter.party.sent.clear()


def clearing(outcome: str) -> Step:
    (item,) = (each for each in every_item() if each.kind == "refund_asked")
    path, body = f"/v1/open-items/{item.id}/clearings", {"outcome": outcome, "reason": "请联系客服"}
    key = staff_key("Li Na", "open_items:clear")
    return lambda: serve(http_event("POST", path, body, token=key))


STEPS = [
    start, second_start, end_by_buyer, end_by_time, asked, asked_of_a_sent_order, agreeing, agreed, denied,
    end_of_an_agreed_one, end_that_nobody_decided, report,
]  # fmt: skip


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", STEPS)
def test_a_step_of_douyin_that_is_disturbed_at_the_store_and_its_repeat_end_as_an_undisturbed_one(
    make: Callable[[Counter], Step], mode: faults.Mode, counter: Counter
) -> None:
    disturb_store(Prepared(make(counter), scene(counter)), mode)


@pytest.mark.parametrize("make", [agreeing, denied, report])
def test_a_step_of_douyin_that_is_disturbed_at_douyin_and_its_repeat_end_as_an_undisturbed_one(
    make: Callable[[Counter], Step], counter: Counter
) -> None:
    prepared, party = Prepared(make(counter), scene(counter)), counter.party

    assert prepared.asked
    disturb_outside(prepared, "platform", (*OF_PLATFORMS, *party.UNUSABLE), party.fail_next)


@pytest.mark.parametrize("make", [end_by_buyer, end_by_time, asked, asked_of_a_sent_order, end_that_nobody_decided])
def test_a_callback_that_comes_often_and_late_changes_what_it_changes_once(
    make: Callable[[Counter], Step], counter: Counter
) -> None:
    come_often_and_late(Prepared(make(counter), scene(counter)), lambda: counter.shop.clock.move(minutes=4))
