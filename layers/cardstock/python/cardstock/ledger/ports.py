"""What the ledger needs from its stores and its archive."""

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

    def book_accrual(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        """Book `transaction`, change the balances by it and store the new row, in one step."""

    def book_change(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        """Book `transaction`, change the balances by it and replace the row if it still has the version before."""

    def book_transaction(self, transaction: LedgerTransaction) -> Booked:
        """Book `transaction`, which belongs to no order's rewards, and change the balances by it, in one step."""

    def find_transaction(self, transaction_id: str) -> LedgerTransaction | None:
        """What was booked under an id."""

    def find_rewards(self, order_id: str) -> OrderRewards | None:
        """The rewards row of an order, as it is now."""

    def balance_of(self, member_id: str) -> Balance:
        """What a member has now; zeros for a member who never had anything."""


class WriteOffs(Protocol):
    """Debt that somebody asks to forgive."""

    def keep_write_off(self, asked: WriteOff, request: RequestKey) -> tuple[WriteOff, bool]:
        """Keep a new write-off. What is kept under its id, and whether it was there before. Raises `RefusedError`
        IDEMPOTENCY_KEY_REUSED."""

    def find_write_off(self, write_off_id: str) -> WriteOff | None:
        """A write-off as it is now."""

    def book_write_off(self, transaction: LedgerTransaction, approved: WriteOff) -> Booked:
        """Book a write-off and keep who approved it, in one step. `outdated`: the member owes less than that by now."""

    def list_write_offs(self, limit: int, after: str | None) -> tuple[list[WriteOff], str | None]:
        """A page in the order of ids, and the id after which the next page starts; None at the end."""


class Calendar(Protocol):
    """Which orders are due for release on which day, and how far the sweep of the days has come."""

    def schedule_order(self, day: date, key: str) -> None:
        """Put the key of an order into a day; again changes nothing."""

    def days_with_orders(self, *, since: date | None, before: date) -> list[date]:
        """The days `since <= day < before` that ever had an order, in their order."""

    def keys_of_day(self, day: date, after: str) -> Iterator[str]:
        """The keys of a day that sort after `after`, in their order."""

    def sweep_progress(self) -> tuple[date, str] | None:
        """The day that is being swept, and the last key of it that is done."""

    def save_sweep_progress(self, day: date, after: str) -> None:
        """Remember how far the sweep has come. Never moves backwards."""


class Statements(Protocol):
    """What happened to each member's money, for the member to read."""

    def put_lines(self, lines: Sequence[StatementLine]) -> None:
        """Store lines; the same lines again change nothing."""

    def lines_of_member(
        self, member_id: str, since: datetime | None, until: datetime | None, limit: int, after: str | None
    ) -> tuple[list[StatementLine], str | None]:
        """A page of the moments `since <= t < until`, newest first, and the key after which the next page starts; None
        at the end."""


class Seals(Protocol):
    """Which transactions wait to be sealed, which seal each transaction is in, and the list of seals."""

    def note_leaf(self, leaf: Leaf) -> None:
        """Let a transaction wait to be sealed; again changes nothing."""

    def noted_leaves(self, before: datetime) -> Iterator[Leaf]:
        """Transactions that wait and were booked before then, in an order that stays the same."""

    def seal_numbers(self, transaction_ids: Sequence[str]) -> Mapping[str, int]:
        """The seals of those transactions that are sealed."""

    def keep_seal(self, sealed: SealedLeaves) -> None:
        """Remember of each transaction of a seal that it is in this seal; once all are, list the seal."""

    def forget_leaves(self, leaves: Sequence[Leaf]) -> None:
        """Let transactions wait no longer."""

    def last_seal(self) -> Seal | None:
        """The newest seal of the list."""

    def list_seals(self, limit: int, after: str | None) -> tuple[list[Seal], str | None]:
        """A page of the list, newest first, and the number after which the next page starts; None at the end."""


class SealArchive(Protocol):
    """Seals that are written once, by number."""

    def write_seal_once(self, number: int, content: bytes) -> bytes:
        """Write a seal unless its number is taken. What is kept under the number, then."""

    def read_seal(self, number: int) -> bytes:
        """What is kept under a number. Raises `NotFoundError`."""
