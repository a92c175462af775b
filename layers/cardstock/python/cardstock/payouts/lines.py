"""A line of a batch: one payment to one member.

A line belongs to one member and one attempt; its transfer number comes from (member, period, attempt) and never
changes: the channel tells two payments apart by it alone. The line's `status` is the only record of its state. The
charts are in the package's docstring; `LINE_TRANSITIONS` and `CORRECTIONS` are the same as data.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.ids import derived_id
from cardstock.money import Fen
from cardstock.payouts.model import Batch
from cardstock.payouts.payees import Balance, BankTarget
from cardstock.payouts.periods import Period
from cardstock.payouts.tax.tables import TaxToDate

LineStatus: TypeAlias = Literal["pending", "sent", "waiting_user", "paid", "failed", "expired", "dropped"]

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

Result: TypeAlias = Literal["waiting_user", "paid", "failed", "expired"]
"""A channel's possible answers. Without one, the number is submitted or asked about again."""
FINAL: Final = frozenset(status for status, following in LINE_TRANSITIONS.items() if not following)
IN_FLIGHT: frozenset[LineStatus] = frozenset({"sent", "waiting_user"})

RETURNED: frozenset[LineStatus] = frozenset({"failed", "expired"})
"""The money of these lines is available to the payee again."""
MAX_ATTEMPTS = 2


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


class Line(msgspec.Struct, frozen=True):
    """One payment to one member. `gross`, `tax` and `net` are zero until it is sent, and never change afterwards."""

    batch: str
    period: str
    member: str
    attempt: int
    number: str
    listed: Fen
    """Available balance of the member when the batch was opened."""
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
    at_most: Fen | None = None
    """The gross of the attempt before, which a retry cannot exceed. None: a first attempt, or a retry that was stored
    with it in `listed`."""

    @property
    def limit(self) -> Fen:
        """The most that the line can pay out, before tax."""
        return self.listed if self.at_most is None else self.at_most

    @property
    def taxed_in(self) -> Period:
        """The month whose income it is."""
        return Period(self.tax_month or self.period)

    @property
    def final(self) -> bool:
        return self.status in FINAL


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


def dropped(line: Line, reason: str, at: datetime) -> Line:
    """The dropped line. Its money was never claimed and stays available for the next period."""
    return replace(line, status="dropped", reason=reason, closed_at=at)


def as_of(line: Line, moment: datetime | None) -> Line:
    """The final line as it was at `moment`, without later corrections; None: as it is now."""
    later = [one for one in line.corrections if moment is not None and one.at > moment]
    if not later:
        return line
    kept = tuple(one for one in line.corrections if one not in later)
    return replace(line, status=later[0].before, reason=later[0].reason, corrections=kept)


def retried(line: Line, actor: str) -> Line:
    """The next attempt of a failed line, under a new number. It pays at most the gross of the failed one."""
    attempt = line.attempt + 1
    return Line(
        batch=line.batch,
        period=line.period,
        member=line.member,
        attempt=attempt,
        number=transfer_number(line.member, Period(line.period), attempt),
        listed=line.listed,
        retried_by=actor,
        at_most=line.gross,
    )


def replacements(lines: Iterable[Line]) -> dict[str, str]:
    """The number of the retry that replaced a line, by the line's number; `lines` are all of a batch.

    A line that was paid after all is replaced by nothing: its money moved beside that of the retry.
    """
    known = list(lines)
    later = {(line.member, line.attempt): line.number for line in known if line.attempt > 1}
    return {
        line.number: later[line.member, line.attempt + 1]
        for line in known
        if line.status in RETURNED and (line.member, line.attempt + 1) in later
    }
