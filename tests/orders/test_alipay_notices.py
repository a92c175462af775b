"""Alipay's notices through the functions: refunds come in the form of payments, and everything can come again."""

from collections.abc import Iterator

import pytest

from cardstock.open_items.store import every_item
from cardstock.orders.store import every_refund
from infra.local.server import HttpAnswer
from tests.orders.test_platform_payments import Counter, kinds
from tests.people.payment_parties import AlipayParty, notify, opened
from tests.people.shop import Shop

PRICE = 33_900


@pytest.fixture(params=["2021000000000001", "2021000000000002"])
def counter(request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    """At a new app of Alipay, and at an old one."""
    party = AlipayParty(shop.clock, request.param)
    with opened(party, shop.cloud, monkeypatch):
        yield Counter(shop, party)


def hanging(counter: Counter, units: int) -> tuple[str, str]:
    """A refund of one unit, on which Alipay works: the ids of order and refund."""
    order_id = counter.paid(units)
    counter.party.end_refunds("processing")
    refund_id = counter.refund(order_id)
    counter.sweep()
    return order_id, refund_id


@pytest.mark.parametrize(("units", "state"), [(2, "TRADE_SUCCESS"), (1, "TRADE_CLOSED")])
def test_a_notice_ends_a_refund_of_a_part_or_of_all_and_books_no_payment(
    units: int, state: str, counter: Counter
) -> None:
    order_id, refund_id = hanging(counter, units)
    counter.party.end_refunds("succeeded")
    counter.party.company.settle()
    (sent,) = counter.party.sent
    counter.party.sent *= 3
    answers = counter.deliver()
    done = counter.refund_of(order_id, refund_id)

    assert f"trade_status={state}".encode() in sent[1]
    assert answers == [200] * 3
    assert (done.status, done.version) == ("succeeded", 2)
    assert [each.kind for each in every_refund()] == ["return"]
    assert (counter.sweep()["refunded"], kinds()) == (0, [])


def test_the_sum_in_a_second_notice_is_not_the_amount_of_the_second_refund(counter: Counter) -> None:
    order_id = counter.paid(3)
    first, second = counter.refund(order_id), counter.refund(order_id)
    counter.sweep()
    counter.party.company.settle()
    sums = [body.partition(b"refund_fee=")[2].partition(b"&")[0] for _, body in counter.party.sent]

    assert sums == [b"339.00", b"678.00"]
    assert counter.deliver() == [200] * 2
    assert {counter.refund_of(order_id, each).status for each in (first, second)} == {"succeeded"}
    assert (counter.party.refunded(order_id), kinds()) == (2 * PRICE, [])


def test_a_notice_of_years_ago_changes_nothing_of_an_order_that_has_gone_on(counter: Counter) -> None:
    order_id = counter.order()
    counter.pay(order_id)
    payment = counter.party.sent[0]
    counter.deliver()
    refund_id = counter.refund(order_id)
    counter.sweep()
    counter.party.company.settle()
    (refund,) = counter.party.sent
    counter.shop.clock.move(days=700)
    answers = [notify("alipay", sent)["statusCode"] for sent in (payment, refund, refund, payment)]

    assert answers == [200] * 4
    assert counter.refund_of(order_id, refund_id).version == 2
    assert (len(list(every_refund())), kinds(), counter.party.refunded(order_id)) == (1, [], PRICE)


def test_an_old_payment_of_a_cancelled_order_is_refunded_once_however_often_it_comes(counter: Counter) -> None:
    order_id = counter.order()
    window = counter.start(order_id).body["parameters"]
    counter.send("POST", f"/v1/orders/{order_id}/cancellations")
    counter.party.reopen(order_id)
    counter.party.confirm(window)
    payment = counter.party.sent[0]
    for _ in range(3):
        assert notify("alipay", payment)["body"] == "success"
        counter.sweep()

    assert counter.party.refunded(order_id) == PRICE
    assert [(each.kind, each.status) for each in every_refund()] == [("stray", "succeeded")]


@pytest.mark.parametrize("fen", [500, PRICE])
def test_a_refund_that_was_made_on_alipay_s_pages_is_an_open_item(fen: int, counter: Counter) -> None:
    order_id = counter.paid()
    counter.party.refund_by_hand(order_id, fen)
    counter.party.sent *= 2

    assert counter.deliver() == [200] * 2
    (item,) = every_item()
    assert (item.kind, item.facts["order_id"]) == ("refund_mismatch", order_id)
    assert item.facts["channel_reason"] == f"{fen // 100}.00 CNY in all"
    assert counter.status(order_id) == "paid"


def test_a_refund_without_a_number_is_told_from_others_by_its_time(counter: Counter) -> None:
    order_id = counter.paid()
    for second in ("01", "02", "02"):
        at = f"2026-12-01 16:00:{second}.000"
        notify("alipay", counter.party.notice(order_id, refund_fee="1.00", gmt_refund=at))

    assert sorted(item.subject for item in every_item()) == ["2026-12-01 16:00:01.000", "2026-12-01 16:00:02.000"]


def test_the_end_of_a_trade_that_gave_some_back_pays_no_order_that_waits(counter: Counter) -> None:
    order_id = counter.order()
    counter.pay(order_id)
    counter.party.sent.clear()
    sent = counter.party.notice(order_id, trade_status="TRADE_FINISHED", refund_fee="1.00")
    answers = [notify("alipay", sent)["statusCode"] for _ in range(2)]

    assert answers == [200] * 2
    assert (counter.status(order_id), kinds()) == ("placed", [("payment_mismatch", order_id)])


def test_a_trade_that_ended_unpaid_is_nothing_to_us(counter: Counter) -> None:
    order_id = counter.order()
    counter.start(order_id)
    closed = notify("alipay", counter.party.notice(order_id, trade_status="TRADE_CLOSED", gmt_payment=""))

    assert (closed["statusCode"], closed["body"]) == (200, "success")
    assert (counter.status(order_id), kinds()) == ("placed", [])


def test_an_order_that_alipay_s_voucher_pays_in_part_is_paid_and_refunded_whole(counter: Counter) -> None:
    order_id = counter.order()
    counter.pay(order_id, voucher_fen=100)
    counter.deliver()
    refund_id = counter.refund(order_id)
    counter.sweep()

    assert (counter.status(order_id), counter.refund_of(order_id, refund_id).status) == ("paid", "succeeded")
    assert counter.party.refunded(order_id) == PRICE


def test_alipay_stops_after_the_answer_of_the_inbox_and_repeats_after_a_refusal(counter: Counter) -> None:
    counter.party.answers = [HttpAnswer(503, {}, b"{}")]
    order_id = counter.order()
    counter.pay(order_id)
    answer = notify("alipay", counter.party.sent[0])
    counter.party.answers = [HttpAnswer(answer["statusCode"], answer["headers"], answer["body"].encode())]
    counter.shop.clock.move(minutes=4)
    counter.party.company.settle()

    assert len(counter.party.sent) == 2
    assert counter.party.company.notices.waiting() == []
    assert answer["headers"]["Content-Type"].startswith("text/plain")


def test_a_notice_in_base64_is_read_as_it_was_sent(counter: Counter) -> None:
    """API Gateway hands over what is no text in base64."""
    from base64 import b64encode

    from functions.orders.payment_inbox import app as payment_inbox
    from tests.house.cloud import Context, http_event

    order_id = counter.order()
    counter.pay(order_id)
    headers, body = counter.party.sent[0]
    event = http_event("POST", "/v1/payments/alipay/notify", b64encode(body).decode(), headers=dict(headers))
    answer = payment_inbox.handler(event | {"isBase64Encoded": True}, Context())

    assert answer["body"] == "success"
    assert counter.status(order_id) == "paid"
