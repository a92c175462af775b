"""Tokens of members who did not log in: tests of other things need them."""

from datetime import timedelta

from cardstock.edge import wiring as edge_wiring
from cardstock.signing import ACCESS


def access_token(member_id: str, *, hours: int = 2) -> str:
    """An access token of no session, as v0.2.0 gave it."""
    return edge_wiring.signer().sign(ACCESS, {"sub": member_id}, lifetime=timedelta(hours=hours))


def old_refresh_token(member_id: str) -> str:
    """A refresh token as v0.2.0 gave it: good for thirty days, and it names no session."""
    return edge_wiring.signer().sign("refresh", {"sub": member_id}, lifetime=timedelta(days=30))
