"""HTTP for staff: appointing partners."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND, REASON_MISSING
from cardstock.flows import joining
from cardstock.flows.wiring import joining_needs
from cardstock.network.schemas import AppointPartner, Distribution
from cardstock.partners.wiring import callers

api = Api("members", callers=callers)


@api.post(
    "/v1/members/{member_id}/partner-appointments",
    body=AppointPartner,
    answer=Distribution,
    auth="key",
    scope="network:appoint",
    codes=(NOT_FOUND, REASON_MISSING),
)
def appoint_partner(request: Request[AppointPartner, Nothing]) -> Distribution:
    """Make a member a partner whom no rule demotes. Who did it and why is stored; a repeat changes nothing."""
    member_id, reason = request.path["member_id"], request.body.reason
    return Distribution.of(joining.appoint_partner(member_id, reason, request.caller.actor, joining_needs()))


handler = api.handler
connect()
