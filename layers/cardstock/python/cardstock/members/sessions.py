"""Members' sessions: their tokens, refreshing them once each, and ending them.

An access token is good for fifteen minutes and names its session; nothing is asked when it is used, so it outlives a
session that ends. A refresh token is good once within thirty days.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from cardstock import clock
from cardstock.errors import CONSENT_MISSING, MEMBER_ERASED, NOT_FOUND
from cardstock.ids import derived_id
from cardstock.members import errors
from cardstock.members.consent_model import Versions
from cardstock.members.ports import Sessions
from cardstock.members.session_model import ACCESS_LIFETIME, REFRESH_LIFETIME, Session, started
from cardstock.signing import ACCESS, Signer

_REFRESH: Final = "refresh"


class SessionTokens(NamedTuple):
    """A pair of tokens, and the seconds until the access token expires."""

    access_token: str
    refresh_token: str
    expires_in: int


def tokens_of(signer: Signer, session: Session) -> SessionTokens:
    """The pair of tokens of the session as it is now."""
    return _tokens(signer, session.member_id, session.id, session.account, session.number)


def _tokens(signer: Signer, member_id: str, session_id: str, account: str, number: int) -> SessionTokens:
    claims = {"sub": member_id, "sid": session_id, "acc": account}
    return SessionTokens(
        access_token=signer.sign(ACCESS, claims, lifetime=ACCESS_LIFETIME),
        refresh_token=signer.sign(_REFRESH, claims | {"n": number}, lifetime=REFRESH_LIFETIME),
        expires_in=int(ACCESS_LIFETIME.total_seconds()),
    )


class RefreshNeeds(NamedTuple):
    """The ports of refreshing a session. `tell_reuse` gets member and session of a token that was used again."""

    signer: Signer
    sessions: Sessions
    tell_reuse: Callable[[str, str], None]
    versions: Versions


def refresh(refresh_token: str, needs: RefreshNeeds) -> SessionTokens:
    """The next pair of tokens for a refresh token, which is used up by that.

    The token before the current one gets the current pair again for thirty seconds, since its answer may have been
    lost. Later, somebody else holds the session's tokens: the session ends, and `tell_reuse` gets member and session.
    A token of v0.2.0 names no session: it is exchanged for one, once. Raises `UnauthorizedError`: TOKEN_INVALID,
    TOKEN_EXPIRED, SESSION_ENDED, MEMBER_ERASED; `RefusedError` (CONSENT_MISSING) if the member's consent to `account`
    is not of its version in force: nothing is used up then, and a log-in with the consent goes on.
    """
    signer, sessions, versions = needs.signer, needs.sessions, needs.versions
    claims = signer.open(_REFRESH, refresh_token)
    member_id, now = str(claims["sub"]), clock.now()
    if "sid" in claims:
        session_id, number = str(claims["sid"]), int(claims["n"])
        found = sessions.use_number(member_id, session_id, number, now, versions["account"])
    else:
        session_id, number = derived_id("ses", refresh_token), 0
        found = sessions.adopt(started(session_id, member_id, "", now), versions["account"])
    if found == "erased":
        raise MEMBER_ERASED()
    if found == "lapsed":
        raise CONSENT_MISSING(purpose="account", version=versions["account"])
    if found is None:
        raise errors.SESSION_ENDED()
    if not found.follows(number, now):
        needs.tell_reuse(member_id, session_id)
        sessions.end(member_id, session_id)
        raise errors.SESSION_ENDED()
    return _tokens(signer, member_id, session_id, str(claims.get("acc", "")), found.number)


def log_out(member_id: str, session_id: str, *, sessions: Sessions) -> None:
    """End the session. The access token of v0.2.0 names none: then all refresh tokens of that release end."""
    if session_id:
        sessions.end(member_id, session_id)
    else:
        sessions.refuse_earlier(member_id, clock.now())


def end_session(member_id: str, session_id: str, *, sessions: Sessions) -> None:
    """End one of the member's sessions. Raises `NotFoundError` for what is none, or has ended."""
    if not (session_id.startswith("ses_") and sessions.end(member_id, session_id)):
        raise NOT_FOUND()


def end_all(member_id: str, *, sessions: Sessions) -> None:
    """End every session of the member, and refuse all refresh tokens of v0.2.0. One that starts meanwhile ends too, or
    starts after it."""
    sessions.end_all(member_id, clock.now())


def live_sessions(member_id: str, *, sessions: Sessions) -> Sequence[Session]:
    """The member's sessions that have not expired, newest first: at most twenty."""
    now = clock.now()
    found = [each for each in sessions.sessions_of(member_id) if each.expires_at > now]
    return sorted(found, key=lambda each: each.id, reverse=True)
