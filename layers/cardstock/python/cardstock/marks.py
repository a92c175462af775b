"""Marks: what is stored of a name by which a person could be recognised, where equal names must be found again.

Release v0.3.0 stored hashes without a key: whoever had a list of names could look them up. A mark is made of such a
hash, so that `Marker.renew` can replace the old ones.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from cardstock.ids import base32, derived_id

MarkKind: TypeAlias = Literal["payer", "device", "account", "phone"]
_LETTERS: Final = 26


class Marker:
    """Makes marks with the deployment's own key, which `key` returns when a mark is first wanted."""

    def __init__(self, key: Callable[[], str]) -> None:
        self._key = key

    def of(self, kind: MarkKind, name: str) -> str:
        """`payer.` and 26 letters: equal for equal names, and of no use to anybody without the key.

        Raises `UnavailableError` when the key cannot be had.
        """
        return self.renew(derived_id(kind, name))

    def renew(self, stored: str) -> str:
        """The mark in the place of a hash that release v0.3.0 stored (`payer_...`); a mark, or nothing, as it is."""
        kind, separator, _ = stored.partition("_")
        if not separator:
            return stored
        digest = hmac.digest(self._key().encode(), stored.encode(), hashlib.sha256)
        return f"{kind}.{base32(int.from_bytes(digest[:17], 'big') >> 6, _LETTERS)}"
