"""First answers of requests with an Idempotency-Key: stored once, given again byte for byte.

A route whose answer is made from what never changes (an order as it was placed) gives its first answer by its own
means. Others store it. An answer with a secret is sealed by the Idempotency-Key, which the client alone has.
"""

import base64
import hashlib
import secrets
from typing import Any, Final, Literal, Protocol, TypeAlias

from cardstock.ids import RequestKey, StoredAnswer

FirstAnswer: TypeAlias = Literal["own", "stored", "sealed"]

_NONCE: Final = 12


class Answers(Protocol):
    """Stored first answers; they live as long as the records of requests."""

    def find(self, request: RequestKey) -> StoredAnswer | None:
        """The first answer to `request`; None if there is none. Raises `RefusedError` (IDEMPOTENCY_KEY_REUSED) if the
        key came with another body."""

    def keep(self, request: RequestKey, answer: StoredAnswer) -> StoredAnswer:
        """Store `answer` unless there is one; returns the stored one. Raises like `find`."""


def seal(key: str, request: RequestKey, text: str) -> str:
    """`text`, which only `unseal` with the same key and request reads."""
    nonce = secrets.token_bytes(_NONCE)
    encrypted: bytes = _cipher(key, request).encrypt(nonce, text.encode(), None)
    return base64.b64encode(nonce + encrypted).decode()


def unseal(key: str, request: RequestKey, sealed: str) -> str:
    """The inverse of `seal`."""
    content = base64.b64decode(sealed)
    text: bytes = _cipher(key, request).decrypt(content[:_NONCE], content[_NONCE:], None)
    return text.decode()


def _cipher(key: str, request: RequestKey) -> Any:
    # Imported here: most functions seal nothing.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    # Stretched: clients may choose keys that can be guessed.
    return AESGCM(hashlib.scrypt(key.encode(), salt=request.id.encode(), n=2**14, r=8, p=1, dklen=32))
