"""Sending the lines of a batch: each claims its money and is submitted to the channel.

Money moves from available to paying when its line is sent. A line whose member has less by now is reduced; one that
cannot be paid is dropped.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.payouts.lines import RETURNED, Line, transfer_number
from cardstock.payouts.model import Batch, Stage, moved, written
from cardstock.payouts.needs import Pause, StepNeeds, chunks
from cardstock.payouts.parts import give_parts_to_map
from cardstock.payouts.payees import Balance, Payee
from cardstock.payouts.periods import Period
from cardstock.payouts.ports import CHUNK, Channel
from cardstock.payouts.settling import settle_answered
from cardstock.payouts.sizing import LineSizing
from cardstock.payouts.targets import find_payees
from cardstock.payouts.tax.months import TaxedMonth, taxed_month
from cardstock.payouts.tax.to_date import figures_before, person_of
from cardstock.payouts.transfer_answers import returned_by_channel

_READ_AT_ONCE: Final = 3 * CHUNK
"""Number of payees read at once: DynamoDB returns a hundred items in one call."""
_SHRINKS: Final = 5


def send_lines(needs: StepNeeds, batch: Batch, lines: Iterable[Line]) -> Batch | Pause:
    """Send the pending lines, write the channel's file, and apply the channel's immediate answers."""
    batch = give_parts_to_map(needs, batch)
    if needs.payout_map is not None and batch.stage == "sending_parts":
        return "wait"  # The payout map requests a step after all parts.
    channel = needs.channel(batch.rules.channel)
    run = _Run(needs, batch, channel)
    if not run.send(lines) or run.left:
        if batch.stage == "approved":
            needs.payouts.replace_batch(moved(batch, "sending"))
        return "again"
    batch = _hand_over(needs, batch, channel, run.lines)
    return "wait" if batch.stage == "with_bank" else settle_answered(needs, batch, ())


def send_part(needs: StepNeeds, batch: Batch, part: str) -> bool:
    """Send the pending lines of one part; return whether time was up."""
    channel = needs.channel(batch.rules.channel)
    _Run(needs, batch, channel).send(needs.payouts.lines_of_batch(batch.id, part))
    return not needs.enough_time()


class _Run:
    """One step's run over the lines of a batch."""

    def __init__(self, needs: StepNeeds, batch: Batch, channel: Channel) -> None:
        self._needs = needs
        self._batch = batch
        self._channel = channel
        self._decided: list[Line] = []
        self._met = False
        self._taxed: TaxedMonth | None = None
        self.left = 0
        """Lines that stay pending: they wait for another line of their person, or were reduced too often."""

    @property
    def lines(self) -> Sequence[Line] | None:
        """All lines after the run; None if another step decided some of them meanwhile."""
        return None if self._met else self._decided

    def send(self, lines: Iterable[Line]) -> bool:
        """Send the pending ones of the lines; return whether there was time for all."""
        for read in chunks(self._pending(lines), _READ_AT_ONCE):
            block = self._prepare(read)
            for chunk in chunks(block.lines, CHUNK):
                if not self._needs.enough_time():
                    return False
                self._send_chunk(block, chunk)
        return True

    def _pending(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            if line.status == "pending":
                yield line
            else:
                self._decided.append(line)

    def _prepare(self, read: Sequence[Line]) -> "_Block":
        now = clock.now()
        known = find_payees(
            self._batch,
            [line.member for line in read],
            now,
            payees=self._needs.payees,
            bank_targets=self._needs.bank_targets,
        )
        taxed = self._taxed_at(now)
        before, waiting = figures_before(taxed, read, known, self._needs.payouts)
        self.left += len(waiting)
        lines = [line for line in read if line.number not in waiting]
        return _Block(
            lines=lines,
            sizing=LineSizing(taxed, self._channel, known, before),
            open_attempts=self._open_attempts(lines),
            disputed=self._disputed(lines, known),
            shared=frozenset(member for member, payee in known.items() if payee.siblings),
        )

    def _taxed_at(self, now: datetime) -> TaxedMonth:
        """The month whose income the lines of a block are. The other batches are read once a run."""
        if self._taxed is None or Period.of(self._taxed.now) != Period.of(now):
            self._taxed = taxed_month(self._batch, now, self._needs.payouts)
        return replace(self._taxed, now=now)

    def _open_attempts(self, lines: Sequence[Line]) -> frozenset[str]:
        """Members whose earlier attempt is not known to have failed, after asking the channel again."""
        again = [line for line in lines if line.attempt > 1]
        if not again:
            return frozenset()
        batch, payouts = self._batch, self._needs.payouts
        numbers = {transfer_number(line.member, batch.period, line.attempt - 1) for line in again}
        earlier = list(payouts.find_lines(batch.id, numbers).values())
        payouts.record_answers(batch.id, self._channel.ask(earlier))
        answers = payouts.find_answers(batch.id, numbers)
        return frozenset(
            line.member
            for line in earlier
            if line.status not in RETURNED or not returned_by_channel(batch, answers.get(line.number, ()))
        )

    def _disputed(self, lines: Sequence[Line], known: Mapping[str, Payee]) -> frozenset[str]:
        """Members who must not be paid until people have said what happened to an earlier transfer, listed or not.
        Read again for each block: a big batch is sent for minutes."""
        found = self._needs.payouts.disputed_members()
        return frozenset(line.member for line in lines if not found.isdisjoint(person_of(line.member, known)))

    def _send_chunk(self, block: "_Block", chunk: Sequence[Line]) -> None:
        """Claim the money of a chunk's lines, drop those that cannot be paid, and submit the others to the channel."""
        payouts, sizing = self._needs.payouts, block.sizing
        sent = self._claim(block, [line for line in chunk if block.size(line)])
        out = sizing.take_dropped()
        self._met = bool(payouts.drop_lines(out)) or self._met
        self._decided += [*sent, *out]
        payouts.record_answers(self._batch.id, self._channel.transfer(sent) if sent else ())

    def _claim(self, block: "_Block", ready: Sequence[Line]) -> list[Line]:
        """The lines whose money was claimed. One whose member has less by now is sized again and claimed once more."""
        payouts, sizing = self._needs.payouts, block.sizing
        # A concurrent retry may add a line to a person, which changes the tax of the person's other members.
        unchanged = self._batch if any(line.member in block.shared for line in ready) else None
        sent: list[Line] = []
        for _ in range(_SHRINKS):
            if not ready:
                break
            sized = [sizing.sized[line.number] for line in ready]
            refused = {line.number for line in payouts.claim_lines(sized, unchanged=unchanged)}
            sent += [line for line in sized if line.number not in refused]
            still = self._still_pending([line for line in ready if line.number in refused])
            self._met = self._met or len(still) < len(refused)
            ready = self._size_again(sizing, still)
        self.left += len(ready)
        return sent

    def _still_pending(self, refused: Sequence[Line]) -> list[Line]:
        """The lines that no other step has decided meanwhile."""
        if not refused:
            return []
        stored = self._needs.payouts.find_lines(self._batch.id, [line.number for line in refused])
        return [line for line in refused if stored[line.number].status == "pending"]

    def _size_again(self, sizing: LineSizing, refused: Sequence[Line]) -> list[Line]:
        """The lines that can be sent with their members' present balances."""
        if not refused:
            return []
        have = self._needs.ledger.balances([line.member for line in refused])
        nothing = Balance("", 0)
        return [line for line in refused if sizing.size(line, have.get(line.member, nothing).available)]


class _Block(msgspec.Struct, frozen=True):
    """Lines whose payees were read together."""

    lines: Sequence[Line]
    sizing: LineSizing
    open_attempts: frozenset[str]
    disputed: frozenset[str]
    """Members whose person has a transfer with contradicting results."""
    shared: frozenset[str]
    """Members whose person has other members."""

    def size(self, line: Line) -> bool:
        """Whether the line can be sent with all that it can pay."""
        if line.member in self.disputed:
            return self.sizing.drop(line, "disputed")
        if line.member in self.open_attempts:
            return self.sizing.drop(line, "attempt_open")
        return self.sizing.size(line, line.limit)


def _hand_over(needs: StepNeeds, batch: Batch, channel: Channel, lines: Sequence[Line] | None) -> Batch:
    """Write the channel's file, if it takes one. A repeat writes the same bytes, since sent amounts never change."""
    if lines is None:
        lines = list(needs.payouts.lines_of_batch(batch.id))
    document = channel.document(batch, sorted((line for line in lines if line.gross), key=lambda line: line.member))
    stage: Stage = "asking_parts" if batch.stage == "sending_parts" else "asking"
    transfers = batch.transfers
    if document is not None:
        file = written(batch, document)
        needs.files.put_once(file.key, document)
        stage, transfers = "with_bank", (file,)
    return needs.payouts.replace_batch(moved(batch, stage, transfers=transfers, sent_at=clock.now()))
