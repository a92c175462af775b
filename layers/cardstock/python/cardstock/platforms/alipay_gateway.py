"""Alipay's gateway: signed calls and their answers, and the notices that Alipay signs. RSA2, public-key mode.

A call's signature is over its fields, sorted by name and joined as `name=value&...`; an answer's over the exact bytes
of the node that is named after the method. A notice is a form. Its signature is over the values as they are after they
were decoded, once, without `sign` and `sign_type`. The documentation counts empty values in, Alipay's own clients leave
them out: both are taken, and to the reader an empty value is none.

The joined text does not say where a value ends: whoever could choose a value with `&` or `=` in it could move the
border between two fields. So no text that others write may go to Alipay with these signs (`plain_text`).

Source: opendocs.alipay.com: the guide to signatures, asynchronous notices.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar

import httpx
import msgspec

from cardstock import clock
from cardstock.errors import SIGNATURE_INVALID
from cardstock.money import Fen
from cardstock.platforms.keys import PrivateKey, PublicKey

URL: Final = "https://openapi.alipay.com/gateway.do"
CHARSET: Final = "utf-8"
"""Belongs into the URL too: the gateway decodes by that, whatever the body says, and takes GBK without one."""
DONE: Final = "10000"
BUSY: Final = "20000"
CALL_LIMITED: Final = "40005"
MISCONFIGURED: Final = frozenset({"20001", "40001", "40002", "40003", "40006"})
"""The gateway refused the app or the form of the call: nothing was done."""
_BEIJING: Final = timezone(timedelta(hours=8))
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,8})?", re.ASCII)
_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_ERROR_NODE: Final = "error_response"
_UNSIGNED: Final = ("sign", "sign_type")
_JOINING: Final = str.maketrans({"/": "／", "=": "＝", "&": "＆"})

T = TypeVar("T")


class AppKeys(msgspec.Struct, frozen=True):
    """An app, its own key, and Alipay's public key for it."""

    app_id: str
    private: PrivateKey
    public: PublicKey


class Answer(msgspec.Struct, frozen=True):
    """What the gateway answered. `content` is the node of the method, as its exact bytes, if Alipay signed it.

    `code` and `sub_code` are those of that node; without a signature those of whatever refusal the answer holds. Such a
    refusal can be anybody's: it decides nothing about money.
    """

    status: int
    content: bytes | None
    code: str = ""
    sub_code: str = ""

    @property
    def cause(self) -> str:
        """Why it cannot be used: `http_502`, `signature`, `40004 ACQ.TRADE_NOT_EXIST`."""
        if self.status != httpx.codes.OK:
            return f"http_{self.status}"
        return f"{self.code} {self.sub_code}".strip()[:80] if self.code not in ("", DONE) else "signature"

    def refused_as(self, *sub_codes: str) -> bool:
        """Whether Alipay itself refused for one of these reasons."""
        return self.content is not None and self.sub_code in sub_codes

    def decoded(self, kind: type[T]) -> T | None:
        """The content of a genuine success; None for any other answer, and for what is not of this kind."""
        if self.content is None or self.code != DONE:
            return None
        try:
            return msgspec.json.decode(self.content, type=kind, strict=True)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    sub_code: str = ""


class Gateway:
    """The gateway at `url`, for calls with a `biz_content`."""

    def __init__(self, url: str, client: httpx.Client) -> None:
        self._url = httpx.URL(url).copy_merge_params({"charset": CHARSET})
        self._client = client

    def call(self, app: AppKeys, method: str, content: Mapping[str, Any], **fields: str) -> Answer:
        """The answer to a call. Raises `httpx.HTTPError` without one: Alipay may have acted.

        `fields` stand beside `biz_content` (`notify_url`).
        """
        business = json.dumps(content, ensure_ascii=False)
        form = signed_form(app.app_id, app.private, method, {"biz_content": business, **fields})
        response = self._client.post(self._url, data=form)
        if response.status_code != httpx.codes.OK:
            return Answer(response.status_code, None)
        node = f"{method.replace('.', '_')}_response"
        content_bytes = genuine(response.content, node, app.public)
        problem = _problem_in(response.content, node, content_bytes)
        return Answer(response.status_code, content_bytes, problem.code, problem.sub_code)


def signed_form(app_id: str, key: PrivateKey, method: str, fields: dict[str, str]) -> dict[str, str]:
    """The form of a call, signed. `fields` are its own: `biz_content`, or what stands beside it; none is empty."""
    form = {
        "app_id": app_id,
        "method": method,
        "format": "JSON",
        "charset": CHARSET,
        "sign_type": "RSA2",
        "timestamp": moment_text(clock.now()),
        "version": "1.0",
        **fields,
    }
    message = "&".join(f"{name}={form[name]}" for name in sorted(form))
    return {**form, "sign": key.sign(message.encode())}


def parts_of(raw: bytes) -> dict[str, msgspec.Raw]:
    """The members of an answer, each as its exact bytes; {} for anything but an object."""
    try:
        return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}


def genuine(raw: bytes, node: str, key: PublicKey) -> bytes | None:
    """The exact bytes of the answer's node if Alipay signed them; None otherwise, and for a gateway error, which has
    another node."""
    parts = parts_of(raw)
    try:
        signature = msgspec.json.decode(parts["sign"], type=str)
        content = bytes(parts[node])
    except (KeyError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return content if key.signed(content, signature) else None


def read_notice(raw: bytes, keys: Mapping[str, PublicKey]) -> dict[str, str]:
    """The fields of a notice that Alipay signed, without the empty ones. `keys` are Alipay's by the ids of the apps.

    Raises `UnauthorizedError` SIGNATURE_INVALID for what is not signed with the key of the app that it names, has a
    member twice, or is no form. It carries no time that proves it new: anybody who has seen a notice can send
    it again, and its reader must bear that.
    """
    try:
        pairs = httpx.QueryParams(raw.decode("ascii")).multi_items()
    except ValueError:
        raise SIGNATURE_INVALID() from None
    given = dict(pairs)
    key = keys.get(given.get("app_id", ""))
    if key is None or len(given) != len(pairs) or given.get("sign_type") != "RSA2":
        raise SIGNATURE_INVALID()
    signed = sorted(name for name in given if name not in _UNSIGNED)
    signature = given.get("sign", "")
    for names in (signed, [name for name in signed if given[name]]):
        if key.signed("&".join(f"{name}={given[name]}" for name in names).encode(), signature):
            return {name: given[name] for name in signed if given[name]}
    raise SIGNATURE_INVALID()


def yuan(fen: Fen) -> str:
    """`1230` -> `12.30`."""
    return f"{fen // 100}.{fen % 100:02d}"


def fen_of(text: str | None) -> Fen | None:
    """`12.3` -> 1230; None unless it is an amount in whole fen."""
    if text is None or _AMOUNT.fullmatch(text) is None:
        return None
    fen = Decimal(text) * 100
    return int(fen) if fen == fen.to_integral_value() else None


def moment_text(at: datetime) -> str:
    """A moment as Alipay writes it: Beijing's, in seconds."""
    return at.astimezone(_BEIJING).strftime(_FORMAT)


def moment_of(text: str) -> datetime:
    """`2026-12-01 16:00:00`, with or without milliseconds. Raises ValueError for anything else."""
    return datetime.strptime(text.partition(".")[0], _FORMAT).replace(tzinfo=_BEIJING).astimezone(UTC)


def plain_text(text: str) -> str:
    """`text` without the signs that join signed fields: `/`, `=` and `&` become their wide forms."""
    return text.translate(_JOINING)


def name_kind(name: str) -> Literal["user", "open"]:
    """Which kind of name a person has: sixteen digits that begin with 2088 are a user id, the same for every app.
    Anything else is an open id, of one app."""
    user = len(name) == 16 and name.isascii() and name.isdigit() and name.startswith("2088")
    return "user" if user else "open"


def _problem_in(raw: bytes, node: str, content: bytes | None) -> _Problem:
    parts = parts_of(raw)
    found = content or bytes(parts.get(node) or parts.get(_ERROR_NODE) or b"{}")
    try:
        return msgspec.json.decode(found, type=_Problem)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _Problem()
