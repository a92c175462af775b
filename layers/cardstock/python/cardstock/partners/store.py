"""Partners in DynamoDB.

Table `partners`, partition key `pk`, sort key `sk`. Index `by_list` (`listed`, `pk`), keys only: suppliers alone.

| Access pattern | Key |
|---|---|
| key by id (every call of a key) | `key_...` / `key` |
| keys of an owner | owner / begins with `key#`, then the keys by id |
| supplier by id | `sup_...` / `supplier` |
| suppliers, by id | Query `by_list`, then the suppliers |
| message once per source | source / `inbox#<message id>`, expires after 30 days |
| endpoints of an owner (every event; kept for half a minute) | owner / begins with `endpoint#` |

Table `deliveries`, partition key `pk`, sort key `sk`; items expire after 30 days.

| Access pattern | Key |
|---|---|
| an endpoint's deliveries, in the order of adding | endpoint id / delivery id (the moment, `.`, event id) |
| whether an endpoint has an event | endpoint id `#events` / event id |
"""

import json
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import Attribute, BinaryAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from cardstock.aws.items import PrefixedAttribute, StructAttribute, fields_of, record_of
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
    STAFF,
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
LISTED = "supplier"
"""The key of the index of suppliers."""


class KeyItem(Table):
    """An API key."""

    class Meta:
        variable = "PARTNERS_TABLE"

    key_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default="key")
    secret_sha256 = UnicodeAttribute()
    scopes = StructAttribute(frozenset[str])
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


class ByList(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """The ids of all suppliers: some hundreds, under one key."""

    class Meta:
        index_name = "by_list"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    supplier_id = UnicodeAttribute(range_key=True, attr_name="pk")


class SupplierItem(Table):
    """A supplier."""

    class Meta:
        variable = "PARTNERS_TABLE"

    supplier_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default="supplier")
    name = UnicodeAttribute()
    inbox_secrets = StructAttribute(tuple[str, ...])
    created_at = EpochAttribute()
    listed = UnicodeAttribute(null=True)
    by_list = ByList()


class InboxItem(Table):
    """A received message."""

    class Meta:
        variable = "PARTNERS_TABLE"

    source = UnicodeAttribute(hash_key=True, attr_name="pk")
    message_id = PrefixedAttribute("inbox#", range_key=True, attr_name="sk")
    body = BinaryAttribute(legacy_encoding=False)
    received_at = EpochAttribute()
    state = UnicodeAttribute()
    expires_at = ExpiryAttribute()


def find_key(key_id: str) -> ApiKey | None:
    """The key, read consistently (1 RCU). Accepts any text, because the id comes from a header."""
    if len(key_id) > _LONGEST_KEY_ID:  # DynamoDB answers a key of more than 2 048 bytes with a validation error
        return None
    item = KeyItem.find(key_id, "key")
    return None if item is None else key_in(item)


def key_in(item: KeyItem) -> ApiKey:
    """The key that an item holds."""
    return record_of(ApiKey, item)


class DynamoKeys:
    """`partners.ports.Keys`."""

    def add(self, key: ApiKey, request: RequestKey) -> str | None:
        try:
            with Transaction() as transaction:
                remember(transaction, request, key.key_id, key.created_at)
                transaction.save(KeyItem(**fields_of(key, KeyItem)), condition=KeyItem.key_id.does_not_exist())
                transaction.save(KeyOfOwnerItem(pk=key.owner, sk=f"key#{key.key_id}"))
        except ConditionFailedError as error:
            return _earlier(error, request) or key.key_id
        return None

    def find(self, key_id: str) -> ApiKey | None:
        return find_key(key_id)

    def revoke(self, key_id: str) -> bool:
        revoked: KeyState = "revoked"
        return KeyItem(key_id, "key").update_if([KeyItem.state.set(revoked)], KeyItem.key_id.exists())

    def keys_of_owner(self, owner: str, limit: int, after: str | None) -> tuple[Sequence[ApiKey], str | None]:
        start = None if after is None else {"pk": owner, "sk": f"key#{after}"}
        of_owner = KeyOfOwnerItem.sk.startswith("key#")
        items, last = read_page(KeyOfOwnerItem.query, owner, of_owner, limit=limit, start=start, consistent_read=True)
        ids = [item.sk.removeprefix("key#") for item in items]
        found = KeyItem.batch_get([(key_id, "key") for key_id in ids], consistent_read=True)
        keys = {item.key_id: record_of(ApiKey, item) for item in found}
        return [keys[key_id] for key_id in ids if key_id in keys], ids[-1] if last else None


class DynamoSuppliers:
    """`partners.ports.Suppliers`."""

    def add(self, supplier: Supplier) -> Supplier:
        item = SupplierItem(listed=LISTED, **fields_of(supplier, SupplierItem))
        if item.put_if(SupplierItem.supplier_id.does_not_exist()):
            return supplier
        return record_of(Supplier, SupplierItem.get(supplier.supplier_id, "supplier", consistent_read=True))

    def find(self, supplier_id: str) -> Supplier | None:
        item = SupplierItem.find(supplier_id, "supplier")
        return None if item is None else record_of(Supplier, item)

    def list_suppliers(self, limit: int, after: str | None) -> tuple[Sequence[Supplier], str | None]:
        start = None if after is None else {"listed": LISTED, "pk": after, "sk": "supplier"}
        items, last = read_page(SupplierItem.by_list.query, LISTED, limit=limit, start=start)
        ids = [item.supplier_id for item in items]
        found = {
            item.supplier_id: record_of(Supplier, item) for item in SupplierItem.batch_get((i, "supplier") for i in ids)
        }
        return [found[i] for i in ids if i in found], last.supplier_id if last else None

    def rename(self, supplier_id: str, name: str) -> None:
        SupplierItem(supplier_id, "supplier").update([SupplierItem.name.set(name)])

    def rotate(self, supplier: Supplier, secrets: tuple[str, ...], request: RequestKey, at: datetime) -> bool:
        try:
            with Transaction() as transaction:
                remember(transaction, request, supplier.supplier_id, at)
                transaction.update(
                    SupplierItem(supplier.supplier_id, "supplier"),
                    actions=[SupplierItem.inbox_secrets.set(secrets)],
                    condition=SupplierItem.inbox_secrets == supplier.inbox_secrets,
                )
        except ConditionFailedError as error:
            return _earlier(error, request) is not None
        return True


def index_suppliers() -> int:
    """Put each supplier into the list that is not in it; their number. Release v0.2.0 listed none.

    A scan, once after an update. Safe to repeat and to interrupt.
    """
    count = 0
    for item in SupplierItem.scan((SupplierItem.sk == "supplier") & SupplierItem.listed.does_not_exist()):
        there = SupplierItem.supplier_id.exists()
        count += SupplierItem(item.supplier_id, "supplier").update_if([SupplierItem.listed.set(LISTED)], there)
    return count


def forget_receivers() -> int:
    """Take the receiver out of the deliveries that the brand's endpoints have; the number of those. Release v0.3.0 put
    it there.

    Reads the deliveries of the brand's endpoints, once after an update. Safe to repeat and to interrupt.
    """
    count, requested = 0, DeliveryItem.event_type == "fulfilment.requested"
    for endpoint in DynamoEndpoints().of(STAFF):
        for item in DeliveryItem.query(endpoint.endpoint_id, filter_condition=requested):
            body = json.loads(item.body)
            if body["data"].pop("receiver", None) is not None:
                changed = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
                count += DeliveryItem(item.endpoint_id, item.delivery_id).update_if(
                    [DeliveryItem.body.set(changed)], DeliveryItem.endpoint_id.exists()
                )
    return count


class DynamoInbox:
    """`partners.ports.Inbox`."""

    def receive(self, message: InboxMessage, keep_until: datetime) -> InboxMessage:
        item = InboxItem(**fields_of(message, InboxItem), expires_at=keep_until)
        if item.put_if(InboxItem.source.does_not_exist()):
            return message
        return record_of(InboxMessage, InboxItem.get(message.source, message.message_id, consistent_read=True))

    def done(self, source: str, message_id: str) -> None:
        done: MessageState = "done"
        InboxItem(source, message_id).update([InboxItem.state.set(done)])


class EndpointItem(Table):
    """A webhook endpoint."""

    class Meta:
        variable = "PARTNERS_TABLE"

    owner = UnicodeAttribute(hash_key=True, attr_name="pk")
    endpoint_id = PrefixedAttribute("endpoint#", range_key=True, attr_name="sk")
    url = UnicodeAttribute(null=True)
    events = StructAttribute(tuple[str, ...])
    secrets = StructAttribute(tuple[str, ...])
    status = UnicodeAttribute()
    failing_since = EpochAttribute(null=True)
    created_at = EpochAttribute()
    created_by = UnicodeAttribute(null=True)
    responsible = UnicodeAttribute(null=True)
    left_at = EpochAttribute(null=True)


class AttemptsAttribute(JsonAttribute):
    """Attempts as [epoch ms, status, error]."""

    def serialize(self, value: Sequence[Attempt]) -> str:
        return super().serialize([[to_epoch_ms(made.at), made.status, made.error] for made in value])

    def deserialize(self, value: Any) -> tuple[Attempt, ...]:
        return tuple(Attempt(from_epoch_ms(at), status, error) for at, status, error in super().deserialize(value))


class DeliveryItem(Table):
    """An event for an endpoint."""

    class Meta:
        variable = "DELIVERIES_TABLE"

    endpoint_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    delivery_id = UnicodeAttribute(range_key=True, attr_name="sk")
    event_type = UnicodeAttribute()
    body = UnicodeAttribute()
    status = UnicodeAttribute()
    attempts = AttemptsAttribute()
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
                    EndpointItem(**fields_of(endpoint, EndpointItem)), condition=EndpointItem.owner.does_not_exist()
                )
        except ConditionFailedError as error:
            return _earlier(error, request) or endpoint.endpoint_id
        return None

    def find(self, owner: str, endpoint_id: str) -> Endpoint | None:
        item = EndpointItem.find(owner, endpoint_id)
        return None if item is None else record_of(Endpoint, item)

    def remove(self, owner: str, endpoint_id: str) -> None:
        EndpointItem(owner, endpoint_id).delete()
        self._known.pop(owner, None)

    def of(self, owner: str) -> Sequence[Endpoint]:
        every = EndpointItem.endpoint_id.startswith("")  # behind the prefix
        return [record_of(Endpoint, item) for item in EndpointItem.query(owner, every, consistent_read=True)]

    def listening(self, owner: str) -> Sequence[Endpoint]:
        until, known = self._known.get(owner, (0.0, ()))
        if time.monotonic() >= until:
            known = self.of(owner)
            self._known[owner] = (time.monotonic() + ENDPOINTS_KEPT_SECONDS, known)
        return known

    def set_endpoint_status(self, endpoint: Endpoint, failing_since: datetime | None, status: EndpointStatus) -> None:
        since = EndpointItem.failing_since
        changed = EndpointItem(endpoint.owner, endpoint.endpoint_id).update_if(
            [
                EndpointItem.status.set(status),
                since.remove() if failing_since is None else since.set(failing_since),
            ],
            (EndpointItem.status == endpoint.status) & _same(EndpointItem.left_at, endpoint.left_at),
        )
        if changed:
            self._known.pop(endpoint.owner, None)

    def disable_left(self, endpoint: Endpoint, at: datetime) -> None:
        disabled: EndpointStatus = "disabled"
        EndpointItem(endpoint.owner, endpoint.endpoint_id).update_if(
            [EndpointItem.status.set(disabled), EndpointItem.left_at.set(at)],
            EndpointItem.responsible == endpoint.responsible,
        )
        self._known.pop(endpoint.owner, None)

    def take_over(self, endpoint: Endpoint, person_id: str) -> bool:
        taken = EndpointItem(endpoint.owner, endpoint.endpoint_id).update_if(
            [EndpointItem.responsible.set(person_id), EndpointItem.left_at.remove()],
            EndpointItem.created_at.exists()
            & _same(EndpointItem.responsible, endpoint.responsible)
            & _same(EndpointItem.left_at, endpoint.left_at),
        )
        self._known.pop(endpoint.owner, None)
        return taken

    def rotate(self, endpoint: Endpoint, secrets: tuple[str, ...], request: RequestKey, at: datetime) -> bool:
        try:
            with Transaction() as transaction:
                remember(transaction, request, endpoint.endpoint_id, at)
                transaction.update(
                    EndpointItem(endpoint.owner, endpoint.endpoint_id),
                    actions=[EndpointItem.secrets.set(secrets)],
                    condition=EndpointItem.secrets == endpoint.secrets,
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
                transaction.save(DeliveryItem(**fields_of(delivery, DeliveryItem), expires_at=keep_until))
        except ConditionFailedError as error:
            return str(error.failed[0]["delivery_id"]["S"])
        return delivery.delivery_id

    def find(self, endpoint_id: str, delivery_id: str) -> Delivery | None:
        item = DeliveryItem.find(endpoint_id, delivery_id)
        return None if item is None else record_of(Delivery, item)

    def store_attempt(self, delivery: Delivery, attempt: Attempt, status: DeliveryStatus) -> None:
        log = (*delivery.attempts, attempt)[-_LOGGED_ATTEMPTS:]
        unchanged = DeliveryItem.tries == delivery.tries
        DeliveryItem(delivery.endpoint_id, delivery.delivery_id).update_if(
            [
                DeliveryItem.attempts.set(log),
                DeliveryItem.tries.set(delivery.tries + 1),
                DeliveryItem.status.set(status),
            ],
            DeliveryItem.endpoint_id.exists() if status == "delivered" else unchanged,
        )

    def reopen(self, delivery: Delivery) -> None:
        item = DeliveryItem(delivery.endpoint_id, delivery.delivery_id)
        item.update_if([DeliveryItem.status.set("waiting")], DeliveryItem.endpoint_id.exists())

    def page(
        self, endpoint_id: str, before: str, limit: int, after: str | None
    ) -> tuple[Sequence[Delivery], str | None]:
        items, last = read_page(
            DeliveryItem.query,
            endpoint_id,
            DeliveryItem.delivery_id < before,
            limit=limit,
            start=None if after is None else {"pk": endpoint_id, "sk": after},
            consistent_read=True,  # a delivery missed here would never be listed
        )
        return [record_of(Delivery, item) for item in items], last.delivery_id if last else None


def _same(attribute: Attribute[Any], value: object) -> Condition:
    """The attribute is stored as it was read; None: it is absent."""
    return attribute.does_not_exist() if value is None else attribute == value


def _earlier(error: ConditionFailedError, request: RequestKey) -> str | None:
    """The id made by an earlier run of `request` (the action at position 0); None if only another condition failed.

    The record of a request expires after a week: then only the id, which is derived from the request, shows the repeat.
    """
    return result_of(error.failed[0], request) if 0 in error.failed else None
