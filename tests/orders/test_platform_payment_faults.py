"""Whatever happens to a step of a payment or a refund on a platform, its repeat ends in the books of an undisturbed
one: ours and the platform's.

Every step is disturbed at each AWS call and at each call of the platform: killed before and after, the answer lost, a
conflict, throttling; and by each failure that the platform knows.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cardstock.open_items.store import every_item
from tests.house import faults
from tests.house.cloud import http_event, serve
from tests.house.disturbed import Prepared, Scene, Step, come_often_and_late, disturb_outside, disturb_store
from tests.orders.test_platform_payments import Counter
from tests.people.payees import ending, verify
from tests.people.payment_parties import PARTIES, notify, opened
from tests.people.replies import reply
from tests.people.shop import Shop
from tests.people.staff import say_yes, staff_key

OF_PLATFORMS = ("busy", "server_error", "not_json", "answer_lost", "half", "stall")


@pytest.fixture(params=[*PARTIES])
def counter(request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    party = PARTIES[request.param](shop.clock)
    with opened(party, shop.cloud, monkeypatch):
        yield Counter(shop, party)


# Each prepares what comes before, and gives the step.


def start(counter: Counter) -> Step:
    order_id = counter.order()
    return lambda: counter.start(order_id)


def start_of_a_paid_one(counter: Counter) -> Step:
    order_id = counter.order()
    counter.pay(order_id)
    counter.party.sent.clear()
    return lambda: counter.start(order_id)


def payment(counter: Counter) -> Step:
    counter.pay(counter.order())
    sent = counter.party.sent[0]
    return lambda: notify(counter.party.name, sent)


def payment_of_another_amount(counter: Counter) -> Step:
    order_id = counter.order()
    counter.start(order_id)
    sent = counter.party.payment_of(order_id, fen=1)
    return lambda: notify(counter.party.name, sent)


def payment_of_nobody(counter: Counter) -> Step:
    sent = counter.party.payment_of("2088-not-ours", fen=1)
    return lambda: notify(counter.party.name, sent)


def unreadable(counter: Counter) -> Step:
    sent = counter.party.unreadable()
    return lambda: notify(counter.party.name, sent)


def late_payment(counter: Counter) -> Step:
    order_id = counter.order()
    window = counter.opened(order_id)
    counter.party.left(order_id)
    counter.send("POST", f"/v1/orders/{order_id}/cancellations")
    counter.party.reopen(order_id)
    counter.party.confirm(window)
    sent = counter.party.sent[0]
    return lambda: notify(counter.party.name, sent)


def stray_refund(counter: Counter) -> Step:
    late_payment(counter)()
    counter.party.end_refunds("succeeded")
    return counter.sweep


def expiry(counter: Counter) -> Step:
    counter.opened(counter.order())
    counter.order(2)
    counter.shop.clock.move(minutes=31)
    return counter.sweep


def expiry_of_a_paid_one(counter: Counter) -> Step:
    counter.pay(counter.order())
    counter.party.sent.clear()
    counter.shop.clock.move(minutes=31)
    return counter.sweep


def cancellation(counter: Counter) -> Step:
    order_id = counter.order()
    counter.opened(order_id)
    counter.party.left(order_id)
    return lambda: counter.send("POST", f"/v1/orders/{order_id}/cancellations")


def cancellation_of_a_paid_one(counter: Counter) -> Step:
    order_id = counter.order()
    counter.pay(order_id)
    return lambda: counter.send("POST", f"/v1/orders/{order_id}/cancellations")


def refund(counter: Counter) -> Step:
    order_id = counter.paid(2)
    counter.party.end_refunds("succeeded")
    counter.refund(order_id)
    return counter.sweep


def two_refunds(counter: Counter) -> Step:
    order_id = counter.paid(3)
    counter.party.end_refunds("succeeded")
    counter.refund(order_id)
    counter.refund(order_id)
    return counter.sweep


def refund_in_work(counter: Counter) -> Step:
    order_id = counter.paid(2)
    counter.party.end_refunds("processing")
    counter.refund(order_id)
    counter.sweep()
    counter.party.end_refunds("succeeded")
    return counter.sweep


def refusal(counter: Counter) -> Step:
    counter.party.refuse_from_now_on()
    counter.refund(counter.paid())
    return counter.sweep


def end_by_hand(counter: Counter, outcome: str) -> Step:
    verify()
    refusal(counter)()
    (item,) = (each for each in every_item() if each.kind == "refund_refused")
    path, body = f"/v1/open-items/{item.id}/clearings", ending(outcome)
    first, second = (staff_key(name, "open_items:clear") for name in ("Li Na", "Wang Fang"))
    assert serve(http_event("POST", path, body, token=first))["statusCode"] == 200
    assert say_yes(http_event("POST", path, body, token=second)) is None
    return lambda: reply(serve(http_event("POST", path, body, token=second)))


def paid_another_way(counter: Counter) -> Step:
    return end_by_hand(counter, "paid_another_way")


def given_up(counter: Counter) -> Step:
    return end_by_hand(counter, "given_up")


STEPS = [
    start, start_of_a_paid_one, payment, payment_of_another_amount, payment_of_nobody, unreadable, late_payment,
    stray_refund, expiry, expiry_of_a_paid_one, cancellation, cancellation_of_a_paid_one, refund, two_refunds,
    refund_in_work, refusal, paid_another_way, given_up,
]  # fmt: skip


def books(counter: Counter) -> Any:
    """What stands in our tables and in those of the platform, without ids and times."""
    return [counter.shop.order_books(), counter.party.books()]


def scene(counter: Counter) -> Scene:
    """The counter's shop with the platform."""

    def keep() -> Callable[[], None]:
        account, party, time = counter.shop.cloud.snapshot(), counter.party.kept(), counter.shop.clock.now()

        def restore() -> None:
            account.restore()
            party()
            counter.shop.clock.set(time)

        return restore

    return Scene(keep, lambda: books(counter), counter.party.served.at)


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", STEPS)
def test_a_step_that_is_disturbed_at_the_store_and_its_repeat_end_as_an_undisturbed_one(
    make: Callable[[Counter], Step], mode: faults.Mode, counter: Counter
) -> None:
    disturb_store(Prepared(make(counter), scene(counter)), mode)


@pytest.mark.parametrize("make", STEPS)
def test_a_step_that_is_disturbed_at_the_platform_and_its_repeat_end_as_an_undisturbed_one(
    make: Callable[[Counter], Step], counter: Counter
) -> None:
    party = counter.party

    disturb_outside(
        Prepared(make(counter), scene(counter)), "platform", (*OF_PLATFORMS, *party.UNUSABLE), party.fail_next
    )


@pytest.mark.parametrize("make", [payment, late_payment, payment_of_another_amount, payment_of_nobody, unreadable])
def test_a_notice_that_comes_often_and_late_changes_what_it_changes_once(
    make: Callable[[Counter], Step], counter: Counter
) -> None:
    come_often_and_late(Prepared(make(counter), scene(counter)), lambda: counter.shop.clock.move(minutes=4))
