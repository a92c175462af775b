"""A payout's files and its reconciliation as JSON. Amounts are fen."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from cardstock.edge.fields import MemberId
from cardstock.edge.http import Model
from cardstock.payouts.books import Difference, Reconciliation
from cardstock.payouts.books import Totals as BookTotals
from cardstock.payouts.line_schemas import PayoutId, TransferNumber
from cardstock.payouts.model import Batch, File


class BookSums(Model):
    """One of the three books. A transfer that failed and was retried under another number counts once: as its retry."""

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
        return cls(batch.id, batch.status, shown, None if batch.books is None else Books.of(batch.books.once))
