"""WeChat Pay, API v3: calls that the merchant signs, and answers and notices that WeChat signs.

A request's signature is over method, path with query, time, nonce and body; an answer's or a notice's over time, nonce
and body, each ended by a line feed. A 204 has no body and is signed all the same. WeChat signs with the key that the
header `Wechatpay-Serial` names: the merchant's WeChat Pay public key, or in the time of a change another one that is
configured beside it.

To see whether signatures are checked WeChat sends notices with a wrong one (`WECHATPAY/SIGNTEST/...`): they fail as any
forgery does.

Source: pay.weixin.qq.com/doc/v3/merchant 4012365342 (signatures), 4012071382 (notices), 4013053249 (public key).
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, TypeVar

import httpx
import msgspec
from msgspec import Meta

from cardstock import clock
from cardstock.clock import rfc3339
from cardstock.errors import SIGNATURE_INVALID, SIGNATURE_MISSING, SIGNATURE_STALE
from cardstock.platforms.keys import NoticeKey, PrivateKey, PublicKey

URL: Final = "https://api.mch.weixin.qq.com"
TOLERANCE: Final = timedelta(minutes=5)
_HEADERS: Final = ("wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature", "wechatpay-serial")
_MAX_CODE: Final = 64

T = TypeVar("T")


class Answer(msgspec.Struct, frozen=True):
    """What WeChat answered. `genuine`: it was signed by WeChat within the last five minutes."""

    status: int
    content: bytes
    genuine: bool

    @property
    def code(self) -> str:
        """The code of a refusal; empty in any other answer."""
        return self._problem().code[:_MAX_CODE]

    @property
    def message(self) -> str:
        """The text of a refusal; empty in any other answer."""
        return self._problem().message

    def decoded(self, kind: type[T]) -> T | None:
        """The content of a genuine 200; None for any other answer, and for what is not of this kind."""
        if self.status != httpx.codes.OK or not self.genuine:
            return None
        try:
            return msgspec.json.decode(self.content, type=kind)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None

    def _problem(self) -> "_Problem":
        try:
            return msgspec.json.decode(self.content, type=_Problem) if self.status >= 300 else _Problem()
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return _Problem()


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Resource(msgspec.Struct, frozen=True):
    algorithm: Literal["AEAD_AES_256_GCM"]
    ciphertext: str
    nonce: Annotated[str, Meta(min_length=1)]
    associated_data: str = ""


class _Envelope(msgspec.Struct, frozen=True):
    event_type: str
    resource: _Resource


class WechatPay:
    """One merchant's way to WeChat Pay. Keys are PEM or bare base64. Raises ValueError for keys that cannot work.

    `public_keys` are WeChat's keys by their serials or ids; answers are asked for under the first.
    """

    def __init__(
        self,
        *,
        mch_id: str,
        serial_no: str,
        private_key: str,
        public_keys: Mapping[str, str],
        client: httpx.Client,
    ) -> None:
        self.mch_id = mch_id
        self._serial_no = serial_no
        self._private = PrivateKey(private_key)
        self._public = {serial: PublicKey(key) for serial, key in public_keys.items()}
        self._asked_for = next(iter(self._public))
        self._client = client

    def call(self, method: Literal["GET", "POST"], path: str, body: bytes = b"") -> Answer:
        """WeChat's answer. Raises `httpx.HTTPError` without one: WeChat may have acted."""
        headers = {
            "Authorization": self.authorization(method, path, body),
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "cardstock",
            "Wechatpay-Serial": self._asked_for,
        }
        response = self._client.request(method, path, content=body, headers=headers)
        return Answer(response.status_code, response.content, self._is_genuine(response.headers, response.content))

    def authorization(self, method: str, path: str, body: bytes) -> str:
        """The signed header of a request."""
        nonce = secrets.token_hex(16)
        timestamp = int(clock.now().timestamp())
        signature = self._private.sign(f"{method}\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n")
        return (
            f'WECHATPAY2-SHA256-RSA2048 mchid="{self.mch_id}",nonce_str="{nonce}",signature="{signature}",'
            f'timestamp="{timestamp}",serial_no="{self._serial_no}"'
        )

    def pay_call(self, app_id: str, prepay_id: str) -> dict[str, str]:
        """The fields of `wx.requestPayment`, signed."""
        stamp, nonce, package = str(int(clock.now().timestamp())), secrets.token_hex(16), f"prepay_id={prepay_id}"
        signature = self._private.sign(f"{app_id}\n{stamp}\n{nonce}\n{package}\n".encode())
        return {"timeStamp": stamp, "nonceStr": nonce, "package": package, "signType": "RSA", "paySign": signature}

    def encrypt(self, text: str) -> str:
        """A text that WeChat alone can read."""
        return self._public[self._asked_for].encrypt(text)

    def open_notice(self, headers: Mapping[str, str], raw: bytes, key: NoticeKey) -> tuple[str, bytes]:
        """A notice's type, such as `TRANSACTION.SUCCESS`, and what it holds.

        `headers` has lower-case names. Raises `UnauthorizedError` SIGNATURE_MISSING, SIGNATURE_STALE or
        SIGNATURE_INVALID, and ValueError for a genuine notice that cannot be read.
        """
        missing = next((name for name in _HEADERS if not headers.get(name)), None)
        if missing is not None:
            raise SIGNATURE_MISSING(header=missing)
        at = _sent_at(headers)
        if at is None or not self._signed(headers, raw):
            raise SIGNATURE_INVALID()
        if abs(at - clock.now()) > TOLERANCE:
            raise SIGNATURE_STALE(sent_at=rfc3339(at), shop_time=rfc3339(clock.now()))
        try:
            envelope = msgspec.json.decode(raw, type=_Envelope)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError("not a notice") from error
        sealed = envelope.resource
        return envelope.event_type, key.decrypt(sealed.ciphertext, sealed.nonce, sealed.associated_data)

    def _is_genuine(self, headers: Mapping[str, str], content: bytes) -> bool:
        at = _sent_at(headers)
        return at is not None and abs(at - clock.now()) <= TOLERANCE and self._signed(headers, content)

    def _signed(self, headers: Mapping[str, str], content: bytes) -> bool:
        key = self._public.get(headers.get("wechatpay-serial", ""))
        timestamp, nonce = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-nonce", "")
        # A nonce that is no text must fail as a signature, and not as a genuine notice that cannot be read.
        message = f"{timestamp}\n{nonce}\n".encode(errors="replace") + content + b"\n"
        return key is not None and key.signed(message, headers.get("wechatpay-signature", ""))


def _sent_at(headers: Mapping[str, str]) -> datetime | None:
    """When it was signed; None for what is no time."""
    timestamp = headers.get("wechatpay-timestamp", "")
    known = timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12
    return datetime.fromtimestamp(int(timestamp), UTC) if known else None
