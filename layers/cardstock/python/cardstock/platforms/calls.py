"""What the clients of login platforms share: calls within three seconds, app tokens, and what can go wrong.

PlatformError
├── BadCodeError        the platform does not know the code: wrong, used, expired, or of another app
├── TooOftenError       one person asks too often; `retry_after` says for how many seconds
├── BlockedError        the platform keeps this person out; asking again does not help
├── NotGrantedError     the app or the person has not granted this
├── MisconfiguredError  the platform refuses the app itself: its id, secret, key or the caller's address
└── UnansweredError     no usable answer; the code may be used up
    ├── UnsentError     the call did not reach the platform
    ├── BusyError       the platform says that it did nothing
    └── TokenRefusedError  the app's token does not hold

httpx's own client writes each URL into the log, and these have secrets: its transport is used alone.
"""

import random
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import httpx
import msgspec

from cardstock import clock

T = TypeVar("T")

CONNECT_SECONDS: Final = 1.0
WHOLE_SECONDS: Final = 3.0
LEAST_SECONDS: Final = 0.5
"""No second attempt with less time left."""
PAUSE_SECONDS: Final = (0.1, 0.4)
MAX_ANSWER_BYTES: Final = 64 * 1024
TOKEN_MARGIN: Final = timedelta(minutes=5)


class PlatformError(Exception):
    """`cause` is short and holds nothing secret: `40029`, `timeout`, `http_502`."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class BadCodeError(PlatformError):
    """The platform does not know the code."""


class TooOftenError(PlatformError):
    """One person asks too often."""

    def __init__(self, cause: str, retry_after: int) -> None:
        super().__init__(cause)
        self.retry_after = retry_after


class BlockedError(PlatformError):
    """The platform keeps this person out."""


class NotGrantedError(PlatformError):
    """The app or the person has not granted this."""


class MisconfiguredError(PlatformError):
    """The platform refuses the app itself."""


class UnansweredError(PlatformError):
    """No usable answer."""


class UnsentError(UnansweredError):
    """The call did not reach the platform: nothing is used up."""


class BusyError(UnansweredError):
    """The platform says that it did nothing."""


class TokenRefusedError(UnansweredError):
    """The app's token does not hold: another one is to be asked for."""


class Account(msgspec.Struct, frozen=True):
    """A person in one app, as the platform names it; `union_id` is the same in all apps of one developer."""

    openid: str
    union_id: str = ""


class Calls:
    """Calls to one host. Safe to share between threads; it keeps its connections. `transport` is the seam for tests.

    Between two pieces of an answer at most two seconds may pass, and nothing is waited for after the deadline: an
    operation takes three seconds, or five if its answer drips.
    """

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = base_url.rstrip("/")
        # No proxy from the environment: secrets go to the platform alone.
        self._transport = transport or httpx.HTTPTransport(trust_env=False)
        self._pause = pause

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def ask(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], T],
        *,
        late: float,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        statuses: Collection[int] = (httpx.codes.OK,),
    ) -> T:
        """`read(answer)`; once more after a short pause if it raises BusyError and the deadline `late` allows.

        `statuses` have an answer to read.

        Raises what `read` raises, and UnansweredError. No other failure is repeated: the platform may have acted.
        """
        sent = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "cardstock"}
        sent |= headers or {}
        for attempt in (1, 2):
            raw = self._send(
                method, path, late, statuses, params=dict(query or {}) or None, headers=sent, content=content
            )
            try:
                return read(raw)
            except BusyError:
                pause = random.uniform(*PAUSE_SECONDS)  # noqa: S311 - jitter is no secret
                if attempt == 2 or time.monotonic() + pause + LEAST_SECONDS > late:
                    raise
                self._pause(pause)
        raise AssertionError("unreachable")

    def _send(self, method: str, path: str, late: float, statuses: Collection[int], **parts: Any) -> bytes:
        left = late - time.monotonic()
        if left <= 0:
            raise UnsentError("timeout")
        connect = min(CONNECT_SECONDS, left)
        other = max(left - connect, 0.05)
        timeout = {"connect": connect, "read": other, "write": other, "pool": connect}
        request = httpx.Request(method, self._base + path, extensions={"timeout": timeout}, **parts)
        try:
            return _body(self._transport.handle_request(request), late, statuses)
        except (httpx.ConnectTimeout, httpx.PoolTimeout):
            raise UnsentError("timeout") from None
        except httpx.ConnectError:
            raise UnsentError("unreachable") from None
        except httpx.TimeoutException:
            raise UnansweredError("timeout") from None
        except httpx.HTTPError:
            raise UnansweredError("unreachable") from None


def deadline() -> float:
    """When an operation that begins now must have ended, on the monotonic clock."""
    return time.monotonic() + WHOLE_SECONDS


def _body(response: httpx.Response, late: float, statuses: Collection[int]) -> bytes:
    try:
        if response.status_code not in statuses:
            raise UnansweredError(f"http_{response.status_code}")
        # Asked not to compress: 64 KB that arrive must not become 64 MB.
        if response.headers.get("content-encoding", "identity") != "identity":
            raise UnansweredError("malformed")
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise UnansweredError("too_large")
            if time.monotonic() > late:
                raise UnansweredError("timeout")
        return bytes(content)
    finally:
        response.close()


def decode(raw: bytes, kind: type[T]) -> T:
    """An answer's JSON. Raises UnansweredError if it is something else."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise UnansweredError("malformed") from None


def encode(body: Mapping[str, Any]) -> bytes:
    """A request's JSON."""
    return msgspec.json.encode(body)


def named(openid: str, union_id: str) -> Account:
    """The account of an answer. Raises UnansweredError if it names nobody, or in a way that no platform does."""
    if not 1 <= len(openid) <= 128 or len(union_id) > 128 or not (openid + union_id).isprintable():
        raise UnansweredError("malformed")
    return Account(openid, union_id)


def e164(country: str | int, number: str) -> str:
    """`+8613800138000`. Raises UnansweredError if these are no telephone number."""
    code = str(country).removeprefix("+")
    digits = code + number
    if not (digits.isascii() and digits.isdigit() and 8 <= len(digits) <= 15 and code[:1] not in ("", "0")):
        raise UnansweredError("malformed")
    return f"+{digits}"


class AppTokens:
    """The tokens of apps, kept in this process until five minutes before they end."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, datetime]] = {}

    def token(self, app_id: str, load: Callable[[], tuple[str, int]]) -> str:
        """The app's token; `load` gives another and its seconds when there is none."""
        kept = self._kept.get(app_id)
        if kept is not None and clock.now() < kept[1]:
            return kept[0]
        token, seconds = load()
        if not token:
            raise UnansweredError("malformed")
        self._kept[app_id] = (token, clock.now() + timedelta(seconds=seconds) - TOKEN_MARGIN)
        return token

    def forget(self, app_id: str) -> None:
        """Drop a token that the platform has refused."""
        self._kept.pop(app_id, None)
