"""Baidu's API for mini-programs: who has a login code, and the telephone number in what its button gives.

| What | Here |
|---|---|
| `POST /oauth/2.0/token` | the app's token, good for a month |
| `POST /rest/2.0/smartapp/getsessionkey` | the open id and the session key behind a login code |
| `POST /rest/2.0/smartapp/getunionid` | the person's name in all apps of one developer |
| `{encryptedData, iv}` of the button | read with the session key, without a call |

An app is named by its AppKey (`client_id`), not by its App ID. Errors of the second and third call come with status
200: `error_code` is the gateway's, `errno` the call's own; absent is 0. A code is good once, for ten minutes. A log-in
takes two calls, the first of a process three; no code is used up if the token is refused.

The telephone number is under AES-192-CBC with the person's session key, which Baidu may renew at a log-in: what was
encrypted before cannot be read then, and the mini-program asks again. Nothing but the key proves the number, and CBC
lets its holder join parts of other texts under the same key, such as the person's own nickname: a number is taken only
where nothing else stands beside it.

Confirmed, smartprogram.baidu.com: the form of encrypted data (its published example is a test here), `getunionid` and
the token. Confirmed, Baidu's own client (baidu/smartapp-openapi-go of 2023): the shape of `getsessionkey`, which
follows `jscode2sessionkey` of 2020. Not confirmed: each `errno` of `getsessionkey`, so all count as a refused code; the
status of a refused secret, so 400 and 401 are read like 200; that the number's one field is `mobile`.
"""

import base64
import time
from collections.abc import Callable
from typing import Annotated, Final, TypeVar

import httpx
import msgspec
from msgspec import Meta

from cardstock.platforms.calls import (
    Account,
    AppTokens,
    BadCodeError,
    BusyError,
    Calls,
    MisconfiguredError,
    NotGrantedError,
    PlatformError,
    TokenRefusedError,
    UnansweredError,
    deadline,
    decode,
    e164,
    named,
)
from cardstock.platforms.keys import EnvelopeKey

URL: Final = "https://openapi.baidu.com"
CHINA: Final = "86"
_REFUSALS: Final = (200, 400, 401)
"""Statuses of the token's answers."""
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_DENIED: Final = "getPhoneNumber:fail"
_KEY_BYTES: Final = 24
_GATEWAY: Final[dict[int, type[PlatformError]]] = {
    2: BusyError,  # the service is unavailable for a moment
    18: BusyError,  # too many calls of the app in this second
    6: MisconfiguredError,  # the app may not call this
    100: TokenRefusedError,
    110: TokenRefusedError,
    111: TokenRefusedError,
}


class App(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mini-program's AppSecret, from the console."""

    secret: Annotated[str, Meta(min_length=1)]


class BaiduAccount(msgspec.Struct, frozen=True):
    """A person, and the key that reads the person's telephone number: for this log-in, never to be stored or shown."""

    account: Account
    session_key: bytes

    def __repr__(self) -> str:
        return f"BaiduAccount({self.account!r})"


class _Token(msgspec.Struct, frozen=True):
    access_token: str = ""
    expires_in: int = 0
    error: str = ""
    error_code: int = 0


class _Answer(msgspec.Struct, frozen=True):
    error_code: int = 0
    errno: int = 0


class _Session(msgspec.Struct, frozen=True):
    open_id: str
    session_key: str


class _SessionAnswer(msgspec.Struct, frozen=True):
    data: _Session


class _Union(msgspec.Struct, frozen=True):
    unionid: str = ""


class _UnionAnswer(msgspec.Struct, frozen=True):
    data: _Union


class _Proof(msgspec.Struct, frozen=True):
    encryptedData: str = ""
    iv: str = ""
    errMsg: str = ""


class _Phone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mobile: Annotated[str, Meta(pattern=r"^1[0-9]{10}\Z")]


T = TypeVar("T")


class Baidu:
    """Baidu for all mini-programs of the brand. Raises `PlatformError`, and nothing else because of Baidu."""

    def __init__(
        self,
        base_url: str = URL,
        *,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = Calls(base_url, transport=transport, pause=pause)
        self._tokens = AppTokens()

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    def account_of(self, app_id: str, app: App, login_code: str) -> BaiduAccount:
        """Who has the login code."""
        late = deadline()
        session = self._with_token(app_id, app, late, lambda token: self._session(token, login_code, late))
        key = _session_key(session.session_key)
        try:
            union = self._with_token(app_id, app, late, lambda token: self._union(token, session.open_id, late))
        except UnansweredError as error:
            raise UnansweredError(error.cause) from error  # busy or not reached: the code was used before
        return BaiduAccount(named(session.open_id, union.unionid), key)

    def phone_of(self, app_id: str, proof: str, session_key: bytes | None) -> str:
        """The number, E.164, in the JSON text of what the button gave (its `detail`). No call.

        `session_key` is that of the same log-in; without it there is no number.
        """
        try:
            given = msgspec.json.decode(proof, type=_Proof)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise BadCodeError("no_proof") from None
        if given.errMsg.startswith(_DENIED):
            raise NotGrantedError("denied")
        try:
            message, receiver = EnvelopeKey(session_key or b"").open(given.encryptedData, base64.b64decode(given.iv))
            phone = msgspec.json.decode(message, type=_Phone)
        except (ValueError, UnicodeError, RecursionError, msgspec.MsgspecError):
            raise BadCodeError("unreadable") from None
        if receiver != app_id:
            raise BadCodeError("other_app")
        return e164(CHINA, phone.mobile)

    def _with_token(self, app_id: str, app: App, late: float, call: Callable[[str], T]) -> T:
        """`call` with the app's token; once more with another one if Baidu refuses it."""
        for attempt in (1, 2):
            token = self._tokens.token(app_id, lambda: self._new_token(app_id, app, late))
            try:
                return call(token)
            except TokenRefusedError:
                self._tokens.forget(app_id)
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def _new_token(self, app_id: str, app: App, late: float) -> tuple[str, int]:
        wanted = {
            "grant_type": "client_credentials", "client_id": app_id, "client_secret": app.secret,
            "scope": "smartapp_snsapi_base",
        }  # fmt: skip
        return self._calls.ask("POST", "/oauth/2.0/token", _token, late=late, query=wanted, statuses=_REFUSALS)

    def _session(self, token: str, login_code: str, late: float) -> _Session:
        query = {"access_token": token, "code": login_code}
        return self._calls.ask("POST", "/rest/2.0/smartapp/getsessionkey", _session, late=late, query=query)

    def _union(self, token: str, openid: str, late: float) -> _Union:
        return self._calls.ask(
            "POST", "/rest/2.0/smartapp/getunionid", _union, late=late, query={"access_token": token}, headers=_FORM,
            content=str(httpx.QueryParams({"openid": openid})).encode(),
        )  # fmt: skip


def _token(raw: bytes) -> tuple[str, int]:
    said = decode(raw, _Token)
    if said.error_code:
        raise _GATEWAY.get(said.error_code, UnansweredError)(str(said.error_code))
    if said.error:
        raise MisconfiguredError(said.error[:40])
    return said.access_token, said.expires_in


def _session(raw: bytes) -> _Session:
    _check(raw, BadCodeError)
    return decode(raw, _SessionAnswer).data


def _union(raw: bytes) -> _Union:
    _check(raw, UnansweredError)
    return decode(raw, _UnionAnswer).data


def _check(raw: bytes, refused: type[PlatformError]) -> None:
    """Raise what the gateway says, and `refused` with the call's own number."""
    said = decode(raw, _Answer)
    if said.error_code:
        raise _GATEWAY.get(said.error_code, UnansweredError)(str(said.error_code))
    if said.errno:
        raise refused(str(said.errno))


def _session_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise UnansweredError("malformed")
    return key
