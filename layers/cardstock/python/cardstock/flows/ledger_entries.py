"""Steps after a new transaction of the ledger: its members' statements, its note for sealing, and its event."""

from typing import Protocol

import msgspec

from cardstock.ledger import sealing, statements
from cardstock.ledger.model import LedgerTransaction
from cardstock.ledger.ports import Seals, Statements


class EntryEvents(Protocol):
    """Collects ledger events until the batch ends."""

    def booked(self, transaction: LedgerTransaction, /) -> None:
        """A transaction was booked."""


class EntryNeeds(msgspec.Struct, frozen=True):
    """The ports of these steps."""

    statements: Statements
    seals: Seals
    events: EntryEvents


def follow_entry(transaction: LedgerTransaction, needs: EntryNeeds) -> None:
    """Write a transaction to its members' statements, note it for sealing, and publish it. Safe to repeat."""
    statements.project(transaction, statements=needs.statements)
    sealing.note(transaction, seals=needs.seals)
    needs.events.booked(transaction)
