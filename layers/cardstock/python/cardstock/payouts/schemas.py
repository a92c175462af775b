"""Payout batches, their lines and their files as JSON. Amounts are fen."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, field

from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import EntryId, MemberId, Moment, NextCursor, Period, PersonId
from cardstock.edge.http import OPTIONAL_LINE, Model
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, NOT_FOUND
from cardstock.payouts import errors
from cardstock.payouts.bringing import Brought, BroughtLine
from cardstock.payouts.model import (
    Answer,
    Batch,
    Correction,
    Difference,
    File,
    LeftOutSum,
    Line,
    OpenContradiction,
    Reconciliation,
)
from cardstock.payouts.model import Totals as BookTotals
from cardstock.payouts.previewing import ListedNow, Preview
from cardstock.payouts.reading import StatusTotal, books_now, summary
from cardstock.payouts.results import BroughtResults
from cardstock.payouts.wording import REASON, STATUS

OPENING_CODES = (errors.PERIOD_NOT_OVER, errors.PERIOD_PAST, errors.TAX_TABLE_MISSING)
APPROVAL_CODES = (
    NOT_FOUND,
    errors.APPROVER_OPENED_IT,
    errors.PAYOUT_STILL_OPENING,
    errors.PAYOUT_TOTALS_DIFFER,
    errors.PAYOUT_CHANGED,
    IDEMPOTENCY_KEY_REUSED,
)
RESULT_CODES = (
    NOT_FOUND,
    errors.PAYOUT_NOT_SENT,
    errors.PAYOUT_CHANGED,
    errors.CHANNEL_SPEAKS_ITSELF,
    errors.RESULTS_BY_APPROVER,
    errors.RESULTS_DIFFER,
    errors.RESULTS_FILE_INVALID,
    errors.TRANSFER_UNKNOWN,
    errors.TRANSFER_WAITS,
    errors.FAILURE_BY_CHANNEL,
)
RETRY_CODES = (
    NOT_FOUND,
    errors.PAYOUT_NOT_SENT,
    errors.PAYOUT_CLOSED,
    errors.TRANSFER_NOT_FAILED,
    errors.RETRIED_ALREADY,
    errors.PAYOUT_CHANGED,
    IDEMPOTENCY_KEY_REUSED,
)

_MOST_NAMED: Final = 100

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
TaxTableId = Annotated[str, Meta(description="Tax table of the month.", examples=["labour-2019"])]
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


class PageOfWithdrawals(PageQuery):
    """Which part of the list: so many periods of the brand, whether or not the member was paid in them."""

    limit: Annotated[
        int,
        Meta(
            ge=1, le=50, description="Largest number of months in a page, whether or not the member was paid in them."
        ),
    ] = 20


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


class ResultsQuery(Model):
    """How a file answers."""

    part: Annotated[
        bool,
        Meta(description="Whether a CSV answers only some of the transfers; otherwise it must answer all of them."),
    ] = False


class BroughtResult(Model):
    """What the bank says about one transfer."""

    number: Number
    result: Annotated[
        Literal["paid", "failed", "expired"],
        Meta(description="Result of the transfer; `expired`: the payee did not accept it in time."),
    ]
    reason: (
        Annotated[
            str,
            Meta(
                max_length=64,
                pattern=OPTIONAL_LINE,
                examples=["ACCOUNT_CLOSED"],
                description="The bank's reason; absent if it gave none.",
            ),
        ]
        | None
    ) = None
    amount_fen: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=10**13,
                description="Fen that reached the payee: the transfer's `net_fen`; absent if the bank does not say.",
                examples=[18_360],
            ),
        ]
        | None
    ) = None
    holder: (
        Annotated[
            str,
            Meta(
                max_length=64,
                pattern=OPTIONAL_LINE,
                description="Holder whom the bank names: the name in the file that was sent; absent if it names none.",
                examples=["张伟"],
            ),
        ]
        | None
    ) = None


class BringResults(Model):
    """Results of transfers."""

    results: Annotated[list[BroughtResult], Meta(max_length=500, description="Results, one for each transfer.")] = (
        field(default_factory=list)
    )
    all_others_paid: Annotated[bool, Meta(description="Whether every transfer without a result was paid.")] = False

    lines: (
        Annotated[
            int,
            Meta(
                ge=0,
                description="Number of transfers in the file that was sent; needed with `all_others_paid`.",
                examples=[12],
            ),
        ]
        | None
    ) = None
    net_fen: (
        Annotated[int, Meta(ge=0, description="Their sum in fen; needed with `all_others_paid`.", examples=[401_300])]
        | None
    ) = None

    def brought(self, source: str, at: datetime) -> Brought:
        """The results as answers about transfers, brought by `source`."""
        results = [
            BroughtLine(Answer(one.number, one.result, at, source, one.reason, one.amount_fen), one.holder)
            for one in self.results
        ]
        return Brought(results, self.all_others_paid, self.lines, self.net_fen)


class TakenResults(Model):
    """How many results were news."""

    payout_id: PayoutId
    recorded: Annotated[int, Meta(description="New results; they are applied within moments.", examples=[12])]
    repeated: Annotated[int, Meta(description="Results that were known before.", examples=[0])]

    @classmethod
    def of(cls, payout_id: str, brought: BroughtResults) -> TakenResults:
        return cls(payout_id, brought.recorded, brought.repeated)


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


class BookSums(Model):
    """One of the three books, over all lines."""

    lines: Annotated[int, Meta(description="Transfers in the book.", examples=[12])]
    claimed_fen: Annotated[int, Meta(description="Fen claimed from balances, before tax.", examples=[420_000])]
    paid_fen: Annotated[int, Meta(description="Fen that reached the payees, after tax.", examples=[401_300])]
    tax_fen: Annotated[int, Meta(description="Fen that were withheld.", examples=[18_700])]
    returned_fen: Annotated[int, Meta(description="Fen returned to balances, before tax.", examples=[0])]

    @classmethod
    def of(cls, totals: BookTotals) -> BookSums:
        return cls(totals.count, totals.claimed, totals.paid, totals.tax, totals.returned)


class BookDifference(Model):
    """One transfer on which the books do not agree, and what each of them says."""

    number: TransferNumber
    member_id: MemberId
    code: Annotated[
        str,
        Meta(
            description="Kind of difference: `UNANSWERED`, `CLAIM`, `OUTCOME`, `TAX`, `AMOUNT` or `ARITHMETIC`.",
            examples=["AMOUNT"],
        ),
    ]
    ledger: Annotated[
        str,
        Meta(
            description="The ledger's value; `-` if there is none.",
            examples=["claimed 12345 paid 12345 tax 0 returned 0"],
        ),
    ]
    batch: Annotated[
        str, Meta(description="The batch's value; `-` if there is none.", examples=["paid gross 12345 tax 0 net 12345"])
    ]
    channel: Annotated[str, Meta(description="The channel's value; `-` if there is none.", examples=["paid 12340"])]

    @classmethod
    def of(cls, found: Difference) -> BookDifference:
        return cls(found.number, found.member, found.code, found.ledger, found.batch, found.channel)


class Books(Model):
    """The three-way reconciliation."""

    closes: Annotated[bool, Meta(description="Whether the three books agree; a batch settles only then.")]
    ledger: Annotated[BookSums, Meta(description="Sums of the ledger.")]
    batch: Annotated[BookSums, Meta(description="Sums of the batch.")]
    channel: Annotated[BookSums, Meta(description="Sums of the channel's answers.")]
    differences: Annotated[list[BookDifference], Meta(description="Transfers on which the books do not agree.")]

    @classmethod
    def of(cls, books: Reconciliation) -> Books:
        return cls(
            books.closes,
            BookSums.of(books.ledger),
            BookSums.of(books.batch),
            BookSums.of(books.channel),
            [BookDifference.of(found) for found in books.differences],
        )


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
    settled_at: Annotated[
        Moment | None, Meta(description="When every transfer was final and the books agreed; null before.")
    ]

    @classmethod
    def of(cls, batch: Batch) -> Payout:
        return cls(**_head(batch))


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
    after: LineStatus
    at: Annotated[Moment, Meta(description="When it was corrected.")]
    entry_id: EntryId

    @classmethod
    def of(cls, made: Correction) -> CorrectionView:
        return cls(made.item, made.before, made.after, rfc3339(made.at), made.entry)


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
        description="Who is not listed, by reason: `under_minimum`, `unverified`, `under_age`, `debt`, `hold`, "
        "`disputed`, `attempt_open`, `no_bank_account` or `erased`.",
        examples=[{"under_minimum": {"members": 3, "available_fen": 2400}}],
    ),
]


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
    def of(cls, batch: Batch, lines: Iterable[Line] = ()) -> PayoutDetail:
        """A batch with what its lines say now."""
        found = summary(lines)
        books = books_now(batch, found)
        return cls(
            **_head(batch),
            totals={status: Sums.of(total) for status, total in sorted(found.totals.items())},
            books=None if books is None else Books.of(books),
            contradictions=[
                LineContradiction(
                    said.item, said.first, said.then, rfc3339(said.at), line.number, line.member, line.net
                )
                for line in found.contradicted[:_MOST_NAMED]
                if (said := line.contradiction) is not None
            ],
            corrections=[_correction(line, made) for line in found.corrected for made in line.corrections][
                :_MOST_NAMED
            ],
            left_out=LeftOutTotal.by_reason(batch.left_out),
            drafts=[file.name for file in batch.drafts],
        )


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
    complete: Annotated[bool, Meta(description="Whether every balance was read.")]
    items: Annotated[list[PreviewedMember], Meta(description="Members of this page who would be listed.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, found: Preview, next_cursor: str | None) -> PayoutPreview:
        return cls(
            period=found.period.key,
            as_of=rfc3339(found.at),
            channel=found.rules.channel,
            minimum_fen=found.rules.minimum,
            balances_read=found.so_far.read,
            listed=found.so_far.listed,
            listed_fen=found.so_far.amount,
            left_out=LeftOutTotal.by_reason(found.so_far.left_out),
            complete=found.following is None,
            items=[PreviewedMember.of(row) for row in found.rows],
            next_cursor=next_cursor,
        )


class PayoutList(Model):
    """Batches, newest period first."""

    items: Annotated[list[Payout], Meta(description="Batches, newest month first.")]
    next_cursor: NextCursor


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
    contradiction: Annotated[
        ContradictionView | None,
        Meta(description="Results that contradict each other and that nobody has cleared; null otherwise."),
    ]
    corrections: Annotated[
        list[CorrectionView], Meta(description="How two persons have corrected its end, oldest first.")
    ]

    @classmethod
    def of(cls, line: Line) -> PayoutLine:
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
            _time(line.sent_at),
            _time(line.closed_at),
            line.retried_by,
            ContradictionView.of(line.contradiction),
            [CorrectionView.of(made) for made in line.corrections],
        )


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
            sent_at=_time(line.sent_at),
            closed_at=_time(line.closed_at),
            corrected_at=_time(line.corrections[-1].at) if line.corrections else None,
            confirm=None if given is None else ConfirmTransfer(given.merchant, given.app, given.package),
            text=text,
        )


class Withdrawals(Model):
    """The member's own payments, newest period first."""

    items: Annotated[list[Withdrawal], Meta(description="The member's own payments, newest month first.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, lines: Iterable[Line], next_cursor: str | None, language: str) -> Withdrawals:
        return cls([Withdrawal.of(line, language) for line in lines], next_cursor)


class PayoutLines(Model):
    """Transfers, by number."""

    items: Annotated[list[PayoutLine], Meta(description="Transfers, by number.")]
    next_cursor: NextCursor


class ReportFile(Model):
    """A file that was written once."""

    name: Annotated[str, Meta(description="File name to save it under.", examples=["report.xlsx"])]
    content_type: Annotated[
        str,
        Meta(
            description="Media type of the file.",
            examples=["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
        ),
    ]
    size: Annotated[int, Meta(description="Bytes of the file.", examples=[18_432])]
    sha256: Annotated[
        str,
        Meta(
            description="SHA-256 of its bytes, in hex.",
            examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        ),
    ]
    url: Annotated[
        str,
        Meta(
            description="Link to it, valid for a quarter of an hour.",
            examples=["https://reports.example.com/pay_202611/report.xlsx?X-Amz-Signature=5dc9da79"],
        ),
    ]

    @classmethod
    def of(cls, file: File, url: str) -> ReportFile:
        return cls(file.name, file.content_type, file.size, file.sha256, url)


class PayoutReport(Model):
    """Files of a batch, and its reconciliation."""

    payout_id: PayoutId
    status: Annotated[
        str, Meta(description="Status of the batch: `open`, `approved`, `sending` or `settled`.", examples=["settled"])
    ]
    files: Annotated[
        list[ReportFile],
        Meta(
            description="The draft once it is listed, the transfer file once it is sent, the report once it is settled."
        ),
    ]
    books: Annotated[
        Books | None,
        Meta(
            description="The reconciliation that the written files have, as it was when the payout closed; null until "
            "every line has a result. What was reported and corrected since is in `GET /v1/payouts/{payout_id}`."
        ),
    ]

    @classmethod
    def of(cls, batch: Batch, files: Iterable[tuple[File, str]]) -> PayoutReport:
        """The files with their links."""
        shown = [ReportFile.of(file, url) for file, url in files]
        return cls(batch.id, batch.status, shown, None if batch.books is None else Books.of(batch.books))


def _correction(line: Line, made: Correction) -> LineCorrection:
    view = CorrectionView.of(made)
    return LineCorrection(
        view.item_id, view.before, view.after, view.at, view.entry_id, line.number, line.member, line.net
    )


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
        "listed_at": _time(batch.listed_at),
        "listed": batch.listed,
        "listed_fen": batch.listed_amount,
        "approved_by": batch.approved_by,
        "approved_at": _time(batch.approved_at),
        "note": batch.note,
        "sent_at": _time(batch.sent_at),
        "confirmed_by": batch.confirmed_by,
        "settled_at": _time(batch.settled_at),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
