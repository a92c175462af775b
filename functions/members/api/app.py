"""HTTP: sessions, profiles, telephone numbers, inviters, and the member's place in the referral network."""

from cardstock.aws.counters import DynamoCounts
from cardstock.aws.tables import connect
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.edge.wiring import signer
from cardstock.errors import MEMBER_ERASED, NOT_FOUND
from cardstock.flows import joining
from cardstock.flows.joining_wiring import joining_needs, login_needs, merge_needs
from cardstock.members import profile, schemas, sessions
from cardstock.members.identity import IDENTITY_CHECKS
from cardstock.members.wiring import member_sessions, members, refresh_needs
from cardstock.network.schemas import Distribution
from cardstock.partners.wiring import callers

api = Api("members", callers=callers, counts=DynamoCounts)


@api.post("/v1/auth/sessions", body=schemas.OpenSession, answer=schemas.Session, codes=schemas.LOGIN_CODES)
def open_session(request: Request[schemas.OpenSession, Nothing]) -> schemas.Session:
    """Log in.

    A new member is registered with number, inviter and `consents`, all of it or nothing; nobody gets in without the
    consent to `account` in its present version, given now or before. An invalid invite is an error for new members
    alone. One session above twenty ends the oldest. A number of another member moves here (the other's `phone_lost`),
    if the account may not join it; or it stays there (`phone_not_bound`), on Alipay always, elsewhere if it is staff's.
    """
    result = joining.log_in(request.body.login_request(), login_needs(), merge_needs())
    return schemas.Session.of(result, sessions.tokens_of(signer(), result.session))


@api.post("/v1/auth/refreshes", body=schemas.RefreshSession, answer=schemas.Tokens, codes=schemas.REFRESH_CODES)
def refresh_session(request: Request[schemas.RefreshSession, Nothing]) -> schemas.Tokens:
    """Exchange a refresh token for the next pair of tokens, once.

    Its repeat within thirty seconds gets the pair again; a later one is taken for theft, and ends the session.
    `CONSENT_MISSING`: the text of `account` has changed; log in with the consent to it.
    """
    return schemas.Tokens.of(sessions.refresh(request.body.refresh_token, refresh_needs()))


@api.delete("/v1/auth/sessions/current", status=204, auth="member")
def end_this_session(request: Request[Nothing, Nothing]) -> Answer:
    """Log out here: end the session of this call. Access tokens stay good for fifteen minutes at most."""
    sessions.log_out(request.caller.id, request.caller.session_id, sessions=member_sessions())
    return Answer("", status=204)


@api.get("/v1/me/sessions", answer=schemas.SessionList, auth="member")
def list_sessions(request: Request[Nothing, Nothing]) -> schemas.SessionList:
    """List the member's sessions, newest first: where each began, and when."""
    found = sessions.live_sessions(request.caller.id, sessions=member_sessions())
    return schemas.SessionList([schemas.SessionView.of(each, request.caller.session_id) for each in found])


@api.delete("/v1/me/sessions", status=204, auth="member")
def end_all_sessions(request: Request[Nothing, Nothing]) -> Answer:
    """Log out everywhere, here too. Access tokens stay good for fifteen minutes at most."""
    sessions.end_all(request.caller.id, sessions=member_sessions())
    return Answer("", status=204)


@api.delete("/v1/me/sessions/{session_id}", status=204, auth="member", codes=(NOT_FOUND,))
def end_session(request: Request[Nothing, Nothing]) -> Answer:
    """End one of the member's sessions, on another device."""
    sessions.end_session(request.caller.id, request.path["session_id"], sessions=member_sessions())
    return Answer("", status=204)


@api.put("/v1/me/phone", body=schemas.PutPhone, answer=schemas.Profile, auth="member", codes=schemas.PHONE_CODES)
def put_phone(request: Request[schemas.PutPhone, Nothing]) -> schemas.Profile:
    """Change the member's telephone number, by a code of the platform on which the session began.

    The old number is free. Another member's moves here as at a log-in (`phone_lost`), or stays there (`PHONE_HELD`).
    The same number again changes nothing. Each code counts as at a log-in (`TOO_MANY`).
    """
    return schemas.Profile.of(joining.change_phone(request.body.request(request.caller), login_needs(), merge_needs()))


@api.get("/v1/me", answer=schemas.Profile, auth="member", codes=(MEMBER_ERASED,))
def get_me(request: Request[Nothing, Nothing]) -> schemas.Profile:
    """Read the member's profile."""
    return schemas.Profile.of(profile.find_caller(request.caller.id, members=members()))


@api.put("/v1/me", body=schemas.PutProfile, answer=schemas.Profile, auth="member", codes=(MEMBER_ERASED,))
def put_me(request: Request[schemas.PutProfile, Nothing]) -> schemas.Profile:
    """Replace the member's profile."""
    who, said = request.caller.id, request.body
    return schemas.Profile.of(profile.change_profile(who, said.nickname, said.birth_year, members=members()))


@api.put(
    "/v1/me/identity", body=schemas.PutIdentity, answer=schemas.Profile, auth="member", codes=schemas.IDENTITY_CODES,
    limit=IDENTITY_CHECKS,
)  # fmt: skip
def put_identity(request: Request[schemas.PutIdentity, Nothing]) -> schemas.Profile:
    """Verify the member's real name, once; payouts need it.

    Of the number only a salted hash, a mask and the date of birth are stored. The service is asked ten times a day at
    most (`TOO_MANY`); the same person again is 200 without asking, also after `identity_check` was withdrawn.
    """
    who, said, ports = request.caller.id, request.body, joining_needs()
    return schemas.Profile.of(joining.verify_person(who, said.name, said.id_number, request.count, ports))


@api.post("/v1/me/inviter", body=schemas.PutInviter, answer=Distribution, auth="member", codes=schemas.INVITER_CODES)
def put_inviter(request: Request[schemas.PutInviter, Nothing]) -> Distribution:
    """Bind the member to an inviter, once and before the first paid order. A repeat changes nothing."""
    return Distribution.of(joining.follow_invite(request.caller.id, request.body.inviter, joining_needs()))


@api.get("/v1/me/distribution", answer=Distribution, auth="member")
def get_distribution(request: Request[Nothing, Nothing]) -> Distribution:
    """Read the member's place in the referral network."""
    return Distribution.of(joining.place_of(request.caller.id, joining_needs()))


handler = api.handler
connect()
