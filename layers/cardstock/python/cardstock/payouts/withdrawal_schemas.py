"""A member's own payments as JSON. Amounts are fen."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import Moment, NextCursor, Period
from cardstock.edge.http import Model
from cardstock.payouts import periods as payout_periods
from cardstock.payouts.line_schemas import (
    GrossFen,
    LineStatus,
    ListedFen,
    NetFen,
    TaxFen,
    TransferNumber,
    optional_moment,
)
from cardstock.payouts.lines import Line
from cardstock.payouts.wording import REASON, STATUS


class PageOfWithdrawals(PageQuery):
    """Which part of the list: so many periods of the brand, whether or not the member was paid in them."""

    limit: Annotated[
        int,
        Meta(
            ge=1, le=50, description="Largest number of months in a page, whether or not the member was paid in them."
        ),
    ] = 20


class ConfirmTransfer(Model):
    """What `wx.requestMerchantTransfer` takes, so that the member can take the money."""

    mch_id: Annotated[str, Meta(description="`mchId` for `wx.requestMerchantTransfer`.", examples=["1900000001"])]
    app_id: Annotated[
        str, Meta(description="`appId` for `wx.requestMerchantTransfer`.", examples=["wx1234567890abcdef"])
    ]
    package: Annotated[
        str, Meta(description="`package` for `wx.requestMerchantTransfer`.", examples=["affffddafdfafddffda=="])
    ]


class Withdrawal(Model):
    """One payment to the member."""

    number: TransferNumber
    period: Annotated[Period, Meta(description="Month that is paid out.")]
    attempt: Annotated[int, Meta(description="Number of the attempt, from 1.", examples=[1])]
    status: LineStatus
    reason: Annotated[
        str | None,
        Meta(description="Why it was dropped, failed or expired; null otherwise.", examples=["OVERDUE_CLOSE"]),
    ]
    listed_fen: ListedFen
    gross_fen: GrossFen
    tax_fen: TaxFen
    net_fen: NetFen
    sent_at: Annotated[Moment | None, Meta(description="When it was sent; null before.")]
    closed_at: Annotated[Moment | None, Meta(description="When it was final; null before.")]
    corrected_at: Annotated[
        Moment | None, Meta(description="When two persons last corrected its end; null if nobody did.")
    ]
    confirm: Annotated[
        ConfirmTransfer | None,
        Meta(description="Opens the page where the member accepts the money; null unless `status` is `waiting_user`."),
    ]
    text: Annotated[
        str, Meta(description="Status and reason as text, in the language of the request.", examples=["待收款人确认"])
    ]

    @classmethod
    def of(cls, line: Line, language: str) -> Withdrawal:
        """A line as its payee sees it, in `zh` or `en`."""
        english = language == "en"
        text = STATUS[line.status][english]
        if line.reason in REASON:  # A channel's own code is for finance.
            text += (": " if english else "：") + REASON[line.reason][english]
        if line.corrections:
            text += " (corrected)" if english else "（已更正）"
        given = line.confirmation
        return cls(
            number=line.number,
            period=line.period,
            attempt=line.attempt,
            status=line.status,
            reason=line.reason,
            listed_fen=line.listed,
            gross_fen=line.gross,
            tax_fen=line.tax,
            net_fen=line.net,
            sent_at=optional_moment(line.sent_at),
            closed_at=optional_moment(line.closed_at),
            corrected_at=optional_moment(line.corrections[-1].at) if line.corrections else None,
            confirm=None if given is None else ConfirmTransfer(given.merchant, given.app, given.package),
            text=text,
        )


class LeftOut(Model):
    """Why the newest payout has no payment to the member."""

    period: Annotated[Period, Meta(description="Month that is paid out.")]
    reason: Annotated[
        str,
        Meta(
            description="`unverified`, `unverifiable` (nothing here verifies identities yet), `under_age`, "
            "`consent_withdrawn` (to the identity check), `debt`, `former_debt` (of a closed account of the same "
            "person), `hold`, `disputed`, `attempt_open`, `no_bank_account` or `holder_differs` (the account is "
            "not in the verified name).",
            examples=["no_bank_account"],
        ),
    ]
    text: Annotated[str, Meta(description="Reason as text, in the language of the request.", examples=["未实名"])]


class Withdrawals(Model):
    """The member's own payments, newest period first."""

    items: Annotated[list[Withdrawal], Meta(description="The member's own payments, newest month first.")]
    next_cursor: NextCursor
    left_out: Annotated[
        LeftOut | None,
        Meta(
            description="Why the newest payout has no payment to the member, in the first page; null if it has one, or "
            "if the member had less than the minimum."
        ),
    ] = None

    @classmethod
    def of(
        cls,
        lines: Iterable[Line],
        next_cursor: str | None,
        language: str,
        left_out: tuple[payout_periods.Period, str] | None,
    ) -> Withdrawals:
        answer = None
        if left_out is not None:
            period, reason = left_out
            answer = LeftOut(period.key, reason, REASON[reason][language == "en"])
        return cls([Withdrawal.of(line, language) for line in lines], next_cursor, answer)
