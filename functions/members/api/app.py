"""HTTP: sessions, profiles, inviters, and the member's place in the referral network."""

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import MEMBER_ERASED
from cardstock.flows import wiring as flows_wiring
from cardstock.members import schemas as models
from cardstock.members import service, sessions
from cardstock.members import wiring as members_wiring
from cardstock.network import wiring as network_wiring
from cardstock.partners import wiring as partners_wiring

api = Api("members", callers=partners_wiring.callers)


@api.post("/v1/auth/sessions", body=models.OpenSession, answer=models.Session, codes=models.LOGIN_CODES)
def open_session(request: Request[models.OpenSession, Nothing]) -> models.Session:
    """Log in.

    One call registers a newcomer, binds his telephone number and whoever invited him, or nothing of it. An invite that
    cannot be followed refuses a newcomer and is passed over for a known member; `bound_inviter` says who holds.
    """
    body, clock = request.body, process_clock()
    session = service.log_in(
        service.Login(body.platform, body.app_id, body.login_code, body.phone_code, body.invite, body.scene or ""),
        platforms=members_wiring.platforms(),
        members=members_wiring.members(),
        inviters=flows_wiring.inviters(),
        clock=clock,
    )
    tokens, profile = sessions.issue(edge_wiring.signer(), session.member.id), models.told(session.member, clock.now())
    return models.Session(*tokens, profile, session.is_new, session.inviter_id)


@api.post("/v1/auth/refreshes", body=models.RefreshSession, answer=models.Tokens, codes=models.REFRESH_CODES)
def refresh_session(request: Request[models.RefreshSession, Nothing]) -> models.Tokens:
    """Get a fresh pair of tokens for a refresh token."""
    member_id = sessions.redeem(edge_wiring.signer(), request.body.refresh_token)
    member = service.present_member(member_id, members=members_wiring.members())
    return models.Tokens(*sessions.issue(edge_wiring.signer(), member.id))


@api.get("/v1/me", answer=models.Profile, auth="member", codes=(MEMBER_ERASED,))
def get_me(request: Request[Nothing, Nothing]) -> models.Profile:
    """Read the own profile."""
    member = service.present_member(request.caller.id, members=members_wiring.members())
    return models.told(member, process_clock().now())


@api.put("/v1/me", body=models.PutProfile, answer=models.Profile, auth="member", codes=(MEMBER_ERASED,))
def put_me(request: Request[models.PutProfile, Nothing]) -> models.Profile:
    """Replace the own profile."""
    body, members, clock = request.body, members_wiring.members(), process_clock()
    member = service.change_profile(request.caller.id, body.nickname, body.birth_year, members=members, clock=clock)
    return models.told(member, clock.now())


@api.put("/v1/me/identity", body=models.PutIdentity, answer=models.Profile, auth="member", codes=models.IDENTITY_CODES)
def put_identity(request: Request[models.PutIdentity, Nothing]) -> models.Profile:
    """Verify the real name, once; payouts need it.

    The number is not kept, only a salted hash of it. `verification` says who verified: `dev`, which exists on a
    development machine alone, takes the member's own word.
    """
    from cardstock.network import service as network  # a tenth of a start: not for calls without it

    body, clock = request.body, process_clock()
    member = service.verify_person(
        request.caller.id,
        body.name,
        body.id_number,
        members=members_wiring.members(),
        verifier=members_wiring.verifier(),
        clock=clock,
    )
    network.count_verified(member.id, network=network_wiring.network(), clock=clock)
    return models.told(member, clock.now())


@api.post(
    "/v1/me/inviter", body=models.PutInviter, answer=models.Distribution, auth="member", codes=models.INVITER_CODES
)
def put_inviter(request: Request[models.PutInviter, Nothing]) -> models.Distribution:
    """Say who brought you, once and before the first paid order. The same again changes nothing."""
    from cardstock.network import service as network  # a tenth of a start: not for calls without it

    service.follow_invite(request.caller.id, request.body.inviter, inviters=flows_wiring.inviters())
    return models.placed(network.position(request.caller.id, network=network_wiring.network()), flows_wiring.coupons)


@api.get("/v1/me/distribution", answer=models.Distribution, auth="member")
def get_distribution(request: Request[Nothing, Nothing]) -> models.Distribution:
    """Read the own place in the referral network."""
    from cardstock.network import service as network  # a tenth of a start: not for calls without it

    return models.placed(network.position(request.caller.id, network=network_wiring.network()), flows_wiring.coupons)


handler = api.handler
connect()
