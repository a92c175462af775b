"""A payout batch: its stages, its rules, its files and who is left out.

A batch belongs to one period and takes its id from it. Its `stage` is the only record of its state; the times and names
beside it are facts for the report and the API. The chart is in the package's docstring; `BATCH_TRANSITIONS` is the same
as data. Its lines are in `lines.py`, what a channel says of them in `transfer_answers.py`.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.files import Document
from cardstock.money import Fen
from cardstock.payouts.books import Reconciliation
from cardstock.payouts.periods import Period
from cardstock.payouts.tax.tables import Method

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

ENDED: Final[frozenset[Stage]] = frozenset({"closed", "reported", "settled"})
"""The books agreed, and the batch is closed."""
RETRIABLE: Final[frozenset[Stage]] = frozenset({"sending", "sending_parts", "with_bank", "confirmed", *ASKED})
"""A failed line may have a second attempt, if the channel itself said that it failed."""

POLLED: Final[frozenset[Stage]] = frozenset({"approved", "sending", "sending_parts", "closed", *ASKED})
"""The hourly poll advances these; a batch whose file is at the bank waits for a person."""

WAITING: Final[frozenset[Stage]] = frozenset({"listed", "settled"})
"""Nothing happens to these until somebody approves (`listed`), or any more (`settled`)."""

PARTS = tuple("0123456789abcdefghjkmnpqrstvwxyz")
"""The first letter of a transfer number's unique half; each is as frequent as any other. A big batch has 32 parts."""

REST = "rest"
"""The step after all parts: it sends the lines that they left, and does what can only be done once."""

SCHEDULE_ACTOR = "schedule"
"""The actor of a batch that the schedule opened. It can never approve one."""


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


class File(msgspec.Struct, frozen=True):
    """A file of a batch, written once. `sha256` is of its bytes."""

    name: str
    key: str
    content_type: str
    size: int
    sha256: str


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
    retry_until: datetime | None = None
    """The last moment in which a failed line can be retried, unless a person or the next batch ends that earlier. None
    until every line is final, and where no line could be retried then."""
    retries_ended_by: str | None = None
    """Person who ended the retries before that; None if nobody did."""
    retries_ended_at: datetime | None = None
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


def moved(batch: Batch, stage: Stage, **facts: Any) -> Batch:
    """The batch in its next stage, with that stage's facts. The only way to change a stage.

    Raises ValueError for a stage that does not follow.
    """
    if stage not in BATCH_TRANSITIONS[batch.stage]:
        raise ValueError(f"{batch.id} is {batch.stage} and cannot become {stage}")
    return replace(batch, stage=stage, **facts)


def taxed_within(batch: Batch, first: Period, last: Period, now: datetime) -> bool:
    """Whether a batch may have lines that are income of the months `first` to `last`, as known at `now`."""
    if batch.rules.tax_month != "paid":
        return first <= batch.period <= last
    return Period.of(batch.opened_at) <= last and first <= Period.of(batch.closed_at or now)


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
