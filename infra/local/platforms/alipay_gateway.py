"""Alipay's gateway on this machine: what the log-in and the payments of Alipay share.

The gateway decodes what it gets by the charset in the URL, whatever the body says, and takes GBK without one; then it
checks the app's signature. It signs the exact bytes that it answers. Modes of both: `forged` (signed by a stranger),
`unsigned`, `other_call` (the answer to another method), `call_limited` (40005).
"""

import json
from collections.abc import Mapping, Set
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

from infra.local.platforms import keys
from infra.local.platforms.people import Apps, Asked, pairs
from infra.local.server import HttpAnswer

BEIJING = timezone(timedelta(hours=8))
MODES = ("forged", "unsigned", "other_call", "call_limited")
_COMMON = {"app_id", "method", "charset", "sign_type", "timestamp", "version", "sign"}
_OPTIONAL = {"format", "biz_content"}
_TOLERANCE = timedelta(minutes=10)
_FORMAT = "%Y-%m-%d %H:%M:%S"


class RefusedError(Exception):
    """What the gateway refuses: `code`, `sub_code` and a text."""

    def __init__(self, code: str, sub_code: str, message: str = "Invalid Arguments") -> None:
        super().__init__(message)
        self.code = code
        self.sub_code = sub_code

    @property
    def body(self) -> dict[str, str]:
        """The node of the answer."""
        return {"code": self.code, "msg": str(self), "sub_code": self.sub_code, "sub_msg": str(self)}


def read(asked: Asked) -> dict[str, str]:
    """The fields of a call, decoded by the charset in the URL."""
    query = pairs(asked.query) or {}
    kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        body = asked.body.decode("ascii")
        form = pairs(body, query.get("charset", "gbk")) if kind == "application/x-www-form-urlencoded" else None
    except (UnicodeDecodeError, LookupError):
        form = None
    if form is None or set(query) - {"charset"}:
        raise RefusedError("40002", "isv.invalid-parameter")
    return form


def check(given: Mapping[str, str], apps: Apps, methods: Mapping[str, Set[str]], now: datetime) -> None:
    """Refuse a call that is not signed by its app, or has other fields than the method (`methods`: its own) takes."""
    missing = next((name for name in sorted(_COMMON) if not given.get(name)), None)
    if missing is not None:
        names = {"sign": "signature", "app_id": "app-id", "sign_type": "signature-type"}
        raise RefusedError("40001", f"isv.missing-{names.get(missing, missing)}", "Missing Required Arguments")
    if given["method"] not in methods:
        raise RefusedError("40002", "isv.invalid-method")
    if given["app_id"] not in apps:
        raise RefusedError("40002", "isv.invalid-app-id")
    if (given["sign_type"], given["version"], given.get("format", "JSON")) != ("RSA2", "1.0", "JSON"):
        raise RefusedError("40002", "isv.invalid-signature-type")
    if set(given) - _COMMON - _OPTIONAL - methods[given["method"]]:
        raise RefusedError("40002", "isv.invalid-parameter")
    try:
        raw = joined(given, without=("sign",)).encode(given["charset"], "replace")
    except LookupError:
        raise RefusedError("40002", "isv.invalid-charset") from None
    if not keys.signed(apps[given["app_id"]]["app_public_key"], raw, given["sign"]):
        raise RefusedError("40002", "isv.invalid-signature")
    at = moment(given["timestamp"])
    if at is None or abs(at - now) > _TOLERANCE:
        raise RefusedError("40002", "isv.invalid-timestamp")


def fail(mode: str) -> None:
    """Refuse a call that arrives when the gateway is busy, or was called too often."""
    if mode == "busy":
        raise RefusedError("20000", "isp.unknow-error", "Service Currently Unavailable")
    if mode == "call_limited":
        raise RefusedError("40005", "isv.app-call-limited", "Call Limited")


def answered(node: str, said: Mapping[str, Any], key: str, mode: str) -> HttpAnswer:
    """An answer, signed with Alipay's `key` for the app; without a key it is not signed."""
    # As it comes: escaped slashes and spaces are part of what is signed.
    raw = json.dumps(said, ensure_ascii=False, separators=(",", ": ")).replace("/", "\\/").encode()
    if mode == "other_call":
        node = "alipay_user_info_share_response"
    if mode == "forged":
        key = stranger()
    signature = b"" if mode == "unsigned" or not key else b',"sign":' + json.dumps(keys.sign(key, raw)).encode()
    content = b'{"' + node.encode() + b'":' + raw + signature + b"}"
    return HttpAnswer(200, {"content-type": "text/html;charset=utf-8"}, content)


def joined(given: Mapping[str, str], *, without: tuple[str, ...], empty: bool = False) -> str:
    """What is signed: the fields sorted by name. `empty`: also those without a value."""
    return "&".join(f"{name}={given[name]}" for name in sorted(given) if name not in without and (given[name] or empty))


def moment(text: str) -> datetime | None:
    """A moment as Alipay writes it; None for anything else."""
    try:
        return datetime.strptime(text, _FORMAT).replace(tzinfo=BEIJING)
    except ValueError:
        return None


def moment_text(at: datetime) -> str:
    """A moment as Alipay writes it."""
    return at.astimezone(BEIJING).strftime(_FORMAT)


@cache
def stranger() -> str:
    """A key that is nobody's."""
    return keys.new_pair()["private_key"]
