"""Debts and their offsets in DynamoDB.

| Access pattern | Key | Cost |
|---|---|---|
| who owes | scan of balances | consistent |
| balances of members | member id | 1 read per 100 |
| an offset | `offset.{closed}.{member}.{day}`, both balances | 1 transaction |
"""

from collections.abc import Iterator, Mapping, Sequence

from cardstock.aws.tables import ConditionFailedError, Transaction
from cardstock.ledger.model import LedgerTransaction
from cardstock.ledger.payout_store import available_of
from cardstock.ledger.ports import Booked
from cardstock.ledger.store import BalanceItem, post
from cardstock.money import Fen


class DynamoDebts:
    """`ledger.ports.Debts`."""

    def debtors(self) -> Iterator[tuple[str, Fen]]:
        for found in BalanceItem.scan(filter_condition=BalanceItem.available < 0, consistent_read=True):
            yield found.pk, -found.available

    def available_of(self, member_ids: Sequence[str]) -> Mapping[str, Fen]:
        return available_of(member_ids) if member_ids else {}

    def book_offset(self, transaction: LedgerTransaction) -> Booked:
        try:
            with Transaction() as write:
                post(write, transaction, covered=True, owed=True)
        except ConditionFailedError as error:
            return "repeated" if 0 in error.failed else "outdated"
        return "booked"
