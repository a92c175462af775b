"""First answers of requests with an Idempotency-Key: stored once, given again byte for byte.

A route whose answer is made from what never changes (an order as it was placed) gives its first answer by its own
means. Others store it. An answer with a secret is sealed by the Idempotency-Key, which the client alone has, and by a
key of the server: who reads the table can try no guesses.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
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


def seal(key: str, request: RequestKey, text: str, server_keys: Sequence[str]) -> str:
    """`text`, which only `unseal` with the same key and request reads. The first of `server_keys` seals."""
    nonce = secrets.token_bytes(_NONCE)
    encrypted: bytes = _cipher(_stretched(key, request), server_keys[0]).encrypt(nonce, text.encode(), None)
    return base64.b64encode(nonce + encrypted).decode()


def unseal(key: str, request: RequestKey, sealed: str, server_keys: Sequence[str]) -> str:
    """The inverse of `seal`: all `server_keys` open. Raises ValueError if none of them sealed it with `key`."""
    from cryptography.exceptions import InvalidTag

    content, stretched = base64.b64decode(sealed), _stretched(key, request)
    for server_key in server_keys:
        try:
            text: bytes = _cipher(stretched, server_key).decrypt(content[:_NONCE], content[_NONCE:], None)
        except InvalidTag:
            continue
        return text.decode()
    raise ValueError(f"the first answer to {request.id} was sealed by other keys")


def _stretched(key: str, request: RequestKey) -> bytes:
    # Stretched: clients may choose keys that can be guessed.
    return hashlib.scrypt(key.encode(), salt=request.id.encode(), n=2**14, r=8, p=1, dklen=32)


def _cipher(stretched: bytes, server_key: str) -> Any:
    # Imported here: most functions seal nothing.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hmac.digest(server_key.encode(), b"first answer" + stretched, "sha256"))


class FirstAnswers:
    """The first answer to one request; sealed, if there are `server_keys`."""

    def __init__(self, answers: Answers, request: RequestKey, client_key: str, server_keys: Sequence[str]) -> None:
        self._answers = answers
        self._request = request
        self._server_keys = server_keys
        self._client_key = client_key

    def find(self) -> StoredAnswer | None:
        """The first answer; None if there is none."""
        found = self._answers.find(self._request)
        return found if found is None else self._opened(found)

    def keep(self, answer: StoredAnswer) -> tuple[StoredAnswer, bool]:
        """The first answer, which is `answer` unless another call was faster, and whether it is `answer`."""
        kept = self._opened(self._answers.keep(self._request, self._closed(answer)))
        return kept, kept == answer

    def _closed(self, answer: StoredAnswer) -> StoredAnswer:
        if not self._server_keys:
            return answer
        return StoredAnswer(answer.status, seal(self._client_key, self._request, answer.body, self._server_keys))

    def _opened(self, answer: StoredAnswer) -> StoredAnswer:
        if not self._server_keys:
            return answer
        return StoredAnswer(answer.status, unseal(self._client_key, self._request, answer.body, self._server_keys))
