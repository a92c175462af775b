"""Payout batches, their lines and their files as JSON. Amounts are fen."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.http import Model
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, NOT_FOUND
from cardstock.payouts.errors import (
    APPROVER_OPENED_IT,
    CHANNEL_SPEAKS_ITSELF,
    PAYOUT_CHANGED,
    PAYOUT_CLOSED,
    PAYOUT_NOT_SENT,
    PAYOUT_STILL_OPENING,
    PERIOD_NOT_OVER,
    PERIOD_PAST,
    RETRIED_ALREADY,
    TAX_TABLE_MISSING,
    TRANSFER_NOT_FAILED,
    TRANSFER_UNKNOWN,
    TRANSFER_WAITS,
)
from cardstock.payouts.model import Answer, Batch, File, Line, Reconciliation
from cardstock.payouts.model import Totals as BookTotals
from cardstock.payouts.service import Outcome, StatusTotal
from cardstock.payouts.wording import REASON, STATUS

OPENING_CODES = (PERIOD_NOT_OVER, PERIOD_PAST, TAX_TABLE_MISSING)
APPROVAL_CODES = (
    NOT_FOUND,
    APPROVER_OPENED_IT,
    PAYOUT_STILL_OPENING,
    PAYOUT_CHANGED,
    IDEMPOTENCY_KEY_REUSED,
)
RESULT_CODES = (
    NOT_FOUND,
    PAYOUT_NOT_SENT,
    PAYOUT_CHANGED,
    CHANNEL_SPEAKS_ITSELF,
    TRANSFER_UNKNOWN,
    TRANSFER_WAITS,
)
RETRY_CODES = (
    NOT_FOUND,
    PAYOUT_NOT_SENT,
    PAYOUT_CLOSED,
    TRANSFER_NOT_FAILED,
    RETRIED_ALREADY,
    PAYOUT_CHANGED,
    IDEMPOTENCY_KEY_REUSED,
)

Number = Annotated[
    str, Meta(pattern=r"^[0-9a-z]{32}$", examples=["2026110vgk3qxnq5p7m1a9c2d4e6f8g0"], description="Transfer number.")
]


class PageOfWithdrawals(PageQuery):
    """Which part of the list: so many periods of the brand, whether or not the member was paid in them."""

    limit: Annotated[int, Meta(ge=1, le=50)] = 20


class OpenPayout(Model):
    """The month to be paid out."""

    period: Annotated[str, Meta(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-11"])]


class Approve(Model):
    """What the approver wants to have on record."""

    note: Annotated[str, Meta(max_length=200, examples=["Checked against the ledger"])] | None = None


class BroughtResult(Model):
    """What the bank says about one transfer; `amount_fen` is what reached the payee, if it says so."""

    number: Number
    result: Literal["paid", "failed", "expired"]
    reason: Annotated[str, Meta(max_length=64, examples=["ACCOUNT_CLOSED"])] | None = None
    amount_fen: Annotated[int, Meta(ge=0, le=10**13)] | None = None


class BringResults(Model):
    """Results of transfers. With `all_others_paid`, every transfer without a result was paid."""

    results: Annotated[list[BroughtResult], Meta(max_length=500)] = field(default_factory=list)
    all_others_paid: bool = False


class TakenResults(Model):
    """How many results were news; the rest had been brought before. They are applied within moments."""

    payout_id: str
    recorded: int
    repeated: int


class Sums(Model):
    """The lines of one status."""

    lines: int
    listed_fen: int
    gross_fen: int
    tax_fen: int
    net_fen: int


class BookSums(Model):
    """One of the three books over all lines. `paid_fen` is after tax, `claimed_fen` and `returned_fen` before."""

    lines: int
    claimed_fen: int
    paid_fen: int
    tax_fen: int
    returned_fen: int


class BookDifference(Model):
    """One transfer on which the books do not agree, and what each of them says."""

    number: str
    member_id: str
    code: str
    ledger: str
    batch: str
    channel: str


class Books(Model):
    """The three-way reconciliation. A batch settles only when it closes."""

    closes: bool
    ledger: BookSums
    batch: BookSums
    channel: BookSums
    differences: list[BookDifference]


class Payout(Model):
    """One period's batch. `status`: open, approved, sending, settled; `listed` lines were worth `listed_fen`."""

    payout_id: str
    period: str
    status: str
    channel: str
    minimum_fen: int
    tax_table: str
    opened_by: str
    opened_at: str
    listed_at: str | None
    listed: int
    listed_fen: int
    approved_by: str | None
    approved_at: str | None
    note: str | None
    sent_at: str | None
    confirmed_by: str | None
    settled_at: str | None


class PayoutDetail(Payout, kw_only=True):
    """A batch with the sums of its lines by status, and its reconciliation once every line has a result."""

    totals: dict[str, Sums]
    books: Books | None


class PayoutList(Model):
    """Batches, newest period first."""

    items: list[Payout]
    next_cursor: str | None


class PayoutLine(Model):
    """One transfer. `status`: pending, sent, waiting_user, paid, failed, expired, dropped; `reason` says why not."""

    number: str
    member_id: str
    attempt: int
    status: str
    reason: str | None
    listed_fen: int
    gross_fen: int
    tax_fen: int
    net_fen: int
    sent_at: str | None
    closed_at: str | None
    retried_by: str | None


class ConfirmTransfer(Model):
    """What `wx.requestMerchantTransfer` takes (`mchId`, `appId`, `package`), so that the member can take the money."""

    mch_id: str
    app_id: str
    package: str


class Withdrawal(Model):
    """One payment to the member. While `status` is `waiting_user`, `confirm` opens the page where the member takes it.

    `status`: pending, sent, waiting_user, paid, failed, expired, dropped; money of the last three stays the member's.
    `text` says in the reader's language how it stands, and why.
    """

    number: Annotated[str, Meta(description="Transfer number.")]
    period: str
    attempt: int
    status: str
    reason: str | None
    listed_fen: int
    gross_fen: int
    tax_fen: int
    net_fen: int
    sent_at: str | None
    closed_at: str | None
    confirm: ConfirmTransfer | None
    text: str


class Withdrawals(Model):
    """The member's own payments, newest period first."""

    items: list[Withdrawal]
    next_cursor: str | None


class PayoutLines(Model):
    """Transfers, by number."""

    items: list[PayoutLine]
    next_cursor: str | None


class ReportFile(Model):
    """A file that was written once. `url` serves it for a quarter of an hour."""

    name: str
    content_type: str
    size: int
    sha256: str
    url: str


class PayoutReport(Model):
    """Files of a batch: the transfer file once it is sent, the report once it is settled."""

    payout_id: str
    status: str
    files: list[ReportFile]
    books: Books | None


def told(batch: Batch) -> Payout:
    """A batch as it is listed."""
    return Payout(**_head(batch))


def told_in_full(batch: Batch, totals: Mapping[str, StatusTotal]) -> PayoutDetail:
    """A batch as it is shown alone."""
    sums = {
        status: Sums(total.lines, total.listed, total.gross, total.tax, total.net)
        for status, total in sorted(totals.items())
    }
    return PayoutDetail(**_head(batch), totals=sums, books=_books(batch.books))


def told_line(line: Line) -> PayoutLine:
    """A line."""
    return PayoutLine(
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
    )


def withdrawals_told(lines: Iterable[Line], next_cursor: str | None, language: str) -> Withdrawals:
    """Lines as their payee sees them; `language`: zh or en."""
    return Withdrawals([_withdrawal(line, english=language == "en") for line in lines], next_cursor)


def _withdrawal(line: Line, *, english: bool) -> Withdrawal:
    said = STATUS[line.status][english]
    if line.reason in REASON:  # A channel's own code is for finance.
        said += (": " if english else "：") + REASON[line.reason][english]
    given = line.confirmation
    return Withdrawal(
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
        confirm=None if given is None else ConfirmTransfer(given.merchant, given.app, given.package),
        text=said,
    )


def told_report(batch: Batch, files: Iterable[tuple[File, str]]) -> PayoutReport:
    """The files of a batch with their links."""
    shown = [ReportFile(file.name, file.content_type, file.size, file.sha256, url) for file, url in files]
    return PayoutReport(batch.id, batch.status, shown, _books(batch.books))


def told_outcome(payout_id: str, outcome: Outcome) -> TakenResults:
    """What became of results."""
    return TakenResults(payout_id, outcome.recorded, outcome.repeated)


def answers_of(body: BringResults, *, source: str, at: datetime) -> list[Answer]:
    """The results as answers of the channel, brought by `source`."""
    return [Answer(one.number, one.result, at, source, one.reason, one.amount_fen) for one in body.results]


def _head(batch: Batch) -> dict[str, Any]:
    return {
        "payout_id": batch.id,
        "period": batch.period.key,
        "status": batch.status,
        "channel": batch.rules.channel,
        "minimum_fen": batch.rules.minimum,
        "tax_table": batch.rules.tax_table,
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


def _books(books: Reconciliation | None) -> Books | None:
    if books is None:
        return None
    differences = [
        BookDifference(found.number, found.member, found.code, found.ledger, found.batch, found.channel)
        for found in books.differences
    ]
    return Books(books.closes, _sums(books.ledger), _sums(books.batch), _sums(books.channel), differences)


def _sums(totals: BookTotals) -> BookSums:
    return BookSums(totals.count, totals.claimed, totals.paid, totals.tax, totals.returned)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
