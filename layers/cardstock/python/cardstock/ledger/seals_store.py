"""Noted and sealed transactions, and the list of seals, in DynamoDB. The seals themselves are objects in the archive.

Table `statements`, partition key `pk`, sort key `sk`, beside the members' lines:

| Access pattern | Key |
|---|---|
| note a transaction; all noted | `unsealed#0` ... `unsealed#f` / transaction id |
| the seal of a transaction | `sealed#` transaction id / `seal` |
| the list of seals, newest first | `seals` / `00000001` |

Notes are spread over sixteen partitions by id, so that not every write of the shop goes to one, and a transaction
always goes to the same one. A note is deleted when it is sealed: a night reads only new transactions, however many
there are in all. Capacity per transaction: 1 WCU for the note, 2 in the night (put and delete, 25 a call), and about 1
RCU.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.items import StructAttribute
from cardstock.aws.pages import read_page
from cardstock.aws.tables import EpochAttribute, IntegerAttribute, Table
from cardstock.ledger.model import Leaf, Seal, SealedLeaves

_SHARDS: Final = "0123456789abcdef"
_SEALS: Final = "seals"


class NotedItem(Table):
    """A transaction that waits to be sealed."""

    class Meta:
        variable = "STATEMENTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    at = EpochAttribute()
    leaf = UnicodeAttribute()


class SealedItem(Table):
    """Which seal a transaction is in."""

    class Meta:
        variable = "STATEMENTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="seal")
    number = IntegerAttribute()


class SealItem(Table):
    """One seal of the list."""

    class Meta:
        variable = "STATEMENTS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default=_SEALS)
    sk = UnicodeAttribute(range_key=True)
    seal = StructAttribute(Seal)


class DynamoSeals:
    """`ledger.ports.Seals`."""

    def note_leaf(self, leaf: Leaf) -> None:
        _noted(leaf).save()

    def noted_leaves(self, before: datetime) -> Iterator[Leaf]:
        for shard in _SHARDS:
            for item in NotedItem.query(
                f"unsealed#{shard}", filter_condition=NotedItem.at < before, consistent_read=True
            ):
                yield Leaf(item.sk, item.at, item.leaf)

    def seal_numbers(self, transaction_ids: Sequence[str]) -> Mapping[str, int]:
        keys = [(f"sealed#{transaction_id}", "seal") for transaction_id in transaction_ids]
        found = SealedItem.batch_get(keys, consistent_read=True)
        return {item.pk.removeprefix("sealed#"): item.number for item in found}

    def keep_seal(self, sealed: SealedLeaves) -> None:
        with SealedItem.batch_write() as batch:
            for leaf in sealed.leaves:
                batch.save(SealedItem(pk=f"sealed#{leaf.transaction_id}", number=sealed.seal.number))
        SealItem(sk=_key(sealed.seal.number), seal=sealed.seal).save()

    def forget_leaves(self, leaves: Sequence[Leaf]) -> None:
        with NotedItem.batch_write() as batch:
            for leaf in leaves:
                batch.delete(_noted(leaf))

    def last_seal(self) -> Seal | None:
        found = SealItem.query(_SEALS, scan_index_forward=False, limit=1, page_size=1, consistent_read=True)
        return next((item.seal for item in found), None)

    def list_seals(self, limit: int, after: str | None) -> tuple[list[Seal], str | None]:
        start = None if after is None else {"pk": _SEALS, "sk": _key(int(after))}
        items, last = read_page(SealItem.query, _SEALS, limit=limit, start=start, scan_index_forward=False)
        return [item.seal for item in items], str(int(last.sk)) if last else None


def every_seal() -> Iterator[Seal]:
    """The list, oldest first; a consistent read of all of it, for audits."""
    for item in SealItem.query(_SEALS, consistent_read=True):
        yield item.seal


def _noted(leaf: Leaf) -> NotedItem:
    shard = hashlib.sha256(leaf.transaction_id.encode()).hexdigest()[0]
    return NotedItem(pk=f"unsealed#{shard}", sk=leaf.transaction_id, at=leaf.at, leaf=leaf.hash)


def _key(number: int) -> str:
    return f"{number:08d}"
