"""A shop with staff and suppliers: keys, signed reports, webhook endpoints and a partner's server on this machine."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cardstock import environment
from cardstock.edge.signatures import sign
from cardstock.flows import wiring as flows_wiring
from cardstock.orders import wiring as orders_wiring
from cardstock.partners import wiring as partners_wiring
from functions.partners.api import app as partners_api
from functions.partners.inbox import app as partner_inbox
from functions.partners.on_delivery import app as on_webhook_due
from functions.partners.webhooks_api import app as webhooks_api
from tests.house.cloud import Context, http_event, queue_event
from tests.people.selling import Reply, Shop, reply
from tests.people.staff import person, staff_key, supplier_key

LIGHTS, HANGERS = "sup_lights", "sup_hangers"


class PartnerServer:
    """Takes webhooks over plain HTTP on 127.0.0.1, which local runs may call; answers with `status` and `headers`."""

    def __init__(self) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.got: list[tuple[dict[str, str], bytes]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(server.status)
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing: tests look at what arrived."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/hook"

    def close(self) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def types(self) -> list[str]:
        """The types of the events that arrived."""
        return [json.loads(body)["type"] for _, body in self.got]


class Brand:
    """What staff and suppliers do."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.clock = shop.clock
        self.cloud = shop.cloud
        self._count = 0

    def send(self, function: Any, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        """A request to one of the functions; POSTs get a fresh Idempotency-Key unless `key` says otherwise."""
        if method == "POST":
            self._count += 1
            more.setdefault("key", f"request-{self._count}")
        return reply(function.handler(http_event(method, path, body, **more), Context()))

    def key(self, owner: str, *scopes: str) -> str:
        """The credential of a new key of a supplier, or of a person if `owner` is `staff`."""
        self._count += 1
        if owner == "staff":
            return staff_key("Li Na", *scopes, request=f"key {self._count}")
        return supplier_key(owner, *scopes, request=f"key {self._count}")

    def supplier(self, supplier_id: str = LIGHTS) -> str:
        """The inbox secret of a new supplier."""
        staff = self.key("staff", "suppliers:write")
        made = self.send(partners_api, "PUT", f"/v1/suppliers/{supplier_id}", {"name": "宁波织物"}, token=staff)
        return str(made.body["inbox_secret"])

    def report(
        self,
        secret: str,
        body: Any,
        *,
        source: str = LIGHTS,
        message_id: str = "msg_1",
        at: datetime | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """A supplier's signed message."""
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        signed = sign(secret, message_id, at or self.clock.now(), text.encode()) | (headers or {})
        event = http_event("POST", f"/v1/inbox/{source}", text, headers=signed)
        return reply(partner_inbox.handler(event, Context()))

    def paid_order(self, key: str = "order-1") -> str:
        """A paid order of goods of both suppliers."""
        order_id = self.shop.order(key=key)
        assert self.shop.pay(order_id).status == 200
        return order_id

    def announce(self, order_id: str, supplier_id: str = LIGHTS) -> None:
        """Put what follows a payment into the webhooks queue."""
        part = orders_wiring.orders().find_supplier_orders(order_id, (supplier_id,))[supplier_id]
        flows_wiring.announcements().supplier_order(part)
        flows_wiring.announcements().flush()

    def consume(self, *bodies: Any) -> list[str]:
        """Give messages to the consumer of the webhooks queue; the ids of those that failed (`m0` ...)."""
        failed = on_webhook_due.handler(queue_event("webhooks", *bodies), Context())["batchItemFailures"]
        return [entry["itemIdentifier"] for entry in failed]

    def waiting(self) -> list[dict[str, Any]]:
        """Take what can be seen in the webhooks queue."""
        return self.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))

    def drain(self) -> None:
        """Consume until nothing can be seen in the webhooks queue: what is delayed stays there."""
        while bodies := self.waiting():
            assert self.consume(*bodies) == []

    def endpoint(self, credential: str, url: str | None, *events: str) -> Any:
        """A new webhook endpoint."""
        body = {"events": list(events)} | ({} if url is None else {"url": url})
        made = self.send(webhooks_api, "POST", "/v1/webhook-endpoints", body, token=credential)
        assert made.status == 201, made
        return made.body

    def deliveries(self, credential: str, endpoint_id: str, **query: str) -> Reply:
        """A page of an endpoint's deliveries."""
        path = f"/v1/webhook-endpoints/{endpoint_id}/deliveries"
        return self.send(webhooks_api, "GET", path, token=credential, query=query)


@pytest.fixture
def brand(shop: Shop) -> Iterator[Brand]:
    """A shop with suppliers and Li Na of the staff; known endpoints are forgotten between tests."""
    partners_wiring.endpoints.cache_clear()
    person("Li Na")
    yield Brand(shop)
    partners_wiring.endpoints.cache_clear()


@pytest.fixture
def partner_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PartnerServer]:
    """A partner's server that outgoing webhooks may call. Needs the mark `engine`."""
    monkeypatch.setenv("WEBHOOK_PRIVATE_NETWORKS", "127.0.0.0/8")
    partners_wiring.webhook_post.cache_clear()
    server = PartnerServer()
    yield server
    server.close()
    monkeypatch.undo()
    partners_wiring.webhook_post.cache_clear()
