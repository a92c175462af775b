"""Each platform's payment channel as it is on this machine, under one face: for the port's contract and the functions.

A party is the company with its server, the merchant's account as the secret has it, and the buyer's account in one app.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from typing import Any, Protocol

import httpx
import pytest

from cardstock import environment
from cardstock.clock import Clock
from cardstock.edge import secrets
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.channels.alipay import AlipayChannel
from cardstock.orders.channels.douyin import DouyinChannel
from cardstock.orders.channels.wechat import WechatChannel
from cardstock.orders.ports import PaymentChannel
from infra.local.platforms.alipay import Alipay, new_app
from infra.local.platforms.alipay_gateway import stranger
from infra.local.platforms.alipay_pay import AlipayPay
from infra.local.platforms.douyin import Douyin
from infra.local.platforms.douyin import new_app as new_douyin_app
from infra.local.platforms.douyin_pay import GOODS_TYPE, TAG_GROUP, DouyinPay
from infra.local.platforms.douyin_pay import stranger as douyin_stranger
from infra.local.platforms.people import Asked, Platform
from infra.local.platforms.wechat import Wechat
from infra.local.platforms.wechat_pay import WechatPay, new_merchant
from infra.local.server import HttpAnswer
from infra.local.small_server import HalfAnswerError, NoAnswerError
from tests.house import faults
from tests.house.cloud import Cloud, Context, http_event

NOTIFY = "https://api.example.com/v1/payments/{name}/notify"
SELLER_ID = "2088101122223333"
"""The merchant of Alipay."""
Sent = tuple[Mapping[str, str], bytes]
"""A notice: headers and content."""


class Party(Protocol):
    """One platform's payment channel, and a buyer's account on it."""

    name: str
    payer: str
    """The buyer's account: `wechat:wx123:oABC`."""
    account: dict[str, Any]
    """The merchant's account as it stands in the secret."""
    told: list[tuple[str, str]]
    sent: list[Sent]
    """Notices that the company has sent, the oldest first."""

    def channel(self) -> PaymentChannel:
        """Our client of it."""

    def opened(self, parameters: Mapping[str, str]) -> None:
        """The mini-program opens the pay window."""

    def left(self, order_id: str) -> None:
        """The buyer leaves it, so that the platform takes no money for the order, or can be asked to."""

    def confirm(self, parameters: Mapping[str, str], **how: Any) -> None:
        """The buyer confirms in the pay window. Raises WrongCallError for what the window refuses."""

    def fail_next(self, *modes: str) -> None:
        """What happens to the next calls."""

    def end_refunds(self, end: str) -> None:
        """How refunds end from now on: `succeeded`, `processing`, `refused`, `must_act`."""


class Served:
    """A company's server on httpx's seam: calls reach it without a network, and go wrong where a test says so."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._seen: list[str] = []
        self._fault: tuple[int, faults.Mode] | None = None

    @contextmanager
    def at(self, index: int, mode: faults.Mode) -> Iterator[list[str]]:
        """`mode` happens to call `index` of those made inside: the function is killed before or after it, or its answer
        is lost. Gives the paths of the calls."""
        self._seen, self._fault = [], (index, mode)
        try:
            yield self._seen
        finally:
            self._seen, self._fault = [], None

    def carry(self, request: httpx.Request) -> httpx.Response:
        """What `httpx.MockTransport` calls."""
        index, mode = self._fault or (-1, None)
        hit = index == len(self._seen)
        self._seen.append(request.url.path)
        if hit and mode == "kill_before":
            raise faults.Killed
        asked = Asked(
            method=request.method,
            path=request.url.path,
            query=request.url.query.decode("ascii"),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.read(),
        )
        try:
            given = self.platform.answer(asked)
        except NoAnswerError:
            raise httpx.ReadTimeout("late", request=request) from None
        except HalfAnswerError:
            raise httpx.RemoteProtocolError("half", request=request) from None
        if hit and mode == "kill_after":
            raise faults.Killed
        if hit and mode == "lose_answer":
            raise httpx.ReadTimeout("late", request=request)
        return httpx.Response(given.status, headers=dict(given.headers), content=given.body)


@cache
def wechat_merchant() -> dict[str, Any]:
    """A merchant of WeChat Pay; its keys are made once."""
    return new_merchant("1900000109", ["wx0000000000000001", "wx0000000000000002"])


def wechat_account(**changed: Any) -> dict[str, Any]:
    """The merchant's account as it stands in the secret."""
    merchant = wechat_merchant()
    return {
        "mch_id": merchant["mch_id"], "app_ids": merchant["app_ids"], "serial_no": merchant["serial_no"],
        "private_key": merchant["own_private_key"], "public_key_id": merchant["public_key_id"],
        "public_key": merchant["own_public_key"], "notice_key": merchant["notice_key"],
        "notify_url": NOTIFY.format(name="wechat"), "title": "白鹭茶业",
    } | changed  # fmt: skip


class WechatParty:
    """WeChat Pay, and anna's account in the merchant's first mini-program."""

    name = "wechat"
    app_id = "wx0000000000000001"

    def __init__(self, clock: Clock) -> None:
        self.people = people = Wechat({app_id: {"secret": "s"} for app_id in wechat_merchant()["app_ids"]}, clock.now)
        self.sent: list[Sent] = []
        self.told: list[tuple[str, str]] = []
        self.answers: list[HttpAnswer | None] = []
        self.company = WechatPay(wechat_merchant(), openid=people.openid, now=clock.now, tell=self._tell)
        self.served = Served(self.company)
        self.transport = httpx.MockTransport(self.served.carry)
        self.payer = f"wechat:{self.app_id}:{people.openid(self.app_id, 'anna')}"
        self.account = wechat_account()

    def channel(self, **changed: Any) -> PaymentChannel:
        return WechatChannel(
            self.account | changed, report=lambda *what: self.told.append(what), transport=self.transport
        )

    def confirm(self, parameters: Mapping[str, str], **how: Any) -> None:
        self.company.pay(self.app_id, how.pop("person", "anna"), parameters, **how)
        self.company.settle()

    def fail_next(self, *modes: str) -> None:
        self.company.fail_next(modes)

    def end_refunds(self, end: str) -> None:
        self.company.work_on(end != "processing")
        if end != "processing":
            self.company.refund_end = {"succeeded": "SUCCESS", "refused": "CLOSED", "must_act": "ABNORMAL"}[end]

    NO_FUNDS = ("not_enough",)
    """What happens to the calls of a refund whose merchant has not enough."""
    REFUSED = ("account_abnormal",)

    UNUSABLE = ("too_often", "wrong_signature", "wrong_serial", "old_signature", "unsigned")
    """What happens to calls whose answer says nothing."""

    def refuse_from_now_on(self) -> None:
        """Every refund is refused for good."""
        self.company.account_abnormal = True

    def books(self) -> Any:
        """What the company knows, without numbers and times."""
        return sorted(
            (each["state"], each["total"], sorted((one["fen"], one["status"]) for one in each["refunds"].values()))
            for each in self.company.trades.values()
        )

    def kept(self) -> Callable[[], None]:
        """What makes the company, and what it has sent, as they are now, as often as it is called."""
        company, sent, waiting = self.company, [*self.sent], self.company.notices.waiting()
        fields = {name: getattr(company, name) for name in ("account_abnormal", "refund_end", "works_on_for", "modes")}
        trades = deepcopy(company.trades)

        def put_back() -> None:
            vars(company).update(fields, modes=[*fields["modes"]], trades=deepcopy(trades))
            company.notices.wait_for(waiting)
            self.sent[:] = sent

        return put_back

    def opened(self, _parameters: Mapping[str, str]) -> None:
        """The order is known since its start."""

    def left(self, _order_id: str) -> None:
        """It can be closed."""

    def reopen(self, order_id: str) -> None:
        """The order takes money again, as one whose start was on its way when it was closed."""
        self.company.trades[order_id]["state"] = "NOTPAY"

    def refunded(self, order_id: str) -> int:
        """What has gone back of the order's payment."""
        refunds = self.company.trades[order_id]["refunds"].values()
        return sum(each["fen"] for each in refunds if each["status"] == "SUCCESS")

    def refund_by_hand(self, order_id: str, fen: int, *, notify: bool = False) -> None:
        """The merchant refunds on the platform's pages."""
        self.company.refund_by_hand(order_id, fen, self.account["notify_url"] if notify else "")

    def make_after_all(self, order_id: str, refund_id: str, *, ends: bool = True) -> None:
        """A refund that was refused has been made all the same; or is worked on."""
        self.company.work_on(ends)
        self.company.refund_by_hand(order_id, 33_900, number=refund_id)

    def payment_of(self, order_id: str, *, fen: int) -> Sent:
        """A genuine notice of a payment of another amount, or for an order that is none."""
        trade = self.company.trades.get(order_id, {"appid": self.app_id, "openid": "o", "coupon": 0})
        paid = {
            "out_trade_no": order_id, "state": "SUCCESS", "total": fen, "transaction_id": "4200001",
            "success_time": "2026-12-01T16:00:00+08:00",
        }  # fmt: skip
        return self._sent(
            self.company.notice("TRANSACTION.SUCCESS", "transaction", self.company.facts_of(trade | paid))
        )

    def unreadable(self) -> Sent:
        """A genuine notice, sealed with another key than the merchant's."""
        return self._sent(self.company.notice("TRANSACTION.SUCCESS", "transaction", {}, sealed_with="0" * 32))

    def unsigned(self, headers: Mapping[str, str], body: bytes) -> Sent:
        return {name: value for name, value in headers.items() if name != "wechatpay-signature"}, body

    def changed(self, headers: Mapping[str, str], body: bytes) -> Sent:
        return headers, body.replace(b"TRANSACTION.SUCCESS", b"TRANSACTION.SUCCES5")

    def forged(self, _headers: Mapping[str, str], _body: bytes) -> Sent:
        """What somebody without WeChat's key can send."""
        return self._sent(self.company.notice("TRANSACTION.SUCCESS", "transaction", {}, mode="wrong_signature"))

    @staticmethod
    def _sent(notice: tuple[Mapping[str, str], bytes]) -> Sent:
        headers, body = notice
        return {name.lower(): value for name, value in headers.items()}, body

    def _tell(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer | None:
        assert url == self.account["notify_url"]
        self.sent.append(({name.lower(): value for name, value in headers.items()}, body))
        return self.answers.pop(0) if self.answers else None


@cache
def alipay_apps() -> dict[str, dict[str, str]]:
    """A merchant's apps of Alipay, a new one and an old one; their keys are made once."""
    return {"2021000000000001": new_app("brand"), "2021000000000002": new_app("brand", names="user_id")}


def alipay_account(**changed: Any) -> dict[str, Any]:
    """The merchant's account as it stands in the secret."""
    apps = {
        app_id: {"private_key": app["own_private_key"], "public_key": app["own_alipay_public_key"]}
        for app_id, app in alipay_apps().items()
    }
    return {
        "apps": apps, "seller_id": SELLER_ID, "notify_url": NOTIFY.format(name="alipay"), "title": "白鹭茶业",
    } | changed  # fmt: skip


class AlipayParty:
    """Alipay, and anna's account in one of the merchant's mini-programs: a new app, which knows her by an open id, or
    an old one, which knows her by her user id."""

    name = "alipay"

    def __init__(self, clock: Clock, app_id: str = "2021000000000001") -> None:
        self.app_id = app_id
        people = Alipay(alipay_apps(), clock.now)
        self.sent: list[Sent] = []
        self.told: list[tuple[str, str]] = []
        self.answers: list[HttpAnswer | None] = []
        self.company = AlipayPay(alipay_apps(), seller_id=SELLER_ID, people=people, now=clock.now, tell=self._tell)
        self.served = Served(self.company)
        self.transport = httpx.MockTransport(self.served.carry)
        old = alipay_apps()[app_id].get("names") == "user_id"
        self.payer = f"alipay:{app_id}:{people.user_id('anna') if old else people.openid(app_id, 'anna')}"
        self.account = alipay_account()

    def channel(self, **changed: Any) -> PaymentChannel:
        return AlipayChannel(
            self.account | changed, report=lambda *what: self.told.append(what), transport=self.transport
        )

    def confirm(self, parameters: Mapping[str, str], **how: Any) -> None:
        self.company.pay(self.app_id, how.pop("person", "anna"), parameters, **how)
        self.company.settle()

    def fail_next(self, *modes: str) -> None:
        self.company.fail_next(modes)

    def end_refunds(self, end: str) -> None:
        never = {"refused": "ACQ.TRADE_HAS_FINISHED", "must_act": "ACQ.SELLER_BALANCE_NOT_ENOUGH"}
        self.company.refund_end = {"succeeded": "SUCCESS", "processing": "PROCESSING", **never}[end]

    NO_FUNDS = ("not_enough",)
    """What happens to the calls of a refund whose merchant has not enough."""
    REFUSED = ("finished",)

    UNUSABLE = ("forged", "unsigned", "other_call", "call_limited", "system_error", "error_after")
    """What happens to calls whose answer says nothing."""

    def refuse_from_now_on(self) -> None:
        """Every refund is refused for good."""
        self.end_refunds("refused")

    def books(self) -> Any:
        """What the company knows, without numbers and times."""
        return sorted(
            (each["status"], each["total"], sorted((one["fen"], one["status"]) for one in each["refunds"].values()))
            for each in self.company.trades.values()
        )

    def kept(self) -> Callable[[], None]:
        """What makes the company, and what it has sent, as they are now, as often as it is called."""
        company, sent, waiting = self.company, [*self.sent], self.company.notices.waiting()
        end, modes, trades = company.refund_end, [*company.modes], deepcopy(company.trades)

        def put_back() -> None:
            company.refund_end, company.modes, company.trades = end, [*modes], deepcopy(trades)
            company.notices.wait_for(waiting)
            self.sent[:] = sent

        return put_back

    def opened(self, _parameters: Mapping[str, str]) -> None:
        """The order is known since its start."""

    def left(self, _order_id: str) -> None:
        """It can be closed."""

    def reopen(self, order_id: str) -> None:
        """The order takes money again, as one whose start was on its way when it was closed."""
        self.company.trades[order_id]["status"] = "WAIT_BUYER_PAY"

    def refunded(self, order_id: str) -> int:
        """What has gone back of the order's payment."""
        refunds = self.company.trades[order_id]["refunds"].values()
        return sum(each["fen"] for each in refunds if each["status"] == "SUCCESS")

    def refund_by_hand(self, order_id: str, fen: int, **_how: Any) -> None:
        """The merchant refunds on the platform's pages: it is always announced."""
        self.company.refund_by_hand(order_id, fen)

    def make_after_all(self, order_id: str, refund_id: str, *, ends: bool = True) -> None:
        """A refund that was refused has been made all the same; or is worked on."""
        self.end_refunds("succeeded" if ends else "processing")
        self.company.refund_by_hand(order_id, 33_900, number=refund_id)

    def notice(self, order_id: str = "", *, key: str = "", **changed: str) -> Sent:
        """A genuine notice of the order's payment with some fields changed; of a trade that is none without one."""
        trade = self.company.trades.get(order_id) or {
            "app_id": self.app_id, "buyer": self.payer.split(":")[2], "trade_no": "2026120122001", "total": 33_900,
            "out_trade_no": order_id, "asked": {"subject": "茶"}, "status": "TRADE_SUCCESS", "voucher": 0,
            "gmt_create": "2026-12-01 16:00:00", "refunds": {},
        }  # fmt: skip
        paid = {"trade_status": "TRADE_SUCCESS", "gmt_payment": "2026-12-01 16:00:00"}
        return self.company.signed(self.company.notice_of(trade) | paid | changed, self.app_id, key)

    def payment_of(self, order_id: str, *, fen: int) -> Sent:
        """A genuine notice of a payment of another amount, or for an order that is none."""
        return self.notice(order_id, total_amount=f"{fen // 100}.{fen % 100:02d}", trade_no="2026120122001")

    def unreadable(self) -> Sent:
        """A genuine notice whose amount is none."""
        return self.notice(total_amount="three")

    def unsigned(self, headers: Mapping[str, str], body: bytes) -> Sent:
        return headers, body.partition(b"&sign=")[0]

    def changed(self, headers: Mapping[str, str], body: bytes) -> Sent:
        return headers, body.replace(b"trade_status=TRADE_SUCCESS", b"trade_status=TRADE_FINISHED")

    def forged(self, _headers: Mapping[str, str], _body: bytes) -> Sent:
        """What somebody without Alipay's key can send."""
        return self.notice(key=stranger())

    def _tell(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer | None:
        assert url == self.account["notify_url"]
        self.sent.append((headers, body))
        return self.answers.pop(0) if self.answers else None


@cache
def douyin_apps() -> dict[str, dict[str, str]]:
    """A merchant's two apps of Douyin; their keys are made once."""
    return {"tt0000000000000001": new_douyin_app("brand"), "tt0000000000000002": new_douyin_app("brand")}


def douyin_account(**changed: Any) -> dict[str, Any]:
    """The merchant's account as it stands in the secret."""
    apps = {
        app_id: {
            "secret": app["secret"], "private_key": app["own_private_key"],
            "public_key": app["own_platform_public_key"],
        }
        for app_id, app in douyin_apps().items()
    }  # fmt: skip
    return {
        "apps": apps, "notify_url": NOTIFY.format(name="douyin"), "order_page": "pages/order/detail",
        "goods_type": GOODS_TYPE, "tag_group_id": TAG_GROUP, "image": "https://shop.example.com/shop.png",
        "shipped_status": "FULFILLED", "title": "白鹭茶业",
    } | changed  # fmt: skip


class DouyinParty:
    """Douyin, and anna's account in the merchant's first mini-program."""

    name = "douyin"
    app_id = "tt0000000000000001"

    def __init__(self, clock: Clock, app_id: str = "tt0000000000000001") -> None:
        self.app_id = app_id
        people = Douyin(douyin_apps(), clock.now)
        self.sent: list[Sent] = []
        self.told: list[tuple[str, str]] = []
        self.answers: list[HttpAnswer | None] = []
        self.company = DouyinPay(douyin_apps(), openid=people.openid, now=clock.now, tell=self._tell)
        self.served = Served(self.company)
        self.transport = httpx.MockTransport(self.served.carry)
        self.payer = f"douyin:{app_id}:{people.openid(app_id, 'anna')}"
        self.account = douyin_account()

    def channel(self, **changed: Any) -> DouyinChannel:
        return DouyinChannel(
            self.account | changed, report=lambda *what: self.told.append(what), transport=self.transport
        )

    def opened(self, parameters: Mapping[str, str]) -> None:
        self.company.open(self.app_id, "anna", parameters)

    def left(self, order_id: str) -> None:
        """The buyer has ended the order in Douyin; the callback is lost."""
        self.company.orders[order_id]["status"] = "TIMEOUT"

    def confirm(self, parameters: Mapping[str, str], **how: Any) -> None:
        self.company.pay(self.app_id, how.pop("person", "anna"), parameters, **how)
        self.company.settle()

    def fail_next(self, *modes: str) -> None:
        self.company.fail_next(modes)

    def end_refunds(self, end: str) -> None:
        self.company.refund_end = {
            "succeeded": "SUCCESS", "processing": "PROCESSING", "refused": "FAIL", "must_act": "NOT_ENOUGH",
        }[end]  # fmt: skip

    NO_FUNDS = ("not_enough",)
    """What happens to the calls of a refund whose merchant has not enough."""
    REFUSED = ("not_refundable",)

    UNUSABLE = ("token_refused", "too_often", "system_error", "error_after")
    """What happens to calls whose answer says nothing."""

    def refuse_from_now_on(self) -> None:
        """Every refund is refused for good."""
        self.end_refunds("refused")

    def books(self) -> Any:
        """What the company knows, without numbers and times."""
        return sorted(
            (each["status"], each["total"], sorted(each["pushed"].values()),
             sorted((one["fen"], one["status"], one["audit"]) for one in each["refunds"].values()))
            for each in self.company.orders.values()
        )  # fmt: skip

    def kept(self) -> Callable[[], None]:
        """What makes the company, and what it has sent, as they are now, as often as it is called."""
        company, sent = self.company, [*self.sent]
        waiting, asking = company.notices.waiting(), company.asking.waiting()
        end, modes, orders = company.refund_end, [*company.modes], deepcopy(company.orders)

        def put_back() -> None:
            company.refund_end, company.modes = end, [*modes]
            # In place: callbacks on their way name these orders.
            company.orders.clear()
            company.orders.update(deepcopy(orders))
            company.notices.wait_for(waiting)
            company.asking.wait_for(asking)
            self.sent[:] = sent

        return put_back

    def reopen(self, order_id: str) -> None:
        """The order takes money again, though Douyin has said that it does not."""
        self.company.orders[order_id] |= {"status": "PROCESS", "ends_at": 10**14}

    def refunded(self, order_id: str) -> int:
        """What has gone back of the order's payment."""
        refunds = self.company.orders[order_id]["refunds"].values()
        return sum(each["fen"] for each in refunds if each["status"] == "SUCCESS")

    def refund_by_hand(self, order_id: str, fen: int, **_how: Any) -> None:
        """The merchant refunds on the platform's pages: it is always announced."""
        self.company.refund_by_hand(order_id, fen)
        self.company.settle()

    def make_after_all(self, order_id: str, refund_id: str, *, ends: bool = True) -> None:
        """A refund that was refused has been made all the same; or is worked on."""
        self.end_refunds("succeeded" if ends else "processing")
        self.company.orders[order_id]["refunds"].clear()
        self.company.refund_by_hand(order_id, 33_900, number=f"{order_id}-{refund_id}", ends=ends)

    def notice(self, kind: str, msg: Mapping[str, Any], *, key: str = "") -> Sent:
        """A genuine callback with this content."""
        return self.company.signed(self.app_id, kind, msg, key=key)

    def payment(self, order_id: str = "ord_", **changed: Any) -> dict[str, Any]:
        """The content of a callback about the order's payment, or about one that is none."""
        order = self.company.orders.get(order_id) or {
            "app_id": self.app_id, "out_order_no": order_id, "order_id": "motb1", "total": 33_900,
        }  # fmt: skip
        paid = {"channel_pay_id": "4200001", "pay_time": 1_764_576_000_000}
        return self.company.payment_of(paid | order) | changed

    def payment_of(self, order_id: str, *, fen: int) -> Sent:
        """A genuine notice of a payment of another amount, or for an order that is none."""
        return self.notice("payment", self.payment(order_id) | {"total_amount": fen, "order_id": "motb1"})

    def unreadable(self) -> Sent:
        """A genuine notice whose amount is none."""
        return self.notice("payment", {**self.payment(), "total_amount": "three"})

    def unsigned(self, headers: Mapping[str, str], body: bytes) -> Sent:
        return {name: value for name, value in headers.items() if name != "byte-signature"}, body

    def changed(self, headers: Mapping[str, str], body: bytes) -> Sent:
        return headers, body.replace(b"SUCCESS", b"SUCCES5")

    def forged(self, _headers: Mapping[str, str], _body: bytes) -> Sent:
        """What somebody without the platform's key can send."""
        return self.notice("payment", self.payment(), key=douyin_stranger())

    def _tell(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer | None:
        assert url == self.account["notify_url"]
        self.sent.append((headers, body))
        return self.answers.pop(0) if self.answers else None


PARTIES: dict[str, Callable[[Clock], Any]] = {"wechat": WechatParty, "alipay": AlipayParty, "douyin": DouyinParty}
"""The platforms' parties by name."""


@contextmanager
def opened(party: Any, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The functions of this process talk to the party, whose account stands in its secret."""
    monkeypatch.setenv("PAYMENT_CHANNELS", party.name)
    monkeypatch.setenv("PAYMENT_SANDBOX_URL", "")
    put_account(party, cloud, party.account)
    orders_wiring.set_payment_transports({party.name: party.transport})
    try:
        yield
    finally:
        orders_wiring.set_payment_transports({})


def put_account(party: Any, cloud: Cloud, account: Any) -> None:
    """Store an account in the party's secret."""
    secret_id = environment.text(f"{party.name.upper()}_PAY_SECRET_ID")
    cloud.secrets.put_secret_value(SecretId=secret_id, SecretString=json.dumps(account))
    secrets.forget_values()


def notify(name: str, sent: Sent) -> dict[str, Any]:
    """What the inbox answers to a notice: status code, headers and body, as API Gateway gets it."""
    from functions.orders.payment_inbox import app as payment_inbox

    headers, body = sent
    event = http_event("POST", f"/v1/payments/{name}/notify", body.decode(), headers=dict(headers))
    return payment_inbox.handler(event, Context())
