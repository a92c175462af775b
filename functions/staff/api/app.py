"""HTTP: persons of the staff."""

from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request, nobody
from cardstock.errors import NOT_FOUND
from cardstock.flows import callers_wiring
from cardstock.flows.brand_endpoints import disable_endpoints_without
from cardstock.flows.staff_keys import deactivate_person
from cardstock.partners import wiring as partners_wiring
from cardstock.partners.endpoints import endpoints_left
from cardstock.staff import errors
from cardstock.staff import persons as staff
from cardstock.staff import schemas as models
from cardstock.staff import wiring as staff_wiring

api = Api("staff", callers=callers_wiring.callers, staff=callers_wiring.staff_record)


@api.post(
    "/v1/staff", body=models.CreatePerson, answer=models.PersonView, status=201,
    auth="key", concerns=nobody, scope="staff:write",
    idempotent=True, codes=(errors.FIRST_PERSONS_EXIST, errors.PERSON_INACTIVE, errors.CREATOR_TOO_NEW),
)  # fmt: skip
def create_person(request: Request[models.CreatePerson, Nothing]) -> Answer:
    """Create a person of the staff.

    The root key creates the first two persons, who are owners; an owner creates the others, who have no roles yet. For
    seven days a person cannot approve the work of whoever created that person, nor of others whom the same person
    created, nor can they that person's: such two count as two persons seven days after the newer one's `created_at`.
    The first two persons count as two at once.
    """
    created = staff.create_person(
        request.body.name, request.caller.person_id, request.key, persons=staff_wiring.persons()
    )
    return Answer(models.PersonView.as_created(created.made), replayed=created.replayed)


@api.get("/v1/staff", query=PageQuery, answer=models.StaffList, auth="key", scope="staff:write")
def list_staff(request: Request[Nothing, PageQuery]) -> models.StaffList:
    """List all persons of the staff, including inactive ones."""
    found, following = read_page(edge_wiring.signer(), "staff", request.query, staff_wiring.persons().persons)
    left = endpoints_left(partners_wiring.endpoints())
    return models.StaffList([models.PersonView.of(person, left.get(person.person_id)) for person in found], following)


@api.delete(
    "/v1/staff/{person_id}", status=204, auth="key", concerns=nobody, scope="staff:write",
    codes=(
        NOT_FOUND, errors.PERSON_NEEDED, errors.PERSON_INACTIVE, errors.OWN_PERSON, errors.CREATOR_TOO_NEW,
        errors.LAST_PERSONS,
    ),
)  # fmt: skip
def remove_person(request: Request[Nothing, Nothing]) -> Answer:
    """Deactivate a person for good, revoke that person's API keys, and disable the webhook endpoints of that person.

    The brand's endpoints with a URL for which the person answers get nothing more until another person has tested them:
    the person's `endpoints_disabled` in the list of the staff. Their deliveries are kept, and can be delivered then.
    All keys are refused once this is answered; repeat a call that failed. The root key cannot do this, nor a person in
    the first seven days, and nobody deactivates themself. Two active persons always remain.
    """
    deactivate_person(
        request.path["person_id"], request.caller.person_id, persons=staff_wiring.persons(),
        keys=partners_wiring.partner_keys(), endpoints=partners_wiring.endpoints(),
    )  # fmt: skip
    return Answer("", status=204)


@api.put(
    "/v1/staff/{person_id}/roles", body=models.PutRoles, answer=models.PersonView, auth="key", concerns=nobody,
    scope="staff:write",
    codes=(NOT_FOUND, errors.PERSON_NEEDED, errors.PERSON_INACTIVE, errors.OWN_RIGHTS, errors.CREATOR_TOO_NEW),
)  # fmt: skip
def put_roles(request: Request[models.PutRoles, Nothing]) -> models.PersonView:
    """Give a person roles, in place of those before, with a reason.

    They count from the next request on, also for keys and sessions that exist. Owners do this, for others only, so the
    last owner cannot be lost. The root key cannot. Without a role that gives `webhooks:write`, the brand's endpoints
    with a URL for which the person answers are disabled, as when the person leaves: `endpoints_disabled`.
    """
    person_id, caller = request.path["person_id"], request.caller
    person = staff.set_roles(person_id, request.body.roles, caller.person_id, persons=staff_wiring.persons())
    disable_endpoints_without(request.body.roles, person_id, endpoints=partners_wiring.endpoints())
    return models.PersonView.of(person, endpoints_left(partners_wiring.endpoints()).get(person_id))


handler = api.handler
connect()
