"""HTTP: where partners take events, what was delivered, and what to deliver again."""

from functools import partial
from typing import Any

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.partners import deliveries, errors
from cardstock.partners import webhooks_schemas as models
from cardstock.partners import wiring as partners_wiring
from cardstock.partners.model import Endpoint

api = Api("webhooks", callers=partners_wiring.callers)


def _own(request: Request[Any, Any]) -> Endpoint:
    endpoint = partners_wiring.endpoints().find(request.caller.owner, request.path["endpoint_id"])
    if endpoint is None:
        raise NOT_FOUND()
    return endpoint


@api.post(
    "/v1/webhook-endpoints", body=models.CreateEndpoint, answer=models.StoredEndpoint, status=201, auth="key",
    scope="webhooks:write", idempotent=True,
    codes=(errors.URL_REFUSED, errors.EVENT_UNKNOWN, errors.TOO_MANY_ENDPOINTS),
)  # fmt: skip
def create_endpoint(request: Request[models.CreateEndpoint, Nothing]) -> Answer:
    """Create a webhook endpoint.

    A signed challenge is sent at once, and again after 5 s and 5 min; the first 2xx answer makes the endpoint active.
    Without a URL the endpoint is active from the start and its deliveries are kept to be fetched. It gets the events
    from half a minute after it was created. The URL is https on port 443 of a public host; `make serve` takes
    http://127.0.0.1 too.
    """
    if request.body.url is not None:
        partners_wiring.check_webhook_url(request.body.url)
    endpoint, is_new = deliveries.create_endpoint(
        request.caller.owner, request.body.url, tuple(request.body.events), request.key,
        endpoints=partners_wiring.endpoints(), deliveries=partners_wiring.deliveries(),
        queue=partners_wiring.due_queue(),
        clock=process_clock(),
    )  # fmt: skip
    return Answer(models.shown(endpoint, secret=True), replayed=not is_new)


@api.get("/v1/webhook-endpoints", answer=models.EndpointList, auth="key", scope="webhooks:write")
def list_endpoints(request: Request[Nothing, Nothing]) -> models.EndpointList:
    """List the caller's webhook endpoints."""
    return models.EndpointList(
        [models.shown(endpoint) for endpoint in partners_wiring.endpoints().of(request.caller.owner)]
    )


@api.delete("/v1/webhook-endpoints/{endpoint_id}", status=204, auth="key", scope="webhooks:write")
def delete_endpoint(request: Request[Nothing, Nothing]) -> Answer:
    """Delete a webhook endpoint; what is on its way to it is dropped."""
    partners_wiring.endpoints().remove(request.caller.owner, _own(request).endpoint_id)
    return Answer("", status=204)


@api.post(
    "/v1/webhook-endpoints/{endpoint_id}/secrets", answer=models.StoredEndpoint, status=201, auth="key",
    scope="webhooks:write", idempotent=True, codes=(NOT_FOUND,),
)  # fmt: skip
def rotate_secret(request: Request[Nothing, Nothing]) -> models.StoredEndpoint:
    """Make a new secret for a webhook endpoint.

    Every message is signed with the two newest, so that its receiver can change over without losing one.
    """
    endpoint = deliveries.rotate_secret(
        request.caller.owner, request.path["endpoint_id"], request.key,
        endpoints=partners_wiring.endpoints(), clock=process_clock(),
    )  # fmt: skip
    return models.shown(endpoint, secret=True)


@api.post("/v1/webhook-endpoints/{endpoint_id}/tests", status=202, auth="key", scope="webhooks:write")
def test_endpoint(request: Request[Nothing, Nothing]) -> Answer:
    """Send the challenge again; a 2xx answer makes a disabled endpoint active."""
    deliveries.challenge(
        _own(request), deliveries=partners_wiring.deliveries(), queue=partners_wiring.due_queue(), clock=process_clock()
    )
    return Answer("", status=202)


@api.get(
    "/v1/webhook-endpoints/{endpoint_id}/deliveries", query=PageQuery, answer=models.DeliveryList, auth="key",
    scope="webhooks:write",
)  # fmt: skip
def list_deliveries(request: Request[Nothing, PageQuery]) -> models.DeliveryList:
    """List what was delivered, or is kept to be fetched.

    For partners that cannot open a port this is the whole integration: keep the cursor, and ask again. New deliveries
    always follow it; they are listed after fifteen seconds.
    """
    endpoint_id = _own(request).endpoint_id
    read = partial(deliveries.fetch, endpoint_id, deliveries=partners_wiring.deliveries(), clock=process_clock())
    found, following = read_page(edge_wiring.signer(), f"deliveries:{endpoint_id}", request.query, read)
    return models.DeliveryList([models.told(delivery) for delivery in found], following)


@api.post(
    "/v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliveries", status=202, auth="key",
    scope="webhooks:write", codes=(NOT_FOUND, errors.ENDPOINT_NOT_ACTIVE),
)  # fmt: skip
def redeliver(request: Request[Nothing, Nothing]) -> Answer:
    """Deliver an event again, now and with all its attempts."""
    deliveries.redeliver(
        request.caller.owner, request.path["endpoint_id"], request.path["delivery_id"],
        endpoints=partners_wiring.endpoints(), deliveries=partners_wiring.deliveries(),
        queue=partners_wiring.due_queue(),
        clock=process_clock(),
    )  # fmt: skip
    return Answer("", status=202)


handler = api.handler
connect()
