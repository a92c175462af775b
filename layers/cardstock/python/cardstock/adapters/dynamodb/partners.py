"""Partners in DynamoDB.

Table `partners`, partition key `pk`, sort key `sk`; no index.

| Access pattern | Key |
|---|---|
| key by id (every call of a key) | `key_...` / `key` |
| supplier by id | `sup_...` / `supplier` |
| message once per source | source / `inbox#<message id>`, expires after 30 days |
| endpoints of an owner (every event; kept for half a minute) | owner / begins with `endpoint#` |

Table `deliveries`, partition key `pk` = endpoint id, sort key `sk` = delivery id (event time first); items expire.
"""

import time
from collections.abc import Sequence
from datetime import datetime

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PutError, UpdateError

from cardstock.adapters.dynamodb.base import (
    ConditionFailedError,
    EpochAttribute,
    ExpiryAttribute,
    JsonAttribute,
    Table,
    Transaction,
)
from cardstock.adapters.dynamodb.requests import remember, result_of
from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.errors import UnavailableError
from cardstock.ids import RequestKey
from cardstock.partners.model import ApiKey, Attempt, Delivery, Endpoint, InboxMessage, Supplier
from cardstock.settings import settings

ENDPOINTS_KEPT_SECONDS = 30


class KeyItem(Table):
    """An API key."""

    class Meta:
        table_name = settings().partners_table

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="key")
    secret_sha256 = UnicodeAttribute()
    scopes = JsonAttribute()
    owner = UnicodeAttribute()
    name = UnicodeAttribute()
    active = BooleanAttribute()
    created_at = EpochAttribute()


class SupplierItem(Table):
    """A supplier."""

    class Meta:
        table_name = settings().partners_table

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="supplier")
    name = UnicodeAttribute()
    inbox_secrets = JsonAttribute()
    created_at = EpochAttribute()


class InboxItem(Table):
    """A received message."""

    class Meta:
        table_name = settings().partners_table

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    body = BinaryAttribute(legacy_encoding=False)
    received_at = EpochAttribute()
    done = BooleanAttribute()
    expires_at = ExpiryAttribute()


def find_key(key_id: str) -> ApiKey | None:
    """The key, read consistently: 0.5 RCU doubled to 1."""
    try:
        item = KeyItem.get(key_id, "key", consistent_read=True)
    except DoesNotExist:
        return None
    return ApiKey(
        item.pk, item.secret_sha256, frozenset(item.scopes), item.owner, item.name, item.active, item.created_at
    )


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
                        name=key.name,
                        active=key.active,
                        created_at=key.created_at,
                    ),
                    condition=KeyItem.pk.does_not_exist(),
                )
        except ConditionFailedError as error:
            return result_of(error.failed[0], request)
        return None

    def find(self, key_id: str) -> ApiKey | None:
        return find_key(key_id)

    def revoke(self, key_id: str) -> bool:
        try:
            KeyItem(pk=key_id, sk="key").update([KeyItem.active.set(False)], condition=KeyItem.pk.exists())
        except UpdateError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise UnavailableError("STORE_UNAVAILABLE") from error
        return True


class DynamoSuppliers:
    """`partners.ports.Suppliers`."""

    def put(self, supplier: Supplier) -> None:
        SupplierItem(
            pk=supplier.supplier_id,
            name=supplier.name,
            inbox_secrets=list(supplier.inbox_secrets),
            created_at=supplier.created_at,
        ).save()

    def find(self, supplier_id: str) -> Supplier | None:
        try:
            item = SupplierItem.get(supplier_id, "supplier", consistent_read=True)
        except DoesNotExist:
            return None
        return Supplier(item.pk, item.name, tuple(item.inbox_secrets), item.created_at)


class DynamoInbox:
    """`partners.ports.Inbox`."""

    def receive(self, message: InboxMessage, keep_until: datetime) -> InboxMessage:
        sk = f"inbox#{message.message_id}"
        try:
            InboxItem(
                pk=message.source,
                sk=sk,
                body=message.body,
                received_at=message.received_at,
                done=message.done,
                expires_at=keep_until,
            ).save(condition=InboxItem.pk.does_not_exist())
        except PutError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise UnavailableError("STORE_UNAVAILABLE") from error
            item = InboxItem.get(message.source, sk, consistent_read=True)
            return InboxMessage(message.source, message.message_id, item.body, item.received_at, item.done)
        return message

    def done(self, source: str, message_id: str) -> None:
        InboxItem(pk=source, sk=f"inbox#{message_id}").update([InboxItem.done.set(True)])


class EndpointItem(Table):
    """Where a partner takes events."""

    class Meta:
        table_name = settings().partners_table

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    url = UnicodeAttribute(null=True)
    events = JsonAttribute()
    secrets = JsonAttribute()
    status = UnicodeAttribute()
    failing_since = EpochAttribute(null=True)
    created_at = EpochAttribute()


class DeliveryItem(Table):
    """An event on its way to an endpoint. `attempts` holds [epoch ms, status, error] each."""

    class Meta:
        table_name = settings().deliveries_table

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    event_type = UnicodeAttribute()
    body = UnicodeAttribute()
    status = UnicodeAttribute()
    attempts = JsonAttribute()
    created_at = EpochAttribute()
    expires_at = ExpiryAttribute()


class DynamoEndpoints:
    """`partners.ports.Endpoints`. What `of` answers may be half a minute old: it is asked for every event."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Sequence[Endpoint]]] = {}

    def put(self, endpoint: Endpoint) -> None:
        EndpointItem(
            pk=endpoint.owner,
            sk=f"endpoint#{endpoint.endpoint_id}",
            url=endpoint.url,
            events=list(endpoint.events),
            secrets=list(endpoint.secrets),
            status=endpoint.status,
            failing_since=endpoint.failing_since,
            created_at=endpoint.created_at,
        ).save()
        self._known.pop(endpoint.owner, None)

    def find(self, owner: str, endpoint_id: str) -> Endpoint | None:
        try:
            return _endpoint(EndpointItem.get(owner, f"endpoint#{endpoint_id}", consistent_read=True))
        except DoesNotExist:
            return None

    def remove(self, owner: str, endpoint_id: str) -> None:
        EndpointItem(pk=owner, sk=f"endpoint#{endpoint_id}").delete()
        self._known.pop(owner, None)

    def of(self, owner: str) -> Sequence[Endpoint]:
        until, known = self._known.get(owner, (0.0, ()))
        if time.monotonic() < until:
            return known
        known = [_endpoint(item) for item in EndpointItem.query(owner, EndpointItem.sk.startswith("endpoint#"))]
        self._known[owner] = (time.monotonic() + ENDPOINTS_KEPT_SECONDS, known)
        return known


class DynamoDeliveries:
    """`partners.ports.Deliveries`."""

    def add(self, delivery: Delivery, keep_until: datetime) -> bool:
        try:
            DeliveryItem(
                pk=delivery.endpoint_id,
                sk=delivery.delivery_id,
                event_type=delivery.event_type,
                body=delivery.body,
                status=delivery.status,
                attempts=[],
                created_at=delivery.created_at,
                expires_at=keep_until,
            ).save(condition=DeliveryItem.pk.does_not_exist())
        except PutError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise UnavailableError("STORE_UNAVAILABLE") from error
        return True

    def find(self, endpoint_id: str, delivery_id: str) -> Delivery | None:
        try:
            return _delivery(DeliveryItem.get(endpoint_id, delivery_id, consistent_read=True))
        except DoesNotExist:
            return None

    def note(self, delivery: Delivery, attempt: Attempt, status: str) -> None:
        attempts = [[to_epoch_ms(made.at), made.status, made.error] for made in (*delivery.attempts, attempt)]
        DeliveryItem(pk=delivery.endpoint_id, sk=delivery.delivery_id).update(
            [
                DeliveryItem.attempts.set(attempts),
                DeliveryItem.status.set(status),
            ]
        )

    def page(self, endpoint_id: str, after: str | None, limit: int) -> Sequence[Delivery]:
        condition = DeliveryItem.sk > after if after else None
        return [_delivery(item) for item in DeliveryItem.query(endpoint_id, condition, limit=limit)]


def _endpoint(item: EndpointItem) -> Endpoint:
    return Endpoint(
        item.sk.removeprefix("endpoint#"),
        item.pk,
        item.url,
        tuple(item.events),
        tuple(item.secrets),
        item.status,
        item.failing_since,
        item.created_at,
    )


def _delivery(item: DeliveryItem) -> Delivery:
    attempts = tuple(Attempt(from_epoch_ms(at), status, error) for at, status, error in item.attempts)
    return Delivery(item.pk, item.sk, item.event_type, item.body, item.status, attempts, item.created_at)
