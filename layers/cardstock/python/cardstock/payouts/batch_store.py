"""Payout batches in DynamoDB. `store.py` says the keys and the costs."""

from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec.structs import replace
from pynamodb.attributes import UnicodeAttribute

from cardstock.approving import UseOnce
from cardstock.aws import requests
from cardstock.aws.pages import read_page
from cardstock.aws.records import from_record, to_record
from cardstock.aws.requests import remember, result_of
from cardstock.aws.tables import ConditionFailedError, IntegerAttribute, JsonAttribute, Table, Transaction
from cardstock.ids import RequestKey
from cardstock.payouts import errors
from cardstock.payouts.model import Batch

_BATCHES = "batches"
HEAD = "batch"
"""Sort key of a batch's head."""


class BatchItem(Table):
    """The head of a batch, stored before its lines. Fields that are only read together are one JSON value."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=HEAD)
    stage = UnicodeAttribute()
    data = JsonAttribute()
    version = IntegerAttribute()


class BatchNameItem(Table):
    """The name of a batch, for lists: there need not be a batch for every month."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default=_BATCHES)
    sk = UnicodeAttribute(range_key=True)


class BatchStore:
    """Batches."""

    def open_batch(self, batch: Batch) -> Batch:
        try:
            with Transaction() as write:
                write.save(batch_item(batch), condition=BatchItem.pk.does_not_exist())
                write.save(BatchNameItem(sk=batch.id))
        except ConditionFailedError:
            return batch_of(BatchItem.get(batch.id, HEAD, consistent_read=True))
        return batch

    def find_batch(self, batch_id: str) -> Batch | None:
        item = BatchItem.find(batch_id, HEAD)
        return None if item is None else batch_of(item)

    def find_batches(self, batch_ids: Iterable[str]) -> list[Batch]:
        keys = [(one, HEAD) for one in batch_ids]
        heads = BatchItem.batch_get(keys, consistent_read=True) if keys else ()
        return sorted(map(batch_of, heads), key=lambda batch: batch.id, reverse=True)

    def batch_page(self, limit: int, before: str | None) -> tuple[list[Batch], str | None]:
        start = None if before is None else {"pk": _BATCHES, "sk": before}
        names, last = read_page(
            BatchNameItem.query, _BATCHES, limit=limit, start=start, scan_index_forward=False, consistent_read=True
        )
        return self.find_batches(name.sk for name in names), last.sk if last else None

    def replace_batch(self, batch: Batch) -> Batch:
        changed = next_version(batch)
        written = batch_item(changed).put_if(BatchItem.version == batch.version)
        # The client repeats a put whose answer was lost, so the condition may have failed on this very write.
        if not written and self.find_batch(batch.id) != batch_of(batch_item(changed)):
            raise errors.PAYOUT_CHANGED()
        return changed

    def approve_batch(self, batch: Batch, request: RequestKey, use: UseOnce) -> Batch:
        return self._decide(batch, request, batch.approved_at, lambda found: found.status != "open", use)

    def end_retries(self, batch: Batch, request: RequestKey) -> Batch:
        return self._decide(batch, request, batch.retries_ended_at, lambda found: found.retries_ended_at is not None)

    def _decide(
        self,
        batch: Batch,
        request: RequestKey,
        at: datetime | None,
        decided: Callable[[Batch], bool],
        use: UseOnce | None = None,
    ) -> Batch:
        """Store what a person has decided about a batch, with the request; or find that it is `decided` already."""
        changed = next_version(batch)
        try:
            with Transaction() as write:
                remember(write, request, batch.id, at or batch.opened_at)
                write.save(batch_item(changed), condition=BatchItem.version == batch.version)
                if use is not None:
                    use(write)
        except ConditionFailedError as error:
            if 0 in error.failed:
                result_of(error.failed[0], request)
            found = self.find_batch(batch.id)
            if found is None or not decided(found):
                raise errors.PAYOUT_CHANGED() from error
            return found
        return changed

    def check_reuse(self, request: RequestKey) -> None:
        requests.find(request)


def next_version(batch: Batch) -> Batch:
    """The batch as its next write stores it."""
    return replace(batch, version=batch.version + 1)


def batch_item(batch: Batch) -> BatchItem:
    """The batch as an item."""
    return BatchItem(pk=batch.id, stage=batch.stage, data=to_record(batch), version=batch.version)


def batch_of(item: BatchItem) -> Batch:
    """The batch that an item holds."""
    return from_record(Batch, item.data)
