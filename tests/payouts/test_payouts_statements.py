"""A payee's statement as the report reads it: all of it, and nothing from before or after."""

from datetime import UTC, datetime, timedelta

from cardstock.flows import paying_out_wiring
from cardstock.ledger.model import StatementLine
from cardstock.ledger.statements import statement_key
from cardstock.ledger.statements_store import DynamoStatements, StatementItem
from cardstock.payouts.books import LedgerLine
from tests.house.cloud import Cloud

AT = datetime(2026, 11, 5, 4, tzinfo=UTC)
LONG = "x" * 300_000
"""Four of them are more than one answer holds."""


def put(member: str, number: int, cause: str) -> LedgerLine:
    entry, at = f"release.{number}", AT + timedelta(hours=number)
    change = {"frozen": -100 - number, "available": 100 + number}
    line = StatementLine(member, statement_key(at, entry), entry, "released", cause, "ord_1", at, ("direct",), change)  # type: ignore[arg-type]  # pockets
    DynamoStatements().put_lines([line])
    return LedgerLine(member, at, entry, "released", cause, "available", 100 + number)


def test_a_statement_longer_than_one_answer_is_read_to_its_end(cloud: Cloud) -> None:
    put_ones = [put("mem_a", number, LONG) for number in range(5)]
    put("mem_b", 0, "of somebody else")

    first = cloud.dynamodb.query(
        TableName=StatementItem.table_name(),
        KeyConditionExpression="pk = :member",
        ExpressionAttributeValues={":member": {"S": "mem_a"}},
    )
    read = paying_out_wiring.payout_ledger().statements(["mem_a"], None, AT + timedelta(days=1))

    assert len(first["Items"]) < len(put_ones)
    assert [line for line in read if line.account == "available"] == put_ones


def test_a_statement_is_read_from_the_batch_before_until_the_batch_was_opened(cloud: Cloud) -> None:
    lines = [put("mem_a", number, "ord_1") for number in range(4)]

    read = paying_out_wiring.payout_ledger().statements(["mem_a"], lines[1].at, lines[3].at)

    assert cloud.items("statements")
    assert [line.entry for line in read if line.account == "available"] == [lines[1].entry, lines[2].entry]
