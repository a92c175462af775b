"""HTTP for members who are staff: linking member and person, and letting browsers in to the console."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.errors import MEMBER_ERASED, NOT_FOUND, TOO_MANY
from cardstock.flows import staff_logins
from cardstock.members.errors import SESSION_ENDED
from cardstock.members.wiring import members
from cardstock.partners.wiring import callers
from cardstock.staff import console_schemas, errors, linking, logging_in, schemas
from cardstock.staff import wiring as staff_wiring

api = Api("staff", callers=callers)


@api.put(
    "/v1/me/staff", body=schemas.AcceptInvitation, answer=schemas.LinkedPersonView, auth="member",
    codes=(errors.INVITATION_INVALID, errors.MEMBER_IS_STAFF, MEMBER_ERASED),
)  # fmt: skip
def accept_invitation(request: Request[schemas.AcceptInvitation, Nothing]) -> schemas.LinkedPersonView:
    """Accept an invitation: the member is that person of the staff from now on, until an owner releases the link.

    A linked member keeps its telephone number, and no account joins it.
    """
    person = linking.accept(request.body.invitation, request.caller.id, links=staff_wiring.links())
    return schemas.LinkedPersonView.of(person)


@api.get("/v1/me/staff-logins", answer=console_schemas.WaitingLogins, auth="member", codes=(SESSION_ENDED,))
def list_logins(request: Request[Nothing, Nothing]) -> console_schemas.WaitingLogins:
    """List the browsers that want to log in to the console as the member's person; empty for other members.

    Look at browser, network address and time: whoever asked shows the digits. Leave alone what you did not ask for.
    """
    person_id = staff_logins.person_of(request.caller.id, request.caller.session_id, staff_wiring.persons(), members())
    found = logging_in.waiting_logins(person_id, console=staff_wiring.console()) if person_id else []
    return console_schemas.WaitingLogins([console_schemas.WaitingLogin.of(each) for each in found])


@api.put(
    "/v1/me/staff-logins/{login_id}", body=console_schemas.ChooseDigits, status=204, auth="member",
    codes=(NOT_FOUND, errors.DIGITS_WRONG, SESSION_ENDED, TOO_MANY),
)  # fmt: skip
def choose_digits(request: Request[console_schemas.ChooseDigits, Nothing]) -> Answer:
    """Choose the digits that the browser shows, to let it in. Other digits end the log-in: there is one try.

    After three wrong answers within ten minutes the phone lets no browser in until these are over (`TOO_MANY`).
    """
    member_id = request.caller.id
    person_id = staff_logins.person_of(member_id, request.caller.session_id, staff_wiring.persons(), members())
    if person_id is None:
        raise NOT_FOUND()
    login_id, digits = request.path["login_id"], request.body.digits
    logging_in.choose(person_id, login_id, digits, member_id, console=staff_wiring.console())
    return Answer("", status=204)


handler = api.handler
connect()
