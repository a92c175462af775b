"""HTTP for staff: members as headquarters reads them, and appointing partners."""

from functools import partial

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.clock import brand_day
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.edge.observability import logger
from cardstock.errors import NOT_FOUND, REASON_MISSING
from cardstock.flows import identity_disputes, joining
from cardstock.flows.callers_wiring import callers, staff_record
from cardstock.flows.concerned_wiring import member_in_path
from cardstock.flows.joining_wiring import joining_needs
from cardstock.members import errors, listing, staff_schemas
from cardstock.members import wiring as members_wiring
from cardstock.network.schemas import AppointPartner, Distribution
from cardstock.open_items import wiring as open_items_wiring

api = Api("members", callers=callers, staff=staff_record)


@api.get(
    "/v1/headquarters/members",
    query=staff_schemas.MemberQuery,
    answer=staff_schemas.StaffMembers,
    auth="key",
    scope="members:read",
)
def list_members(request: Request[Nothing, staff_schemas.MemberQuery]) -> staff_schemas.StaffMembers:
    """List the members who registered on a day, newest first, or find the one with a telephone number.

    A number is found as a whole only; who searched and whom it found is logged, without the number. Members of release
    0.2.0 are on their days once `cardstock reindex` has run.
    """
    query, caller, members = request.query, request.caller, members_wiring.members()
    if query.phone is not None:
        found = listing.with_phone(query.phone, members=members)
        # A warning: only a `LogLevel` of ERROR drops the record.
        logger.warning("member searched", by=caller.actor, key_id=caller.id, found=[member.id for member in found])
        return staff_schemas.StaffMembers.of(found, None)
    day = query.registered_on(brand_day(clock.now()))
    page, following = read_page(
        edge_wiring.signer(), f"members:{day}", query, partial(listing.registered_on, day, members=members)
    )
    return staff_schemas.StaffMembers.of(page, following)


@api.get(
    "/v1/headquarters/members/{member_id}",
    answer=staff_schemas.StaffMember,
    auth="key",
    scope="members:read",
    codes=(NOT_FOUND,),
)
def read_member(request: Request[Nothing, Nothing]) -> staff_schemas.StaffMember:
    """Get a member; name and telephone number are masked."""
    member = listing.find_member(request.path["member_id"], members=members_wiring.members())
    return staff_schemas.StaffMember.of(member)


@api.post(
    "/v1/members/{member_id}/partner-appointments",
    body=AppointPartner,
    answer=Distribution,
    auth="key",
    concerns=member_in_path,
    scope="network:appoint",
    codes=(NOT_FOUND, REASON_MISSING),
)
def appoint_partner(request: Request[AppointPartner, Nothing]) -> Distribution:
    """Make a member a partner whom no rule demotes. Who did it and why is stored; a repeat changes nothing."""
    member_id, reason = request.path["member_id"], request.body.reason
    return Distribution.of(joining.appoint_partner(member_id, reason, request.caller.actor, joining_needs()))


@api.post(
    "/v1/headquarters/members/{member_id}/identity-disputes",
    body=staff_schemas.DisputeIdentity,
    answer=staff_schemas.IdentityDispute,
    status=201,
    auth="key",
    concerns=member_in_path,
    scope="open_items:clear",
    idempotent=True,
    codes=(NOT_FOUND, REASON_MISSING, errors.IDENTITY_MISSING),
)
def dispute_identity(request: Request[staff_schemas.DisputeIdentity, Nothing]) -> Answer:
    """Ask to take the verified identity from a member who is not that person, with a reason.

    It opens an item (`identity_disputed`), and changes nothing yet. Once another person has cleared it as `taken_away`,
    whose phone confirms it, the member has no verified identity: payouts wait as `unverified`, and the same identity
    cannot be verified there again. What was paid and declared stays; if anything was, another item (`tax_misfiled`)
    says that the declaration must be corrected.
    """
    made = identity_disputes.dispute_identity(
        request.path["member_id"], request.body.reason, request.caller.actor, request.key,
        members=members_wiring.members(), items=open_items_wiring.open_items(),
    )  # fmt: skip
    return Answer(staff_schemas.IdentityDispute.of(made.made.id, made.made.member_id), replayed=made.replayed)


handler = api.handler
connect()
