"""The three books of a batch (ledger, batch, channel), and where they differ."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.money import Fen

DifferenceCode: TypeAlias = Literal[
    "UNANSWERED",  # the channel has not answered how the transfer ended
    "CLAIM",  # the ledger claimed another amount than the line's gross
    "OUTCOME",  # ledger, line and channel disagree on its result
    "TAX",  # the ledger withheld another tax than the line
    "AMOUNT",  # the channel moved another amount than the line's net
    "ARITHMETIC",  # gross is not tax plus net
    "UNLISTED",  # the ledger or the channel has a number that the batch does not
]


class Totals(msgspec.Struct, frozen=True):
    """Sums of one book over all lines of a batch, in fen."""

    count: int = 0
    claimed: Fen = 0
    paid: Fen = 0
    tax: Fen = 0
    returned: Fen = 0


class Difference(msgspec.Struct, frozen=True):
    """One transfer number on which the three books differ, and what each of them has."""

    number: str
    member: str
    code: DifferenceCode
    ledger: str
    batch: str
    channel: str


class Reconciliation(msgspec.Struct, frozen=True):
    """The comparison of ledger, batch and channel. `paid` is net, `claimed` and `returned` are gross.

    The three books have each transfer number: what was claimed, returned and claimed again under another number is in
    them twice. `once` counts it once, as people read it.
    """

    ledger: Totals
    batch: Totals
    channel: Totals
    differences: tuple[Difference, ...]
    replaced: Totals = Totals()
    """The lines that a retry replaced. None are counted in the books of releases before this was kept."""

    @property
    def once(self) -> "Reconciliation":
        """The same without the lines that a retry replaced, in all three books."""
        return replace(
            self,
            ledger=_without(self.ledger, self.replaced),
            batch=_without(self.batch, self.replaced),
            channel=_without(self.channel, self.replaced),
            replaced=Totals(),
        )

    @property
    def closes(self) -> bool:
        return not self.differences


class Booking(msgspec.Struct, frozen=True):
    """The ledger's sums under one transfer number."""

    number: str
    member: str
    claimed: Fen
    paid: Fen = 0
    tax: Fen = 0
    returned: Fen = 0


class LedgerLine(msgspec.Struct, frozen=True):
    """One posting on one account of one payee. `amount` is signed; `kind` and `cause` tell what it is for."""

    member: str
    at: datetime
    entry: str
    kind: str
    cause: str
    account: str
    amount: Fen


def _without(totals: Totals, replaced: Totals) -> Totals:
    return Totals(
        count=totals.count - replaced.count,
        claimed=totals.claimed - replaced.claimed,
        paid=totals.paid,
        tax=totals.tax,
        returned=totals.returned - replaced.returned,
    )
