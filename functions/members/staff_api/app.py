"""HTTP for staff: appointing partners."""

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND, REASON_MISSING
from cardstock.flows import wiring as flows_wiring
from cardstock.members import schemas as models
from cardstock.members import service
from cardstock.members import wiring as members_wiring
from cardstock.network import wiring as network_wiring
from cardstock.partners import wiring as partners_wiring

api = Api("members", callers=partners_wiring.callers)


@api.post(
    "/v1/members/{member_id}/partner-appointments",
    body=models.AppointPartner,
    answer=models.Distribution,
    auth="key",
    scope="network:appoint",
    codes=(NOT_FOUND, REASON_MISSING),
)
def appoint_partner(request: Request[models.AppointPartner, Nothing]) -> models.Distribution:
    """Make a member a partner whom no rule demotes. Who did it and why is kept; a repeat changes nothing."""
    from cardstock.network import service as network  # a tenth of a start: not for calls without it

    member = service.known_member(request.path["member_id"], members=members_wiring.members())
    node = network.appoint_partner(
        member.id,
        request.body.reason,
        request.caller.id,
        network=network_wiring.network(),
        clock=process_clock(),
    )
    return models.placed(node, flows_wiring.coupons)


handler = api.handler
connect()
