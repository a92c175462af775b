"""Members' statements in DynamoDB: a projection of the ledger, written from its stream. No decision reads it.

Table `statements`, partition key `pk` = member id, sort key `sk` = milliseconds # transaction id.

| Access pattern | How |
|---|---|
| write a transaction's lines | put, the same items in a repeat |
| a member's lines of a period, newest first | query backwards between two moments |
| many members' lines in a period | the same query, forwards, one for each member |
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.items import StructAttribute, fields_of, record_of
from cardstock.aws.pages import read_page
from cardstock.aws.tables import EpochAttribute, JsonAttribute, Table
from cardstock.clock import from_epoch_ms
from cardstock.ledger.model import StatementLine
from cardstock.ledger.statements import statement_key

_READ_OF_EACH = ["at", "transaction_id", "kind", "cause", "change"]


class StatementItem(Table):
    """One transaction's change of one member's money."""

    class Meta:
        variable = "STATEMENTS_TABLE"

    member_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    key = UnicodeAttribute(range_key=True, attr_name="sk")
    transaction_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    cause = UnicodeAttribute()
    order_id = UnicodeAttribute(null=True, default="")
    at = EpochAttribute()
    rewards = StructAttribute(tuple[str, ...])
    change = JsonAttribute()


class DynamoStatements:
    """`ledger.ports.Statements`."""

    def put_lines(self, lines: Sequence[StatementLine]) -> None:
        for line in lines:
            statement_item(line).save()

    def lines_of_member(
        self, member_id: str, since: datetime | None, until: datetime | None, limit: int, after: str | None
    ) -> tuple[list[StatementLine], str | None]:
        lowest = statement_key(since) if since else "0"
        highest = statement_key(until) if until else "9"
        items, last = read_page(
            StatementItem.query,
            member_id,
            StatementItem.key.between(lowest, highest),
            limit=limit,
            start=None if after is None else {"pk": member_id, "sk": after},
            scan_index_forward=False,
        )
        return [record_of(StatementLine, item) for item in items], last.key if last else None


def changes(
    member_id: str, since: datetime | None, until: datetime
) -> Iterator[tuple[datetime, str, str, str, dict[str, int]]]:
    """Changes of a member's money from `since` until `until`: moment, transaction, kind, cause and amounts.

    For reports over many thousand members: it reads only these attributes and builds no models.
    """
    lowest = statement_key(since) if since else "0"
    table = StatementItem._get_connection()
    condition = StatementItem.key.between(lowest, statement_key(until))
    start: Any = None
    while True:
        page = table.query(
            member_id, range_key_condition=condition, attributes_to_get=_READ_OF_EACH, exclusive_start_key=start
        )
        for item in page["Items"]:
            yield (
                from_epoch_ms(int(item["at"]["N"])),
                item["transaction_id"]["S"],
                item["kind"]["S"],
                item["cause"]["S"],
                json.loads(item["change"]["S"]),
            )
        start = page.get("LastEvaluatedKey")
        if start is None:
            return


def statement_item(line: StatementLine) -> StatementItem:
    """The item of a line."""
    # What belongs to no order has no such attribute.
    return StatementItem(**fields_of(line, StatementItem) | {"order_id": line.order_id or None})
