"""HTTP: sessions, profiles, inviters, and the member's place in the referral network."""

from cardstock import clock
from cardstock.aws.counters import DynamoCounts
from cardstock.aws.tables import connect
from cardstock.clock import rfc3339
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.edge.wiring import signer
from cardstock.errors import MEMBER_ERASED, NOT_FOUND
from cardstock.flows import joining
from cardstock.flows.joining_wiring import joining_needs, login_needs, merge_needs
from cardstock.members import phones, profile, schemas, sessions
from cardstock.members.identity import IDENTITY_CHECKS
from cardstock.members.wiring import member_sessions, members, refresh_needs
from cardstock.network.schemas import Distribution
from cardstock.partners.wiring import callers

api = Api("members", callers=callers, counts=DynamoCounts)


@api.post("/v1/auth/sessions", body=schemas.OpenSession, answer=schemas.Session, codes=schemas.LOGIN_CODES)
def open_session(request: Request[schemas.OpenSession, Nothing]) -> schemas.Session:
    """Log in.

    A new member is registered with phone number, inviter and `consents`, all of it or nothing. Nobody gets in without
    the consent to `account` in its present version, given now or before. An invalid invite is an error for new members
    and ignored for known ones; `bound_inviter` is the inviter now bound. One session above twenty ends the oldest. A
    number of another member moves here, which `phone_lost` tells the other, unless the account may join it.
    """
    result = joining.log_in(request.body.login_request(), login_needs(), merge_needs())
    return schemas.Session.of(result, sessions.tokens_of(signer(), result.session), clock.now())


@api.post("/v1/auth/refreshes", body=schemas.RefreshSession, answer=schemas.Tokens, codes=schemas.REFRESH_CODES)
def refresh_session(request: Request[schemas.RefreshSession, Nothing]) -> schemas.Tokens:
    """Exchange a refresh token for the next pair of tokens, once.

    If the answer got lost, the same token gets the pair again for thirty seconds. After that it is taken for stolen and
    ends the session. `CONSENT_MISSING`: the text of `account` has changed; log in with the consent to it.
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


@api.put("/v1/me/joining", answer=schemas.Joining, auth="member", codes=schemas.JOINING_CODES)
def put_joining(request: Request[Nothing, Nothing]) -> schemas.Joining:
    """Let the next account that logs in with the member's number within ten minutes join, if it has no member."""
    return schemas.Joining(rfc3339(phones.open_joining(request.caller.id, members=members())))


@api.get("/v1/me", answer=schemas.Profile, auth="member", codes=(MEMBER_ERASED,))
def get_me(request: Request[Nothing, Nothing]) -> schemas.Profile:
    """Read the member's profile."""
    return schemas.Profile.of(profile.find_caller(request.caller.id, members=members()), clock.now())


@api.put("/v1/me", body=schemas.PutProfile, answer=schemas.Profile, auth="member", codes=(MEMBER_ERASED,))
def put_me(request: Request[schemas.PutProfile, Nothing]) -> schemas.Profile:
    """Replace the member's profile."""
    wanted = request.body.nickname, request.body.birth_year
    member = profile.change_profile(request.caller.id, *wanted, members=members())
    return schemas.Profile.of(member, clock.now())


@api.put(
    "/v1/me/identity", body=schemas.PutIdentity, answer=schemas.Profile, auth="member", codes=schemas.IDENTITY_CODES,
    limit=IDENTITY_CHECKS,
)  # fmt: skip
def put_identity(request: Request[schemas.PutIdentity, Nothing]) -> schemas.Profile:
    """Verify the member's real name, once; payouts need it.

    The number is not stored, only its salted hash, mask and date of birth. `verification` says who verified: `dev`, on
    development machines alone, accepts any name. The service is asked ten times a day at most (`TOO_MANY`); the same
    person again is 200 without asking, also after `identity_check` was withdrawn.
    """
    who, said, ports = request.caller.id, request.body, joining_needs()
    return schemas.Profile.of(joining.verify_person(who, said.name, said.id_number, request.count, ports), clock.now())


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
