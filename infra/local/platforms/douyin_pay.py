"""Douyin's payments on this machine: general trade (通用交易系统) of mini-programs, its refunds and callbacks.

`tt.requestOrder` checks the app's signature over the very text, its age, and the form of every field. Calls of the
server need a token of `client_token`; names of fields are checked strictly, and paths end in a slash. Callbacks are
signed with the platform's key, and repeated until the answer is `err_no` 0. A buyer can ask for a refund here: without
our number in the very answer it hangs, and 72 hours later Douyin agrees by itself.

Own modes: `token_refused` (28001008 once), `too_often` (12001), `system_error` (13000, nothing was done), `error_after`
(the same, and it was done), `no_scope` (2190004); and for the next refund `not_enough` (the merchant's balance),
`not_refundable` (22001), `wrong_field` (10000).

Readings, not confirmed, each with a switch: an order that the buyer has ended is `TIMEOUT` or `FAIL` (`ended_as`); the
query knows a refund at once or later (`visible_after`); a state of fulfilment may be pushed again or not
(`pushes_once`); `fulfill_push_status` ends in a slash or not (both are served); values of `byteAuthorization` stand in
quotes or not (both are taken). An order is one article, or several (`many_articles`).
"""

import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.local.platforms import keys
from infra.local.platforms.notices import Notices, Teller
from infra.local.platforms.people import Apps, Asked, Platform, WrongCallError, json_answer, json_object
from infra.local.server import HttpAnswer

REPEATS = [12, 12, 33, 60, 120, 180, 240, 300, 360, 420]
"""Seconds after which a callback that was not taken is sent again; about 29 minutes in all."""
ASKING_REPEATS = [600] * 432
"""The same of a refund that a buyer asks for: every ten minutes for 72 hours."""
TOKEN_SECONDS = 7200
SIGNED_FOR = timedelta(hours=1)
AUDIT_TIME = timedelta(hours=72)
REFUNDABLE_FOR = timedelta(days=365)
ENDS = ("SUCCESS", "PROCESSING", "FAIL", "NOT_ENOUGH")
"""How refunds end: at once, not until it is `SUCCESS` again, without money; or the merchant has not enough."""
TAG_GROUP = "tag_group_7272625659888058380"
GOODS_TYPE = 301
STATES = ("FULFILLING", "FULFILLED")
"""States of fulfilment of that tag group."""
_PATH = "/api/trade_basic/v1/developer/"
_CALLS = ("order_query", "refund_create", "refund_query", "refund_audit_callback", "fulfill_push_status")
_REFUSALS = {
    "not_enough": (22011, "商户账户余额不足"), "not_refundable": (22001, "商品单状态不支持退款"),
    "wrong_field": (10000, "参数不合法"),
}  # fmt: skip
_OF_ORDER = {"skuList", "outOrderNo", "totalAmount", "orderEntrySchema"}
_OF_ORDER_TOO = {"payExpireSeconds", "payNotifyUrl", "merchantUid", "limitPayWayList", "payScene", "currency"}
_OF_SKU = {"skuId", "price", "quantity", "title", "imageList", "type", "tagGroupId"}
_OF_SKU_TOO = {"entrySchema", "skuAttr"}
_OF_REFUND = {"order_id", "out_refund_no", "refund_total_amount", "refund_reason", "order_entry_schema"}
_OF_REFUND_TOO = {"item_order_detail", "refund_all", "cp_extra", "notify_url", "currency"}
_REASONS = {101, 102, 103, 999}
_PAGE = re.compile(r"[A-Za-z0-9_]+(?:/[A-Za-z0-9_]+)*")
_PART = re.compile(r'(appid|nonce_str|timestamp|key_version|signature)="?([^",]+)"?')


class _RefusedError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class DouyinPay(Platform):
    """`apps` are those of one merchant, `openid` names their users. `book` keeps its orders between runs."""

    name = "douyin-pay"
    modes_known = ("token_refused", "too_often", "system_error", "error_after", "no_scope", *_REFUSALS)

    def __init__(
        self,
        apps: Apps,
        *,
        openid: Callable[[str, str], str],
        now: Callable[[], datetime],
        tell: Teller,
        book: Path | None = None,
    ) -> None:
        super().__init__(now)
        self.apps = apps
        self.openid = openid
        self.notices = Notices(tell, now, REPEATS, taken=_is_taken)
        self.asking = Notices(tell, now, ASKING_REPEATS, taken=_is_taken)
        self.refund_end = "SUCCESS"
        self.ended_as = "TIMEOUT"
        self.visible_after = timedelta(0)
        self.pushes_once = False
        self.many_articles = False
        self.lock = threading.RLock()
        """Held while what it knows changes, and not while a callback is on its way."""
        self._tokens: dict[str, list[tuple[str, datetime]]] = {}
        self._book = book
        self.orders: dict[str, dict[str, Any]] = {}
        """By the shop's numbers."""
        if book is not None and book.exists():
            self.orders = json.loads(book.read_text(encoding="utf-8"))

    # --- what the mini-program and people do ---

    def open(self, app_id: str, person: str, call: Mapping[str, str]) -> dict[str, Any]:
        """The mini-program calls `tt.requestOrder(call)`: the order. Raises WrongCallError for what that refuses."""
        if set(call) != {"data", "byteAuthorization"}:
            raise WrongCallError("data and byteAuthorization are needed")
        self._end_due()
        signed_at = self._check_signature(app_id, call)
        data = _order_data(call["data"], many=self.many_articles)
        buyer = self.openid(app_id, person)
        known = self.orders.get(data["outOrderNo"])
        if known is not None:
            if (known["app_id"], known["buyer"]) != (app_id, buyer):
                raise WrongCallError("外部订单号已被使用")
            if known["asked"] != _without_time(data) or known["status"] != "PROCESS":
                raise WrongCallError("外部订单号重复，订单已支付、已取消或内容不同")
            return known  # what follows takes its order_id, and no signature
        if abs(self.now() - signed_at) > SIGNED_FOR:
            raise WrongCallError("签名已过期")
        made = {
            "out_order_no": data["outOrderNo"], "order_id": f"motb{secrets.randbelow(10**23):023}", "app_id": app_id,
            "buyer": buyer, "asked": _without_time(data), "total": data["totalAmount"], "status": "PROCESS",
            "paying": False, "made_at": self._ms(), "notify_url": data.get("payNotifyUrl", ""), "refunds": {},
            "ends_at": self._ms() + 1000 * (data.get("payExpireSeconds") or 300), "currency": "CNY", "pushed": {},
            "items": [
                {"item_order_id": f"motb{secrets.randbelow(10**23):023}", "sku_id": sku["skuId"],
                 "item_order_amount": sku["price"]}
                for sku in data["skuList"] for _ in range(sku["quantity"])
            ],
        }  # fmt: skip
        self.orders[data["outOrderNo"]] = made
        self._write()
        return made

    def pay(
        self, app_id: str, person: str, call: Mapping[str, str], *, coupon_fen: int = 0, processing: bool = False
    ) -> dict[str, Any]:
        """The person confirms what `tt.getOrderPayment` shows after `tt.requestOrder(call)`. `processing`: the person
        has not finished. Returns the order. Raises WrongCallError for what Douyin refuses."""
        order = self.open(app_id, person, call)
        order["paying"] = processing
        if not processing:
            order |= {
                "status": "SUCCESS", "pay_time": self._ms(), "channel_pay_id": f"42000{secrets.randbelow(10**23):023}",
                "discount": coupon_fen,
            }  # fmt: skip
            self.tell(order["app_id"], order["notify_url"], "payment", self.payment_of(order))
        self._write()
        return order

    def end_by_buyer(self, order_no: str) -> None:
        """The buyer ends an unpaid order in Douyin's list of orders."""
        order = self.orders[order_no]
        order["status"] = self.ended_as
        self.tell(order["app_id"], order["notify_url"], "payment", self.payment_of(order, "USER_CANCEL"))
        self._write()

    def ask_refund(self, order_no: str, fen: int = 0, *, audit: bool = True, source: int = 1) -> dict[str, Any]:
        """A buyer asks for a refund of a paid order in Douyin, or its service does (`source` 4). `fen` 0: all that is
        left. The refund, which hangs until the shop has answered with its number. Raises WrongCallError."""
        order = self.orders.get(order_no)
        left = 0 if order is None else order["total"] - _taken(order)
        if order is None or order["status"] != "SUCCESS" or not 0 < (fen or left) <= left:
            raise WrongCallError("没有可退金额")
        refund = {
            "refund_id": f"motb{secrets.randbelow(10**23):023}", "fen": fen or left, "status": "PROCESSING",
            "number": "", "audit": "INIT", "needs_audit": audit, "made_at": self._ms(), "source": source,
            "notify_url": order["notify_url"], "deadline": self._ms(AUDIT_TIME), "message": "",
        }  # fmt: skip
        order["refunds"][refund["refund_id"]] = refund
        msg = {
            "app_id": order["app_id"], "open_id": order["buyer"], "refund_id": refund["refund_id"],
            "order_id": order["order_id"], "out_order_no": order["out_order_no"], "cp_extra": "",
            "refund_total_amount": refund["fen"], "need_refund_audit": 1 if audit else 2,
            "refund_audit_deadline": refund["deadline"], "create_refund_time": refund["made_at"],
            "refund_source": source, "refund_reason": ["不想要了"], "refund_description": "想退款",
            "refund_item_detail": {"item_order_quantity": 1, "item_order_detail": self._detail(order, refund["fen"])},
        }  # fmt: skip
        self.asking.add(
            order["notify_url"],
            lambda: self.signed(order["app_id"], "pre_create_refund", msg),
            lambda answer: self._name_refund(refund, answer),
        )
        self._write()
        return refund

    def settle(self) -> None:
        """End what is due, and send due callbacks."""
        with self.lock:
            self._end_due()
        self.notices.send_due()
        self.asking.send_due()

    def _name_refund(self, refund: dict[str, Any], answer: HttpAnswer) -> bool:
        """Whether the answer names a refund that a buyer asked for, as it must."""
        try:
            data = json.loads(answer.body)["data"]
            number, page = data["out_refund_no"], data["order_entry_schema"]
        except (ValueError, KeyError, TypeError):
            return False
        others = [
            each["number"] for one in self.orders.values() for each in one["refunds"].values() if each is not refund
        ]
        good = _is_taken(answer) and _is_text(number, 64) and number not in others and _is_page(page)
        if good and refund["audit"] == "INIT":
            refund |= {"number": number, "audit": "TOAUDIT" if refund["needs_audit"] else "AGREE"}
            refund["notify_url"] = data.get("notify_url", refund["notify_url"])
            self._write()
        return good

    def _check_signature(self, app_id: str, call: Mapping[str, str]) -> datetime:
        """When the app signed it."""
        kind, _, rest = call["byteAuthorization"].partition(" ")
        given = dict(_PART.findall(rest))
        if kind != "SHA256-RSA2048" or len(given) != 5 or given["appid"] != app_id or app_id not in self.apps:
            raise WrongCallError("byteAuthorization 无效")
        message = f"POST\n/requestOrder\n{given['timestamp']}\n{given['nonce_str']}\n{call['data']}\n".encode()
        if given["key_version"] != "1" or not keys.signed(
            str(self.apps[app_id]["app_public_key"]), message, given["signature"]
        ):
            raise WrongCallError("验签失败")
        return datetime.fromtimestamp(int(given["timestamp"]), UTC)

    def _end_due(self) -> None:
        for order in self.orders.values():
            if order["status"] == "PROCESS" and not order["paying"] and self._ms() >= order["ends_at"]:
                order["status"] = "TIMEOUT"
                self.tell(order["app_id"], order["notify_url"], "payment", self.payment_of(order, "TIME_OUT"))
            for refund in order["refunds"].values():
                if refund["audit"] in ("INIT", "TOAUDIT") and self._ms() >= refund["deadline"]:
                    refund["audit"] = "OVERTIME"
                    refund["number"] = refund["number"] or f"default{refund['refund_id']}"
                agreed = refund["audit"] in ("AGREE", "OVERTIME", "")
                if refund["status"] == "PROCESSING" and agreed and self.refund_end in ("SUCCESS", "FAIL"):
                    self._end_refund(order, refund, self.refund_end)

    def _end_refund(self, order: dict[str, Any], refund: dict[str, Any], end: str, message: str = "") -> None:
        refund |= {"status": end, "message": message or ("" if end == "SUCCESS" else "退款失败")}
        if end == "SUCCESS":
            refund["refund_at"] = self._ms()
        msg = {
            "app_id": order["app_id"], "status": end, "order_id": order["order_id"], "cp_extra": "",
            "message": refund["message"], "event_time": self._ms(), "refund_id": refund["refund_id"],
            "out_refund_no": refund["number"], "refund_total_amount": refund["fen"], "is_all_settled": False,
            "refund_item_detail": {"item_order_quantity": 1, "item_order_detail": self._detail(order, refund["fen"])},
        }  # fmt: skip
        self.tell(order["app_id"], refund["notify_url"], "refund", msg)
        self._write()

    # --- its API ---

    def respond(self, asked: Asked, mode: str) -> HttpAnswer:
        name = asked.path.removeprefix(_PATH)
        if mode in _REFUSALS and name != "refund_create/":
            self.modes.insert(0, mode)  # it waits for the next refund
            mode = "fine"
        if asked.method == "POST" and asked.path == "/oauth/client_token/":
            return self._client_token(asked, mode)
        short = name.removesuffix("/")
        slashed = name.endswith("/") or short == "fulfill_push_status"
        if asked.method != "POST" or not asked.path.startswith(_PATH) or short not in _CALLS or not slashed:
            return HttpAnswer(404, {"content-type": "text/html"}, b"<html>404</html>")
        self.calls.append(short)
        try:
            with self.lock:
                said = {"err_no": 0, "err_msg": "success", **self._do(short, asked, mode)}
        except _RefusedError as error:
            said = {"err_no": error.code, "err_msg": str(error)}
        return json_answer({**said, "log_id": secrets.token_hex(16)})

    def _client_token(self, asked: Asked, mode: str) -> HttpAnswer:
        self.calls.append("client_token")
        given = json_object(asked) or {}
        app = self.apps.get(str(given.get("client_key")))
        code = 0
        if mode in ("busy", "system_error"):
            code = -1
        elif set(given) != {"client_key", "client_secret", "grant_type"}:
            code = 10002
        elif app is None or given["grant_type"] != "client_credential":
            code = 10003
        elif given["client_secret"] != app["secret"]:
            code = 10013
        if code:
            return json_answer({"data": {"error_code": code, "description": "refused"}, "message": "error"})
        token = f"clt.{secrets.token_urlsafe(48)}"
        kept = self._tokens.setdefault(given["client_key"], [])
        # The one before holds for five more minutes.
        kept[:] = [(each, min(end, self.now() + timedelta(minutes=5))) for each, end in kept[-1:]]
        kept.append((token, self.now() + timedelta(seconds=TOKEN_SECONDS)))
        data = {"access_token": token, "expires_in": TOKEN_SECONDS, "error_code": 0, "description": ""}
        return json_answer({"data": data, "message": "success"})

    def refuse_tokens(self) -> None:
        """Every token ends now."""
        self._tokens.clear()

    def _do(self, name: str, asked: Asked, mode: str) -> dict[str, Any]:
        token = asked.headers.get("access-token", "")
        app_id = next(
            (
                known
                for known, kept in self._tokens.items()
                if any(each == token and self.now() < end for each, end in kept)
            ),
            "",
        )
        if not app_id or mode == "token_refused":
            raise _RefusedError(28001008 if token else 28001003, "access_token 无效")
        codes = {"busy": (13000, "系统错误"), "system_error": (13000, "系统错误"), "too_often": (12001, "操作过于频繁"),
                 "no_scope": (2190004, "应用未获得该能力")}  # fmt: skip
        if mode in codes:
            raise _RefusedError(*codes[mode])
        content = json_object(asked)
        if content is None or asked.query:
            raise _RefusedError(10000, "参数不合法")
        self._end_due()
        if name == "refund_create" and self.refund_end == "NOT_ENOUGH":
            mode = "not_enough"
        if mode in _REFUSALS:
            raise _RefusedError(*_REFUSALS[mode])
        calls: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
            "order_query": self._order_query, "refund_create": self._refund_create,
            "refund_query": self._refund_query, "refund_audit_callback": self._audit,
            "fulfill_push_status": self._push,
        }  # fmt: skip
        said = calls[name](app_id, content)
        self._end_due()
        self._write()
        if mode == "error_after":
            raise _RefusedError(13000, "系统错误")
        return said

    def _order(self, app_id: str, by: str, value: object) -> dict[str, Any]:
        for order in self.orders.values():
            if order[by] == value and order["app_id"] == app_id:
                return order
        raise _RefusedError(20000, "订单不存在")

    def _order_query(self, app_id: str, content: dict[str, Any]) -> dict[str, Any]:
        _one_of(content, "order_id", "out_order_no")
        ((by, value),) = content.items()
        order = self._order(app_id, by, value)
        said = {
            "app_id": app_id, "order_id": order["order_id"], "out_order_no": order["out_order_no"],
            "pay_status": order["status"], "total_amount": order["total"], "trade_time": order["made_at"],
            "discount_amount": order.get("discount", 0), "merchant_uid": "287484783", "item_order_list": order["items"],
        }  # fmt: skip
        if order["status"] == "SUCCESS":
            said |= {"pay_channel": 10, "channel_pay_id": order["channel_pay_id"], "pay_time": order["pay_time"],
                     "currency": order["currency"]}  # fmt: skip
        return {"data": said}

    def _refund_create(self, app_id: str, content: dict[str, Any]) -> dict[str, Any]:
        _members(content, _OF_REFUND, _OF_REFUND_TOO)
        fen, number = content["refund_total_amount"], content["out_refund_no"]
        detail, whole = content.get("item_order_detail"), content.get("refund_all", False)
        reasons = content["refund_reason"]
        forms = (
            _is_text(number, 64),
            type(fen) is int and fen > 0,
            isinstance(reasons, list) and 0 < len(reasons) <= 10 and all(_is_reason(each) for each in reasons),
            _is_page(content["order_entry_schema"]),
            _is_address(content.get("notify_url", "https://example.com")),
            whole is True or (isinstance(detail, list) and 0 < len(detail) < 100),
            not (whole and detail),
        )
        if not all(forms):
            raise _RefusedError(10000, f"参数不合法 {forms.index(False)}")
        order = self._order(app_id, "order_id", content["order_id"])
        if any(each["number"] == number for each in order["refunds"].values()):
            raise _RefusedError(22013, "外部退款单号重复")
        if order["status"] != "SUCCESS" or self._ms() - order["pay_time"] > REFUNDABLE_FOR / timedelta(milliseconds=1):
            raise _RefusedError(22000, "订单状态不支持退款")
        parts = detail or self._detail(order, order["total"])
        amounts = {item["item_order_id"]: item["item_order_amount"] for item in order["items"]}
        good = all(
            set(part) == {"item_order_id", "refund_amount"}
            and type(part["refund_amount"]) is int
            and 0 < part["refund_amount"] <= amounts.get(part["item_order_id"], 0)
            for part in parts
        )
        if not good or sum(part["refund_amount"] for part in parts) != fen:
            raise _RefusedError(10000, "参数不合法: 商品单")
        if fen > order["total"] - _taken(order) or (whole and _taken(order)):
            raise _RefusedError(22002, "无可退款的商品单")
        refund = {
            "refund_id": f"motb{secrets.randbelow(10**23):023}", "fen": fen, "status": "PROCESSING", "number": number,
            "audit": "", "needs_audit": False, "made_at": self._ms(), "source": 2, "message": "",
            "notify_url": content.get("notify_url", order["notify_url"]), "deadline": self._ms(AUDIT_TIME),
        }  # fmt: skip
        order["refunds"][refund["refund_id"]] = refund
        return {"data": {"refund_id": refund["refund_id"], "refund_audit_deadline": refund["deadline"]}}

    def refund_by_hand(self, order_no: str, fen: int, *, number: str = "", ends: bool = True) -> None:
        """The merchant refunds on Douyin's own pages. It is announced as any other refund."""
        order = self.orders[order_no]
        refund = {
            "refund_id": f"motb{secrets.randbelow(10**23):023}", "fen": fen, "status": "PROCESSING", "number": number,
            "audit": "", "needs_audit": False, "made_at": self._ms(), "source": 4, "message": "",
            "notify_url": order["notify_url"], "deadline": self._ms(AUDIT_TIME),
        }  # fmt: skip
        order["refunds"][refund["refund_id"]] = refund
        if ends:
            self._end_refund(order, refund, "SUCCESS")

    def _refund_query(self, app_id: str, content: dict[str, Any]) -> dict[str, Any]:
        _one_of(content, "refund_id", "out_refund_no", "order_id")
        ((by, value),) = content.items()
        field = {"refund_id": "refund_id", "out_refund_no": "number"}.get(by)
        visible = self._ms() - self.visible_after / timedelta(milliseconds=1)
        found = [
            self.facts_of(order, refund)
            for order in self.orders.values()
            for refund in order["refunds"].values()
            if order["app_id"] == app_id
            and (order["order_id"] if field is None else refund[field]) == value
            and refund["made_at"] <= visible
        ]
        if not found:
            raise _RefusedError(20000, "退款单不存在")
        return {"data": {"refund_list": found[:50]}}

    def facts_of(self, order: Mapping[str, Any], refund: Mapping[str, Any]) -> dict[str, Any]:
        """What a query says of a refund."""
        said = {
            "order_id": order["order_id"], "out_refund_no": refund["number"], "refund_id": refund["refund_id"],
            "refund_status": refund["status"], "refund_total_amount": refund["fen"], "message": refund["message"],
            "create_at": refund["made_at"], "refund_source": refund["source"],
            "item_order_detail": self._detail(order, refund["fen"]),
            "merchant_audit_detail": {
                "audit_status": refund["audit"] or "AGREE", "need_refund_audit": 1 if refund["needs_audit"] else 2,
                "refund_audit_deadline": refund["deadline"],
            },
        }  # fmt: skip
        return said | ({"refund_at": refund["refund_at"]} if "refund_at" in refund else {})

    def _audit(self, app_id: str, content: dict[str, Any]) -> dict[str, Any]:
        _members(content, {"refund_id", "refund_audit_status"}, {"deny_message"})
        denies = content["refund_audit_status"] == 2
        if content["refund_audit_status"] not in (1, 2) or (denies and not _is_text(content.get("deny_message"), 512)):
            raise _RefusedError(10000, "参数不合法")
        for order in self.orders.values():
            refund = order["refunds"].get(content["refund_id"])
            if refund is not None and order["app_id"] == app_id:
                if refund["audit"] != "TOAUDIT":
                    raise _RefusedError(22006, "退款单已审核、免审，或有前置流程进行中")
                refund["audit"] = "DENY" if denies else "AGREE"
                if denies:
                    self._end_refund(order, refund, "FAIL", content["deny_message"])
                return {}
        raise _RefusedError(20000, "退款单不存在")

    def _push(self, app_id: str, content: dict[str, Any]) -> dict[str, Any]:
        _members(content, {"order_id", "item_order_id_list", "to_status"}, set())
        order = self._order(app_id, "order_id", content["order_id"])
        items, state = content["item_order_id_list"], content["to_status"]
        known = {item["item_order_id"] for item in order["items"]}
        if not isinstance(items, list) or not items or not set(items) <= known or state not in STATES:
            raise _RefusedError(10000, "参数不合法")
        again = self.pushes_once and any(order["pushed"].get(item) == state for item in items)
        if order["status"] != "SUCCESS" or _taken(order) == order["total"] or again:
            raise _RefusedError(23001, "商品单状态不支持该履约状态")
        order["pushed"] |= dict.fromkeys(items, state)
        return {}

    @staticmethod
    def _detail(order: Mapping[str, Any], fen: int) -> list[dict[str, Any]]:
        found = []
        for item in order["items"]:
            part = min(fen, item["item_order_amount"])
            if part:
                found.append({"item_order_id": item["item_order_id"], "refund_amount": part})
            fen -= part
        return found

    # --- what it sends ---

    def tell(self, app_id: str, url: str, kind: str, msg: Mapping[str, Any]) -> None:
        """Have a callback sent, if there is an address for it."""
        if url:
            self.notices.add(url, lambda: self.signed(app_id, kind, msg))

    def payment_of(self, order: Mapping[str, Any], ended: str = "") -> dict[str, Any]:
        """The `msg` of a payment, or of an order that ended unpaid."""
        said = {
            "app_id": order["app_id"], "out_order_no": order["out_order_no"], "order_id": order["order_id"],
            "status": "CANCEL" if ended else "SUCCESS", "total_amount": order["total"], "discount_amount": 0,
            "event_time": self._ms(), "message": ended,
        }  # fmt: skip
        if not ended:
            said |= {"discount_amount": order.get("discount", 0), "pay_channel": 10, "merchant_uid": "287484783",
                     "channel_pay_id": order["channel_pay_id"], "event_time": order["pay_time"]}  # fmt: skip
        return said

    def signed(
        self, app_id: str, kind: str, msg: Mapping[str, Any], *, key: str = "", at: datetime | None = None
    ) -> tuple[dict[str, str], bytes]:
        """A callback as Douyin sends it: headers and content."""
        text = json.dumps(msg, ensure_ascii=False, separators=(",", ":"))
        body = json.dumps({"version": "3.0", "type": kind, "msg": text}, ensure_ascii=False).encode()
        stamp, nonce = str(int((at or self.now()).timestamp())), secrets.token_urlsafe(24)
        message = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
        return {
            "content-type": "application/json", "byte-timestamp": stamp, "byte-nonce-str": nonce,
            "byte-signature": keys.sign(key or str(self.apps[app_id]["platform_private_key"]), message),
            "byte-identifyname": "/common/order/callback", "byte-logid": secrets.token_hex(17),
        }, body  # fmt: skip

    def _ms(self, later: timedelta = timedelta(0)) -> int:
        return int((self.now() + later).timestamp() * 1000)

    def _write(self) -> None:
        if self._book is not None:
            self._book.write_text(json.dumps(self.orders, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def stranger() -> str:
    """A key that is not the platform's."""
    return keys.new_pair()["private_key"]


def _order_data(text: str, *, many: bool) -> dict[str, Any]:
    """The fields of `tt.requestOrder`. Raises WrongCallError for what it refuses."""
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict) or not _OF_ORDER <= set(data) <= _OF_ORDER | _OF_ORDER_TOO:
        raise WrongCallError("data 不合法")
    skus, fen, seconds = data["skuList"], data["totalAmount"], data.get("payExpireSeconds", 0)
    forms = (
        isinstance(skus, list) and 0 < len(skus) <= (50 if many else 1) and all(_is_sku(sku) for sku in skus),
        _is_text(data["outOrderNo"], 64),
        type(fen) is int and fen > 0,
        type(seconds) is int and 0 <= seconds <= 48 * 3600,
        _is_address(data.get("payNotifyUrl", "https://example.com")),
        _is_page(data["orderEntrySchema"]),
    )
    if not all(forms):
        raise WrongCallError(f"data 不合法 {forms.index(False)}")
    if sum(sku["price"] * sku["quantity"] for sku in skus) != fen:
        raise WrongCallError("totalAmount 与商品金额不符")
    return data


def _without_time(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "payExpireSeconds"}


def _is_sku(sku: object) -> bool:
    if not isinstance(sku, dict) or not _OF_SKU <= set(sku) <= _OF_SKU | _OF_SKU_TOO:
        return False
    images = sku["imageList"]
    return all((
        _is_text(sku["skuId"], 64), type(sku["price"]) is int and sku["price"] > 0,
        type(sku["quantity"]) is int and 0 < sku["quantity"] <= 100,
        isinstance(sku["title"], str) and 0 < len(sku["title"].encode()) <= 256,
        isinstance(images, list) and len(images) == 1 and _is_text(images[0], 512),
        sku["type"] == GOODS_TYPE, sku["tagGroupId"] == TAG_GROUP,
    ))  # fmt: skip


def _is_page(page: object) -> bool:
    if not isinstance(page, dict) or not {"path"} <= set(page) <= {"path", "params"}:
        return False
    params = page.get("params", "{}")
    try:
        good = isinstance(json.loads(params), dict)
    except (ValueError, TypeError):
        good = False
    return good and _is_text(page["path"], 512) and _PAGE.fullmatch(page["path"]) is not None


def _is_reason(reason: object) -> bool:
    return (
        isinstance(reason, dict) and set(reason) == {"code", "text"} and reason["code"] in _REASONS
        and isinstance(reason["text"], str) and 0 < len(reason["text"]) < 50
    )  # fmt: skip


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= most


def _is_address(value: object) -> bool:
    url = urlsplit(value) if isinstance(value, str) else None
    return url is not None and url.scheme in ("http", "https") and bool(url.hostname) and len(str(value)) <= 512


def _is_taken(answer: HttpAnswer) -> bool:
    try:
        return answer.status == 200 and json.loads(answer.body)["err_no"] == 0
    except (ValueError, KeyError, TypeError):
        return False


def _taken(order: Mapping[str, Any]) -> int:
    """What refunds have of an order, made or worked on."""
    return sum(each["fen"] for each in order["refunds"].values() if each["status"] != "FAIL")


def _members(given: Mapping[str, Any], needed: set[str], extra: set[str]) -> None:
    if not needed <= set(given) <= needed | extra:
        raise _RefusedError(10000, f"参数不合法: {'、'.join(sorted(needed))}")


def _one_of(given: Mapping[str, Any], *names: str) -> None:
    ok = len(given) == 1 and set(given) <= set(names) and all(_is_text(value, 64) for value in given.values())
    if not ok:
        raise _RefusedError(10000, f"参数不合法: {'、'.join(names)} 之一")
