"""WeChat Pay in mini-programs (JSAPI, API v3, public-key mode): the payments and refunds of one merchant.

| Call | Here |
|---|---|
| `POST /v3/pay/transactions/jsapi` | start; the same order again gives a fresh `prepay_id` |
| `GET .../out-trade-no/{number}` | how a payment stands |
| `POST .../out-trade-no/{number}/close` | take no payment any more; refused for one that was made |
| `POST /v3/refund/domestic/refunds` | refund; repeating a number does not refund twice |
| `GET /v3/refund/domestic/refunds/{number}` | how a refund stands |

Only what WeChat signed is used. A refusal decides nothing by itself: whether an order is paid or closed, and whether a
refund was made, the query says. A refund that WeChat refuses, and then says that it does not know, was never made.

| State of a payment | Meaning |
|---|---|
| `SUCCESS` | paid |
| `REFUND` | paid, and some of it went back |
| `CLOSED`, `REVOKED`, unknown at WeChat | takes no payment |
| `NOTPAY`, `USERPAYING`, `PAYERROR`, any other | may still be paid: `time_expire` ends the window, not the payment |

| State of a refund | Meaning |
|---|---|
| `SUCCESS` | the buyer has it |
| `PROCESSING`, any other | WeChat works on it |
| `ABNORMAL` | it did not reach the buyer: the merchant names another account on WeChat's pages |
| `CLOSED` | never made |

Source: pay.weixin.qq.com/doc/v3/merchant 4012791856 (order), 4012791858 (query), 4012791860 (close), 4012791861 (notice
of a payment), 4012791862 (refund), 4012791863 (query of a refund), 4012791865 (notice of a refund), 4013163605 (rules).
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Final

import httpx
import msgspec
from msgspec import Meta

from cardstock.errors import BODY_INVALID, CHANNEL_UNAVAILABLE, Pointer
from cardstock.money import CURRENCY
from cardstock.orders import errors
from cardstock.orders.channels import Report
from cardstock.orders.model import Order
from cardstock.orders.payment_model import (
    Closing,
    Notice,
    PaymentNotice,
    PaymentParameters,
    RefundNotice,
    RefundProgress,
)
from cardstock.orders.refund_model import Refund
from cardstock.platforms.connections import client, trouble
from cardstock.platforms.keys import NoticeKey
from cardstock.platforms.wechat_pay import URL, Answer, WechatPay
from cardstock.platforms.wechat_push import PushApp

NAME: Final = "wechat"
_ORDERS: Final = "/v3/pay/transactions"
_REFUNDS: Final = "/v3/refund/domestic/refunds"
_BEIJING: Final = timezone(timedelta(hours=8))
_MOST_DESCRIBED: Final = 127
_MOST_REASON_BYTES: Final = 80
_ENDED: Final = frozenset({"CLOSED", "REVOKED"})
_UNKNOWN: Final = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS", "NOT_FOUND"})
_MISCONFIGURED: Final = frozenset({"APPID_MCHID_NOT_MATCH", "MCH_NOT_EXISTS", "NO_AUTH", "SIGN_ERROR", "PARAM_ERROR"})
_FINAL_REFUSALS: Final = frozenset({"USER_ACCOUNT_ABNORMAL", "INVALID_REQUEST", "RESOURCE_NOT_EXISTS"})
_MERCHANT_ACTS: Final = frozenset({"NOT_ENOUGH", "REQUEST_BLOCKED"}) | _MISCONFIGURED
_NO_FUNDS: Final = "余额不足"
"""In the message of INVALID_REQUEST it means the same as NOT_ENOUGH."""

_Key = Annotated[str, Meta(min_length=1)]
_Fen = Annotated[int, Meta(ge=0)]


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The merchant's account, from the secret. Keys are PEM or bare base64."""

    mch_id: _Key
    app_ids: Annotated[tuple[str, ...], Meta(min_length=1)]
    """The mini-programs that are bound to the merchant."""
    serial_no: _Key
    """Serial number of the merchant's API certificate."""
    private_key: _Key
    public_key_id: Annotated[str, Meta(pattern="^PUB_KEY_ID_")]
    public_key: _Key
    notice_key: Annotated[str, Meta(min_length=32, max_length=32)]
    """APIv3密钥."""
    notify_url: Annotated[str, Meta(pattern=r"^https?://[^?#]+\Z")]
    """Where WeChat sends its notices: this deployment's `/v1/payments/wechat/notify`."""
    title: Annotated[str, Meta(max_length=32)] = ""
    """What buyers read before the goods: the shop's name."""
    certificates: dict[str, str] = {}
    """WeChat's keys by the serials of its certificates, as long as it still signs with one."""
    pushes: dict[str, PushApp] = {}
    """The mini-programs whose message push comes here: app id to its token and key."""
    base_url: str = URL


class _Amount(msgspec.Struct, frozen=True):
    total: _Fen
    currency: str = CURRENCY


class _Payer(msgspec.Struct, frozen=True):
    openid: str = ""


class _Payment(msgspec.Struct, frozen=True):
    """A payment in a query or a notice. `payer_total` is left out: WeChat's coupons may have paid the rest."""

    mchid: str
    out_trade_no: str
    trade_state: str
    appid: str = ""
    transaction_id: str = ""
    success_time: datetime | None = None
    amount: _Amount | None = None
    payer: _Payer = _Payer()


class _RefundAmount(msgspec.Struct, frozen=True):
    refund: _Fen


class _Refund(msgspec.Struct, frozen=True):
    """The answer about a refund."""

    out_refund_no: str
    status: str
    amount: _RefundAmount


class _ReportedRefund(msgspec.Struct, frozen=True):
    """A refund in a notice: it names no app, and its state otherwise."""

    mchid: str
    out_trade_no: str
    out_refund_no: str
    transaction_id: str
    refund_status: str
    amount: _RefundAmount


class _Prepaid(msgspec.Struct, frozen=True):
    prepay_id: _Key


class WechatChannel:
    """`orders.ports.PaymentChannel` of one merchant. `transport` replaces the network.

    Raises ValueError (`msgspec.ValidationError` is one) for an account that cannot work, before anything is sent.
    """

    name = NAME

    def __init__(self, account: Any, *, report: Report, transport: httpx.BaseTransport | None = None) -> None:
        self._account = msgspec.convert(account, Account)
        self._notice_key = NoticeKey(self._account.notice_key)
        self._report = report
        self._pay = WechatPay(
            mch_id=self._account.mch_id,
            serial_no=self._account.serial_no,
            private_key=self._account.private_key,
            public_keys={self._account.public_key_id: self._account.public_key, **self._account.certificates},
            client=client(self._account.base_url, transport),
        )

    def start(self, order: Order, payer: str) -> PaymentParameters | PaymentNotice:
        _, app_id, openid = payer.split(":", 2)
        if app_id not in self._account.app_ids:
            raise errors.APP_DIFFERS(pointers=(Pointer("/channel", "APP_DIFFERS"),))
        answer = self._call(order.order_id, "POST", f"{_ORDERS}/jsapi", self._prepay(order, app_id, openid))
        prepaid = answer.decoded(_Prepaid)
        if prepaid is not None:
            call = self._pay.pay_call(app_id, prepaid.prepay_id)
            return PaymentParameters(NAME, order.pay_no, order.amount_fen, CURRENCY, parameters=call)
        if answer.code in _MISCONFIGURED:
            raise errors.CHANNEL_MISCONFIGURED() from ValueError(f"{answer.code} {answer.message}"[:200])
        # The number may be paid, closed, or taken with other parameters.
        found = self._stands(order)
        if answer.code in ("ORDER_CLOSED", "OUT_TRADE_NO_USED") and isinstance(found, str):
            raise errors.PAYMENT_CLOSED() if found == "closed" else errors.PAYMENT_STARTED()
        if isinstance(found, str):
            raise CHANNEL_UNAVAILABLE()
        return found

    def read_notice(self, headers: Mapping[str, str], raw: bytes) -> Notice | None:
        try:
            kind, plain = self._pay.open_notice(headers, raw, self._notice_key)
            if kind.startswith("REFUND."):
                return self._refund_notice(msgspec.json.decode(plain, type=_ReportedRefund))
            if kind != "TRANSACTION.SUCCESS":
                return None
            payment = msgspec.json.decode(plain, type=_Payment)
            if payment.mchid != self._account.mch_id or payment.appid not in self._account.app_ids:
                raise ValueError("another merchant's")
            return self._payment_notice(payment) if payment.trade_state == "SUCCESS" else None
        except (ValueError, RecursionError) as error:
            raise BODY_INVALID(pointers=(Pointer("", "NOTICE"),)) from error

    def close(self, order: Order) -> PaymentNotice | Closing:
        path = f"{_ORDERS}/out-trade-no/{order.pay_no}/close"
        answer = self._call(order.order_id, "POST", path, {"mchid": self._account.mch_id})
        if answer.status == httpx.codes.NO_CONTENT and answer.genuine:
            return "closed"
        return self._stands(order)

    def payment_of(self, order: Order) -> PaymentNotice:
        """The payment of a paid order. Raises `UnavailableError` if WeChat does not name it."""
        found = self._stands(order)
        if isinstance(found, str):
            raise CHANNEL_UNAVAILABLE()
        return found

    def refund(self, refund: Refund) -> bool:
        answer = self._call(refund.refund_id, "POST", _REFUNDS, self._refund(refund))
        said = self._of(refund, answer)
        if said is None:
            # Refused, or no usable answer: the query says whether the number was taken on before.
            asked = self._call(refund.refund_id, "GET", f"{_REFUNDS}/{refund.refund_id}")
            said = self._of(refund, asked)
        if said is None:
            self._refuse(refund, answer, known=not self._is_unknown(asked))
            raise CHANNEL_UNAVAILABLE()
        if said.status == "CLOSED":
            raise errors.REFUND_REFUSED(refund_id=refund.refund_id, reason=said.status)
        if said.status == "ABNORMAL":
            raise errors.MERCHANT_MUST_ACT(refund_id=refund.refund_id, reason=said.status)
        return said.status == "SUCCESS"

    def progress(self, refund: Refund) -> RefundProgress:
        answer = self._call(refund.refund_id, "GET", f"{_REFUNDS}/{refund.refund_id}")
        said = self._of(refund, answer)
        if said is not None:
            return "succeeded" if said.status == "SUCCESS" else "none" if said.status == "CLOSED" else "processing"
        if self._is_unknown(answer):
            return "none"
        raise CHANNEL_UNAVAILABLE()

    def _prepay(self, order: Order, app_id: str, openid: str) -> dict[str, Any]:
        described = f"{self._account.title} {'、'.join(line.name for line in order.lines)}".strip()
        return {
            "appid": app_id,
            "mchid": self._account.mch_id,
            "description": described[:_MOST_DESCRIBED] or order.order_id,
            "out_trade_no": order.pay_no,
            "time_expire": order.expires_at.astimezone(_BEIJING).isoformat(timespec="seconds"),
            "notify_url": self._account.notify_url,
            "amount": {"total": order.amount_fen, "currency": CURRENCY},
            "payer": {"openid": openid},
        }

    def _refund(self, refund: Refund) -> dict[str, Any]:
        cut = refund.reason.encode()[:_MOST_REASON_BYTES].decode(errors="ignore")
        reason = {"reason": cut} if cut else {}
        return {
            "transaction_id": refund.transaction_no,
            "out_refund_no": refund.refund_id,
            "notify_url": self._account.notify_url,
            "amount": {"refund": refund.amount_fen, "total": refund.total_fen, "currency": CURRENCY},
            **reason,
        }

    def _stands(self, order: Order) -> PaymentNotice | Closing:
        """How the payment of `order` stands. Raises `UnavailableError` if WeChat does not say."""
        path = f"{_ORDERS}/out-trade-no/{order.pay_no}?mchid={self._account.mch_id}"
        answer = self._call(order.order_id, "GET", path)
        if self._is_unknown(answer):
            return "closed"
        said = answer.decoded(_Payment)
        if said is None or (said.mchid, said.out_trade_no) != (self._account.mch_id, order.pay_no):
            raise CHANNEL_UNAVAILABLE()
        if said.trade_state in ("SUCCESS", "REFUND"):
            try:
                return self._payment_notice(said)
            except ValueError as error:
                raise CHANNEL_UNAVAILABLE() from error
        return "closed" if said.trade_state in _ENDED else "open"

    def _payment_notice(self, said: _Payment) -> PaymentNotice:
        at = said.success_time
        if not said.transaction_id or said.amount is None or at is None or at.tzinfo is None:
            raise ValueError("a payment without number, amount or time")
        return PaymentNotice(
            channel=NAME,
            order_no=said.out_trade_no,
            transaction_no=said.transaction_id,
            amount_fen=said.amount.total,
            currency=said.amount.currency,
            paid_at=at,
            payer=f"{NAME}:{said.appid}:{said.payer.openid}" if said.payer.openid else "",
            gave_back=said.trade_state == "REFUND",
        )

    def _refund_notice(self, said: _ReportedRefund) -> RefundNotice | None:
        if said.mchid != self._account.mch_id:
            raise ValueError("another merchant's")
        known: dict[str, Any] = {"SUCCESS": "succeeded", "CLOSED": "refused", "ABNORMAL": "must_act"}
        if said.refund_status not in known:
            return None
        return RefundNotice(
            channel=NAME,
            order_no=said.out_trade_no,
            refund_no=said.out_refund_no,
            transaction_no=said.transaction_id,
            status=known[said.refund_status],
            amount_fen=said.amount.refund,
            reason="" if said.refund_status == "SUCCESS" else said.refund_status,
        )

    def _refuse(self, refund: Refund, answer: Answer, *, known: bool) -> None:
        """Raise what a signed refusal means for a refund that WeChat has not taken on, if it means anything."""
        if known or not answer.genuine:
            return
        reason = f"{answer.code} {answer.message}".strip()[:128]
        if answer.code in _MERCHANT_ACTS or (answer.code == "INVALID_REQUEST" and _NO_FUNDS in answer.message):
            raise errors.MERCHANT_MUST_ACT(refund_id=refund.refund_id, reason=reason)
        if answer.code in _FINAL_REFUSALS:
            raise errors.REFUND_REFUSED(refund_id=refund.refund_id, reason=reason)

    def _of(self, refund: Refund, answer: Answer) -> _Refund | None:
        """What the answer says about this very refund."""
        said = answer.decoded(_Refund)
        if said is None or (said.out_refund_no, said.amount.refund) != (refund.refund_id, refund.amount_fen):
            return None
        return said

    @staticmethod
    def _is_unknown(answer: Answer) -> bool:
        return answer.genuine and answer.status == httpx.codes.NOT_FOUND and answer.code in _UNKNOWN

    def _call(self, number: str, method: Any, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """WeChat's answer. Raises `UnavailableError` without one: the outcome is unknown."""
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            answer = self._pay.call(method, path, content)
        except httpx.HTTPError as error:
            self._report(number, trouble(error))
            raise CHANNEL_UNAVAILABLE() from error
        # Most orders that expire were never started there: unknown is what WeChat says of them.
        expected = self._is_unknown(answer) and (method == "GET" or path.endswith("/close"))
        if not expected and (answer.status >= httpx.codes.MULTIPLE_CHOICES or not answer.genuine):
            self._report(number, f"http_{answer.status} {answer.code}".strip())
        return answer
