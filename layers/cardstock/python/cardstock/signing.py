"""What signs tokens, as the areas see it; `edge.tokens` makes it.

A token opens only under the purpose that it was made for, and before it expires.
"""

from datetime import timedelta
from typing import Any, Final, Protocol

ACCESS: Final = "access"
"""The purpose of a member's access token: `sub` is the member id, `sid` the session, `acc` the account's name. Tokens
of v0.2.0 have `sub` alone."""


class Signer(Protocol):
    """Makes and opens tokens: `edge.tokens.Signer`."""

    def sign(self, purpose: str, claims: dict[str, Any], *, lifetime: timedelta | None = None) -> str:
        """A token of `claims` for `purpose`."""

    def open(self, purpose: str, token: str) -> dict[str, Any]:
        """The claims of a genuine, unexpired token. Raises `UnauthorizedError` (TOKEN_INVALID, TOKEN_EXPIRED)."""
