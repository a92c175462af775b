"""The sandbox payment channel: its book, its signatures and its page, without a network."""

import http.client
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cardstock.edge import signatures
from infra.local.clock import ShiftedClock
from infra.local.sandbox import NoticeSender, Sandbox, SandboxError, is_genuine, sign
from infra.local.small_server import NoAnswerError

JSON = {"content-type": "application/json"}
KEY = "c2FuZGJveC1rZXktZm9yLXRlc3Rz"


def sandbox(
    clock: ShiftedClock | None = None, book: Path | None = None, tell: NoticeSender = lambda _body, _headers: None
) -> Sandbox:
    return Sandbox(tell=tell, key=lambda: KEY, now=(clock or ShiftedClock()).now, book=book)


def pay(channel: Sandbox, order_no: str = "ord_1", amount_fen: int = 1000) -> dict[str, Any]:
    return channel.pay(order_no, amount_fen, notify=False)


def refund_request(channel: Sandbox, at: datetime, key: str = KEY, **wanted: Any) -> tuple[int, Any]:
    number = channel.payments.get("ord_1", {}).get("transaction_no", "sbx_none")
    body = json.dumps({"refund_no": "rfd_1", "transaction_no": number, "amount_fen": 300} | wanted).encode()
    status, _, content = channel.answer("POST", "/v1/refunds", JSON | sign(key, "msg_1", at, body), body)
    return status, json.loads(content)


def test_a_payment_is_one_transaction_however_often_it_is_made() -> None:
    channel = sandbox()

    assert pay(channel) == pay(channel)
    assert pay(channel)["transaction_no"].startswith("sbx_")
    with pytest.raises(SandboxError, match="1000 fen"):
        pay(channel, amount_fen=999)


@pytest.mark.parametrize("amount", [0, -1, 1.5, "100", True])
def test_an_amount_is_a_positive_integer(amount: Any) -> None:
    body = json.dumps({"order_no": "ord_1", "amount_fen": amount}).encode()
    status, _, _ = sandbox().answer("POST", "/v1/pay", {}, body)

    assert status == 400


def test_the_api_is_told_with_a_signature_that_it_can_check() -> None:
    clock = ShiftedClock()
    clock.move_by(timedelta(days=40))
    told: list[tuple[bytes, Mapping[str, str]]] = []

    def tell(body: bytes, headers: Mapping[str, str]) -> int:
        told.append((body, headers))
        return 200

    paid = sandbox(clock, tell=tell).pay("ord_1", 1990)
    ((body, headers),) = told

    assert signatures.verify([KEY], headers, body, clock.now()) == f"msg_{paid['transaction_no']}"
    assert json.loads(body) == {
        "channel": "sandbox", "event": "payment.succeeded", "order_no": "ord_1", "currency": "CNY",
        "transaction_no": paid["transaction_no"], "amount_fen": 1990, "paid_at": paid["paid_at"],
    }  # fmt: skip
    assert paid["notified"] == 200


def test_a_signature_of_the_sandbox_holds_for_the_receiver_and_the_other_way_round() -> None:
    now = datetime(2027, 5, 1, tzinfo=UTC)
    body = '{"texte":"茶"}'.encode()

    assert signatures.verify([KEY], sign(KEY, "msg_1", now, body), body, now) == "msg_1"
    assert is_genuine(KEY, signatures.sign(KEY, "msg_1", now, body), body, now)
    assert not is_genuine(KEY, signatures.sign(KEY, "msg_1", now, body), body + b" ", now)
    assert not is_genuine(KEY, {}, body, now)


def test_a_refund_must_be_signed_on_the_moved_clock() -> None:
    clock = ShiftedClock()
    channel = sandbox(clock)
    pay(channel)
    signed_at = clock.now()
    clock.move_by(timedelta(days=8))

    assert refund_request(channel, signed_at)[0] == 401
    assert refund_request(channel, clock.now(), key="b3RoZXI=")[0] == 401
    assert refund_request(channel, clock.now()) == (
        200,
        {
            "refund_no": "rfd_1", "transaction_no": pay(channel)["transaction_no"], "amount_fen": 300,
            "status": "succeeded",
        },
    )  # fmt: skip


def test_a_refund_is_made_once_and_never_beyond_the_payment() -> None:
    channel = sandbox()
    number = pay(channel)["transaction_no"]
    first = channel.refund("rfd_1", number, 600)
    again = channel.refund("rfd_1", number, 600)
    beyond = channel.refund("rfd_2", number, 401)
    rest = channel.refund("rfd_3", number, 400)
    unknown = channel.refund("rfd_4", "sbx_9", 1)

    assert first == again
    assert [entry["status"] for entry in (first, beyond, rest, unknown)] == [
        "succeeded", "failed", "succeeded", "failed",
    ]  # fmt: skip
    assert (beyond["reason"], unknown["reason"]) == ("AMOUNT_EXCEEDED", "PAYMENT_UNKNOWN")
    with pytest.raises(SandboxError, match="another refund"):
        channel.refund("rfd_1", number, 599)


def test_a_refund_that_is_processing_is_settled_when_asked_again() -> None:
    channel = sandbox()
    number = pay(channel)["transaction_no"]
    channel.refund_status = "processing"
    before = channel.refund("rfd_1", number, 1000)["status"]
    channel.refund_status = "succeeded"
    after = channel.refund("rfd_1", number, 1000)["status"]

    assert (before, after) == ("processing", "succeeded")


def test_what_refunds_come_to_can_be_chosen_from_outside() -> None:
    channel = sandbox()
    number = pay(channel)["transaction_no"]
    chosen = channel.answer("POST", "/v1/refund-status", {}, b'{"status": "processing"}')
    wrong = [channel.answer("POST", "/v1/refund-status", {}, body)[0] for body in (b"{}", b'{"status": "lost"}')]

    assert (chosen[0], wrong) == (200, [400, 400])
    assert channel.refund("rfd_1", number, 1000)["status"] == "processing"


def closing_request(channel: Sandbox, body: Any = None, key: str = KEY) -> tuple[int, Any]:
    raw = json.dumps({"order_no": "ord_1"} if body is None else body).encode()
    now = datetime.now(UTC)
    status, headers, content = channel.answer("POST", "/v1/closings", JSON | sign(key, "msg_1", now, raw), raw)
    assert signatures.verify([KEY], headers, content, now)
    return status, json.loads(content)


def test_a_closed_order_takes_no_money_and_its_answers_are_signed() -> None:
    channel = sandbox()
    closed = [closing_request(channel) for _ in range(2)]

    assert closed == [(200, {"order_no": "ord_1", "status": "closed"})] * 2
    with pytest.raises(SandboxError, match="closed"):
        pay(channel)


def test_a_closing_of_a_paid_order_names_the_payment() -> None:
    channel = sandbox()
    paid = pay(channel)
    del paid["notified"]

    assert closing_request(channel) == (200, paid)


@pytest.mark.parametrize(("end", "then"), [("succeeded", "succeeded"), ("failed", "closed")])
def test_an_order_that_is_being_paid_is_not_closed_until_the_payment_has_ended(end: str, then: str) -> None:
    told: list[bytes] = []
    channel = sandbox(tell=lambda body, _headers: told.append(body))
    channel.answer("POST", "/v1/payment-status", {}, b'{"status": "processing"}')
    paying = channel.pay("ord_1", 1000)
    between = closing_request(channel), list(told)
    channel.answer("POST", "/v1/payment-status", {}, json.dumps({"status": end}).encode())
    paid = channel.pay("ord_1", 1000)

    assert between == ((200, {"order_no": "ord_1", "status": "processing"}), [])
    assert paying["transaction_no"] == paid["transaction_no"]
    assert closing_request(channel)[1]["status"] == then
    assert len(told) == (end == "succeeded")


@pytest.mark.parametrize(
    ("body", "key", "status"),
    [
        ({"order_no": "ord_1", "reason": "late"}, KEY, 400),
        ({}, KEY, 400),
        ({"order_no": ""}, KEY, 400),
        ({"order_no": 5}, KEY, 400),
        ({"order_no": "ord_1"}, "b3RoZXI=", 401),
    ],
)
def test_a_closing_that_is_not_exact_or_not_signed_closes_nothing(body: Any, key: str, status: int) -> None:
    channel = sandbox()

    assert closing_request(channel, body, key)[0] == status
    assert pay(channel)["status"] == "succeeded"


def test_notices_and_answers_are_utf_8_as_it_is() -> None:
    told: list[bytes] = []
    channel = sandbox(tell=lambda body, _headers: told.append(body))
    channel.pay("ord_1", 1000, payer="支付宝:王小明")
    now, raw = datetime.now(UTC), b'{"order_no": "ord_1"}'
    answered = channel.answer("POST", "/v1/closings", JSON | sign(KEY, "msg_1", now, raw), raw)[2]

    assert ["王小明".encode() in sent for sent in (*told, answered)] == [True, True]


def test_a_call_whose_answer_is_lost_was_carried_out() -> None:
    channel = sandbox()
    channel.answer("POST", "/v1/answers", {}, b'{"given": false}')
    with pytest.raises(NoAnswerError):
        closing_request(channel)
    channel.answer("POST", "/v1/answers", {}, b'{"given": true}')

    assert channel.payments["ord_1"]["status"] == "closed"
    assert closing_request(channel)[0] == 200


@pytest.mark.engine
def test_over_a_socket_a_lost_answer_is_a_closed_connection() -> None:
    channel = sandbox()
    address = urlsplit(channel.start())
    channel.answers = False
    body = b'{"order_no": "ord_1"}'
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    try:
        connection.request("POST", "/v1/closings", body, JSON | sign(KEY, "msg_1", datetime.now(UTC), body))
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
    finally:
        connection.close()
        channel.stop()

    assert channel.payments["ord_1"]["status"] == "closed"


def test_a_payment_and_a_closing_at_the_same_moment_end_in_one_of_them() -> None:
    with ThreadPoolExecutor(2) as hands:
        for number in range(100):
            channel, order_no = sandbox(), "ord_1"
            steps = [partial(channel.close, order_no), partial(channel.pay, order_no, 1000, notify=False)]
            ends = [hands.submit(step) for step in (steps if number % 2 else steps[::-1])]
            closing, payment = ends if number % 2 else ends[::-1]

            assert closing.result()["status"] in ("closed", "succeeded")
            assert isinstance(payment.exception(), SandboxError) is (closing.result()["status"] == "closed")


def test_the_book_survives_a_restart(tmp_path: Path) -> None:
    channel = sandbox(book=tmp_path / "book.jsonl")
    paid = pay(channel)
    channel.refund("rfd_1", "ord_1", 300)
    channel.close("ord_2")
    again = sandbox(book=tmp_path / "book.jsonl")

    assert pay(again) == paid
    assert again.payments == channel.payments
    assert again.refunds == channel.refunds


def test_the_page_has_a_button_in_the_readers_language_and_no_way_to_inject() -> None:
    channel = sandbox()
    status, kind, chinese = channel.answer("GET", "/pay/%3Cscript%3E?amount_fen=1990", {}, b"")
    english = channel.answer("GET", "/pay/ord_1?amount_fen=5", {"accept-language": "en-GB"}, b"")[2].decode()

    assert (status, kind) == (200, {"content-type": "text/html; charset=utf-8"})
    assert "确认支付" in chinese.decode()
    assert "¥19.90" in chinese.decode()
    assert "<script>" not in chinese.decode()
    assert "Pay now" in english
    assert "¥0.05" in english
    assert channel.payments == {}


def test_the_page_of_a_closed_order_has_no_button_and_takes_no_money() -> None:
    channel = sandbox()
    channel.close("ord_1")
    shown = [channel.answer(method, "/pay/ord_1?amount_fen=5", {}, b"amount_fen=5") for method in ("GET", "POST")]
    english = channel.answer("GET", "/pay/ord_1?amount_fen=5", {"accept-language": "en"}, b"")[2].decode()
    other = channel.answer("GET", "/pay/ord_2?amount_fen=5", {}, b"")[2].decode()

    assert channel.payments["ord_1"] == {"order_no": "ord_1", "status": "closed"}
    assert "<button" in other
    assert "closed" in english
    for status, _, page in shown:
        assert status == 200
        assert "已关闭" in page.decode()
        assert "<button" not in page.decode()


def test_the_page_takes_no_money_when_the_time_to_pay_is_over() -> None:
    clock = ShiftedClock()
    channel, until = sandbox(clock), int(clock.now().timestamp()) + 1800
    target, form = f"/pay/ord_1?amount_fen=5&expires_at={until}", f"amount_fen=5&expires_at={until}".encode()
    before = channel.answer("GET", target, {}, b"")[2].decode()
    clock.move_by(timedelta(minutes=31))
    after = [channel.answer(method, target, {}, form)[2].decode() for method in ("GET", "POST")]

    assert "<button" in before
    assert f'value="{until}"' in before
    assert all("已超过支付期限" in page and "<button" not in page for page in after)
    assert channel.payments == {}


@pytest.mark.parametrize("status", ["processing", "failed"])
def test_the_page_of_a_payment_that_has_not_succeeded_lets_the_buyer_go_on(status: str) -> None:
    channel = sandbox()
    channel.payment_status = status
    first = channel.answer("POST", "/pay/ord_1", {"accept-language": "en"}, b"amount_fen=5")[2].decode()
    channel.payment_status = "succeeded"
    channel.answer("POST", "/pay/ord_1", {}, b"amount_fen=5")

    assert {"processing": "being processed", "failed": "failed"}[status] in first
    assert "<button" in first
    assert channel.payments["ord_1"]["status"] == "succeeded"


def test_the_page_of_a_paid_order_says_so_and_offers_only_another_notice() -> None:
    channel = sandbox()
    pay(channel)
    channel.close("ord_1")
    page = channel.answer("GET", "/pay/ord_1?amount_fen=1000", {"accept-language": "en"}, b"")[2].decode()

    assert "It is paid." in page
    assert "Notify again" in page
    assert "Pay now" not in page


def test_posting_the_page_pays_and_says_when_the_merchant_did_not_listen() -> None:
    channel = sandbox()
    page = channel.answer("POST", "/pay/ord_1", {}, b"amount_fen=1990")[2].decode()

    assert channel.payments["ord_1"]["amount_fen"] == 1990
    assert "商户未确认通知" in page


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("GET", "/", b"", 404),
        ("GET", "/pay/ord_1", b"", 400),
        ("POST", "/v1/pay", b"[", 400),
        ("POST", "/v1/pay", b"[" * 100_000, 400),
        ("POST", "/v1/pay", b'{"order_no": 5, "amount_fen": 5}', 400),
        ("POST", "/v1/pay", '{"order_no": "单", "amount_fen": 5}'.encode("utf-16"), 400),
        ("POST", "/v1/pay", '{"order_no": "单", "amount_fen": 5}'.encode("gbk"), 400),
        ("POST", "/v1/refunds", b"{}", 415),
        ("POST", "/v1/closings", b"{}", 415),
        ("POST", "/v1/payment-status", b'{"status": "lost"}', 400),
        ("GET", "/v1/refunds/rfd_9", b"", 404),
    ],
)
def test_what_it_does_not_know_is_refused(method: str, target: str, body: bytes, status: int) -> None:
    assert sandbox().answer(method, target, {}, body)[0] == status
