"""Closed accounts in DynamoDB: table `rewards`, partition key `closings`, sort key the member.

| Access pattern | Cost |
|---|---|
| close: the record, the ledger's entry, the balance, and the members' part | 1 transaction |
| one | 1 RCU |
| all (audit) | 1 query |
"""

from collections.abc import Iterator
from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from cardstock.aws.items import fields_of, record_of
from cardstock.aws.tables import ConditionFailedError, EpochAttribute, IntegerAttribute, Table, Transaction
from cardstock.ledger.model import AccountClosing, LedgerTransaction
from cardstock.ledger.ports import Booked
from cardstock.ledger.store import BalanceItem, LedgerItem, transaction_item

_CLOSINGS: Final = "closings"


class ClosingItem(Table):
    """How a member's account was closed."""

    class Meta:
        variable = "REWARDS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default=_CLOSINGS)
    member_id = UnicodeAttribute(range_key=True, attr_name="sk")
    at = EpochAttribute()
    kind = UnicodeAttribute()
    amount = IntegerAttribute()
    reason = UnicodeAttribute(null=True)
    words = UnicodeAttribute(null=True)


class DynamoClosings:
    """`ledger.ports.Closings`. A step is a function that adds to the transaction."""

    def close_account(self, closing: AccountClosing, transaction: LedgerTransaction | None, step: Any) -> Booked:
        kept = ClosingItem(**fields_of(closing, ClosingItem))
        member = closing.member_id
        try:
            with Transaction() as write:
                # First what DynamoDB counts first: the put of the record, whose failure says that this was done before.
                write.save(kept, condition=ClosingItem.member_id.does_not_exist())
                if transaction is None:
                    write.condition_check(BalanceItem, member, condition=_holds(0) | BalanceItem.pk.does_not_exist())
                else:
                    write.save(transaction_item(transaction), condition=LedgerItem.id.does_not_exist())
                    taken = BalanceItem.available.add(-closing.amount)
                    write.update(BalanceItem(pk=member), actions=[taken], condition=_holds(closing.amount))
                step(write)
        except ConditionFailedError:
            return "outdated" if self.find_closing(member) is None else "repeated"
        return "booked"

    def find_closing(self, member_id: str) -> AccountClosing | None:
        item = ClosingItem.find(_CLOSINGS, member_id)
        return None if item is None else record_of(AccountClosing, item)


def every_closing() -> Iterator[AccountClosing]:
    """All closed accounts, by member."""
    for item in ClosingItem.query(_CLOSINGS, consistent_read=True):
        yield record_of(AccountClosing, item)


def _holds(available: int) -> Condition:
    """Exactly so much is available, and nothing is frozen or in a payout. A pocket that was never used is missing."""
    frozen, paying = BalanceItem.frozen, BalanceItem.paying
    condition: Condition = (frozen.does_not_exist() | (frozen == 0)) & (paying.does_not_exist() | (paying == 0))
    free = BalanceItem.available == available
    condition &= free if available else (free | BalanceItem.available.does_not_exist())
    return condition
