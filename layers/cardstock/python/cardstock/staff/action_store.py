"""Actions of the staff in DynamoDB.

Table `staff-actions`, partition key `pk` (a person id, or `root`), sort key `sk` (`act_...`, sorted by time); no index,
which would double the cost of every action.

| Access pattern | Key | Cost |
|---|---|---|
| begin | person / `act_...` | 1 WCU |
| forget what was refused | the same | 1 WCU |
| actions of a person, newest first | person | a page: 1 query |
| actions of a day, newest first | every person | 1 query for each person |
"""

import heapq
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import DeleteError

from cardstock.aws.items import fields_of, record_of
from cardstock.aws.tables import EpochAttribute, Table
from cardstock.errors import UnavailableError
from cardstock.ids import new_id
from cardstock.staff.actions import RecordedAction, bounds_of


class ActionItem(Table):
    """An action."""

    class Meta:
        variable = "STAFF_ACTIONS_TABLE"

    person_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    action_id = UnicodeAttribute(range_key=True, attr_name="sk")
    at = EpochAttribute()
    by = UnicodeAttribute()
    call = UnicodeAttribute()
    things = UnicodeAttribute(null=True)
    details = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    trace_id = UnicodeAttribute(null=True)


def begin_action(action: RecordedAction) -> None:
    """Store an action that begins."""
    ActionItem(**fields_of(action, ActionItem)).save()


def forget_action(person_id: str, action_id: str) -> None:
    """Delete an action that was refused. Says nothing if that fails: the record then stays."""
    with suppress(DeleteError, UnavailableError):
        ActionItem(person_id, action_id).delete()


def new_action_id(at: datetime) -> str:
    """An id that sorts by time."""
    return new_id("act", at)


class DynamoActions:
    """`staff.ports.Actions`."""

    def actions_of(
        self, persons: Iterable[str], since: datetime | None, until: datetime | None, limit: int, after: str | None
    ) -> tuple[Sequence[RecordedAction], str | None]:
        low, high = bounds_of(since, until, after)
        keys = ActionItem.action_id.between(low, high)
        pages = [
            ActionItem.query(each, keys, scan_index_forward=False, limit=limit + 2, page_size=limit + 2)
            for each in persons
        ]
        merged = heapq.merge(*pages, key=lambda item: item.action_id, reverse=True)
        items = list(islice((item for item in merged if item.action_id != after), limit + 1))
        found = [record_of(RecordedAction, item) for item in items[:limit]]
        return found, found[-1].action_id if len(items) > limit else None
