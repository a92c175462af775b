"""Douyin's callbacks through the functions: what ends unpaid, and what buyers ask Douyin for."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cardstock.network import wiring as network_wiring
from cardstock.network.coupons import count_verified
from cardstock.network.presets import UNLOCK
from cardstock.open_items.store import every_item
from cardstock.orders import fulfilment
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.store import every_refund
from infra.local.server import HttpAnswer
from tests.house.cloud import http_event, serve
from tests.orders.test_platform_payments import Counter, kinds
from tests.people.buyers import BUYER
from tests.people.payment_parties import DouyinParty, Sent, notify, opened
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import staff_key

PRICE = 33_900


@pytest.fixture
def counter(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    party = DouyinParty(shop.clock)
    with opened(party, shop.cloud, monkeypatch):
        yield Counter(shop, party)


def ask(counter: Counter, order_id: str, fen: int = 0, **how: Any) -> Sent:
    """A buyer asks Douyin for a refund: the callback, whose answer nobody has read."""
    counter.party.sent.clear()
    counter.party.company.ask_refund(order_id, fen, **how)
    counter.party.company.settle()
    sent: Sent = counter.party.sent.pop()
    return sent


def send_all(counter: Counter, callbacks: list[Sent]) -> list[dict[str, Any]]:
    """The callbacks arrive, and Douyin reads the answers, as it does when it sends them again."""
    answers = []
    for sent in callbacks:
        answers.append(notify("douyin", sent))
        read = HttpAnswer(answers[-1]["statusCode"], {}, answers[-1]["body"].encode())
        counter.party.answers = [read] * 9  # those of payments that were not taken come again too
        counter.shop.clock.move(minutes=10)
        counter.party.company.settle()
        counter.party.answers = []
    return answers


def asked(counter: Counter, order_id: str, fen: int = 0, **how: Any) -> dict[str, Any]:
    """A buyer asks Douyin for a refund, and Douyin reads our answer: its body."""
    (answer,) = send_all(counter, [ask(counter, order_id, fen, **how)])
    counter.party.sent.clear()
    assert answer["statusCode"] == 200
    body: dict[str, Any] = json.loads(answer["body"])
    return body


def ship(order_id: str, supplier: str = "sup_lights") -> None:
    fulfilment.report_shipment(supplier, order_id, "SF", "SF1", f"evt-{supplier}", orders=orders_wiring.orders())


def clear(outcome: str, reason: str = "请联系客服") -> Reply:
    (item,) = (each for each in every_item() if each.kind == "refund_asked")
    event = http_event(
        "POST", f"/v1/open-items/{item.id}/clearings", {"outcome": outcome, "reason": reason},
        token=staff_key("Li Na", "open_items:clear"),
    )  # fmt: skip
    return reply(serve(event))


def at_douyin(counter: Counter, order_id: str) -> list[tuple[int, str, str]]:
    """How Douyin has the refunds of an order: fen, state, and the merchant's word."""
    refunds = counter.party.company.orders[order_id]["refunds"].values()
    return sorted((each["fen"], each["status"], each["audit"]) for each in refunds)


def refunds_here() -> list[tuple[str, str, int]]:
    return sorted((each.kind, each.status, each.amount_fen) for each in every_refund())


# --- what ends unpaid ---


def test_an_order_that_the_buyer_ends_in_douyin_is_cancelled_at_once_and_its_stock_is_back(counter: Counter) -> None:
    order_id = counter.order(3)
    counter.opened(order_id)
    counter.party.company.end_by_buyer(order_id)
    counter.party.company.settle()
    counter.party.sent *= 3

    assert counter.deliver() == [200] * 3
    assert (counter.status(order_id), counter.shop.stock()["71053"]) == ("cancelled", (100, 0))


def test_an_order_whose_time_ends_in_douyin_expires_before_the_sweep(counter: Counter) -> None:
    order_id = counter.order(3)
    counter.opened(order_id)
    counter.shop.clock.move(minutes=31)
    counter.party.company.settle()

    assert counter.deliver() == [200]
    assert (counter.status(order_id), counter.shop.stock()["71053"]) == ("expired", (100, 0))
    assert counter.sweep()["expired"] == 0


def test_the_end_of_an_order_that_was_paid_changes_nothing(counter: Counter) -> None:
    order_id = counter.paid()
    sent = counter.party.notice("payment", counter.party.payment(order_id, status="CANCEL", message="TIME_OUT"))

    assert notify("douyin", sent)["statusCode"] == 200
    assert (counter.status(order_id), kinds(), list(every_refund())) == ("paid", [], [])


def test_the_end_of_an_order_that_is_not_here_is_taken_and_changes_nothing(counter: Counter) -> None:
    sent = counter.party.notice("payment", counter.party.payment("2088-not-ours", status="CANCEL"))

    assert json.loads(notify("douyin", sent)["body"]) == {"err_no": 0, "err_tips": "success"}
    assert kinds() == []


def test_while_another_channel_may_take_money_the_order_is_left_to_the_sweep(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = counter.order()
    counter.opened(order_id)
    counter.party.company.end_by_buyer(order_id)
    counter.party.company.settle()
    silent = httpx.MockTransport(lambda _request: httpx.Response(502))
    orders_wiring.set_payment_transports({"douyin": counter.party.transport, "sandbox": silent})
    monkeypatch.setenv("PAYMENT_SANDBOX_URL", "http://sandbox.test")
    kept = counter.deliver(), counter.status(order_id)
    monkeypatch.setenv("PAYMENT_SANDBOX_URL", "")
    counter.shop.clock.move(minutes=31)

    assert kept == ([200], "placed")
    assert (counter.sweep()["expired"], counter.status(order_id)) == (1, "expired")


def test_a_payment_after_the_end_that_douyin_reported_is_refunded(counter: Counter) -> None:
    order_id = counter.order()
    window = counter.opened(order_id)
    counter.party.company.end_by_buyer(order_id)
    counter.party.company.settle()
    counter.deliver()
    counter.party.reopen(order_id)
    counter.party.confirm(window)
    counter.deliver()
    counter.sweep()

    assert (counter.status(order_id), refunds_here()) == ("cancelled", [("stray", "succeeded", PRICE)])
    assert counter.party.refunded(order_id) == PRICE


# --- until when an order may be paid ---


def test_a_buyer_cancels_an_order_whose_payment_was_not_started(counter: Counter) -> None:
    order_id = counter.order()

    assert counter.send("POST", f"/v1/orders/{order_id}/cancellations").body["status"] == "cancelled"


def test_a_signed_order_that_nobody_has_used_holds_the_stock_until_douyin_takes_it_no_more(counter: Counter) -> None:
    order_id = counter.order(3)
    window = counter.start(order_id).body["parameters"]
    cancelled = counter.send("POST", f"/v1/orders/{order_id}/cancellations")
    counter.shop.clock.move(minutes=59)
    early = counter.sweep()
    counter.party.opened(window)  # Douyin takes it still
    counter.party.company.orders.clear()
    counter.shop.clock.move(minutes=35)
    still = counter.sweep()
    with pytest.raises(Exception, match="签名已过期"):
        counter.party.opened(window)
    counter.shop.clock.move(minutes=1)

    assert (cancelled.status, cancelled.body["code"]) == (503, "PAYMENT_PENDING")
    assert [(each["expired"], each["unanswered"]) for each in (early, still)] == [(0, 1), (0, 1)]
    assert (counter.sweep()["expired"], counter.shop.stock()["71053"]) == (1, (100, 0))


def test_an_order_that_was_opened_late_is_paid_late_and_booked(counter: Counter) -> None:
    order_id = counter.order()
    window = counter.start(order_id).body["parameters"]
    counter.shop.clock.move(minutes=59)
    counter.party.opened(window)
    counter.shop.clock.move(minutes=29)
    swept = counter.sweep()
    counter.party.confirm(window)

    assert (swept["expired"], counter.deliver(), counter.status(order_id)) == (0, [200], "paid")


def test_a_started_order_is_marked_before_its_parameters_leave_and_once(counter: Counter) -> None:
    order_id = counter.order()
    versions = []
    for _ in range(3):
        counter.start(order_id)
        found = orders_wiring.orders().find_order(order_id)
        assert found is not None
        versions.append((found.version, found.open_until))

    assert versions == [(2, versions[0][1])] * 3
    assert versions[0][1] is not None


# --- what a buyer asks Douyin for ---


def test_what_was_not_sent_is_refunded_and_douyin_is_told_that_the_shop_agrees(counter: Counter) -> None:
    order_id = counter.paid(2)
    body = asked(counter, order_id)
    (refund,) = every_refund()
    before = at_douyin(counter, order_id)
    counter.sweep()
    counter.party.company.settle()
    answers = counter.deliver()

    assert body == {
        "err_no": 0,
        "err_tips": "success",
        "data": {
            "out_refund_no": f"{order_id}-a-{refund.refund_id}",
            "order_entry_schema": {"path": "pages/order/detail", "params": f'{{"order_id":"{order_id}"}}'},
            "notify_url": counter.party.account["notify_url"],
        },
    }
    assert (before, at_douyin(counter, order_id)) == (
        [(2 * PRICE, "PROCESSING", "TOAUDIT")], [(2 * PRICE, "SUCCESS", "AGREE")],
    )  # fmt: skip
    assert (answers, refunds_here(), kinds()) == ([200], [("return", "succeeded", 2 * PRICE)], [])
    assert counter.shop.stock()["71053"] == (100, 0)


def test_a_callback_that_comes_again_is_answered_with_the_same_number_and_makes_no_second_refund(
    counter: Counter,
) -> None:
    order_id = counter.paid(2)
    sent = ask(counter, order_id)
    bodies = [notify("douyin", sent)["body"] for _ in range(3)]
    counter.shop.clock.move(minutes=10)
    counter.party.company.settle()
    again = counter.party.sent.pop()
    bodies.append(notify("douyin", again)["body"])

    assert (len(set(bodies)), refunds_here()) == (1, [("return", "requested", 2 * PRICE)])
    assert again[0]["byte-signature"] != sent[0]["byte-signature"]


def test_while_douyin_has_not_read_our_number_no_second_refund_is_made(counter: Counter) -> None:
    order_id = counter.paid(2)
    notify("douyin", ask(counter, order_id))  # the answer is lost
    first = counter.sweep()

    assert (first["refunded"], first["refunds_left"]) == (0, 1)
    assert at_douyin(counter, order_id) == [(2 * PRICE, "PROCESSING", "INIT")]
    assert counter.party.company.calls.count("refund_create") == 0


def test_what_was_sent_waits_for_the_staff_who_agree_and_all_is_booked(counter: Counter) -> None:
    order_id = counter.paid(2)
    ship(order_id)
    asked(counter, order_id)
    (item,) = every_item()
    said = clear("agreed")
    counter.sweep()
    counter.party.company.settle()
    counter.deliver()

    assert (item.kind, item.amount_fen, item.facts["needs_audit"], item.facts["left_fen"]) == (
        "refund_asked", 2 * PRICE, "true", str(2 * PRICE),
    )  # fmt: skip
    assert (said.status, said.body["status"]) == (200, "cleared")
    (refund,) = every_refund()
    assert (refund.kind, refund.status, refund.amount_fen) == ("return", "succeeded", 2 * PRICE)
    assert refund.granted_by.startswith("stf_")
    assert at_douyin(counter, order_id) == [(2 * PRICE, "SUCCESS", "AGREE")]
    assert [(each.id, each.state) for each in every_item()] == [(item.id, "cleared")]


def test_staff_who_agree_take_what_was_not_sent_off_its_supplier_too(counter: Counter) -> None:
    wanted = {"lines": [{"sku": "71053", "units": 1}, {"sku": "84406B", "units": 1}]}
    offer = counter.send("POST", "/v1/quotes", wanted).body
    placed = {"quote": offer["quote"], "receiver": counter.receiver}
    order_id = counter.send("POST", "/v1/orders", placed, key="order-9").body["order_id"]
    counter.pay(order_id)
    counter.deliver()
    ship(order_id)
    asked(counter, order_id)
    said = clear("agreed")
    counter.sweep()

    assert said.status == 200
    parts = orders_wiring.orders().find_supplier_orders(order_id, ["sup_lights", "sup_hangers"])
    assert {supplier: part.status for supplier, part in parts.items()} == {
        "sup_lights": "shipped", "sup_hangers": "cancelled",
    }  # fmt: skip
    assert at_douyin(counter, order_id) == [(offer["amount_fen"], "SUCCESS", "AGREE")]


def test_a_buyer_asks_again_after_a_denial_and_the_staff_decide_anew(counter: Counter) -> None:
    order_id = counter.paid()
    ship(order_id)
    first = asked(counter, order_id)
    clear("denied")
    counter.party.company.settle()
    counter.deliver()
    second = asked(counter, order_id)
    (item,) = (each for each in every_item() if each.state == "open")
    path = f"/v1/open-items/{item.id}/clearings"
    body = {"outcome": "agreed", "reason": "after all"}
    said = reply(serve(http_event("POST", path, body, token=staff_key("Li Na", "open_items:clear"))))
    counter.sweep()

    assert first["data"]["out_refund_no"] != second["data"]["out_refund_no"]
    assert (said.status, len(list(every_item()))) == (200, 2)
    assert at_douyin(counter, order_id) == [(PRICE, "FAIL", "DENY"), (PRICE, "SUCCESS", "AGREE")]


def test_what_was_sent_waits_for_the_staff_who_deny_and_nothing_moves(counter: Counter) -> None:
    order_id = counter.paid()
    ship(order_id)
    asked(counter, order_id)
    said = clear("denied", "商品无质量问题")
    counter.party.company.settle()
    answers = counter.deliver()

    assert (said.status, said.body["status"], answers) == (200, "cleared", [200])
    assert at_douyin(counter, order_id) == [(PRICE, "FAIL", "DENY")]
    (at_platform,) = counter.party.company.orders[order_id]["refunds"].values()
    assert at_platform["message"] == "商品无质量问题"
    assert (refunds_here(), kinds()) == ([], [("refund_asked", at_platform["refund_id"])])


def test_a_denial_without_an_answer_is_said_again_and_one_that_comes_too_late_is_refused(counter: Counter) -> None:
    order_id = counter.paid()
    ship(order_id)
    asked(counter, order_id)
    counter.party.fail_next("fine", "fine", "answer_lost")  # a token, the query, the word
    lost = clear("denied")
    again = clear("denied")
    other = counter.paid()
    ship(other)
    asked(counter, other)
    counter.shop.clock.move(hours=73)
    counter.party.company.settle()
    (open_item,) = (each for each in every_item() if each.state == "open")
    event = http_event(
        "POST", f"/v1/open-items/{open_item.id}/clearings", {"outcome": "denied", "reason": "late"},
        token=staff_key("Li Na", "open_items:clear"),
    )  # fmt: skip
    late = reply(serve(event))

    assert (lost.status, lost.body["code"], again.status) == (503, "CHANNEL_UNAVAILABLE", 200)
    assert (late.status, late.body["code"]) == (409, "REFUND_SUCCEEDED")
    assert at_douyin(counter, order_id) == [(PRICE, "FAIL", "DENY")]


def test_what_nobody_decides_douyin_refunds_and_people_see_that_it_is_not_booked(counter: Counter) -> None:
    order_id = counter.paid()
    ship(order_id)
    asked(counter, order_id)
    counter.shop.clock.move(hours=73)
    counter.party.company.settle()

    assert counter.deliver() == [200]
    assert at_douyin(counter, order_id) == [(PRICE, "SUCCESS", "OVERTIME")]
    assert [kind for kind, _ in kinds()] == ["refund_asked", "refund_mismatch"]
    assert refunds_here() == []


def test_another_amount_than_the_unsent_units_bring_waits_for_the_staff_who_cannot_agree(counter: Counter) -> None:
    order_id = counter.paid(2)
    asked(counter, order_id, 5_000)
    said = clear("agreed")
    denied = clear("denied")

    assert (said.status, said.body["code"], denied.status) == (409, "REFUND_DIFFERS", 200)
    assert refunds_here() == []


def test_what_is_left_after_an_earlier_refund_is_what_a_buyer_can_ask_for(counter: Counter) -> None:
    order_id = counter.paid(3)
    counter.refund(order_id)
    counter.sweep()
    asked(counter, order_id)
    counter.sweep()

    assert at_douyin(counter, order_id) == [(PRICE, "SUCCESS", ""), (2 * PRICE, "SUCCESS", "AGREE")]
    assert counter.party.refunded(order_id) == 3 * PRICE


def test_douyin_s_own_service_refunds_without_our_word_and_unsent_units_are_booked(counter: Counter) -> None:
    order_id = counter.paid()
    asked(counter, order_id, audit=False, source=4)
    counter.party.company.settle()
    counter.deliver()

    assert (at_douyin(counter, order_id), refunds_here()) == (
        [(PRICE, "SUCCESS", "AGREE")], [("return", "succeeded", PRICE)],
    )  # fmt: skip
    assert "refund_audit_callback" not in counter.party.company.calls


def test_what_somebody_asks_for_another_payment_or_order_is_an_open_item_that_is_answered(counter: Counter) -> None:
    order_id = counter.paid()
    genuine = json.loads(json.loads(ask(counter, order_id)[1])["msg"])
    for number, changed in enumerate((
        {"order_id": "motb-other"}, {"currency": "DIAMOND"}, {"out_order_no": "2088-not-ours"},
    )):  # fmt: skip
        msg = genuine | {"refund_id": f"motb{number}"} | changed
        answer = notify("douyin", counter.party.notice("pre_create_refund", msg))
        body = json.loads(answer["body"])

        assert (answer["statusCode"], body["err_no"]) == (200, 0)
        assert len(body["data"]["out_refund_no"]) <= 64
    assert [kind for kind, _ in kinds()] == ["refund_asked"] * 3
    assert refunds_here() == []


def test_a_buyer_who_asks_for_an_order_that_is_not_paid_here_gets_nothing_from_us(counter: Counter) -> None:
    order_id = counter.order()
    counter.pay(order_id)  # its callback is lost
    asked(counter, order_id)

    assert ([kind for kind, _ in kinds()], refunds_here()) == (["refund_asked"], [])
    assert counter.status(order_id) == "placed"


def test_the_end_of_an_order_frees_its_coupon(counter: Counter) -> None:
    counter.shop.trade.publish(UNLOCK)
    for friend in ("mem_" + "c" * 26, "mem_" + "d" * 26):
        counter.shop.trade.member(friend, BUYER)
        count_verified(friend, network=network_wiring.network())
    network_wiring.plans.cache_clear()  # In a process of its own it has read no plan yet.
    wanted = {"lines": [{"sku": "71053", "units": 2}], "coupon": f"benefit.{BUYER}.1"}
    offer = counter.send("POST", "/v1/quotes", wanted).body
    placed = {"quote": offer["quote"], "receiver": counter.receiver}
    order_id = counter.send("POST", "/v1/orders", placed, key="order-9").body["order_id"]
    counter.opened(order_id)
    in_use = counter.send("POST", "/v1/quotes", wanted)
    counter.party.company.end_by_buyer(order_id)
    counter.party.company.settle()

    assert (counter.deliver(), counter.status(order_id)) == ([200], "cancelled")
    assert in_use.body["code"] == "COUPON_UNKNOWN"
    assert 0 < offer["amount_fen"] < 2 * PRICE
    assert counter.send("POST", "/v1/quotes", wanted).body["amount_fen"] == offer["amount_fen"]


def test_a_refund_of_ours_is_reported_under_our_number_and_ends_by_the_callback(counter: Counter) -> None:
    order_id = counter.paid(2)
    counter.party.end_refunds("processing")
    refund_id = counter.refund(order_id)
    counter.sweep()
    counter.party.end_refunds("succeeded")
    counter.party.company.settle()
    (sent,) = counter.party.sent
    counter.party.sent *= 3

    assert f"{order_id}-{refund_id}" in sent[1].decode()
    assert counter.deliver() == [200] * 3
    assert (counter.refund_of(order_id, refund_id).status, kinds()) == ("succeeded", [])


def test_a_refund_that_fails_at_douyin_is_for_people_to_end(counter: Counter) -> None:
    order_id = counter.paid()
    counter.party.end_refunds("processing")
    refund_id = counter.refund(order_id)
    counter.sweep()
    counter.party.end_refunds("refused")
    counter.party.company.settle()

    assert counter.deliver() == [200]
    assert counter.refund_of(order_id, refund_id).status == "refused"
    (item,) = every_item()
    assert (item.kind, item.facts["channel_reason"]) == ("refund_refused", "FAIL 退款失败")


@pytest.mark.parametrize("number", ["", "default123"])
def test_a_refund_that_was_made_on_douyin_s_pages_is_an_open_item(number: str, counter: Counter) -> None:
    order_id = counter.paid()
    counter.party.company.refund_by_hand(order_id, 500, number=number)
    counter.party.company.settle()
    counter.party.sent *= 2

    assert counter.deliver() == [200] * 2
    (item,) = every_item()
    assert (item.kind, item.amount_fen, item.subject[:4]) == ("refund_mismatch", 500, number[:4] or "motb")
    assert counter.status(order_id) == "paid"


@pytest.mark.parametrize("changed", [{"status": "SETTLED"}, {"status": ""}])
def test_a_callback_about_something_else_is_taken_and_changes_nothing(
    changed: dict[str, Any], counter: Counter
) -> None:
    order_id = counter.order()
    sent = [
        counter.party.notice("payment", counter.party.payment(order_id, **changed)),
        counter.party.notice("settle", {"app_id": counter.party.app_id, "status": "SUCCESS"}),
    ]

    assert [notify("douyin", each)["body"] for each in sent] == ['{"err_no":0,"err_tips":"success"}'] * 2
    assert (counter.status(order_id), kinds()) == ("placed", [])


def test_a_payment_in_another_currency_pays_no_order(counter: Counter) -> None:
    order_id = counter.order()
    sent = counter.party.notice("payment", counter.party.payment(order_id, total_amount=PRICE, currency="DIAMOND"))
    notify("douyin", sent)

    assert (counter.status(order_id), kinds()) == ("placed", [("payment_mismatch", order_id)])


@pytest.mark.parametrize("coupon", [0, 100, PRICE - 1])
def test_an_order_that_douyin_s_coupon_pays_in_part_is_paid_and_refunded_whole(coupon: int, counter: Counter) -> None:
    order_id = counter.order()
    counter.pay(order_id, coupon_fen=coupon)
    counter.deliver()
    counter.refund(order_id)
    counter.sweep()

    assert (counter.status(order_id), counter.party.refunded(order_id)) == ("paid", PRICE)
