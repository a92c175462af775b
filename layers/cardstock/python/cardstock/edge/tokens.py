"""Signed tokens: what the server hands out and must get back unchanged. Tamper-proof, not secret.

Guarantee: a token opens only under the purpose it was made for and before it expires. HMAC-SHA256 with rotating keys
(itsdangerous); the first key signs, all of them verify. Tokens that v0.2.0 signed with HMAC-SHA1 open until they
expire.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from cardstock import clock
from cardstock.clock import to_epoch_ms
from cardstock.errors import TOKEN_EXPIRED, TOKEN_INVALID


class Signer:
    """Makes and opens tokens. `keys` is called at each use, so that rotated secrets arrive."""

    def __init__(self, *, keys: Callable[[], Sequence[str]]) -> None:
        self._keys = keys

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        # itsdangerous signs with the last key of the list, and with SHA-1 by default.
        return URLSafeSerializer(
            list(reversed(self._keys())),
            salt=purpose,
            signer_kwargs={"digest_method": hashlib.sha256},
            fallback_signers=[{"digest_method": hashlib.sha1}],
        )

    def sign(self, purpose: str, claims: dict[str, Any], *, lifetime: timedelta | None = None) -> str:
        """A token of `claims` (JSON values) for `purpose`, which expires after `lifetime`."""
        payload = dict(claims)
        if lifetime is not None:
            payload["exp"] = to_epoch_ms(clock.now() + lifetime)
        token = self._serializer(purpose).dumps(payload)
        return token if isinstance(token, str) else token.decode()

    def open(self, purpose: str, token: str) -> dict[str, Any]:
        """The claims of a genuine, unexpired token. Raises `UnauthorizedError` with TOKEN_INVALID or TOKEN_EXPIRED."""
        try:
            payload = self._serializer(purpose).loads(token)
        except (BadData, UnicodeError, ValueError) as error:
            raise TOKEN_INVALID() from error
        if not isinstance(payload, dict):
            raise TOKEN_INVALID()
        expires = payload.pop("exp", None)
        if expires is not None and to_epoch_ms(clock.now()) >= expires:
            raise TOKEN_EXPIRED()
        return payload
