"""Alipay's payments on this machine: trades of mini-programs (JSAPI), their refunds, and notices, as documented.

The gateway (`alipay_gateway`) checks the app's signature; this checks the form of every field, and what a trade or a
refund may still become. It signs notices with the key of the trade's app, and repeats them for 25 hours until the
answer is the word `success`. A trade that nobody pays ends with its `time_expire`; one whose refunds are over is
finished after a year.

Own modes: `system_error` (`ACQ.SYSTEM_ERROR`, nothing was done), `error_after` (the same, and it was done),
`no_authority` (40006); for refunds `not_enough` (the merchant's balance), `finished`, `not_allowed`, `frozen`.

Readings, not confirmed, each with a switch: whether empty values of a notice are signed (`signs_empty`), and whether an
app can use the trades of the merchant's other apps (`apart`: it cannot).
"""

import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from infra.local.platforms import alipay_gateway, keys
from infra.local.platforms.alipay import Alipay
from infra.local.platforms.alipay_gateway import RefusedError, joined, moment, moment_text
from infra.local.platforms.notices import Notices, Teller
from infra.local.platforms.people import Apps, Asked, Platform, WrongCallError
from infra.local.server import HttpAnswer

REPEATS = [240, 600, 600, 3600, 7200, 21600, 54000]
"""Seconds after which a notice that was not taken is sent again."""
REFUNDABLE_FOR = timedelta(days=365)
ENDS = ("SUCCESS", "PROCESSING", "ACQ.TRADE_HAS_FINISHED", "ACQ.SELLER_BALANCE_NOT_ENOUGH")
"""How refunds end: at once, not until it is `SUCCESS` again, or never."""
_METHODS = {
    "alipay.trade.create": {"notify_url"}, "alipay.trade.query": set[str](), "alipay.trade.close": {"notify_url"},
    "alipay.trade.refund": {"notify_url"}, "alipay.trade.fastpay.refund.query": set[str](),
}  # fmt: skip
_REFUSALS = {
    "not_enough": "ACQ.SELLER_BALANCE_NOT_ENOUGH", "finished": "ACQ.TRADE_HAS_FINISHED",
    "not_allowed": "ACQ.TRADE_NOT_ALLOW_REFUND", "frozen": "ACQ.REASON_TRADE_BEEN_FREEZEN",
}  # fmt: skip
_OF_CREATE = {
    "seller_id", "discountable_amount", "body", "buyer_id", "buyer_open_id", "goods_detail", "operator_id", "store_id",
    "terminal_id", "extend_params", "timeout_express", "time_expire", "settle_info", "logistics_detail",
    "business_params", "receiver_address_info", "passback_params", "query_options",
}  # fmt: skip
_NUMBER = re.compile(r"[0-9A-Za-z_]{1,64}")
_YUAN = re.compile(r"(\d{1,9})(?:\.(\d{1,2}))?")
_USER_ID = re.compile(r"2088\d{12}")
_OPEN_ID = re.compile(r"(?!2088\d{12}\Z)[0-9A-Za-z_-]{1,128}")


class AlipayPay(Platform):
    """`apps` are those of one merchant, `people` knows their users' names. `book` keeps its trades between runs."""

    name = "alipay-pay"
    modes_known = (*alipay_gateway.MODES, "system_error", "error_after", "no_authority", *_REFUSALS)

    def __init__(
        self,
        apps: Apps,
        *,
        seller_id: str,
        people: Alipay,
        now: Callable[[], datetime],
        tell: Teller,
        book: Path | None = None,
    ) -> None:
        super().__init__(now)
        self.apps = apps
        self.seller_id = seller_id
        self.people = people
        self.notices = Notices(tell, now, REPEATS, taken=_is_taken)
        self.refund_end = "SUCCESS"
        self.signs_empty = False
        self.apart = False
        self.lock = threading.RLock()
        """Held while what it knows changes, and not while a notice is on its way."""
        self._book = book
        self.trades: dict[str, dict[str, Any]] = {}
        if book is not None and book.exists():
            self.trades = json.loads(book.read_text(encoding="utf-8"))

    # --- what the mini-program and people do ---

    def pay(
        self, app_id: str, person: str, call: Mapping[str, str], *, voucher_fen: int = 0, processing: bool = False
    ) -> dict[str, Any]:
        """The person confirms in the cashier that `my.tradePay(call)` opens. `processing`: result 8000, the person has
        not finished. Returns the trade. Raises WrongCallError for what the cashier refuses."""
        if set(call) != {"tradeNO"}:
            raise WrongCallError("tradeNO is needed")
        self._end_due()
        trade = next((each for each in self.trades.values() if each["trade_no"] == call["tradeNO"]), None)
        if trade is None or trade["op_app_id"] != app_id:
            raise WrongCallError("4000: 交易不存在")
        if trade["buyer"] not in (self.people.openid(app_id, person), self.people.user_id(person)):
            raise WrongCallError("4000: 交易买家不匹配")
        if trade["status"] != "WAIT_BUYER_PAY":
            raise WrongCallError("4000: 交易已支付或已关闭")
        trade["paying"] = processing
        if not processing:
            trade |= {"status": "TRADE_SUCCESS", "gmt_payment": self._now_text(), "voucher": voucher_fen}
            self.tell(trade)
        self._write()
        return trade

    def settle(self) -> None:
        """End what is due, and send due notices."""
        with self.lock:
            self._end_due()
        self.notices.send_due()

    def refund_by_hand(self, order_no: str, fen: int, *, number: str = "") -> None:
        """The merchant refunds on Alipay's own pages. It is announced as any other refund."""
        chosen = number or secrets.token_hex(12)
        self.trades[order_no]["refunds"][chosen] = {"number": chosen, "fen": fen, "status": "PROCESSING"}
        self.settle()

    def _end_due(self) -> None:
        for trade in self.trades.values():
            if trade["status"] == "WAIT_BUYER_PAY" and not trade["paying"] and self._now_text() >= trade["ends_at"]:
                trade |= {"status": "TRADE_CLOSED", "gmt_close": self._now_text()}
            for refund in list(trade["refunds"].values()):
                if refund["status"] == "PROCESSING" and self.refund_end != "PROCESSING":
                    self._give_back(trade, refund["number"], refund["fen"])
            paid_at = moment(trade.get("gmt_payment", ""))
            if trade["status"] == "TRADE_SUCCESS" and paid_at and self.now() - paid_at > REFUNDABLE_FOR:
                trade["status"] = "TRADE_FINISHED"

    # --- its API ---

    def respond(self, asked: Asked, mode: str) -> HttpAnswer:
        if (asked.method, asked.path) != ("POST", "/gateway.do"):
            return HttpAnswer(404, {"content-type": "text/html"}, b"<html>404</html>")
        given: dict[str, str] = {}
        node = "error_response"
        try:
            given = alipay_gateway.read(asked)
            alipay_gateway.check(given, self.apps, _METHODS, self.now())
            node = f"{given['method'].replace('.', '_')}_response"
            self.calls.append(given["method"])
            alipay_gateway.fail(mode)
            if mode == "no_authority":
                raise RefusedError("40006", "isv.insufficient-isv-permissions", "Insufficient Permissions")
            with self.lock:
                said = {"code": "10000", "msg": "Success", **self._do(given, mode)}
        except RefusedError as error:
            said = error.body
        app = self.apps.get(given.get("app_id", ""), {})
        return alipay_gateway.answered(node, said, str(app.get("alipay_private_key", "")), mode)

    def _do(self, given: Mapping[str, str], mode: str) -> dict[str, Any]:
        if mode == "system_error":
            raise _refused("ACQ.SYSTEM_ERROR")
        content = _object(given.get("biz_content", ""))
        self._end_due()
        if given["method"] == "alipay.trade.create":
            said = self._create(content, given)
        elif given["method"] == "alipay.trade.query":
            _members(content, set(), {"trade_no", "out_trade_no", "query_options"})
            said = self.facts_of(self._trade(content, given))
        elif given["method"] == "alipay.trade.close":
            _members(content, set(), {"trade_no", "out_trade_no", "operator_id"})
            said = self._close(self._trade(content, given))
        elif given["method"] == "alipay.trade.refund":
            said = self._refund(content, given, mode)
        else:
            _members(content, {"out_request_no"}, {"trade_no", "out_trade_no", "query_options"})
            said = self._refund_of(self._trade(content, given), content["out_request_no"])
        self._write()
        if mode == "error_after":
            raise _refused("ACQ.SYSTEM_ERROR")
        return said

    def _trade(self, content: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
        """The trade that a call names: where it names both numbers the trade number counts."""
        by = "trade_no" if "trade_no" in content else "out_trade_no"
        if not isinstance(content.get(by), str):
            raise _refused("ACQ.INVALID_PARAMETER")
        for trade in self.trades.values():
            if trade[by] == content[by] and not (self.apart and trade["app_id"] != given["app_id"]):
                return trade
        raise _refused("ACQ.TRADE_NOT_EXIST")

    def _create(self, content: dict[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
        _members(content, {"out_trade_no", "total_amount", "subject", "product_code", "op_app_id"}, _OF_CREATE)
        fen = _fen(content["total_amount"])
        buyer = content.get("buyer_id", content.get("buyer_open_id"))
        ends_at = moment(content.get("time_expire", moment_text(self.now() + timedelta(days=15))))
        forms = (
            _matches(_NUMBER, content["out_trade_no"]),
            fen is not None and 1 <= fen <= 10**10,
            _is_text(content["subject"], 256) and not set(content["subject"]) & set("/=&"),
            content["product_code"] == "JSAPI_PAY",
            content["op_app_id"] in self.apps,
            ("buyer_id" in content) != ("buyer_open_id" in content),
            _matches(_USER_ID if "buyer_id" in content else _OPEN_ID, buyer),
            ends_at is not None and ends_at > self.now(),
            _is_address(given.get("notify_url", "https://example.com")),
        )
        if not all(forms):
            raise _refused("ACQ.INVALID_PARAMETER", f"参数无效 {forms.index(False)}")
        known = self.trades.get(content["out_trade_no"])
        if known is None:
            assert ends_at is not None
            known = {
                "asked": content, "app_id": given["app_id"], "op_app_id": content["op_app_id"], "buyer": buyer,
                "out_trade_no": content["out_trade_no"], "total": fen, "notify_url": given.get("notify_url", ""),
                "trade_no": f"{self._now_text()[:10].replace('-', '')}2200{secrets.randbelow(10**16):016}",
                "status": "WAIT_BUYER_PAY", "paying": False, "ends_at": moment_text(ends_at), "refunds": {},
                "gmt_create": self._now_text(), "voucher": 0,
            }  # fmt: skip
            self.trades[content["out_trade_no"]] = known
        elif known["status"] != "WAIT_BUYER_PAY":
            raise _refused(f"ACQ.TRADE_HAS_{'CLOSE' if known['status'] == 'TRADE_CLOSED' else 'SUCCESS'}")
        elif known["asked"] != content:
            raise _refused("ACQ.CONTEXT_INCONSISTENT")
        return {"out_trade_no": known["out_trade_no"], "trade_no": known["trade_no"]}

    def _close(self, trade: dict[str, Any]) -> dict[str, Any]:
        if trade["status"] != "WAIT_BUYER_PAY" or trade["paying"]:
            raise _refused("ACQ.TRADE_STATUS_ERROR")
        trade |= {"status": "TRADE_CLOSED", "gmt_close": self._now_text()}
        return {"out_trade_no": trade["out_trade_no"], "trade_no": trade["trade_no"]}

    def facts_of(self, trade: Mapping[str, Any]) -> dict[str, Any]:
        """What a query says of a trade."""
        said: dict[str, Any] = {
            "trade_no": trade["trade_no"], "out_trade_no": trade["out_trade_no"], "trade_status": trade["status"],
            "total_amount": _yuan(trade["total"]), "buyer_logon_id": "ann***@example.com",
            "buyer_pay_amount": "0.00", "receipt_amount": "0.00", "point_amount": "0.00", "invoice_amount": "0.00",
            ("buyer_user_id" if _matches(_USER_ID, trade["buyer"]) else "buyer_open_id"): trade["buyer"],
        }  # fmt: skip
        if "gmt_payment" in trade:
            said |= {"send_pay_date": trade["gmt_payment"], **_amounts(trade)}
            said["fund_bill_list"] = [
                {"fund_channel": each["fundChannel"], "amount": each["amount"]} for each in _bills(trade)
            ]
        return said

    def _refund(self, content: dict[str, Any], given: Mapping[str, str], mode: str) -> dict[str, Any]:
        _members(
            content, {"refund_amount"},
            {"trade_no", "out_trade_no", "out_request_no", "refund_reason", "refund_goods_detail", "operator_id",
             "refund_royalty_parameters", "query_options", "related_settle_confirm_no"},
        )  # fmt: skip
        trade, fen = self._trade(content, given), _fen(content["refund_amount"])
        number = content.get("out_request_no", trade["out_trade_no"])
        if not _matches(_NUMBER, number) or not _is_text(content.get("refund_reason", "-"), 256):
            raise _refused("ACQ.INVALID_PARAMETER")
        known = trade["refunds"].get(number)
        if known is not None:
            if known["fen"] != fen:
                raise _refused("ACQ.DISCORDANT_REPEAT_REQUEST")
            return self._refund_said(trade, "N")
        never = self.refund_end if self.refund_end.startswith("ACQ.") else ""
        refusal = _REFUSALS.get(mode) or never or self._bound(trade, fen, content)
        if refusal == "ACQ.TRADE_HAS_FINISHED" and trade["status"] == "TRADE_SUCCESS":
            trade["status"] = "TRADE_FINISHED"
        if refusal or fen is None:
            raise _refused(refusal)
        if self.refund_end == "PROCESSING":
            trade["refunds"][number] = {"number": number, "fen": fen, "status": "PROCESSING"}
            return self._refund_said(trade, "N")
        self._give_back(trade, number, fen)
        return self._refund_said(trade, "Y")

    @staticmethod
    def _bound(trade: Mapping[str, Any], fen: int | None, content: Mapping[str, Any]) -> str:
        """Why the trade does not take this refund; empty if it does."""
        rest = trade["total"] - sum(each["fen"] for each in trade["refunds"].values())
        if trade["status"] == "TRADE_FINISHED":
            return "ACQ.TRADE_HAS_FINISHED"
        if trade["status"] != "TRADE_SUCCESS":
            return "ACQ.TRADE_STATUS_ERROR"
        if not fen:
            return "ACQ.REASON_TRADE_REFUND_FEE_ERR"
        # A part needs a number of its own, which tells it from a repeat.
        whole = fen == trade["total"]
        return "" if fen <= rest and ("out_request_no" in content or whole) else "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"

    def _give_back(self, trade: dict[str, Any], number: str, fen: int) -> None:
        refund = {"number": number, "fen": fen, "status": "SUCCESS", "gmt_refund": f"{self._now_text()}.345"}
        trade["refunds"][number] = refund
        if _given_back(trade) == trade["total"]:
            trade |= {"status": "TRADE_CLOSED", "gmt_close": self._now_text()}
        self._write()
        self.tell(trade, refund)

    @staticmethod
    def _refund_said(trade: Mapping[str, Any], changed: str) -> dict[str, Any]:
        return {
            "trade_no": trade["trade_no"], "out_trade_no": trade["out_trade_no"], "fund_change": changed,
            "buyer_logon_id": "ann***@example.com", "refund_fee": _yuan(_given_back(trade)),
            "send_back_fee": _yuan(_given_back(trade)),
        }  # fmt: skip

    @staticmethod
    def _refund_of(trade: Mapping[str, Any], number: str) -> dict[str, Any]:
        """What a query says of a refund: nothing about one that it does not know."""
        refund = trade["refunds"].get(number)
        if refund is None:
            return {}
        said = {
            "trade_no": trade["trade_no"], "out_trade_no": trade["out_trade_no"], "out_request_no": number,
            "refund_amount": _yuan(refund["fen"]), "total_amount": _yuan(trade["total"]),
        }  # fmt: skip
        return said | ({"refund_status": "REFUND_SUCCESS"} if refund["status"] == "SUCCESS" else {})

    # --- what it sends ---

    def tell(self, trade: Mapping[str, Any], refund: Mapping[str, Any] | None = None) -> None:
        """Have a notice of a trade as it is now sent, if there is an address for it. `refund` has caused it."""
        if trade["notify_url"]:
            facts = self.notice_of(trade, refund)
            self.notices.add(
                trade["notify_url"], lambda: self.signed(facts | {"notify_time": self._now_text()}, trade["app_id"])
            )

    def notice_of(self, trade: Mapping[str, Any], refund: Mapping[str, Any] | None = None) -> dict[str, str]:
        """The fields of a notice, not signed."""
        old = _matches(_USER_ID, trade["buyer"])
        fields = {
            "notify_type": "trade_status_sync", "notify_id": f"{secrets.token_hex(17)}", "charset": "utf-8",
            "version": "1.0", "app_id": trade["app_id"], "auth_app_id": trade["app_id"], "body": "",
            "notify_time": self._now_text(), "trade_no": trade["trade_no"], "out_trade_no": trade["out_trade_no"],
            "trade_status": trade["status"], "seller_id": self.seller_id, "seller_email": "shop@example.com",
            "buyer_id" if old else "buyer_open_id": trade["buyer"], "buyer_logon_id": "ann***@example.com",
            "subject": trade["asked"]["subject"], "gmt_create": trade["gmt_create"],
            "passback_params": trade["asked"].get("passback_params", ""), "total_amount": _yuan(trade["total"]),
            **{name: trade[name] for name in ("gmt_payment", "gmt_close") if name in trade},
            **_amounts(trade), "fund_bill_list": json.dumps(_bills(trade), separators=(",", ":")),
        }  # fmt: skip
        if refund is not None:
            fields |= {
                "refund_fee": _yuan(_given_back(trade)), "gmt_refund": refund["gmt_refund"],
                "out_biz_no": refund["number"],
            }  # fmt: skip
        return fields

    def signed(self, fields: Mapping[str, str], app_id: str, key: str = "") -> tuple[dict[str, str], bytes]:
        """A notice with these fields as Alipay sends it: headers and content."""
        message = joined(fields, without=("sign", "sign_type"), empty=self.signs_empty)
        signature = keys.sign(key or self.apps[app_id]["alipay_private_key"], message.encode())
        body = urlencode({**fields, "sign_type": "RSA2", "sign": signature}).encode()
        return {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}, body

    def _now_text(self) -> str:
        return moment_text(self.now())

    def _write(self) -> None:
        if self._book is not None:
            self._book.write_text(json.dumps(self.trades, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _is_taken(answer: HttpAnswer) -> bool:
    return (answer.status, answer.body) == (200, b"success")


def _refused(sub_code: str, message: str = "Business Failed") -> RefusedError:
    return RefusedError("40004", sub_code, message)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _refused("ACQ.INVALID_PARAMETER")
    return value


def _members(given: Mapping[str, Any], needed: set[str], extra: set[str]) -> None:
    if not needed <= set(given) <= needed | extra:
        raise _refused("ACQ.INVALID_PARAMETER", f"需要 {'、'.join(sorted(needed))}")


def _matches(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= most


def _is_address(value: str) -> bool:
    """http or https, without a query."""
    url = urlsplit(value)
    return url.scheme in ("http", "https") and bool(url.hostname) and not url.query and len(value) <= 256


def _fen(value: object) -> int | None:
    found = _YUAN.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else None


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _given_back(trade: Mapping[str, Any]) -> int:
    return sum(each["fen"] for each in trade["refunds"].values() if each["status"] == "SUCCESS")


def _amounts(trade: Mapping[str, Any]) -> dict[str, str]:
    paid = _yuan(trade["total"] - trade["voucher"])
    return {
        "buyer_pay_amount": paid, "receipt_amount": _yuan(trade["total"]), "point_amount": "0.00",
        "invoice_amount": paid,
    }  # fmt: skip


def _bills(trade: Mapping[str, Any]) -> list[dict[str, str]]:
    """Where the money came from: Alipay's voucher pays its part."""
    parts = {"ALIPAYACCOUNT": trade["total"] - trade["voucher"], "COUPON": trade["voucher"]}
    return [{"amount": _yuan(fen), "fundChannel": channel} for channel, fen in parts.items() if fen]
