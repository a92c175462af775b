"""Partners in DynamoDB.

Table `partners`, partition key `pk`, sort key `sk`; no index.

| Access pattern | Key |
|---|---|
| key by id (every call of a key) | `key_...` / `key` |
| keys of an owner | owner / begins with `key#`, then the keys by id |
| supplier by id | `sup_...` / `supplier` |
| message once per source | source / `inbox#<message id>`, expires after 30 days |
| endpoints of an owner (every event; kept for half a minute) | owner / begins with `endpoint#` |

Table `deliveries`, partition key `pk`, sort key `sk`; items expire after 30 days.

| Access pattern | Key |
|---|---|
| an endpoint's deliveries, in the order of adding | endpoint id / delivery id (the moment, `.`, event id) |
| whether an endpoint has an event | endpoint id `#events` / event id |
"""

import time
from collections.abc import Sequence
from datetime import datetime

from msgspec import convert
from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from cardstock.aws.pages import read_page
from cardstock.aws.requests import remember, result_of
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    ExpiryAttribute,
    IntegerAttribute,
    JsonAttribute,
    Table,
    Transaction,
)
from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.ids import RequestKey
from cardstock.partners.model import (
    ApiKey,
    Attempt,
    Delivery,
    DeliveryStatus,
    Endpoint,
    EndpointStatus,
    InboxMessage,
    KeyState,
    MessageState,
    Supplier,
)

ENDPOINTS_KEPT_SECONDS = 30
_LONGEST_KEY_ID = 64
_LOGGED_ATTEMPTS = 50


class KeyItem(Table):
    """An API key."""

    class Meta:
        variable = "PARTNERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="key")
    secret_sha256 = UnicodeAttribute()
    scopes = JsonAttribute()
    owner = UnicodeAttribute()
    owner_name = UnicodeAttribute()
    name = UnicodeAttribute()
    state = UnicodeAttribute()
    created_at = EpochAttribute()


class KeyOfOwnerItem(Table):
    """Lists a key under its owner; everything else is in the key's own item."""

    class Meta:
        variable = "PARTNERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class SupplierItem(Table):
    """A supplier."""

    class Meta:
        variable = "PARTNERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="supplier")
    name = UnicodeAttribute()
    inbox_secrets = JsonAttribute()
    created_at = EpochAttribute()


class InboxItem(Table):
    """A received message."""

    class Meta:
        variable = "PARTNERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    body = BinaryAttribute(legacy_encoding=False)
    received_at = EpochAttribute()
    state = UnicodeAttribute()
    expires_at = ExpiryAttribute()


def find_key(key_id: str) -> ApiKey | None:
    """The key, read consistently (1 RCU). Accepts any text, because the id comes from a header."""
    if len(key_id) > _LONGEST_KEY_ID:  # DynamoDB answers a key of more than 2 048 bytes with a validation error
        return None
    item = KeyItem.find(key_id, "key")
    return None if item is None else _key(item)


class DynamoKeys:
    """`partners.ports.Keys`."""

    def add(self, key: ApiKey, request: RequestKey) -> str | None:
        try:
            with Transaction() as transaction:
                remember(transaction, request, key.key_id, key.created_at)
                transaction.save(
                    KeyItem(
                        pk=key.key_id,
                        secret_sha256=key.secret_sha256,
                        scopes=sorted(key.scopes),
                        owner=key.owner,
                        owner_name=key.owner_name,
                        name=key.name,
                        state=key.state,
                        created_at=key.created_at,
                    ),
                    condition=KeyItem.pk.does_not_exist(),
                )
                transaction.save(KeyOfOwnerItem(pk=key.owner, sk=f"key#{key.key_id}"))
        except ConditionFailedError as error:
            return _earlier(error, request) or key.key_id
        return None

    def find(self, key_id: str) -> ApiKey | None:
        return find_key(key_id)

    def revoke(self, key_id: str) -> bool:
        revoked: KeyState = "revoked"
        return KeyItem(pk=key_id, sk="key").update_if([KeyItem.state.set(revoked)], KeyItem.pk.exists())

    def keys_of_owner(self, owner: str, limit: int, after: str | None) -> tuple[Sequence[ApiKey], str | None]:
        start = None if after is None else {"pk": owner, "sk": f"key#{after}"}
        of_owner = KeyOfOwnerItem.sk.startswith("key#")
        items, last = read_page(KeyOfOwnerItem.query, owner, of_owner, limit=limit, start=start, consistent_read=True)
        ids = [item.sk.removeprefix("key#") for item in items]
        found = KeyItem.batch_get([(key_id, "key") for key_id in ids], consistent_read=True)
        keys = {item.pk: _key(item) for item in found}
        return [keys[key_id] for key_id in ids if key_id in keys], ids[-1] if last else None


class DynamoSuppliers:
    """`partners.ports.Suppliers`."""

    def add(self, supplier: Supplier) -> Supplier:
        item = SupplierItem(
            pk=supplier.supplier_id,
            name=supplier.name,
            inbox_secrets=list(supplier.inbox_secrets),
            created_at=supplier.created_at,
        )
        if item.put_if(SupplierItem.pk.does_not_exist()):
            return supplier
        return _supplier(SupplierItem.get(supplier.supplier_id, "supplier", consistent_read=True))

    def find(self, supplier_id: str) -> Supplier | None:
        item = SupplierItem.find(supplier_id, "supplier")
        return None if item is None else _supplier(item)

    def rename(self, supplier_id: str, name: str) -> None:
        SupplierItem(pk=supplier_id, sk="supplier").update([SupplierItem.name.set(name)])

    def rotate(self, supplier: Supplier, secrets: tuple[str, ...], request: RequestKey, at: datetime) -> bool:
        try:
            with Transaction() as transaction:
                remember(transaction, request, supplier.supplier_id, at)
                transaction.update(
                    SupplierItem(pk=supplier.supplier_id, sk="supplier"),
                    actions=[SupplierItem.inbox_secrets.set(list(secrets))],
                    condition=SupplierItem.inbox_secrets == list(supplier.inbox_secrets),
                )
        except ConditionFailedError as error:
            return _earlier(error, request) is not None
        return True


class DynamoInbox:
    """`partners.ports.Inbox`."""

    def receive(self, message: InboxMessage, keep_until: datetime) -> InboxMessage:
        item = InboxItem(
            pk=message.source,
            sk=f"inbox#{message.message_id}",
            body=message.body,
            received_at=message.received_at,
            state=message.state,
            expires_at=keep_until,
        )
        if item.put_if(InboxItem.pk.does_not_exist()):
            return message
        item = InboxItem.get(item.pk, item.sk, consistent_read=True)
        state = convert(item.state, MessageState)
        return InboxMessage(message.source, message.message_id, item.body, item.received_at, state)

    def done(self, source: str, message_id: str) -> None:
        done: MessageState = "done"
        InboxItem(pk=source, sk=f"inbox#{message_id}").update([InboxItem.state.set(done)])


class EndpointItem(Table):
    """A webhook endpoint."""

    class Meta:
        variable = "PARTNERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    url = UnicodeAttribute(null=True)
    events = JsonAttribute()
    secrets = JsonAttribute()
    status = UnicodeAttribute()
    failing_since = EpochAttribute(null=True)
    created_at = EpochAttribute()


class DeliveryItem(Table):
    """An event for an endpoint. `attempts` holds [epoch ms, status, error] of the newest."""

    class Meta:
        variable = "DELIVERIES_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    event_type = UnicodeAttribute()
    body = UnicodeAttribute()
    status = UnicodeAttribute()
    attempts = JsonAttribute()
    tries = IntegerAttribute()
    created_at = EpochAttribute()
    expires_at = ExpiryAttribute()


class EventItem(Table):
    """Marks that an endpoint has a delivery of an event."""

    class Meta:
        variable = "DELIVERIES_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    delivery_id = UnicodeAttribute()
    expires_at = ExpiryAttribute()


class DynamoEndpoints:
    """`partners.ports.Endpoints`. The result of `listening` is cached for half a minute: every event needs it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Sequence[Endpoint]]] = {}

    def add(self, endpoint: Endpoint, request: RequestKey) -> str | None:
        self._known.pop(endpoint.owner, None)
        try:
            with Transaction() as transaction:
                remember(transaction, request, endpoint.endpoint_id, endpoint.created_at)
                transaction.save(
                    EndpointItem(
                        pk=endpoint.owner,
                        sk=f"endpoint#{endpoint.endpoint_id}",
                        url=endpoint.url,
                        events=list(endpoint.events),
                        secrets=list(endpoint.secrets),
                        status=endpoint.status,
                        failing_since=endpoint.failing_since,
                        created_at=endpoint.created_at,
                    ),
                    condition=EndpointItem.pk.does_not_exist(),
                )
        except ConditionFailedError as error:
            return _earlier(error, request) or endpoint.endpoint_id
        return None

    def find(self, owner: str, endpoint_id: str) -> Endpoint | None:
        item = EndpointItem.find(owner, f"endpoint#{endpoint_id}")
        return None if item is None else _endpoint(item)

    def remove(self, owner: str, endpoint_id: str) -> None:
        EndpointItem(pk=owner, sk=f"endpoint#{endpoint_id}").delete()
        self._known.pop(owner, None)

    def of(self, owner: str) -> Sequence[Endpoint]:
        found = EndpointItem.query(owner, EndpointItem.sk.startswith("endpoint#"), consistent_read=True)
        return [_endpoint(item) for item in found]

    def listening(self, owner: str) -> Sequence[Endpoint]:
        until, known = self._known.get(owner, (0.0, ()))
        if time.monotonic() >= until:
            known = self.of(owner)
            self._known[owner] = (time.monotonic() + ENDPOINTS_KEPT_SECONDS, known)
        return known

    def mark(self, endpoint: Endpoint, failing_since: datetime | None, status: EndpointStatus) -> None:
        since = EndpointItem.failing_since
        changed = _endpoint_key(endpoint).update_if(
            [
                EndpointItem.status.set(status),
                since.remove() if failing_since is None else since.set(failing_since),
            ],
            EndpointItem.status == endpoint.status,
        )
        if changed:
            self._known.pop(endpoint.owner, None)

    def rotate(self, endpoint: Endpoint, secrets: tuple[str, ...], request: RequestKey, at: datetime) -> bool:
        try:
            with Transaction() as transaction:
                remember(transaction, request, endpoint.endpoint_id, at)
                transaction.update(
                    _endpoint_key(endpoint),
                    actions=[EndpointItem.secrets.set(list(secrets))],
                    condition=EndpointItem.secrets == list(endpoint.secrets),
                )
        except ConditionFailedError as error:
            return _earlier(error, request) is not None
        return True


class DynamoDeliveries:
    """`partners.ports.Deliveries`."""

    def add(self, delivery: Delivery, keep_until: datetime) -> str:
        try:
            with Transaction() as transaction:
                transaction.save(
                    EventItem(
                        pk=f"{delivery.endpoint_id}#events",
                        sk=delivery.event_id,
                        delivery_id=delivery.delivery_id,
                        expires_at=keep_until,
                    ),
                    condition=EventItem.pk.does_not_exist(),
                    return_values="ALL_OLD",
                )
                transaction.save(
                    DeliveryItem(
                        pk=delivery.endpoint_id,
                        sk=delivery.delivery_id,
                        event_type=delivery.event_type,
                        body=delivery.body,
                        status=delivery.status,
                        attempts=[],
                        tries=0,
                        created_at=delivery.created_at,
                        expires_at=keep_until,
                    )
                )
        except ConditionFailedError as error:
            return str(error.failed[0]["delivery_id"]["S"])
        return delivery.delivery_id

    def find(self, endpoint_id: str, delivery_id: str) -> Delivery | None:
        item = DeliveryItem.find(endpoint_id, delivery_id)
        return None if item is None else _delivery(item)

    def note(self, delivery: Delivery, attempt: Attempt, status: DeliveryStatus) -> None:
        log = (*delivery.attempts, attempt)[-_LOGGED_ATTEMPTS:]
        unchanged = DeliveryItem.tries == delivery.tries
        DeliveryItem(pk=delivery.endpoint_id, sk=delivery.delivery_id).update_if(
            [
                DeliveryItem.attempts.set([[to_epoch_ms(made.at), made.status, made.error] for made in log]),
                DeliveryItem.tries.set(delivery.tries + 1),
                DeliveryItem.status.set(status),
            ],
            DeliveryItem.pk.exists() if status == "delivered" else unchanged,
        )

    def reopen(self, delivery: Delivery) -> None:
        item = DeliveryItem(pk=delivery.endpoint_id, sk=delivery.delivery_id)
        item.update_if([DeliveryItem.status.set("waiting")], DeliveryItem.pk.exists())

    def page(
        self, endpoint_id: str, before: str, limit: int, after: str | None
    ) -> tuple[Sequence[Delivery], str | None]:
        items, last = read_page(
            DeliveryItem.query,
            endpoint_id,
            DeliveryItem.sk < before,
            limit=limit,
            start=None if after is None else {"pk": endpoint_id, "sk": after},
            consistent_read=True,  # a delivery missed here would never be listed
        )
        return [_delivery(item) for item in items], last.sk if last else None


def _earlier(error: ConditionFailedError, request: RequestKey) -> str | None:
    """The id made by an earlier run of `request` (the action at position 0); None if only another condition failed.

    The record of a request expires after a week: then only the id, which is derived from the request, shows the repeat.
    """
    return result_of(error.failed[0], request) if 0 in error.failed else None


def _endpoint_key(endpoint: Endpoint) -> EndpointItem:
    return EndpointItem(pk=endpoint.owner, sk=f"endpoint#{endpoint.endpoint_id}")


def _key(item: KeyItem) -> ApiKey:
    return ApiKey(
        item.pk,
        item.secret_sha256,
        frozenset(item.scopes),
        item.owner,
        item.owner_name,
        item.name,
        item.created_at,
        convert(item.state, KeyState),
    )


def _supplier(item: SupplierItem) -> Supplier:
    return Supplier(item.pk, item.name, tuple(item.inbox_secrets), item.created_at)


def _endpoint(item: EndpointItem) -> Endpoint:
    return Endpoint(
        item.sk.removeprefix("endpoint#"),
        item.pk,
        item.url,
        tuple(item.events),
        tuple(item.secrets),
        convert(item.status, EndpointStatus),
        item.failing_since,
        item.created_at,
    )


def _delivery(item: DeliveryItem) -> Delivery:
    attempts = tuple(Attempt(from_epoch_ms(at), status, error) for at, status, error in item.attempts)
    status = convert(item.status, DeliveryStatus)
    return Delivery(item.pk, item.sk, item.event_type, item.body, status, attempts, item.tries, item.created_at)
