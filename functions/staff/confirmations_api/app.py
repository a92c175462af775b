"""HTTP for members who are staff: steps of money that their phone confirms."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.flows.phone_confirmations import answer_confirmation, pending_confirmations
from cardstock.members.errors import SESSION_ENDED
from cardstock.members.wiring import members
from cardstock.partners.wiring import callers
from cardstock.staff import confirmation_schemas as schemas
from cardstock.staff import errors
from cardstock.staff.wiring import confirmations

api = Api("confirmations", callers=callers)


@api.get("/v1/me/staff/confirmations", answer=schemas.PendingConfirmations, auth="member",
         codes=(errors.NOT_STAFF, SESSION_ENDED))  # fmt: skip
def list_pending(request: Request[Nothing, Nothing]) -> schemas.PendingConfirmations:
    """List the steps of money that wait for this phone, oldest first.

    Each says what is to be done, its sum and count, which key or browser asks, and until when. Only the member who is
    linked with a person of the staff sees that person's.
    """
    caller = request.caller
    found = pending_confirmations(caller.id, caller.session_id, members=members(), confirmations=confirmations())
    return schemas.PendingConfirmations.of(found, request.language)


@api.put(
    "/v1/me/staff/confirmations/{confirmation_id}", body=schemas.AnswerConfirmation, answer=schemas.ConfirmationView,
    auth="member",
    codes=(NOT_FOUND, errors.NOT_STAFF, errors.CONFIRMATION_EXPIRED, errors.CONFIRMATION_ANSWERED, SESSION_ENDED),
)  # fmt: skip
def answer(request: Request[schemas.AnswerConfirmation, Nothing]) -> schemas.ConfirmationView:
    """Say yes or no to a step of money, once.

    After a yes the same call of the key or session does the step, until `expires_at`; a no ends it. The same answer
    again changes nothing.
    """
    answered = answer_confirmation(
        request.path["confirmation_id"], request.body.answer, request.caller.id, request.caller.session_id,
        members=members(), confirmations=confirmations(),
    )  # fmt: skip
    return schemas.ConfirmationView.of(answered, request.language)


handler = api.handler
connect()
