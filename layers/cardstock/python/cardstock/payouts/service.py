"""Opening, approving, sending and settling a payout.

`advance` takes a batch as far as it can come at this moment, and stops between chunks when its time is up. What it does
next follows from what is stored alone: it can be killed anywhere, repeated, and run twice at once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from cardstock.clock import Clock
from cardstock.errors import NOT_FOUND, Pointer
from cardstock.ids import RequestKey
from cardstock.money import Fen
from cardstock.payouts import errors
from cardstock.payouts.model import (
    IN_FLIGHT,
    MAX_ATTEMPTS,
    RETURNED,
    SCHEDULE_ACTOR,
    Answer,
    Balance,
    Batch,
    Booking,
    DropReason,
    LedgerLine,
    Line,
    Payee,
    Period,
    Reconciliation,
    Rules,
    answered,
    batch_id,
    dropped,
    new_line,
    refusal,
    retried,
    transfer_number,
    written,
)
from cardstock.payouts.ports import (
    CHUNK,
    Announce,
    Channel,
    EnoughTime,
    Files,
    Ledger,
    Payees,
    Payouts,
    Spread,
    Writer,
)
from cardstock.payouts.report.content import Report, assemble, reconcile
from cardstock.payouts.tax.tables import TABLES, TaxToDate, at_month_start, withhold
from cardstock.payouts.tax.to_date import figures_before, person_of

OPENED: Final = "payout.opened"
SETTLED: Final = "payout.settled"
_LISTED_AT_ONCE: Final = 90
_LAST_NIGHT: Final = timedelta(hours=3)
"""When the schedule opens payouts, too."""
_READ_AT_ONCE: Final = 3 * CHUNK
"""Payees are read for so many lines at a time: DynamoDB gives a hundred items in one call."""
_SHRINKS: Final = 5
_DIFFERENCES_KEPT: Final = 50
_UNFINISHED_LOOKED_AT: Final = 24
CANCEL_AFTER: Final = timedelta(hours=72)
"""Channels let a transfer lapse that nobody takes for 24 hours, but sometimes later. Then we call it back ourselves."""

SPREAD_AGAIN: Final = timedelta(hours=1)
"""Parts that were given away are taken within this time. Then whatever is left of them is given away once more."""

T = TypeVar("T")


class Outcome(msgspec.Struct, frozen=True):
    """What became of answers that somebody brought."""

    recorded: int
    repeated: int


class StatusTotal(msgspec.Struct, frozen=True):
    """The lines of one status: how many, and what they are about, in fen."""

    lines: int
    listed: Fen
    gross: Fen
    tax: Fen
    net: Fen


def open_batch(period: Period, *, actor: str, rules: Rules, payouts: Payouts, clock: Clock, name: str = "") -> Batch:
    """The batch of a period, opened now unless it was before. Who is in it is found out by `advance`.

    `name`: of a person who opens it, for the report.
    Raises `RefusedError` (PERIOD_NOT_OVER): what may still happen in a month cannot be paid out.
    """
    now = clock.now()
    if period.ends > now:
        raise errors.PERIOD_NOT_OVER(period=period.key)
    previous, _ = payouts.page(1, batch_id(period))
    return payouts.open(
        Batch(
            id=batch_id(period),
            period=period,
            status="open",
            rules=rules,
            opened_by=actor,
            opener=name,
            opened_at=now,
            since=previous[0].opened_at if previous else None,
        )
    )


def open_by_hand(
    month: str,
    *,
    actor: str,
    name: str,
    rules: Callable[[Period], Rules],
    keep: Callable[[str], bool],
    payouts: Payouts,
    clock: Clock,
) -> tuple[Batch, bool]:
    """The batch of a period, opened now by `actor` unless it was before, and whether this request was a repeat.

    His `name` is kept for the report. Only the month that ended last can be opened, as what is paid now is taxed as its
    income, and only once the releases and dividends of its last night are booked: a payout before them would leave them
    to the next month. `keep` remembers the request, and refuses one that stood for another period. Raises
    `InvalidError` for what is no month, `RefusedError` (PERIOD_NOT_OVER, PERIOD_PAST), and what `rules` and `keep`
    raise.
    """
    period = Period(month)
    wanted = batch_id(period)
    known = payouts.find(wanted)
    if known is None:
        if period.ends + _LAST_NIGHT > clock.now():
            raise errors.PERIOD_NOT_OVER(period=period.key)
        if period != Period.before(clock.now()):
            raise errors.PERIOD_PAST(period=period.key)
        configured = rules(period)
    repeated = keep(wanted)
    if known is None:
        known = open_batch(period, actor=actor, rules=configured, payouts=payouts, clock=clock, name=name)
    return known, repeated


def existing(wanted: str, *, payouts: Payouts) -> Batch:
    """The batch as it is now. Raises `NotFoundError`."""
    batch = payouts.find(wanted)
    if batch is None:
        raise NOT_FOUND()
    return batch


def unfinished(*, payouts: Payouts) -> list[Batch]:
    """Batches that could go on without anybody's word; of the last two years."""
    batches, _ = payouts.page(_UNFINISHED_LOOKED_AT, None)
    return [batch for batch in batches if _may_be_sent(batch) or batch.listed_at is None or not _told_all(batch)]


def on_their_way(*, payouts: Payouts) -> list[Batch]:
    """Batches whose channel has to be asked how their transfers stand; not those whose file a person carries."""
    batches, _ = payouts.page(_UNFINISHED_LOOKED_AT, None)
    return [batch for batch in batches if batch.status in ("approved", "sending") and not batch.transfers]


def withdrawals(member: str, limit: int, before: str | None, *, payouts: Payouts) -> tuple[list[Line], str | None]:
    """A member's own lines in the `limit` (at most 50) periods before a batch id, newest first; and before which id
    there are more periods."""
    batches, following = payouts.page(limit, before)
    return payouts.lines_of(member, batches) if batches else [], following


def approve(
    wanted: str,
    *,
    actor: str,
    name: str,
    note: str | None,
    request: RequestKey,
    same_person: Callable[[str], bool],
    payouts: Payouts,
    clock: Clock,
) -> tuple[Batch, bool]:
    """The batch approved by `actor`, whose name is kept for the report, and whether this was a repeat.

    `same_person`: whether who did something is the one who approves.

    Raises `NotFoundError`, `RefusedError` (APPROVER_OPENED_IT), `ConflictError` (PAYOUT_STILL_OPENING).
    """
    batch = existing(wanted, payouts=payouts)
    if batch.status != "open":
        payouts.check_reuse(request)
        return batch, True
    if batch.opened_by != SCHEDULE_ACTOR and same_person(batch.opened_by):
        raise errors.APPROVER_OPENED_IT()
    if batch.listed_at is None:
        raise errors.PAYOUT_STILL_OPENING()
    now = clock.now()
    approved = replace(batch, status="approved", approved_by=actor, approver=name, approved_at=now, note=note)
    return payouts.approve(approved, request), False


def bring_answers(wanted: str, answers: Sequence[Answer], *, payouts: Payouts) -> Outcome:
    """Keep what a channel said, as somebody reports it; `advance` applies it.

    The last word on a number said again is a repeat. A different one is kept too: it is an incident, never applied,
    and keeps the batch open until it is cleared up. Raises `NotFoundError`, `ConflictError` (PAYOUT_NOT_SENT) before
    the channel was given anything, `InvalidError` (TRANSFER_UNKNOWN) pointing to numbers that the batch did not send,
    `ConflictError` (TRANSFER_WAITS) where the channel has said that the payee can still take the money.
    """
    batch = existing(wanted, payouts=payouts)
    if batch.sent_at is None:
        raise errors.PAYOUT_NOT_SENT()
    lines = payouts.find_lines(batch.id, {answer.number for answer in answers})
    strangers = [
        Pointer(f"/results/{index}/number", "TRANSFER_UNKNOWN")
        for index, answer in enumerate(answers)
        if answer.number not in lines or lines[answer.number].status in ("pending", "dropped")
    ]
    if strangers:
        raise errors.TRANSFER_UNKNOWN(pointers=tuple(strangers))
    said = {} if batch.transfers else payouts.answers(batch.id)  # A bank's file has no channel that says it waits.
    if any(not line.final and _waits(said.get(line.number, ())) for line in lines.values()):
        raise errors.TRANSFER_WAITS()
    recorded = payouts.record(batch.id, answers)
    return Outcome(recorded, len(answers) - recorded)


def confirm_all(wanted: str, *, actor: str, payouts: Payouts, clock: Clock) -> Batch:
    """Note that everything which has no answer yet was paid, as a bank confirms a whole file; `advance` applies it.

    A second confirmation changes nothing. Raises `NotFoundError`, `ConflictError` (PAYOUT_NOT_SENT), and
    (CHANNEL_SPEAKS_ITSELF) where the channel answers for each transfer: nobody else knows.
    """
    batch = existing(wanted, payouts=payouts)
    if batch.sent_at is None:
        raise errors.PAYOUT_NOT_SENT()
    if batch.confirmed_at is not None or batch.status == "settled":
        return batch
    if not batch.transfers:
        raise errors.CHANNEL_SPEAKS_ITSELF()
    return payouts.replace(replace(batch, confirmed_by=actor, confirmed_at=clock.now()))


def retry(
    wanted: str, number: str, *, actor: str, request: RequestKey, payouts: Payouts, clock: Clock
) -> tuple[Line, bool]:
    """The second attempt of a line, and whether it was asked for before; `advance` sends it.

    Only after the channel's own last word was that the first one failed or was cancelled, and within the period: until
    the next batch is opened or this one is closed. Raises `NotFoundError`, `ConflictError` (PAYOUT_NOT_SENT,
    PAYOUT_CLOSED, TRANSFER_NOT_FAILED, PAYOUT_CHANGED), `RefusedError` (RETRIED_ALREADY).
    """
    batch = existing(wanted, payouts=payouts)
    line = payouts.find_lines(batch.id, [number]).get(number)
    if line is None:
        raise NOT_FOUND()
    again = retried(line, actor)
    known = payouts.find_lines(batch.id, [again.number]).get(again.number)
    if known is not None:
        payouts.check_reuse(request)
        return known, True
    if batch.status in ("open", "approved"):
        raise errors.PAYOUT_NOT_SENT()
    if batch.status == "settled" or batch.closed_at is not None:
        raise errors.PAYOUT_CLOSED()
    if payouts.page(1, None)[0][0].id != batch.id:
        raise errors.PAYOUT_CLOSED()
    if again.attempt > MAX_ATTEMPTS:
        raise errors.RETRIED_ALREADY()
    if line.status not in RETURNED or not _returned_by(batch.rules.channel, payouts.answers(batch.id).get(number, ())):
        raise errors.TRANSFER_NOT_FAILED()
    return payouts.retry(replace(batch, sent_at=None, spread_at=None), again, request, clock.now())


def _returned_by(channel: str, answers: Sequence[Answer]) -> bool:
    """Whether it is the channel itself whose last word is that it did not pay."""
    return bool(answers) and answers[-1].result in RETURNED and answers[-1].source == channel


def totals(lines: Iterable[Line]) -> dict[str, StatusTotal]:
    """The fold of lines by status."""
    counts: Counter[str] = Counter()
    sums: dict[str, list[Fen]] = {}
    for line in lines:
        counts[line.status] += 1
        held = sums.setdefault(line.status, [0, 0, 0, 0])
        for index, amount in enumerate((line.listed, line.gross, line.tax, line.net)):
            held[index] += amount
    return {status: StatusTotal(counts[status], *held) for status, held in sums.items()}


def advance(
    wanted: str,
    *,
    brand: str,
    payouts: Payouts,
    ledger: Ledger,
    payees: Payees,
    channel: Callable[[str], Channel],
    files: Files,
    writers: Sequence[Writer],
    announce: Announce,
    spread: Spread | None,
    clock: Clock,
    enough_time: EnoughTime,
) -> bool:
    """Take a batch as far as it can come now; whether there is more to do at once.

    open: everybody eligible is listed, once; a batch of nobody goes on by itself. approved: lines are sent, chunk by
    chunk; when that is through, or takes more than this step, it is sending: answers are applied, and when every line
    is final and the three books agree, the report is written and the batch settles. What needs the channel is given
    away in parts if the batch is big; without `spread`, as in the step after the parts, it is done here. Raises
    `NotFoundError` for a batch that does not exist; everything else that it raises is worth a repeat.
    """
    batch, stored = _with_lines(wanted, payouts)
    if batch.listed_at is None:
        batch = _list(batch, payouts=payouts, ledger=ledger, payees=payees, clock=clock)
    if _of_nobody(batch) and (counted := _counted(batch, payouts)).listed:
        # A step that listed at the same time added lines after this one had counted. By now nobody adds any.
        batch = payouts.replace(counted)
    batch = _announced(batch, OPENED, payouts=payouts, announce=announce)
    just_sent, books = False, None
    if _may_be_sent(batch) and batch.sent_at is None:
        batch = _spread(batch, payouts=payouts, spread=spread, clock=clock)
        if spread is not None and batch.spread_at is not None:
            return False  # A step is asked for when its parts have been taken.
        way = channel(batch.rules.channel)
        finished, lines = _send(
            batch, stored, payouts, ledger, payees, channel=way, clock=clock, enough_time=enough_time
        )
        if not finished:
            _sending(batch, payouts)
            return True
        batch = _handed_over(batch, lines, payouts=payouts, channel=way, files=files, clock=clock)
        if batch.transfers:
            return False  # Somebody has to take the file to the channel first.
        just_sent = True
    if batch.status == "sending" and batch.closed_at is None:
        way = channel(batch.rules.channel)
        if not just_sent and not batch.transfers:  # Who carries a file brings the answers, too.
            batch = _spread(batch, payouts=payouts, spread=spread, clock=clock)
            _ask(batch, payouts=payouts, channel=way, clock=clock, enough_time=enough_time)
        if not _apply_answers(batch, payouts=payouts, enough_time=enough_time):
            return True
        batch, books = _closed(batch, payouts=payouts, ledger=ledger, clock=clock)
    if batch.status == "sending" and batch.closed_at is not None:
        if not enough_time():
            return True
        report = report_of(batch, brand=brand, payouts=payouts, ledger=ledger, books=books)
        batch = _settled(batch, report, payouts=payouts, files=files, writers=writers, clock=clock)
    if batch.status == "settled":
        _announced(batch, SETTLED, payouts=payouts, announce=announce)
    return False


def _spread(batch: Batch, *, payouts: Payouts, spread: Spread | None, clock: Clock) -> Batch:
    """Give the parts of a big batch away, unless that was done not long ago. One that was given away stays in parts,
    whatever is big by now: nobody else asks about it."""
    now = clock.now()
    given_away = batch.spread_at
    if spread is None or (batch.listed <= spread.above if given_away is None else now - given_away < SPREAD_AGAIN):
        return batch
    batch = _sending(batch, payouts)  # Before the parts are taken: they look at it.
    spread(batch)  # Killed here, it gives them away again.
    return payouts.replace(replace(batch, spread_at=now))


def _sending(batch: Batch, payouts: Payouts) -> Batch:
    """Say that a batch is being sent where that takes more than one step; else `_handed_over` says it, which saves a
    write."""
    return payouts.replace(replace(batch, status="sending")) if batch.status == "approved" else batch


def take_part(
    wanted: str,
    part: str,
    *,
    payouts: Payouts,
    ledger: Ledger,
    payees: Payees,
    channel: Callable[[str], Channel],
    clock: Clock,
    enough_time: EnoughTime,
) -> bool:
    """Send one of a batch's `PARTS`, or ask about it, while others do so with the others; whether time was up.

    What waits for a line of another part is left to the step after all parts. Raises `NotFoundError`.
    """
    batch = existing(wanted, payouts=payouts)
    if batch.status != "sending" or batch.closed_at is not None:
        return False
    way = channel(batch.rules.channel)
    if batch.sent_at is None:
        lines = payouts.lines(batch.id, part)
        _send(batch, lines, payouts, ledger, payees, channel=way, clock=clock, enough_time=enough_time)
        return not enough_time()
    if not batch.transfers:
        _ask(batch, payouts=payouts, channel=way, clock=clock, enough_time=enough_time, part=part)
    return False


def _with_lines(wanted: str, payouts: Payouts) -> tuple[Batch, Iterator[Line]]:
    batch, lines = payouts.read(wanted)
    if batch is None:
        raise NOT_FOUND()
    return batch, lines


def _may_be_sent(batch: Batch) -> bool:
    """A second person has approved it, or nobody is in it: then there is nothing to approve."""
    return _of_nobody(batch) or batch.status in ("approved", "sending")


def _of_nobody(batch: Batch) -> bool:
    return batch.status == "open" and batch.listed_at is not None and batch.listed == 0


def _told_all(batch: Batch) -> bool:
    return OPENED in batch.announced and (batch.status != "settled" or SETTLED in batch.announced)


def _announced(batch: Batch, kind: str, *, payouts: Payouts, announce: Announce) -> Batch:
    """Tell it, then note that it was told: a crash between the two tells the same event again."""
    if kind in batch.announced:
        return batch
    announce(kind, batch)
    return payouts.replace(replace(batch, announced=(*batch.announced, kind)))


def _list(batch: Batch, *, payouts: Payouts, ledger: Ledger, payees: Payees, clock: Clock) -> Batch:
    """List everybody who is eligible now. Killed half-way, it starts again; nobody is added once it was through."""
    before = _older(batch, payouts)
    older = {line.member for other in before for line in payouts.lines(other.id) if not line.final}
    # Whom a channel has paid after it said that it had not has the money twice until that is cleared up.
    older |= {found.member for other in before if other.books for found in other.books.differences}
    now = clock.now()
    for chunk in _chunks(ledger.eligible(batch.rules.minimum), _LISTED_AT_ONCE):
        known = payees([balance.member for balance in chunk], now)
        payouts.list_lines(
            batch,
            [
                new_line(batch, balance)
                for balance in chunk
                if older.isdisjoint(person_of(balance.member, known))
                and refusal(known.get(balance.member), balance) is None
            ],
        )
    return payouts.replace(_counted(replace(batch, listed_at=now), payouts))


def _counted(batch: Batch, payouts: Payouts) -> Batch:
    lines = list(payouts.lines(batch.id))
    return replace(batch, listed=len(lines), listed_amount=sum(line.listed for line in lines))


def _older(batch: Batch, payouts: Payouts) -> list[Batch]:
    before, _ = payouts.page(_UNFINISHED_LOOKED_AT, batch.id)
    return [other for other in before if other.status != "settled"]


def _send(
    batch: Batch,
    stored: Iterable[Line],
    payouts: Payouts,
    ledger: Ledger,
    payees: Payees,
    *,
    channel: Channel,
    clock: Clock,
    enough_time: EnoughTime,
) -> tuple[bool, Iterable[Line] | None]:
    """Send what is pending of the lines. Whether nothing is left, and the lines as they are then, unless another step
    has decided some meanwhile."""
    left, met = 0, False
    lines: list[Line] = []

    def pending() -> Iterator[Line]:
        for line in stored:
            if line.status == "pending":
                yield line
            else:
                lines.append(line)

    for read in _chunks(pending(), _READ_AT_ONCE):
        now = clock.now()
        known = payees([line.member for line in read], now)
        before, waiting = figures_before(batch, read, known, payouts)
        left += len(waiting)
        block = [line for line in read if line.number not in waiting]
        cashier = _Cashier(batch, channel, known, before, now)
        open_attempts = _open_attempts(batch, block, payouts=payouts, channel=channel)
        for chunk in _chunks(block, CHUNK):
            if not enough_time():
                return False, None
            for line in chunk:
                if line.member in open_attempts:
                    cashier.leave_out(line, "attempt_open")
            wanted = [line for line in chunk if line.member not in open_attempts and cashier.takes(line, line.listed)]
            # A retry that is asked for now may add a line to a person, and so to the tax of his other accounts.
            shared = any(known[line.member].siblings for line in wanted)
            sent = []
            for _ in range(_SHRINKS):
                ready = [cashier.sized[line.number] for line in wanted]
                refused = payouts.claim(ready, unchanged=batch if shared else None) if ready else ()
                numbers = {line.number for line in refused}
                sent += [line for line in ready if line.number not in numbers]
                again = _still_pending(batch, [line for line in wanted if line.number in numbers], payouts)
                met = met or len(again) < len(refused)
                wanted = _shrunk(again, cashier, ledger)
                if not wanted:
                    break
            left += len(wanted)
            out = cashier.drain()
            met = bool(payouts.drop(out)) or met
            lines += [*sent, *out]
            payouts.record(batch.id, channel.transfer(sent) if sent else ())
    return left == 0, None if met else lines


def _still_pending(batch: Batch, refused: Sequence[Line], payouts: Payouts) -> list[Line]:
    """Those of the lines that nobody has decided meanwhile."""
    if not refused:
        return []
    stored = payouts.find_lines(batch.id, [line.number for line in refused])
    return [line for line in refused if stored[line.number].status == "pending"]


def _shrunk(refused: Sequence[Line], cashier: "_Cashier", ledger: Ledger) -> list[Line]:
    """Those of the lines that can be tried again with what their members have by now."""
    if not refused:
        return []
    have = ledger.balances([line.member for line in refused])
    nothing = Balance("", 0)
    return [line for line in refused if cashier.takes(line, have.get(line.member, nothing).available)]


def _open_attempts(batch: Batch, lines: Sequence[Line], *, payouts: Payouts, channel: Channel) -> set[str]:
    """Members whose earlier attempt, asked about once more, is not known to have failed."""
    again = [line for line in lines if line.attempt > 1]
    if not again:
        return set()
    numbers = {transfer_number(line.member, batch.period, line.attempt - 1) for line in again}
    earlier = list(payouts.find_lines(batch.id, numbers).values())
    payouts.record(batch.id, channel.ask(earlier))
    said = payouts.answers(batch.id)
    return {line.member for line in earlier if not _returned_by(batch.rules.channel, said.get(line.number, ()))}


class _Cashier:
    """Decides what each line of a block pays out, and which are left out."""

    def __init__(
        self,
        batch: Batch,
        channel: Channel,
        known: Mapping[str, Payee],
        before: Mapping[str, TaxToDate],
        now: datetime,
    ) -> None:
        self._batch = batch
        self._channel = channel
        self._known = known
        self._before = before
        self._now = now
        self._table = next(table for table in TABLES if table.id == batch.rules.tax_table)
        self.sized: dict[str, Line] = {}
        self._left_out: list[Line] = []

    def takes(self, line: Line, available: Fen) -> bool:
        """Whether the line can be sent, its amounts then in `sized`. It pays at most what was listed, never more."""
        payee = self._known.get(line.member)
        reason: DropReason | None = refusal(payee, Balance(line.member, available))
        if reason is None and available == 0:
            reason = "nothing_left"
        if reason is not None or payee is None:
            return self.leave_out(line, reason or "erased")
        rules, gross = self._batch.rules, min(line.listed, available)
        before, month = self._before.get(line.number), self._batch.period.month
        tax, after = withhold(self._table, month, gross, before, carry_over_gap=rules.carry_over_gap)
        if gross - tax < max(rules.channel_minimum, 1):
            return self.leave_out(line, "under_channel_minimum")
        reason = self._channel.refusal(payee.account, payee.name, gross - tax)
        if reason is not None:
            return self.leave_out(line, reason)
        self.sized[line.number] = replace(
            line,
            status="sent",
            gross=gross,
            tax=tax,
            net=gross - tax,
            name=payee.name,
            account=payee.account,
            person=payee.person,
            id_number=payee.id_number,
            tax_table=self._table.id,
            before=at_month_start(before, month, carry_over_gap=rules.carry_over_gap),
            after=after,
            sent_at=self._now,
        )
        return True

    def leave_out(self, line: Line, reason: DropReason) -> bool:
        """Drop it; always False."""
        self._left_out.append(dropped(line, reason, self._now))
        return False

    def drain(self) -> list[Line]:
        """The lines left out since this was last asked."""
        found, self._left_out = self._left_out, []
        return found


def _handed_over(
    batch: Batch, lines: Iterable[Line] | None, *, payouts: Payouts, channel: Channel, files: Files, clock: Clock
) -> Batch:
    """Write what the channel is to be given; the same bytes if this is a repeat, since sent amounts never change."""
    if lines is None:
        lines = payouts.lines(batch.id)
    document = channel.document(batch, sorted((line for line in lines if line.gross), key=lambda line: line.member))
    if document is not None:
        file = written(batch, document)
        files.put_once(file.key, document)
        batch = replace(batch, transfers=(file,))
    return payouts.replace(replace(batch, status="sending", sent_at=clock.now()))


def _ask(
    batch: Batch, *, payouts: Payouts, channel: Channel, clock: Clock, enough_time: EnoughTime, part: str = ""
) -> None:
    """Ask the channel about every line that is not known to be paid, and keep what it says.

    A line it says nothing about is handed over again, number and parameters unchanged. One that came back is asked
    about too: what was paid late has to be known before the books are compared. A batch that is taken in parts is asked
    about in parts alone.
    """
    if batch.spread_at is not None and not part:
        return
    said = payouts.answers(batch.id, part)
    asked = [
        line
        for line in payouts.lines(batch.id, part)
        if line.status in RETURNED or (line.status in IN_FLIGHT and not _final_word(said.get(line.number, ())))
    ]
    now = clock.now()
    # Steps that run out of time begin elsewhere each time, so that no line waits for ever.
    begin = int(now.timestamp()) % len(asked) if asked else 0
    for chunk in _chunks(asked[begin:] + asked[:begin], CHUNK):
        if not enough_time():
            return
        late = [line for line in chunk if line.status == "waiting_user" and _overdue(line, now)]
        rest = [line for line in chunk if line not in late]
        answers = [*channel.ask(rest), *(channel.cancel(late) if late else ())]
        payouts.record(batch.id, answers)
        told = {answer.number: answer for answer in answers}
        silent = [line for line in rest if line.status in IN_FLIGHT and _to_hand_over(line, told.get(line.number))]
        if silent:
            payouts.record(batch.id, channel.transfer(silent))


def _overdue(line: Line, now: datetime) -> bool:
    return line.sent_at is not None and now - line.sent_at >= CANCEL_AFTER


def _to_hand_over(line: Line, answer: Answer | None) -> bool:
    """Whether handing the line over again may tell more: the channel knows nothing, or owes what the payee needs."""
    return answer is None or (answer.result == "waiting_user" and not (answer.confirmation or line.confirmation))


def _apply_answers(batch: Batch, *, payouts: Payouts, enough_time: EnoughTime) -> bool:
    """Apply to each line in flight the first final word on it; whether it came to the end.

    Every chunk that is applied ends lines, so a step that ran out of time leaves less to the next.
    """
    in_flight = [line for line in payouts.lines(batch.id) if line.status in IN_FLIGHT]
    said = dict(payouts.answers(batch.id))
    for chunk in _chunks((line for line in in_flight if _changes(line, said, batch)), CHUNK):
        if not enough_time():
            return False
        if batch.confirmed_at is not None and batch.confirmed_by is not None:
            unanswered = [line.number for line in chunk if not _final_word(said.get(line.number, ()))]
            confirmed = {
                number: Answer(number, "paid", batch.confirmed_at, batch.confirmed_by) for number in unanswered
            }
            payouts.record(batch.id, list(confirmed.values()))
            said |= {number: (*said.get(number, ()), answer) for number, answer in confirmed.items()}
        payouts.finish([_after(line, said[line.number]) for line in chunk])
    return True


def _changes(line: Line, said: Mapping[str, Sequence[Answer]], batch: Batch) -> bool:
    """Whether there is something to do for a line in flight."""
    return batch.confirmed_at is not None or _after(line, said.get(line.number, ())) != line


def _waits(answers: Sequence[Answer]) -> bool:
    return bool(answers) and answers[-1].result == "waiting_user"


def _final_word(answers: Iterable[Answer]) -> bool:
    return any(answer.result != "waiting_user" for answer in answers)


def _after(line: Line, answers: Iterable[Answer]) -> Line:
    for answer in answers:
        line = answered(line, answer)
    return line


class _Books(msgspec.Struct, frozen=True):
    """The three books of a batch, as they were read at one moment: lines by number."""

    lines: Sequence[Line]
    bookings: Mapping[str, Booking]
    postings: Sequence[LedgerLine]
    answers: Mapping[str, Sequence[Answer]]


def _books(batch: Batch, lines: Iterable[Line], payouts: Payouts, ledger: Ledger) -> _Books:
    ordered = sorted(lines, key=lambda line: line.number)
    return _Books(ordered, *ledger.bookings(ordered), payouts.answers(batch.id))


def _closed(batch: Batch, *, payouts: Payouts, ledger: Ledger, clock: Clock) -> tuple[Batch, _Books | None]:
    """Compare the three books once every line is final; with the batch, the books that agree. If they differ the batch
    stays as it is, with what differs."""
    lines = list(payouts.lines(batch.id))
    if not all(line.final for line in lines):
        return batch, None
    read = _books(batch, lines, payouts, ledger)
    books = reconcile(read.lines, read.bookings, read.answers)
    kept = replace(books, differences=books.differences[:_DIFFERENCES_KEPT])
    if books.closes:
        # Not before the last answer, whatever other machines' clocks say: reports tell by it what was said later.
        last = max((answer.received_at for said in read.answers.values() for answer in said), default=batch.opened_at)
        return payouts.replace(replace(batch, books=kept, closed_at=max(clock.now(), last))), read
    return batch if kept == batch.books else payouts.replace(replace(batch, books=kept)), None


def compared(batch: Batch, *, payouts: Payouts, ledger: Ledger) -> tuple[Reconciliation, int]:
    """The three books of a batch as they are at this moment, and how many of its lines are not sent yet."""
    lines = sorted(payouts.lines(batch.id), key=lambda line: line.number)
    sent = [line for line in lines if line.status != "pending"]
    bookings, _ = ledger.bookings(sent)
    return reconcile(sent, bookings, payouts.answers(batch.id)), len(lines) - len(sent)


def report_of(batch: Batch, *, brand: str, payouts: Payouts, ledger: Ledger, books: _Books | None = None) -> Report:
    """What is printed about a batch: the same today and in a year, whatever is answered once it has closed. Raises
    ValueError for one that has not.

    `books`: those that closed it, if they were read just now.
    """
    if books is None:
        books = _books(batch, payouts.lines(batch.id), payouts, ledger)
        books = replace(books, answers=_until(batch.closed_at, books.answers))
    members = sorted({line.member for line in books.lines})
    postings = ledger.statements(members, batch.since, batch.opened_at)
    return assemble(
        brand=brand,
        batch=batch,
        lines=books.lines,
        bookings=books.bookings,
        answers=books.answers,
        postings=chain(postings, books.postings),
    )


def _until(closed_at: datetime | None, said: Mapping[str, Sequence[Answer]]) -> Mapping[str, Sequence[Answer]]:
    """What was answered by then."""
    if closed_at is None:
        return said
    return {
        number: before
        for number, answers in said.items()
        if (before := tuple(answer for answer in answers if answer.received_at <= closed_at))
    }


def _settled(
    batch: Batch, report: Report, *, payouts: Payouts, files: Files, writers: Sequence[Writer], clock: Clock
) -> Batch:
    reports = []
    for write in writers:
        document = write(report)
        file = written(batch, document)
        files.put_once(file.key, document)
        reports.append(file)
    return payouts.replace(replace(batch, status="settled", settled_at=clock.now(), reports=tuple(reports)))


def _chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(values)
    while chunk := list(islice(source, size)):
        yield chunk
