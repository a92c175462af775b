"""WeChat's mini-program API: who has a login code, and the telephone number behind the code of its button.

| Call | Here |
|---|---|
| `GET /sns/jscode2session` | openid and union id behind a login code |
| `POST /cgi-bin/stable_token` | the app's token; in normal mode WeChat gives every caller the same one |
| `POST /wxa/business/getuserphonenumber` | the number behind a phone code; paid beyond a free quota |

Errors come with status 200: `errcode` decides, absent is 0. A login code and a phone code are different codes, each
good once for five minutes. `session_key` is not even read. The union id is absent where the app is bound to no
open-platform account. A token that WeChat refuses is asked for once more, never with `force_refresh`: that would end
the token of the merchant's other systems.

Source: developers.weixin.qq.com: code2Session, getStableAccessToken, getPhoneNumber, global return codes.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import httpx
import msgspec

from cardstock import clock
from cardstock.platforms.calls import (
    Account,
    AppTokens,
    BadCodeError,
    BlockedError,
    BusyError,
    Calls,
    MisconfiguredError,
    NotGrantedError,
    PlatformError,
    TokenRefusedError,
    TooOftenError,
    UnansweredError,
    deadline,
    decode,
    e164,
    encode,
    named,
)

if TYPE_CHECKING:
    from cardstock.platforms.wechat_shipping import Shipping

URL: Final = "https://api.weixin.qq.com"
MANAGED_FOR: Final = timedelta(hours=1)
"""How long it is known whether a mini-program must report what it sends."""
RETRY_AFTER_SECONDS: Final = 60
"""45011 counts a person's calls by the minute."""
_TOKEN_REFUSED: Final = frozenset({40001, 40014, 42001})
_ERRORS: Final[dict[int, type[PlatformError]]] = {
    -1: BusyError,
    40003: BadCodeError,  # the phone code is another person's
    40029: BadCodeError,
    40163: BadCodeError,  # used
    40226: BlockedError,
    40001: MisconfiguredError,
    40013: MisconfiguredError,
    40125: MisconfiguredError,
    40164: MisconfiguredError,  # the caller's address is not on the list
    48001: NotGrantedError,
}


class App(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mini-program's secret, from the console."""

    secret: str


class _Answer(msgspec.Struct, frozen=True):
    errcode: int = 0


class _Session(_Answer, frozen=True):
    openid: str = ""
    unionid: str | None = None


class _Token(_Answer, frozen=True):
    access_token: str = ""
    expires_in: int = 0


class _Watermark(msgspec.Struct, frozen=True):
    appid: str


class _PhoneInfo(msgspec.Struct, frozen=True):
    purePhoneNumber: str
    countryCode: str | int
    watermark: _Watermark


class _Phone(_Answer, frozen=True):
    phone_info: _PhoneInfo | None = None


Said = TypeVar("Said", bound=_Answer)
T = TypeVar("T")


class Wechat:
    """WeChat for all mini-programs of the brand. Raises `PlatformError`, and nothing else because of WeChat."""

    def __init__(
        self,
        base_url: str = URL,
        *,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = Calls(base_url, transport=transport, pause=pause)
        self._tokens = AppTokens()
        self._managed: dict[str, tuple[datetime | None, bool]] = {}

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    def account_of(self, app_id: str, app: App, login_code: str) -> Account:
        """Who has the login code."""
        query = {
            "appid": app_id, "secret": app.secret, "js_code": login_code, "grant_type": "authorization_code",
        }  # fmt: skip
        said = self._calls.ask(
            "GET", "/sns/jscode2session", lambda raw: _said(raw, _Session), late=deadline(), query=query
        )
        return named(said.openid, said.unionid or "")

    def phone_of(self, app_id: str, app: App, phone_code: str, openid: str) -> str:
        """The number behind the phone code, E.164. WeChat checks that the code is the person's."""
        late = deadline()
        said = self._with_token(app_id, app, lambda token: self._phone(token, phone_code, openid, late))
        if said.phone_info is None or said.phone_info.watermark.appid != app_id:
            raise UnansweredError("malformed")
        return e164(said.phone_info.countryCode, said.phone_info.purePhoneNumber)

    def report_shipping(self, app_id: str, app: App, shipping: "Shipping") -> bool:
        """Report what was sent for a payment; False if the mini-program need not report. Safe to repeat.

        Raises also `ShippingRefusedError`.
        """
        from cardstock.platforms.wechat_shipping import WechatShipping  # a log-in does without

        made = WechatShipping(self._calls)
        until, needed = self._managed.get(app_id, (None, False))
        if until is None or clock.now() >= until:
            needed = self._with_token(app_id, app, lambda token: made.is_needed(app_id, token))
            self._managed[app_id] = (clock.now() + MANAGED_FOR, needed)
        if needed:
            self._with_token(app_id, app, lambda token: made.report(shipping, token))
        return needed

    def _with_token(self, app_id: str, app: App, call: Callable[[str], T]) -> T:
        """`call` with the app's token; once more with another one if WeChat refuses it."""
        for attempt in (1, 2):
            token = self._tokens.token(app_id, lambda: self._new_token(app_id, app, deadline()))
            try:
                return call(token)
            except TokenRefusedError:
                self._tokens.forget(app_id)
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def _phone(self, token: str, phone_code: str, openid: str, late: float) -> _Phone:
        return self._calls.ask(
            "POST", "/wxa/business/getuserphonenumber", lambda raw: _said(raw, _Phone, with_token=True), late=late,
            query={"access_token": token}, headers={"Content-Type": "application/json"},
            content=encode({"code": phone_code, "openid": openid}),
        )  # fmt: skip

    def _new_token(self, app_id: str, app: App, late: float) -> tuple[str, int]:
        wanted = {"grant_type": "client_credential", "appid": app_id, "secret": app.secret}
        said = self._calls.ask(
            "POST", "/cgi-bin/stable_token", lambda raw: _said(raw, _Token), late=late,
            headers={"Content-Type": "application/json"}, content=encode(wanted),
        )  # fmt: skip
        return said.access_token, said.expires_in


def _said(raw: bytes, kind: type[Said], *, with_token: bool = False) -> Said:
    code = decode(raw, _Answer).errcode
    if code == 0:
        return decode(raw, kind)
    cause = str(code)
    if code == 45011:
        raise TooOftenError(cause, RETRY_AFTER_SECONDS)
    if with_token and code in _TOKEN_REFUSED:
        raise TokenRefusedError(cause)
    raise _ERRORS.get(code, UnansweredError)(cause)
