"""HTTP: webhook endpoints, their deliveries, and redelivery."""

from functools import partial

from cardstock.aws.requests import DynamoAnswers
from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request, nobody
from cardstock.errors import NOT_FOUND
from cardstock.flows import brand_endpoints, brand_endpoints_wiring, callers_wiring
from cardstock.partners import deliveries, endpoints, errors
from cardstock.partners import webhooks_schemas as models
from cardstock.partners import wiring as partners_wiring
from cardstock.staff.errors import PERSON_INACTIVE

api = Api(
    "webhooks",
    callers=callers_wiring.callers,
    staff=callers_wiring.staff_record,
    answers=DynamoAnswers,
    server_keys=edge_wiring.session_keys,
)


@api.post(
    "/v1/webhook-endpoints", body=models.CreateEndpoint, answer=models.StoredEndpoint, status=201,
    auth="key", concerns=nobody, scope="webhooks:write", idempotent=True, first_answer="sealed",
    codes=(errors.URL_REFUSED, errors.EVENT_UNKNOWN, errors.TOO_MANY_ENDPOINTS, PERSON_INACTIVE),
)  # fmt: skip
def create_endpoint(request: Request[models.CreateEndpoint, Nothing]) -> Answer:
    """Create a webhook endpoint.

    A signed challenge is sent at once, and again after 5 s and 5 min; the first 2xx answer makes the endpoint active.
    Without a URL the endpoint is active from the start, and its deliveries are kept to be fetched. It gets events from
    half a minute after its creation. The URL is https on port 443 of a public host's name; `make serve` also takes
    http and other ports, for 127.0.0.0/8 alone. A URL of another form is refused here, with the pointer `/url`. A name
    is not resolved here. What it means is checked at each call, the challenge first: an endpoint whose URL leads
    elsewhere stays `pending`, and its attempts say `ADDRESS_REFUSED`, or `HOST_UNKNOWN` for a name that nobody has.
    """
    if request.body.url is not None:
        partners_wiring.check_webhook_url(request.body.url)
    body, who, needs = request.body, request.caller, brand_endpoints_wiring.brand_endpoint_needs()
    made = brand_endpoints.create_endpoint(who.owner, who.person_id, body.url, tuple(body.events), request.key, needs)
    return Answer(models.StoredEndpoint.of(made.made, secret=True), replayed=made.replayed)


@api.get("/v1/webhook-endpoints", answer=models.EndpointList, auth="key", scope="webhooks:write")
def list_endpoints(request: Request[Nothing, Nothing]) -> models.EndpointList:
    """List the caller's webhook endpoints."""
    found = partners_wiring.endpoints().of(request.caller.owner)
    return models.EndpointList([models.StoredEndpoint.of(endpoint) for endpoint in found])


@api.delete("/v1/webhook-endpoints/{endpoint_id}", status=204, auth="key", concerns=nobody, scope="webhooks:write")
def delete_endpoint(request: Request[Nothing, Nothing]) -> Answer:
    """Delete a webhook endpoint; its waiting deliveries are dropped."""
    endpoint_id = request.path["endpoint_id"]
    endpoints.remove_endpoint(request.caller.owner, endpoint_id, endpoints=partners_wiring.endpoints())
    return Answer("", status=204)


@api.post(
    "/v1/webhook-endpoints/{endpoint_id}/secrets", answer=models.StoredEndpoint, status=201,
    auth="key", concerns=nobody, scope="webhooks:write", idempotent=True, first_answer="sealed", codes=(NOT_FOUND,),
)  # fmt: skip
def rotate_secret(request: Request[Nothing, Nothing]) -> models.StoredEndpoint:
    """Create a new secret for a webhook endpoint.

    Every message is signed with the two newest, so that its receiver can change over without losing one.
    """
    endpoint = endpoints.rotate_secret(
        request.caller.owner, request.path["endpoint_id"], request.key, endpoints=partners_wiring.endpoints()
    )
    return models.StoredEndpoint.of(endpoint, secret=True)


@api.post(
    "/v1/webhook-endpoints/{endpoint_id}/tests", status=202, auth="key", concerns=nobody, scope="webhooks:write",
    codes=(NOT_FOUND, PERSON_INACTIVE),
)  # fmt: skip
def test_endpoint(request: Request[Nothing, Nothing]) -> Answer:
    """Send the challenge again; a 2xx answer makes a disabled endpoint active.

    A person of the staff who tests an endpoint for which nobody answers any more is `responsible` from then on."""
    who, needs = request.caller, brand_endpoints_wiring.brand_endpoint_needs()
    brand_endpoints.send_challenge(who.owner, who.person_id, request.path["endpoint_id"], needs)
    return Answer("", status=202)


@api.get(
    "/v1/webhook-endpoints/{endpoint_id}/deliveries", query=PageQuery, answer=models.DeliveryList, auth="key",
    scope="webhooks:write",
)  # fmt: skip
def list_deliveries(request: Request[Nothing, PageQuery]) -> models.DeliveryList:
    """List deliveries, made or kept to be fetched.

    Partners that cannot open a port need only this: keep the cursor, and ask again. New deliveries always come after
    it; they are listed after fifteen seconds.
    """
    owner, endpoint_id = request.caller.owner, request.path["endpoint_id"]
    endpoints.existing_endpoint(owner, endpoint_id, endpoints=partners_wiring.endpoints())
    read = partial(deliveries.fetch, endpoint_id, deliveries=partners_wiring.deliveries())
    found, following = read_page(edge_wiring.signer(), f"deliveries:{endpoint_id}", request.query, read)
    return models.DeliveryList([models.StoredDelivery.of(delivery) for delivery in found], following)


@api.post(
    "/v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliveries", status=202,
    auth="key", concerns=nobody, scope="webhooks:write", codes=(NOT_FOUND, errors.ENDPOINT_NOT_ACTIVE),
)  # fmt: skip
def redeliver(request: Request[Nothing, Nothing]) -> Answer:
    """Deliver an event again now, with a new set of attempts."""
    endpoint_id, delivery_id = request.path["endpoint_id"], request.path["delivery_id"]
    deliveries.redeliver(request.caller.owner, endpoint_id, delivery_id, needs=partners_wiring.webhook_needs())
    return Answer("", status=202)


handler = api.handler
connect()
