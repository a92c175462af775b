"""The brand's webhook endpoints and the persons who answer for them.

An endpoint outlives the session that made it, so a URL must not outlive its person. Who leaves, or loses the roles that
give `webhooks:write`, is first stored as such; then the person's endpoints are disabled. An endpoint stored or taken
over at the same time is found by that, or by the check here, which reads the person again after storing it and before
anything is called.
"""

from cardstock.ids import RequestKey, RequestResult
from cardstock.partners import endpoints as partner_endpoints
from cardstock.partners.model import Endpoint
from cardstock.partners.ports import Endpoints, WebhookNeeds
from cardstock.staff.errors import PERSON_INACTIVE
from cardstock.staff.ports import Persons
from cardstock.staff.roles import Role, scopes_of

_RIGHT = frozenset({"webhooks:write"})


class BrandEndpointNeeds(WebhookNeeds, frozen=True):
    """The ports of endpoints that have a person."""

    persons: Persons


def create_endpoint(  # noqa: PLR0917 - an owner, the person who acts, and the two parts of what is asked
    owner: str,
    person_id: str | None,
    url: str | None,
    events: tuple[str, ...],
    request: RequestKey,
    needs: BrandEndpointNeeds,
) -> RequestResult[Endpoint]:
    """An endpoint of `owner`; `person_id` is None for a supplier's key.

    Raises like `partners.endpoints.create_endpoint`, and `ForbiddenError` PERSON_INACTIVE for a person who has lost the
    right meanwhile: then nothing is called. Costs one more read for a person's URL.
    """

    def check() -> None:
        if person_id is not None:
            _require_right(person_id, needs)

    return partner_endpoints.create_endpoint(
        owner, url, events, request, needs=needs, created_by=person_id, check=check
    )


def send_challenge(owner: str, person_id: str | None, endpoint_id: str, needs: BrandEndpointNeeds) -> None:
    """Test an endpoint; the person answers for it from now on if nobody does.

    Raises `NotFoundError`, and `ForbiddenError` PERSON_INACTIVE as above.
    """
    if person_id is not None:
        partner_endpoints.take_over_endpoint(owner, endpoint_id, person_id, endpoints=needs.endpoints)
        _require_right(person_id, needs)
    partner_endpoints.challenge(owner, endpoint_id, needs=needs)


def disable_endpoints_without(roles: frozenset[Role], person_id: str, *, endpoints: Endpoints) -> None:
    """Disable the endpoints of a person whose roles are these from now on, unless they give the right to endpoints.
    Safe to repeat."""
    if not scopes_of(roles) >= _RIGHT:
        partner_endpoints.disable_endpoints_of_person(person_id, endpoints=endpoints)


def _require_right(person_id: str, needs: BrandEndpointNeeds) -> None:
    person = needs.persons.find_persons((person_id,)).get(person_id)
    if person is None or not person.active or not person.key_scopes(_RIGHT) >= _RIGHT:
        partner_endpoints.disable_endpoints_of_person(person_id, endpoints=needs.endpoints)
        raise PERSON_INACTIVE()
