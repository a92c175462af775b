"""The form of Alipay's notices: what is signed, what a notice means, and what cannot be read."""

import json
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest

from cardstock.errors import InvalidError, UnauthorizedError
from cardstock.orders.payment_model import PaymentNotice, RefundNotice
from tests.orders.test_payments_alipay import APP, OLD_APP, ORDER_ID, order_of, paid, started
from tests.people.clock import TestClock
from tests.people.payment_parties import SELLER_ID, AlipayParty, Sent, alipay_account


@pytest.fixture
def party(clock: TestClock) -> AlipayParty:
    return AlipayParty(clock)


def read(party: AlipayParty, sent: Sent) -> Any:
    return party.channel().read_notice(*sent)


@pytest.mark.parametrize("signs_empty", [False, True])
def test_values_are_decoded_once_and_verified_as_they_are_then(signs_empty: bool, party: AlipayParty) -> None:
    paid(party, voucher_fen=100)
    party.company.signs_empty = signs_empty
    packed = quote("a=1&b=茶 %", safe="")
    headers, body = party.notice(
        ORDER_ID, subject="茶 & 点心+10%", passback_params=packed, body="", voucher_detail_list=""
    )
    found = read(party, (headers, body))

    assert isinstance(found, PaymentNotice)
    assert (found.order_no, found.amount_fen, found.payer, found.gave_back) == (ORDER_ID, 3_000, party.payer, False)
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    assert json.loads(form["fund_bill_list"])[1] == {"amount": "1.00", "fundChannel": "COUPON"}
    assert form["passback_params"] == packed
    # Once more, or not at all, and nothing is signed any more.
    for spoiled in (urlencode({name: quote(value) for name, value in form.items()}), body.replace(b"%25", b"%")):
        with pytest.raises(UnauthorizedError, match="SIGNATURE_INVALID"):
            read(party, (headers, spoiled if isinstance(spoiled, bytes) else spoiled.encode()))


def test_what_says_more_than_was_signed_is_refused(party: AlipayParty) -> None:
    paid(party)
    headers, body = party.notice(ORDER_ID)
    refused = [
        b"", b"sign=", b"{}", b"\xff\xfe", body + b"&total_amount=0.01", b"total_amount=0.01&" + body,
        body + b"&more=1", body.replace(b"sign_type=RSA2", b"sign_type=RSA"),
        body.replace(APP.encode(), OLD_APP.encode()), body.replace(APP.encode(), b"2021999999999999"),
        b"&".join(part for part in body.split(b"&") if not part.startswith(b"app_id")),
        body.replace(b"total_amount=30.00", b"total_amount=30.0"), party.notice(ORDER_ID, subject="%ff")[1] + b"%ff",
    ]  # fmt: skip
    for each in refused:
        with pytest.raises(UnauthorizedError, match="SIGNATURE_INVALID"):
            read(party, (headers, each))


def test_an_empty_value_that_somebody_adds_or_takes_away_changes_nothing(party: AlipayParty) -> None:
    paid(party)
    headers, body = party.notice(ORDER_ID)
    found = read(party, (headers, body))
    added = read(party, (headers, body + b"&gmt_refund=&refund_fee=&out_biz_no="))

    assert found == added


@pytest.mark.parametrize(("changed", "kind"), [
    ({}, "payment"), ({"trade_status": "TRADE_FINISHED"}, "payment"), ({"refund_fee": "0.00"}, "payment"),
    ({"trade_status": "WAIT_BUYER_PAY"}, "nothing"), ({"trade_status": "TRADE_CLOSED"}, "nothing"),
    ({"trade_status": "TRADE_PENDING"}, "nothing"),
    ({"refund_fee": "10.00", "gmt_refund": "2026-12-01 16:10:00.345", "out_biz_no": "rfd_1"}, "refund"),
    ({"gmt_refund": "2026-12-01 16:10:00.345", "out_biz_no": "rfd_1"}, "refund"),
    ({"refund_fee": "10.00", "out_biz_no": "rfd_1"}, "refund"),
    ({"trade_status": "TRADE_CLOSED", "refund_fee": "30.00", "gmt_refund": "2026-12-01 16:10:00.345"}, "refund"),
    ({"trade_status": "TRADE_FINISHED", "refund_fee": "10.00"}, "payment that went back"),
    ({"trade_status": "WAIT_BUYER_PAY", "refund_fee": "10.00"}, "nothing"),
])  # fmt: skip
def test_a_notice_is_a_payment_only_if_nothing_went_back(
    changed: dict[str, str], kind: str, party: AlipayParty
) -> None:
    paid(party)
    found = read(party, party.notice(ORDER_ID, **changed))

    if kind == "nothing":
        assert found is None
    elif kind == "refund":
        assert isinstance(found, RefundNotice)
        assert (found.status, found.amount_fen, found.order_no) == ("succeeded", None, ORDER_ID)
        assert found.refund_no == changed.get("out_biz_no", "2026-12-01 16:10:00.345")
    else:
        assert isinstance(found, PaymentNotice)
        assert found.gave_back is (kind == "payment that went back")


@pytest.mark.parametrize("changed", [
    {"total_amount": "30.001"}, {"total_amount": "-30.00"}, {"total_amount": "0.00"}, {"total_amount": "NaN"},
    {"total_amount": ""}, {"gmt_payment": "yesterday"}, {"gmt_payment": ""}, {"out_trade_no": ""}, {"trade_no": ""},
    {"trade_status": ""}, {"refund_fee": "all"}, {"refund_fee": "1.00"}, {"seller_id": "2088000000000000"},
    {"seller_id": ""},
])  # fmt: skip
def test_a_genuine_notice_that_lacks_what_it_needs_cannot_be_read(changed: dict[str, str], party: AlipayParty) -> None:
    paid(party)

    with pytest.raises(InvalidError):
        read(party, party.notice(ORDER_ID, **changed))


def test_without_a_seller_in_the_account_none_is_compared(party: AlipayParty) -> None:
    paid(party)
    sent = party.notice(ORDER_ID, seller_id="2088000000000000")
    party.account = alipay_account(seller_id="")

    assert SELLER_ID not in str(party.account)
    assert isinstance(read(party, sent), PaymentNotice)


@pytest.mark.parametrize("app_id", [APP, OLD_APP])
def test_a_notice_says_what_a_query_says(app_id: str, clock: TestClock) -> None:
    party = AlipayParty(clock, app_id)
    party.confirm(started(party))
    (sent,) = party.sent

    assert read(party, sent) == party.channel().close(order_of(party))


def test_a_payment_of_another_currency_is_said_to_be_one(party: AlipayParty) -> None:
    paid(party)

    assert read(party, party.notice(ORDER_ID, trans_currency="USD")).currency == "USD"
    assert read(party, party.notice(ORDER_ID, trans_currency="CNY")).currency == "CNY"


@pytest.mark.parametrize("amount", ["3e1", "３０.００", "30.001", "+30.00", " 30.00", "1_0.00", "NaN", ""])
def test_what_is_no_amount_in_plain_digits_is_unreadable(amount: str, party: AlipayParty) -> None:
    paid(party)

    with pytest.raises(InvalidError):
        read(party, party.notice(ORDER_ID, total_amount=amount))


def test_where_both_names_come_the_user_id_counts_as_at_log_in(party: AlipayParty) -> None:
    paid(party)

    assert read(party, party.notice(ORDER_ID, buyer_id="2088612477411337")).payer == f"alipay:{APP}:2088612477411337"
