"""Baidu on this machine: the token, `getsessionkey` and `getunionid`, and what its telephone button gives.

Errors of the gateway come with status 200 and `error_code`, those of a call with `errno`; a refused secret with status
401 and `error`. Own modes: `token_refused` (110 once), `token_expired` (111 once), `error_as_200` (a refused secret
with status 200), `key_renewed` (the log-in renews the session key: numbers from before cannot be read), `no_union`
(`errno` 1 of `getunionid`), `short_key` (a session key that is none). `padding` is the block that the button's data is
filled to. A reading, not confirmed: `errno` of `getsessionkey` (10010100 for the shape, 10010101 for the code).
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from infra.local.platforms import keys
from infra.local.platforms.people import Apps, Asked, LoginPlatform, WrongCallError, json_answer, pairs
from infra.local.server import HttpAnswer

TOKEN_SECONDS = 2_592_000
PADDING = 32


class _RefusedError(Exception):
    """An answer instead of what was asked for."""

    def __init__(self, body: dict[str, Any], status: int = 200) -> None:
        super().__init__(str(body))
        self.body = body
        self.status = status


def _gateway(code: int, message: str) -> _RefusedError:
    return _RefusedError({"error_code": code, "error_msg": message})


def _own(number: int, message: str) -> _RefusedError:
    return _RefusedError({"errno": number, "errmsg": message, "data": None, "request_id": "1", "timestamp": 0})


class Baidu(LoginPlatform):
    """An app has `secret` and `developer`; its id is its AppKey."""

    name = "baidu"
    code_lifetime = timedelta(minutes=10)
    modes_known = ("token_refused", "token_expired", "error_as_200", "key_renewed", "no_union", "short_key")

    def __init__(self, apps: Apps, now: Callable[[], datetime]) -> None:
        super().__init__(apps, now)
        self.padding = PADDING
        self._tokens: dict[str, tuple[str, datetime]] = {}
        """Token -> its app and end: an older one stays good."""
        self._renewed: dict[tuple[str, str], int] = {}
        self._people: dict[tuple[str, str], str] = {}
        """App and open id -> the person, of those who have logged in."""

    def respond(self, asked: Asked, mode: str) -> HttpAnswer:
        calls: dict[str, Callable[[Asked, str], dict[str, Any]]] = {
            "/oauth/2.0/token": self._token,
            "/rest/2.0/smartapp/getsessionkey": self._session,
            "/rest/2.0/smartapp/getunionid": self._union,
        }
        call = calls.get(asked.path) if asked.method == "POST" else None
        if call is None:
            return HttpAnswer(404, {"content-type": "text/html"}, b"<html>404</html>")
        self.calls.append(asked.path.rpartition("/")[2])
        try:
            if mode == "busy":
                raise _gateway(2, "Service temporarily unavailable")
            return json_answer(call(asked, mode))
        except _RefusedError as error:
            return json_answer(error.body, status=200 if mode == "error_as_200" else error.status)

    def phone_proof(self, app_id: str, person: str, phone: str) -> str:
        if app_id not in self.apps:
            raise WrongCallError(f"no such app; there are {', '.join(self.apps)}")
        if app_id in self.without_phone:
            return json.dumps({"errMsg": "getPhoneNumber:fail auth deny"})
        return self.sealed(app_id, person, json.dumps({"mobile": phone}))

    def sealed(self, app_id: str, person: str, text: str, *, receiver: str | None = None) -> str:
        """What the person's phone gives the mini-program of a text that only the app's server may read."""
        iv = secrets.token_bytes(16)
        name = app_id if receiver is None else receiver
        encrypted = keys.envelope(self._key(app_id, person), iv, text.encode(), name, self.padding)
        detail = {"errMsg": "getPhoneNumber:ok", "encryptedData": encrypted, "iv": base64.b64encode(iv).decode()}
        return json.dumps(detail)

    def refuse_tokens(self) -> None:
        """Every token ends now."""
        self._tokens.clear()

    def _key(self, app_id: str, person: str) -> bytes:
        whole = f"{self.apps[app_id]['secret']}\0{person}\0{self._renewed.get((app_id, person), 0)}"
        return hashlib.sha256(whole.encode()).digest()[:24]

    def _token(self, asked: Asked, _mode: str) -> dict[str, Any]:
        given = pairs(asked.query) or {}
        if set(given) != {"grant_type", "client_id", "client_secret", "scope"} or asked.body:
            raise _RefusedError({"error": "invalid_request", "error_description": "parameters"}, 400)
        if given["grant_type"] != "client_credentials":
            raise _RefusedError({"error": "unsupported_grant_type", "error_description": "grant_type"}, 400)
        if given["scope"] != "smartapp_snsapi_base":
            raise _RefusedError({"error": "invalid_scope", "error_description": "scope"}, 400)
        app = self.apps.get(given["client_id"])
        if app is None or app["secret"] != given["client_secret"]:
            wrong = "unknown client id" if app is None else "Client authentication failed"
            raise _RefusedError({"error": "invalid_client", "error_description": wrong}, 401)
        token = f"24.{secrets.token_hex(16)}.{TOKEN_SECONDS}"
        self._tokens[token] = (given["client_id"], self.now() + timedelta(seconds=TOKEN_SECONDS))
        return {"access_token": token, "expires_in": TOKEN_SECONDS, "scope": "smartapp_snsapi_base"}

    def _session(self, asked: Asked, mode: str) -> dict[str, Any]:
        given = pairs(asked.query) or {}
        app_id = self._app_of(given.get("access_token", ""), mode)
        if set(given) != {"access_token", "code"} or asked.body or not given["code"]:
            raise _own(10010100, "parameter is invalid")
        issued = self.look_at("login", app_id, given["code"])
        if issued is None:
            raise _own(10010101, "code is invalid")
        self.use_up(given["code"])
        if mode == "key_renewed":
            whose = app_id, issued.person
            self._renewed[whose] = self._renewed.get(whose, 0) + 1
        key, openid = self._key(app_id, issued.person), self.openid(app_id, issued.person)
        self._people[app_id, openid] = issued.person
        data = {
            "open_id": openid,
            "session_key": base64.b64encode(key[:16] if mode == "short_key" else key).decode(),
        }
        return {"errno": 0, "errmsg": "succ", "data": data, "request_id": "1", "timestamp": int(self.now().timestamp())}

    def _union(self, asked: Asked, mode: str) -> dict[str, Any]:
        query, given = pairs(asked.query) or {}, pairs(asked.body.decode("utf-8", "replace")) or {}
        app_id = self._app_of(query.get("access_token", ""), mode)
        kind = asked.headers.get("content-type", "")
        if set(query) != {"access_token"} or set(given) != {"openid"} or kind != "application/x-www-form-urlencoded":
            raise _own(1, "parameter is invalid")
        person = self._people.get((app_id, given["openid"]))
        if person is None or mode == "no_union":
            raise _own(1, "openid is invalid")
        return {"errno": 0, "errmsg": "succ", "data": {"unionid": self.union_id(app_id, person)}, "request_id": "1"}

    def _app_of(self, token: str, mode: str) -> str:
        if mode == "token_expired":
            raise _gateway(111, "Access token expired")
        app_id, end = self._tokens.get(token, ("", self.now()))
        if mode == "token_refused" or self.now() >= end:
            raise _gateway(110, "Access token invalid or no longer valid")
        return app_id
