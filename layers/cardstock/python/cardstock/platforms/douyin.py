"""Douyin's mini-program API: who has a login code, and the telephone number behind the code of its button.

| Call | Here |
|---|---|
| `POST /api/apps/v2/jscode2session` on the host of mini-programs | openid and union id behind a login code |
| `POST /oauth/client_token/` on the open platform | the app's token, 500 in five minutes |
| `POST /api/apps/v1/get_phonenumber_info/` on the open platform | the number, encrypted for the app's key |

Errors come with status 200: `err_no` decides, absent is 0. Paths of the open platform end in a slash. `session_key` is
not even read. The number is read with the app's private key and must be this app's.

Source: developer.open-douyin.com: code2Session v2, client_token, get_phonenumber_info. Not confirmed: that the number
is padded by PKCS #1 v1.5, and the codes of the open platform (`_TOKEN_ERRORS`, `_PHONE_ERRORS`). Whatever else comes is
no answer, and is logged with its code.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Final

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
    UnansweredError,
    deadline,
    decode,
    e164,
    encode,
    named,
)
from cardstock.platforms.keys import PrivateKey

LOGIN_URL: Final = "https://developer.toutiao.com"
URL: Final = "https://open.douyin.com"
_BUSY: Final = -1
_LOGIN_ERRORS: Final[dict[int, type[PlatformError]]] = {
    _BUSY: BusyError,
    40015: MisconfiguredError,
    40017: MisconfiguredError,
    40018: BadCodeError,
    40019: BadCodeError,
}
_TOKEN_ERRORS: Final[dict[int, type[PlatformError]]] = {
    _BUSY: BusyError,
    10003: MisconfiguredError,  # the client key
    10013: MisconfiguredError,  # the client key or its secret
}
JSON: Final = {"Content-Type": "application/json"}


class App(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mini-program's secret and key, from the console."""

    secret: Annotated[str, Meta(min_length=1)]
    private_key: str = ""
    """The app's private key, PEM or bare base64; without it there are no telephone numbers."""


class _Person(msgspec.Struct, frozen=True):
    openid: str = ""
    unionid: str | None = None


class _Problem(msgspec.Struct, frozen=True):
    err_no: int = 0


class _Session(msgspec.Struct, frozen=True):
    data: _Person | None = None


class _Token(msgspec.Struct, frozen=True):
    access_token: str = ""
    expires_in: int = 0
    error_code: int = 0


class _TokenAnswer(msgspec.Struct, frozen=True):
    data: _Token


class _PhoneAnswer(msgspec.Struct, frozen=True):
    data: str | None = None


class _Watermark(msgspec.Struct, frozen=True):
    appid: str


class _Phone(msgspec.Struct, frozen=True):
    purePhoneNumber: str
    countryCode: str | int
    watermark: _Watermark


class _TokenRefusedError(UnansweredError):
    """The app's token does not hold."""


_PHONE_ERRORS: Final[dict[int, type[PlatformError]]] = {
    _BUSY: BusyError,
    28001003: _TokenRefusedError,
    28001008: _TokenRefusedError,
    28001007: BadCodeError,
    28001018: NotGrantedError,
}


class Douyin:
    """Douyin for all mini-programs of the brand. Raises `PlatformError`, and nothing else because of Douyin."""

    def __init__(
        self,
        login_url: str = LOGIN_URL,
        url: str = URL,
        *,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._logins = Calls(login_url, transport=transport, pause=pause)
        self._calls = Calls(url, transport=transport, pause=pause)
        self._tokens = AppTokens()

    def close(self) -> None:
        """Close the connections."""
        self._logins.close()
        self._calls.close()

    def account_of(self, app_id: str, app: App, login_code: str) -> Account:
        """Who has the login code."""
        said = self._logins.ask(
            "POST", "/api/apps/v2/jscode2session", _session, late=deadline(), headers=JSON,
            content=encode({"appid": app_id, "secret": app.secret, "code": login_code}),
        )  # fmt: skip
        if said.data is None:
            raise UnansweredError("malformed")
        return named(said.data.openid, said.data.unionid or "")

    def phone_of(self, app_id: str, app: App, phone_code: str) -> str:
        """The number behind the phone code, E.164."""
        if not app.private_key:
            raise NotGrantedError("no_private_key")
        key, late = _key(app.private_key), deadline()
        try:
            encrypted = self._phone(app_id, app, phone_code, late)
        except _TokenRefusedError:
            self._tokens.forget(app_id)
            encrypted = self._phone(app_id, app, phone_code, late)
        try:
            phone = msgspec.json.decode(key.decrypt(encrypted), type=_Phone)
        except (ValueError, UnicodeError, msgspec.MsgspecError):  # Douyin encrypted for another key
            raise MisconfiguredError("private_key") from None
        if phone.watermark.appid != app_id:
            raise UnansweredError("malformed")
        return e164(phone.countryCode, phone.purePhoneNumber)

    def _phone(self, app_id: str, app: App, phone_code: str, late: float) -> str:
        token = self._tokens.token(app_id, lambda: self._new_token(app_id, app, late))
        said = self._calls.ask(
            "POST", "/api/apps/v1/get_phonenumber_info/", _phone_answer, late=late,
            headers=JSON | {"access-token": token}, content=encode({"code": phone_code}),
        )  # fmt: skip
        if not said.data:
            raise UnansweredError("malformed")
        return said.data

    def _new_token(self, app_id: str, app: App, late: float) -> tuple[str, int]:
        wanted = {"client_key": app_id, "client_secret": app.secret, "grant_type": "client_credential"}
        return self._calls.ask(
            "POST", "/oauth/client_token/", read_token, late=late, headers=JSON, content=encode(wanted)
        )


@lru_cache(maxsize=32)
def _key(text: str) -> PrivateKey:
    try:
        return PrivateKey(text)
    except ValueError:
        raise MisconfiguredError("private_key") from None


def _session(raw: bytes) -> _Session:
    code = decode(raw, _Problem).err_no
    if code:
        raise _LOGIN_ERRORS.get(code, UnansweredError)(str(code))
    return decode(raw, _Session)


def read_token(raw: bytes) -> tuple[str, int]:
    """The app's token and its seconds in an answer. Raises `PlatformError`."""
    data = decode(raw, _TokenAnswer).data
    if data.error_code:
        raise _TOKEN_ERRORS.get(data.error_code, UnansweredError)(str(data.error_code))
    return data.access_token, data.expires_in


def _phone_answer(raw: bytes) -> _PhoneAnswer:
    code = decode(raw, _Problem).err_no
    if code:
        raise _PHONE_ERRORS.get(code, UnansweredError)(str(code))
    return decode(raw, _PhoneAnswer)
