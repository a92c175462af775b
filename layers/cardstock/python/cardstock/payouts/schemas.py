"""Payout batches as JSON. Amounts are fen."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment, NextCursor, Period, PersonId
from cardstock.edge.http import Model
from cardstock.payouts.line_schemas import LineContradiction, LineCorrection, PayoutId, line_correction, optional_moment
from cardstock.payouts.lines import Line
from cardstock.payouts.model import Batch, LeftOutSum
from cardstock.payouts.reading import StatusTotal, books_now, summary
from cardstock.payouts.report_schemas import Books
from cardstock.payouts.transfer_answers import Answer, BroughtBy, brought_by

_MOST_NAMED: Final = 100
TaxTableId = Annotated[str, Meta(description="Tax table of the month.", examples=["labour-2019"])]


class Sums(Model):
    """The lines of one status."""

    lines: Annotated[int, Meta(description="Transfers of this status.", examples=[12])]
    listed_fen: Annotated[int, Meta(description="Available fen when the batch was opened.", examples=[420_000])]
    gross_fen: Annotated[int, Meta(description="Fen before tax.", examples=[420_000])]
    tax_fen: Annotated[int, Meta(description="Withheld fen.", examples=[18_700])]
    net_fen: Annotated[int, Meta(description="Fen paid to the payees.", examples=[401_300])]

    @classmethod
    def of(cls, total: StatusTotal) -> Sums:
        return cls(total.lines, total.listed, total.gross, total.tax, total.net)


class Payout(Model):
    """One month's batch."""

    payout_id: PayoutId
    period: Annotated[Period, Meta(description="Month that is paid out.")]
    status: Annotated[
        str,
        Meta(description="Status of the batch: `open`, `approved`, `sending` or `settled`.", examples=["approved"]),
    ]
    channel: Annotated[str, Meta(description="Transfer channel of the batch.", examples=["bank_file"])]
    minimum_fen: Annotated[int, Meta(description="Smallest listed balance in fen.", examples=[1_000])]
    tax_table: TaxTableId
    tax_month: Annotated[
        str,
        Meta(
            description="Month whose income a transfer is: `paid`, the month in which it is sent, or `earned`, the "
            "payout's own month.",
            examples=["paid"],
        ),
    ]
    opened_by: Annotated[
        str, Meta(description="Person who opened it; `schedule` if no person did.", examples=["schedule"])
    ]
    opened_at: Annotated[Moment, Meta(description="When it was opened.")]
    listed_at: Annotated[
        Moment | None, Meta(description="When every member had a line; null while it is being listed.")
    ]
    listed: Annotated[int, Meta(description="Number of lines when it was opened.", examples=[12])]
    listed_fen: Annotated[int, Meta(description="Sum of these lines in fen.", examples=[420_000])]
    approved_by: Annotated[PersonId | None, Meta(description="Person who approved it; null before.")]
    approved_at: Annotated[Moment | None, Meta(description="When it was approved; null before.")]
    note: Annotated[
        str | None,
        Meta(description="The approver's note; null if there is none.", examples=["Checked against the ledger"]),
    ]
    sent_at: Annotated[Moment | None, Meta(description="When all transfers had been sent; null before.")]
    confirmed_by: Annotated[
        PersonId | None, Meta(description="Person who confirmed all others as paid; null if none did.")
    ]
    confirmed_at: Annotated[Moment | None, Meta(description="When that was; null if nobody did.")]
    retry_until: Annotated[
        Moment | None,
        Meta(
            description="Last moment in which a failed transfer can be retried: three days after every transfer was "
            "first final, unless a person or the next payout ends that earlier. Null before, and where no transfer "
            "could be retried then."
        ),
    ]
    retries_ended_by: Annotated[
        PersonId | None, Meta(description="Person who ended the retries earlier; null if nobody did.")
    ]
    retries_ended_at: Annotated[Moment | None, Meta(description="When that was; null if nobody did.")]
    settled_at: Annotated[
        Moment | None, Meta(description="When every transfer was final and the books agreed; null before.")
    ]

    @classmethod
    def of(cls, batch: Batch) -> Payout:
        return cls(**_head(batch))


class LeftOutTotal(Model):
    """The members who are not listed for one reason."""

    members: Annotated[int, Meta(description="How many.", examples=[3])]
    available_fen: Annotated[
        int, Meta(description="Sum of what they have, in fen; below zero they owe.", examples=[2_400])
    ]

    @classmethod
    def by_reason(cls, found: Iterable[LeftOutSum]) -> dict[str, LeftOutTotal]:
        return {one.reason: cls(one.members, one.amount) for one in found}


LeftOutByReason = Annotated[
    dict[str, LeftOutTotal],
    Meta(
        description="Who is not listed, by reason: `under_minimum`, `unverified`, `unverifiable` (nothing verifies "
        "identities), `under_age`, `consent_withdrawn`, `debt`, `former_debt` (of a closed account of the same "
        "person), `hold`, `disputed`, `attempt_open`, `no_bank_account`, `holder_differs` or `erased`.",
        examples=[{"under_minimum": {"members": 3, "available_fen": 2400}}],
    ),
]


class Bringing(Model):
    """Results that a person brought at one moment."""

    by: Annotated[PersonId, Meta(description="Person who brought them.")]
    at: Annotated[Moment, Meta(description="When it was.")]
    results: Annotated[int, Meta(description="How many were new.", examples=[12])]

    @classmethod
    def of(cls, found: BroughtBy) -> Bringing:
        return cls(found.by, rfc3339(found.at), found.results)


class PayoutDetail(Payout, kw_only=True):
    """A batch with the sums of its lines by status, and its reconciliation once every line has a result."""

    totals: Annotated[
        dict[str, Sums],
        Meta(
            description="Sums of the lines by their status.",
            examples=[
                {"sent": {"lines": 12, "listed_fen": 420000, "gross_fen": 420000, "tax_fen": 18700, "net_fen": 401300}}
            ],
        ),
    ]
    replaced: Annotated[
        Sums,
        Meta(
            description="Sums of the transfers that failed and were retried under another number: they are in no other "
            "sum, so each money counts once. `replaced_by` of a transfer names its retry."
        ),
    ]
    books: Annotated[
        Books | None,
        Meta(
            description="The last reconciliation, with what was reported and corrected since; null until every line "
            "has a result."
        ),
    ]
    contradictions: Annotated[
        list[LineContradiction],
        Meta(description="Transfers with contradicting results that nobody has cleared; at most 100."),
    ]
    corrections: Annotated[
        list[LineCorrection],
        Meta(description="Ends of transfers that two persons have corrected, by number; at most 100."),
    ]

    results_brought: Annotated[
        list[Bringing],
        Meta(
            description="Who brought results and when, as a file or as JSON, oldest first; at most 100. What the "
            "channel reported itself is brought by nobody."
        ),
    ]
    left_out: LeftOutByReason
    drafts: Annotated[
        list[str],
        Meta(
            description="Files of the draft report, to be read before approving; their links are in the report. Empty "
            "until it is listed.",
            examples=[["draft.xlsx", "draft.csv"]],
        ),
    ]

    @classmethod
    def of(
        cls, batch: Batch, lines: Iterable[Line] = (), answers: Mapping[str, Sequence[Answer]] | None = None
    ) -> PayoutDetail:
        """A batch with what its lines and the answers about them say now."""
        found = summary(lines)
        books = books_now(batch, found)
        return cls(
            **_head(batch),
            totals={status: Sums.of(total) for status, total in sorted(found.totals.items())},
            replaced=Sums.of(found.replaced),
            books=None if books is None else Books.of(books),
            contradictions=[
                LineContradiction(
                    said.item, said.first, said.then, rfc3339(said.at), line.number, line.member, line.net
                )
                for line in found.contradicted[:_MOST_NAMED]
                if (said := line.contradiction) is not None
            ],
            corrections=[line_correction(line, made) for line in found.corrected for made in line.corrections][
                :_MOST_NAMED
            ],
            results_brought=[Bringing.of(one) for one in brought_by(batch, answers or {})[:_MOST_NAMED]],
            left_out=LeftOutTotal.by_reason(batch.left_out),
            drafts=[file.name for file in batch.drafts],
        )


class PayoutList(Model):
    """Batches, newest period first."""

    items: Annotated[list[Payout], Meta(description="Batches, newest month first.")]
    next_cursor: NextCursor


def _head(batch: Batch) -> dict[str, Any]:
    return {
        "payout_id": batch.id,
        "period": batch.period.key,
        "status": batch.status,
        "channel": batch.rules.channel,
        "minimum_fen": batch.rules.minimum,
        "tax_table": batch.rules.tax_table,
        "tax_month": batch.rules.tax_month or "earned",
        "opened_by": batch.opened_by,
        "opened_at": rfc3339(batch.opened_at),
        "listed_at": optional_moment(batch.listed_at),
        "listed": batch.listed,
        "listed_fen": batch.listed_amount,
        "approved_by": batch.approved_by,
        "approved_at": optional_moment(batch.approved_at),
        "note": batch.note,
        "sent_at": optional_moment(batch.sent_at),
        "confirmed_by": batch.confirmed_by,
        "confirmed_at": optional_moment(batch.confirmed_at),
        "retry_until": optional_moment(batch.retry_until),
        "retries_ended_by": batch.retries_ended_by,
        "retries_ended_at": optional_moment(batch.retries_ended_at),
        "settled_at": optional_moment(batch.settled_at),
    }
