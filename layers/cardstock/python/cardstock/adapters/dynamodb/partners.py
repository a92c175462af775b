"""Partners in DynamoDB.

Table `partners`, partition key `pk`, sort key `sk`; no index.

| Access pattern | Key |
|---|---|
| key by id (every call of a key) | `key_...` / `key` |
| supplier by id | `sup_...` / `supplier` |
| message once per source | source / `inbox#<message id>`, expires after 30 days |
"""

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
from cardstock.errors import UnavailableError
from cardstock.ids import RequestKey
from cardstock.partners.model import ApiKey, InboxMessage, Supplier
from cardstock.settings import settings


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
