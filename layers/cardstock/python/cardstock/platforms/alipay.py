"""Alipay's mini-programs: who has an authorisation code, and the telephone number in what `my.getPhoneNumber` gives.

| What | Here |
|---|---|
| `alipay.system.oauth.token` | the person's name behind the code of `my.getAuthCode({scopes: "auth_base"})` |
| `{response, sign}` of `my.getPhoneNumber` | checked and decrypted without a call |

`grant_type` and `code` stand outside `biz_content`. New apps get `open_id` alone, older ones `user_id`, which is
another kind of name; where both come the `user_id` counts, by which the app's members are known. Only an account that
Alipay signed is used. A refusal need not be signed: it can only refuse.

The telephone number's `response` is AES-CBC under the app's key (接口内容加密), and signed as it stands, in its double
quotes. It names neither the person nor the time: whoever has it can present it again. Plain, it is a refusal.

Source: opendocs.alipay.com: alipay.system.oauth.token, my.getPhoneNumber, 接口内容加密方式, public error codes.
"""

import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Final, Literal

import httpx
import msgspec
from msgspec import Meta

from cardstock.platforms.alipay_gateway import CHARSET, URL, genuine, parts_of, signed_form
from cardstock.platforms.calls import (
    Account,
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
    named,
)
from cardstock.platforms.keys import ContentKey, PrivateKey, PublicKey

_METHOD: Final = "alipay.system.oauth.token"
_NODE: Final = "alipay_system_oauth_token_response"
_ERROR_NODES: Final = ("error_response", _NODE)
_WRONG_CODE: Final = frozenset({"isv.code-invalid", "isv.missing-code"})
_BUSY: Final = frozenset({"20000", "40005"})
"""Alipay did nothing: its own trouble, or too many calls of the app."""
_MOBILE: Final = re.compile(r"(?:\+?([1-9][0-9]{0,2})-)?([0-9]{5,13})", re.ASCII)
CHINA: Final = "86"

_Key = Annotated[str, Meta(min_length=1)]


class App(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An app's keys, as the console shows them: PEM or bare base64."""

    private_key: _Key
    public_key: _Key
    """Alipay's public key, not the app's."""
    aes_key: str = ""
    """接口内容加密; without it there are no telephone numbers."""


class _Said(msgspec.Struct, frozen=True):
    open_id: str | None = None
    user_id: str | None = None
    union_id: str | None = None


class _Problem(msgspec.Struct, frozen=True):
    code: str | None = None
    sub_code: str = ""


class _Proof(msgspec.Struct, frozen=True):
    response: msgspec.Raw
    sign: str = ""


class _Phone(msgspec.Struct, frozen=True):
    code: str = ""
    sub_code: str = ""
    subCode: str = ""
    mobile: str = ""


class AlipayAccount(msgspec.Struct, frozen=True):
    """A person, and which kind of name `account.openid` is."""

    account: Account
    kind: Literal["open", "user"]


class Alipay:
    """Alipay for all apps of the brand. Raises `PlatformError`, and nothing else because of Alipay."""

    def __init__(
        self,
        gateway: str = URL,
        *,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = Calls(gateway, transport=transport, pause=pause)

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    def account_of(self, app_id: str, app: App, login_code: str) -> AlipayAccount:
        """Who has the authorisation code."""
        private, public = _keys(app.private_key, app.public_key)
        form = signed_form(app_id, private, _METHOD, {"grant_type": "authorization_code", "code": login_code})
        said = self._calls.ask(
            "POST", "", lambda raw: _answer(raw, public), late=deadline(), query={"charset": CHARSET},
            headers={"Content-Type": f"application/x-www-form-urlencoded;charset={CHARSET}"},
            content=str(httpx.QueryParams(form)).encode(),
        )  # fmt: skip
        if said.user_id:
            return AlipayAccount(named(said.user_id, said.union_id or ""), "user")
        return AlipayAccount(named(said.open_id or "", said.union_id or ""), "open")

    def phone_of(self, app: App, proof: str) -> str:
        """The number, E.164, in the JSON text of what `my.getPhoneNumber` gave. No call."""
        if not app.aes_key:
            raise NotGrantedError("no_aes_key")
        _, public = _keys(app.private_key, app.public_key)
        try:
            content_key = ContentKey(app.aes_key)
        except ValueError:
            raise MisconfiguredError("aes_key") from None
        given = _proof_of(proof)
        raw = bytes(given.response)
        if raw.startswith(b"{"):
            return _refused(_phone_in(raw))
        encrypted = _text_in(raw)
        if not public.signed(f'"{encrypted}"'.encode(), given.sign):
            raise BadCodeError("signature")
        try:
            plain = content_key.decrypt(encrypted)
        except ValueError:  # signed by Alipay, so our key is another one
            raise MisconfiguredError("aes_key") from None
        phone = _phone_in(plain)
        found = _MOBILE.fullmatch(phone.mobile)
        if phone.code != "10000" or found is None:
            return _refused(phone)
        return e164(found[1] or CHINA, found[2])


@lru_cache(maxsize=32)
def _keys(private: str, public: str) -> tuple[PrivateKey, PublicKey]:
    try:
        return PrivateKey(private), PublicKey(public)
    except ValueError:
        raise MisconfiguredError("keys") from None


def _answer(raw: bytes, public: PublicKey) -> _Said:
    parts = parts_of(raw)
    for node in _ERROR_NODES:
        problem = decode(bytes(parts[node]), _Problem) if node in parts else _Problem()
        if problem.code not in (None, "10000"):
            raise _error(problem)
    content = genuine(raw, _NODE, public)
    if content is None:
        raise UnansweredError("signature")
    return decode(content, _Said)


def _error(problem: _Problem) -> PlatformError:
    cause = f"{problem.code} {problem.sub_code}"[:80].strip()
    if problem.sub_code in _WRONG_CODE:
        return BadCodeError(cause)
    if problem.code in _BUSY:
        return BusyError(cause)
    if problem.code in ("40001", "40002", "40003", "40006", "20001"):
        return MisconfiguredError(cause)
    return UnansweredError(cause)


def _proof_of(text: str) -> _Proof:
    try:
        return msgspec.json.decode(text, type=_Proof)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise BadCodeError("no_proof") from None


def _text_in(raw: bytes) -> str:
    """The text of JSON: a client may have written its slashes in another way than they were signed."""
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.MsgspecError, UnicodeError):
        raise BadCodeError("no_proof") from None


def _phone_in(raw: bytes) -> _Phone:
    try:
        return msgspec.json.decode(raw, type=_Phone)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise BadCodeError("no_proof") from None


def _refused(phone: _Phone) -> str:
    cause = f"{phone.code} {phone.sub_code or phone.subCode}"[:80].strip()
    if phone.code in ("40003", "40006"):
        raise NotGrantedError(cause)
    raise BadCodeError(cause)
