"""The tokens of a member's session: one that opens doors for two hours, one that gets new ones for thirty days."""

from datetime import timedelta
from typing import Final

from cardstock.edge.callers import ACCESS
from cardstock.edge.tokens import Signer

ACCESS_LIFETIME: Final = timedelta(hours=2)
REFRESH_LIFETIME: Final = timedelta(days=30)
_REFRESH: Final = "refresh"


def issue(signer: Signer, member_id: str) -> tuple[str, str, int]:
    """Access token, refresh token, and in how many seconds the access token expires."""
    claims = {"sub": member_id}
    return (
        signer.sign(ACCESS, claims, lifetime=ACCESS_LIFETIME),
        signer.sign(_REFRESH, claims, lifetime=REFRESH_LIFETIME),
        int(ACCESS_LIFETIME.total_seconds()),
    )


def redeem(signer: Signer, refresh_token: str) -> str:
    """Whose refresh token it is. Raises `UnauthorizedError` (TOKEN_INVALID, TOKEN_EXPIRED)."""
    return str(signer.open(_REFRESH, refresh_token)["sub"])
