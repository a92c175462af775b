"""The ports of the partners area in memory, as plain as they can be."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from cardstock.errors import IDEMPOTENCY_KEY_REUSED
from cardstock.ids import RequestKey, derived_id
from cardstock.partners.model import (
    DELIVERY_TRANSITIONS,
    ENDPOINT_TRANSITIONS,
    ApiKey,
    Attempt,
    Delivery,
    DeliveryStatus,
    DueAttempt,
    Endpoint,
    EndpointStatus,
    InboxMessage,
    Supplier,
)
from cardstock.partners.post import CallOutcome

START = datetime(2026, 12, 1, 8, tzinfo=UTC)


def request(name: str = "one", body: str = "{}") -> RequestKey:
    """What a request with this Idempotency-Key and body is known by."""
    return RequestKey(derived_id("req", name), hashlib.sha256(body.encode()).hexdigest())


class MemoryRequests:
    """Requests already done, and what they made."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[str, str]] = {}

    def earlier(self, request: RequestKey) -> str | None:
        known = self.known.get(request.id)
        if known is None:
            return None
        if known[0] != request.fingerprint:
            raise IDEMPOTENCY_KEY_REUSED()
        return known[1]

    def remember(self, request: RequestKey, result: str) -> None:
        self.known[request.id] = (request.fingerprint, result)


class MemoryKeys:
    """`partners.ports.Keys`."""

    def __init__(self) -> None:
        self.requests = MemoryRequests()
        self.keys: dict[str, ApiKey] = {}

    def add(self, key: ApiKey, request: RequestKey) -> str | None:
        earlier = self.requests.earlier(request)
        if earlier is None and key.key_id in self.keys:
            earlier = key.key_id
        if earlier is None:
            self.requests.remember(request, key.key_id)
            self.keys[key.key_id] = key
        return earlier

    def find(self, key_id: str) -> ApiKey | None:
        return self.keys.get(key_id)

    def revoke(self, key_id: str) -> bool:
        if key_id not in self.keys:
            return False
        self.keys[key_id] = replace(self.keys[key_id], state="revoked")
        return True

    def keys_of_owner(self, owner: str, limit: int, after: str | None) -> tuple[Sequence[ApiKey], str | None]:
        ids = sorted(key.key_id for key in self.keys.values() if key.owner == owner and key.key_id > (after or ""))
        return [self.keys[key_id] for key_id in ids[:limit]], ids[limit - 1] if len(ids) > limit else None


class MemorySuppliers:
    """`partners.ports.Suppliers`."""

    def __init__(self) -> None:
        self.requests = MemoryRequests()
        self.suppliers: dict[str, Supplier] = {}

    def add(self, supplier: Supplier) -> Supplier:
        return self.suppliers.setdefault(supplier.supplier_id, supplier)

    def find(self, supplier_id: str) -> Supplier | None:
        return self.suppliers.get(supplier_id)

    def list_suppliers(self, limit: int, after: str | None) -> tuple[Sequence[Supplier], str | None]:
        ids = [supplier_id for supplier_id in sorted(self.suppliers) if supplier_id > (after or "")]
        return [self.suppliers[each] for each in ids[:limit]], ids[limit - 1] if len(ids) > limit else None

    def rename(self, supplier_id: str, name: str) -> None:
        self.suppliers[supplier_id] = replace(self.suppliers[supplier_id], name=name)

    def rotate(self, supplier: Supplier, secrets: tuple[str, ...], request: RequestKey, at: datetime) -> bool:
        if self.requests.earlier(request) is not None:
            return True
        stored = self.suppliers[supplier.supplier_id]
        if stored.inbox_secrets != supplier.inbox_secrets:
            return False
        self.requests.remember(request, supplier.supplier_id)
        self.suppliers[supplier.supplier_id] = replace(stored, inbox_secrets=secrets)
        return True


class MemoryInbox:
    """`partners.ports.Inbox`."""

    def __init__(self) -> None:
        self.messages: dict[tuple[str, str], InboxMessage] = {}

    def receive(self, message: InboxMessage, keep_until: datetime) -> InboxMessage:
        return self.messages.setdefault((message.source, message.message_id), message)

    def done(self, source: str, message_id: str) -> None:
        self.messages[source, message_id] = replace(self.messages[source, message_id], state="done")


class MemoryEndpoints:
    """`partners.ports.Endpoints`."""

    def __init__(self) -> None:
        self.requests = MemoryRequests()
        self.endpoints: dict[tuple[str, str], Endpoint] = {}

    def add(self, endpoint: Endpoint, request: RequestKey) -> str | None:
        earlier = self.requests.earlier(request)
        if earlier is None and (endpoint.owner, endpoint.endpoint_id) in self.endpoints:
            earlier = endpoint.endpoint_id
        if earlier is None:
            self.requests.remember(request, endpoint.endpoint_id)
            self.endpoints[endpoint.owner, endpoint.endpoint_id] = endpoint
        return earlier

    def find(self, owner: str, endpoint_id: str) -> Endpoint | None:
        return self.endpoints.get((owner, endpoint_id))

    def remove(self, owner: str, endpoint_id: str) -> None:
        self.endpoints.pop((owner, endpoint_id), None)

    def of(self, owner: str) -> Sequence[Endpoint]:
        return [self.endpoints[key] for key in sorted(self.endpoints) if key[0] == owner]

    def listening(self, owner: str) -> Sequence[Endpoint]:
        return self.of(owner)

    def set_endpoint_status(self, endpoint: Endpoint, failing_since: datetime | None, status: EndpointStatus) -> None:
        stored = self.find(endpoint.owner, endpoint.endpoint_id)
        if stored is not None and (stored.status, stored.left_at) == (endpoint.status, endpoint.left_at):
            assert status == stored.status or status in ENDPOINT_TRANSITIONS[stored.status]
            key = (endpoint.owner, endpoint.endpoint_id)
            self.endpoints[key] = replace(stored, failing_since=failing_since, status=status)

    def disable_left(self, endpoint: Endpoint, at: datetime) -> None:
        stored = self.find(endpoint.owner, endpoint.endpoint_id)
        if stored is not None and stored.responsible == endpoint.responsible:
            self.endpoints[endpoint.owner, endpoint.endpoint_id] = replace(stored, status="disabled", left_at=at)

    def take_over(self, endpoint: Endpoint, person_id: str) -> bool:
        stored = self.find(endpoint.owner, endpoint.endpoint_id)
        if stored is None or (stored.responsible, stored.left_at) != (endpoint.responsible, endpoint.left_at):
            return False
        taken = replace(stored, responsible=person_id, left_at=None)
        self.endpoints[endpoint.owner, endpoint.endpoint_id] = taken
        return True

    def rotate(self, endpoint: Endpoint, secrets: tuple[str, ...], request: RequestKey, at: datetime) -> bool:
        if self.requests.earlier(request) is not None:
            return True
        stored = self.find(endpoint.owner, endpoint.endpoint_id)
        if stored is None or stored.secrets != endpoint.secrets:
            return False
        self.requests.remember(request, endpoint.endpoint_id)
        self.endpoints[endpoint.owner, endpoint.endpoint_id] = replace(stored, secrets=secrets)
        return True


class MemoryDeliveries:
    """`partners.ports.Deliveries`."""

    def __init__(self) -> None:
        self.deliveries: dict[tuple[str, str], Delivery] = {}

    def add(self, delivery: Delivery, keep_until: datetime) -> str:
        for (endpoint_id, delivery_id), known in self.deliveries.items():
            if endpoint_id == delivery.endpoint_id and known.event_id == delivery.event_id:
                return delivery_id
        self.deliveries[delivery.endpoint_id, delivery.delivery_id] = delivery
        return delivery.delivery_id

    def find(self, endpoint_id: str, delivery_id: str) -> Delivery | None:
        return self.deliveries.get((endpoint_id, delivery_id))

    def store_attempt(self, delivery: Delivery, attempt: Attempt, status: DeliveryStatus) -> None:
        key = (delivery.endpoint_id, delivery.delivery_id)
        stored = self.deliveries.get(key)
        if stored is not None and (status == "delivered" or stored.tries == delivery.tries):
            assert status == stored.status or status in DELIVERY_TRANSITIONS[stored.status]
            attempts = (*delivery.attempts, attempt)[-50:]
            self.deliveries[key] = replace(stored, attempts=attempts, tries=delivery.tries + 1, status=status)

    def reopen(self, delivery: Delivery) -> None:
        key = (delivery.endpoint_id, delivery.delivery_id)
        if key in self.deliveries:
            self.deliveries[key] = replace(self.deliveries[key], status="waiting")

    def page(
        self, endpoint_id: str, before: str, limit: int, after: str | None
    ) -> tuple[Sequence[Delivery], str | None]:
        ids = sorted(
            key for endpoint, key in self.deliveries if endpoint == endpoint_id and (after or "") < key < before
        )
        found = [self.deliveries[endpoint_id, delivery_id] for delivery_id in ids[:limit]]
        return found, ids[limit - 1] if len(ids) > limit else None


class MemoryQueue:
    """`partners.ports.DueQueue`: holds what was sent with its delay."""

    def __init__(self) -> None:
        self.sent: list[tuple[DueAttempt, int]] = []

    def send(self, due: DueAttempt, delay_seconds: int) -> None:
        assert 0 <= delay_seconds <= 900
        self.sent.append((due, delay_seconds))

    def take(self) -> DueAttempt:
        """The only message."""
        ((due, _),) = self.sent
        self.sent.clear()
        return due


class Receiver:
    """`partners.ports.PostCall`: a partner's server. It answers with `answer`, and remembers what it got."""

    def __init__(self) -> None:
        self.answer = CallOutcome(204, None)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> CallOutcome:
        self.got.append((url, headers, body))
        self.meanwhile()
        return self.answer

    @property
    def ids(self) -> list[str]:
        """The `webhook-id`s that arrived."""
        return [headers["webhook-id"] for _, headers, _ in self.got]
