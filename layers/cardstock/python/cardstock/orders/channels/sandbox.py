"""The sandbox payment channel: a remote service with its own address, like a real one, but no money moves.

Notices, calls and their answers are signed by Standard Webhooks 1.0 with a shared key. An answer that is not signed is
none.

| Call | Answer |
|---|---|
| `POST /v1/closings {order_no}` | the payment with `status` `succeeded`; else `status` `closed` or `processing` |
| `POST /v1/refunds {refund_no, transaction_no, amount_fen}` | `succeeded`, `processing`, `failed` for good with
  `reason`, or `unfunded`: nothing has happened, and the merchant must add funds; once per number |
| `POST /v1/refund-queries {refund_no}` | how it stands; `unknown` if the sandbox was never asked for it |
| `POST /v1/agreements {agreement_no, charge_fen, day_fen, ends_at}` | the agreement, with `sign_url`; once per number |
| `POST /v1/agreement-queries {agreement_no}` | the agreement: `unsigned`, `signed` with `contract_no`, or `ended` |
| `POST /v1/agreement-ends {agreement_no}` | `ended`, whether it was signed or known or not |
| `POST /v1/charges {order_no, agreement_no, contract_no, amount_fen}` | as `closings`, with `refused` and a `reason` in
  place of `closed`: AGREEMENT_ENDED, BALANCE_SHORT, OVER_LIMIT, OVER_DAY or ORDER_CLOSED |

Its notice is `{channel, event: "payment.succeeded", order_no, transaction_no, amount_fen, currency, paid_at, payer?,
device?, instalments?}`: `payer` is the payer's account with the channel, `device` the device used for the payment,
`instalments` in how many parts the payer pays the channel. Of an agreement it says `{channel, event:
"agreement.signed" or "agreement.ended", agreement_no, contract_no?}`.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from cardstock.clock import rfc3339
from cardstock.errors import BODY_INVALID, CHANNEL_UNAVAILABLE, CardstockError, Pointer, UnauthorizedError
from cardstock.money import CURRENCY, MAX_FEN
from cardstock.orders import errors
from cardstock.orders.agreement_model import Agreement, AgreementNotice, AgreementState, SigningParameters
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
_Read = TypeVar("_Read", bound=msgspec.Struct)
_OF_AGREEMENTS: Final[Mapping[str, Literal["signed", "ended"]]] = {
    "agreement.signed": "signed",
    "agreement.ended": "ended",
}
_Number = Annotated[int, Meta(ge=1, le=99)]
_Moment = Annotated[datetime, Meta(tz=True)]


class _Event(msgspec.Struct, frozen=True):
    channel: Literal["sandbox"]
    event: _Text


class _AgreementEvent(_Event, frozen=True):
    agreement_no: _Text
    contract_no: _Name = ""


class _Notice(_Event, frozen=True):
    order_no: _Text
    transaction_no: _Text
    amount_fen: _Fen
    currency: _Text
    paid_at: _Moment
    payer: _Name = ""
    device: _Name = ""
    instalments: _Number = 1


class _Payment(msgspec.Struct, frozen=True, kw_only=True):
    order_no: _Text
    transaction_no: _Text | None = None
    amount_fen: _Fen | None = None
    currency: _Text | None = None
    paid_at: _Moment | None = None
    payer: _Name = ""
    device: _Name = ""
    instalments: _Number = 1

    def notice(self) -> PaymentNotice:
        """Raises `UnavailableError` if a part of the payment is missing."""
        if self.transaction_no is None or self.amount_fen is None or not self.currency or self.paid_at is None:
            raise CHANNEL_UNAVAILABLE()
        return PaymentNotice(
            channel=SandboxChannel.name,
            order_no=self.order_no,
            transaction_no=self.transaction_no,
            amount_fen=self.amount_fen,
            currency=self.currency,
            paid_at=self.paid_at,
            payer=self.payer,
            device=self.device,
            instalments=self.instalments,
        )


class _ClosingAnswer(_Payment, frozen=True, kw_only=True):
    status: Literal["succeeded", "processing", "closed"]


class _ChargeAnswer(_Payment, frozen=True, kw_only=True):
    status: Literal["succeeded", "processing", "refused"]
    reason: _Name = ""


class _AgreementAnswer(msgspec.Struct, frozen=True):
    agreement_no: _Text
    status: Literal["unsigned", "signed", "ended"]
    contract_no: _Name = ""
    sign_url: str = ""


class _RefundAnswer(msgspec.Struct, frozen=True):
    refund_no: _Text
    status: Literal["succeeded", "processing", "failed", "unfunded", "unknown"]
    reason: _Name = ""


class SandboxChannel:
    """`orders.ports.PaymentChannel`, `InstalmentPayments` and `PaymentAgreements` of the sandbox at `base_url`.

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
            order_no=order.pay_no,
            amount_fen=order.amount_fen,
            currency=CURRENCY,
            pay_url=f"{self._base_url}/pay/{quote(order.pay_no, safe='')}"
            f"?amount_fen={order.amount_fen}&expires_at={int(order.expires_at.timestamp())}",
        )

    def start_in(self, order: Order, payer: str, number: int) -> PaymentParameters:
        started = self.start(order, payer)
        return replace(started, pay_url=f"{started.pay_url}&instalments={number}")

    def read_notice(self, headers: Mapping[str, str], raw: bytes) -> PaymentNotice | AgreementNotice | None:
        self._verify(headers, raw)
        kind = _read(raw, _Event).event
        if kind in _OF_AGREEMENTS:
            event = _read(raw, _AgreementEvent)
            state = AgreementState(event.agreement_no, _OF_AGREEMENTS[kind], event.contract_no)
            return AgreementNotice(self.name, state)
        if kind != "payment.succeeded":
            return None
        notice = _read(raw, _Notice)
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
        found: _ClosingAnswer = self._call(
            "/v1/closings", f"msg_close_{order.pay_no}", {"order_no": order.pay_no}, _ClosingAnswer
        )
        if found.status != "succeeded":
            if found.order_no != order.pay_no:
                raise CHANNEL_UNAVAILABLE()
            return "closed" if found.status == "closed" else "open"
        return found.notice()

    def prepare_signing(self, agreement: Agreement) -> SigningParameters:
        message = {
            "agreement_no": agreement.agreement_id,
            "charge_fen": agreement.charge_fen,
            "day_fen": agreement.day_fen,
            "ends_at": rfc3339(agreement.ends_at),
        }
        answer = self._agreement("/v1/agreements", f"msg_sign_{agreement.agreement_id}", message)
        if not answer.sign_url:
            raise CHANNEL_UNAVAILABLE()
        return SigningParameters(answer.sign_url)

    def ask(self, agreement: Agreement) -> AgreementState:
        message = {"agreement_no": agreement.agreement_id}
        answer = self._agreement("/v1/agreement-queries", f"msg_ask_{agreement.agreement_id}", message)
        return AgreementState(answer.agreement_no, answer.status, answer.contract_no)

    def end(self, agreement: Agreement) -> None:
        message = {"agreement_no": agreement.agreement_id}
        answer = self._agreement("/v1/agreement-ends", f"msg_end_{agreement.agreement_id}", message)
        if answer.status != "ended":
            raise CHANNEL_UNAVAILABLE()

    def charge(self, order: Order, agreement: Agreement) -> PaymentNotice | Literal["open"]:
        message = {
            "order_no": order.pay_no,
            "agreement_no": agreement.agreement_id,
            "contract_no": agreement.contract_no,
            "amount_fen": order.amount_fen,
        }
        found: _ChargeAnswer = self._call("/v1/charges", f"msg_charge_{order.pay_no}", message, _ChargeAnswer)
        if found.order_no != order.pay_no:
            raise CHANNEL_UNAVAILABLE()
        if found.status == "succeeded":
            return found.notice()
        if found.status == "processing":
            return "open"
        raise self._refusal(found.reason, agreement)

    @staticmethod
    def _refusal(reason: str, agreement: Agreement) -> CardstockError:
        if reason == "AGREEMENT_ENDED":
            return errors.AGREEMENT_ENDED()
        if reason == "BALANCE_SHORT":
            return errors.BALANCE_SHORT()
        if reason == "OVER_LIMIT":
            return errors.CHARGE_OVER_LIMIT(limit_fen=agreement.charge_fen)
        if reason == "OVER_DAY":
            return errors.CHARGE_OVER_DAY(limit_fen=agreement.day_fen)
        return errors.PAYMENT_CLOSED() if reason == "ORDER_CLOSED" else CHANNEL_UNAVAILABLE()

    def refund(self, refund: Refund) -> bool:
        message = {
            "refund_no": refund.refund_id,
            "transaction_no": refund.transaction_no,
            "amount_fen": refund.amount_fen,
        }
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

    def _agreement(self, path: str, message_id: str, message: dict[str, Any]) -> _AgreementAnswer:
        answer: _AgreementAnswer = self._call(path, message_id, message, _AgreementAnswer)
        if answer.agreement_no != message["agreement_no"] or (answer.status == "signed" and not answer.contract_no):
            raise CHANNEL_UNAVAILABLE()
        return answer

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


def _read(raw: bytes, kind: type[_Read]) -> _Read:
    try:
        return msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"), type=kind, strict=True)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BODY_INVALID(pointers=(Pointer("", "NOTICE"),)) from error
