"""A payout batch, its lines, and what a transfer channel says about them.

A batch belongs to one period and takes its id from it. A line belongs to one member and one attempt; its transfer
number comes from (member, period, attempt) and never changes: the channel tells two payments apart by it alone.

    batch   open -> approved -> sending -> settled
    line    pending -> sent -> waiting_user -> paid | failed | expired
            pending -> dropped
"""

import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.clock import BRAND_ZONE
from cardstock.files import Document
from cardstock.ids import derived_id
from cardstock.money import Fen
from cardstock.payouts import errors
from cardstock.payouts.tax.tables import Method, TaxToDate

BatchStatus: TypeAlias = Literal["open", "approved", "sending", "settled"]
LineStatus: TypeAlias = Literal["pending", "sent", "waiting_user", "paid", "failed", "expired", "dropped"]
Result: TypeAlias = Literal["waiting_user", "paid", "failed", "expired"]
"""What a channel can say. That it said nothing is not a result: the same number is sent or asked again."""

DifferenceCode: TypeAlias = Literal[
    "UNANSWERED",  # the channel has not said how the transfer ended
    "CLAIM",  # the ledger holds another amount for the number than the line pays out
    "OUTCOME",  # ledger, line and channel disagree on how it ended
    "TAX",  # the ledger withheld another tax than the line
    "AMOUNT",  # the channel moved another amount than the line's net
    "ARITHMETIC",  # gross is not tax plus net
    "UNLISTED",  # the ledger or the channel knows a number that the batch does not
]

DropReason: TypeAlias = Literal[
    "nothing_left",
    "debt",
    "hold",
    "unverified",
    "under_age",
    "erased",
    "under_channel_minimum",
    "over_channel_maximum",
    "account_unsuitable",  # the channel cannot pay to where the payee has his account
    "attempt_open",  # an earlier attempt was paid after all, or is not over
]

FINAL: frozenset[LineStatus] = frozenset({"paid", "failed", "expired", "dropped"})
IN_FLIGHT: frozenset[LineStatus] = frozenset({"sent", "waiting_user"})
RETURNED: frozenset[LineStatus] = frozenset({"failed", "expired"})
"""The money of these lines is the payee's again."""
MAX_ATTEMPTS = 2
PARTS = tuple("0123456789abcdefghjkmnpqrstvwxyz")
"""What the unique half of a transfer number begins with, each as often as any other: a batch in 32 parts."""
REST = "rest"
"""The step after its parts: what they have left, and what can only be done once."""
SCHEDULE_ACTOR = "schedule"
"""Who opens a batch when nobody did by hand. It can never approve one."""

_PERIOD = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


class Period(msgspec.Struct, frozen=True):
    """One calendar month of the brand, written `2026-11`."""

    key: str

    def __post_init__(self) -> None:
        if _PERIOD.fullmatch(self.key) is None:
            raise errors.PERIOD_INVALID(period=self.key)

    @property
    def month(self) -> date:
        """Its first day."""
        return date(int(self.key[:4]), int(self.key[5:]), 1)

    @property
    def starts(self) -> datetime:
        """The first moment that belongs to it, in UTC."""
        return datetime(self.month.year, self.month.month, 1, tzinfo=BRAND_ZONE).astimezone(UTC)

    @property
    def ends(self) -> datetime:
        """The first moment that does not belong to it any more, in UTC."""
        later = self.month.replace(day=28) + timedelta(days=4)
        return datetime(later.year, later.month, 1, tzinfo=BRAND_ZONE).astimezone(UTC)

    @classmethod
    def before(cls, moment: datetime) -> "Period":
        """The last month that was over at `moment`."""
        return cls((moment.astimezone(BRAND_ZONE).replace(day=1) - timedelta(days=1)).strftime("%Y-%m"))


class Rules(msgspec.Struct, frozen=True):
    """What the brand had configured when the batch was opened. A batch keeps its rules to its end."""

    minimum: Fen
    """Smallest available balance that is listed."""
    channel: str
    channel_minimum: Fen
    """Smallest amount after tax that the channel transfers."""
    tax_method: Method
    tax_table: str
    carry_over_gap: bool = False


class File(msgspec.Struct, frozen=True):
    """One file that was written for a batch, once. `sha256` is of its bytes."""

    name: str
    key: str
    content_type: str
    size: int
    sha256: str


class Totals(msgspec.Struct, frozen=True):
    """Sums of one book over all lines of a batch, in fen."""

    count: int = 0
    claimed: Fen = 0
    paid: Fen = 0
    tax: Fen = 0
    returned: Fen = 0


class Difference(msgspec.Struct, frozen=True):
    """One number on which the three books do not agree, with what each of them says."""

    number: str
    member: str
    code: DifferenceCode
    ledger: str
    batch: str
    channel: str


class Reconciliation(msgspec.Struct, frozen=True):
    """The three books side by side. `paid` is net, `claimed` and `returned` are gross."""

    ledger: Totals
    batch: Totals
    channel: Totals
    differences: tuple[Difference, ...]

    @property
    def closes(self) -> bool:
        return not self.differences


class Batch(msgspec.Struct, frozen=True):
    """The head of a batch. Amounts and counts of it are always the fold of its lines, never kept beside them."""

    id: str
    period: Period
    status: BatchStatus
    rules: Rules
    opened_by: str
    opened_at: datetime
    listed_at: datetime | None = None
    """When every eligible member had a line. Before that nobody can approve; afterwards nobody is added."""
    approved_by: str | None = None
    approver: str = ""
    """The name on the approver's key, as it was then."""
    approved_at: datetime | None = None
    note: str | None = None
    """What the approver wrote down."""
    since: datetime | None = None
    """Where its statements begin: when the batch before it was opened; None: with the first entry."""
    listed: int = 0
    """How many lines it was opened with, and what they were worth. Facts of `listed_at`, never changed."""
    listed_amount: Fen = 0
    sent_at: datetime | None = None
    """When no line was pending any more and the transfer file, if the channel takes one, was written."""
    confirmed_by: str | None = None
    """Who confirmed every line in flight as paid with one word, as a bank's statement for a whole file does."""
    confirmed_at: datetime | None = None
    closed_at: datetime | None = None
    """When every line was final and the three books agreed. The report is dated by it."""
    settled_at: datetime | None = None
    books: Reconciliation | None = None
    """The last reconciliation, tried when every line was final. One that does not close keeps the batch from settling;
    of its differences the first are kept."""
    transfers: tuple[File, ...] = ()
    """What was written for the channel."""
    reports: tuple[File, ...] = ()
    announced: tuple[str, ...] = ()
    """The events about it that were given to the queue."""
    version: int = 1
    """Counts the writes; the condition of the next one."""
    opener: str = ""
    """The name on the key of who opened it by hand, as it was then."""
    spread_at: datetime | None = None
    """When its parts were last given away to be taken side by side, if it is big enough for that."""


class Confirmation(msgspec.Struct, frozen=True):
    """What a payee's client hands to the channel's page where he takes the money (`wx.requestMerchantTransfer`)."""

    merchant: str
    app: str
    package: str


class Line(msgspec.Struct, frozen=True):
    """One payment to one member. `gross`, `tax` and `net` are zero until it is sent, and never change afterwards."""

    batch: str
    period: str
    member: str
    attempt: int
    number: str
    listed: Fen
    """What was available when the batch was opened: the most that this line can pay out."""
    status: LineStatus = "pending"
    gross: Fen = 0
    tax: Fen = 0
    net: Fen = 0
    name: str = ""
    """The payee's name as the channel was given it."""
    account: str = ""
    reason: str | None = None
    """Why it was dropped, failed or lapsed: ours is a `DropReason`, a channel's is its own code."""
    person: str = ""
    """Whom the member was verified as when the line was sent; several members may be one person."""
    id_number: str = ""
    """His ID number, masked: the number itself is kept nowhere."""
    tax_table: str = ""
    before: TaxToDate | None = None
    """What the person had been paid, all his members together, when the month began."""
    after: TaxToDate | None = None
    """The same after this line, with what was on its way to his other members by then."""
    sent_at: datetime | None = None
    closed_at: datetime | None = None
    confirmation: Confirmation | None = None
    """While it waits for the payee, if the channel has given one."""
    retried_by: str | None = None
    """Who asked for this attempt; None for a first one."""

    @property
    def final(self) -> bool:
        return self.status in FINAL


class Answer(msgspec.Struct, frozen=True):
    """What a channel said about one number, and who brought it. `amount`, if the channel gave one, is the net."""

    number: str
    result: Result
    received_at: datetime
    source: str
    reason: str | None = None
    amount: Fen | None = None
    confirmation: Confirmation | None = None


class Payee(msgspec.Struct, frozen=True):
    """What has to be known of a member before money goes to him."""

    member: str
    name: str
    account: str
    verified: bool
    of_age: bool
    hold: bool = False
    erased: bool = False
    person: str = ""
    """Who he is: the same for all members that are one person."""
    id_number: str = ""
    """Masked."""
    siblings: tuple[str, ...] = ()
    """The other members who are the same person."""


class Balance(msgspec.Struct, frozen=True):
    """What the ledger has for a member at this moment. Below zero it is a debt, which blocks payout."""

    member: str
    available: Fen


class Booking(msgspec.Struct, frozen=True):
    """What the ledger has recorded under one transfer number."""

    number: str
    member: str
    claimed: Fen
    paid: Fen = 0
    tax: Fen = 0
    returned: Fen = 0


class LedgerLine(msgspec.Struct, frozen=True):
    """One posting on one account of one payee. `amount` is signed; `kind` and `cause` say what made it."""

    member: str
    at: datetime
    entry: str
    kind: str
    cause: str
    account: str
    amount: Fen


def batch_id(period: Period) -> str:
    """The one batch of a period: the same event five times is the same batch."""
    return f"pay_{period.key.replace('-', '')}"


def period_of(batch: str) -> Period:
    """The period that a batch id stands for. Raises InvalidError `PERIOD_INVALID` for anything else."""
    digits = batch.removeprefix("pay_")
    return Period(f"{digits[:4]}-{digits[4:]}")


def transfer_number(member: str, period: Period, attempt: int) -> str:
    """32 letters and digits, the most that WeChat takes: the month, then 130 bits of (member, period, attempt)."""
    unique = derived_id("n", member, period.key, str(attempt)).removeprefix("n_")
    return f"{period.key.replace('-', '')}{unique}"


def new_line(batch: Batch, balance: Balance, *, attempt: int = 1) -> Line:
    """A pending line over everything that is available to the member now."""
    return Line(
        batch=batch.id,
        period=batch.period.key,
        member=balance.member,
        attempt=attempt,
        number=transfer_number(balance.member, batch.period, attempt),
        listed=balance.available,
    )


def refusal(payee: Payee | None, balance: Balance) -> DropReason | None:
    """Why this member cannot be paid now, if so. Asked when a batch is opened and again when a line is sent."""
    if payee is None or payee.erased:
        return "erased"
    if payee.hold:
        return "hold"
    if not payee.verified:
        return "unverified"
    if not payee.of_age:
        return "under_age"
    return "debt" if balance.available < 0 else None


def dropped(line: Line, reason: str, at: datetime) -> Line:
    """The line, left out: its money was never claimed and waits for the next period."""
    return replace(line, status="dropped", reason=reason, closed_at=at)


def answered(line: Line, answer: Answer) -> Line:
    """The line after the channel's word on it. A final line stays as it is, whatever is said later."""
    if line.final:
        return line
    final = answer.result in FINAL
    return replace(
        line,
        status=answer.result,
        reason=answer.reason if answer.result in RETURNED else None,
        closed_at=answer.received_at if final else None,
        confirmation=None if final else answer.confirmation or line.confirmation,
    )


def retried(line: Line, actor: str) -> Line:
    """The next attempt of a line that failed, under a number of its own; at most what that one would have paid."""
    attempt = line.attempt + 1
    return Line(
        batch=line.batch,
        period=line.period,
        member=line.member,
        attempt=attempt,
        number=transfer_number(line.member, Period(line.period), attempt),
        listed=line.gross,
        retried_by=actor,
    )


def written(batch: Batch, document: Document) -> File:
    """What the batch remembers of a document: where it is written, once, and the hash of its bytes."""
    return named_file(f"payouts/{batch.id}", document)


def named_file(folder: str, document: Document) -> File:
    """A document in its folder."""
    return File(
        name=document.name,
        key=f"{folder}/{document.name}",
        content_type=document.content_type,
        size=len(document.content),
        sha256=hashlib.sha256(document.content).hexdigest(),
    )
