"""What follows from a new transaction of the ledger: its members' statements, its seal, and its event."""

from typing import Protocol

import msgspec

from cardstock.ledger import sealing, statements
from cardstock.ledger.model import LedgerTransaction
from cardstock.ledger.ports import Seals, Statements


class EntryEvents(Protocol):
    """Publishes what was booked: holds the event until the batch ends."""

    def booked(self, transaction: LedgerTransaction, /) -> None:
        """A transaction was booked."""


class EntryNeeds(msgspec.Struct, frozen=True):
    """What the followers of a transaction need."""

    statements: Statements
    seals: Seals
    events: EntryEvents


def follow_entry(transaction: LedgerTransaction, needs: EntryNeeds) -> None:
    """Write a transaction into its members' statements, let it wait for its seal, and publish it. Safe to repeat."""
    statements.project(transaction, statements=needs.statements)
    sealing.note(transaction, seals=needs.seals)
    needs.events.booked(transaction)
