"""HTTP: writing off members' debt, which takes two people and is its own entry in the ledger."""

from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.flows import callers_wiring
from cardstock.flows.concerned_wiring import debtor_of_write_off, member_in_body
from cardstock.ledger import debts_schemas as models
from cardstock.ledger import wiring as ledger_wiring
from cardstock.ledger import write_offs as verbs
from cardstock.members import wiring as members_wiring
from cardstock.staff import wiring as staff_wiring
from cardstock.staff.errors import CONFIRMING

api = Api("debts", callers=callers_wiring.callers, staff=callers_wiring.staff_record)


@api.post(
    "/v1/debt-write-offs",
    body=models.AskWriteOff,
    answer=models.WrittenOff,
    status=201,
    auth="key",
    concerns=member_in_body,
    scope="debts:write_off",
    idempotent=True,
    codes=models.ASKING_CODES,
)
def ask_write_off(request: Request[models.AskWriteOff, Nothing]) -> Answer:
    """Ask to write off a member's debt, or part of it.

    Nothing is booked until another person has approved.
    """
    asked = verbs.ask_write_off(
        request.body.member_id,
        request.body.amount_fen,
        request.body.reason,
        request.caller.actor,
        request.key,
        is_member=lambda member_id: members_wiring.members().find_member(member_id) is not None,
        books=ledger_wiring.books(),
        write_offs=ledger_wiring.write_offs(),
    )
    return Answer(models.WrittenOff.as_asked(asked.made), replayed=asked.replayed)


@api.post(
    "/v1/debt-write-offs/{write_off_id}/approvals",
    body=models.ApproveWriteOff,
    answer=models.WrittenOff,
    auth="key",
    concerns=debtor_of_write_off,
    scope="debts:write_off",
    codes=models.APPROVING_CODES + CONFIRMING,
)
def approve_write_off(request: Request[models.ApproveWriteOff, Nothing]) -> models.WrittenOff:
    """Approve a write-off and book it.

    By another person than the one who asked, whose phone confirms the sum first. Refused if less is owed by now; a
    second approval changes nothing.
    """
    two = staff_wiring.approving(request.caller)
    approved = verbs.approve_write_off(
        request.path["write_off_id"],
        request.body.note,
        request.caller.actor,
        can_approve=two.can_approve,
        confirm=two.confirm,
        write_offs=ledger_wiring.write_offs(),
    )
    return models.WrittenOff.of(approved)


@api.get("/v1/debt-write-offs", query=PageQuery, answer=models.WriteOffList, auth="key", scope="debts:write_off")
def list_write_offs(request: Request[Nothing, PageQuery]) -> models.WriteOffList:
    """List write-offs, including those that wait for a second person."""
    found, following = read_page(
        edge_wiring.signer(), "write-offs", request.query, ledger_wiring.write_offs().list_write_offs
    )
    return models.WriteOffList([models.WrittenOff.of(each) for each in found], following)


handler = api.handler
connect()
