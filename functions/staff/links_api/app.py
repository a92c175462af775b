"""HTTP for owners: links of persons with members, ending sessions, roles, and the record of what the staff did."""

from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Answer, Api, Nothing, Request, nobody
from cardstock.errors import NOT_FOUND
from cardstock.flows import callers_wiring
from cardstock.staff import console_schemas, errors, linking, listing
from cardstock.staff import persons as staff
from cardstock.staff import schemas as models
from cardstock.staff import wiring as staff_wiring

api = Api("staff", callers=callers_wiring.callers, staff=callers_wiring.staff_record)


@api.put(
    "/v1/staff/{person_id}/invitation", answer=models.InvitationView, auth="key", concerns=nobody, scope="staff:write",
    codes=(NOT_FOUND, errors.OWN_RIGHTS, errors.FIRST_PERSONS_ONLY, errors.PERSON_LINKED),
)  # fmt: skip
def invite_person(request: Request[Nothing, Nothing]) -> models.InvitationView:
    """Make an invitation that links a member with the person, once, within thirty minutes.

    It is shown this once, and ends an earlier one of the person. The root key invites the first two persons; others,
    and these too, are invited by another person. A person without a linked member cannot log in to the console.
    """
    person_id = request.path["person_id"]
    made = linking.invite(person_id, request.caller.person_id, links=staff_wiring.links())
    return models.InvitationView.of(person_id, made)


@api.post(
    "/v1/staff/{person_id}/link-releases", body=models.GiveReason, status=204,
    auth="key", concerns=nobody, scope="staff:write",
    codes=(NOT_FOUND, errors.PERSON_NEEDED, errors.OWN_RIGHTS),
)  # fmt: skip
def release_link(request: Request[models.GiveReason, Nothing]) -> Answer:
    """Release the link of a person with a member. A repeat changes nothing.

    The member is free again to change its telephone number; the person needs a new invitation. Nobody releases their
    own link.
    """
    linking.release(request.path["person_id"], request.caller.person_id, links=staff_wiring.links())
    return Answer("", status=204)


@api.delete(
    "/v1/staff/{person_id}/sessions", status=204, auth="key", concerns=nobody, scope="staff:write", codes=(NOT_FOUND,)
)
def end_sessions(request: Request[Nothing, Nothing]) -> Answer:
    """End all sessions of a person in the console. Their next requests are refused."""
    staff.end_sessions(request.path["person_id"], persons=staff_wiring.persons())
    return Answer("", status=204)


@api.get("/v1/staff-roles", answer=console_schemas.RoleList, auth="key", scope="staff:write")
def list_roles(request: Request[Nothing, Nothing]) -> console_schemas.RoleList:
    """List the roles and the scopes that each gives."""
    return console_schemas.RoleList.in_language(request.language)


@api.get(
    "/v1/staff-actions", query=console_schemas.ActionQuery, answer=console_schemas.ActionList, auth="key",
    scope="staff:write",
)  # fmt: skip
def list_actions(request: Request[Nothing, console_schemas.ActionQuery]) -> console_schemas.ActionList:
    """List what persons of the staff did: who, when, what, why. Newest first, of a person, of a day, or of all.

    Every request of a person that changes something is recorded before it begins, unless it is refused.
    """
    query = request.query
    since, until = query.bounds()

    def read(limit: int, after: str | None) -> listing.ActionPage:
        persons, actions = staff_wiring.persons(), staff_wiring.actions()
        return listing.list_actions(query.person_id, (since, until), limit, after, persons=persons, actions=actions)

    found, following = read_page(edge_wiring.signer(), f"actions:{query.person_id}:{query.day}", query, read)
    return console_schemas.ActionList([console_schemas.ActionView.of(each) for each in found], following)


handler = api.handler
connect()
