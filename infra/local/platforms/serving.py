"""The platforms of this machine behind one address: each under its name, such as `/wechat` and `/wechat-pay`; and the
merchant's identity service, `/identity`.

Beside what the platforms themselves answer:

| Endpoint | What it does |
|---|---|
| `GET /` | the platforms, each with its apps |
| `GET /{platform}/codes?person=anna&phone=&app_id=` | what this person's mini-program would get (below) |
| `POST /{platform}/modes {"modes": ["busy", "stall"]}` | what happens to the platform's next calls, in their order |
| `POST /wechat-pay/payments {"person", "app_id", "call"}` | the person confirms what `wx.requestPayment(call)` shows |
| `POST /wechat-pay/refunds {"end": "SUCCESS"}` | how refunds end from now on: `SUCCESS`, `CLOSED`, `ABNORMAL` |
| `GET /wechat-pay/refunds?order_no=` | an order's refunds: `refund_no`, `fen`, `status`; so of the other two |
| `POST /wechat/checks {"app_id", "url"}` | somebody saves the address of a mini-program's message push |
| `POST /wechat/pushes {"event", "order_no", "app_id", "fields", "way"}` | WeChat pushes one of `wechat_push.EVENTS` |
| `POST /alipay-pay/payments {"person", "app_id", "call"}` | the person confirms what `my.tradePay(call)` shows |
| `POST /alipay-pay/refunds {"end": "SUCCESS"}` | the same of Alipay: `alipay_pay.ENDS` |
| `POST /douyin-pay/payments {"person", "app_id", "call"}` | the person confirms what `tt.requestOrder(call)` orders |
| `POST /douyin-pay/endings {"order_no"}` | the buyer ends an unpaid order in Douyin |
| `POST /douyin-pay/asked-refunds {"order_no"}` | the buyer asks Douyin for a refund of all, or of `fen` |
| `POST /douyin-pay/refunds {"end": "SUCCESS"}` | how refunds end from now on: `douyin_pay.ENDS` |

A payment may have `coupon_fen`, which WeChat or Douyin pays (`voucher_fen`: Alipay), and `processing` (true: the person
has not finished). The codes are `login_code`, and with a `phone` the `phone_code`; without `app_id` those of the
platform's first app.

Apps and the merchant, with their secrets and keys, are made once and kept in a file, payments in another. People need
none: any name is one. Codes are kept in memory, for their minutes.
"""

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.local.platforms.alipay import Alipay, new_app
from infra.local.platforms.alipay_pay import ENDS, AlipayPay
from infra.local.platforms.baidu import Baidu
from infra.local.platforms.douyin import Douyin
from infra.local.platforms.douyin import new_app as new_douyin_app
from infra.local.platforms.douyin_pay import ENDS as DOUYIN_ENDS
from infra.local.platforms.douyin_pay import DouyinPay
from infra.local.platforms.identity import IdentityService
from infra.local.platforms.notices import fetch, post
from infra.local.platforms.people import (
    Asked,
    LoginPlatform,
    Platform,
    WrongCallError,
    json_answer,
    json_object,
    pairs,
)
from infra.local.platforms.wechat import Wechat
from infra.local.platforms.wechat_pay import WechatPay, new_merchant
from infra.local.platforms.wechat_push import EVENTS, PushDesk, new_push
from infra.local.server import HttpAnswer
from infra.local.small_server import SmallServer

Apps = dict[str, dict[str, dict[str, Any]]]
"""Platform -> app id -> secrets and keys; and under `merchants`, platform -> the merchant's account."""
MERCHANTS = "merchants"
ALIPAY_SELLER = "2088101122223333"
"""The user id of the merchant of Alipay's apps."""
BAIDU_APP = "bd000000000000000000000000000001"
"""The AppKey of Baidu's app."""


def new_apps() -> Apps:
    """Apps of one developer: two mini-programs of WeChat, a new and an old app of Alipay, one of Douyin,
    one of Baidu."""
    wechat: dict[str, dict[str, Any]] = {
        f"wx{number:016}": {"secret": secrets.token_hex(16), "developer": "brand", "push": new_push()}
        for number in (1, 2)
    }
    alipay = {"2021000000000001": new_app("brand"), "2021000000000002": new_app("brand", names="user_id")}
    merchants = {"wechat": new_merchant("1900000109", list(wechat))}
    baidu = {BAIDU_APP: {"secret": secrets.token_hex(16), "developer": "brand"}}
    douyin = {"tt00000001": new_douyin_app("brand")}
    return {"wechat": wechat, "alipay": alipay, "douyin": douyin, "baidu": baidu, MERCHANTS: merchants}


def kept_apps(book: Path | None) -> Apps:
    """The apps of the file, which is made if it is missing."""
    if book is not None and book.exists():
        kept: Apps = json.loads(book.read_text(encoding="utf-8"))
        # Apps of Douyin from before its payments have no key of the platform.
        old = [app_id for app_id, app in kept.get("douyin", {}).items() if "platform_private_key" not in app]
        old_pushes = [app for app in kept.get("wechat", {}).values() if "push" not in app]
        if kept.keys() >= {"wechat", "alipay", "douyin", "baidu", MERCHANTS} and not old and not old_pushes:
            return kept
        for app_id in old:
            kept["douyin"][app_id] = new_douyin_app("brand") | kept["douyin"][app_id]
        for app in old_pushes:
            app["push"] = new_push()
    else:
        kept = {}
    made = new_apps() | kept
    if book is not None:
        book.touch(mode=0o600)
        book.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return made


class Platforms:
    """The platforms, and their server. `folder` keeps what they know between runs."""

    def __init__(self, *, now: Callable[[], datetime], folder: Path | None = None) -> None:
        self.apps = kept_apps(None if folder is None else folder / "platforms.json")
        self.merchants = self.apps.pop(MERCHANTS)
        wechat = Wechat(self.apps["wechat"], now)
        alipay = Alipay(self.apps["alipay"], now)
        douyin = Douyin(self.apps["douyin"], now)
        self.logins: dict[str, LoginPlatform] = {
            "wechat": wechat,
            "alipay": alipay,
            "douyin": douyin,
            "baidu": Baidu(self.apps["baidu"], now),
        }
        self.wechat_pay = WechatPay(
            self.merchants["wechat"], openid=wechat.openid, now=now, tell=post,
            book=None if folder is None else folder / "wechat-pay.json",
        )  # fmt: skip
        wechat.shipping.trades = lambda: self.wechat_pay.trades
        wechat.shipping.managed.update(self.apps["wechat"])
        self.pushes = PushDesk(
            self.apps["wechat"], mch_id=self.merchants["wechat"]["mch_id"], now=now, tell=post,
        )  # fmt: skip
        self.alipay_pay = AlipayPay(
            self.apps["alipay"], seller_id=ALIPAY_SELLER, people=alipay, now=now, tell=post,
            book=None if folder is None else folder / "alipay-pay.json",
        )  # fmt: skip
        self.douyin_pay = DouyinPay(
            self.apps["douyin"], openid=douyin.openid, now=now, tell=post,
            book=None if folder is None else folder / "douyin-pay.json",
        )  # fmt: skip
        self.identity = IdentityService(now)
        self.by_name: dict[str, Platform] = {
            **self.logins, "wechat-pay": self.wechat_pay, "alipay-pay": self.alipay_pay, "douyin-pay": self.douyin_pay,
            "identity": self.identity,
        }  # fmt: skip
        self.url = ""
        self._stopping = threading.Event()
        self._settling = threading.Lock()
        self._notices: threading.Thread | None = None
        self._server = SmallServer(self.answer, name="platforms")

    def start(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve on `port` (0: any free one) in a background thread. Returns the URL."""
        self.url = self._server.start(host=host, port=port)
        self._stopping.clear()
        self._notices = threading.Thread(target=self._send_notices, name="notices", daemon=True)
        self._notices.start()
        return self.url

    def stop(self) -> None:
        """Stop serving. Safe to call twice."""
        self._stopping.set()
        if self._notices is not None:
            self._notices.join()
            self._notices = None
        self._server.stop()

    def _send_notices(self) -> None:
        """End refunds and send notices when their time comes."""
        while not self._stopping.wait(0.2):
            self.settle()

    def settle(self) -> None:
        """End what is due, and send due notices. Those that were due before have been answered when it returns."""
        with self._settling:
            for company in (self.wechat_pay, self.alipay_pay, self.douyin_pay, self.pushes):
                company.settle()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """The answer to a request. Raises NoAnswerError and HalfAnswerError, as a platform does."""
        path, _, query = target.partition("?")
        name, _, rest = path.removeprefix("/").partition("/")
        if not name and method == "GET":
            return json_answer({known: list(each.apps) for known, each in self.logins.items()})
        platform = self.by_name.get(name)
        if platform is None:
            return _refused(404, f"there are {', '.join(self.by_name)}")
        asked = Asked(method, f"/{rest}", query, headers, body)
        try:
            found = self._control(platform, asked)
        except WrongCallError as error:
            return _refused(400, str(error))
        return platform.answer(asked) if found is None else json_answer(found)

    def _control(self, platform: Platform, asked: Asked) -> dict[str, Any] | None:
        """What people and mini-programs do; None for a call of the platform's API."""
        match (asked.method, asked.path, platform):
            case ("POST", "/checks" | "/pushes", Wechat()):
                act = self._check_push if asked.path == "/checks" else self._push
                return act(json_object(asked) or {})
            case ("GET", "/codes", LoginPlatform()):
                return _codes(platform, asked)
            case ("POST", "/modes", _):
                return _modes(platform, asked)
            case ("POST" | "GET", "/payments" | "/refunds", WechatPay() | AlipayPay() | DouyinPay()):
                pay = _pay if asked.path == "/payments" else _end_refunds
                return _refunds(platform, asked) if asked.method == "GET" else pay(platform, json_object(asked) or {})
            case ("POST", "/endings" | "/asked-refunds", DouyinPay()):
                return _act_in_douyin(platform, asked.path, json_object(asked) or {})
        return None

    def _check_push(self, given: dict[str, Any]) -> dict[str, Any]:
        if set(given) != {"app_id", "url"} or given["app_id"] not in self.pushes.apps:
            raise WrongCallError("app_id of a known app and url are needed")
        return {"taken": self.pushes.check(given["app_id"], str(given["url"]), fetch)}

    def _push(self, given: dict[str, Any]) -> dict[str, Any]:
        if (
            not {"event"} <= set(given) <= {"event", "order_no", "app_id", "way", "fields"}
            or given["event"] not in EVENTS
        ):
            raise WrongCallError(f"event is one of {', '.join(EVENTS)}; order_no, app_id, fields and way may follow")
        trade = self.wechat_pay.trades.get(given.get("order_no", ""))
        if given["event"] != EVENTS[-1] and (trade is None or "success_time" not in trade):
            raise WrongCallError("order_no of a paid order is needed")
        app_id = given.get("app_id") or (trade or {}).get("appid") or next(iter(self.pushes.apps))
        if app_id not in self.pushes.apps or not isinstance(given.get("fields", {}), dict):
            raise WrongCallError("no such app, or fields are no object")
        fields = self.pushes.event(given["event"], trade, **given.get("fields", {}))
        self.pushes.send(app_id, fields, given.get("way", "fine"))
        return {"app_id": app_id, "fields": fields}


def _pay(company: WechatPay | AlipayPay | DouyinPay, given: dict[str, Any]) -> dict[str, Any]:
    needed, part = {"person", "app_id", "call"}, "voucher_fen" if isinstance(company, AlipayPay) else "coupon_fen"
    if not needed <= set(given) <= {*needed, part, "processing"}:
        raise WrongCallError(f"person, app_id and call are needed; {part} and processing may follow")
    how = {name: given[name] for name in (part, "processing") if name in given}
    with company.lock:
        trade = company.pay(str(given["app_id"]), str(given["person"]), given["call"], **how)
    shown = ("out_trade_no", "state", "transaction_id", "status", "trade_no", "out_order_no", "order_id")
    return {name: trade[name] for name in shown if name in trade}


def _act_in_douyin(company: DouyinPay, path: str, given: dict[str, Any]) -> dict[str, Any]:
    """What a buyer does in Douyin, without the mini-program."""
    fen = given.get("fen", 0)
    if not {"order_no"} <= set(given) <= {"order_no", "fen"} or given["order_no"] not in company.orders:
        raise WrongCallError("order_no of a known order is needed; fen may follow")
    if type(fen) is not int:
        raise WrongCallError("fen is an integer")
    with company.lock:
        if path == "/asked-refunds":
            return {"refund_id": company.ask_refund(given["order_no"], fen)["refund_id"]}
        company.end_by_buyer(given["order_no"])
    return given


def _end_refunds(company: WechatPay | AlipayPay | DouyinPay, given: dict[str, Any]) -> dict[str, Any]:
    ends = ("SUCCESS", "CLOSED", "ABNORMAL") if isinstance(company, WechatPay) else ENDS
    if isinstance(company, DouyinPay):
        ends = DOUYIN_ENDS
    if set(given) != {"end"} or given["end"] not in ends:
        raise WrongCallError(f"end is one of {', '.join(ends)}")
    company.refund_end = given["end"]
    return given


def _refunds(company: WechatPay | AlipayPay | DouyinPay, asked: Asked) -> dict[str, Any]:
    """What merchant and buyer see of an order's refunds on the platform's own pages."""
    known = company.orders if isinstance(company, DouyinPay) else company.trades
    given = pairs(asked.query) or {}
    if set(given) != {"order_no"} or given["order_no"] not in known:
        raise WrongCallError("?order_no= of a known order is needed")
    with company.lock:
        refunds = [
            {"refund_no": each["number"], "fen": each["fen"], "status": each["status"]}
            for each in known[given["order_no"]]["refunds"].values()
        ]
    return {"order_no": given["order_no"], "refunds": refunds}


def _codes(platform: LoginPlatform, asked: Asked) -> dict[str, str]:
    given = pairs(asked.query) or {}
    if not given.get("person") or set(given) - {"person", "app_id", "phone"}:
        raise WrongCallError("?person=NAME is needed; app_id and phone may follow")
    app_id = given.get("app_id") or next(iter(platform.apps))
    found = {"platform": platform.name, "app_id": app_id, "login_code": platform.login_code(app_id, given["person"])}
    if given.get("phone"):
        found["phone_code"] = platform.phone_proof(app_id, given["person"], given["phone"])
    return found


def _modes(platform: Platform, asked: Asked) -> dict[str, Any]:
    given = json_object(asked) or {}
    modes = given.get("modes")
    if set(given) != {"modes"} or not isinstance(modes, list) or not all(isinstance(mode, str) for mode in modes):
        raise WrongCallError('{"modes": ["busy", ...]} is needed')
    platform.fail_next(modes)
    return {"modes": modes}


def _refused(status: int, message: str) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "application/json"}, json.dumps({"message": message}).encode())
