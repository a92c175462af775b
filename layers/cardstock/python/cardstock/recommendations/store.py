"""Serving rows in DynamoDB.

Table `recommendations`: partition key `pk`, no index. One kind of item: a serving row (`member#<id>`, `product#<sku>`,
`popular`) as one text of at most 3 900 bytes, which expires a year and a month after the newest purchase behind it.

| Access pattern | How | Costs |
|---|---|---|
| a member's answer | one BatchGetItem of 2 rows, and one more for each shown product | 0.5 RCU a row |
| learning writes; deletes rows of members who do not agree | BatchWriteItem of 25 | at most 4 WCU a row; 1 WCU |
| withdrawal deletes the member's row | in the withdrawal's transaction | at most 8 WCU |
| a closed account | DeleteItem | 1 WCU for each KB |
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any, Final, Literal

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import GetError

from cardstock.aws.tables import ExpiryAttribute, Table, Transaction
from cardstock.errors import STORE_BUSY, STORE_UNAVAILABLE
from cardstock.recommendations.model import Row, member_key
from cardstock.recommendations.rows import decode, encode

_KEPT: Final = timedelta(days=396)
_BATCH: Final = 25
_PAUSES_SECONDS: Final = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)


class RowItem(Table):
    """One serving row."""

    class Meta:
        variable = "RECOMMENDATIONS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    text = UnicodeAttribute(attr_name="r")
    expires_at = ExpiryAttribute()


def remove_row_of(member_id: str) -> None:
    """Remove the member's row. Safe to repeat."""
    RowItem(member_key(member_id)).delete()


class DynamoRows:
    """`recommendations.ports.LearntRows`."""

    def __init__(self, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep

    def read_rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """A row that the store was too busy for counts as absent: an answer from fewer rows, in time, is worth more
        than a second call."""
        requested: list[Any] = [{"pk": key} for key in keys]  # PynamoDB takes maps here and declares strings
        try:
            # Not `RowItem.batch_get`, which repeats without a bound.
            found = RowItem._get_connection().batch_get_item(requested)
        except GetError as error:
            # `cause_response_code` fails on a time-out, whose response is None.
            response = getattr(error.cause, "response", None) or {}
            if response.get("Error", {}).get("Code") in ("ValidationException", "ResourceNotFoundException"):
                raise
            raise STORE_UNAVAILABLE() from error
        items = found.get("Responses", {}).get(RowItem.table_name(), ())
        return {item["pk"]["S"]: decode(item["pk"]["S"], item["r"]["S"]) for item in items}

    def write_rows(self, rows: Iterable[Row]) -> int:
        count = 0
        items = (RowItem(pk=row.key, text=encode(row), expires_at=row.learned_at + _KEPT).serialize() for row in rows)
        while batch := list(islice(items, _BATCH)):
            self._write("put_items", batch)
            count += len(batch)
        return count

    def delete_rows(self, keys: Collection[str]) -> None:
        items: Iterator[Any] = iter([{"pk": {"S": key}} for key in keys])
        while batch := list(islice(items, _BATCH)):
            self._write("delete_items", batch)

    def removal_step(self, member_id: str) -> Callable[[Transaction], None]:
        """What deletes the member's row, as a part of another area's transaction."""
        return lambda transaction: transaction.delete(RowItem(pk=member_key(member_id)))

    def _write(self, kind: Literal["put_items", "delete_items"], batch: list[Any]) -> None:
        """Put or delete all of `batch`. Not `RowItem.batch_write`: it repeats at once and three times only, and a
        night's rows come faster than a table that was idle all day takes them."""
        table = RowItem._get_connection()
        for pause in (*_PAUSES_SECONDS, None):
            asked: dict[str, Any] = {kind: batch}
            answer = table.batch_write_item(**asked)
            refused = answer.get("UnprocessedItems", {}).get(RowItem.table_name())
            if not refused:
                return
            batch = [
                request["PutRequest"]["Item"] if kind == "put_items" else request["DeleteRequest"]["Key"]
                for request in refused
            ]
            if pause is not None:
                self._sleep(pause)
        raise STORE_BUSY()
