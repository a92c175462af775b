"""Members whom a batch does not list, in DynamoDB. `store.py` says the keys and the costs."""

from collections.abc import Iterator, Sequence

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.tables import ConditionFailedError, IntegerAttribute, Table, Transaction
from cardstock.payouts import errors
from cardstock.payouts.batch_store import HEAD, BatchItem
from cardstock.payouts.model import Batch, LeftOut


class LeftOutItem(Table):
    """A member who is not listed."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    available = IntegerAttribute()
    reason = UnicodeAttribute()
    name = UnicodeAttribute(null=True)


class LeftOutStore:
    """Who is not listed."""

    def add_left_out(self, batch: Batch, left_out: Sequence[LeftOut]) -> None:
        if not left_out:
            return
        try:
            with Transaction() as write:
                write.condition_check(BatchItem, batch.id, HEAD, condition=BatchItem.stage == "listing")
                for one in left_out:
                    write.save(
                        LeftOutItem(
                            pk=batch.id,
                            sk=f"out#{one.member}",
                            available=one.available,
                            reason=one.reason,
                            name=one.name or None,
                        )
                    )
        except ConditionFailedError as error:
            raise errors.PAYOUT_CHANGED() from error

    def find_left_out(self, batch_id: str, member: str) -> LeftOut | None:
        found = LeftOutItem.batch_get([(batch_id, f"out#{member}")], consistent_read=True)
        return next(map(_left_out, found), None)

    def left_out_of_batch(self, batch_id: str) -> Iterator[LeftOut]:
        yield from map(_left_out, LeftOutItem.query(batch_id, LeftOutItem.sk.startswith("out#"), consistent_read=True))


def _left_out(item: LeftOutItem) -> LeftOut:
    return LeftOut(item.sk.removeprefix("out#"), item.available, item.reason, item.name or "")
