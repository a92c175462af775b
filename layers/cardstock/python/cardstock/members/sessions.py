"""The tokens of a member's session: an access token for two hours, and a refresh token for thirty days."""

from datetime import timedelta
from typing import Final, NamedTuple

from cardstock.signing import ACCESS, Signer

ACCESS_LIFETIME: Final = timedelta(hours=2)
REFRESH_LIFETIME: Final = timedelta(days=30)
_REFRESH: Final = "refresh"


class SessionTokens(NamedTuple):
    """A pair of tokens, and the seconds until the access token expires."""

    access_token: str
    refresh_token: str
    expires_in: int


def issue_tokens(signer: Signer, member_id: str) -> SessionTokens:
    """A fresh pair of tokens for the member."""
    claims = {"sub": member_id}
    return SessionTokens(
        access_token=signer.sign(ACCESS, claims, lifetime=ACCESS_LIFETIME),
        refresh_token=signer.sign(_REFRESH, claims, lifetime=REFRESH_LIFETIME),
        expires_in=int(ACCESS_LIFETIME.total_seconds()),
    )


def open_refresh_token(signer: Signer, refresh_token: str) -> str:
    """The member id in a refresh token. Raises `UnauthorizedError` (TOKEN_INVALID, TOKEN_EXPIRED)."""
    return str(signer.open(_REFRESH, refresh_token)["sub"])
