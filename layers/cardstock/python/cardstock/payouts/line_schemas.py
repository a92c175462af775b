"""Transfers of a payout as JSON, for finance. Amounts are fen."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import EntryId, MemberId, Moment, NextCursor, PersonId
from cardstock.edge.http import Model
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, NOT_FOUND
from cardstock.payouts import errors
from cardstock.payouts.lines import Correction, Line, OpenContradiction

RETRY_CODES = (
    NOT_FOUND,
    errors.PAYOUT_NOT_SENT,
    errors.PAYOUT_CLOSED,
    errors.TRANSFER_NOT_FAILED,
    errors.RETRIED_ALREADY,
    errors.PAYOUT_CHANGED,
    IDEMPOTENCY_KEY_REUSED,
)
CLOSING_CODES = (
    NOT_FOUND,
    errors.PAYOUT_NOT_SENT,
    errors.PAYOUT_NOT_FINAL,
    errors.PAYOUT_CHANGED,
    IDEMPOTENCY_KEY_REUSED,
)

TransferNumber = Annotated[
    str,
    Meta(
        description="Number of the transfer, here and at the channel: 32 letters and digits.",
        examples=["2026110vgk3qxnq5p7m1a9c2d4e6f8g0"],
    ),
]
Number = Annotated[TransferNumber, Meta(pattern=r"^[0-9a-z]{32}\Z")]

ItemId = Annotated[
    str,
    Meta(
        description="Open item about it: `GET /v1/open-items/{item_id}`.", examples=["oit_01kbdxdh50fcazdjhcnqh2rzv5"]
    ),
]
PayoutId = Annotated[str, Meta(description="Id of the batch: `pay_` and its month.", examples=["pay_202611"])]

LineStatus = Annotated[
    str,
    Meta(
        description="`pending`, `sent`, `waiting_user`, `paid`, `failed`, `expired` or `dropped`. "
        "After the last three the money is the member's again.",
        examples=["waiting_user"],
    ),
]

ListedFen = Annotated[
    int, Meta(description="Available fen when the batch was opened: at most this is paid.", examples=[35_000])
]
GrossFen = Annotated[int, Meta(description="Fen before tax; 0 until it is sent.", examples=[35_000])]
TaxFen = Annotated[int, Meta(description="Withheld fen; 0 until it is sent.", examples=[0])]
NetFen = Annotated[int, Meta(description="Fen paid to the payee; 0 until it is sent.", examples=[35_000])]


class ContradictionView(Model):
    """Two results of a transfer that contradict each other, until two persons have cleared the open item."""

    item_id: ItemId
    first: Annotated[str, Meta(description="Result that is booked.", examples=["failed"])]
    then: Annotated[str, Meta(description="Result that contradicts it; it is not booked.", examples=["paid"])]
    at: Annotated[Moment, Meta(description="When it was reported.")]

    @classmethod
    def of(cls, found: OpenContradiction | None) -> ContradictionView | None:
        """An open contradiction; None if there is none."""
        return None if found is None else cls(found.item, found.first, found.then, rfc3339(found.at))


class CorrectionView(Model):
    """The end of a transfer that two persons have corrected."""

    item_id: ItemId
    before: LineStatus
    reason: Annotated[
        str | None,
        Meta(
            description="The channel's reason for the status before; null if it gave none, or had paid.",
            examples=["ACCOUNT_CLOSED"],
        ),
    ]
    after: LineStatus
    at: Annotated[Moment, Meta(description="When it was corrected.")]
    entry_id: EntryId

    @classmethod
    def of(cls, made: Correction) -> CorrectionView:
        return cls(made.item, made.before, made.reason, made.after, rfc3339(made.at), made.entry)


class LineContradiction(ContradictionView):
    """A transfer of the payout with contradicting results."""

    number: TransferNumber
    member_id: MemberId
    net_fen: NetFen


class LineCorrection(CorrectionView):
    """A transfer of the payout whose end was corrected."""

    number: TransferNumber
    member_id: MemberId
    net_fen: NetFen


class PayoutLine(Model):
    """One transfer."""

    number: TransferNumber
    member_id: MemberId
    attempt: Annotated[int, Meta(description="Number of the attempt, from 1.", examples=[1])]
    status: LineStatus
    reason: Annotated[
        str | None, Meta(description="Why it was dropped, failed or expired; null otherwise.", examples=["unverified"])
    ]
    listed_fen: ListedFen
    gross_fen: GrossFen
    tax_fen: TaxFen
    net_fen: NetFen
    sent_at: Annotated[Moment | None, Meta(description="When it was sent; null before.")]
    closed_at: Annotated[Moment | None, Meta(description="When it was final; null before.")]
    retried_by: Annotated[
        PersonId | None, Meta(description="Person who asked for this attempt; null for the first one.")
    ]
    replaced_by: Annotated[
        TransferNumber | None,
        Meta(
            description="Number of the retry that took its place: its money counts there. Null if there is none, or "
            "if it was paid after all."
        ),
    ]
    contradiction: Annotated[
        ContradictionView | None,
        Meta(description="Results that contradict each other and that nobody has cleared; null otherwise."),
    ]
    corrections: Annotated[
        list[CorrectionView], Meta(description="How two persons have corrected its end, oldest first.")
    ]

    @classmethod
    def of(cls, line: Line, replaced_by: str | None = None) -> PayoutLine:
        return cls(
            line.number,
            line.member,
            line.attempt,
            line.status,
            line.reason,
            line.listed,
            line.gross,
            line.tax,
            line.net,
            optional_moment(line.sent_at),
            optional_moment(line.closed_at),
            line.retried_by,
            replaced_by,
            ContradictionView.of(line.contradiction),
            [CorrectionView.of(made) for made in line.corrections],
        )


class PayoutLines(Model):
    """Transfers, by number."""

    items: Annotated[list[PayoutLine], Meta(description="Transfers, by number.")]
    next_cursor: NextCursor


def line_correction(line: Line, made: Correction) -> LineCorrection:
    view = CorrectionView.of(made)
    return LineCorrection(
        view.item_id, view.before, view.reason, view.after, view.at, view.entry_id, line.number, line.member, line.net
    )


def optional_moment(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
