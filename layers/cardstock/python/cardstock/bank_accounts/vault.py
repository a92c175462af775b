"""Encryption of account numbers: AES-256-GCM, a key of the brand from a secret, the account as associated data.

The secret is a JSON object: `current` names the newest key, every other member is a key's text under its id. To rotate,
add a key and name it as `current`: new numbers take it, older ones keep theirs. The key proper is the SHA-256 of the
text, whose entropy (64 random letters and digits) is far above the key's.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

_NONCE: Final = 12


class AesVault:
    """`bank_accounts.ports.Vault`. `keys` gives the secret, asked for at each use so that a rotation arrives."""

    def __init__(self, keys: Callable[[], Mapping[str, Any]]) -> None:
        self._keys = keys

    def seal(self, number: str, context: str) -> tuple[str, str]:
        keys = self._keys()
        key_id, nonce = str(keys["current"]), secrets.token_bytes(_NONCE)
        box = self._box(keys, key_id).encrypt(nonce, number.encode(), context.encode())
        return key_id, base64.b64encode(nonce + box).decode()

    def open(self, sealed: str, key_id: str, context: str) -> str:
        # Imported here, as below: 25 ms that only the functions that encrypt pay.
        from cryptography.exceptions import InvalidTag

        raw = base64.b64decode(sealed, validate=True)
        try:
            found: bytes = self._box(self._keys(), key_id).decrypt(raw[:_NONCE], raw[_NONCE:], context.encode())
        except InvalidTag as error:
            raise ValueError(f"{context} was not sealed so") from error
        return found.decode()

    @staticmethod
    def _box(keys: Mapping[str, Any], key_id: str) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(hashlib.sha256(str(keys[key_id]).encode()).digest())
