"""The sandbox payment channel: a remote service with its own address, like a real one, but no money moves.

Notices, calls and their answers are signed by Standard Webhooks 1.0 with a shared key. An answer that is not signed is
none.

| Call | Answer |
|---|---|
| `POST /v1/closings {order_no}` | the payment with `status` `succeeded`; else `status` `closed` or `processing` |
| `POST /v1/refunds {refund_no, order_no, amount_fen}` | `succeeded`, `processing`, `failed` for good with `reason`, or
  `unfunded`: nothing has happened, and the merchant must add funds; once per number |
| `POST /v1/refund-queries {refund_no}` | how it stands; `unknown` if the sandbox was never asked for it |

Its notice is `{channel, event: "payment.succeeded", order_no, transaction_no, amount_fen, currency, paid_at, payer?,
device?, instalments?}`: `payer` is the payer's account with the channel, `device` the device used for the payment,
`instalments` in how many parts the payer pays the channel.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from cardstock.errors import BODY_INVALID, CHANNEL_UNAVAILABLE, Pointer, UnauthorizedError
from cardstock.money import CURRENCY, MAX_FEN
from cardstock.orders import errors
from cardstock.orders.model import Order
from cardstock.orders.payment_model import Closing, InstalmentOffer, PaymentNotice, PaymentParameters, RefundProgress
from cardstock.orders.refund_model import Refund

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT_SECONDS = 1.0
TIMEOUT_SECONDS = 3.0

_Text = Annotated[str, Meta(min_length=1, max_length=64)]
_Name = Annotated[str, Meta(max_length=128)]
_Fen = Annotated[int, Meta(ge=1, le=MAX_FEN)]
_Number = Annotated[int, Meta(ge=1, le=99)]
_Moment = Annotated[datetime, Meta(tz=True)]


class _Notice(msgspec.Struct, frozen=True):
    channel: Literal["sandbox"]
    event: _Text
    order_no: _Text
    transaction_no: _Text
    amount_fen: _Fen
    currency: _Text
    paid_at: _Moment
    payer: _Name = ""
    device: _Name = ""
    instalments: _Number = 1


class _ClosingAnswer(msgspec.Struct, frozen=True):
    order_no: _Text
    status: Literal["succeeded", "processing", "closed"]
    transaction_no: _Text | None = None
    amount_fen: _Fen | None = None
    currency: _Text | None = None
    paid_at: _Moment | None = None
    payer: _Name = ""
    device: _Name = ""
    instalments: _Number = 1


class _RefundAnswer(msgspec.Struct, frozen=True):
    refund_no: _Text
    status: Literal["succeeded", "processing", "failed", "unfunded", "unknown"]
    reason: _Name = ""


class SandboxChannel:
    """`orders.ports.PaymentChannel` and `InstalmentPayments` of the sandbox at `base_url`.

    `verify` takes the headers and the raw body of a notice or an answer and raises `UnauthorizedError`; `sign` gives
    the headers for a message id and a body. `transport` replaces the network.
    """

    name = "sandbox"
    offer = InstalmentOffer(numbers=(3, 6, 12), least_fen=10_000)

    def __init__(
        self,
        base_url: str,
        *,
        verify: Callable[[Mapping[str, str], bytes], object],
        sign: Callable[[str, bytes], dict[str, str]],
        transport: "httpx.BaseTransport | None" = None,
    ) -> None:
        self._base_url = base_url
        self._verify = verify
        self._sign = sign
        self._transport = transport
        self._client: httpx.Client | None = None

    def start(self, order: Order, payer: str) -> PaymentParameters:  # noqa: ARG002 - it knows no accounts
        # Costs no call: the sandbox accepts every payment.
        return PaymentParameters(
            channel=self.name,
            order_no=order.order_id,
            amount_fen=order.amount_fen,
            currency=CURRENCY,
            pay_url=f"{self._base_url}/pay/{quote(order.order_id, safe='')}"
            f"?amount_fen={order.amount_fen}&expires_at={int(order.expires_at.timestamp())}",
        )

    def start_in(self, order: Order, payer: str, number: int) -> PaymentParameters:
        started = self.start(order, payer)
        return replace(started, pay_url=f"{started.pay_url}&instalments={number}")

    def read_notice(self, headers: Mapping[str, str], raw: bytes) -> PaymentNotice | None:
        self._verify(headers, raw)
        try:
            notice = msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"), type=_Notice, strict=True)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise BODY_INVALID(pointers=(Pointer("", "NOTICE"),)) from error
        if notice.event != "payment.succeeded":
            return None
        return PaymentNotice(
            channel=self.name,
            order_no=notice.order_no,
            transaction_no=notice.transaction_no,
            amount_fen=notice.amount_fen,
            currency=notice.currency,
            paid_at=notice.paid_at,
            payer=notice.payer,
            device=notice.device,
            instalments=notice.instalments,
        )

    def close(self, order: Order) -> PaymentNotice | Closing:
        found = self._call("/v1/closings", f"msg_close_{order.order_id}", {"order_no": order.order_id}, _ClosingAnswer)
        if found.status != "succeeded":
            if found.order_no != order.order_id:
                raise CHANNEL_UNAVAILABLE()
            return "closed" if found.status == "closed" else "open"
        if found.transaction_no is None or found.amount_fen is None or not found.currency or found.paid_at is None:
            raise CHANNEL_UNAVAILABLE()
        return PaymentNotice(
            channel=self.name,
            order_no=found.order_no,
            transaction_no=found.transaction_no,
            amount_fen=found.amount_fen,
            currency=found.currency,
            paid_at=found.paid_at,
            payer=found.payer,
            device=found.device,
            instalments=found.instalments,
        )

    def refund(self, refund: Refund) -> bool:
        message = {"refund_no": refund.refund_id, "order_no": refund.order_id, "amount_fen": refund.amount_fen}
        answer = self._call("/v1/refunds", f"msg_{refund.refund_id}", message, _RefundAnswer)
        if answer.refund_no != refund.refund_id:
            raise CHANNEL_UNAVAILABLE()
        if answer.status == "failed":
            raise errors.REFUND_REFUSED(refund_id=refund.refund_id, reason=answer.reason)
        if answer.status == "unfunded":
            raise errors.MERCHANT_MUST_ACT(refund_id=refund.refund_id)
        return bool(answer.status == "succeeded")

    def progress(self, refund: Refund) -> RefundProgress:
        message = {"refund_no": refund.refund_id}
        answer = self._call("/v1/refund-queries", f"msg_ask_{refund.refund_id}", message, _RefundAnswer)
        if answer.refund_no != refund.refund_id:
            raise CHANNEL_UNAVAILABLE()
        known: dict[str, RefundProgress] = {"succeeded": "succeeded", "processing": "processing"}
        return known.get(answer.status, "none")

    def _call(self, path: str, message_id: str, message: dict[str, Any], kind: type) -> Any:
        import httpx  # 80 ms that a function which only reads notices saves

        if self._client is None:
            timeout = httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
            self._client = httpx.Client(base_url=self._base_url, timeout=timeout, transport=self._transport)
        body = json.dumps(message).encode()
        headers = {"content-type": "application/json", **self._sign(message_id, body)}
        try:
            response = self._client.post(path, content=body, headers=headers)
            response.raise_for_status()
            self._verify(response.headers, response.content)
            return msgspec.json.decode(response.content, type=kind, strict=True)
        except (httpx.HTTPError, UnauthorizedError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            # After any error the outcome at the channel is unknown, which does not mean failed.
            raise CHANNEL_UNAVAILABLE() from error
