"""Alipay on this machine: the gateway's `alipay.system.oauth.token`, and the telephone numbers of `my.getPhoneNumber`.

The gateway decodes what it gets by the charset in the URL, whatever the body says, and takes GBK without one; then it
checks the app's signature. It signs the exact bytes that it answers. Own modes: `forged` (signed by a stranger),
`unsigned`, `other_call` (the answer to another method), `call_limited` (40005), `user_id` (an app of the old kind:
`user_id` and no `open_id`), `both_names`.
"""

import base64
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from infra.local.platforms import keys
from infra.local.platforms.people import Apps, Asked, LoginPlatform, WrongCallError, pairs
from infra.local.server import HttpAnswer

BEIJING = timezone(timedelta(hours=8))
TOKEN_METHOD = "alipay.system.oauth.token"  # noqa: S105 - a name
_COMMON = {"app_id", "method", "charset", "sign_type", "timestamp", "version", "sign"}
_OPTIONAL = {"format", "biz_content"}
_OWN = {TOKEN_METHOD: {"grant_type", "code"}}
_TOLERANCE = timedelta(minutes=10)


class _RefusedError(Exception):
    def __init__(self, code: str, sub_code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.sub_code = sub_code


class Alipay(LoginPlatform):
    """An app has `app_public_key`, `alipay_private_key`, `aes_key` (接口内容加密) and `developer`; the other halves of
    the keys are the app's own and Alipay's published one."""

    name = "alipay"
    modes_known = ("forged", "unsigned", "other_call", "call_limited", "user_id", "both_names")

    def __init__(self, apps: Apps, now: Callable[[], datetime]) -> None:
        super().__init__(apps, now)
        self._stranger = ""

    def respond(self, asked: Asked, mode: str) -> HttpAnswer:
        if (asked.method, asked.path) != ("POST", "/gateway.do"):
            return HttpAnswer(404, {"content-type": "text/html"}, b"<html>404</html>")
        given: dict[str, str] = {}
        try:
            given = self._read(asked)
            self._check(given)
            self.calls.append(given["method"].rpartition(".")[2])
            if mode == "busy":
                raise _RefusedError("20000", "isp.unknow-error", "Service Currently Unavailable")
            if mode == "call_limited":
                raise _RefusedError("40005", "isv.app-call-limited", "Call Limited")
            node, said = "alipay_system_oauth_token_response", self._token(given, mode)
        except _RefusedError as error:
            said = {"code": error.code, "msg": str(error), "sub_code": error.sub_code, "sub_msg": str(error)}
            node = "error_response"
        return self._said(node, said, given.get("app_id", ""), mode)

    def openid(self, app_id: str, person: str) -> str:
        return "0" + super().openid(app_id, person)[1:27]

    def user_id(self, person: str) -> str:
        """The older name, the same for every app: sixteen digits."""
        return "2088" + str(int.from_bytes(super().openid("", person).encode(), "big"))[:12]

    def phone_proof(self, app_id: str, person: str, phone: str) -> str:  # noqa: ARG002 - it does not say whose it is
        if app_id not in self.apps:
            raise WrongCallError(f"no such app; there are {', '.join(self.apps)}")
        if app_id in self.without_phone:
            refused = {
                "code": "40003", "msg": "Insufficient Conditions", "subCode": "isv.invalid-auth-relations",
                "subMsg": "无效的授权关系",
            }  # fmt: skip
            return json.dumps({"response": refused}, ensure_ascii=False)
        app = self.apps[app_id]
        plain = json.dumps({"code": "10000", "msg": "Success", "mobile": phone}).encode()
        encrypted = keys.encrypt_aes(app["aes_key"], plain)
        # What is signed is the text as it stands in JSON, with its quotes.
        signature = keys.sign(app["alipay_private_key"], f'"{encrypted}"'.encode())
        return json.dumps({"response": encrypted, "sign": signature, "sign_type": "RSA2", "encrypt_type": "AES"})

    def _read(self, asked: Asked) -> dict[str, str]:
        query = pairs(asked.query) or {}
        kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            body = asked.body.decode("ascii")
            form = pairs(body, query.get("charset", "gbk")) if kind == "application/x-www-form-urlencoded" else None
        except (UnicodeDecodeError, LookupError):
            form = None
        if form is None or set(query) - {"charset"}:
            raise _RefusedError("40002", "isv.invalid-parameter", "Invalid Arguments")
        return form

    def _check(self, given: dict[str, str]) -> None:
        missing = next((name for name in sorted(_COMMON) if not given.get(name)), None)
        if missing is not None:
            names = {"sign": "signature", "app_id": "app-id", "sign_type": "signature-type"}
            raise _RefusedError("40001", f"isv.missing-{names.get(missing, missing)}", "Missing Required Arguments")
        if given["method"] not in _OWN:
            raise _RefusedError("40002", "isv.invalid-method", "Invalid Arguments")
        if given["app_id"] not in self.apps:
            raise _RefusedError("40002", "isv.invalid-app-id", "Invalid Arguments")
        if (given["sign_type"], given["version"], given.get("format", "JSON")) != ("RSA2", "1.0", "JSON"):
            raise _RefusedError("40002", "isv.invalid-signature-type", "Invalid Arguments")
        if set(given) - _COMMON - _OPTIONAL - _OWN[given["method"]]:
            raise _RefusedError("40002", "isv.invalid-parameter", "Invalid Arguments")
        message = "&".join(f"{name}={given[name]}" for name in sorted(given) if name != "sign" and given[name])
        try:
            raw = message.encode(given["charset"], "replace")
        except LookupError:
            raise _RefusedError("40002", "isv.invalid-charset", "Invalid Arguments") from None
        if not keys.signed(self.apps[given["app_id"]]["app_public_key"], raw, given["sign"]):
            raise _RefusedError("40002", "isv.invalid-signature", "Invalid Arguments")
        try:
            at = datetime.strptime(given["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
        except ValueError:
            raise _RefusedError("40002", "isv.invalid-timestamp", "Invalid Arguments") from None
        if abs(at - self.now()) > _TOLERANCE:
            raise _RefusedError("40002", "isv.invalid-timestamp", "Invalid Arguments")

    def _token(self, given: dict[str, str], mode: str) -> dict[str, Any]:
        if given.get("biz_content"):  # grant_type and code stand outside of it
            raise _RefusedError("40002", "isv.invalid-parameter", "Invalid Arguments")
        if not given.get("grant_type"):
            raise _RefusedError("40001", "isv.missing-grant-type", "Missing Required Arguments")
        if given["grant_type"] != "authorization_code":
            raise _RefusedError("40002", "isv.grant-type-invalid", "Invalid Arguments")
        if not given.get("code"):
            raise _RefusedError("40001", "isv.missing-code", "Missing Required Arguments")
        issued = self.look_at("login", given["app_id"], given["code"])
        if issued is None:
            raise _RefusedError("40002", "isv.code-invalid", "Invalid Arguments")
        self.use_up(given["code"])
        said: dict[str, Any] = {
            "access_token": f"authbseB{secrets.token_hex(16)}", "auth_start": f"{self.now():%Y-%m-%d %H:%M:%S}",
            "expires_in": 1_296_000, "re_expires_in": 2_592_000, "refresh_token": f"authbseB{secrets.token_hex(16)}",
        }  # fmt: skip
        old = mode == "user_id" or self.apps[issued.app_id].get("names") == "user_id"
        if old or mode == "both_names":
            said["user_id"] = self.user_id(issued.person)
        if not old or mode == "both_names":
            said["open_id"] = self.openid(issued.app_id, issued.person)
        union_id = self.union_id(issued.app_id, issued.person)
        return said | ({"union_id": union_id} if union_id else {})

    def _said(self, node: str, said: dict[str, Any], app_id: str, mode: str) -> HttpAnswer:
        # As it comes: escaped slashes and spaces are part of what is signed.
        raw = json.dumps(said, ensure_ascii=False, separators=(",", ": ")).replace("/", "\\/").encode()
        if mode == "other_call":
            node = "alipay_user_info_share_response"
        key = str(self.apps.get(app_id, {}).get("alipay_private_key", ""))
        if mode == "forged":
            self._stranger = self._stranger or keys.new_pair()["private_key"]
            key = self._stranger
        signature = b"" if mode == "unsigned" or not key else b',"sign":' + json.dumps(keys.sign(key, raw)).encode()
        content = b'{"' + node.encode() + b'":' + raw + signature + b"}"
        return HttpAnswer(200, {"content-type": "text/html;charset=utf-8"}, content)


def new_app(developer: str, **more: str) -> dict[str, str]:
    """An app with fresh keys: Alipay's halves, and under `own_` those that are the app's."""
    app, alipay = keys.new_pair(), keys.new_pair()
    return {
        "developer": developer,
        "app_public_key": app["public_key"],
        "alipay_private_key": alipay["private_key"],
        "aes_key": base64.b64encode(secrets.token_bytes(16)).decode(),
        "own_private_key": app["private_key"],
        "own_alipay_public_key": alipay["public_key"],
        **more,
    }
