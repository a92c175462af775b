"""Douyin on this machine: `jscode2session` v2, `client_token` and `get_phonenumber_info`, as they are documented.

Errors come with status 200 and `err_no`; paths of the open platform end in a slash. Own modes: `token_refused`
(28001008 once), `other_mini_program` (a watermark of another app), `number_country` (`countryCode` as a number),
`other_key` (a number encrypted for another key). A reading, not confirmed: the codes 28001xxx and 10003, 10013 of the
open platform, and that the number is padded by PKCS #1 v1.5.
"""

import base64
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from infra.local.platforms import keys
from infra.local.platforms.people import Apps, Asked, LoginPlatform, json_answer, json_object
from infra.local.server import HttpAnswer

TOKEN_SECONDS = 7200


class _RefusedError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Douyin(LoginPlatform):
    """An app has `secret`, `app_public_key` and `developer`; the other half of the key is the app's own."""

    name = "douyin"
    modes_known = ("token_refused", "other_mini_program", "number_country", "other_key")

    def __init__(self, apps: Apps, now: Callable[[], datetime]) -> None:
        super().__init__(apps, now)
        self._tokens: dict[str, tuple[str, datetime]] = {}

    def respond(self, asked: Asked, mode: str) -> HttpAnswer:
        calls: dict[str, Callable[[Asked, str], dict[str, Any]]] = {
            "/api/apps/v2/jscode2session": self._session,
            "/oauth/client_token/": self._client_token,
            "/api/apps/v1/get_phonenumber_info/": self._phone,
        }
        call = calls.get(asked.path) if asked.method == "POST" else None
        if call is None:
            return HttpAnswer(404, {"content-type": "text/html"}, b"<html>404</html>")
        self.calls.append(asked.path.strip("/").rpartition("/")[2])
        try:
            if mode == "busy":
                raise _RefusedError(-1, "system error")
            return json_answer(call(asked, mode))
        except _RefusedError as error:
            if call == self._client_token:
                return json_answer({"data": {"error_code": error.code, "description": str(error)}, "message": "error"})
            return json_answer({"err_no": error.code, "err_tips": str(error), "err_msg": str(error), "data": None})

    def refuse_tokens(self) -> None:
        """Every token ends now."""
        self._tokens.clear()

    def _session(self, asked: Asked, _mode: str) -> dict[str, Any]:
        given = _fields(asked, {"appid", "secret", "code"}, {"anonymous_code"})
        if given["appid"] not in self.apps:
            raise _RefusedError(40015, "bad appid")
        if given["secret"] != self.apps[given["appid"]]["secret"]:
            raise _RefusedError(40017, "bad secret")
        issued = self.look_at("login", given["appid"], given["code"])
        if issued is None:
            raise _RefusedError(40018, "bad code")
        self.use_up(given["code"])
        data = {
            "session_key": base64.b64encode(secrets.token_bytes(16)).decode(), "anonymous_openid": "",
            "openid": self.openid(issued.app_id, issued.person), "unionid": self.union_id(issued.app_id, issued.person),
        }  # fmt: skip
        return {"err_no": 0, "err_tips": "success", "data": data}

    def _client_token(self, asked: Asked, _mode: str) -> dict[str, Any]:
        given = _fields(asked, {"client_key", "client_secret", "grant_type"})
        if given["client_key"] not in self.apps or given["grant_type"] != "client_credential":
            raise _RefusedError(10003, "client_key error")
        if given["client_secret"] != self.apps[given["client_key"]]["secret"]:
            raise _RefusedError(10013, "client_key or client_secret error")
        token = f"clt.{secrets.token_urlsafe(48)}"
        self._tokens[given["client_key"]] = (token, self.now() + timedelta(seconds=TOKEN_SECONDS))
        data = {"access_token": token, "expires_in": TOKEN_SECONDS, "error_code": 0, "description": "", "captcha": ""}
        return {"data": data, "message": "success"}

    def _phone(self, asked: Asked, mode: str) -> dict[str, Any]:
        given = _fields(asked, {"code"})
        token = asked.headers.get("access-token", "")
        app_id = next((known for known, (each, end) in self._tokens.items() if each == token and self.now() < end), "")
        if mode == "token_refused" or not app_id:
            raise _RefusedError(28001008 if token else 28001003, "access_token invalid")
        if app_id in self.without_phone:
            raise _RefusedError(28001018, "no permission")
        issued = self.look_at("phone", app_id, given["code"])
        if issued is None:
            raise _RefusedError(28001007, "bad code")
        self.use_up(given["code"])
        plain = {
            "phoneNumber": issued.phone, "purePhoneNumber": issued.phone,
            "countryCode": 86 if mode == "number_country" else "86",
            "watermark": {"appid": "ttother" if mode == "other_mini_program" else app_id,
                          "timestamp": int(self.now().timestamp())},
        }  # fmt: skip
        key = keys.new_pair()["public_key"] if mode == "other_key" else self.apps[app_id]["app_public_key"]
        return {"err_no": 0, "err_msg": "", "log_id": "1", "data": keys.encrypt_rsa(key, json.dumps(plain).encode())}


def _fields(asked: Asked, needed: set[str], optional: frozenset[str] | set[str] = frozenset()) -> dict[str, str]:
    given = json_object(asked)
    if given is None or not needed <= set(given) <= needed | optional or asked.query:
        raise _RefusedError(10002, "parameter error")
    if not all(isinstance(value, str) for value in given.values()):
        raise _RefusedError(10002, "parameter error")
    return given


def new_app(developer: str) -> dict[str, str]:
    """An app with fresh keys, and the platform's own for it; under `own_` what the app has of them."""
    pair, platform = keys.new_pair(), keys.new_pair()
    return {
        "secret": secrets.token_hex(20),
        "developer": developer,
        "app_public_key": pair["public_key"],
        "own_private_key": pair["private_key"],
        "platform_private_key": platform["private_key"],
        "own_platform_public_key": platform["public_key"],
    }
