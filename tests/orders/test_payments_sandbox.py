"""The sandbox channel's client against everything a remote service may answer."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cardstock.errors import SIGNATURE_INVALID, InvalidError, RefusedError, UnauthorizedError, UnavailableError
from cardstock.orders.channels import sandbox
from cardstock.orders.channels.sandbox import SandboxChannel
from cardstock.orders.model import Order, Receiver
from cardstock.orders.payment_model import PaymentNotice
from cardstock.orders.refund_model import Refund

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
ORDER = Order("ord_1", "mem_1", "placed", (), 3_003, Receiver("n", "1", "a"), None, {}, NOW)
REFUND = Refund(
    refund_id="rfd_1",
    order_id="ord_1",
    member_id="mem_1",
    kind="return",
    status="requested",
    amount_fen=1_001,
    lines=(),
    reason="broken",
    channel="sandbox",
    transaction_no="sbx_1",
    total_fen=3_003,
    requested_at=NOW,
)
PAID = {
    "order_no": "ord_1",
    "status": "succeeded",
    "transaction_no": "sbx_1",
    "amount_fen": 3_003,
    "currency": "CNY",
    "paid_at": "2026-12-01T07:59:00.000Z",
}


def channel(answer: Callable[[httpx.Request], httpx.Response]) -> SandboxChannel:
    return SandboxChannel(
        "http://pay.test",
        verify=lambda headers, raw: None,
        sign=lambda message_id, body: {"webhook-id": message_id},
        transport=httpx.MockTransport(answer),
    )


def says(status: int, content: Any) -> SandboxChannel:
    return channel(lambda request: httpx.Response(status, json=content))


def test_a_paid_order_is_told_as_a_notice() -> None:
    found = says(200, PAID).close(ORDER)

    assert isinstance(found, PaymentNotice)
    assert (found.order_no, found.transaction_no, found.amount_fen) == ("ord_1", "sbx_1", 3_003)
    assert found.paid_at == datetime(2026, 12, 1, 7, 59, tzinfo=UTC)


def test_the_number_that_the_channel_names_is_told_as_it_is() -> None:
    found = says(200, PAID | {"order_no": "ord_2"}).close(ORDER)

    assert isinstance(found, PaymentNotice)
    assert found.order_no == "ord_2"


@pytest.mark.parametrize(("status", "state"), [("closed", "closed"), ("processing", "open")])
def test_an_order_that_is_not_paid_is_closed_or_open(status: str, state: str) -> None:
    assert says(200, {"order_no": "ord_1", "status": status, "later": 1}).close(ORDER) == state


@pytest.mark.parametrize(
    "answer",
    [
        (500, PAID),
        (302, PAID),
        (404, {}),
        (200, {}),
        (200, []),
        (200, PAID | {"amount_fen": "3003"}),
        (200, PAID | {"amount_fen": 3003.0}),
        (200, PAID | {"paid_at": "2026-12-01T07:59:00"}),
        (200, {name: PAID[name] for name in PAID if name != "transaction_no"}),
        (200, {"order_no": "ord_1", "status": "unpaid"}),
        (200, {"order_no": "ord_1", "status": "CLOSED"}),
        (200, {"order_no": "ord_2", "status": "closed"}),
        (200, {"order_no": "ord_2", "status": "processing"}),
        (204, None),
    ],
)
def test_an_answer_that_cannot_be_relied_on_leaves_the_outcome_unknown(answer: tuple[int, Any]) -> None:
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        says(*answer).close(ORDER)


def test_a_payment_says_in_how_many_parts_it_is_paid() -> None:
    found = says(200, PAID | {"instalments": 6}).close(ORDER)

    assert isinstance(found, PaymentNotice)
    assert found.instalments == 6


@pytest.mark.parametrize("number", [0, 100, "6", 6.0, True, None])
def test_an_impossible_number_of_parts_leaves_the_outcome_unknown(number: Any) -> None:
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        says(200, PAID | {"instalments": number}).close(ORDER)


def test_an_answer_that_is_not_signed_is_none() -> None:
    def refuse(headers: Any, raw: bytes) -> None:
        raise SIGNATURE_INVALID()

    closed = httpx.Response(200, json={"order_no": "ord_1", "status": "closed"})
    transport = httpx.MockTransport(lambda request: closed)
    strict = SandboxChannel("http://pay.test", verify=refuse, sign=lambda message_id, body: {}, transport=transport)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        strict.close(ORDER)


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.ConnectTimeout, httpx.ConnectError, httpx.RemoteProtocolError]
)
def test_a_channel_that_does_not_answer_leaves_a_refund_unknown(error: type[httpx.TransportError]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("nothing", request=request)

    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        channel(fail).refund(REFUND)


def test_a_refund_is_sent_signed_with_its_own_number() -> None:
    sent = []

    def keep(request: httpx.Request) -> httpx.Response:
        sent.append((request.method, request.url.path, request.headers["webhook-id"], json.loads(request.content)))
        return httpx.Response(200, json={"refund_no": "rfd_1", "status": "succeeded"})

    assert channel(keep).refund(REFUND) is True
    assert sent == [
        ("POST", "/v1/refunds", "msg_rfd_1", {"refund_no": "rfd_1", "transaction_no": "sbx_1", "amount_fen": 1_001})
    ]


def test_a_closing_is_sent_signed_with_the_number_of_the_order() -> None:
    sent = []

    def keep(request: httpx.Request) -> httpx.Response:
        sent.append((request.method, request.url.path, request.headers["webhook-id"], json.loads(request.content)))
        return httpx.Response(200, json={"order_no": "ord_1", "status": "closed"})

    channel(keep).close(ORDER)

    assert sent == [("POST", "/v1/closings", "msg_close_ord_1", {"order_no": "ord_1"})]


@pytest.mark.parametrize(
    "answer", [{"refund_no": "rfd_1", "status": "done"}, {"refund_no": "rfd_2", "status": "succeeded"}]
)
def test_an_unknown_state_and_another_refund_are_no_answer_to_a_refund(answer: dict[str, Any]) -> None:
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        says(200, answer).refund(REFUND)


def test_a_refund_in_work_is_not_done_and_a_failed_one_is_refused() -> None:
    assert says(200, {"refund_no": "rfd_1", "status": "processing"}).refund(REFUND) is False
    with pytest.raises(RefusedError, match="REFUND_REFUSED"):
        says(200, {"refund_no": "rfd_1", "status": "failed"}).refund(REFUND)


def test_the_client_waits_three_seconds_and_no_longer() -> None:
    seen = {}

    def keep(request: httpx.Request) -> httpx.Response:
        seen.update(request.extensions["timeout"])
        return httpx.Response(200, json={"order_no": "ord_1", "status": "closed"})

    channel(keep).close(ORDER)

    assert seen == {"connect": 1.0, "read": 3.0, "write": 3.0, "pool": 3.0}
    assert (sandbox.CONNECT_TIMEOUT_SECONDS, sandbox.TIMEOUT_SECONDS) == (1.0, 3.0)


def test_a_notice_is_verified_before_it_is_read() -> None:
    def refuse(headers: Any, raw: bytes) -> None:
        raise SIGNATURE_INVALID()

    strict = SandboxChannel("http://pay.test", verify=refuse, sign=lambda message_id, body: {})
    with pytest.raises(UnauthorizedError):
        strict.read_notice({}, b"{")


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"null", b"[" * 200_000, b'{"amount_fen": 1e400}', b"{}"])
def test_a_malformed_notice_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidError, match="BODY_INVALID"):
        says(200, {}).read_notice({}, raw)


def test_the_pay_address_names_order_amount_and_time() -> None:
    found = says(200, {}).start(ORDER, "")

    assert found.pay_url == f"http://pay.test/pay/ord_1?amount_fen=3003&expires_at={int(NOW.timestamp()) + 1800}"
