"""Previewing, opening and approving a payout, as JSON. Amounts are fen."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Literal

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import MemberId, Moment, NextCursor, Period
from cardstock.edge.http import Model
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, NOT_FOUND
from cardstock.payouts import errors
from cardstock.payouts.previewing import ListedNow, Preview
from cardstock.payouts.schemas import LeftOutByReason, LeftOutTotal

OPENING_CODES = (errors.PERIOD_NOT_OVER, errors.PERIOD_PAST, errors.TAX_TABLE_MISSING)

APPROVAL_CODES = (
    NOT_FOUND,
    errors.APPROVER_OPENED_IT,
    errors.PAYOUT_STILL_OPENING,
    errors.PAYOUT_TOTALS_DIFFER,
    errors.PAYOUT_CHANGED,
    IDEMPOTENCY_KEY_REUSED,
)


class OpenPayout(Model):
    """The month to be paid out."""

    period: Annotated[
        str,
        Meta(
            pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])\Z",
            examples=["2026-11"],
            description="Month to pay out; only the last one can be opened.",
        ),
    ]


class Approve(Model):
    """What the approver has seen, and wants to have on record."""

    lines: Annotated[
        int, Meta(ge=0, description="Number of lines that the approver has seen: the payout's `listed`.", examples=[12])
    ]
    listed_fen: Annotated[
        int, Meta(ge=0, description="Their sum in fen: the payout's `listed_fen`.", examples=[420_000])
    ]
    note: (
        Annotated[
            str,
            Meta(
                max_length=200,
                examples=["Checked against the ledger"],
                description="The approver's note for the record; absent: none.",
            ),
        ]
        | None
    ) = None


class PreviewedMember(Model):
    """A member who would be listed."""

    member_id: MemberId
    name: Annotated[str, Meta(description="Real name.", examples=["王小明"])]
    available_fen: Annotated[
        int, Meta(description="Available money in fen: at most this would be paid.", examples=[35_000])
    ]

    @classmethod
    def of(cls, found: ListedNow) -> PreviewedMember:
        return cls(found.member, found.name, found.available)


class PayoutPreview(Model):
    """What the next payout would list as of now. Nothing is stored.

    The sums are over this page and all pages before it: they are the payout's once `complete` is true. Money that moves
    between two pages may be counted twice or not at all.
    """

    period: Annotated[Period, Meta(description="Month of the next payout.")]
    as_of: Annotated[Moment, Meta(description="When this page was read.")]
    channel: Annotated[str, Meta(description="Transfer channel that it would have.", examples=["bank_file"])]
    minimum_fen: Annotated[int, Meta(description="Smallest balance that would be listed, in fen.", examples=[1_000])]
    balances_read: Annotated[int, Meta(description="Balances that were read until now.", examples=[240])]
    listed: Annotated[int, Meta(description="Members who would be listed, so far.", examples=[12])]
    listed_fen: Annotated[int, Meta(description="Their sum in fen, so far.", examples=[420_000])]
    left_out: LeftOutByReason
    identities: Annotated[
        Literal["verifiable", "unverifiable"],
        Meta(
            description="`unverifiable`: nothing here verifies identities, so that only members who were verified "
            "before can be paid. Set up the identity service first."
        ),
    ]
    complete: Annotated[bool, Meta(description="Whether every balance was read.")]
    items: Annotated[list[PreviewedMember], Meta(description="Members of this page who would be listed.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, found: Preview, next_cursor: str | None, *, can_verify: bool) -> PayoutPreview:
        return cls(
            period=found.period.key,
            as_of=rfc3339(found.at),
            channel=found.rules.channel,
            minimum_fen=found.rules.minimum,
            balances_read=found.so_far.read,
            listed=found.so_far.listed,
            listed_fen=found.so_far.amount,
            left_out=LeftOutTotal.by_reason(found.so_far.left_out),
            identities="verifiable" if can_verify else "unverifiable",
            complete=found.following is None,
            items=[PreviewedMember.of(row) for row in found.rows],
            next_cursor=next_cursor,
        )
