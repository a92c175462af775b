"""Webhooks of the shop: endpoints, what is announced to them, and the queue that tests drain."""

from typing import Any

from cardstock import environment
from cardstock.flows import wiring as flows_wiring
from cardstock.orders import wiring as orders_wiring
from tests.house.cloud import Cloud, Context, http_event, queue_event, serve
from tests.people.replies import Reply, reply
from tests.people.suppliers import LIGHTS


class Webhooks:
    """Endpoints of whoever holds a credential, and the messages on their way to them."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._endpoints = 0

    def endpoint(self, credential: str, url: str | None, *events: str) -> Any:
        """A new webhook endpoint."""
        self._endpoints += 1
        body = {"events": list(events)} | ({} if url is None else {"url": url})
        event = http_event("POST", "/v1/webhook-endpoints", body, token=credential, key=f"endpoint-{self._endpoints}")
        made = reply(serve(event))
        assert made.status == 201, made
        return made.body

    def deliveries(self, credential: str, endpoint_id: str, **query: str) -> Reply:
        """A page of an endpoint's deliveries."""
        path = f"/v1/webhook-endpoints/{endpoint_id}/deliveries"
        return reply(serve(http_event("GET", path, token=credential, query=query)))

    def announce(self, order_id: str, supplier_id: str = LIGHTS) -> None:
        """Put what follows a payment into the webhooks queue."""
        part = orders_wiring.orders().find_supplier_orders(order_id, (supplier_id,))[supplier_id]
        flows_wiring.announcements().supplier_order(part)
        flows_wiring.announcements().flush()

    def consume(self, *bodies: Any) -> list[str]:
        """Give messages to the consumer of the webhooks queue; the ids of those that failed (`m0` ...)."""
        from functions.partners.on_delivery import app as on_webhook_due

        failed = on_webhook_due.handler(queue_event("webhooks", *bodies), Context())["batchItemFailures"]
        return [entry["itemIdentifier"] for entry in failed]

    def waiting(self) -> list[dict[str, Any]]:
        """Take what can be seen in the webhooks queue."""
        return self.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))

    def drain(self) -> None:
        """Consume until nothing can be seen in the webhooks queue: what is delayed stays there."""
        while bodies := self.waiting():
            assert self.consume(*bodies) == []
