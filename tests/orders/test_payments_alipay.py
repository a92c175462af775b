"""The client of Alipay's payments against a gateway that checks what it gets: payments, closings and refunds."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from msgspec import ValidationError
from msgspec.structs import replace

from cardstock.errors import ConflictError, RefusedError, UnavailableError
from cardstock.orders.channels.alipay import AlipayChannel
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.orders.payment_model import PaymentNotice, PaymentParameters
from cardstock.orders.refund_model import Refund
from cardstock.platforms import alipay_gateway
from cardstock.platforms.keys import PrivateKey, PublicKey
from infra.local.platforms.people import WrongCallError
from infra.local.server import HttpAnswer
from tests.people.clock import TestClock
from tests.people.payment_parties import AlipayParty, alipay_account, alipay_apps

APP, OLD_APP = "2021000000000001", "2021000000000002"
ORDER_ID = "ord_01kbdxdh50fcazdjhcnqh2rzv5"
AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
ORDER = Order(
    ORDER_ID, "mem_a", "placed", (), 3_000, Receiver("n", "1", "a"), None, {}, AT, app=f"alipay:{APP}",
)  # fmt: skip
REFUND = Refund(
    "rfd_1", ORDER_ID, "mem_a", "return", "requested", 1_000, (), "坏了 a/b=c&d", "alipay", "", 3_000, AT,
)  # fmt: skip
UNUSABLE = (
    "busy", "server_error", "not_json", "stall", "half", "answer_lost", "forged", "unsigned", "other_call",
    "call_limited", "system_error",
)  # fmt: skip


@pytest.fixture
def party(clock: TestClock) -> AlipayParty:
    return AlipayParty(clock)


def order_of(party: AlipayParty, **changed: Any) -> Order:
    return replace(ORDER, app=f"alipay:{party.app_id}", **changed)


def started(party: AlipayParty, order: Order | None = None) -> dict[str, str]:
    found = party.channel().start(order or order_of(party), party.payer)
    assert isinstance(found, PaymentParameters)
    return found.parameters


def paid(party: AlipayParty, **how: Any) -> Refund:
    """A refund of the order's payment, which the buyer has made."""
    party.confirm(started(party), **how)
    party.sent.clear()
    return replace(REFUND, transaction_no=party.company.trades[ORDER_ID]["trade_no"])


# --- starting a payment ---


@pytest.mark.parametrize(("app_id", "named"), [(APP, "buyer_open_id"), (OLD_APP, "buyer_id")])
def test_a_trade_says_who_buys_what_for_how_much_and_until_when(app_id: str, named: str, clock: TestClock) -> None:
    party = AlipayParty(clock, app_id)
    line = OrderLine(1, "71053", "茶/具=1&2", 1, 3_000, 3_000, "sup", qualifying=False, earns=True)
    call, again = (started(party, order_of(party, lines=(line,))) for _ in range(2))
    trade = party.company.trades[ORDER_ID]

    assert call == again == {"tradeNO": trade["trade_no"]}
    assert trade["asked"] == {
        "out_trade_no": ORDER_ID, "total_amount": "30.00", "subject": "白鹭茶业 茶／具＝1＆2",
        "product_code": "JSAPI_PAY", "op_app_id": app_id, named: party.payer.split(":")[2],
        "time_expire": "2026-12-01 16:30:00",
    }  # fmt: skip
    assert (trade["app_id"], trade["notify_url"]) == (app_id, party.account["notify_url"])


@pytest.mark.parametrize(("fen", "yuan"), [(1, "0.01"), (10, "0.10"), (101, "1.01"), (999_999_99, "999999.99")])
def test_amounts_are_yuan_with_two_decimals_and_come_back_to_the_fen(fen: int, yuan: str, party: AlipayParty) -> None:
    order = order_of(party, amount_fen=fen)
    party.confirm(started(party, order))
    found = party.channel().close(order)

    assert party.company.trades[ORDER_ID]["asked"]["total_amount"] == yuan
    assert isinstance(found, PaymentNotice)
    assert found.amount_fen == fen


def test_a_long_list_of_goods_is_cut_and_an_order_without_a_name_has_its_number(party: AlipayParty) -> None:
    line = OrderLine(1, "1", "灯" * 300, 1, 3_000, 3_000, "sup", qualifying=False, earns=True)
    started(party, order_of(party, lines=(line,)))
    nameless = replace(ORDER, order_id=ORDER_ID[:-1] + "6")
    party.channel(title="").start(nameless, party.payer)

    assert len(party.company.trades[ORDER_ID]["asked"]["subject"]) == 256
    assert party.company.trades[nameless.order_id]["asked"]["subject"] == nameless.order_id


@pytest.mark.parametrize("mode", UNUSABLE)
def test_a_start_without_a_usable_answer_is_unknown_and_its_repeat_gives_the_trade(
    mode: str, party: AlipayParty
) -> None:
    party.fail_next(mode, mode)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        started(party)
    told = list(party.told)
    party.fail_next()

    assert started(party) == {"tradeNO": party.company.trades[ORDER_ID]["trade_no"]}
    assert {number for number, _ in told} == {ORDER_ID}
    assert len(party.company.trades) == 1


def test_a_paid_order_starts_as_its_payment_and_a_closed_one_takes_none(party: AlipayParty) -> None:
    paid(party)
    found = party.channel().start(ORDER, party.payer)
    other = replace(ORDER, order_id=ORDER_ID[:-1] + "6")
    started(party, other)
    party.channel().close(other)

    assert isinstance(found, PaymentNotice)
    assert (found.amount_fen, found.payer, found.gave_back) == (3_000, party.payer, False)
    with pytest.raises(ConflictError, match="PAYMENT_CLOSED"):
        party.channel().start(other, party.payer)


def test_a_number_that_is_taken_with_another_amount_or_buyer_is_a_conflict(party: AlipayParty) -> None:
    started(party)

    with pytest.raises(ConflictError, match="PAYMENT_STARTED"):
        started(party, order_of(party, amount_fen=2_999))
    with pytest.raises(ConflictError, match="PAYMENT_STARTED"):
        party.channel().start(ORDER, f"alipay:{APP}:2088612477411337")
    assert party.told == [(ORDER_ID, "40004 ACQ.CONTEXT_INCONSISTENT")] * 2


def test_what_alipay_refuses_of_the_merchant_is_to_be_repaired(party: AlipayParty) -> None:
    swapped = {APP: alipay_account()["apps"][OLD_APP]}
    party.fail_next("no_authority")
    with pytest.raises(UnavailableError, match="CHANNEL_MISCONFIGURED"):
        started(party)
    with pytest.raises(UnavailableError, match="CHANNEL_MISCONFIGURED"):
        party.channel(apps=swapped).start(ORDER, party.payer)

    assert [cause for _, cause in party.told] == [
        "40006 isv.insufficient-isv-permissions", "40002 isv.invalid-signature",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"apps": {}}, {"apps": {APP: {"private_key": "x", "public_key": "y"}}}, {"notify_url": "shop/notify"},
        {"notify_url": "https://shop.example.com/n?a=1"}, {"unknown": 1}, {"apps": None}, {"title": "店" * 33},
    ],
)  # fmt: skip
def test_an_account_that_cannot_work_stops_before_anything_is_sent(party: AlipayParty, changed: dict[str, Any]) -> None:
    with pytest.raises((ValueError, ValidationError)):
        party.channel(**changed)

    assert party.company.calls == []


# --- what is signed ---


def test_an_answer_is_signed_in_its_exact_bytes(party: AlipayParty) -> None:
    """What says the same in other bytes is not what Alipay signed."""

    def rewritten(request: httpx.Request) -> httpx.Response:
        answer = party.served.carry(request)
        return httpx.Response(200, content=json.dumps(json.loads(answer.content)).encode())

    transport = httpx.MockTransport(rewritten)
    made = AlipayChannel(party.account, report=lambda *what: party.told.append(what), transport=transport)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        made.start(ORDER, party.payer)

    assert {cause for _, cause in party.told} == {"signature"}


def test_an_answer_about_another_order_or_refund_says_nothing(party: AlipayParty, clock: TestClock) -> None:
    """Alipay's answers carry neither time nor request: an old one, or that to another call, is genuine for ever."""
    refund, other = paid(party), AlipayParty(clock)
    number = ORDER_ID[:-1] + "6"
    other.confirm(started(other, replace(ORDER, order_id=number)))
    foreign = replace(refund, transaction_no=other.company.trades[number]["trade_no"])
    other.channel().refund(foreign)

    def elsewhere(request: httpx.Request) -> httpx.Response:
        """Alipay's answers to the same calls about the other order."""
        form = dict(parse_qsl(request.content.decode()))
        asked = json.loads(form["biz_content"].replace(ORDER_ID, number))
        if "trade_no" in asked:
            asked["trade_no"] = foreign.transaction_no
        app = alipay_gateway.AppKeys(APP, *_keys(APP))
        fields = alipay_gateway.signed_form(APP, app.private, form["method"], {"biz_content": json.dumps(asked)})
        return other.served.carry(httpx.Request("POST", request.url, data=fields))

    made = AlipayChannel(party.account, report=lambda *_: None, transport=httpx.MockTransport(elsewhere))
    for call in (lambda: made.close(ORDER), lambda: made.refund(refund), lambda: made.progress(refund)):
        with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
            call()


def _keys(app_id: str) -> tuple[Any, Any]:
    app = alipay_account()["apps"][app_id]
    return PrivateKey(app["private_key"]), PublicKey(app["public_key"])


# --- closing ---


def test_how_each_state_of_a_trade_ends_an_order(party: AlipayParty, clock: TestClock) -> None:
    channel, call = party.channel(), started(party)
    with pytest.raises(WrongCallError):
        party.confirm({"tradeNO": "1"})
    party.confirm(call, processing=True)
    while_paying = channel.close(ORDER)
    party.confirm(call)
    after = channel.close(ORDER)
    party.company.trades[ORDER_ID]["status"] = "TRADE_FINISHED"
    finished = channel.close(ORDER)

    assert while_paying == "open"
    assert after == finished
    assert isinstance(after, PaymentNotice)
    assert (after.transaction_no, after.paid_at, after.payer) == (call["tradeNO"], AT, party.payer)


def test_a_trade_that_ended_by_time_or_was_never_made_is_closed(party: AlipayParty, clock: TestClock) -> None:
    started(party)
    clock.move(minutes=30)

    assert party.channel().close(ORDER) == "closed"
    # Most orders that expire were never started here: that is no trouble to be told.
    assert party.channel().close(replace(ORDER, order_id=ORDER_ID[:-1] + "6")) == "closed"
    assert party.told == [(ORDER_ID, "40004 ACQ.TRADE_STATUS_ERROR")]


def test_a_closed_trade_with_a_time_of_payment_is_a_payment_that_went_back(party: AlipayParty) -> None:
    paid(party)
    party.refund_by_hand(ORDER_ID, 3_000)
    found = party.channel().close(ORDER)

    assert isinstance(found, PaymentNotice)
    assert (found.gave_back, found.amount_fen) == (True, 3_000)


@pytest.mark.parametrize("mode", UNUSABLE)
def test_a_closing_without_a_usable_answer_is_unknown(mode: str, party: AlipayParty) -> None:
    started(party)
    party.fail_next(mode, mode)

    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().close(ORDER)


@pytest.mark.parametrize("apart", [False, True])
def test_an_order_that_names_no_app_is_closed_in_all_of_them(apart: bool, clock: TestClock) -> None:
    party = AlipayParty(clock, OLD_APP)
    party.company.apart = apart
    order = replace(ORDER, app="")
    call = started(party, order)
    closed = party.channel().close(order)
    with pytest.raises(WrongCallError):
        party.confirm(call)

    assert closed == "closed"


@pytest.mark.parametrize("modes", [("no_authority", "fine"), ("fine", "no_authority")])
def test_an_app_that_cannot_be_asked_leaves_an_order_undecided(modes: tuple[str, ...], party: AlipayParty) -> None:
    """One app says that it does not know the trade; whether the other one does is not known."""
    party.fail_next(*modes * 2)

    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().close(replace(ORDER, app=""))


# --- refunds ---


def test_a_refund_names_trade_amount_and_number(party: AlipayParty) -> None:
    refund = paid(party)
    seen: list[httpx.Request] = []

    def watched(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return party.served.carry(request)

    made = AlipayChannel(party.account, report=lambda *_: None, transport=httpx.MockTransport(watched))
    done = made.refund(refund)
    form = dict(parse_qsl(seen[0].content.decode()))

    assert done is True
    assert seen[0].url.params["charset"] == form["charset"] == "utf-8"
    assert json.loads(form["biz_content"]) == {
        "trade_no": refund.transaction_no, "refund_amount": "10.00", "out_request_no": "rfd_1",
        "refund_reason": "坏了 a／b＝c＆d",
    }  # fmt: skip
    assert len(seen) == 1


def test_two_parts_of_one_amount_are_two_and_a_repeat_whose_answer_was_lost_moves_nothing(party: AlipayParty) -> None:
    first = paid(party)
    second, channel = replace(first, refund_id="rfd_2"), party.channel()
    channel.refund(first)
    party.fail_next("answer_lost")
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        channel.refund(second)
    between = party.refunded(ORDER_ID)
    party.company.calls.clear()
    again = channel.refund(second)

    assert (between, again, party.refunded(ORDER_ID)) == (2_000, True, 2_000)
    # `fund_change` is N: the refund is done because the query says so.
    assert party.company.calls == ["alipay.trade.refund", "alipay.trade.fastpay.refund.query"]


@pytest.mark.parametrize("mode", UNUSABLE)
def test_a_refund_without_a_usable_answer_is_unknown_and_moves_money_once(mode: str, party: AlipayParty) -> None:
    refund, channel = paid(party), party.channel()
    party.fail_next(mode, mode)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        channel.refund(refund)
    party.fail_next()

    assert channel.refund(refund) is True
    assert party.refunded(ORDER_ID) == 1_000


@pytest.mark.parametrize("mode", ["error_after", "forged", "unsigned", "other_call"])
def test_a_refund_that_was_made_behind_an_unusable_answer_is_found_by_asking(mode: str, party: AlipayParty) -> None:
    refund = paid(party)
    party.fail_next(mode)

    assert party.channel().refund(refund) is True
    assert party.refunded(ORDER_ID) == 1_000


@pytest.mark.parametrize("mode", ["busy", "system_error"])
def test_alipay_s_own_trouble_is_asked_about_and_the_same_number_goes_again(mode: str, party: AlipayParty) -> None:
    refund = paid(party)
    party.fail_next(mode)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().refund(refund)
    asked = list(party.company.calls[-2:])

    assert asked == ["alipay.trade.refund", "alipay.trade.fastpay.refund.query"]
    assert party.channel().refund(refund) is True
    assert list(party.company.trades[ORDER_ID]["refunds"]) == ["rfd_1"]


def test_too_many_calls_are_not_answered_with_one_more(party: AlipayParty) -> None:
    refund = paid(party)
    party.company.calls.clear()
    party.fail_next("call_limited")
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().refund(refund)

    assert party.company.calls == ["alipay.trade.refund"]


@pytest.mark.parametrize("mode", ["not_enough", "no_authority"])
def test_what_waits_for_the_merchant_is_made_with_the_same_number_afterwards(mode: str, party: AlipayParty) -> None:
    refund, channel = paid(party), party.channel()
    party.fail_next(*[mode] * 2)
    with pytest.raises(UnavailableError, match="MERCHANT_MUST_ACT") as waits:
        channel.refund(refund)
    party.fail_next()

    assert waits.value.facts["reason"]
    assert channel.progress(refund) == "none"
    assert channel.refund(refund) is True
    assert list(party.company.trades[ORDER_ID]["refunds"]) == ["rfd_1"]


@pytest.mark.parametrize(("mode", "code"), [
    ("finished", "ACQ.TRADE_HAS_FINISHED"), ("not_allowed", "ACQ.TRADE_NOT_ALLOW_REFUND"),
    ("frozen", "ACQ.REASON_TRADE_BEEN_FREEZEN"),
])  # fmt: skip
def test_a_refusal_about_the_trade_is_final_only_if_the_query_knows_no_refund(
    mode: str, code: str, party: AlipayParty
) -> None:
    refund, channel = paid(party), party.channel()
    party.fail_next(mode, "server_error")
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        channel.refund(refund)
    party.fail_next(mode)
    with pytest.raises(RefusedError, match="REFUND_REFUSED") as refused:
        channel.refund(refund)

    assert refused.value.facts["reason"] == f"40004 {code}"
    assert party.refunded(ORDER_ID) == 0


@pytest.mark.parametrize(("changed", "state", "code"), [
    ({"amount_fen": 3_001}, "TRADE_SUCCESS", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"),
    ({"amount_fen": 0}, "TRADE_SUCCESS", "ACQ.REASON_TRADE_REFUND_FEE_ERR"),
    ({"transaction_no": "2026120122001"}, "TRADE_SUCCESS", "ACQ.TRADE_NOT_EXIST"),
    ({}, "WAIT_BUYER_PAY", "ACQ.TRADE_STATUS_ERROR"),
    ({}, "TRADE_FINISHED", "ACQ.TRADE_HAS_FINISHED"),
])  # fmt: skip
def test_what_a_trade_does_not_take_is_refused_for_good(
    changed: dict[str, Any], state: str, code: str, party: AlipayParty
) -> None:
    refund = replace(paid(party), **changed)
    party.company.trades[ORDER_ID] |= {"status": state, "paying": True}
    with pytest.raises(RefusedError, match="REFUND_REFUSED") as refused:
        party.channel().refund(refund)

    assert refused.value.facts["reason"] == f"40004 {code}"
    assert party.refunded(ORDER_ID) == 0


def test_a_refusal_after_the_refund_was_made_does_not_make_it_refused(party: AlipayParty) -> None:
    refund = paid(party)
    party.company.refund_by_hand(ORDER_ID, 1_000, number="rfd_1")
    party.fail_next("finished")
    assert party.channel().refund(refund) is True

    # Then the time of refunds is over: what was made stays made.
    party.company.trades[ORDER_ID]["status"] = "TRADE_FINISHED"
    assert party.channel().refund(refund) is True


def test_a_number_that_has_another_amount_at_alipay_is_neither_done_nor_refused(party: AlipayParty) -> None:
    refund, channel = paid(party), party.channel()
    channel.refund(refund)
    for call in (channel.refund, channel.progress):
        with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
            call(replace(refund, amount_fen=900))

    assert ("rfd_1", "40004 ACQ.DISCORDANT_REPEAT_REQUEST") in party.told
    assert ("rfd_1", "another_amount") in party.told
    assert party.refunded(ORDER_ID) == 1_000


def test_a_refund_that_is_worked_on_is_known_before_it_is_made(party: AlipayParty) -> None:
    refund, channel = paid(party), party.channel()
    before = channel.progress(refund)
    party.end_refunds("processing")
    sent, worked_on = channel.refund(refund), channel.progress(refund)
    party.end_refunds("succeeded")

    assert (before, sent, worked_on, channel.progress(refund)) == ("none", False, "processing", "succeeded")


@pytest.mark.parametrize("apart", [False, True])
def test_a_refund_reaches_the_app_of_its_trade(apart: bool, clock: TestClock) -> None:
    party = AlipayParty(clock, OLD_APP)
    refund = paid(party)
    party.company.apart = apart

    assert party.channel().refund(refund) is True
    assert party.channel().progress(refund) == "succeeded"


# --- the gateway of this machine ---


def test_a_notice_is_repeated_for_25_hours_until_the_answer_is_the_word(party: AlipayParty, clock: TestClock) -> None:
    party.answers = [HttpAnswer(200, {}, b"success\n"), HttpAnswer(204, {}, b""), HttpAnswer(200, {}, b"SUCCESS")]
    party.confirm(started(party))
    started_at = clock.now()
    while party.company.notices.waiting() and clock.now() < started_at + timedelta(days=2):
        clock.move(minutes=1)
        party.company.settle()
    lasted, sent = clock.now() - started_at, len(party.sent)
    party.answers = [HttpAnswer(200, {}, b"success")]
    party.refund_by_hand(ORDER_ID, 100)

    assert (sent, lasted) == (8, timedelta(minutes=4 + 10 + 10 + 60 + 120 + 360 + 900))
    assert party.company.notices.waiting() == []


def call(party: AlipayParty, method: str, content: Any, **fields: str) -> str:
    """The sub-code of the gateway's answer; empty for a success."""
    private, public = _keys(APP)
    client = httpx.Client(transport=party.transport)
    gateway = alipay_gateway.Gateway("https://openapi.alipay.com/gateway.do", client)
    app = alipay_gateway.AppKeys(APP, private, public)
    return gateway.call(app, method, content, **fields).sub_code


GOOD = {
    "out_trade_no": "a1", "total_amount": "88.88", "subject": "茶", "product_code": "JSAPI_PAY", "op_app_id": APP,
    "buyer_open_id": "074a1CcTG1LelxKe4xQC0zgNdId",
}  # fmt: skip


@pytest.mark.parametrize("changed", [
    {"out_trade_no": "a-1"}, {"out_trade_no": "a" * 65}, {"total_amount": "0.00"}, {"total_amount": "1.001"},
    {"total_amount": 88.88}, {"total_amount": "100000000.01"}, {"subject": ""}, {"subject": "茶/具"},
    {"subject": "茶" * 257}, {"product_code": "QUICK_WAP_WAY"}, {"op_app_id": "2021000000000009"},
    {"buyer_id": "2088612477411337"}, {"buyer_open_id": "2088612477411337"}, {"time_expire": "2026-12-01 15:59:59"},
    {"time_expire": "2026-12-01T16:30:00"}, {"payer": "x"},
])  # fmt: skip
def test_the_gateway_refuses_a_trade_of_another_form(changed: dict[str, Any], party: AlipayParty) -> None:
    assert call(party, "alipay.trade.create", GOOD | changed) == "ACQ.INVALID_PARAMETER"
    assert call(party, "alipay.trade.create", GOOD) == ""
    assert call(party, "alipay.trade.create", GOOD | {"total_amount": "88.87"}) == "ACQ.CONTEXT_INCONSISTENT"


def test_the_gateway_tells_parts_by_their_numbers_and_takes_no_field_outside_of_biz_content(party: AlipayParty) -> None:
    refund = paid(party)
    part = {"trade_no": refund.transaction_no, "refund_amount": "1.00"}

    assert call(party, "alipay.trade.refund", part) == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    assert call(party, "alipay.trade.query", {}) == "ACQ.INVALID_PARAMETER"
    assert call(party, "alipay.trade.cancel", {}) == "isv.invalid-method"
    assert call(party, "alipay.trade.query", {"out_trade_no": ORDER_ID}, code="1") == "isv.invalid-parameter"
    assert call(party, "alipay.trade.create", GOOD, notify_url="https://a.example/n?x=1") == "ACQ.INVALID_PARAMETER"
    assert set(alipay_apps()) == {APP, OLD_APP}


def test_a_trade_of_more_than_a_year_is_finished_and_takes_no_refund(party: AlipayParty, clock: TestClock) -> None:
    refund = paid(party)
    clock.move(days=366)
    with pytest.raises(RefusedError, match="REFUND_REFUSED"):
        party.channel().refund(refund)

    assert party.company.trades[ORDER_ID]["status"] == "TRADE_FINISHED"
    assert isinstance(party.channel().close(ORDER), PaymentNotice)
