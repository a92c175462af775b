"""Douyin's general trade (通用交易系统, `trade_basic`): signed orders, calls with the app's token, signed callbacks.

An order is made by the mini-program: `tt.requestOrder` takes a JSON text and its signature, and the server makes no
call. Calls of the server are not signed, and neither are their answers: the app's token and TLS stand for both sides.
Callbacks are signed with the platform's key over their raw bytes.

| Answer (`err_no`, with status 200) | Meaning |
|---|---|
| 0, or none | done |
| 28001003, 28001008 | the token does not hold: another one is asked for, once |
| any other | refused; what it means is for the caller to say |

Source: developer.open-douyin.com, 支付 · 交易系统 · 通用交易系统: request-order-data-sign, common-param; client_token.
Not confirmed: that the values in `byteAuthorization` stand without quotes.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import httpx
import msgspec

from cardstock import clock
from cardstock.clock import from_epoch_ms, rfc3339
from cardstock.errors import SIGNATURE_INVALID, SIGNATURE_MISSING, SIGNATURE_STALE
from cardstock.platforms.calls import AppTokens, Calls, PlatformError, deadline, decode, encode
from cardstock.platforms.douyin import JSON, read_token
from cardstock.platforms.keys import PrivateKey, PublicKey

T = TypeVar("T")

CALLBACK_SKEW: Final = timedelta(minutes=5)
SIGNED_FOR: Final = timedelta(hours=1)
"""How long `tt.requestOrder` takes a signed order."""
QUIET: Final = timedelta(minutes=1)
"""How long no other token is asked for after a fresh one was refused: 500 in five minutes are allowed."""
_PATH: Final = "/api/trade_basic/v1/developer"
_TOKEN_REFUSED: Final = frozenset({28001003, 28001008})
_SIGNED_HEADERS: Final = ("byte-timestamp", "byte-nonce-str", "byte-signature")


class AppKeys(msgspec.Struct, frozen=True):
    """An app with its secret, its own key, and the platform's public key for it."""

    app_id: str
    secret: str
    private: PrivateKey
    public: PublicKey
    key_version: str


class Answer(msgspec.Struct, frozen=True):
    """What Douyin answered: `err_no` 0 is a success, and `data` is its content."""

    err_no: int = 0
    err_msg: str = ""
    err_tips: str = ""
    data: msgspec.Raw = msgspec.Raw()

    @property
    def cause(self) -> str:
        """The code and Douyin's words, at most 128 characters."""
        return f"{self.err_no} {self.err_msg or self.err_tips}".strip()[:128]

    def decoded(self, kind: type[T]) -> T | None:
        """The content of a success; None for any other answer, and for what is not of this kind."""
        if self.err_no:
            return None
        try:
            return msgspec.json.decode(self.data, type=kind, strict=True)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None


class Callback(msgspec.Struct, frozen=True):
    """A verified callback of one app: its `type`, and `msg` as the text that came."""

    app_id: str
    type: str
    msg: str


class _Body(msgspec.Struct, frozen=True):
    type: str
    msg: str


class _Named(msgspec.Struct, frozen=True):
    app_id: str


class Trade:
    """Calls for the apps of one merchant. An app's token is kept in this process until five minutes before it ends."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._calls = Calls(url, transport=transport)
        self._tokens = AppTokens()
        self._quiet_until: dict[str, datetime] = {}

    def call(self, app: AppKeys, name: str, content: Mapping[str, Any]) -> Answer:
        """The answer to a call. Raises `PlatformError` without one: Douyin may have acted."""
        late = deadline()
        answer = self._call(app, name, content, late)
        if answer.err_no in _TOKEN_REFUSED and clock.now() >= self._quiet_until.get(app.app_id, clock.now()):
            self._tokens.forget(app.app_id)
            answer = self._call(app, name, content, late)
            if answer.err_no in _TOKEN_REFUSED:
                self._quiet_until[app.app_id] = clock.now() + QUIET
        if answer.err_no in _TOKEN_REFUSED:
            raise PlatformError(answer.cause)
        return answer

    def _call(self, app: AppKeys, name: str, content: Mapping[str, Any], late: float) -> Answer:
        token = self._tokens.token(app.app_id, lambda: self._new_token(app, late))
        return self._calls.ask(
            "POST", f"{_PATH}/{name}/", _read, late=late,
            headers={**JSON, "access-token": token}, content=encode(content),
        )  # fmt: skip

    def _new_token(self, app: AppKeys, late: float) -> tuple[str, int]:
        wanted = {"client_key": app.app_id, "client_secret": app.secret, "grant_type": "client_credential"}
        return self._calls.ask(
            "POST", "/oauth/client_token/", read_token, late=late, headers=JSON, content=encode(wanted)
        )


def authorise(app: AppKeys, data: str) -> str:
    """`byteAuthorization` of `tt.requestOrder` for the JSON text `data`, which must be passed on unchanged."""
    timestamp, nonce = int(clock.now().timestamp()), secrets.token_hex(16)
    signature = app.private.sign(f"POST\n/requestOrder\n{timestamp}\n{nonce}\n{data}\n".encode())
    return (
        f"SHA256-RSA2048 appid={app.app_id},nonce_str={nonce},timestamp={timestamp},"
        f"key_version={app.key_version},signature={signature}"
    )


def open_callback(headers: Mapping[str, str], raw: bytes, apps: Mapping[str, AppKeys]) -> Callback:
    """The callback that Douyin signed for one of `apps`, at most five minutes ago.

    Raises `UnauthorizedError` SIGNATURE_MISSING, SIGNATURE_INVALID or SIGNATURE_STALE, and ValueError for what is
    signed and cannot be read. Which app it is for says the key: the name in `msg` must be the same, or it is unread.
    """
    missing = next((name for name in _SIGNED_HEADERS if not headers.get(name)), None)
    if missing is not None:
        raise SIGNATURE_MISSING(header=missing)
    timestamp, nonce, signature = (headers[name] for name in _SIGNED_HEADERS)
    try:
        message = f"{timestamp}\n{nonce}\n".encode() + raw + b"\n"
    except UnicodeError:
        raise SIGNATURE_INVALID() from None
    signers = [app_id for app_id, app in apps.items() if app.public.signed(message, signature)]
    if not signers or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise SIGNATURE_INVALID()
    at = from_epoch_ms(int(timestamp) * 1000)
    if abs(clock.now() - at) > CALLBACK_SKEW:
        raise SIGNATURE_STALE(sent_at=rfc3339(at), shop_time=rfc3339(clock.now()))
    body = msgspec.json.decode(raw, type=_Body)
    named = msgspec.json.decode(body.msg, type=_Named).app_id
    if named not in signers:
        raise ValueError("of another app")
    return Callback(named, body.type, body.msg)


def _read(raw: bytes) -> Answer:
    return decode(raw, Answer)
