"""What the ledger needs from its stores and its archive."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, Protocol, TypeAlias

from cardstock.approving import UseOnce
from cardstock.ids import RequestKey, RequestResult
from cardstock.ledger.model import (
    AccountClosing,
    Balance,
    Leaf,
    LedgerTransaction,
    OrderRewards,
    Seal,
    SealedLeaves,
    StatementLine,
    WriteOff,
)
from cardstock.money import Fen

Booked: TypeAlias = Literal["booked", "repeated", "outdated", "nothing"]
"""`repeated`: the transaction existed. `outdated`: the row had changed. `nothing`: there was nothing to book. None of
these three changes anything."""


class Books(Protocol):
    """Transactions, balances and rewards, written all or nothing."""

    def book_accrual(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        """Book `transaction`, change the balances by it and store the new row, all or nothing."""

    def book_change(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        """Book `transaction`, change the balances by it and replace the row, if it still has the version before."""

    def book_transaction(self, transaction: LedgerTransaction) -> Booked:
        """Book `transaction`, which belongs to no order's rewards, and change the balances by it, all or nothing."""

    def find_transaction(self, transaction_id: str) -> LedgerTransaction | None:
        """The transaction of an id; None if it was not booked."""

    def find_rewards(self, order_id: str) -> OrderRewards | None:
        """The rewards row of an order, as it is now."""

    def balance_of(self, member_id: str) -> Balance:
        """A member's balance now; zeros for a member without any booking."""


class WriteOffs(Protocol):
    """Requested write-offs of debt."""

    def keep_write_off(self, asked: WriteOff, request: RequestKey) -> RequestResult[WriteOff]:
        """Store a new write-off. Returns the stored one of its id; `replayed` if it existed. Raises `RefusedError`
        IDEMPOTENCY_KEY_REUSED."""

    def find_write_off(self, write_off_id: str) -> WriteOff | None:
        """A write-off as it is now."""

    def book_write_off(self, transaction: LedgerTransaction, approved: WriteOff, use: UseOnce) -> Booked:
        """Book a write-off, store its approver and use the phone's yes up, all or nothing. `outdated`: the member owes
        less by now."""

    def list_write_offs(self, limit: int, after: str | None) -> tuple[list[WriteOff], str | None]:
        """A page in the order of ids, and the id after which the next page starts; None at the end."""


class Closings(Protocol):
    """Members' accounts that were closed."""

    def close_account(self, closing: AccountClosing, transaction: LedgerTransaction | None, step: Any) -> Booked:
        """Keep `closing`, book `transaction` if there is money, and do `step` (another area's part), all or nothing.

        `repeated`: the account was closed before. `outdated`: the member's money is not what the transaction takes,
        some of it is frozen or in a payout, or the other area's part is not as it was.
        """

    def find_closing(self, member_id: str) -> AccountClosing | None:
        """How the member's account was closed."""


class Debts(Protocol):
    """Members who owe, and what repays it."""

    def debtors(self) -> Iterator[tuple[str, Fen]]:
        """Every member who owes, with the fen; in no order. Reads all balances."""

    def available_of(self, member_ids: Sequence[str]) -> Mapping[str, Fen]:
        """The available fen of each of the members that has a balance; below zero is debt. Consistent."""

    def book_offset(self, transaction: LedgerTransaction) -> Booked:
        """Book an offset, all or nothing. `outdated`: what it takes is not there, or what it repays is not owed."""


class Calendar(Protocol):
    """Orders due for release by day, and the progress of the release sweep."""

    def schedule_order(self, day: date, key: str) -> None:
        """Add an order's key to a day; a repeat changes nothing."""

    def days_with_orders(self, *, since: date | None, before: date) -> list[date]:
        """The days `since <= day < before` that ever had an order, sorted."""

    def keys_of_day(self, day: date, after: str) -> Iterator[str]:
        """The keys of a day that sort after `after`, sorted."""

    def sweep_progress(self) -> tuple[date, str] | None:
        """The day being swept, and the last key of it that is done; None before the first sweep."""

    def save_sweep_progress(self, day: date, after: str) -> None:
        """Store the progress of the sweep. Never moves backwards."""


class StatementPages(Protocol):
    """Members' statements, for reading alone."""

    def lines_of_member(
        self, member_id: str, since: datetime | None, until: datetime | None, limit: int, after: str | None
    ) -> tuple[list[StatementLine], str | None]:
        """A page of the moments `since <= t < until`, newest first, and the key after which the next page starts; None
        at the end."""


class Statements(StatementPages, Protocol):
    """Members' statements."""

    def put_lines(self, lines: Sequence[StatementLine]) -> None:
        """Store lines; a repeat changes nothing."""


class Seals(Protocol):
    """Transactions that wait to be sealed, the seal of each sealed transaction, and the list of seals."""

    def note_leaf(self, leaf: Leaf) -> None:
        """Note a transaction to be sealed; a repeat changes nothing."""

    def noted_leaves(self, before: datetime) -> Iterator[Leaf]:
        """Noted transactions that were booked before that moment, in a stable order."""

    def seal_numbers(self, transaction_ids: Sequence[str]) -> Mapping[str, int]:
        """The seal numbers of those transactions that are sealed."""

    def keep_seal(self, sealed: SealedLeaves) -> None:
        """Store the seal number of each of its transactions; then list the seal."""

    def forget_leaves(self, leaves: Sequence[Leaf]) -> None:
        """Remove the notes of transactions."""

    def last_seal(self) -> Seal | None:
        """The newest seal of the list."""

    def list_seals(self, limit: int, after: str | None) -> tuple[list[Seal], str | None]:
        """A page of the list, newest first, and the number after which the next page starts; None at the end."""


class SealArchive(Protocol):
    """Seals that are written once, by number."""

    def write_seal_once(self, number: int, content: bytes) -> bytes:
        """Write a seal unless its number exists. Returns what is stored under the number."""

    def read_seal(self, number: int) -> bytes:
        """The content of a number. Raises `NotFoundError`."""
