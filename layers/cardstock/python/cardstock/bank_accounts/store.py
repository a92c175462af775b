"""Bank accounts in DynamoDB.

Table `bank-accounts`, partition key `pk`, sort key `sk`:

| Access pattern | Key | Cost |
|---|---|---|
| a member's accounts | member id / `holding` | 1 read |
| payees of a batch | many member ids / `holding` | 1 read per 99 |
| changes that wait for a person, by member | `waiting` / member id | query |
| who saw a whole number, oldest first | member id / `reveal#<time>#<actor>` | query |
| remove all of a closed account | member id, and its place in `waiting` | query, and a delete each |

Setting and deciding is one transaction of two items: the accounts, and the member's place among those that wait.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace
from pynamodb.attributes import UnicodeAttribute

from cardstock import clock
from cardstock.approving import UseOnce
from cardstock.aws.items import StructAttribute
from cardstock.aws.pages import read_page
from cardstock.aws.tables import ConditionFailedError, EpochAttribute, IntegerAttribute, Table, Transaction
from cardstock.bank_accounts import errors
from cardstock.bank_accounts.model import BankAccount, Change, Holding, Notice, Reveal
from cardstock.clock import to_epoch_ms

_HOLDING = "holding"
_WAITING = "waiting"


class HoldingItem(Table):
    """A member's accounts."""

    class Meta:
        variable = "BANK_ACCOUNTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=_HOLDING)
    current = StructAttribute(BankAccount, null=True)
    change = StructAttribute(Change, null=True)
    notices = StructAttribute(tuple[Notice, ...], null=True)
    version = IntegerAttribute()
    removed_at = EpochAttribute(null=True)


class WaitingItem(Table):
    """A member whose change waits for a person."""

    class Meta:
        variable = "BANK_ACCOUNTS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default=_WAITING)
    sk = UnicodeAttribute(range_key=True)


class RevealItem(Table):
    """Somebody saw a whole number."""

    class Meta:
        variable = "BANK_ACCOUNTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    account_id = UnicodeAttribute()
    actor = UnicodeAttribute()
    at = EpochAttribute()
    reason = UnicodeAttribute()


class DynamoAccounts:
    """`bank_accounts.ports.Accounts`."""

    def find_holding(self, member_id: str) -> Holding:
        item = HoldingItem.find(member_id, _HOLDING)
        return Holding(member_id) if item is None else _holding(item)

    def find_holdings(self, member_ids: Sequence[str]) -> Mapping[str, Holding]:
        keys = [(member_id, _HOLDING) for member_id in dict.fromkeys(member_ids)]
        found = HoldingItem.batch_get(keys, consistent_read=True) if keys else ()
        return {item.pk: _holding(item) for item in found}

    def replace(self, holding: Holding, use: UseOnce | None = None) -> Holding:
        changed = replace(holding, version=holding.version + 1)
        waits = holding.change is not None and holding.change.state == "waiting"
        condition = HoldingItem.version == holding.version if holding.version else HoldingItem.pk.does_not_exist()
        try:
            with Transaction() as write:
                if waits:
                    write.save(WaitingItem(sk=holding.member_id))
                else:
                    write.delete(WaitingItem(sk=holding.member_id))
                write.save(_item(changed), condition=condition)
                if use is not None:
                    use(write)
        except ConditionFailedError as error:
            # The client repeats a write whose answer was lost, so the condition may have failed on this very write.
            if self.find_holding(holding.member_id) == changed:
                return changed
            raise errors.BANK_ACCOUNT_CHANGED() from error
        return changed

    def removal_step(self, member_id: str) -> Callable[[Transaction], None]:
        def remove(transaction: Transaction) -> None:
            item = HoldingItem.find(member_id, _HOLDING)
            if item is None:
                transaction.condition_check(HoldingItem, member_id, _HOLDING, condition=HoldingItem.pk.does_not_exist())
                return
            changed = replace(Holding(member_id), version=item.version + 1, removed_at=clock.now())
            transaction.delete(WaitingItem(sk=member_id))
            transaction.save(_item(changed), condition=HoldingItem.version == item.version)

        return remove

    def waiting_page(self, limit: int, after: str | None) -> tuple[list[str], str | None]:
        start = None if after is None else {"pk": _WAITING, "sk": after}
        found, last = read_page(WaitingItem.query, _WAITING, limit=limit, start=start, consistent_read=True)
        return [item.sk for item in found], last.sk if last else None

    def add_reveal(self, reveal: Reveal) -> None:
        RevealItem(
            pk=reveal.member_id,
            sk=f"reveal#{to_epoch_ms(reveal.at)}#{reveal.actor}",
            account_id=reveal.account_id,
            actor=reveal.actor,
            at=reveal.at,
            reason=reveal.reason,
        ).save()


def remove_accounts_of(member_id: str) -> None:
    """Remove the member's accounts, a change that waits, and who saw a number. Safe to repeat and to interrupt."""
    WaitingItem(sk=member_id).delete()
    for item in RevealItem.query(member_id, consistent_read=True):
        RevealItem(pk=member_id, sk=item.sk).delete()


def _item(holding: Holding) -> HoldingItem:
    return HoldingItem(
        pk=holding.member_id,
        current=holding.current,
        change=holding.change,
        notices=holding.notices or None,
        version=holding.version,
        removed_at=holding.removed_at,
    )


def _holding(item: HoldingItem) -> Holding:
    return Holding(item.pk, item.current, item.change, item.notices or (), item.version, item.removed_at)
