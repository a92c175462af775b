"""A payout batch, its lines, and a transfer channel's answers about them.

A batch belongs to one period and takes its id from it. A line belongs to one member and one attempt; its transfer
number comes from (member, period, attempt) and never changes: the channel tells two payments apart by it alone.

The `stage` of a batch and the `status` of a line are the only record of its state. The times and names beside them are
facts for the report and the API. The charts are in the package's docstring; `BATCH_TRANSITIONS`,
`LINE_TRANSITIONS` and `CORRECTIONS` are the same as data.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.clock import BRAND_ZONE, from_epoch_ms, to_epoch_ms
from cardstock.files import Document
from cardstock.ids import derived_id
from cardstock.money import Fen
from cardstock.payouts import errors
from cardstock.payouts.tax.tables import Method, TaxToDate

Stage: TypeAlias = Literal[
    "listing",  # eligible members are being listed
    "counted",  # every eligible member has a line; not announced yet
    "listed",  # waits for a second person's approval
    "approved",
    "sending",  # lines are being sent, one step after the other
    "sending_parts",  # lines are being sent in `PARTS`, side by side
    "with_bank",  # a person uploads the file to the bank and its results here
    "confirmed",  # a person has confirmed the bank's whole file as paid
    "asking",  # the channel is asked how the transfers stand
    "asking_parts",  # the same in `PARTS`
    "closed",  # every line is final and the three books agree; the report is to be written
    "reported",  # the report is written; not announced yet
    "settled",
]
BatchStatus: TypeAlias = Literal["open", "approved", "sending", "settled"]
"""The API's names for the stages."""
LineStatus: TypeAlias = Literal["pending", "sent", "waiting_user", "paid", "failed", "expired", "dropped"]

BATCH_TRANSITIONS: Final[Mapping[Stage, frozenset[Stage]]] = {
    "listing": frozenset({"counted"}),
    "counted": frozenset({"listed", "sending"}),
    "listed": frozenset({"approved"}),
    "approved": frozenset({"sending", "sending_parts", "with_bank", "asking"}),
    "sending": frozenset({"sending", "sending_parts", "with_bank", "asking"}),
    "sending_parts": frozenset({"sending", "with_bank", "asking_parts"}),
    "with_bank": frozenset({"confirmed", "closed"}),
    "confirmed": frozenset({"closed"}),
    "asking": frozenset({"asking_parts", "sending", "closed"}),
    "asking_parts": frozenset({"sending", "closed"}),
    "closed": frozenset({"reported"}),
    "reported": frozenset({"settled"}),
    "settled": frozenset(),
}
"""Which stages may follow a stage. From `sending` to itself: a line is added by a retry."""

LINE_TRANSITIONS: Final[Mapping[LineStatus, frozenset[LineStatus]]] = {
    "pending": frozenset({"sent", "dropped"}),
    "sent": frozenset({"waiting_user", "paid", "failed", "expired"}),
    "waiting_user": frozenset({"waiting_user", "paid", "failed", "expired"}),
    "paid": frozenset(),
    "failed": frozenset(),
    "expired": frozenset(),
    "dropped": frozenset(),
}
"""Which status may follow a status. From `waiting_user` to itself: the channel gave a newer confirmation."""

CORRECTIONS: Final[Mapping[LineStatus, frozenset[LineStatus]]] = {
    "paid": frozenset({"failed"}),
    "failed": frozenset({"paid"}),
    "expired": frozenset({"paid"}),
}
"""Which status a final one becomes when two persons have cleared contradicting results with the other outcome."""

_STATUS_OF: Final[Mapping[Stage, BatchStatus]] = {
    "listing": "open",
    "counted": "open",
    "listed": "open",
    "approved": "approved",
    "sending": "sending",
    "sending_parts": "sending",
    "with_bank": "sending",
    "confirmed": "sending",
    "asking": "sending",
    "asking_parts": "sending",
    "closed": "sending",
    "reported": "settled",
    "settled": "settled",
}

HANDED_OVER: Final[frozenset[Stage]] = frozenset(
    {"with_bank", "confirmed", "asking", "asking_parts", "closed", "reported", "settled"}
)
"""No line is pending: every transfer is with the channel, or in its file."""
ASKED: Final[frozenset[Stage]] = frozenset({"asking", "asking_parts"})
"""The channel answers for each transfer."""
RETRIABLE: Final[frozenset[Stage]] = frozenset({"sending", "sending_parts", "with_bank", "confirmed", *ASKED})
"""A failed line may have a second attempt, if the channel itself said that it failed."""
POLLED: Final[frozenset[Stage]] = frozenset({"approved", "sending", "sending_parts", "closed", *ASKED})
"""The hourly poll advances these; a batch whose file is at the bank waits for a person."""
WAITING: Final[frozenset[Stage]] = frozenset({"listed", "settled"})
"""Nothing happens to these until somebody approves (`listed`), or any more (`settled`)."""
Result: TypeAlias = Literal["waiting_user", "paid", "failed", "expired"]
"""A channel's possible answers. Without one, the number is submitted or asked about again."""
_RESULTS: Final[Mapping[LineStatus, Result]] = {"paid": "paid", "failed": "failed", "expired": "expired"}
"""The answer that ends a line with a status."""

DifferenceCode: TypeAlias = Literal[
    "UNANSWERED",  # the channel has not answered how the transfer ended
    "CLAIM",  # the ledger claimed another amount than the line's gross
    "OUTCOME",  # ledger, line and channel disagree on its result
    "TAX",  # the ledger withheld another tax than the line
    "AMOUNT",  # the channel moved another amount than the line's net
    "ARITHMETIC",  # gross is not tax plus net
    "UNLISTED",  # the ledger or the channel has a number that the batch does not
]

DropReason: TypeAlias = Literal[
    "under_minimum",  # there is money, but less than is paid out
    "nothing_left",
    "debt",
    "hold",
    "unverified",
    "under_age",
    "erased",
    "under_channel_minimum",
    "over_channel_maximum",
    "account_unsuitable",  # the channel cannot pay to the payee's account
    "no_bank_account",  # the channel pays to bank accounts, and none of the payee's is in force
    "disputed",  # a transfer of the person has contradicting results that nobody has cleared
    "attempt_open",  # an earlier attempt was paid late, or is not final
]

FINAL: Final = frozenset(status for status, following in LINE_TRANSITIONS.items() if not following)
IN_FLIGHT: frozenset[LineStatus] = frozenset({"sent", "waiting_user"})
RETURNED: frozenset[LineStatus] = frozenset({"failed", "expired"})
"""The money of these lines is available to the payee again."""
MAX_ATTEMPTS = 2
PARTS = tuple("0123456789abcdefghjkmnpqrstvwxyz")
"""The first letter of a transfer number's unique half; each is as frequent as any other. A big batch has 32 parts."""
REST = "rest"
"""The step after all parts: it sends the lines that they left, and does what can only be done once."""
SCHEDULE_ACTOR = "schedule"
"""The actor of a batch that the schedule opened. It can never approve one."""

_ITEM: Final = "oit_"
"""Beginning of the ids of open items."""
_PERIOD = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


class Period(msgspec.Struct, frozen=True, order=True):
    """One calendar month of the brand, written `2026-11`."""

    key: str

    def __post_init__(self) -> None:
        if _PERIOD.fullmatch(self.key) is None:
            raise errors.PERIOD_INVALID(period=self.key)

    @property
    def month(self) -> date:
        """The first day of the month."""
        return date(int(self.key[:4]), int(self.key[5:]), 1)

    @property
    def starts(self) -> datetime:
        """The first moment of the month, in UTC."""
        return datetime(self.month.year, self.month.month, 1, tzinfo=BRAND_ZONE).astimezone(UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after the month, in UTC."""
        later = self.month.replace(day=28) + timedelta(days=4)
        return datetime(later.year, later.month, 1, tzinfo=BRAND_ZONE).astimezone(UTC)

    @classmethod
    def of(cls, moment: datetime) -> "Period":
        """The month of a moment."""
        return cls(moment.astimezone(BRAND_ZONE).strftime("%Y-%m"))

    @classmethod
    def before(cls, moment: datetime) -> "Period":
        """The last month that was over at `moment`."""
        return cls((moment.astimezone(BRAND_ZONE).replace(day=1) - timedelta(days=1)).strftime("%Y-%m"))


class Rules(msgspec.Struct, frozen=True):
    """The brand's settings when the batch was opened; they apply until it settles."""

    minimum: Fen
    """Smallest available balance that is listed."""
    channel: str
    channel_minimum: Fen
    """Smallest amount after tax that the channel transfers."""
    tax_method: Method
    tax_table: str
    carry_over_gap: bool = False
    bank_layout: str = ""
    """Layout of the bank file (`channels.layouts`); empty: the first one."""
    tax_month: Literal["", "paid", "earned"] = ""
    """The month whose income a line is: the one in which it is sent, or the batch's. Empty: opened before there was a
    choice; the same as `earned`."""


class BankTarget(msgspec.Struct, frozen=True):
    """The bank account that a line goes to. `sealed` is its number, encrypted under `key_id`: what it was when the line
    was sent stays, whatever the payee changes later."""

    account_id: str
    holder: str
    masked: str
    bank: str
    branch: str
    sealed: str
    key_id: str


class LeftOut(msgspec.Struct, frozen=True):
    """A member who has enough money and is not listed, and why."""

    member: str
    available: Fen
    reason: str
    name: str = ""


class LeftOutSum(msgspec.Struct, frozen=True):
    """The members who are not listed for one reason, and the sum of what they have (below zero: owe)."""

    reason: str
    members: int
    amount: Fen


class Contradiction(msgspec.Struct, frozen=True):
    """A transfer whose results contradict each other, which people have not cleared."""

    number: str
    payout: str
    member: str
    amount: Fen
    first: str
    """The result that was booked."""
    then: str
    at: datetime


class File(msgspec.Struct, frozen=True):
    """A file of a batch, written once. `sha256` is of its bytes."""

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
    """One transfer number on which the three books differ, and what each of them has."""

    number: str
    member: str
    code: DifferenceCode
    ledger: str
    batch: str
    channel: str


class Reconciliation(msgspec.Struct, frozen=True):
    """The comparison of ledger, batch and channel. `paid` is net, `claimed` and `returned` are gross."""

    ledger: Totals
    batch: Totals
    channel: Totals
    differences: tuple[Difference, ...]

    @property
    def closes(self) -> bool:
        return not self.differences


class Batch(msgspec.Struct, frozen=True):
    """The head of a batch. Its sums follow from its lines; `listed` and `books` are snapshots."""

    id: str
    period: Period
    stage: Stage
    rules: Rules
    opened_by: str
    opened_at: datetime
    listed_at: datetime | None = None
    """When every eligible member had a line. Nobody is added later, except by a retry."""
    approved_by: str | None = None
    approver: str = ""
    """Name on the approver's key, at that time."""
    approved_at: datetime | None = None
    note: str | None = None
    """The approver's note."""
    since: datetime | None = None
    """Start of its statements: when the batch before it was opened; None: from the first entry."""
    listed: int = 0
    """Number of lines when it was opened."""
    listed_amount: Fen = 0
    """Sum of these lines."""
    sent_at: datetime | None = None
    """When the last pending line was sent and the transfer file, if the channel takes one, was written. None again
    while a retry is being sent."""
    confirmed_by: str | None = None
    """Key that confirmed every line in flight as paid, as a bank's statement for a whole file does."""
    confirmed_at: datetime | None = None
    closed_at: datetime | None = None
    """When every line was final and the three books agreed. It is the date of the report."""
    settled_at: datetime | None = None
    books: Reconciliation | None = None
    """The last reconciliation; the first is made when every line is final. Only the first differences are kept."""
    transfers: tuple[File, ...] = ()
    """Files written for the channel."""
    reports: tuple[File, ...] = ()
    version: int = 1
    """Number of writes; each write requires the last one's."""
    opener: str = ""
    """Name on the key of the person who opened it, at that time; empty for the schedule."""
    left_out: tuple[LeftOutSum, ...] = ()
    """Who was not listed, by reason."""
    drafts: tuple[File, ...] = ()
    """The draft report, for whoever approves: what the batch would pay if it were sent when it was listed."""
    spread_at: datetime | None = None
    """When its parts were last given to the payout map; None unless it is processed in parts."""

    @property
    def status(self) -> BatchStatus:
        """The API's name for the stage."""
        return _STATUS_OF[self.stage]


class Confirmation(msgspec.Struct, frozen=True):
    """What a payee's client passes to the channel's page to accept the money (`wx.requestMerchantTransfer`)."""

    merchant: str
    app: str
    package: str


class OpenContradiction(msgspec.Struct, frozen=True):
    """Two results of one transfer that contradict each other, until two persons have cleared the open item about
    them."""

    item: str
    first: Result
    """The result that holds: the one that is booked."""
    then: Result
    at: datetime


class Correction(msgspec.Struct, frozen=True):
    """The end of a transfer, corrected. `before` and `reason` are what the line had, `after` is its status since."""

    item: str
    """The open item that two persons have cleared."""
    cause: str
    """Cause of its entry in the ledger: the transfer number, and from the second time on the count."""
    at: datetime
    before: LineStatus
    reason: str | None
    after: LineStatus

    @property
    def entry(self) -> str:
        """The id of its entry in the ledger."""
        return f"correct.{self.cause}"


class Clearing(msgspec.Struct, frozen=True):
    """What two persons have decided about contradicting results: whether the payee has the money."""

    batch: str
    number: str
    item: str
    arrived: bool
    at: datetime
    persons: tuple[str, str]


class Line(msgspec.Struct, frozen=True):
    """One payment to one member. `gross`, `tax` and `net` are zero until it is sent, and never change afterwards."""

    batch: str
    period: str
    member: str
    attempt: int
    number: str
    listed: Fen
    """Available balance when the batch was opened: the most that this line can pay out."""
    status: LineStatus = "pending"
    gross: Fen = 0
    tax: Fen = 0
    net: Fen = 0
    name: str = ""
    """The payee's name as sent to the channel."""
    account: str = ""
    reason: str | None = None
    """Why it was dropped (a `DropReason`), or failed or expired (the channel's own code)."""
    person: str = ""
    """The verified person behind the member when the line was sent; several members may be one person."""
    id_number: str = ""
    """The person's ID number, masked: the number itself is stored nowhere."""
    tax_table: str = ""
    before: TaxToDate | None = None
    """The person's tax figures in its month before this batch, over all members of the person."""
    after: TaxToDate | None = None
    """The same after this line, including transfers then in flight to other members of the person."""
    sent_at: datetime | None = None
    closed_at: datetime | None = None
    confirmation: Confirmation | None = None
    """What the payee needs to accept the money, while the line waits for it."""
    retried_by: str | None = None
    """Key that asked for this attempt; None for the first one."""
    bank: BankTarget | None = None
    """Where it goes, if the channel pays to bank accounts. `account` is its masked number then."""
    contradiction: OpenContradiction | None = None
    """Results that contradict each other and that nobody has cleared yet."""
    corrections: tuple[Correction, ...] = ()
    """Oldest first. `status` and `reason` are those after the last one; `closed_at` stays."""
    tax_month: str = ""
    """The month whose income it is, kept when it is sent. Empty: not sent, or sent before this was kept."""

    @property
    def taxed_in(self) -> Period:
        """The month whose income it is."""
        return Period(self.tax_month or self.period)

    @property
    def final(self) -> bool:
        return self.status in FINAL


class Answer(msgspec.Struct, frozen=True):
    """A channel's answer about one number. `source` is the channel, or the person who uploaded the answer, or the open
    item with which two persons have cleared contradicting ones. `amount` is the net, if the channel named one. `file`
    is the hash of the bank's file that has it, if one has."""

    number: str
    result: Result
    received_at: datetime
    source: str
    reason: str | None = None
    amount: Fen | None = None
    confirmation: Confirmation | None = None
    file: str | None = None

    @property
    def decided(self) -> bool:
        """Whether two persons have decided it by clearing an open item."""
        return self.source.startswith(_ITEM)


class Payee(msgspec.Struct, frozen=True):
    """A member as a payee."""

    member: str
    name: str
    account: str
    verified: bool
    of_age: bool
    hold: bool = False
    erased: bool = False
    person: str = ""
    """Id of the verified person: the same for all members of one person."""
    id_number: str = ""
    """Masked."""
    siblings: tuple[str, ...] = ()
    """The other members of the same person."""
    bank: BankTarget | None = None
    """The bank account in force; read only where the channel pays to bank accounts."""


class Balance(msgspec.Struct, frozen=True):
    """A member's available balance. Below zero it is a debt, which blocks payout."""

    member: str
    available: Fen


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


def moved(batch: Batch, stage: Stage, **facts: Any) -> Batch:
    """The batch in its next stage, with that stage's facts. The only way to change a stage.

    Raises ValueError for a stage that does not follow.
    """
    if stage not in BATCH_TRANSITIONS[batch.stage]:
        raise ValueError(f"{batch.id} is {batch.stage} and cannot become {stage}")
    return replace(batch, stage=stage, **facts)


def batch_id(period: Period) -> str:
    """The id of a period's batch: every opening of the period finds the same batch."""
    return f"pay_{period.key.replace('-', '')}"


def period_of(batch: str) -> Period:
    """The period in a batch id. Raises InvalidError `PERIOD_INVALID` for anything else."""
    digits = batch.removeprefix("pay_")
    return Period(f"{digits[:4]}-{digits[4:]}")


def taxed_within(batch: Batch, first: Period, last: Period, now: datetime) -> bool:
    """Whether a batch may have lines that are income of the months `first` to `last`, as known at `now`."""
    if batch.rules.tax_month != "paid":
        return first <= batch.period <= last
    return Period.of(batch.opened_at) <= last and first <= Period.of(batch.closed_at or now)


def transfer_number(member: str, period: Period, attempt: int) -> str:
    """32 letters and digits, the most that WeChat takes: the month, then 130 bits of (member, period, attempt)."""
    unique = derived_id("n", member, period.key, str(attempt)).removeprefix("n_")
    return f"{period.key.replace('-', '')}{unique}"


def new_line(batch: Batch, balance: Balance, *, attempt: int = 1) -> Line:
    """A pending line over the member's whole available balance."""
    return Line(
        batch=batch.id,
        period=batch.period.key,
        member=balance.member,
        attempt=attempt,
        number=transfer_number(balance.member, batch.period, attempt),
        listed=balance.available,
    )


def refusal(payee: Payee | None, balance: Balance) -> DropReason | None:
    """Why this member cannot be paid now; None if they can. Checked when a batch is listed and when a line is sent."""
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
    """The dropped line. Its money was never claimed and stays available for the next period."""
    return replace(line, status="dropped", reason=reason, closed_at=at)


def answered(line: Line, answer: Answer) -> Line:
    """The line after the channel's answer. A final line does not change."""
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


def answered_all(line: Line, answers: Iterable[Answer]) -> Line:
    """The line after all answers about it, oldest first."""
    for answer in answers:
        line = answered(line, answer)
    return line


def has_final_answer(answers: Iterable[Answer]) -> bool:
    """Whether the channel has said how a transfer ended."""
    return any(answer.result in FINAL for answer in answers)


def contradicted(answers: Sequence[Answer], last: Answer) -> Answer | None:
    """The final answer that holds, if `last` is the first one since it that contradicts it: paid, and not paid. Two
    ways of not being paid agree.

    The first final answer holds until people clear a contradiction; then what they have decided.
    """
    holding, known = None, False
    for answer in answers:
        if answer.result not in FINAL:
            continue
        if holding is None or answer.decided:
            holding, known = answer, False
        elif _differs(answer, holding):
            known = True
    if holding is None or known or last.result not in FINAL or not _differs(last, holding):
        return None
    return holding


def _differs(one: Answer, other: Answer) -> bool:
    return (one.result == "paid") != (other.result == "paid")


def repeats(answer: Answer, answers: Sequence[Answer]) -> bool:
    """Whether the answer adds nothing to the last one that people did not decide themselves, or comes with a file that
    was brought before: a bank that says the same again at another time says it in another file."""
    if answer.file is not None and answer.file in (known.file for known in answers):
        return True
    last = next((known for known in reversed(answers) if not known.decided), None)
    if last is None:
        return False
    same = (answer.result, answer.amount) == (last.result, last.amount)
    return same and answer.confirmation in (None, last.confirmation)


def contradiction_cause(number: str, answers: Iterable[Answer]) -> str:
    """The cause of the next open item about a transfer, and of the entry with which clearing it corrects the books:
    the number, and a count from the second one on."""
    decided = sum(answer.decided for answer in answers)
    return f"{number}.{decided + 1}" if decided else number


def number_of(cause: str) -> str:
    """The transfer number in the cause of an entry."""
    return cause.partition(".")[0]


def cleared(line: Line, clearing: Clearing, answers: Sequence[Answer]) -> tuple[Line, Answer]:
    """The line after a clearing, and the clearing as the answer that holds from now on. `answers` are those before.

    The line has one correction more if the outcome is not the one that it had. Raises `ConflictError`
    (RESULT_NOT_APPLIED) for a line that is not final yet.
    """
    if line.status not in CORRECTIONS:
        raise errors.RESULT_NOT_APPLIED()
    after: LineStatus = line.status
    corrections = line.corrections
    if (line.status == "paid") != clearing.arrived:
        (after,) = CORRECTIONS[line.status]
        cause = contradiction_cause(line.number, answers)
        corrections += (Correction(clearing.item, cause, clearing.at, line.status, line.reason, after),)
    decided = Answer(line.number, _RESULTS[after], clearing.at, clearing.item)
    reason = line.reason if after == line.status else _last_reason(after, answers)
    return replace(line, status=after, reason=reason, contradiction=None, corrections=corrections), decided


def _last_reason(status: LineStatus, answers: Sequence[Answer]) -> str | None:
    """The channel's last reason for a result."""
    found = (answer.reason for answer in reversed(answers) if status in RETURNED and answer.result in RETURNED)
    return next(found, None)


def after_closing(batch: Batch | None, at: datetime) -> datetime:
    """The moment in milliseconds, or one after the batch was closed: its report leaves out what came later, even if
    clocks differ."""
    at, closed = from_epoch_ms(to_epoch_ms(at)), None if batch is None else batch.closed_at
    return at if closed is None else max(at, closed + timedelta(milliseconds=1))


def as_of(line: Line, moment: datetime | None) -> Line:
    """The final line as it was at `moment`, without later corrections; None: as it is now."""
    later = [one for one in line.corrections if moment is not None and one.at > moment]
    if not later:
        return line
    kept = tuple(one for one in line.corrections if one not in later)
    return replace(line, status=later[0].before, reason=later[0].reason, corrections=kept)


def returned_by_channel(batch: Batch, answers: Sequence[Answer]) -> bool:
    """Whether the last answer came from the channel itself and says that the transfer was not paid. What people have
    decided is no answer of the channel."""
    said = [answer for answer in answers if not answer.decided]
    return bool(said) and said[-1].result in RETURNED and said[-1].source == batch.rules.channel


def retried(line: Line, actor: str) -> Line:
    """The next attempt of a failed line, under a new number. It pays at most the gross of the failed one."""
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
    """A document as a file of the batch: its key and the hash of its bytes."""
    return named_file(f"payouts/{batch.id}", document)


def draft_file(batch: Batch, document: Document) -> File:
    """A document as a draft of the batch. Its key has its hash: a draft that is made again may tell of newer facts."""
    digest = hashlib.sha256(document.content).hexdigest()[:16]
    return named_file(f"payouts/{batch.id}/draft-{digest}", document)


def named_file(folder: str, document: Document) -> File:
    """A document as a file in a folder."""
    return File(
        name=document.name,
        key=f"{folder}/{document.name}",
        content_type=document.content_type,
        size=len(document.content),
        sha256=hashlib.sha256(document.content).hexdigest(),
    )
