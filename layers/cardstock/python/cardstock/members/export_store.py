"""Exports in DynamoDB.

| Access pattern | Table `members`, key | Cost |
|---|---|---|
| ask: the member is there, the export is put if absent, counted | `mem_...`, `export#exp_...` | 1 transaction, 7 WCU |
| one export | `export#exp_...` | 1 read |
| a member's exports | index `by_member`, then all of them | 1 query, 1 read |
| finish: the member is there, the export gets its file | `mem_...`, `export#exp_...` | 1 transaction, 4 WCU |

Items go thirty days after they were asked for (TTL).
"""

from collections.abc import Sequence
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.counters import CountStep, RequestCounter
from cardstock.aws.items import PrefixedAttribute, StructAttribute, fields_of, record_of
from cardstock.aws.tables import ConditionFailedError, EpochAttribute, ExpiryAttribute, Table, Transaction
from cardstock.errors import MEMBER_ERASED, STORE_BUSY
from cardstock.members.export_model import EXPORTS, Export, ExportFile
from cardstock.members.item_store import MemberItem
from cardstock.members.store import DynamoMembers

_EXPORT: Final = "export#"
_THERE: Final = MemberItem.id.exists() & MemberItem.erased_at.does_not_exist()


class ExportItem(Table):
    """An export."""

    class Meta:
        variable = "MEMBERS_TABLE"

    id = PrefixedAttribute(_EXPORT, hash_key=True, attr_name="pk")
    member_id = UnicodeAttribute()
    language = UnicodeAttribute()
    asked_at = EpochAttribute()
    file = StructAttribute(ExportFile, null=True)
    expires_at = ExpiryAttribute()


class DynamoExports:
    """`members.ports.Exports`."""

    def add(self, export: Export) -> Export:
        item = ExportItem(expires_at=export.forgotten_at, **fields_of(export, ExportItem))
        try:
            with Transaction() as transaction:
                transaction.condition_check(MemberItem, export.member_id, condition=_THERE)
                transaction.save(item, condition=ExportItem.id.does_not_exist())
                counter = RequestCounter(EXPORTS.key(export.member_id, export.asked_at))
                CountStep(transaction, counter, EXPORTS, export.asked_at)
        except ConditionFailedError as error:
            if 0 in error.failed:
                raise MEMBER_ERASED() from error
            if 1 not in error.failed:
                raise EXPORTS.refusal(export.asked_at) from error
            found = self.find(export.id)
            if found is None:
                raise STORE_BUSY() from error  # it was removed meanwhile
            return found
        return export

    def find(self, export_id: str) -> Export | None:
        item = ExportItem.find(export_id)
        return None if item is None else record_of(Export, item)

    def of_member(self, member_id: str) -> Sequence[Export]:
        ids = [key.removeprefix(_EXPORT) for key in DynamoMembers().keys_of(member_id) if key.startswith(_EXPORT)]
        return [record_of(Export, item) for item in ExportItem.batch_get(ids, consistent_read=True)] if ids else []

    def finish(self, export: Export, file: ExportFile) -> bool:
        waits = ExportItem.id.exists() & ExportItem.file.does_not_exist()
        try:
            with Transaction() as transaction:
                transaction.condition_check(MemberItem, export.member_id, condition=_THERE)
                transaction.update(ExportItem(export.id), [ExportItem.file.set(file)], condition=waits)
        except ConditionFailedError as error:
            if 0 in error.failed:
                return False
            found = self.find(export.id)
            return found is not None and found.file is not None
        return True

    def remove(self, export_id: str) -> None:
        ExportItem(export_id).delete()
