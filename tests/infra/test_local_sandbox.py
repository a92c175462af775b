"""The sandbox payment channel: its book, its signatures and its page, without a network."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cardstock.edge import signatures
from infra.local.clock import ShiftedClock
from infra.local.sandbox import NoticeSender, Sandbox, SandboxError, is_genuine, sign

KEY = "c2FuZGJveC1rZXktZm9yLXRlc3Rz"


def sandbox(
    clock: ShiftedClock | None = None, book: Path | None = None, tell: NoticeSender = lambda _body, _headers: None
) -> Sandbox:
    return Sandbox(tell=tell, key=lambda: KEY, clock=clock or ShiftedClock(), book=book)


def pay(channel: Sandbox, order_no: str = "ord_1", amount_fen: int = 1000) -> dict[str, Any]:
    return channel.pay(order_no, amount_fen, notify=False)


def refund_request(channel: Sandbox, at: datetime, key: str = KEY, **wanted: Any) -> tuple[int, Any]:
    body = json.dumps({"refund_no": "rfd_1", "order_no": "ord_1", "amount_fen": 300} | wanted).encode()
    status, _, content = channel.answer("POST", "/v1/refunds", sign(key, "msg_1", at, body), body)
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
        200, {"refund_no": "rfd_1", "order_no": "ord_1", "amount_fen": 300, "status": "succeeded"},
    )  # fmt: skip


def test_a_refund_is_made_once_and_never_beyond_the_payment() -> None:
    channel = sandbox()
    pay(channel)
    first = channel.refund("rfd_1", "ord_1", 600)
    again = channel.refund("rfd_1", "ord_1", 600)
    beyond = channel.refund("rfd_2", "ord_1", 401)
    rest = channel.refund("rfd_3", "ord_1", 400)
    unknown = channel.refund("rfd_4", "ord_9", 1)

    assert first == again
    assert [entry["status"] for entry in (first, beyond, rest, unknown)] == [
        "succeeded", "failed", "succeeded", "failed",
    ]  # fmt: skip
    assert (beyond["reason"], unknown["reason"]) == ("AMOUNT_EXCEEDED", "PAYMENT_UNKNOWN")
    with pytest.raises(SandboxError, match="another refund"):
        channel.refund("rfd_1", "ord_1", 599)


def test_a_refund_that_is_processing_is_settled_when_asked_again() -> None:
    channel = sandbox()
    pay(channel)
    channel.refund_status = "processing"
    before = channel.refund("rfd_1", "ord_1", 1000)["status"]
    channel.refund_status = "succeeded"
    after = channel.refund("rfd_1", "ord_1", 1000)["status"]

    assert (before, after) == ("processing", "succeeded")


def test_what_refunds_come_to_can_be_chosen_from_outside() -> None:
    channel = sandbox()
    pay(channel)
    chosen = channel.answer("POST", "/v1/refund-status", {}, b'{"status": "processing"}')
    wrong = [channel.answer("POST", "/v1/refund-status", {}, body)[0] for body in (b"{}", b'{"status": "lost"}')]

    assert (chosen[0], wrong) == (200, [400, 400])
    assert channel.refund("rfd_1", "ord_1", 1000)["status"] == "processing"


def test_a_payment_can_be_asked_about() -> None:
    channel = sandbox()
    pay(channel)
    known = json.loads(channel.answer("GET", "/v1/payments/ord_1", {}, b"")[2])
    unknown = json.loads(channel.answer("GET", "/v1/payments/ord_2", {}, b"")[2])

    assert (known["status"], known["amount_fen"], known["currency"]) == ("succeeded", 1000, "CNY")
    assert unknown == {"order_no": "ord_2", "status": "unpaid"}


def test_the_book_survives_a_restart(tmp_path: Path) -> None:
    channel = sandbox(book=tmp_path / "book.jsonl")
    paid = pay(channel)
    channel.refund("rfd_1", "ord_1", 300)
    again = sandbox(book=tmp_path / "book.jsonl")

    assert pay(again) == paid
    assert again.refunds == channel.refunds


def test_the_page_has_a_button_in_the_readers_language_and_no_way_to_inject() -> None:
    channel = sandbox()
    status, kind, chinese = channel.answer("GET", "/pay/%3Cscript%3E?amount_fen=1990", {}, b"")
    english = channel.answer("GET", "/pay/ord_1?amount_fen=5", {"accept-language": "en-GB"}, b"")[2].decode()

    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert "确认支付" in chinese.decode()
    assert "¥19.90" in chinese.decode()
    assert "<script>" not in chinese.decode()
    assert "Pay now" in english
    assert "¥0.05" in english
    assert channel.payments == {}


@pytest.mark.parametrize(("closed", "text"), [("cancelled", "已取消"), ("expired", "已超时")])
def test_the_page_of_a_closed_order_has_no_button_and_takes_no_money(closed: str, text: str) -> None:
    channel = sandbox()
    channel.closed = {"ord_1": closed}.get
    shown = [channel.answer(method, "/pay/ord_1?amount_fen=5", {}, b"amount_fen=5") for method in ("GET", "POST")]
    english = channel.answer("GET", "/pay/ord_1?amount_fen=5", {"accept-language": "en"}, b"")[2].decode()
    other = channel.answer("GET", "/pay/ord_2?amount_fen=5", {}, b"")[2].decode()

    assert channel.payments == {}
    assert "<button" in other
    assert closed in english
    for status, _, page in shown:
        assert status == 200
        assert text in page.decode()
        assert "<button" not in page.decode()


def test_the_page_of_a_paid_order_says_so_and_offers_only_another_notice() -> None:
    channel = sandbox()
    pay(channel)
    channel.closed = {"ord_1": "cancelled"}.get
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
        ("POST", "/v1/refunds", b"{}", 401),
        ("GET", "/v1/refunds/rfd_9", b"", 404),
    ],
)
def test_what_it_does_not_know_is_refused(method: str, target: str, body: bytes, status: int) -> None:
    assert sandbox().answer(method, target, {}, body)[0] == status
