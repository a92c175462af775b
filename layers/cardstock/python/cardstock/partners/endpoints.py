"""Webhook endpoints: creating them, the challenge that makes them active, and changing their secrets."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from cardstock import clock
from cardstock.clock import rfc3339
from cardstock.errors import NOT_FOUND, STORE_BUSY, Pointer
from cardstock.ids import RequestKey, RequestResult, derived_id
from cardstock.partners import errors
from cardstock.partners.deliveries import add_delivery
from cardstock.partners.model import CHALLENGE, EVENT_TYPES, STAFF, SUPPLIER_EVENTS, Endpoint, EndpointStatus, Event
from cardstock.partners.ports import Endpoints, WebhookNeeds
from cardstock.partners.suppliers import new_secret

MAX_ENDPOINTS: Final = 20
_ATTEMPTS: Final = 4


def create_endpoint(
    owner: str,
    url: str | None,
    events: tuple[str, ...],
    request: RequestKey,
    *,
    needs: WebhookNeeds,
    created_by: str | None = None,
    check: Callable[[], None] = lambda: None,
) -> RequestResult[Endpoint]:
    """An endpoint of `owner` with its challenge queued; a repeat of `request` gives the same.

    Without a URL it is active from the start, and its deliveries are kept to be fetched. `created_by` is the person of
    the brand's staff who creates it. `check` runs between storing the endpoint and its challenge: if it raises, nothing
    is ever called. Raises `InvalidError`
    EVENT_UNKNOWN for a type that `owner` never gets, `RefusedError` TOO_MANY_ENDPOINTS.
    """
    allowed = ["*", *(EVENT_TYPES if owner == STAFF else SUPPLIER_EVENTS)]
    wrong = [at for at, kind in enumerate(events) if kind not in allowed]
    if wrong:
        bounds: dict[str, object] = {"allowed": allowed}
        raise errors.EVENT_UNKNOWN(pointers=tuple(Pointer(f"/events/{at}", "OUT_OF_RANGE", bounds) for at in wrong))
    endpoint_id = derived_id("whe", request.id)
    endpoints = needs.endpoints
    if endpoints.find(owner, endpoint_id) is None and len(endpoints.of(owner)) >= MAX_ENDPOINTS:
        raise errors.TOO_MANY_ENDPOINTS(limit=MAX_ENDPOINTS)
    status: EndpointStatus = "active" if url is None else "pending"
    endpoint = Endpoint(
        endpoint_id, owner, url, events, (new_secret(),), status, None, clock.now(), created_by, created_by
    )
    earlier = endpoints.add(endpoint, request)
    if earlier is not None:
        stored = endpoints.find(owner, earlier)
        if stored is None:
            raise NOT_FOUND()
        endpoint = stored
    if endpoint.status == "pending":
        check()
        # Also if it existed: the request that made it may have been killed before this line.
        _challenge(endpoint, endpoint.created_at, needs)
    return RequestResult(endpoint, replayed=earlier is not None)


def existing_endpoint(owner: str, endpoint_id: str, *, endpoints: Endpoints) -> Endpoint:
    """The owner's endpoint. Raises `NotFoundError`."""
    endpoint = endpoints.find(owner, endpoint_id)
    if endpoint is None:
        raise NOT_FOUND()
    return endpoint


def remove_endpoint(owner: str, endpoint_id: str, *, endpoints: Endpoints) -> None:
    """Delete an endpoint; its planned attempts are dropped when they fall due. Raises `NotFoundError`."""
    endpoints.remove(owner, existing_endpoint(owner, endpoint_id, endpoints=endpoints).endpoint_id)


def rotate_secret(owner: str, endpoint_id: str, request: RequestKey, *, endpoints: Endpoints) -> Endpoint:
    """The endpoint with a new secret before the previous one: both sign, so that its owner can change over.

    A repeat of `request` changes nothing. Raises `NotFoundError`, and `UnavailableError` on a concurrent rotation.
    """
    for _ in range(_ATTEMPTS):
        endpoint = existing_endpoint(owner, endpoint_id, endpoints=endpoints)
        if endpoints.rotate(endpoint, (new_secret(), *endpoint.secrets)[:2], request, clock.now()):
            return endpoints.find(owner, endpoint_id) or endpoint
    raise STORE_BUSY()


def take_over_endpoint(owner: str, endpoint_id: str, person_id: str, *, endpoints: Endpoints) -> Endpoint:
    """The owner's endpoint, for which `person_id` answers from now on if nobody does: its person has left, or is not
    known. Raises `NotFoundError`, and `UnavailableError` if others change it at the same time."""
    for _ in range(_ATTEMPTS):
        endpoint = existing_endpoint(owner, endpoint_id, endpoints=endpoints)
        if endpoint.responsible is not None and endpoint.left_at is None:
            return endpoint
        endpoints.take_over(endpoint, person_id)
    raise STORE_BUSY()


def disable_endpoints_of_person(person_id: str, *, endpoints: Endpoints) -> None:
    """Disable the brand's endpoints with a URL for which the person answers. Safe to repeat; costs a read, and a write
    per endpoint. Their deliveries stay."""
    for endpoint in endpoints.of(STAFF):
        if endpoint.responsible == person_id and endpoint.url is not None and endpoint.left_at is None:
            endpoints.disable_left(endpoint, clock.now())


def endpoints_left(endpoints: Endpoints) -> Mapping[str, list[str]]:
    """The brand's endpoints that are disabled because their person has left, by that person's id."""
    left = defaultdict(list)
    for endpoint in endpoints.of(STAFF):
        if endpoint.left_at is not None and endpoint.responsible is not None:
            left[endpoint.responsible].append(endpoint.endpoint_id)
    return left


def challenge(owner: str, endpoint_id: str, *, needs: WebhookNeeds) -> str:
    """Queue a test event; a 2xx makes the endpoint active, also a disabled one. Returns the delivery's id.

    Raises `NotFoundError`.
    """
    return _challenge(existing_endpoint(owner, endpoint_id, endpoints=needs.endpoints), clock.now(), needs)


def _challenge(endpoint: Endpoint, at: datetime, needs: WebhookNeeds) -> str:
    event = Event(derived_id("evt", endpoint.endpoint_id, rfc3339(at)), CHALLENGE, endpoint.endpoint_id, at, {})
    return add_delivery(event, endpoint, needs)
