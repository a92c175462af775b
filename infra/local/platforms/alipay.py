"""Alipay on this machine: the gateway's `alipay.system.oauth.token`, and the telephone numbers of `my.getPhoneNumber`.

Own modes, beside those of the gateway (`alipay_gateway`): `user_id` (an app of the old kind: `user_id` and no
`open_id`), `both_names`.
"""

import base64
import json
import secrets
from typing import Any

from infra.local.platforms import keys
from infra.local.platforms.alipay_gateway import MODES, RefusedError, answered, check, fail, read
from infra.local.platforms.people import Asked, LoginPlatform, WrongCallError
from infra.local.server import HttpAnswer

TOKEN_METHOD = "alipay.system.oauth.token"  # noqa: S105 - a name
_OWN = {TOKEN_METHOD: {"grant_type", "code"}}


class Alipay(LoginPlatform):
    """An app has `app_public_key`, `alipay_private_key`, `aes_key` (接口内容加密) and `developer`; the other halves of
    the keys are the app's own and Alipay's published one."""

    name = "alipay"
    modes_known = (*MODES, "user_id", "both_names")

    def respond(self, asked: Asked, mode: str) -> HttpAnswer:
        if (asked.method, asked.path) != ("POST", "/gateway.do"):
            return HttpAnswer(404, {"content-type": "text/html"}, b"<html>404</html>")
        given: dict[str, str] = {}
        try:
            given = read(asked)
            check(given, self.apps, _OWN, self.now())
            self.calls.append(given["method"].rpartition(".")[2])
            fail(mode)
            node, said = "alipay_system_oauth_token_response", self._token(given, mode)
        except RefusedError as error:
            node, said = "error_response", error.body
        app = self.apps.get(given.get("app_id", ""), {})
        return answered(node, said, str(app.get("alipay_private_key", "")), mode)

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

    def _token(self, given: dict[str, str], mode: str) -> dict[str, Any]:
        if given.get("biz_content"):  # grant_type and code stand outside of it
            raise RefusedError("40002", "isv.invalid-parameter")
        if not given.get("grant_type"):
            raise RefusedError("40001", "isv.missing-grant-type", "Missing Required Arguments")
        if given["grant_type"] != "authorization_code":
            raise RefusedError("40002", "isv.grant-type-invalid")
        if not given.get("code"):
            raise RefusedError("40001", "isv.missing-code", "Missing Required Arguments")
        issued = self.look_at("login", given["app_id"], given["code"])
        if issued is None:
            raise RefusedError("40002", "isv.code-invalid")
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
