"""The merchant's adapter service for identity checks: our own protocol, and no vendor's.

A merchant who has a contract with a source of identity data runs a small service in front of it. Cardstock calls that
service, and knows no vendor. `infra/README.md`, Identity service, says how it must
answer.

| Answer | Meaning |
|---|---|
| `match` | name and number belong together |
| `mismatch`, `unknown` | they do not, or the source has no such number |
| a status of 401, 403 or 404 | the address or the key is wrong: nothing was checked |
| anything else | unknown: the same check is asked again, under the same number |

Both sides sign by Standard Webhooks 1.0 with one key. An answer counts only under the number of its check, which is
derived from name and number with the key: a repeat is the same check, and its number tells nothing without the key.
Neither name nor number is ever logged, nor kept in an error.
"""

import base64
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

import httpx
import msgspec

from cardstock import clock
from cardstock.errors import UnauthorizedError
from cardstock.members import errors
from cardstock.platforms.connections import client, trouble

METHOD: Final = "adapter"
PATH: Final = "/v1/identity-checks"
MAX_ANSWER_BYTES: Final = 16 * 1024
_MISCONFIGURED: Final = frozenset({401, 403, 404})

Sign = Callable[[str, str, datetime, bytes], dict[str, str]]
"""Key, message id, time and body to headers."""
Verify = Callable[[list[str], Mapping[str, str], bytes, datetime], str]
"""Keys, headers, body and time to the message id. Raises `UnauthorizedError`."""


class Config(msgspec.Struct, frozen=True):
    """What is in the secret: the key that both sides have, base64 with or without `whsec_`, at least 24 bytes."""

    key: str


class _Answer(msgspec.Struct, frozen=True):
    check_id: str
    result: Literal["match", "mismatch", "unknown"]


class AdapterIdentity:
    """`members.ports.IdentityVerifier` by the service at `url`. `transport` replaces the network.

    `report` is called with the number of a check and a cause, for every call without a usable answer. Raises ValueError
    for a key that cannot work.
    """

    def __init__(
        self,
        url: str,
        config: Any,
        *,
        sign: Sign,
        verify: Verify,
        report: Callable[[str, str], None],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._key = msgspec.convert(config, Config).key
        self._secret = base64.b64decode(self._key.removeprefix("whsec_") + "==", validate=False)
        if len(self._secret) < 24:
            raise ValueError("the key is shorter than 24 bytes")
        self._sign, self._verify, self._report = sign, verify, report
        self._client = client(url.rstrip("/"), transport)

    def verify(self, name: str, number: str) -> str:
        digest = hmac.digest(self._secret, f"{name}\n{number}".encode(), "sha256")
        check_id = f"idc_{digest.hex()[:32]}"
        answer = self._ask(check_id, {"check_id": check_id, "name": name, "id_number": number})
        if answer.result != "match":
            raise errors.IDENTITY_MISMATCH()
        return METHOD

    def _ask(self, check_id: str, content: Mapping[str, str]) -> _Answer:
        body = msgspec.json.encode(content)
        headers = {"content-type": "application/json", **self._sign(self._key, check_id, clock.now(), body)}
        try:
            response = self._client.post(PATH, content=body, headers=headers)
        except httpx.HTTPError as error:
            self._report(check_id, trouble(error))
            # Not `from error`: its request has name and number.
            raise errors.IDENTITY_UNAVAILABLE() from None
        if response.status_code in _MISCONFIGURED:
            self._report(check_id, f"http_{response.status_code}")
            raise errors.IDENTITY_MISCONFIGURED() from ValueError(f"http_{response.status_code}")
        answer = self._read(check_id, response)
        if isinstance(answer, str):
            self._report(check_id, answer)
            raise errors.IDENTITY_UNAVAILABLE()
        return answer

    def _read(self, check_id: str, response: httpx.Response) -> _Answer | str:
        """The answer, or why it cannot be used."""
        if response.status_code != httpx.codes.OK:
            return f"http_{response.status_code}"
        raw = response.content
        if len(raw) > MAX_ANSWER_BYTES:
            return "too_large"
        try:
            message_id = self._verify([self._key], response.headers, raw, clock.now())
            answer = msgspec.json.decode(raw, type=_Answer)
        except UnauthorizedError as error:
            return error.code
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return "malformed"
        return answer if {message_id, answer.check_id} == {check_id} else "other_check"
