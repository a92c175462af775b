"""Identifiers: sortable ones for what happens, derived ones for what must happen once, short keys for people."""

import hashlib
import re
import secrets
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from cardstock.clock import to_epoch_ms

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_KEY_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"


def base32(value: int, length: int) -> str:
    """A number in `length` digits of Crockford's alphabet, in lower case; higher digits are cut off."""
    letters = []
    for _ in range(length):
        letters.append(_CROCKFORD[value & 31])
        value >>= 5
    return "".join(reversed(letters))


def new_id(prefix: str, at: datetime) -> str:
    """`ord_01jd...`: 48 bits of milliseconds and 80 random bits (the ULID layout), so ids sort by time."""
    return f"{prefix}_{base32(to_epoch_ms(at), 10)}{base32(secrets.randbits(80), 16)}"


def derived_id(prefix: str, *parts: str) -> str:
    """The same id for the same parts, always: 130 bits of SHA-256 over the parts, which may hold any text."""
    digest = hashlib.sha256("\x00".join(parts).encode()).digest()
    return f"{prefix}_{base32(int.from_bytes(digest[:17], 'big') >> 6, 26)}"


def derived_at(prefix: str, at: datetime, *parts: str) -> str:
    """The same id for the same moment and parts, always: 48 bits of milliseconds and 80 bits of SHA-256 over the parts,
    so that ids sort by time."""
    digest = hashlib.sha256("\x00".join(parts).encode()).digest()
    return f"{prefix}_{base32(to_epoch_ms(at), 10)}{base32(int.from_bytes(digest[:10], 'big'), 16)}"


def ids_since(prefix: str, at: datetime) -> str:
    """What sorts before every id of `new_id` and `derived_at` of `at` and later."""
    return f"{prefix}_{base32(to_epoch_ms(at), 10)}"


def short_key(length: int = 10) -> str:
    """A random key that survives being read aloud: no 0/o, 1/l/i. Ten letters are 49 bits."""
    return "".join(secrets.choice(_KEY_LETTERS) for _ in range(length))


Made = TypeVar("Made")


class RequestKey(msgspec.Struct, frozen=True):
    """What makes a repeated request the same one: its id (caller, route, Idempotency-Key) and its body's fingerprint.

    An adapter writes the id, put if absent, as the first item of the transaction that does the work. A repeat then
    finds it: same fingerprint, the first result is answered again; another fingerprint, the request is refused.
    """

    id: str
    fingerprint: str
    raw_fingerprint: str = ""

    def made(self, fingerprint: str) -> bool:
        """Whether this request has the stored `fingerprint`: of its meaning, or of its bytes as v0.2.0 stored it."""
        return fingerprint in (self.fingerprint, self.raw_fingerprint or self.fingerprint)


class StoredAnswer(msgspec.Struct, frozen=True):
    """The first answer to a request, as it was given: status and JSON without an envelope."""

    status: int
    body: str


_EXACT: Final = 2**53
_FRACTION: Final = re.compile(rb"[0-9](?:\.|[eE])")


def canonical(content: bytes) -> bytes:
    """JSON reduced to its meaning: equal for equal values, whatever the order of members, blanks, escapes or the way a
    number is written. What is no JSON stays as it is."""
    try:
        value = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
        if _FRACTION.search(content):
            value = _exact(value)
        return msgspec.json.encode(value, order="deterministic")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return content


def _exact(value: Any) -> Any:
    """`value` with `1.0` and `1e0` as 1."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= _EXACT else value
    if isinstance(value, list):
        return [_exact(one) for one in value]
    return {name: _exact(one) for name, one in value.items()} if isinstance(value, dict) else value


def fingerprint_of(content: bytes) -> str:
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class RequestResult(NamedTuple, Generic[Made]):
    """What a request has made, and whether it is `replayed`: an earlier run of the same request had made it."""

    made: Made
    replayed: bool
