"""WeChat Pay on this machine: orders of mini-programs, their refunds, and notices, as API v3 documents them.

It checks the merchant's signature over the exact bytes, the form of every field, and what an order or a refund may
still become. It signs its answers, also refusals; it seals and signs notices, and repeats them until one is taken.
Own modes: `too_often` (429), `wrong_signature`, `wrong_serial`, `old_signature`, `unsigned`, `certificate` (signed with
the key of a certificate instead of the public key), `not_enough` (the merchant's balance), `account_abnormal`,
`no_authority`.

A refund is worked on for three seconds; then it has ended as `refund_end` says: `SUCCESS`, `CLOSED` or `ABNORMAL`.
A reading, not confirmed: the codes of a refused closing, and that refusals are signed.
"""

import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.local.platforms import keys
from infra.local.platforms.notices import Notices, Teller
from infra.local.platforms.people import Asked, Platform, WrongCallError, json_object, pairs
from infra.local.server import HttpAnswer

BEIJING = timezone(timedelta(hours=8))
PREPAID_FOR = timedelta(hours=2)
WORKED_ON_FOR = timedelta(seconds=3)
REFUNDABLE_FOR = timedelta(days=365)
MOST_REFUNDS = 50
TOLERANCE = timedelta(minutes=5)
REPEATS = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600]
"""Seconds after which a notice that was not taken is sent again."""
_ORDERS = "/v3/pay/transactions"
_REFUNDS = "/v3/refund/domestic/refunds"
_TRADE_NO = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
_REFUND_NO = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
_OPENID = re.compile(r"o[0-9A-Za-z_-]{27}")
_FIELD = re.compile(r'(\w+)="([^"]*)"')
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_TOO_OFTEN, _PARAMETER, _REQUEST = (429, "FREQUENCY_LIMITED"), (400, "PARAM_ERROR"), (400, "INVALID_REQUEST")


class _RefusedError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class WechatPay(Platform):
    """`merchant` is what WeChat knows of one (`new_merchant`). `book` keeps its orders and refunds between runs."""

    name = "wechat-pay"
    modes_known = (
        "too_often", "wrong_signature", "wrong_serial", "old_signature", "unsigned", "certificate", "not_enough",
        "account_abnormal", "no_authority",
    )  # fmt: skip

    def __init__(
        self,
        merchant: Mapping[str, Any],
        *,
        openid: Callable[[str, str], str],
        now: Callable[[], datetime],
        tell: Teller,
        book: Path | None = None,
    ) -> None:
        super().__init__(now)
        self.merchant = merchant
        self.openid = openid
        self.notices = Notices(tell, now, REPEATS, taken=lambda answer: answer.status in (200, 204))
        self.refund_end = "SUCCESS"
        self.works_on_for = WORKED_ON_FOR
        self.account_abnormal = False
        """Whether every new refund is refused, because the buyer's account is closed."""
        self.lock = threading.RLock()
        """Held while what it knows changes, and not while a notice is on its way."""
        self._book = book
        self._stranger = ""
        self.trades: dict[str, dict[str, Any]] = {}
        if book is not None and book.exists():
            self.trades = json.loads(book.read_text(encoding="utf-8"))

    # --- what the mini-program and people do ---

    def pay(
        self, app_id: str, person: str, call: Mapping[str, str], *, coupon_fen: int = 0, processing: bool = False
    ) -> dict[str, Any]:
        """The person confirms in the pay window that `wx.requestPayment(call)` opens. Returns the trade.

        Raises WrongCallError for what the pay window refuses.
        """
        if set(call) != {"timeStamp", "nonceStr", "package", "signType", "paySign"} or call["signType"] != "RSA":
            raise WrongCallError("timeStamp, nonceStr, package, signType (RSA) and paySign are needed")
        message = f"{app_id}\n{call['timeStamp']}\n{call['nonceStr']}\n{call['package']}\n".encode()
        if not keys.signed(self.merchant["merchant_public_key"], message, call["paySign"]):
            raise WrongCallError("签名验证失败 (paySign)")
        prepay_id = call["package"].removeprefix("prepay_id=")
        trade = next((each for each in self.trades.values() if prepay_id in each["prepaid"]), None)
        if trade is None or trade["appid"] != app_id or self._now_text() > trade["prepaid"][prepay_id]:
            raise WrongCallError("prepay_id 无效或已过期")
        if trade["openid"] != self.openid(app_id, person):
            raise WrongCallError("支付者不是下单的用户")
        if trade["state"] not in ("NOTPAY", "USERPAYING", "PAYERROR") or self._now_text() > trade["time_expire"]:
            raise WrongCallError("订单已支付、已关闭或已过期")
        trade["state"] = "USERPAYING" if processing else "SUCCESS"
        if not processing:
            trade |= {
                "transaction_id": f"42000{secrets.randbelow(10**23):023}", "success_time": self._now_text(),
                "coupon": coupon_fen,
            }  # fmt: skip
            self._send("TRANSACTION.SUCCESS", "transaction", self.facts_of(trade), trade["notify_url"])
        self._write()
        return trade

    def settle(self) -> None:
        """End the refunds whose time has come, and send due notices."""
        with self.lock:
            self._end_due()
        self.notices.send_due()

    def _end_due(self) -> None:
        for trade in self.trades.values():
            for refund in trade["refunds"].values():
                if refund["status"] == "PROCESSING" and self._now_text() >= refund["ends_at"]:
                    self._end(trade, refund, refund["end"])

    def work_on(self, ends: bool) -> None:
        """Whether refunds end at once from now on, also those that are worked on; else they are worked on for good."""
        self.works_on_for = timedelta() if ends else timedelta(days=36500)
        for trade in self.trades.values():
            for refund in trade["refunds"].values():
                refund["ends_at"] = _moment(self.now() + self.works_on_for)

    def refund_by_hand(self, order_no: str, fen: int, notify_url: str = "", *, number: str = "") -> None:
        """The merchant refunds on WeChat's own pages; the notice goes to the address that is set there, if one is."""
        trade, chosen = self.trades[order_no], number or f"50{secrets.randbelow(10**20):020}"
        asked = {"notify_url": notify_url} if notify_url else {}
        trade["refunds"][chosen] = {
            "asked": asked, "number": chosen, "fen": fen, "refund_id": f"50000{secrets.randbelow(10**23):023}",
            "created_at": self._now_text(), "ends_at": _moment(self.now() + self.works_on_for), "end": "SUCCESS",
            "status": "PROCESSING",
        }  # fmt: skip
        self.settle()

    def end_refund(self, number: str, status: str) -> None:
        """A refund ends so, whatever it was: the merchant has named another account, or WeChat has changed its mind."""
        for trade in self.trades.values():
            if number in trade["refunds"]:
                self._end(trade, trade["refunds"][number], status)
        self.notices.send_due()

    # --- its API ---

    def respond(self, asked: Asked, mode: str) -> HttpAnswer:
        status, said = 200, None
        try:
            self._check(asked)
            self.calls.append(f"{asked.method} {asked.path}")
            self._fail(mode)
            with self.lock:
                said = self._do(asked, mode)
            status = 204 if said is None else 200
        except _RefusedError as error:
            status, said = error.status, {"code": error.code, "message": str(error)}
        content = b"" if said is None else json.dumps(said, ensure_ascii=False).encode()
        kind = {} if said is None else {"content-type": "application/json; charset=utf-8"}
        return HttpAnswer(status, {**kind, **({} if status == 401 else self.signature(content, mode))}, content)

    def _fail(self, mode: str) -> None:
        if mode == "busy":
            raise _RefusedError(500, "SYSTEM_ERROR", "系统异常，请稍后重试")
        if mode == "too_often":
            raise _RefusedError(*_TOO_OFTEN, "频率超限")
        if mode == "no_authority":
            raise _RefusedError(403, "NO_AUTH", "商户无权限")

    def _check(self, asked: Asked) -> None:
        scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
        given = dict(_FIELD.findall(rest))
        wanted = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}
        if scheme != "WECHATPAY2-SHA256-RSA2048" or set(given) != wanted:
            raise _RefusedError(401, "SIGN_ERROR", "Http头缺少认证信息")
        if (given["mchid"], given["serial_no"]) != (self.merchant["mch_id"], self.merchant["serial_no"]):
            raise _RefusedError(401, "SIGN_ERROR", "商户号或证书序列号错误")
        at = int(given["timestamp"]) if given["timestamp"].isdigit() else 0
        if abs(at - self.now().timestamp()) > TOLERANCE.total_seconds():
            raise _RefusedError(401, "SIGN_ERROR", "时间戳过期")
        target = asked.path + (f"?{asked.query}" if asked.query else "")
        lines = f"{asked.method}\n{target}\n{given['timestamp']}\n{given['nonce_str']}\n"
        if not keys.signed(
            self.merchant["merchant_public_key"], lines.encode() + asked.body + b"\n", given["signature"]
        ):
            raise _RefusedError(401, "SIGN_ERROR", "签名错误")
        if asked.headers.get("accept", "") != "application/json" or not asked.headers.get("user-agent"):
            raise _RefusedError(*_PARAMETER, "缺少 Accept 或 User-Agent")

    def _do(self, asked: Asked, mode: str) -> dict[str, Any] | None:
        self._end_due()
        parts = asked.path.removeprefix(_ORDERS).strip("/").split("/")
        if (asked.method, asked.path) == ("POST", f"{_ORDERS}/jsapi"):
            return self._order(_body(asked))
        if asked.path.startswith(f"{_ORDERS}/out-trade-no/"):
            if (asked.method, len(parts)) == ("GET", 2):
                self._own(pairs(asked.query) or {})
                return self.facts_of(self._trade(parts[1]))
            if (asked.method, len(parts), parts[-1]) == ("POST", 3, "close"):
                self._own(_body(asked))
                self._close(parts[1])
                return None
        if (asked.method, asked.path) == ("POST", _REFUNDS):
            return self._refund(_body(asked), mode)
        if asked.method == "GET" and asked.path.startswith(f"{_REFUNDS}/"):
            return self._refund_of(asked.path.rpartition("/")[2])
        raise _RefusedError(404, "RESOURCE_NOT_EXISTS", "请求路径不存在")

    def _own(self, given: Mapping[str, Any]) -> None:
        if given != {"mchid": self.merchant["mch_id"]}:
            raise _RefusedError(*_PARAMETER, "mchid 错误")

    def _trade(self, number: str) -> dict[str, Any]:
        if number not in self.trades:
            raise _RefusedError(404, "ORDER_NOT_EXIST", "订单不存在")
        return self.trades[number]

    def _order(self, given: dict[str, Any]) -> dict[str, Any]:
        needed = {"appid", "mchid", "description", "out_trade_no", "notify_url", "amount", "payer"}
        extra = {"time_expire", "attach", "goods_tag", "support_fapiao", "detail", "scene_info", "settle_info"}
        _members(given, needed, extra)
        if given["mchid"] != self.merchant["mch_id"]:
            raise _RefusedError(400, "MCH_NOT_EXISTS", "商户号不存在")
        if given["appid"] not in self.merchant["app_ids"]:
            raise _RefusedError(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
        _text("description", given["description"], 127)
        _check_form("out_trade_no", given["out_trade_no"], _TRADE_NO)
        _check_url(given["notify_url"])
        _members(given["amount"], {"total"}, {"currency"})
        total, currency = given["amount"]["total"], given["amount"].get("currency", "CNY")
        if type(total) is not int or total < 1 or currency != "CNY":
            raise _RefusedError(*_PARAMETER, "amount 错误")
        _members(given["payer"], {"openid"}, set())
        _check_form("openid", given["payer"]["openid"], _OPENID)
        expiry = given.get("time_expire", "")
        if expiry and not _MOMENT.fullmatch(expiry):
            raise _RefusedError(*_PARAMETER, "time_expire 格式错误")
        known = self.trades.get(given["out_trade_no"])
        if known is None:
            earliest = self.now() + timedelta(minutes=1)
            ends = max(datetime.fromisoformat(expiry), earliest) if expiry else self.now() + timedelta(days=7)
            known = {
                "asked": given, "appid": given["appid"], "openid": given["payer"]["openid"], "total": total,
                "out_trade_no": given["out_trade_no"], "notify_url": given["notify_url"], "state": "NOTPAY",
                "time_expire": _moment(ends), "prepaid": {}, "refunds": {}, "coupon": 0,
            }  # fmt: skip
            self.trades[given["out_trade_no"]] = known
        elif known["state"] == "CLOSED":
            raise _RefusedError(400, "ORDER_CLOSED", "订单已关闭")
        elif known["asked"] != given or known["state"] not in ("NOTPAY", "PAYERROR"):
            raise _RefusedError(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        prepay_id = f"wx{secrets.token_hex(17)}"
        known["prepaid"][prepay_id] = _moment(self.now() + PREPAID_FOR)
        self._write()
        return {"prepay_id": prepay_id}

    def _close(self, number: str) -> None:
        trade = self._trade(number)
        if trade["state"] not in ("NOTPAY", "PAYERROR", "CLOSED"):
            raise _RefusedError(*_REQUEST, "订单已支付或正在支付，不能关闭")
        trade["state"] = "CLOSED"
        self._write()

    def facts_of(self, trade: Mapping[str, Any]) -> dict[str, Any]:
        """What WeChat says of a trade."""
        said: dict[str, Any] = {
            "appid": trade["appid"], "mchid": self.merchant["mch_id"], "out_trade_no": trade["out_trade_no"],
            "trade_state": trade["state"], "trade_state_desc": "", "payer": {"openid": trade["openid"]},
            "amount": {"total": trade["total"], "currency": "CNY"},
        }  # fmt: skip
        if "transaction_id" in trade:
            paid = trade["total"] - trade["coupon"]
            said |= {
                "transaction_id": trade["transaction_id"], "trade_type": "JSAPI", "bank_type": "OTHERS",
                "success_time": trade["success_time"], "attach": "",
                "amount": {
                    "total": trade["total"], "payer_total": paid, "currency": "CNY", "payer_currency": "CNY",
                },
            }  # fmt: skip
            if trade["coupon"]:
                said["promotion_detail"] = [
                    {"coupon_id": "109519", "scope": "GLOBAL", "type": "CASH", "amount": trade["coupon"]}
                ]
        return said

    def _refund(self, given: dict[str, Any], mode: str) -> dict[str, Any]:
        _members(
            given, {"out_refund_no", "amount"},
            {"transaction_id", "out_trade_no", "reason", "notify_url", "funds_account", "goods_detail"},
        )  # fmt: skip
        _check_form("out_refund_no", given["out_refund_no"], _REFUND_NO)
        _members(given["amount"], {"refund", "total", "currency"}, {"from"})
        if "reason" in given:
            _text("reason", given["reason"], 80)
            if len(given["reason"].encode()) > 80:
                raise _RefusedError(*_PARAMETER, "reason 不可超过80个字节")
        if "notify_url" in given:
            _check_url(given["notify_url"])
        trade = self._paid(given)
        known = trade["refunds"].get(given["out_refund_no"])
        if known is not None:
            if known["asked"] != given:
                raise _RefusedError(*_REQUEST, "退款单已存在，请求参数与首次不一致")
            return self._refund_said(trade, known)
        self._bounds(trade, given)
        if mode == "not_enough":
            raise _RefusedError(403, "NOT_ENOUGH", "基本账户余额不足")
        if mode == "account_abnormal" or self.account_abnormal:
            raise _RefusedError(403, "USER_ACCOUNT_ABNORMAL", "用户账号注销")
        known = {
            "asked": given, "number": given["out_refund_no"], "fen": given["amount"]["refund"], "status": "PROCESSING",
            "refund_id": f"50000{secrets.randbelow(10**23):023}", "created_at": self._now_text(),
            "ends_at": _moment(self.now() + self.works_on_for), "end": self.refund_end,
        }  # fmt: skip
        trade["refunds"][given["out_refund_no"]] = known
        self._write()
        self._end_due()
        return self._refund_said(trade, known)

    def _paid(self, given: Mapping[str, Any]) -> dict[str, Any]:
        for trade in self.trades.values():
            names = {name: trade.get(name) for name in ("transaction_id", "out_trade_no")}
            named = all(given.get(name, known) == known for name, known in names.items())
            if named and trade["state"] in ("SUCCESS", "REFUND"):
                return trade
        raise _RefusedError(404, "RESOURCE_NOT_EXISTS", "订单不存在")

    def _bounds(self, trade: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        fen, total = given["amount"]["refund"], given["amount"]["total"]
        taken = [each for each in trade["refunds"].values() if each["status"] != "CLOSED"]
        if total != trade["total"]:
            raise _RefusedError(*_REQUEST, "订单金额与之前请求不一致")
        if type(fen) is not int or fen < 1 or fen + sum(each["fen"] for each in taken) > trade["total"]:
            raise _RefusedError(*_REQUEST, "申请退款金额错误")
        if len(taken) >= MOST_REFUNDS or self.now() - datetime.fromisoformat(trade["success_time"]) > REFUNDABLE_FOR:
            raise _RefusedError(*_REQUEST, "订单已超过可退款的次数或期限")

    def _refund_of(self, number: str) -> dict[str, Any]:
        for trade in self.trades.values():
            if number in trade["refunds"]:
                return self._refund_said(trade, trade["refunds"][number])
        raise _RefusedError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")

    @staticmethod
    def _refund_said(trade: Mapping[str, Any], refund: Mapping[str, Any]) -> dict[str, Any]:
        ended = {"success_time": refund["success_time"]} if "success_time" in refund else {}
        return {
            "refund_id": refund["refund_id"], "out_refund_no": refund["number"], "status": refund["status"],
            "transaction_id": trade["transaction_id"], "out_trade_no": trade["out_trade_no"], "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱", "create_time": refund["created_at"], "funds_account": "AVAILABLE",
            "amount": {
                "total": trade["total"], "refund": refund["fen"], "payer_total": trade["total"] - trade["coupon"],
                "payer_refund": refund["fen"], "settlement_refund": refund["fen"], "currency": "CNY",
            },
            **ended,
        }  # fmt: skip

    def _end(self, trade: dict[str, Any], refund: dict[str, Any], status: str) -> None:
        refund["status"] = status
        if status == "SUCCESS":
            refund["success_time"] = self._now_text()
            trade["state"] = "REFUND"
        self._write()
        if "notify_url" in refund["asked"]:
            said = self._refund_said(trade, refund)
            amount = {name: said["amount"][name] for name in ("total", "refund", "payer_total", "payer_refund")}
            plain: dict[str, Any] = {
                "mchid": self.merchant["mch_id"], "refund_status": status, "amount": amount,
                **{name: said[name] for name in ("transaction_id", "out_trade_no", "refund_id", "out_refund_no",
                                                 "user_received_account", "success_time") if name in said},
            }  # fmt: skip
            self._send(f"REFUND.{status}", "refund", plain, refund["asked"]["notify_url"])

    # --- what it signs ---

    def notice(
        self, kind: str, original: str, plain: Mapping[str, Any], mode: str = "fine", *, sealed_with: str = ""
    ) -> tuple[dict[str, str], bytes]:
        """A notice: headers and content, as WeChat sends it."""
        nonce, associated = secrets.token_hex(6), original
        sealed = keys.seal(
            sealed_with or self.merchant["notice_key"],
            json.dumps(plain, ensure_ascii=False).encode(),
            nonce,
            associated,
        )
        body = {
            "id": secrets.token_hex(18), "create_time": self._now_text(), "event_type": kind,
            "resource_type": "encrypt-resource", "summary": "支付成功",
            "resource": {
                "original_type": original, "algorithm": "AEAD_AES_256_GCM", "ciphertext": sealed,
                "associated_data": associated, "nonce": nonce,
            },
        }  # fmt: skip
        raw = json.dumps(body, ensure_ascii=False).encode()
        return {"content-type": "application/json", **self.signature(raw, mode)}, raw

    def _send(self, kind: str, original: str, plain: Mapping[str, Any], url: str) -> None:
        self.notices.add(url, lambda: self.notice(kind, original, plain))

    def signature(self, content: bytes, mode: str = "fine") -> dict[str, str]:
        """The headers with which WeChat signs `content`."""
        if mode == "unsigned":
            return {}
        at = self.now() - (TOLERANCE * 2 if mode == "old_signature" else timedelta())
        stamp, nonce = str(int(at.timestamp())), secrets.token_hex(16)
        serial, key = self.merchant["public_key_id"], self.merchant["wechat_private_key"]
        if mode == "certificate":
            serial, key = self.merchant["certificate_serial"], self.merchant["certificate_private_key"]
        if mode == "wrong_serial":
            serial = "PUB_KEY_ID_0100000000000000000000000000000000"
        if mode == "wrong_signature":
            self._stranger = self._stranger or keys.new_pair()["private_key"]
            key = self._stranger
        signature = keys.sign(key, f"{stamp}\n{nonce}\n".encode() + content + b"\n")
        if mode == "signature_test":
            signature = f"WECHATPAY/SIGNTEST/{signature}"
        return {
            "Wechatpay-Timestamp": stamp, "Wechatpay-Nonce": nonce, "Wechatpay-Serial": serial,
            "Wechatpay-Signature": signature, "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        }  # fmt: skip

    def _now_text(self) -> str:
        return _moment(self.now())

    def _write(self) -> None:
        if self._book is not None:
            self._book.write_text(json.dumps(self.trades, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _moment(at: datetime) -> str:
    return at.astimezone(BEIJING).isoformat(timespec="seconds")


def _body(asked: Asked) -> dict[str, Any]:
    given = json_object(asked)
    if given is None:
        raise _RefusedError(*_PARAMETER, "请求体不是JSON")
    return given


def _members(given: object, needed: set[str], extra: set[str]) -> None:
    if not isinstance(given, dict) or not needed <= set(given) <= needed | extra:
        raise _RefusedError(*_PARAMETER, f"参数错误：需要 {'、'.join(sorted(needed))}")


def _text(name: str, value: object, most: int) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        raise _RefusedError(*_PARAMETER, f"{name} 长度错误")


def _check_form(name: str, value: object, form: re.Pattern[str]) -> None:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise _RefusedError(*_PARAMETER, f"{name} 格式错误")


def _check_url(value: object) -> None:
    """https without a query; plain http on this machine alone, which the real one refuses."""
    url = urlsplit(value if isinstance(value, str) else "")
    local = url.scheme == "http" and url.hostname == "127.0.0.1"
    if not (url.scheme == "https" or local) or not url.hostname or url.query or url.fragment:
        raise _RefusedError(*_PARAMETER, "notify_url 错误")


def new_merchant(mch_id: str, app_ids: list[str]) -> dict[str, Any]:
    """A merchant with fresh keys: WeChat's halves, and under `own_` those that the merchant has."""
    merchant, wechat, certificate = keys.new_pair(), keys.new_pair(), keys.new_pair()
    return {
        "mch_id": mch_id,
        "app_ids": app_ids,
        "serial_no": secrets.token_hex(20).upper(),
        "merchant_public_key": merchant["public_key"],
        "public_key_id": f"PUB_KEY_ID_{secrets.randbelow(10**34):034}",
        "wechat_private_key": wechat["private_key"],
        "certificate_serial": secrets.token_hex(20).upper(),
        "certificate_private_key": certificate["private_key"],
        "notice_key": secrets.token_hex(16),
        "own_private_key": merchant["private_key"],
        "own_public_key": wechat["public_key"],
        "own_certificate_key": certificate["public_key"],
    }
