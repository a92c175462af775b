"""The ledger in DynamoDB.

Table `ledger`, partition key `pk` = transaction id; stream of new images. Append-only: an item is put if absent, and no
function holds a right to update or delete one.

| Access pattern | How |
|---|---|
| book a step once | put if absent, first action of the transaction |
| one transaction (explanations, proofs) | get by id |
| all (audit) | scan, consistent |

Table `balances`, partition key `pk` = member id: five counters, changed by ADD in the transaction that posts.

Table `rewards`, partition key `pk`, sort key `sk`:

| Access pattern | Key |
|---|---|
| rewards of an order | order id / `rewards` |
| days that have due orders | `days` / `2026-12-20` |
| orders due for release on a day, by receipt, then payment | `due#2026-12-20` / moments and order id |
| progress of the sweep | `sweep` / `release` |
| one write-off; all of them by page | `write-offs` / id |

Capacity of a step for k people: put 2 WCU + row 2 + k balances at 2 (10 for three), as long as the row stays under
1 KB: three credits and about eight partial refunds.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from msgspec.structs import astuple
from pynamodb.attributes import UnicodeAttribute

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
from cardstock.errors import IDEMPOTENCY_KEY_REUSED
from cardstock.ids import RequestKey, RequestResult
from cardstock.ledger.model import (
    ID_PREFIX,
    Balance,
    Credit,
    LedgerTransaction,
    OrderClawBack,
    OrderRewards,
    Posting,
    WriteOff,
    changes,
    transaction_id,
)
from cardstock.ledger.ports import Booked


class PostingsAttribute(JsonAttribute):
    """Postings as [account, fen], those of a reward as [account, fen, reward]."""

    def serialize(self, value: Sequence[Posting]) -> str:
        return super().serialize([[one.account, one.amount, *([one.reward] if one.reward else [])] for one in value])

    def deserialize(self, value: Any) -> tuple[Posting, ...]:
        return tuple(Posting(*values) for values in super().deserialize(value))


class CreditsAttribute(JsonAttribute):
    """Credits as lists of their values."""

    def serialize(self, value: Sequence[Credit]) -> str:
        return super().serialize([astuple(credit) for credit in value])

    def deserialize(self, value: Any) -> tuple[Credit, ...]:
        return tuple(Credit(*values) for values in super().deserialize(value))


class ClawsAttribute(JsonAttribute):
    """Claw-backs as [refund id, {reward: fen}]."""

    def serialize(self, value: Sequence[OrderClawBack]) -> str:
        return super().serialize([[claw.refund_id, dict(claw.taken)] for claw in value])

    def deserialize(self, value: Any) -> tuple[OrderClawBack, ...]:
        return tuple(OrderClawBack(refund_id, tuple(taken.items())) for refund_id, taken in super().deserialize(value))


class LedgerItem(Table):
    """One transaction. It is never changed or deleted."""

    class Meta:
        variable = "LEDGER_TABLE"

    id = UnicodeAttribute(hash_key=True, attr_name="pk")
    kind = UnicodeAttribute()
    cause = UnicodeAttribute()
    order_id = UnicodeAttribute(null=True)
    at = EpochAttribute()
    postings = PostingsAttribute()
    plan = UnicodeAttribute(null=True)
    credits = CreditsAttribute(null=True)
    approved_by = StructAttribute(tuple[str, ...], null=True)


class BalanceItem(Table):
    """A member's counters. They are only changed by ADD."""

    class Meta:
        variable = "BALANCES_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    frozen = IntegerAttribute(default=0)
    available = IntegerAttribute(default=0)
    """Signed: below zero it is debt, which the next credits reduce."""
    paying = IntegerAttribute(default=0)
    paid = IntegerAttribute(default=0)
    withheld = IntegerAttribute(default=0)


class RewardsItem(Table):
    """The rewards of one order."""

    class Meta:
        variable = "REWARDS_TABLE"

    order_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default="rewards")
    plan = UnicodeAttribute()
    credits = CreditsAttribute()
    accrued_at = EpochAttribute()
    state = UnicodeAttribute()
    released_at = EpochAttribute(null=True)
    claws = ClawsAttribute()
    version = IntegerAttribute()


class DueItem(Table):
    """An order that is due on a day, or a day that has due orders. Items are never deleted."""

    class Meta:
        variable = "REWARDS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class SweepItem(Table):
    """Progress of the release of due orders."""

    class Meta:
        variable = "REWARDS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default="sweep")
    sk = UnicodeAttribute(range_key=True, default="release")
    reached = UnicodeAttribute()
    """Day # key of the order, which sorts in the order of the sweep."""


class WriteOffItem(Table):
    """A write-off: who asked, and who approved."""

    class Meta:
        variable = "REWARDS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default="write-offs")
    id = UnicodeAttribute(range_key=True, attr_name="sk")
    member_id = UnicodeAttribute()
    amount = IntegerAttribute()
    asked_by = UnicodeAttribute()
    asked_at = EpochAttribute()
    reason = UnicodeAttribute()
    state = UnicodeAttribute()
    fingerprint = UnicodeAttribute()
    approved_by = UnicodeAttribute(null=True)
    approved_at = EpochAttribute(null=True)
    note = UnicodeAttribute(null=True)


def post(transaction: Transaction, booked: LedgerTransaction, *, covered: bool = False, owed: bool = False) -> None:
    """Add `booked` to `transaction`: the put of its item, if absent, and one ADD for each of its members.

    A failed condition at the put's position (return values: the stored item) means that this step was booked before.
    `covered`: every pocket that decreases must hold enough, or the transaction fails at that update's position. `owed`:
    every pocket that increases must be below zero by as much, or it fails there. DynamoDB takes one action per item, so
    the postings of one transaction must not share members.
    Raises ValueError when the postings do not add up to zero.
    """
    if booked.total:
        raise ValueError(f"{booked.id}: postings add up to {booked.total}, not to zero")
    transaction.save(transaction_item(booked), condition=LedgerItem.id.does_not_exist(), return_values="ALL_OLD")
    for member_id, pockets in changes(booked.postings).items():
        condition: Any = None
        actions = []
        for pocket, amount in pockets.items():
            counter = getattr(BalanceItem, pocket)
            actions.append(counter.add(amount))
            if covered and amount < 0:
                enough = counter >= -amount
                condition = enough if condition is None else condition & enough
            if owed and amount > 0:
                condition = counter <= -amount
        transaction.update(BalanceItem(pk=member_id), actions=actions, condition=condition)


def every_balance() -> Iterator[Balance]:
    """All balances, read consistently page by page."""
    for item in BalanceItem.scan(consistent_read=True):
        yield _to_balance(item)


def every_transaction() -> Iterator[LedgerTransaction]:
    """All transactions, in no order."""
    for item in LedgerItem.scan(consistent_read=True):
        yield record_of(LedgerTransaction, item)


def every_rewards_row() -> Iterator[OrderRewards]:
    """The rewards of all orders, in no order."""
    for item in RewardsItem.scan(filter_condition=RewardsItem.sk == "rewards", consistent_read=True):
        yield record_of(OrderRewards, item)


def transaction_of(record: dict[str, Any]) -> LedgerTransaction:
    """The transaction in a record of the ledger's stream.

    Raises ValueError if the record says that a transaction was changed or removed (which nobody may do), if its id does
    not follow from its cause, or if its postings do not add up to zero.
    """
    if record["eventName"] != "INSERT":
        raise ValueError(f"a ledger transaction met {record['eventName']}: {record['dynamodb']['Keys']}")
    transaction = record_of(LedgerTransaction, LedgerItem.from_raw_data(record["dynamodb"]["NewImage"]))
    if transaction.kind not in ID_PREFIX or transaction.id != transaction_id(transaction.kind, transaction.cause):
        raise ValueError(f"{transaction.id} is not the id of {transaction.kind} {transaction.cause}")
    if transaction.total:
        raise ValueError(f"{transaction.id}: postings add up to {transaction.total}, not to zero")
    return transaction


class DynamoBooks:
    """`ledger.ports.Books`."""

    def book_accrual(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        try:
            with Transaction() as write:
                post(write, transaction)
                write.save(rewards_item(rewards))
        except ConditionFailedError:
            return "repeated"  # the put of the transaction is the only condition
        return "booked"

    def book_change(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        try:
            with Transaction() as write:
                post(write, transaction)
                write.save(rewards_item(rewards), condition=RewardsItem.version == rewards.version - 1)
        except ConditionFailedError as error:
            return "repeated" if 0 in error.failed else "outdated"
        return "booked"

    def book_transaction(self, transaction: LedgerTransaction) -> Booked:
        try:
            with Transaction() as write:
                post(write, transaction)
        except ConditionFailedError:
            return "repeated"  # the put of the transaction is the only condition
        return "booked"

    def find_transaction(self, transaction_id: str) -> LedgerTransaction | None:
        item = LedgerItem.find(transaction_id)
        return None if item is None else record_of(LedgerTransaction, item)

    def find_rewards(self, order_id: str) -> OrderRewards | None:
        item = RewardsItem.find(order_id, "rewards")
        return None if item is None else record_of(OrderRewards, item)

    def balance_of(self, member_id: str) -> Balance:
        item = BalanceItem.find(member_id)
        return Balance(member_id) if item is None else _to_balance(item)


class DynamoWriteOffs:
    """`ledger.ports.WriteOffs`."""

    def keep_write_off(self, asked: WriteOff, request: RequestKey) -> RequestResult[WriteOff]:
        if _to_write_off_item(asked, request.fingerprint).put_if(WriteOffItem.pk.does_not_exist()):
            return RequestResult(asked, replayed=False)
        kept = WriteOffItem.get(_WRITE_OFFS, asked.id, consistent_read=True)
        if not request.made(kept.fingerprint):
            raise IDEMPOTENCY_KEY_REUSED()
        return RequestResult(record_of(WriteOff, kept), replayed=True)

    def find_write_off(self, write_off_id: str) -> WriteOff | None:
        item = WriteOffItem.find(_WRITE_OFFS, write_off_id)
        return None if item is None else record_of(WriteOff, item)

    def book_write_off(self, transaction: LedgerTransaction, approved: WriteOff, use: UseOnce) -> Booked:
        kept = WriteOffItem.get(_WRITE_OFFS, approved.id, consistent_read=True)
        try:
            with Transaction() as write:
                post(write, transaction, owed=True)
                item = _to_write_off_item(approved, kept.fingerprint)
                write.save(item, condition=WriteOffItem.state == "asked")
                use(write)
        except ConditionFailedError as error:
            return "repeated" if error.failed.keys() & {0, 1} else "outdated"
        return "booked"

    def list_write_offs(self, limit: int, after: str | None) -> tuple[list[WriteOff], str | None]:
        start = None if after is None else {"pk": _WRITE_OFFS, "sk": after}
        items, last = read_page(WriteOffItem.query, _WRITE_OFFS, limit=limit, start=start)
        return [record_of(WriteOff, item) for item in items], last.id if last else None


def every_write_off() -> Iterator[WriteOff]:
    """All write-offs, by id."""
    for item in WriteOffItem.query(_WRITE_OFFS, consistent_read=True):
        yield record_of(WriteOff, item)


class DynamoCalendar:
    """`ledger.ports.Calendar`."""

    def __init__(self) -> None:
        self._known_days: set[date] = set()

    def schedule_order(self, day: date, key: str) -> None:
        if day not in self._known_days:
            # Before the order: a day without orders is harmless, but an order of an unlisted day would be lost.
            DueItem(pk=_DAYS, sk=day.isoformat()).save()
            self._known_days.add(day)
        DueItem(pk=_due_key(day), sk=key).save()

    def days_with_orders(self, *, since: date | None, before: date) -> list[date]:
        condition: Any = DueItem.sk < before.isoformat()
        if since is not None:
            condition = DueItem.sk.between(since.isoformat(), (before - timedelta(days=1)).isoformat())
        if since is not None and since >= before:
            return []
        return [date.fromisoformat(item.sk) for item in DueItem.query(_DAYS, condition, consistent_read=True)]

    def keys_of_day(self, day: date, after: str) -> Iterator[str]:
        condition = DueItem.sk > after if after else None
        for item in DueItem.query(_due_key(day), condition, consistent_read=True):
            yield item.sk

    def sweep_progress(self) -> tuple[date, str] | None:
        item = SweepItem.find("sweep", "release")
        if item is None:
            return None
        day, _, after = item.reached.partition("#")
        return date.fromisoformat(day), after

    def save_sweep_progress(self, day: date, after: str) -> None:
        reached = f"{day.isoformat()}#{after}"
        SweepItem(reached=reached).put_if(SweepItem.pk.does_not_exist() | (SweepItem.reached < reached))


_DAYS = "days"
_WRITE_OFFS = "write-offs"


def _due_key(day: date) -> str:
    return f"due#{day.isoformat()}"


def transaction_item(booked: LedgerTransaction) -> LedgerItem:
    """The item of a transaction."""
    return LedgerItem(**fields_of(booked, LedgerItem))


def rewards_item(rewards: OrderRewards) -> RewardsItem:
    """The item of an order's rewards."""
    return RewardsItem(**fields_of(rewards, RewardsItem))


def _to_write_off_item(write_off: WriteOff, fingerprint: str) -> WriteOffItem:
    return WriteOffItem(fingerprint=fingerprint, **fields_of(write_off, WriteOffItem))


def _to_balance(item: BalanceItem) -> Balance:
    return Balance(
        member_id=item.pk,
        frozen=item.frozen,
        free=item.available,
        paying=item.paying,
        paid=item.paid,
        withheld=item.withheld,
    )
