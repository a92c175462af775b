"""What the ledger needs from a store."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, Protocol, TypeAlias

from cardstock.ids import RequestKey
from cardstock.ledger.model import (
    Balance,
    Leaf,
    LedgerTransaction,
    OrderRewards,
    Seal,
    SealedLeaves,
    StatementLine,
    WriteOff,
)

Booked: TypeAlias = Literal["booked", "repeated", "outdated", "nothing"]
"""`repeated`: the transaction was there before. `outdated`: the row had changed. `nothing`: there was nothing to book.
In all three nothing changed."""


class Books(Protocol):
    """Transactions, balances and rewards, written together or not at all."""

    def accrue(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        """Book `transaction`, change the balances by it and store the new row, in one step."""

    def change(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        """Book `transaction`, change the balances by it and replace the row if it still has the version before."""

    def book(self, transaction: LedgerTransaction) -> Booked:
        """Book `transaction`, which belongs to no order's rewards, and change the balances by it, in one step."""

    def rewards(self, order_id: str) -> OrderRewards | None:
        """The row of an order, as it is now."""

    def balance(self, member_id: str) -> Balance:
        """What a member has now; zeros for somebody who never had anything."""


class WriteOffs(Protocol):
    """Debt that somebody asks to forgive."""

    def ask(self, asked: WriteOff, request: RequestKey) -> tuple[WriteOff, bool]:
        """Keep it; what is kept under its id, and whether it was there. `RefusedError` IDEMPOTENCY_KEY_REUSED."""

    def find(self, write_off_id: str) -> WriteOff | None:
        """As it is now."""

    def book(self, transaction: LedgerTransaction, approved: WriteOff) -> Booked:
        """Book it and keep who approved, in one step. `outdated`: he owes less than that by now."""

    def page(self, limit: int, after: str | None) -> tuple[list[WriteOff], str | None]:
        """A page in the order of ids, and the id to go on after; None at the end."""


class Calendar(Protocol):
    """Which orders are due for release on which day, and how far the sweep of the days has come."""

    def schedule(self, day: date, key: str) -> None:
        """Put the key of an order into a day; again changes nothing."""

    def days(self, *, since: date | None, before: date) -> list[date]:
        """The days `since <= day < before` that ever had an order, in their order."""

    def due(self, day: date, after: str) -> Iterator[str]:
        """The keys of a day that come after `after`, in their order."""

    def progress(self) -> tuple[date, str] | None:
        """The day that is being swept, and the last key of it that is done."""

    def save_progress(self, day: date, after: str) -> None:
        """Remember it. Never moves backwards."""


class Statements(Protocol):
    """What happened to each member's money, as he reads it."""

    def put(self, lines: Sequence[StatementLine]) -> None:
        """Store lines; the same lines again change nothing."""

    def read(
        self, member_id: str, since: datetime | None, until: datetime | None, limit: int, after: str | None
    ) -> tuple[list[StatementLine], str | None]:
        """A page of the moments `since <= t < until`, newest first, and the key to go on after; None at the end."""


class Transactions(Protocol):
    """Single transactions."""

    def transaction(self, transaction_id: str) -> LedgerTransaction | None:
        """What was booked under an id."""


class Seals(Protocol):
    """What waits to be sealed, which seal each transaction is in, and the list of seals."""

    def note(self, leaf: Leaf) -> None:
        """Let a transaction wait; again changes nothing."""

    def noted(self, before: datetime) -> Iterator[Leaf]:
        """Transactions that wait and were booked before then, in an order that stays the same."""

    def numbers_of(self, transaction_ids: Sequence[str]) -> Mapping[str, int]:
        """The seals of those transactions that are sealed."""

    def keep(self, sealed: SealedLeaves) -> None:
        """Remember of each of its transactions that it is in this seal; once all are, list the seal."""

    def forget(self, leaves: Sequence[Leaf]) -> None:
        """Let transactions wait no longer."""

    def last(self) -> Seal | None:
        """The newest seal on the list."""

    def page(self, limit: int, after: str | None) -> tuple[list[Seal], str | None]:
        """A page of the list, newest first, and the number to go on after; None at the end."""


class Archive(Protocol):
    """Seals that were written once, by number."""

    def put_once(self, number: int, content: bytes) -> bytes:
        """Write it unless the number is taken. What is kept under the number, then."""

    def read(self, number: int) -> bytes:
        """What is kept under a number. Raises `NotFoundError`."""
