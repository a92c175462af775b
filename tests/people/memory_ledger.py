"""The ports of the ledger area in memory, and accruals as its tests need them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from msgspec.structs import replace

from cardstock.approving import UseOnce
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, NOT_FOUND
from cardstock.ids import RequestKey, RequestResult
from cardstock.ledger.model import (
    AccountClosing,
    Accrual,
    Balance,
    Credit,
    Leaf,
    LedgerTransaction,
    OrderRewards,
    Seal,
    SealedLeaves,
    StatementLine,
    WriteOff,
    changes,
)
from cardstock.ledger.ports import Booked
from cardstock.ledger.statements import statement_key


class MemoryBooks:
    """`ledger.ports.Books`."""

    def __init__(self, *booked: LedgerTransaction) -> None:
        self.transactions = {transaction.id: transaction for transaction in booked}
        self.balances: dict[str, Balance] = {}
        self.rows: dict[str, OrderRewards] = {}

    def book_accrual(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        if transaction.id in self.transactions:
            return "repeated"
        self.book_transaction(transaction)
        self.rows[rewards.order_id] = rewards
        return "booked"

    def book_change(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        if transaction.id in self.transactions:
            return "repeated"
        if self.rows[rewards.order_id].version != rewards.version - 1:
            return "outdated"
        self.book_transaction(transaction)
        self.rows[rewards.order_id] = rewards
        return "booked"

    def book_transaction(self, transaction: LedgerTransaction) -> Booked:
        if transaction.id in self.transactions:
            return "repeated"
        assert transaction.total == 0
        self.transactions[transaction.id] = transaction
        for member_id, pockets in changes(transaction.postings).items():
            held = self.balances.get(member_id, Balance(member_id))
            names = {"available": "free"}
            moved = {names.get(p, p): getattr(held, names.get(p, p)) + amount for p, amount in pockets.items()}
            self.balances[member_id] = replace(held, **moved)
        return "booked"

    def find_transaction(self, transaction_id: str) -> LedgerTransaction | None:
        return self.transactions.get(transaction_id)

    def find_rewards(self, order_id: str) -> OrderRewards | None:
        return self.rows.get(order_id)

    def balance_of(self, member_id: str) -> Balance:
        return self.balances.get(member_id, Balance(member_id))


class MemoryWriteOffs:
    """`ledger.ports.WriteOffs`, beside `books`."""

    def __init__(self, books: MemoryBooks | None = None) -> None:
        self.books = books or MemoryBooks()
        self.kept: dict[str, WriteOff] = {}
        self.fingerprints: dict[str, str] = {}

    def keep_write_off(self, asked: WriteOff, request: RequestKey) -> RequestResult[WriteOff]:
        if asked.id not in self.kept:
            self.kept[asked.id], self.fingerprints[asked.id] = asked, request.fingerprint
            return RequestResult(asked, replayed=False)
        if self.fingerprints[asked.id] != request.fingerprint:
            raise IDEMPOTENCY_KEY_REUSED()
        return RequestResult(self.kept[asked.id], replayed=True)

    def find_write_off(self, write_off_id: str) -> WriteOff | None:
        return self.kept.get(write_off_id)

    def book_write_off(self, transaction: LedgerTransaction, approved: WriteOff, use: UseOnce) -> Booked:
        if transaction.id in self.books.transactions:
            return "repeated"
        if self.books.balance_of(approved.member_id).debt < approved.amount:
            return "outdated"
        self.books.book_transaction(transaction)
        self.kept[approved.id] = approved
        return "booked"

    def list_write_offs(self, limit: int, after: str | None) -> tuple[list[WriteOff], str | None]:
        ids = [write_off_id for write_off_id in sorted(self.kept) if after is None or write_off_id > after]
        page = ids[:limit]
        return [self.kept[each] for each in page], page[-1] if len(ids) > limit else None


class MemoryClosings:
    """`ledger.ports.Closings`, beside `books`. A step is a function that says whether it was done."""

    def __init__(self, books: MemoryBooks) -> None:
        self.books = books
        self.kept: dict[str, AccountClosing] = {}

    def close_account(self, closing: AccountClosing, transaction: LedgerTransaction | None, step: Any) -> Booked:
        balance = self.books.balance_of(closing.member_id)
        if closing.member_id in self.kept:
            return "repeated"
        if (balance.free, balance.frozen, balance.paying) != (closing.amount, 0, 0) or not step():
            return "outdated"
        if transaction is not None:
            self.books.book_transaction(transaction)
        self.kept[closing.member_id] = closing
        return "booked"

    def find_closing(self, member_id: str) -> AccountClosing | None:
        return self.kept.get(member_id)


class MemoryCalendar:
    """`ledger.ports.Calendar`."""

    def __init__(self) -> None:
        self.scheduled: dict[date, set[str]] = {}
        self.reached: tuple[date, str] | None = None

    def schedule_order(self, day: date, key: str) -> None:
        self.scheduled.setdefault(day, set()).add(key)

    def days_with_orders(self, *, since: date | None, before: date) -> list[date]:
        return sorted(day for day in self.scheduled if day < before and (since is None or since <= day))

    def keys_of_day(self, day: date, after: str) -> Iterator[str]:
        yield from sorted(key for key in self.scheduled.get(day, ()) if key > after)

    def sweep_progress(self) -> tuple[date, str] | None:
        return self.reached

    def save_sweep_progress(self, day: date, after: str) -> None:
        if self.reached is None or self.reached < (day, after):
            self.reached = (day, after)


class MemoryStatements:
    """`ledger.ports.Statements`."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str], StatementLine] = {}

    def put_lines(self, lines: Sequence[StatementLine]) -> None:
        for line in lines:
            self.lines[line.member_id, line.key] = line

    def lines_of_member(
        self, member_id: str, since: datetime | None, until: datetime | None, limit: int, after: str | None
    ) -> tuple[list[StatementLine], str | None]:
        lowest = statement_key(since) if since else "0"
        highest = min(statement_key(until) if until else "9", after or "9")
        keys = sorted(
            (key for owner, key in self.lines if owner == member_id and lowest <= key < highest), reverse=True
        )
        page = keys[:limit]
        return [self.lines[member_id, key] for key in page], page[-1] if len(keys) > limit else None


class MemorySeals:
    """`ledger.ports.Seals`."""

    def __init__(self) -> None:
        self.waiting: dict[str, Leaf] = {}
        self.numbers: dict[str, int] = {}
        self.listed: dict[int, Seal] = {}

    def note_leaf(self, leaf: Leaf) -> None:
        self.waiting[leaf.transaction_id] = leaf

    def noted_leaves(self, before: datetime) -> Iterator[Leaf]:
        yield from sorted(
            (leaf for leaf in self.waiting.values() if leaf.at < before), key=lambda leaf: leaf.transaction_id
        )

    def seal_numbers(self, transaction_ids: Sequence[str]) -> Mapping[str, int]:
        return {name: self.numbers[name] for name in transaction_ids if name in self.numbers}

    def keep_seal(self, sealed: SealedLeaves) -> None:
        for leaf in sealed.leaves:
            self.numbers[leaf.transaction_id] = sealed.seal.number
        self.listed[sealed.seal.number] = sealed.seal

    def forget_leaves(self, leaves: Sequence[Leaf]) -> None:
        for leaf in leaves:
            self.waiting.pop(leaf.transaction_id, None)

    def last_seal(self) -> Seal | None:
        return self.listed[max(self.listed)] if self.listed else None

    def list_seals(self, limit: int, after: str | None) -> tuple[list[Seal], str | None]:
        numbers = [number for number in sorted(self.listed, reverse=True) if after is None or number < int(after)]
        page = [self.listed[number] for number in numbers[:limit]]
        return page, str(page[-1].number) if len(numbers) > limit else None


class MemoryArchive:
    """`ledger.ports.SealArchive`."""

    def __init__(self) -> None:
        self.kept: dict[int, bytes] = {}

    def write_seal_once(self, number: int, content: bytes) -> bytes:
        return self.kept.setdefault(number, content)

    def read_seal(self, number: int) -> bytes:
        if number not in self.kept:
            raise NOT_FOUND()
        return self.kept[number]


def credit(reward: str, member_id: str, amount: int, *, base: int = 100_000) -> Credit:
    """A reward of `amount` fen, uncut."""
    return Credit(reward, member_id, "partner", "team", amount, "fen", base, amount, amount, amount)  # type: ignore[arg-type]  # a test's word


def accrual(order_id: str = "ord_1", *paid: Credit) -> Accrual:
    """What an order pays: by default 300.00 to R, 200.00 to T and 20.00 to P."""
    default = (credit("direct", "mem_r", 30_000), credit("team", "mem_t", 20_000), credit("peer", "mem_p", 2_000))
    return Accrual(order_id, "chain21@1", paid or default)
