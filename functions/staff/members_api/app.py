"""HTTP for members who are staff: linking member and person."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import MEMBER_ERASED
from cardstock.partners.wiring import callers
from cardstock.staff import errors, linking, schemas
from cardstock.staff.wiring import links

api = Api("staff", callers=callers)


@api.put(
    "/v1/me/staff", body=schemas.AcceptInvitation, answer=schemas.LinkedPersonView, auth="member",
    codes=(errors.INVITATION_INVALID, errors.MEMBER_IS_STAFF, MEMBER_ERASED),
)  # fmt: skip
def accept_invitation(request: Request[schemas.AcceptInvitation, Nothing]) -> schemas.LinkedPersonView:
    """Accept an invitation: the member is that person of the staff from now on, until an owner releases the link.

    A linked member keeps its telephone number, and no account joins it.
    """
    person = linking.accept(request.body.invitation, request.caller.id, links=links())
    return schemas.LinkedPersonView.of(person)


handler = api.handler
connect()
