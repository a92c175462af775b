"""Payments and refunds on platforms, from the members' requests and the platforms' notices to the tables."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.clock import rfc3339
from cardstock.edge import wiring as edge_wiring
from cardstock.open_items.store import every_item
from cardstock.orders import payment, refund_ends
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.refund_model import Refund, RefusedEnd
from cardstock.orders.store import every_refund
from cardstock.signing import ACCESS
from functions.open_items.hourly_count import app as hourly_count
from infra.local.platforms.people import WrongCallError
from tests.house.cloud import Context, http_event, serve
from tests.people.buyers import BUYER, RECEIVER, STRANGER
from tests.people.payees import ending, verify
from tests.people.payment_parties import PARTIES, notify, opened, put_account
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import serve_confirmed, staff_key


class Counter:
    """A shop that takes payments on one platform, and a buyer who logged in there."""

    def __init__(self, shop: Shop, party: Any) -> None:
        self.shop, self.party = shop, party
        self.keys, self.receiver = 0, RECEIVER
        shop.stock_up()

    def send(self, method: str, path: str, body: Any = None, *, account: str | None = None, **more: Any) -> Reply:
        """A request of the buyer, whose session is that of `account`."""
        claims = {"sub": more.pop("member", BUYER), "acc": self.party.payer if account is None else account}
        token = edge_wiring.signer().sign(ACCESS, claims, lifetime=timedelta(hours=2))
        return reply(serve(http_event(method, path, body, token=token, **more)))

    def order(self, units: int = 1, **more: Any) -> str:
        """An order of lanterns: its id."""
        self.keys += 1
        quote = self.send("POST", "/v1/quotes", {"lines": [{"sku": "71053", "units": units}]}, **more).body["quote"]
        placed = self.send(
            "POST", "/v1/orders", {"quote": quote, "receiver": self.receiver}, key=f"order-{self.keys}", **more
        )
        assert placed.status == 201, placed
        return str(placed.body["order_id"])

    def start(self, order_id: str, **more: Any) -> Reply:
        return self.send("POST", f"/v1/orders/{order_id}/payments", {"channel": self.party.name}, **more)

    def opened(self, order_id: str) -> dict[str, str]:
        """Start the payment and open its window: the parameters."""
        window: dict[str, str] = self.start(order_id).body["parameters"]
        self.party.opened(window)
        return window

    def pay(self, order_id: str, **how: Any) -> None:
        """Start the payment and confirm it; its notice waits in `party.sent`."""
        self.party.confirm(self.start(order_id).body["parameters"], **how)

    def paid(self, units: int = 1) -> str:
        order_id = self.order(units)
        self.pay(order_id)
        self.deliver()
        assert self.status(order_id) == "paid"
        return order_id

    def deliver(self) -> list[int]:
        """Every notice arrives: the status codes of the answers."""
        answers = [notify(self.party.name, sent)["statusCode"] for sent in self.party.sent]
        self.party.sent.clear()
        return answers

    def status(self, order_id: str) -> str:
        found = orders_wiring.orders().find_order(order_id)
        assert found is not None
        return found.status

    def refund(self, order_id: str, units: int = 1, *, reason: str = "broken") -> str:
        self.keys += 1
        body = {"reason": reason, "lines": [{"sku": "71053", "units": units}]}
        asked = self.send("POST", f"/v1/orders/{order_id}/refunds", body, key=f"refund-{self.keys}")
        assert asked.status == 202, asked
        return str(asked.body["refund_id"])

    def sweep(self) -> dict[str, Any]:
        return self.shop.sweep()

    def refund_of(self, order_id: str, refund_id: str) -> Refund:
        found = orders_wiring.orders().find_refund(order_id, refund_id)
        assert found is not None
        return found

    def close_for(self, order_id: str, refund_id: str, end: RefusedEnd = "given_up") -> None:
        """The persons end a refused refund."""
        item = next(each for each in every_item() if each.subject == refund_id)
        cleared = replace(item, state="cleared", version=item.version + 1)
        orders, channels = orders_wiring.orders(), orders_wiring.payment_channels()
        assert refund_ends.close_refused(order_id, refund_id, end, cleared, orders=orders, channels=channels)


@pytest.fixture(params=[*PARTIES])
def counter(request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    party = PARTIES[request.param](shop.clock)
    with opened(party, shop.cloud, monkeypatch):
        yield Counter(shop, party)


def kinds() -> list[tuple[str, str]]:
    return sorted((item.kind, item.subject) for item in every_item())


def test_an_order_is_paid_by_the_platform_s_own_call_and_its_notice_and_repeats_change_nothing(
    counter: Counter,
) -> None:
    order_id = counter.order()
    started = counter.start(order_id)
    counter.party.confirm(started.body["parameters"])
    first = counter.party.sent[0]
    answers = [notify(counter.party.name, first) for _ in range(3)]

    assert (started.status, started.body["pay_url"], started.body["amount_fen"]) == (200, "", 33_900)
    assert {answer["statusCode"] for answer in answers} == {200 if counter.party.name != "wechat" else 204}
    assert counter.status(order_id) == "paid"
    assert list(every_refund()) == []
    assert kinds() == []


def test_what_the_platform_answers_to_is_the_body_that_it_expects(counter: Counter) -> None:
    counter.pay(counter.order())
    answer = notify(counter.party.name, counter.party.sent[0])

    expected = {
        "wechat": (204, ""), "alipay": (200, "success"), "douyin": (200, '{"err_no":0,"err_tips":"success"}'),
    }[counter.party.name]  # fmt: skip
    assert (answer["statusCode"], answer["body"]) == expected


def test_a_payment_whose_notice_is_lost_is_found_by_the_sweep(counter: Counter) -> None:
    order_id = counter.order()
    counter.pay(order_id)
    counter.party.sent.clear()
    counter.shop.clock.move(minutes=31)

    assert counter.sweep()["paid"] == 1
    assert counter.status(order_id) == "paid"


def test_an_order_that_nobody_pays_is_closed_at_the_platform_before_its_stock_is_back(counter: Counter) -> None:
    order_id = counter.order(3)
    window = counter.opened(order_id)
    held = counter.shop.stock()["71053"]
    counter.shop.clock.move(minutes=31)
    swept = counter.sweep()
    with pytest.raises(WrongCallError):
        counter.party.confirm(window)

    assert (held, counter.shop.stock()["71053"]) == ((97, 3), (100, 0))
    assert (swept["expired"], counter.status(order_id)) == (1, "expired")


def test_a_cancellation_that_comes_after_the_payment_loses(counter: Counter) -> None:
    order_id = counter.order()
    counter.pay(order_id)
    cancelled = counter.send("POST", f"/v1/orders/{order_id}/cancellations")

    assert (cancelled.status, cancelled.body["code"]) == (409, "ORDER_PAID")
    assert counter.status(order_id) == "paid"
    counter.deliver()
    assert list(every_refund()) == []


def test_while_the_platform_is_silent_no_order_is_cancelled_or_expires(counter: Counter) -> None:
    order_id = counter.order()
    counter.opened(order_id)
    counter.party.fail_next("stall", "stall", "stall")
    cancelled = counter.send("POST", f"/v1/orders/{order_id}/cancellations")
    counter.shop.clock.move(minutes=31)
    counter.party.fail_next("server_error", "server_error", "server_error")
    swept = counter.sweep()
    counter.party.fail_next()

    assert (cancelled.status, cancelled.body["code"], cancelled.body["retryable"]) == (503, "PAYMENT_PENDING", True)
    assert (swept["expired"], swept["unanswered"]) == (0, 1)
    assert counter.sweep()["expired"] == 1


def test_a_payment_that_was_made_before_the_start_is_answered_is_booked_by_the_next_start(counter: Counter) -> None:
    if counter.party.name == "douyin":
        pytest.skip("Douyin is not asked at the start: its window refuses what is paid")
    order_id = counter.order()
    counter.pay(order_id)
    counter.party.sent.clear()
    again = counter.start(order_id)

    assert (again.status, again.body["code"]) == (409, "ORDER_PAID")
    assert counter.status(order_id) == "paid"


def test_nobody_starts_the_payment_of_somebody_else_or_from_another_app(counter: Counter) -> None:
    order_id = counter.order()
    stranger = counter.start(order_id, member=STRANGER)
    elsewhere = counter.start(order_id, account=f"{counter.party.name}:another-app:oABC")
    nameless = counter.start(order_id, account="")
    sandbox = counter.order(account="dev:wx1:anna")
    other_platform = counter.start(sandbox)

    assert stranger.status == 404
    assert [(each.status, each.body["code"]) for each in (elsewhere, nameless, other_platform)] == [
        (409, "APP_DIFFERS")
    ] * 3
    assert elsewhere.body["errors"][0]["pointer"] == "/channel"


def test_on_a_platform_without_payment_no_platforms_channel_is_offered(counter: Counter) -> None:
    account = "baidu:bd0000000000000000000000000001:oABC"
    placed_there = counter.order(account=account)
    there = [
        counter.start(placed_there, account=account),
        counter.start(placed_there),  # from the channel's own app
        counter.send("POST", f"/v1/orders/{counter.order()}/payments", {"channel": "baidu"}),
    ]

    assert [(each.status, each.body["code"]) for each in there] == [(409, "PAYMENT_NOT_OFFERED")] * 3
    assert there[0].body["errors"][0]["pointer"] == "/channel"
    assert counter.party.company.calls == []
    assert counter.status(placed_there) == "placed"
    sandbox = counter.send("POST", f"/v1/orders/{placed_there}/payments", {"channel": "sandbox"}, account=account)
    assert sandbox.body["code"] == "CHANNEL_UNKNOWN"  # no platform's: it is closed here, not refused


def test_the_pay_window_takes_neither_another_payer_nor_changed_parameters(counter: Counter) -> None:
    parameters = counter.opened(counter.order())
    with pytest.raises(WrongCallError):
        counter.party.confirm(parameters, person="mallory")
    for name in parameters:
        with pytest.raises(WrongCallError):
            counter.party.confirm(parameters | {name: parameters[name][:-2] + "xx"})
    counter.party.confirm(parameters)


@pytest.mark.parametrize("kind", ["unsigned", "changed", "forged", "old"])
def test_a_forged_or_replayed_notice_is_refused_and_changes_nothing(
    kind: str, counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    order_id = counter.order()
    counter.pay(order_id)
    headers, body = counter.party.sent[0]
    if kind == "old" and counter.party.name == "alipay":
        pytest.skip("Alipay's notices say no time that is checked: a repeat of one changes nothing")
    forged = (headers, body) if kind == "old" else getattr(counter.party, kind)(headers, body)
    if kind == "old":
        counter.shop.clock.move(minutes=5, seconds=1)
    with caplog.at_level(logging.WARNING):
        answer = notify(counter.party.name, forged)

    assert answer["statusCode"] == 401
    assert counter.status(order_id) == "placed"
    assert (list(every_refund()), kinds()) == ([], [])
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_forgery_with_what_is_no_text_is_refused_and_leaves_nothing(counter: Counter) -> None:
    counter.pay(counter.order())
    headers, body = counter.party.sent[0]
    forgeries = [
        (headers | {name: "\ud800"}, body)
        for name in headers
        if name.endswith(("-timestamp", "-nonce", "-serial", "-signature"))
    ]
    if counter.party.name == "alipay":  # what it signs stands in the form, and no header counts
        forgeries = [
            (headers, body.replace(b"sign=", b"sign=" + part)) for part in (b"%ED%A0%80", b"%ff", b"%00", b"%")
        ]
    answers = [notify(counter.party.name, sent)["statusCode"] for sent in forgeries]

    assert {status // 100 for status in answers} == {4}
    assert kinds() == []


def test_a_genuine_notice_that_cannot_be_read_is_an_open_item_and_is_taken(counter: Counter) -> None:
    sent = counter.party.unreadable()
    answers = [notify(counter.party.name, sent)["statusCode"] for _ in range(2)]

    assert [status // 100 for status in answers] == [2, 2]
    assert [kind for kind, _ in kinds()] == ["payment_unknown"]


def test_a_payment_of_another_amount_is_refunded_and_one_for_an_unknown_order_is_an_open_item(counter: Counter) -> None:
    order_id = counter.order()
    counter.start(order_id)
    answers = [
        notify(counter.party.name, counter.party.payment_of(order_id, fen=33_899))["statusCode"],
        notify(counter.party.name, counter.party.payment_of("2088-not-ours", fen=33_900))["statusCode"],
    ]

    assert [status // 100 for status in answers] == [2, 2]
    assert counter.status(order_id) == "placed"
    assert [(each.kind, each.amount_fen) for each in every_refund()] == [("stray", 33_899)]
    assert kinds() == [("payment_unknown", "2088-not-ours")]


def test_a_payment_that_comes_after_the_end_is_refunded_by_the_platform(counter: Counter) -> None:
    order_id = counter.order()
    window = counter.opened(order_id)
    counter.party.left(order_id)
    counter.send("POST", f"/v1/orders/{order_id}/cancellations")
    counter.party.reopen(order_id)
    counter.party.end_refunds("succeeded")
    counter.party.confirm(window)
    counter.deliver()
    counter.sweep()

    (refund,) = every_refund()
    assert (refund.kind, refund.status, refund.amount_fen, refund.channel) == (
        "stray", "succeeded", 33_900, counter.party.name,
    )  # fmt: skip
    assert counter.status(order_id) == "cancelled"
    # Its payment, told again with the word that it went back, is nothing new.
    counter.party.sent.clear()
    orders = orders_wiring.orders()
    order = orders.find_order(order_id)
    assert order is not None
    again = payment.end_payment(order, orders=orders, channels=orders_wiring.payment_channels())
    assert (again.outcomes, kinds()) == (("repeated",), [])


def test_money_that_went_back_before_we_knew_of_it_pays_no_order(counter: Counter) -> None:
    order_id = counter.order()
    counter.pay(order_id)
    counter.party.end_refunds("succeeded")
    # What Alipay says of a trade tells of money that went back only when all of it did.
    counter.party.refund_by_hand(order_id, 33_900 if counter.party.name == "alipay" else 100)
    counter.party.sent.clear()
    counter.shop.clock.move(minutes=31)
    swept = counter.sweep()

    assert (swept["paid"], swept["unresolved"], counter.status(order_id)) == (0, 1, "expired")
    (item,) = every_item()
    assert (item.kind, item.subject, item.facts["gave_back"]) == ("payment_mismatch", order_id, "true")


def test_the_change_of_a_refund_has_the_platform_send_the_money_at_once(counter: Counter) -> None:
    trade = counter.shop.trade
    order_id = counter.paid(2)
    counter.party.end_refunds("succeeded")
    refund_id = counter.refund(order_id)
    trade.settle_down()

    assert counter.refund_of(order_id, refund_id).status == "succeeded"
    assert counter.party.refunded(order_id) == 33_900


def test_a_refund_is_worked_on_and_ends_when_the_platform_says_so(counter: Counter) -> None:
    order_id = counter.paid(2)
    counter.party.end_refunds("processing")
    refund_id = counter.refund(order_id)
    first = counter.sweep()
    counter.party.end_refunds("succeeded")
    second = counter.sweep()

    assert (first["refunds_left"], second["refunded"]) == (1, 1)
    assert counter.refund_of(order_id, refund_id).status == "succeeded"
    assert counter.party.refunded(order_id) == 33_900
    assert kinds() == []


@pytest.mark.parametrize("reason", ["灯笼破了一个口子" * 12, "broken " * 12 + "🏮", "y" * 79 + "茶"])
def test_a_reason_that_is_too_long_for_the_platform_holds_no_refund_up(reason: str, counter: Counter) -> None:
    order_id = counter.paid()
    counter.party.end_refunds("succeeded")
    refund_id = counter.refund(order_id, reason=reason)
    counter.sweep()

    found = counter.refund_of(order_id, refund_id)
    assert (found.status, found.reason, kinds()) == ("succeeded", reason, [])


def test_two_refunds_of_the_same_amount_are_two_and_lost_answers_make_none_more(counter: Counter) -> None:
    order_id = counter.paid(3)
    counter.party.end_refunds("succeeded")
    for _ in range(2):
        counter.refund(order_id)
    counter.party.fail_next("answer_lost", "answer_lost", "answer_lost", "answer_lost")
    counter.sweep()
    counter.party.fail_next()
    done = counter.sweep()

    assert done["refunds_left"] == 0
    assert counter.party.refunded(order_id) == 2 * 33_900


def test_a_refund_that_waits_for_the_merchant_is_an_open_item_and_ends_after_he_acted(counter: Counter) -> None:
    order_id = counter.paid()
    refund_id = counter.refund(order_id)
    counter.party.fail_next(*counter.party.NO_FUNDS)
    waits = [counter.sweep()]
    found = kinds()
    counter.party.fail_next()
    counter.party.end_refunds("succeeded")
    ended = counter.sweep()
    hourly = {"scheduled_at": rfc3339(counter.shop.clock.now())}
    reviewed = [hourly_count.handler(hourly, Context())["cleared"] for _ in range(2)]
    (item,) = every_item()

    assert (waits[0]["refunds_left"], found) == (1, [("refund_waits", refund_id)])
    assert (ended["refunded"], counter.party.refunded(order_id)) == (1, 33_900)
    assert (reviewed, item.state, item.cleared and item.cleared.reason) == (
        [1, 0],
        "cleared",
        "the refund is succeeded",
    )


def test_a_refund_that_the_platform_refuses_for_good_is_for_people_to_end(counter: Counter) -> None:
    order_id = counter.paid()
    refund_id = counter.refund(order_id)
    counter.party.fail_next(*counter.party.REFUSED)
    counter.sweep()

    assert counter.refund_of(order_id, refund_id).status == "refused"
    assert kinds() == [("refund_refused", refund_id)]
    (item,) = every_item()
    assert item.facts["channel_reason"]


def people_close(counter: Counter, refund_id: str, outcome: str) -> Reply:
    """Two persons say how a refused refund ends: the answer to the second."""
    item = next(each for each in every_item() if each.subject == refund_id)
    verify()
    body, path = ending(outcome), f"/v1/open-items/{item.id}/clearings"
    first, second = (staff_key(name, "open_items:clear") for name in ("Li Na", "Wang Fang"))
    assert serve(http_event("POST", path, body, token=first))["statusCode"] == 200
    return reply(serve_confirmed(http_event("POST", path, body, token=second)))


@pytest.mark.parametrize("outcome", ["paid_another_way", "given_up"])
def test_before_people_end_a_refused_refund_the_platform_is_asked_again(outcome: str, counter: Counter) -> None:
    order_id = counter.paid()
    refund_id = counter.refund(order_id)
    counter.party.fail_next(*counter.party.REFUSED)
    counter.sweep()
    counter.party.fail_next("server_error")
    silent = people_close(counter, refund_id, outcome)
    between = counter.refund_of(order_id, refund_id).status
    counter.party.fail_next()
    done = people_close(counter, refund_id, outcome)

    assert (silent.status, silent.body["code"], between) == (503, "CHANNEL_UNAVAILABLE", "refused")
    assert (done.status, done.body["status"]) == (200, "cleared")
    assert counter.refund_of(order_id, refund_id).status == {"paid_another_way": "succeeded"}.get(outcome, outcome)
    assert counter.party.refunded(order_id) == 0


def test_while_the_platform_works_on_a_refused_refund_after_all_nobody_ends_it(counter: Counter) -> None:
    order_id = counter.paid()
    refund_id = counter.refund(order_id)
    counter.party.fail_next(*counter.party.REFUSED)
    counter.sweep()
    counter.party.make_after_all(order_id, refund_id, ends=False)
    said = people_close(counter, refund_id, "given_up")

    assert (said.status, said.body["code"]) == (503, "REFUND_PENDING")
    assert counter.refund_of(order_id, refund_id).status == "refused"


def test_a_refund_that_the_platform_has_made_after_all_is_not_ended_by_hand(counter: Counter) -> None:
    order_id = counter.paid()
    refund_id = counter.refund(order_id)
    counter.party.fail_next(*counter.party.REFUSED)
    counter.sweep()
    counter.party.make_after_all(order_id, refund_id)
    said = people_close(counter, refund_id, "paid_another_way")
    refund = counter.refund_of(order_id, refund_id)
    hourly_count.handler({"scheduled_at": rfc3339(counter.shop.clock.now())}, Context())
    (item,) = every_item()

    assert (said.status, said.body["code"]) == (409, "REFUND_SUCCEEDED")
    assert (refund.status, refund.paid_another_way, counter.party.refunded(order_id)) == ("succeeded", False, 33_900)
    assert (item.state, item.cleared and item.cleared.by) == ("cleared", "cardstock")


def test_an_account_that_cannot_work_is_said_to_be_repaired_and_nothing_is_lost(counter: Counter) -> None:
    order_id = counter.order()
    put_account(counter.party, counter.shop.cloud, {"unused": "x"})
    started = counter.start(order_id)
    counter.shop.clock.move(minutes=31)
    swept = counter.sweep()
    notified = notify(counter.party.name, counter.party.payment_of(order_id, fen=33_900))
    put_account(counter.party, counter.shop.cloud, counter.party.account)

    assert (started.status, started.body["code"]) == (503, "CHANNEL_MISCONFIGURED")
    assert notified["statusCode"] == 503
    assert (swept["expired"], swept["unanswered"]) == (0, 1)
    assert counter.sweep()["expired"] == 1


def test_a_channel_that_is_not_open_takes_neither_payments_nor_notices(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = counter.order()
    counter.pay(order_id)
    monkeypatch.setenv("PAYMENT_CHANNELS", "")

    assert counter.start(order_id).body["code"] == "CHANNEL_UNKNOWN"
    assert notify(counter.party.name, counter.party.sent[0])["statusCode"] == 404
