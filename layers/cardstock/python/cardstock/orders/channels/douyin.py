"""Douyin in mini-programs (通用交易系统): the payments and refunds of one merchant, whose apps have keys of their own.

| Call | Here |
|---|---|
| none: a signed text for `tt.requestOrder` | start; the mini-program makes the order |
| `order_query` | how a payment stands; the parts of an order |
| `refund_create` | refund; repeating an `out_refund_no` does not refund twice |
| `refund_query` | how a refund stands |
| `refund_audit_callback` | agree to a refund that the buyer asked for in Douyin, or deny it |
| `fulfill_push_status` | what was sent; money is settled after it |

Douyin has no closing. A signed order is taken for an hour, and lives for its `payExpireSeconds` from then on: until an
hour after our own expiry (`Order.open_until`) somebody may still make it.

| State of an order | Meaning |
|---|---|
| `SUCCESS` | paid; whether some of it went back `refund_query` says |
| `TIMEOUT` | takes no payment any more |
| `PROCESS`, any other | may still be paid; any other but `PROCESS` only until `open_until` |
| unknown (20000) | takes no payment, unless a signed order may still be on its way |

| State of a refund | Meaning |
|---|---|
| `SUCCESS` | the buyer has it |
| `PROCESSING`, any other | Douyin works on it, or waits for the merchant's word (`TOAUDIT`) |
| `FAIL` | never made |

A refusal decides nothing by itself: the query does. What Douyin has just taken on the query may not know for some
seconds, so codes that say "taken already" are never final.

An order is one article there, whatever was bought: Douyin takes one, and coupons and freight have no place in it. So a
refund names its one part (`item_order_id`), and what a buyer asks for in Douyin is compared by its amount.

What Douyin says of a payment names no payer (`orders.channels.NAMES_NO_PAYER`).

Our number of a refund is `{order}-{refund}` (`{order}-a-{refund}` where the buyer asked Douyin): what Douyin says of a
refund names no other number of ours.

Source: developer.open-douyin.com, 支付 · 交易系统 · 通用交易系统: request-order-data-sign, query-order,
notify-payment-result, create-refund, query-refund, refund-audit, refund-callback, refund-notify, push-fulfill-status.
Not confirmed: how long a signed order is taken; the code for missing funds, which is known by its words; whether
`fulfill_push_status` may be repeated.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Annotated, Any, Final

import httpx
import msgspec
from msgspec import Meta

from cardstock import clock
from cardstock.clock import from_epoch_ms
from cardstock.errors import BODY_INVALID, CHANNEL_UNAVAILABLE, Pointer
from cardstock.money import CURRENCY
from cardstock.orders import errors
from cardstock.orders.channels import Report
from cardstock.orders.model import Order, PayNo
from cardstock.orders.payment_model import (
    ClosedNotice,
    Closing,
    Notice,
    PaymentNotice,
    PaymentParameters,
    RefundAsked,
    RefundNotice,
    RefundProgress,
)
from cardstock.orders.refund_model import Refund
from cardstock.orders.supplier_model import Parcel
from cardstock.platforms.calls import PlatformError
from cardstock.platforms.douyin import URL
from cardstock.platforms.douyin_trade import SIGNED_FOR, Answer, AppKeys, Trade, authorise, open_callback
from cardstock.platforms.keys import PrivateKey, PublicKey

NAME: Final = "douyin"
LATE: Final = timedelta(minutes=5)
"""For clocks that differ, and for a payment that is confirmed in its last second."""
_MOST_TITLE_BYTES: Final = 256
_MOST_REASON: Final = 49
_MOST_DENIAL_BYTES: Final = 512
_OTHER_REASON: Final = 999
_UNKNOWN: Final = 20000
_AGREE, _DENY = 1, 2
_MISCONFIGURED: Final = frozenset({10000, 2190004, 28001014, 28001018})
"""Douyin refused the form of the call, or the app may not make it: nothing was done."""
_FINAL_REFUSALS: Final = frozenset({_UNKNOWN, 22000, 22001, 22002, 22007, 22008})
"""Not paid, over a year old, or nothing of it is left to give back."""
_TAKEN: Final = frozenset({22004, 22006, 22013})
"""A number that was taken on before, or a word that was said before."""
_SHIPPING_REFUSED: Final = range(20000, 30000)
_NO_FUNDS: Final = "余额不足"
_NUMBER: Final = re.compile(r"(ord_[0-9a-z]{26})-(a-)?(rfd_[0-9a-z]{26})")

_Key = Annotated[str, Meta(min_length=1)]
_Fen = Annotated[int, Meta(ge=0)]
_Positive = Annotated[int, Meta(gt=0)]
_Milliseconds = Annotated[int, Meta(gt=0, lt=10**14)]


class App(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mini-program's secret and keys; keys are PEM or bare base64."""

    secret: _Key
    private_key: _Key
    """The app's own."""
    public_key: _Key
    """The platform's, with which it signs callbacks to this app."""
    key_version: _Key = "1"


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The merchant's account, from the secret."""

    apps: Annotated[dict[str, App], Meta(min_length=1)]
    """The merchant's mini-programs by their app ids."""
    notify_url: Annotated[str, Meta(pattern=r"^https?://[^?#]+\Z", max_length=512)]
    """Where Douyin sends its callbacks: this deployment's `/v1/payments/douyin/notify`."""
    order_page: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*\Z", max_length=512)]
    """The page of an order in the mini-program, without a leading slash. It gets `order_id`."""
    goods_type: int
    """商品类型, as agreed with Douyin for this merchant."""
    tag_group_id: _Key
    """交易规则标签组 of that type."""
    image: Annotated[str, Meta(pattern=r"^https?://", max_length=512)]
    """The picture that buyers see at an order."""
    shipped_status: str = ""
    """The state of the tag group that says that all was sent; empty: Douyin need not know."""
    merchant_uid: str = ""
    """The account that takes the money; empty: the default one."""
    title: Annotated[str, Meta(max_length=32)] = ""
    """What buyers read before the goods: the shop's name."""
    base_url: str = URL


class _Item(msgspec.Struct, frozen=True):
    item_order_id: _Key
    item_order_amount: _Fen


class _Order(msgspec.Struct, frozen=True):
    """An order in a query. `discount_amount` is left out: Douyin's coupons may have paid a part."""

    order_id: _Key
    out_order_no: str
    pay_status: str
    total_amount: _Fen
    pay_time: int = 0
    currency: str = CURRENCY
    item_order_list: tuple[_Item, ...] = ()


class _Audit(msgspec.Struct, frozen=True):
    audit_status: str = ""


class _Refund(msgspec.Struct, frozen=True):
    refund_id: str
    order_id: str
    refund_status: str
    refund_total_amount: _Fen
    out_refund_no: str = ""
    message: str = ""
    merchant_audit_detail: _Audit = _Audit()

    @property
    def denied(self) -> bool:
        """Whether it ended without money."""
        return self.refund_status == "FAIL" or self.merchant_audit_detail.audit_status == "DENY"


class _Refunds(msgspec.Struct, frozen=True):
    refund_list: tuple[_Refund, ...] = ()


class _Created(msgspec.Struct, frozen=True):
    refund_id: _Key


class _Payment(msgspec.Struct, frozen=True):
    out_order_no: str
    order_id: str
    status: str
    total_amount: _Fen = 0
    event_time: int = 0
    currency: str = CURRENCY
    message: str = ""


class _ReportedRefund(msgspec.Struct, frozen=True):
    order_id: _Key
    refund_id: _Key
    status: str
    refund_total_amount: _Fen
    out_refund_no: str = ""
    message: str = ""
    currency: str = CURRENCY


class _Asked(msgspec.Struct, frozen=True):
    order_id: _Key
    out_order_no: str
    refund_id: _Key
    refund_total_amount: _Positive
    need_refund_audit: int
    refund_audit_deadline: _Milliseconds
    refund_reason: tuple[str, ...] = ()
    currency: str = CURRENCY


class DouyinChannel:
    """`orders.ports.PaymentChannel` of one merchant, and its `ShippingReports` and `AskedRefunds`. `transport` replaces
    the network.

    Raises ValueError (`msgspec.ValidationError` is one) for an account that cannot work, before anything is sent.
    """

    name = NAME

    def __init__(self, account: Any, *, report: Report, transport: httpx.BaseTransport | None = None) -> None:
        self._account = msgspec.convert(account, Account)
        self._apps = {
            app_id: AppKeys(app_id, app.secret, PrivateKey(app.private_key), PublicKey(app.public_key), app.key_version)
            for app_id, app in self._account.apps.items()
        }
        self._report = report
        self._trade = Trade(self._account.base_url, transport=transport)

    def start(self, order: Order, payer: str) -> PaymentParameters:
        app = self._apps.get(payer.split(":", 2)[1])
        if app is None:
            raise errors.APP_DIFFERS(pointers=(Pointer("/channel", "APP_DIFFERS"),))
        data = msgspec.json.encode(self._order(order)).decode()
        call = {"data": data, "byteAuthorization": authorise(app, data)}
        until = order.expires_at + SIGNED_FOR + LATE
        return PaymentParameters(NAME, order.pay_no, order.amount_fen, CURRENCY, parameters=call, open_until=until)

    def read_notice(self, headers: Mapping[str, str], raw: bytes) -> Notice | None:
        try:
            callback = open_callback(headers, raw, self._apps)
            read = {"payment": _payment_notice, "refund": _refund_notice, "pre_create_refund": _asked}.get(
                callback.type
            )
            return None if read is None else read(callback.msg)
        except (ValueError, RecursionError) as error:
            raise BODY_INVALID(pointers=(Pointer("", "NOTICE"),)) from error

    def close(self, order: Order) -> PaymentNotice | Closing:
        answer = self._ask(order.order_id, self._apps_of(order), "order_query", {"out_order_no": order.pay_no})
        over = order.open_until is None or clock.now() >= order.open_until
        if answer.err_no == _UNKNOWN:
            return "closed" if over else "open"
        said = answer.decoded(_Order)
        if said is None or said.out_order_no != order.pay_no:
            raise CHANNEL_UNAVAILABLE()
        if said.pay_status == "SUCCESS":
            return self._paid(order, said)
        if said.pay_status == "TIMEOUT":
            return "closed"
        return "closed" if over and said.pay_status != "PROCESS" else "open"

    def refund(self, refund: Refund) -> bool:
        if refund.asked_no:
            return self._agree(refund)
        said = self._find(refund)
        if said is None:
            answer = self._create(refund)
            # Taken on or refused: in both cases the query says how the number stands.
            said = self._find(refund)
            if said is None and answer.decoded(_Created) is not None:
                return False
            if said is None:
                self._refuse(refund, answer)
                raise CHANNEL_UNAVAILABLE()
        if said.denied:
            raise errors.REFUND_REFUSED(refund_id=refund.refund_id, reason=f"FAIL {said.message}".strip()[:128])
        return said.refund_status == "SUCCESS"

    def progress(self, refund: Refund) -> RefundProgress:
        said = self._find(refund)
        if said is None or said.denied:
            return "none"
        return "succeeded" if said.refund_status == "SUCCESS" else "processing"

    def report(self, order: Order, parcels: Sequence[Parcel], at: datetime) -> bool:  # noqa: ARG002 - the state is all
        if not self._account.shipped_status:
            return False
        apps = self._apps_of(order)
        said = self._ask(order.order_id, apps, "order_query", {"out_order_no": order.pay_no}).decoded(_Order)
        if said is None or said.order_id != order.transaction_no or not said.item_order_list:
            raise CHANNEL_UNAVAILABLE()
        pushed = {
            "order_id": said.order_id,
            "item_order_id_list": [item.item_order_id for item in said.item_order_list],
            "to_status": self._account.shipped_status,
        }
        answer = self._ask(order.order_id, apps, "fulfill_push_status", pushed)
        if answer.err_no in _MISCONFIGURED:
            raise errors.CHANNEL_MISCONFIGURED() from ValueError(answer.cause)
        if answer.err_no in _SHIPPING_REFUSED:
            raise errors.SHIPPING_REFUSED(reason=answer.cause)
        if answer.err_no:
            raise CHANNEL_UNAVAILABLE()
        return True

    def deny(self, asked_no: str, reason: str) -> None:
        said = self._find_asked(asked_no, asked_no)
        if said.denied:
            return
        status = said.merchant_audit_detail.audit_status
        if said.refund_status == "SUCCESS" or status in ("AGREE", "OVERTIME"):
            raise errors.REFUND_SUCCEEDED()
        if status != "TOAUDIT":
            raise errors.REFUND_PENDING()
        cut = reason.encode()[:_MOST_DENIAL_BYTES].decode(errors="ignore")
        if self._audit(asked_no, asked_no, {"refund_audit_status": _DENY, "deny_message": cut}).err_no:
            raise CHANNEL_UNAVAILABLE()

    def reply_to(self, asked: RefundAsked) -> dict[str, Any]:
        # Without our number for it the refund hangs at Douyin. It is the same for every repeat.
        named = PayNo.read(asked.order_no)
        number = f"{named.order_id}-a-{asked.refund_id}" if named else asked.refund_id
        return {
            "out_refund_no": number,
            "order_entry_schema": self._page(named.order_id if named else asked.order_no),
            "notify_url": self._account.notify_url,
        }

    def _order(self, order: Order) -> dict[str, Any]:
        described = f"{self._account.title} {'、'.join(line.name for line in order.lines)}".strip() or order.order_id
        merchant = {"merchantUid": self._account.merchant_uid} if self._account.merchant_uid else {}
        return {
            "skuList": [
                {
                    "skuId": order.order_id,
                    "price": order.amount_fen,
                    "quantity": 1,
                    "title": described.encode()[:_MOST_TITLE_BYTES].decode(errors="ignore"),
                    "imageList": [self._account.image],
                    "type": self._account.goods_type,
                    "tagGroupId": self._account.tag_group_id,
                }
            ],
            "outOrderNo": order.pay_no,
            "totalAmount": order.amount_fen,
            # 0 would be taken for five minutes.
            "payExpireSeconds": max(1, ceil((order.expires_at - clock.now()).total_seconds())),
            "payNotifyUrl": self._account.notify_url,
            "orderEntrySchema": self._page(order.order_id),
            **merchant,
        }

    def _page(self, order_id: str) -> dict[str, str]:
        return {"path": self._account.order_page, "params": msgspec.json.encode({"order_id": order_id}).decode()}

    def _create(self, refund: Refund) -> Answer:
        """Douyin's answer to the refund. Its part of the order is looked up first: an order is one article there."""
        asked = {"order_id": refund.transaction_no}
        found = self._ask(refund.refund_id, self._apps.values(), "order_query", asked)
        if found.err_no:
            return found
        said = found.decoded(_Order)
        if said is None or said.order_id != refund.transaction_no or not said.item_order_list:
            raise CHANNEL_UNAVAILABLE()
        largest = max(said.item_order_list, key=lambda item: item.item_order_amount)
        content = {
            "order_id": refund.transaction_no,
            "out_refund_no": _number(refund),
            "refund_total_amount": refund.amount_fen,
            "item_order_detail": [{"item_order_id": largest.item_order_id, "refund_amount": refund.amount_fen}],
            "refund_reason": [{"code": _OTHER_REASON, "text": refund.reason[:_MOST_REASON] or "其他"}],
            "notify_url": self._account.notify_url,
            "order_entry_schema": self._page(refund.order_id),
        }
        return self._ask(refund.refund_id, self._apps.values(), "refund_create", content)

    def _refuse(self, refund: Refund, answer: Answer) -> None:
        """Raise what a refusal means for a refund that Douyin has not taken on, if it means anything."""
        if answer.err_no in _MISCONFIGURED or _NO_FUNDS in answer.cause:
            raise errors.MERCHANT_MUST_ACT(refund_id=refund.refund_id, reason=answer.cause)
        if answer.err_no in _FINAL_REFUSALS:
            raise errors.REFUND_REFUSED(refund_id=refund.refund_id, reason=answer.cause)

    def _agree(self, refund: Refund) -> bool:
        """Agree to a refund that the buyer asked for in Douyin, and say whether it has succeeded."""
        said = self._find_asked(refund.asked_no, refund.refund_id)
        if said.refund_total_amount != refund.amount_fen:
            self._report(refund.refund_id, "another_amount")
            raise CHANNEL_UNAVAILABLE()
        if said.denied:
            raise errors.REFUND_REFUSED(refund_id=refund.refund_id, reason=f"FAIL {said.message}".strip()[:128])
        if said.merchant_audit_detail.audit_status == "TOAUDIT" and said.refund_status != "SUCCESS":
            self._audit(refund.asked_no, refund.refund_id, {"refund_audit_status": _AGREE})
        return said.refund_status == "SUCCESS"

    def _audit(self, asked_no: str, number: str, content: Mapping[str, Any]) -> Answer:
        return self._ask(number, self._apps.values(), "refund_audit_callback", {"refund_id": asked_no, **content})

    def _find(self, refund: Refund) -> _Refund | None:
        """How Douyin has this very refund; None if it does not know it. Raises `UnavailableError`."""
        if refund.asked_no:
            return self._find_asked(refund.asked_no, refund.refund_id)
        number = _number(refund)
        answer = self._ask(refund.refund_id, self._apps.values(), "refund_query", {"out_refund_no": number})
        if answer.err_no == _UNKNOWN:
            return None
        said = answer.decoded(_Refunds)
        if said is None or len(said.refund_list) != 1:
            raise CHANNEL_UNAVAILABLE()
        (found,) = said.refund_list
        if (found.out_refund_no, found.order_id) != (number, refund.transaction_no):
            raise CHANNEL_UNAVAILABLE()
        if found.refund_total_amount != refund.amount_fen:
            self._report(refund.refund_id, "another_amount")
            raise CHANNEL_UNAVAILABLE()
        return found

    def _find_asked(self, asked_no: str, number: str) -> _Refund:
        said = self._ask(number, self._apps.values(), "refund_query", {"refund_id": asked_no}).decoded(_Refunds)
        if said is None or [each.refund_id for each in said.refund_list] != [asked_no]:
            raise CHANNEL_UNAVAILABLE()
        return said.refund_list[0]

    def _paid(self, order: Order, said: _Order) -> PaymentNotice:
        """The payment of an order whose callback has not come: some of it may have gone back before."""
        answer = self._ask(order.order_id, self._apps_of(order), "refund_query", {"order_id": said.order_id})
        refunds = answer.decoded(_Refunds)
        if answer.err_no != _UNKNOWN and refunds is None:
            raise CHANNEL_UNAVAILABLE()
        went_back = refunds is not None and any(not each.denied for each in refunds.refund_list)
        try:
            return _payment(said, said.pay_time, gave_back=went_back)
        except ValueError as error:
            raise CHANNEL_UNAVAILABLE() from error

    def _apps_of(self, order: Order) -> Iterable[AppKeys]:
        """The app in which the order was placed; every one if that is not known or has no keys here."""
        own = self._apps.get(order.app.partition(":")[2])
        return self._apps.values() if own is None else (own,)

    def _ask(self, number: str, apps: Iterable[AppKeys], name: str, content: Mapping[str, Any]) -> Answer:
        """The answer of the first of `apps` that knows the order. None of them does only if each one says so."""
        refused: Answer | None = None
        for app in apps:
            answer = self._call(number, app, name, content)
            if answer.err_no not in (_UNKNOWN, *_MISCONFIGURED):
                return answer
            if refused is None or answer.err_no in _MISCONFIGURED:
                refused = answer
        if refused is None:
            raise CHANNEL_UNAVAILABLE()
        return refused

    def _call(self, number: str, app: AppKeys, name: str, content: Mapping[str, Any]) -> Answer:
        """Douyin's answer. Raises `UnavailableError` without one: the outcome is unknown."""
        try:
            answer = self._trade.call(app, name, content)
        except PlatformError as error:
            self._report(number, error.cause)
            raise CHANNEL_UNAVAILABLE() from error
        if answer.err_no not in (0, _UNKNOWN, *_TAKEN):
            self._report(number, answer.cause)
        return answer


def _number(refund: Refund) -> str:
    return f"{refund.order_id}-{refund.refund_id}"


def _payment_notice(msg: str) -> Notice | None:
    said = msgspec.json.decode(msg, type=_Payment)
    if said.status == "CANCEL":
        return ClosedNotice(NAME, said.out_order_no, by_buyer=said.message == "USER_CANCEL")
    if said.status != "SUCCESS":
        return None
    return _payment(said, said.event_time, gave_back=False)


def _payment(said: _Order | _Payment, at: int, *, gave_back: bool) -> PaymentNotice:
    if not said.order_id or said.total_amount <= 0 or not 0 < at < 10**14:
        raise ValueError("a payment without number, amount or time")
    return PaymentNotice(
        channel=NAME,
        order_no=said.out_order_no,
        transaction_no=said.order_id,
        amount_fen=said.total_amount,
        currency=said.currency,
        paid_at=from_epoch_ms(at),
        gave_back=gave_back,
    )


def _refund_notice(msg: str) -> RefundNotice | None:
    said = msgspec.json.decode(msg, type=_ReportedRefund)
    if said.currency != CURRENCY:
        raise ValueError("another currency")
    if said.status not in ("SUCCESS", "FAIL"):
        return None
    ours = _NUMBER.fullmatch(said.out_refund_no)
    return RefundNotice(
        channel=NAME,
        order_no=ours[1] if ours else "",
        refund_no=ours[3] if ours else said.out_refund_no or said.refund_id,
        transaction_no=said.order_id,
        status="succeeded" if said.status == "SUCCESS" else "refused",
        amount_fen=said.refund_total_amount,
        reason="" if said.status == "SUCCESS" else f"FAIL {said.message}".strip()[:128],
        asked=ours is not None and ours[2] is not None,
    )


def _asked(msg: str) -> RefundAsked:
    said = msgspec.json.decode(msg, type=_Asked)
    return RefundAsked(
        channel=NAME,
        order_no=said.out_order_no,
        asked_no=said.refund_id,
        transaction_no=said.order_id,
        amount_fen=said.refund_total_amount,
        currency=said.currency,
        needs_audit=said.need_refund_audit == 1,
        decide_by=from_epoch_ms(said.refund_audit_deadline),
        reason=" ".join(said.refund_reason)[:128],
    )
