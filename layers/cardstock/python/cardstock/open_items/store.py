"""Open items in DynamoDB.

Table `open-items`, partition key `pk` = kind, sort key `sk` = id. Nothing is ever deleted.

| Access pattern | How | Cost |
|---|---|---|
| open an item | put if absent, alone or in the transaction of its cause | 2 WCU with the index |
| one item | BatchGetItem of its id under every kind, consistent | 1 call |
| clear it | put on condition of the version before, alone or with what it books | 2 WCU |
| items of a state, oldest first | Query `by_state` | 1 call |
| items of a kind, as of now | Query of the kind's partition, consistent; hourly, of units set aside, which are few |
| open items of a kind, as of now | the same, which reads cleared ones as well; decides which payouts stop | 1 call |
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from cardstock.approving import UseOnce
from cardstock.aws.items import StructAttribute, fields_of, record_of
from cardstock.aws.pages import read_page
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    IntegerAttribute,
    JsonAttribute,
    Table,
    Transaction,
)
from cardstock.clock import to_epoch_ms
from cardstock.open_items.clearing import new_item
from cardstock.open_items.model import KINDS, ConfirmedItem, Decision, Kind, OpenItem, State


class ByState(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """Items of a state by the time when they were opened."""

    class Meta:
        index_name = "by_state"
        projection = AllProjection()

    state = UnicodeAttribute(hash_key=True)
    opened_key = UnicodeAttribute(range_key=True)


class OpenItemItem(Table):
    """One open item."""

    class Meta:
        variable = "OPEN_ITEMS_TABLE"

    kind = UnicodeAttribute(hash_key=True, attr_name="pk")
    id = UnicodeAttribute(range_key=True, attr_name="sk")
    state = UnicodeAttribute()
    opened_key = UnicodeAttribute()
    subject = UnicodeAttribute()
    amount_fen = IntegerAttribute()
    currency = UnicodeAttribute()
    facts = JsonAttribute()
    opened_at = EpochAttribute()
    member_id = UnicodeAttribute(null=True)
    requested = StructAttribute(Decision, null=True)
    cleared = StructAttribute(Decision, null=True)
    version = IntegerAttribute()
    by_state = ByState()


class DynamoOpenItems:
    """`open_items.ports.OpenItems`."""

    def add_item(self, item: OpenItem) -> bool:
        return _stored(item).put_if(OpenItemItem.kind.does_not_exist())

    def find_item(self, item_id: str) -> OpenItem | None:
        keys = [(kind, item_id) for kind in KINDS]
        found = next(iter(OpenItemItem.batch_get(keys, consistent_read=True)), None)
        return None if found is None else record_of(OpenItem, found)

    def save_item(self, item: OpenItem, use: UseOnce | None = None) -> bool:
        if use is None:
            return _stored(item).put_if(OpenItemItem.version == item.version - 1)
        try:
            with Transaction() as write:
                save_open_item(write, ConfirmedItem(item, use))
        except ConditionFailedError:
            return False
        return True

    def save_with(
        self, changed: OpenItem | ConfirmedItem, step: Callable[[Transaction], None], opened: OpenItem | None
    ) -> bool:
        try:
            with Transaction() as write:
                save_open_item(write, changed)
                if opened is not None:
                    add_open_item(write, opened)
                step(write)
        except ConditionFailedError:
            return False
        return True

    def items_of_kind(self, kind: Kind) -> Iterator[OpenItem]:
        for item in OpenItemItem.query(kind, consistent_read=True):
            yield record_of(OpenItem, item)

    def list_items(
        self, state: State, kind: Kind | None, limit: int, after: str | None
    ) -> tuple[Sequence[OpenItem], str | None]:
        start = None
        if after is not None:
            opened_key, of_kind, of_id = after.split("/")
            start = {"state": state, "opened_key": opened_key, "pk": of_kind, "sk": of_id}
        wanted = None if kind is None else OpenItemItem.kind == kind
        items, last = read_page(OpenItemItem.by_state.query, state, filter_condition=wanted, limit=limit, start=start)
        position = None if last is None else f"{last.opened_key}/{last.kind}/{last.id}"
        return [record_of(OpenItem, item) for item in items], position


def add_found(write: Transaction, kind: Kind, cause: str, subject: str, **stated: Any) -> str:
    """Open an item about `subject` in somebody else's transaction: one put, which fails if `cause` has opened it.
    Returns its id.

    `stated` are the other side's amount and currency, the member and the facts (`clearing.new_item`).
    """
    item = new_item(kind, cause, subject, **stated)
    add_open_item(write, item)
    return item.id


def add_open_item(write: Transaction, item: OpenItem) -> None:
    """Open an item in somebody else's transaction: one put, which fails if the item exists."""
    write.save(_stored(item), condition=OpenItemItem.kind.does_not_exist())


def save_open_item(write: Transaction, changed: OpenItem | ConfirmedItem) -> None:
    """Change an item in somebody else's transaction: one put, which fails if the item has changed; and an update, where
    a phone has confirmed it."""
    item = changed.item if isinstance(changed, ConfirmedItem) else changed
    write.save(_stored(item), condition=OpenItemItem.version == item.version - 1)
    if isinstance(changed, ConfirmedItem):
        changed.use(write)


def open_items_of_kind(kind: Kind) -> Iterator[OpenItem]:
    """The open items of a kind, read consistently."""
    for item in OpenItemItem.query(kind, filter_condition=OpenItemItem.state == "open", consistent_read=True):
        yield record_of(OpenItem, item)


def every_item() -> Iterator[OpenItem]:
    """All items; a consistent scan, for audits."""
    for item in OpenItemItem.scan(consistent_read=True):
        yield record_of(OpenItem, item)


def _stored(item: OpenItem) -> OpenItemItem:
    return OpenItemItem(opened_key=f"{to_epoch_ms(item.opened_at):013d}.{item.id}", **fields_of(item, OpenItemItem))
