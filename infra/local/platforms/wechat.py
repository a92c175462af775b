"""WeChat on this machine: `code2Session`, `stable_token`, `getuserphonenumber` and shipping information, as documented.

Errors come with status 200 and `errcode`, in `text/plain`. Own modes: `blocked` (40226), `too_often` (45011),
`address` (40164: the caller's address is not on the list), `token_refused` (40001 once), `other_app` (a watermark of
another app), `text_country` (`countryCode` as a text; otherwise it is a number).
"""

import base64
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from infra.local.platforms.people import Apps, Asked, LoginPlatform, json_answer, json_object, pairs
from infra.local.platforms.wechat_shipping import ShippingDesk
from infra.local.server import HttpAnswer

TOKEN_SECONDS = 7200
NEW_TOKEN_SECONDS = 300
"""So long before its end a token is replaced; the old one is good for as long."""
MOST_A_MINUTE = 100


class _RefusedError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Wechat(LoginPlatform):
    """An app has `secret`, and `developer` if it is bound to an open-platform account."""

    name = "wechat"
    modes_known = ("blocked", "too_often", "address", "token_refused", "other_app", "text_country")

    def __init__(self, apps: Apps, now: Callable[[], datetime]) -> None:
        super().__init__(apps, now)
        self._tokens: dict[str, list[tuple[str, datetime]]] = {}
        """By app: its tokens with their ends, the newest last."""
        self._logins: dict[str, list[datetime]] = {}
        self.shipping = ShippingDesk(now, _RefusedError)

    def respond(self, asked: Asked, mode: str) -> HttpAnswer:
        calls: dict[tuple[str, str], Callable[[Asked, str], dict[str, Any]]] = {
            ("GET", "/sns/jscode2session"): self._session,
            ("POST", "/cgi-bin/stable_token"): self._stable_token,
            ("POST", "/wxa/business/getuserphonenumber"): self._phone,
            ("POST", "/wxa/sec/order/is_trade_managed"): self._shipping,
            ("POST", "/cgi-bin/express/delivery/open_msg/get_delivery_list"): self._shipping,
            ("POST", "/wxa/sec/order/upload_shipping_info"): self._shipping,
        }
        call = calls.get((asked.method, asked.path))
        if call is None:
            return HttpAnswer(404, {"content-type": "text/html"}, b"<html>404</html>")
        self.calls.append(asked.path.rpartition("/")[2])
        try:
            if mode == "busy":
                raise _RefusedError(-1, "system error")
            if mode == "address":
                raise _RefusedError(40164, "invalid ip 203.0.113.7, not in whitelist")
            said = call(asked, mode)
        except _RefusedError as error:
            said = {"errcode": error.code, "errmsg": f"{error} rid: {secrets.token_hex(4)}"}
        return json_answer(said, content_type="text/plain")

    def refuse_tokens(self, app_id: str) -> None:
        """Every token of the app ends now, as after another system's `force_refresh`."""
        self._tokens.pop(app_id, None)

    def _session(self, asked: Asked, mode: str) -> dict[str, Any]:
        given = pairs(asked.query) or {}
        if set(given) - {"appid", "secret", "js_code", "grant_type"} or asked.body:
            raise _RefusedError(47001, "data format error")
        for name, code in (("appid", 41002), ("secret", 41004), ("js_code", 41008)):
            if not given.get(name):
                raise _RefusedError(code, f"{name} missing")
        if given.get("grant_type") != "authorization_code":
            raise _RefusedError(40002, "invalid grant_type")
        self._check_app(given["appid"], given["secret"])
        issued = self.look_at("login", given["appid"], given["js_code"])
        if issued is None:
            raise _RefusedError(40029, "invalid code")
        now = self.now()
        recent = [at for at in self._logins.get(issued.person, []) if now - at < timedelta(minutes=1)]
        if mode == "too_often" or len(recent) >= MOST_A_MINUTE:
            raise _RefusedError(45011, "api minute-quota reach limit  mustslower  retry next minute")
        if mode == "blocked" or issued.person in self.blocked:
            raise _RefusedError(40226, "code blocked")
        self.use_up(given["js_code"])
        self._logins[issued.person] = [*recent, now]
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        said = {"session_key": key, "openid": self.openid(issued.app_id, issued.person)}
        union_id = self.union_id(issued.app_id, issued.person)
        return said | ({"unionid": union_id} if union_id else {})

    def _stable_token(self, asked: Asked, _mode: str) -> dict[str, Any]:
        given = json_object(asked)
        needed = {"grant_type", "appid", "secret"}
        if given is None or not needed <= set(given) <= needed | {"force_refresh"} or asked.query:
            raise _RefusedError(47001, "data format error")
        if given["grant_type"] != "client_credential":
            raise _RefusedError(40002, "invalid grant_type")
        self._check_app(given["appid"], given["secret"])
        if given.get("force_refresh", False) is not False:
            self.refuse_tokens(given["appid"])
        now = self.now()
        kept = [entry for entry in self._tokens.get(given["appid"], []) if entry[1] > now]
        if not kept or kept[-1][1] - now <= timedelta(seconds=NEW_TOKEN_SECONDS):
            # The documentation asks for room for 512 letters at least.
            kept.append((f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(390)}"[:512],
                         now + timedelta(seconds=TOKEN_SECONDS)))  # fmt: skip
        self._tokens[given["appid"]] = kept
        return {"access_token": kept[-1][0], "expires_in": int((kept[-1][1] - now).total_seconds())}

    def _phone(self, asked: Asked, mode: str) -> dict[str, Any]:
        query, given = pairs(asked.query) or {}, json_object(asked)
        if set(query) != {"access_token"}:
            raise _RefusedError(41001 if "access_token" not in query else 47001, "access_token missing")
        app_id = self._app_of(query["access_token"])
        if mode == "token_refused":
            raise _RefusedError(40001, "invalid credential, access_token is invalid or not latest")
        if given is None or not {"code"} <= set(given) <= {"code", "openid"} or not _are_texts(given):
            raise _RefusedError(47001, "data format error")
        if app_id in self.without_phone:
            raise _RefusedError(48001, "api unauthorized")
        issued = self.look_at("phone", app_id, given["code"])
        if issued is None:
            raise _RefusedError(40029, "invalid code")
        if given.get("openid", "") not in ("", self.openid(app_id, issued.person)):
            raise _RefusedError(40003, "invalid openid")
        self.use_up(given["code"])
        watermark = {
            "timestamp": int(self.now().timestamp()), "appid": "wxother" if mode == "other_app" else app_id,
        }  # fmt: skip
        return {
            "errcode": 0, "errmsg": "ok",
            "phone_info": {
                "phoneNumber": issued.phone, "purePhoneNumber": issued.phone,
                "countryCode": "86" if mode == "text_country" else 86, "watermark": watermark,
            },
        }  # fmt: skip

    def _shipping(self, asked: Asked, mode: str) -> dict[str, Any]:
        query, given = pairs(asked.query) or {}, json_object(asked)
        if set(query) != {"access_token"}:
            raise _RefusedError(41001, "access_token missing")
        app_id = self._app_of(query["access_token"])
        if mode == "token_refused":
            raise _RefusedError(40001, "invalid credential, access_token is invalid or not latest")
        if given is None:
            raise _RefusedError(47001, "data format error")
        if asked.path.endswith("is_trade_managed"):
            return self.shipping.is_managed(app_id, given)
        return self.shipping.deliveries() if asked.path.endswith("list") else self.shipping.upload(app_id, given)

    def _app_of(self, token: str) -> str:
        for app_id, tokens in self._tokens.items():
            for known, end in tokens:
                if known == token:
                    if end <= self.now():
                        raise _RefusedError(42001, "access_token expired")
                    return app_id
        raise _RefusedError(40001, "invalid credential, access_token is invalid or not latest")

    def _check_app(self, app_id: object, secret: object) -> None:
        if app_id not in self.apps:
            raise _RefusedError(40013, "invalid appid")
        if secret != self.apps[str(app_id)]["secret"]:
            raise _RefusedError(40125, "invalid appsecret")


def _are_texts(given: dict[str, Any]) -> bool:
    return all(isinstance(value, str) for value in given.values())
