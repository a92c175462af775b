"""Uploads in DynamoDB.

| Access pattern | Table `uploads`, key | Cost |
|---|---|---|
| ask: put if absent, counted | `upl_...`, and the counter in `requests` | 1 transaction, 4 WCU |
| one upload; several | `upl_...` | 1 read; 1 per hundred |
| a member's uploads | index `by_member`, then all of them | 1 query, 1 read |
| receive, finish, publish | `upl_...` | 1 WCU each (2 where a member's: the index) |

Items go when their files do (TTL): `Upload.forgotten_at`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from cardstock.aws.counters import CountStep, RequestCounter
from cardstock.aws.items import StructAttribute, fields_of, record_of
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    ExpiryAttribute,
    IntegerAttribute,
    Table,
    Transaction,
)
from cardstock.errors import STORE_BUSY
from cardstock.uploads.model import Picture, Upload


class UploadsByMember(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """The uploads of members; those of staff and suppliers are not in it."""

    class Meta:
        index_name = "by_member"
        projection = KeysOnlyProjection()

    member_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True, attr_name="pk")


class UploadItem(Table):
    """An upload."""

    class Meta:
        variable = "UPLOADS_TABLE"

    id = UnicodeAttribute(hash_key=True, attr_name="pk")
    by_member = UploadsByMember()
    member_id = UnicodeAttribute(null=True)
    owner = UnicodeAttribute()
    asked_by = UnicodeAttribute()
    purpose = UnicodeAttribute()
    content_type = UnicodeAttribute()
    size = IntegerAttribute()
    asked_at = EpochAttribute()
    name = UnicodeAttribute(default="")
    state = UnicodeAttribute()
    mark = UnicodeAttribute(default="")
    ended_at = EpochAttribute(null=True)
    refused = UnicodeAttribute(default="")
    pictures = StructAttribute(tuple[Picture, ...], default=())
    published_at = EpochAttribute(null=True)
    expires_at = ExpiryAttribute(null=True)


class DynamoUploads:
    """`uploads.ports.Uploads`."""

    def add(self, upload: Upload) -> Upload:
        member_id = upload.owner if upload.terms.of_members else None
        item = UploadItem(member_id=member_id, expires_at=upload.forgotten_at, **fields_of(upload, UploadItem))
        limit, now = upload.limit, upload.asked_at
        try:
            with Transaction() as transaction:
                transaction.save(item, condition=UploadItem.id.does_not_exist())
                CountStep(transaction, RequestCounter(limit.key(upload.owner, now)), limit, now)
        except ConditionFailedError as error:
            if 0 not in error.failed:
                raise limit.refusal(now) from error
            found = self.find(upload.id)
            if found is None:
                raise STORE_BUSY() from error  # it was removed meanwhile
            return found
        return upload

    def find(self, upload_id: str) -> Upload | None:
        item = UploadItem.find(upload_id)
        return None if item is None else record_of(Upload, item)

    def find_many(self, upload_ids: Collection[str]) -> Sequence[Upload]:
        ids = sorted(set(upload_ids))
        return [record_of(Upload, item) for item in UploadItem.batch_get(ids, consistent_read=True)] if ids else []

    def of_member(self, member_id: str) -> Sequence[Upload]:
        return self.find_many([item.id for item in UploadItem.by_member.query(member_id)])

    def receive(self, upload: Upload) -> bool:
        item = UploadItem(upload.id)
        asked, same = UploadItem.state == "asked", UploadItem.mark == upload.mark
        actions: list[Action] = [UploadItem.state.set("received"), UploadItem.mark.set(upload.mark)]
        return item.update_if(actions, asked | ((UploadItem.state == "received") & same))

    def finish(self, upload: Upload) -> bool:
        expires = upload.forgotten_at
        actions: list[Action] = [
            UploadItem.state.set(upload.state),
            UploadItem.refused.set(upload.refused),
            UploadItem.pictures.set(upload.pictures),
            UploadItem.ended_at.set(upload.ended_at or upload.asked_at),
            UploadItem.expires_at.remove() if expires is None else UploadItem.expires_at.set(expires),
        ]
        return UploadItem(upload.id).update_if(actions, UploadItem.state == "received")

    def publish(self, upload_id: str, now: datetime) -> None:
        fresh = (UploadItem.state == "ready") & UploadItem.published_at.does_not_exist()
        UploadItem(upload_id).update_if([UploadItem.published_at.set(now)], fresh)

    def remove(self, upload_id: str) -> None:
        UploadItem(upload_id).delete()
