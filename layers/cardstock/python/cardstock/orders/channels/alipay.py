"""Alipay in mini-programs (JSAPI payment): the payments and refunds of one merchant, whose apps have keys of their own.

| Call | Here |
|---|---|
| `alipay.trade.create` | start; the same order again gives the same `trade_no` |
| `alipay.trade.query` | how a payment stands |
| `alipay.trade.close` | take no payment any more; refused for one that was made |
| `alipay.trade.refund` | refund; repeating an `out_request_no` does not refund twice |
| `alipay.trade.fastpay.refund.query` | how a refund stands |

Only what Alipay signed is used. A refusal decides nothing about a payment: the query does.

| State of a trade | Meaning |
|---|---|
| `TRADE_SUCCESS`, `TRADE_FINISHED` | paid; the query does not say whether a part went back |
| `TRADE_CLOSED` with a time of payment | paid, and all of it went back |
| `TRADE_CLOSED` without, `ACQ.TRADE_NOT_EXIST` | takes no payment |
| `WAIT_BUYER_PAY`, any other | may still be paid |

| Answer to a refund | Meaning |
|---|---|
| `fund_change` `Y` | the buyer has it |
| `fund_change` `N` or none, `20000`, `ACQ.SYSTEM_ERROR`, no answer, any other refusal | the query says |
| `ACQ.DISCORDANT_REPEAT_REQUEST` | the number has another amount at Alipay: the query says, else unknown |
| `40005` | too many calls: nothing was done |
| `ACQ.SELLER_BALANCE_NOT_ENOUGH`, a refusal of the app | nothing was done until the merchant has acted |
| `ACQ.TRADE_NOT_EXIST`, `ACQ.TRADE_HAS_FINISHED`, others about the trade | never, if the query does not know it |

The query knows a refund if it names it, which is made if it says `REFUND_SUCCESS` too. `10000` alone says that the
question was understood.

A notice of a refund looks like one of a payment: its state is `TRADE_SUCCESS`, or `TRADE_CLOSED` when all went back.
`refund_fee` is the sum of all refunds of the trade so far, so it does not tell the amount of this one; `out_biz_no` is
its number. A notice proves no time: what has been sent once can be sent again, by anybody, for ever. A replay changes
nothing, because a payment is booked once for its number, and a refund ends once.

Source: opendocs.alipay.com: the five calls, asynchronous notices of JSAPI payment, public error codes.
"""

from collections.abc import Iterable, Mapping
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
from cardstock.platforms.alipay_gateway import (
    CALL_LIMITED,
    CHARSET,
    MISCONFIGURED,
    URL,
    Answer,
    AppKeys,
    Gateway,
    fen_of,
    moment_of,
    moment_text,
    name_kind,
    plain_text,
    read_notice,
    yuan,
)
from cardstock.platforms.connections import client, trouble
from cardstock.platforms.keys import PrivateKey, PublicKey

NAME: Final = "alipay"
_CREATE: Final = "alipay.trade.create"
_QUERY: Final = "alipay.trade.query"
_CLOSE: Final = "alipay.trade.close"
_REFUND: Final = "alipay.trade.refund"
_REFUND_QUERY: Final = "alipay.trade.fastpay.refund.query"
_MOST_SUBJECT: Final = 256
_MOST_REASON: Final = 256
_NOT_EXIST: Final = "ACQ.TRADE_NOT_EXIST"
_TAKEN: Final = ("ACQ.TRADE_HAS_CLOSE", "ACQ.CONTEXT_INCONSISTENT", "ACQ.TRADE_BUYER_NOT_MATCH")
_NOT_OURS: Final = frozenset(
    {"ACQ.ACCESS_FORBIDDEN", "ACQ.INVALID_PARAMETER", "ACQ.PARTNER_ERROR", "ACQ.SELLER_BEEN_BLOCKED"}
)
"""Alipay refused the merchant or the form of the call."""
_FINAL_REFUSALS: Final = (
    _NOT_EXIST,
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
    "ACQ.REASON_TRADE_REFUND_FEE_ERR",
    "ACQ.TRADE_HAS_FINISHED",
    "ACQ.TRADE_NOT_ALLOW_REFUND",
    "ACQ.TRADE_STATUS_ERROR",
    "ACQ.REASON_TRADE_BEEN_FREEZEN",
)
_PAID: Final = ("TRADE_SUCCESS", "TRADE_FINISHED")

_Key = Annotated[str, Meta(min_length=1)]


class App(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mini-program's keys, PEM or bare base64."""

    private_key: _Key
    public_key: _Key
    """Alipay's public key, not the app's."""


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The merchant's account, from the secret."""

    apps: Annotated[dict[str, App], Meta(min_length=1)]
    """The merchant's mini-programs by their app ids."""
    notify_url: Annotated[str, Meta(pattern=r"^https?://[^?#]+\Z", max_length=256)]
    """Where Alipay sends its notices: this deployment's `/v1/payments/alipay/notify`."""
    seller_id: str = ""
    """The merchant's own user id (2088...): a notice for another one is not taken as ours. Empty: not checked."""
    title: Annotated[str, Meta(max_length=32)] = ""
    """What buyers read before the goods: the shop's name."""
    gateway: str = f"{URL}?charset={CHARSET}"


class _Created(msgspec.Struct, frozen=True):
    out_trade_no: str
    trade_no: _Key


class _Closed(msgspec.Struct, frozen=True):
    out_trade_no: str


class _Trade(msgspec.Struct, frozen=True):
    """A trade in a query. `buyer_pay_amount` and `receipt_amount` are left out: vouchers may have paid the rest."""

    out_trade_no: str
    trade_status: str
    trade_no: str = ""
    total_amount: str = ""
    send_pay_date: str = ""
    buyer_user_id: str = ""
    buyer_open_id: str = ""


class _Refunded(msgspec.Struct, frozen=True):
    trade_no: str
    fund_change: str = ""


class _RefundFound(msgspec.Struct, frozen=True):
    trade_no: str = ""
    out_request_no: str = ""
    refund_amount: str | None = None
    refund_status: str = ""


class AlipayChannel:
    """`orders.ports.PaymentChannel` of one merchant. `transport` replaces the network.

    Raises ValueError (`msgspec.ValidationError` is one) for an account that cannot work, before anything is sent.
    """

    name = NAME

    def __init__(self, account: Any, *, report: Report, transport: httpx.BaseTransport | None = None) -> None:
        self._account = msgspec.convert(account, Account)
        self._apps = {
            app_id: AppKeys(app_id, PrivateKey(app.private_key), PublicKey(app.public_key))
            for app_id, app in self._account.apps.items()
        }
        self._report = report
        self._gateway = Gateway(self._account.gateway, client("", transport))

    def start(self, order: Order, payer: str) -> PaymentParameters | PaymentNotice:
        _, app_id, name = payer.split(":", 2)
        if app_id not in self._apps:
            raise errors.APP_DIFFERS(pointers=(Pointer("/channel", "APP_DIFFERS"),))
        answer = self._call(
            order.order_id, self._apps[app_id], _CREATE, self._trade(order, app_id, name),
            notify_url=self._account.notify_url,
        )  # fmt: skip
        created = answer.decoded(_Created)
        if created is not None and created.out_trade_no == order.pay_no:
            call = {"tradeNO": created.trade_no}
            return PaymentParameters(NAME, order.pay_no, order.amount_fen, CURRENCY, parameters=call)
        if answer.code in MISCONFIGURED or answer.sub_code in _NOT_OURS:
            raise errors.CHANNEL_MISCONFIGURED() from ValueError(answer.cause)
        # The number may be paid, closed, or taken with another amount or buyer.
        found = self._stands(order)
        if answer.refused_as(*_TAKEN) and isinstance(found, str):
            raise errors.PAYMENT_CLOSED() if found == "closed" else errors.PAYMENT_STARTED()
        if isinstance(found, str):
            raise CHANNEL_UNAVAILABLE()
        return found

    def read_notice(self, headers: Mapping[str, str], raw: bytes) -> Notice | None:  # noqa: ARG002 - all is in the body
        given = read_notice(raw, {app_id: app.public for app_id, app in self._apps.items()})
        try:
            if self._account.seller_id and given.get("seller_id") != self._account.seller_id:
                raise ValueError("another merchant's")
            return _notice_of(given)
        except (ValueError, KeyError) as error:
            raise BODY_INVALID(pointers=(Pointer("", "NOTICE"),)) from error

    def close(self, order: Order) -> PaymentNotice | Closing:
        answer = self._ask(order.order_id, self._apps_of(order), _CLOSE, {"out_trade_no": order.pay_no})
        closed = answer.decoded(_Closed)
        if closed is not None and closed.out_trade_no == order.pay_no:
            return "closed"
        return self._stands(order)

    def refund(self, refund: Refund) -> bool:
        answer = self._ask(refund.refund_id, self._apps.values(), _REFUND, _refund_fields(refund))
        said = answer.decoded(_Refunded)
        if said is not None and (said.trade_no, said.fund_change) == (refund.transaction_no, "Y"):
            return True
        if answer.code in MISCONFIGURED or answer.refused_as("ACQ.SELLER_BALANCE_NOT_ENOUGH", *_NOT_OURS):
            raise errors.MERCHANT_MUST_ACT(refund_id=refund.refund_id, reason=answer.cause)
        if answer.code == CALL_LIMITED:  # one more call now would be refused as well
            raise CHANNEL_UNAVAILABLE()
        progress = self.progress(refund)
        if progress != "none":
            return progress == "succeeded"
        if answer.refused_as(*_FINAL_REFUSALS):
            raise errors.REFUND_REFUSED(refund_id=refund.refund_id, reason=answer.cause)
        raise CHANNEL_UNAVAILABLE()

    def progress(self, refund: Refund) -> RefundProgress:
        asked = {"trade_no": refund.transaction_no, "out_request_no": refund.refund_id}
        answer = self._ask(refund.refund_id, self._apps.values(), _REFUND_QUERY, asked)
        said = answer.decoded(_RefundFound)
        if answer.refused_as(_NOT_EXIST) or (said is not None and not said.out_request_no):
            return "none"
        numbers = (refund.transaction_no, refund.refund_id)
        if said is None or (said.trade_no, said.out_request_no) != numbers:
            raise CHANNEL_UNAVAILABLE()
        if said.refund_amount is not None and fen_of(said.refund_amount) != refund.amount_fen:
            self._report(refund.refund_id, "another_amount")
            raise CHANNEL_UNAVAILABLE()
        return "succeeded" if said.refund_status == "REFUND_SUCCESS" else "processing"

    def _trade(self, order: Order, app_id: str, name: str) -> dict[str, Any]:
        described = plain_text(f"{self._account.title} {'、'.join(line.name for line in order.lines)}".strip())
        return {
            "out_trade_no": order.pay_no,
            "total_amount": yuan(order.amount_fen),
            "subject": described[:_MOST_SUBJECT] or order.order_id,
            "product_code": "JSAPI_PAY",
            "op_app_id": app_id,
            "buyer_id" if name_kind(name) == "user" else "buyer_open_id": name,
            "time_expire": moment_text(order.expires_at),
        }

    def _apps_of(self, order: Order) -> Iterable[AppKeys]:
        """The app in which the order was placed; every one if that is not known or has no keys here."""
        own = self._apps.get(order.app.partition(":")[2])
        return self._apps.values() if own is None else (own,)

    def _stands(self, order: Order) -> PaymentNotice | Closing:
        """How the payment of `order` stands. Raises `UnavailableError` if Alipay does not say."""
        answer = self._ask(order.order_id, self._apps_of(order), _QUERY, {"out_trade_no": order.pay_no})
        if answer.refused_as(_NOT_EXIST):
            return "closed"
        said = answer.decoded(_Trade)
        if said is None or said.out_trade_no != order.pay_no:
            raise CHANNEL_UNAVAILABLE()
        went_back = said.trade_status == "TRADE_CLOSED" and said.send_pay_date != ""
        if said.trade_status in _PAID or went_back:
            try:
                return _payment(
                    msgspec.to_builtins(said) | {"buyer_id": said.buyer_user_id, "gmt_payment": said.send_pay_date},
                    app_id=order.app.partition(":")[2], gave_back=went_back,
                )  # fmt: skip
            except (ValueError, KeyError) as error:
                raise CHANNEL_UNAVAILABLE() from error
        return "closed" if said.trade_status == "TRADE_CLOSED" else "open"

    def _ask(self, number: str, apps: Iterable[AppKeys], method: str, content: Mapping[str, Any]) -> Answer:
        """The answer of the first of `apps` that knows the trade. None of them does only if each one says so."""
        refused: Answer | None = None
        for app in apps:
            answer = self._call(number, app, method, content)
            if answer.code not in MISCONFIGURED and not answer.refused_as(_NOT_EXIST):
                return answer
            if refused is None or answer.code in MISCONFIGURED:
                refused = answer
        if refused is None:
            raise CHANNEL_UNAVAILABLE()
        return refused

    def _call(self, number: str, app: AppKeys, method: str, content: Mapping[str, Any], **fields: str) -> Answer:
        """Alipay's answer. Raises `UnavailableError` without one: the outcome is unknown."""
        try:
            answer = self._gateway.call(app, method, content, **fields)
        except httpx.HTTPError as error:
            self._report(number, trouble(error))
            raise CHANNEL_UNAVAILABLE() from error
        if answer.decoded(dict) is None and not answer.refused_as(_NOT_EXIST):
            self._report(number, answer.cause)
        return answer


def _refund_fields(refund: Refund) -> dict[str, str]:
    reason = {"refund_reason": plain_text(refund.reason[:_MOST_REASON])} if refund.reason else {}
    return {
        "trade_no": refund.transaction_no,
        "refund_amount": yuan(refund.amount_fen),
        "out_request_no": refund.refund_id,
        **reason,
    }


def _notice_of(given: Mapping[str, str]) -> Notice | None:
    """A payment or a refund; None for another state. Raises ValueError and KeyError for what lacks a field."""
    status = given["trade_status"]
    sum_refunded = fen_of(given.get("refund_fee", "0"))
    if sum_refunded is None:
        raise ValueError("no amount")
    went_back = sum_refunded != 0 or "gmt_refund" in given
    if not went_back or status == "TRADE_FINISHED":
        # The end of a trade's time is no refund, whatever went back before.
        return _payment(given, app_id=given["app_id"], gave_back=went_back) if status in _PAID else None
    if status not in ("TRADE_SUCCESS", "TRADE_CLOSED"):
        return None
    return RefundNotice(
        channel=NAME,
        order_no=given["out_trade_no"],
        # Without a number it was made on Alipay's pages; its time tells it from others.
        refund_no=given.get("out_biz_no") or given["gmt_refund"],
        transaction_no=given["trade_no"],
        status="succeeded",
        amount_fen=None,
        reason=f"{yuan(sum_refunded)} CNY in all",
    )


def _payment(given: Mapping[str, str], *, app_id: str, gave_back: bool) -> PaymentNotice:
    fen = fen_of(given["total_amount"])
    if fen is None or fen <= 0 or not given["trade_no"]:
        raise ValueError("a payment without number or amount")
    # Where both names come the user id counts, as at log-in.
    name = given.get("buyer_id") or given.get("buyer_open_id") or ""
    return PaymentNotice(
        channel=NAME,
        order_no=given["out_trade_no"],
        transaction_no=given["trade_no"],
        amount_fen=fen,
        # Named for payments from abroad alone.
        currency=given.get("trans_currency") or CURRENCY,
        paid_at=moment_of(given["gmt_payment"]),
        payer=f"{NAME}:{app_id}:{name}" if app_id and name else "",
        gave_back=gave_back,
    )
