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

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    transaction_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    cause = UnicodeAttribute()
    order_id = UnicodeAttribute(null=True)
    at = EpochAttribute()
    rewards = JsonAttribute()
    change = JsonAttribute()


class DynamoStatements:
    """`ledger.ports.Statements`."""

    def put_lines(self, lines: Sequence[StatementLine]) -> None:
        for line in lines:
            StatementItem(
                pk=line.member_id,
                sk=line.key,
                transaction_id=line.transaction_id,
                kind=line.kind,
                cause=line.cause,
                order_id=line.order_id or None,
                at=line.at,
                rewards=list(line.rewards),
                change=line.change,
            ).save()

    def lines_of_member(
        self, member_id: str, since: datetime | None, until: datetime | None, limit: int, after: str | None
    ) -> tuple[list[StatementLine], str | None]:
        lowest = statement_key(since) if since else "0"
        highest = statement_key(until) if until else "9"
        items, last = read_page(
            StatementItem.query,
            member_id,
            StatementItem.sk.between(lowest, highest),
            limit=limit,
            start=None if after is None else {"pk": member_id, "sk": after},
            scan_index_forward=False,
        )
        return [_to_line(item) for item in items], last.sk if last else None


def changes(
    member_id: str, since: datetime | None, until: datetime
) -> Iterator[tuple[datetime, str, str, str, dict[str, int]]]:
    """Changes of a member's money from `since` until `until`: moment, transaction, kind, cause and amounts.

    For reports over many thousand members: it reads only these attributes and builds no models.
    """
    lowest = statement_key(since) if since else "0"
    table = StatementItem._get_connection()
    condition = StatementItem.sk.between(lowest, statement_key(until))
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


def _to_line(item: StatementItem) -> StatementLine:
    return StatementLine(
        member_id=item.pk,
        key=item.sk,
        transaction_id=item.transaction_id,
        kind=item.kind,  # type: ignore[arg-type]  # written from the same type
        cause=item.cause,
        order_id=item.order_id or "",
        at=item.at,
        rewards=tuple(item.rewards),
        change=item.change,
    )
