"""Counters of limits in DynamoDB: by themselves, or in a transaction that is written anyway.

| Access pattern | Cost |
|---|---|
| count by itself: table `requests`, pk `count#limit#who#window` | 1 UpdateItem, 1 WCU |
| count in a transaction, in a table that it writes to: fails with it, and only with it | 2 WCU |

Counters expire with their window (TTL).
"""

from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from cardstock.aws.tables import ConditionFailedError, ExpiryAttribute, IntegerAttribute, Table, Transaction
from cardstock.limits import Limit, Use


class RequestCounter(Table):
    """A counter beside the records of requests."""

    class Meta:
        variable = "REQUESTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    n = IntegerAttribute()
    expires_at = ExpiryAttribute()


class DynamoCounts:
    """`limits.Counts`."""

    def count(self, use: Use, now: datetime) -> bool:
        actions, free = once_more(RequestCounter, use.limit, now)
        return RequestCounter(use.limit.key(use.who, now)).update_if(actions, free)


class CountStep:
    """A counter that is raised in a transaction, if it is below its limit. `item` has fields `n` and `expires_at`."""

    def __init__(self, transaction: Transaction, item: Any, limit: Limit, now: datetime) -> None:
        self.limit = limit
        self._transaction, self._before = transaction, len(transaction._update_items)
        actions, free = once_more(type(item), limit, now)
        transaction.update(item, actions=actions, condition=free)

    def was_over(self, error: ConditionFailedError) -> bool:
        """Whether the transaction failed because of this counter."""
        whole = self._transaction
        earlier = len(whole._condition_check_items) + len(whole._delete_items) + len(whole._put_items)
        return earlier + self._before in error.failed


def once_more(shape: Any, limit: Limit, now: datetime) -> tuple[list[Action], Condition]:
    """What raises a counter of this shape, and the condition that it is below its limit."""
    free: Condition = shape.n.does_not_exist() | (shape.n < limit.most)
    return [shape.n.add(1), shape.expires_at.set(limit.ends(now))], free
