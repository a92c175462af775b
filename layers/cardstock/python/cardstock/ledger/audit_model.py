"""What an audit compares the books with, and what it finds."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from cardstock.ledger.model import Accrual, Kind, RewardKind, Seal, SealedLeaves
from cardstock.money import Fen

Check: TypeAlias = Literal[
    "unbalanced",
    "wrong_id",
    "wrong_account",
    "unexplained",
    "missing",
    "wrong_amounts",
    "wrong_balance",
    "wrong_row",
    "changed",
    "unsealed",
    "wrong_seal",
]
Ended: TypeAlias = Literal["no", "paid", "returned"]


class OrderTruth(msgspec.Struct, frozen=True):
    """The bookings that an order should have. `accrual` is that of its plan; `taken` what each paid refund should have
    clawed back."""

    order_id: str
    paid: bool
    received: bool
    accrual: Accrual
    taken: Mapping[str, Mapping[RewardKind, Fen]] = msgspec.field(default_factory=dict)


class CorrectionTruth(msgspec.Struct, frozen=True):
    """A correction that a payout's line has. `arrived`: it says that the payee has the money."""

    cause: str
    item: str
    arrived: bool


class TransferTruth(msgspec.Struct, frozen=True):
    """The bookings that a payout's line should have. `ended` is its first end."""

    number: str
    member_id: str
    claimed: bool
    ended: Ended
    gross: Fen
    net: Fen
    tax: Fen
    corrections: tuple[CorrectionTruth, ...] = ()


class ClearingTruth(msgspec.Struct, frozen=True):
    """A transfer with contradicting results, as two persons have cleared it. `corrects`: not as it was booked."""

    item: str
    number: str
    arrived: bool
    corrects: bool
    persons: tuple[str, ...]


class SingleTruth(msgspec.Struct, frozen=True):
    """A single step that should have changed one member's available money by `amount`."""

    kind: Kind
    cause: str
    member_id: str
    amount: Fen
    approved_by: tuple[str, ...] = ()


class SealTruth(msgspec.Struct, frozen=True):
    """A listed seal, and the archive's content under its number; None if unreadable."""

    listed: Seal
    kept: SealedLeaves | None


class Finding(msgspec.Struct, frozen=True):
    """One wrong item: `item` is table and key, `expected` and `found` are the values."""

    item: str
    check: Check
    expected: str
    found: str


class Report(msgspec.Struct, frozen=True):
    """What an audit read, and its findings. `totals` are fen over all members."""

    transactions: int
    balances: int
    orders: int
    transfers: int
    seals: int
    totals: Mapping[str, Fen]
    findings: tuple[Finding, ...]

    @property
    def verified(self) -> bool:
        """Whether there are no findings."""
        return not self.findings
