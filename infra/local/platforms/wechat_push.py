"""WeChat's message push on this machine: checks of an address, and events of the trade that it manages.

`send` has an event delivered: signed with the app's token, in safe mode encrypted with its EncodingAESKey, and repeated
three times, five seconds apart, until the answer is `success`. `format` of the app is `json` or `xml`. Ways in which a
push can be wrong: `forged` (a signature of another token), `forged_message` (`msg_signature` of another token), `plain`
(not encrypted), `other_app` (encrypted for another app), `other_key`, `altered` (another event under the signature of
this one), `old`, `future` (signed eleven minutes away), `unsigned`, `broken` (no JSON or XML inside), `truncated`.
`duplicate` sends it twice, `mixed` with its plain text beside it, which says something else.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from infra.local.platforms import keys
from infra.local.platforms.notices import Notices, Teller
from infra.local.platforms.people import WrongCallError
from infra.local.server import HttpAnswer

REPEATS = [5, 5, 5]
TOLERANCE = timedelta(minutes=5)
EVENTS = ("trade_manage_order_settlement", "trade_manage_remind_shipping", "trade_manage_remind_access_api")
WAYS = (
    "fine", "forged", "forged_message", "plain", "other_app", "other_key", "altered", "old", "future", "unsigned",
    "broken", "truncated", "duplicate", "mixed",
)  # fmt: skip
Fetcher = Callable[[str], HttpAnswer | None]


def new_push() -> dict[str, str]:
    """A token and an EncodingAESKey: 43 letters and digits."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    # Four bits of its last letter are not used: only some letters leave none of them set.
    key = "".join(secrets.choice(letters) for _ in range(42)) + secrets.choice("AEIMQUYcgkosw048")
    return {"token": secrets.token_hex(8), "key": key, "format": "json"}


class PushDesk:
    """Pushes of all apps. `apps` has each app's `push`; `urls` the addresses that were saved in the console."""

    def __init__(
        self, apps: Mapping[str, Mapping[str, Any]], *, mch_id: str, now: Callable[[], datetime], tell: Teller
    ) -> None:
        self.apps = apps
        self.mch_id = mch_id
        self.urls: dict[str, str] = {}
        self.now = now
        taken = lambda answer: answer.status == 200 and answer.body == b"success"  # noqa: E731
        self.notices = Notices(tell, now, REPEATS, taken=taken)

    def settle(self) -> None:
        """Send what is due."""
        self.notices.send_due()

    def check(self, app_id: str, url: str, fetch: Fetcher, way: str = "fine") -> bool:
        """Somebody saves the address in the console: whether it is taken."""
        echo = str(secrets.randbelow(10**18))
        query = self._signed(app_id, way) | {"echostr": echo}
        answer = fetch(f"{url}?{urlencode(query)}")
        good = answer is not None and answer.status == 200 and answer.body == echo.encode()
        if good:
            self.urls[app_id] = url
        return good

    def event(self, name: str, trade: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The fields of an event, about a payment of WeChat Pay on this machine."""
        common = {
            "ToUserName": "gh_0123456789ab", "FromUserName": "oSystemAccount00000000000000",
            "CreateTime": int(self.now().timestamp()), "MsgType": "event", "Event": name,
        }  # fmt: skip
        if trade is not None:
            paid = int(datetime.fromisoformat(trade["success_time"]).timestamp())
            common |= {
                "transaction_id": trade["transaction_id"], "merchant_id": self.mch_id, "sub_merchant_id": "",
                "merchant_trade_no": trade["out_trade_no"], "pay_time": paid,
            }  # fmt: skip
        return common | more

    def send(self, app_id: str, fields: Mapping[str, Any], way: str = "fine") -> None:
        """Have an event delivered with the next `settle`. Raises WrongCallError without an address."""
        if app_id not in self.urls:
            raise WrongCallError(f"no address was saved for {app_id}")
        if way not in WAYS:
            raise WrongCallError(f"ways are {', '.join(WAYS)}")
        query, headers, body = self.message(app_id, fields, way)
        for _ in range(2 if way == "duplicate" else 1):
            self.notices.add(f"{self.urls[app_id]}?{urlencode(query)}", lambda: (headers, body))

    def message(
        self, app_id: str, fields: Mapping[str, Any], way: str = "fine"
    ) -> tuple[dict[str, str], dict[str, str], bytes]:
        """A push: parameters, headers and content."""
        push = self.apps[app_id]["push"]
        plain = b"{" if way == "broken" else self._written(push, fields)
        query, headers = self._signed(app_id, way), {"content-type": _TYPES[push["format"]]}
        query["openid"] = fields["FromUserName"]
        if not push["key"] or way == "plain":
            return query, headers, plain
        key = base64.b64decode((new_push()["key"] if way == "other_key" else push["key"]) + "=")
        encrypted = keys.envelope(key, key[:16], plain, "wxother" if way == "other_app" else app_id)
        token = "other" if way == "forged_message" else push["token"]
        query |= {"encrypt_type": "aes", "msg_signature": _sha1(token, query["timestamp"], query["nonce"], encrypted)}
        if way == "altered":
            other = self._written(push, {**fields, "merchant_trade_no": "ord_" + "0" * 26})
            encrypted = keys.envelope(key, key[:16], other, app_id)
        if way == "unsigned":
            del query["msg_signature"]
        beside = {**fields, "merchant_trade_no": "another"} if way == "mixed" else {"ToUserName": fields["ToUserName"]}
        body = self._written(push, {**beside, "Encrypt": encrypted})
        return query, headers, body[: len(body) // 2] if way == "truncated" else body

    def _signed(self, app_id: str, way: str) -> dict[str, str]:
        away = {"old": -11 * 60, "future": 11 * 60}.get(way, 0)
        stamp, nonce = str(int(self.now().timestamp()) + away), str(secrets.randbelow(10**10))
        token = "other" if way == "forged" else self.apps[app_id]["push"]["token"]
        given = {"signature": _sha1(token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
        if way == "unsigned":
            del given["signature"]
        return given

    @staticmethod
    def _written(push: Mapping[str, str], fields: Mapping[str, Any]) -> bytes:
        if push["format"] == "json":
            return json.dumps(fields, ensure_ascii=False).encode()
        shown = (f"<{name}>{_xml(value)}</{name}>" for name, value in fields.items())
        return f"<xml>{''.join(shown)}</xml>".encode()


_TYPES = {"json": "application/json", "xml": "text/xml"}


def _xml(value: object) -> str:
    return str(value) if isinstance(value, int) else f"<![CDATA[{value}]]>"


def _sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - WeChat's choice
