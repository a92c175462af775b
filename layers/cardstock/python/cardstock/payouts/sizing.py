"""The amounts of each line: its gross and tax, or the reason why it is dropped."""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from cardstock.money import Fen
from cardstock.payouts.model import Balance, Batch, DropReason, Line, Payee, dropped
from cardstock.payouts.ports import Channel
from cardstock.payouts.targets import payee_refusal
from cardstock.payouts.tax.tables import TABLES, TaxToDate, at_month_start, withhold


class LineSizing:
    """The amounts of a block of lines, and its dropped lines.

    `known` has their payees, `before` their persons' tax figures by transfer number, both as of `now`.
    """

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
        self._dropped: list[Line] = []
        self.sized: dict[str, Line] = {}
        """Lines that can be sent, with their amounts, by transfer number."""

    def size(self, line: Line, available: Fen) -> bool:
        """Whether the line can be sent; its amounts are then in `sized`. It pays at most the listed amount."""
        payee = self._known.get(line.member)
        reason: DropReason | None = payee_refusal(self._batch, payee, Balance(line.member, available))
        if reason is None and available == 0:
            reason = "nothing_left"
        if reason is not None or payee is None:
            return self.drop(line, reason or "erased")
        rules, gross = self._batch.rules, min(line.listed, available)
        before, month = self._before.get(line.number), self._batch.period.month
        tax, after = withhold(self._table, month, gross, before, carry_over_gap=rules.carry_over_gap)
        if gross - tax < max(rules.channel_minimum, 1):
            return self.drop(line, "under_channel_minimum")
        reason = self._channel.refusal(payee.account, payee.name, gross - tax)
        if reason is not None:
            return self.drop(line, reason)
        self.sized[line.number] = replace(
            line,
            status="sent",
            gross=gross,
            tax=tax,
            net=gross - tax,
            name=payee.name,
            account=payee.account if payee.bank is None else payee.bank.masked,
            bank=payee.bank,
            person=payee.person,
            id_number=payee.id_number,
            tax_table=self._table.id,
            before=at_month_start(before, month, carry_over_gap=rules.carry_over_gap),
            after=after,
            sent_at=self._now,
        )
        return True

    def drop(self, line: Line, reason: DropReason) -> bool:
        """Drop the line; always False."""
        self._dropped.append(dropped(line, reason, self._now))
        return False

    def take_dropped(self) -> list[Line]:
        """The lines dropped since the last call."""
        found, self._dropped = self._dropped, []
        return found
