"""Payout events as partners get them. No event names a member."""

import msgspec
from msgspec import UNSET, UnsetType

from cardstock.clock import rfc3339
from cardstock.events import EventData
from cardstock.money import Fen
from cardstock.payouts.model import Batch, BatchStatus


class PayoutOpened(EventData, frozen=True):
    """`payout.opened`: every eligible member is listed."""

    payout_id: str
    period: str
    status: BatchStatus
    lines: int
    listed_fen: Fen

    @classmethod
    def of(cls, batch: Batch) -> "PayoutOpened":
        """The listed `batch` for partners."""
        return cls(batch.id, batch.period.key, batch.status, batch.listed, batch.listed_amount)


class EventFile(msgspec.Struct, frozen=True):
    """A file of a payout, with its hash."""

    name: str
    sha256: str


class PayoutSettled(EventData, frozen=True):
    """`payout.settled`: paid and reconciled. The sums are absent where the batch has no books."""

    payout_id: str
    period: str
    status: BatchStatus
    closed_at: str
    files: tuple[EventFile, ...]
    lines: int | UnsetType = UNSET
    paid_fen: Fen | UnsetType = UNSET
    tax_fen: Fen | UnsetType = UNSET
    returned_fen: Fen | UnsetType = UNSET

    @classmethod
    def of(cls, batch: Batch) -> "PayoutSettled":
        """The settled `batch` for partners."""
        books = batch.books.once.batch if batch.books is not None else None
        return cls(
            batch.id,
            batch.period.key,
            batch.status,
            rfc3339(batch.closed_at or batch.settled_at or batch.opened_at),
            tuple(EventFile(file.name, file.sha256) for file in (*batch.transfers, *batch.reports)),
            UNSET if books is None else books.count,
            UNSET if books is None else books.paid,
            UNSET if books is None else books.tax,
            UNSET if books is None else books.returned,
        )
