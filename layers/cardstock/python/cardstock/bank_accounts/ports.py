"""What bank accounts need from outside."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from cardstock.approving import UseOnce
from cardstock.bank_accounts.model import BankAccount, Holding, NoticeKind, Reveal


class Accounts(Protocol):
    """The stored accounts."""

    def find_holding(self, member_id: str) -> Holding:
        """A member's accounts as they are now; an empty one if there are none."""

    def find_holdings(self, member_ids: Sequence[str]) -> Mapping[str, Holding]:
        """The accounts of these members (at most 99) that have any; one call."""

    def replace(self, holding: Holding, use: UseOnce | None = None) -> Holding:
        """Store changed accounts if nobody changed them meanwhile; return them with their new version.

        Whose change waits for a person is listed by `waiting_page`. Raises `ConflictError` (BANK_ACCOUNT_CHANGED).
        """

    def removal_step(self, member_id: str) -> Any:
        """What deletes the member's accounts and notices, as a part of another area's transaction. The next account is
        a change, not a first one."""

    def waiting_page(self, limit: int, after: str | None) -> tuple[list[str], str | None]:
        """Up to `limit` ids of members whose change waits, and after which there are more."""

    def add_reveal(self, reveal: Reveal) -> None:
        """Record that a whole number is shown. A repeat changes nothing."""


class Vault(Protocol):
    """Encrypts numbers. `context` binds the text to its account: elsewhere it cannot be opened."""

    def seal(self, number: str, context: str) -> tuple[str, str]:
        """The id of the key, and the encrypted number."""

    def open(self, sealed: str, key_id: str, context: str) -> str:
        """The number. Raises ValueError for a text that was not sealed so, KeyError for a key that is gone."""


class Tell(Protocol):
    """Announces what became of an account to the brand's subscribers."""

    def __call__(self, kind: NoticeKind, holding: Holding, account: BankAccount, contact: str) -> str:
        """The id of the event. A repeat is the same event. Raises `UnavailableError` if it may not be stored."""
