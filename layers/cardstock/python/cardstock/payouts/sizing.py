"""The amounts of each line: its gross and tax, or the reason why it is dropped."""

from collections.abc import Mapping

from msgspec.structs import replace

from cardstock.money import Fen
from cardstock.payouts.lines import Line, dropped
from cardstock.payouts.payees import Balance, DropReason, Payee
from cardstock.payouts.ports import Channel
from cardstock.payouts.targets import payee_refusal
from cardstock.payouts.tax.months import TaxedMonth
from cardstock.payouts.tax.tables import in_month, withhold
from cardstock.payouts.tax.to_date import NOTHING, FiguresBefore


class LineSizing:
    """The amounts of a block of lines, and its dropped lines.

    `known` has their payees, `before` their persons' tax figures by transfer number, both as of the moment of `taxed`.
    """

    def __init__(
        self, taxed: TaxedMonth, channel: Channel, known: Mapping[str, Payee], before: Mapping[str, FiguresBefore]
    ) -> None:
        self._taxed = taxed
        self._batch = taxed.batch
        self._channel = channel
        self._known = known
        self._before = before
        self._table = taxed.table
        self._dropped: list[Line] = []
        self.sized: dict[str, Line] = {}
        """Lines that can be sent, with their amounts, by transfer number."""

    def size(self, line: Line, available: Fen) -> bool:
        """Whether the line can be sent; its amounts are then in `sized`. It pays at most its limit."""
        payee = self._known.get(line.member)
        reason: DropReason | None = payee_refusal(self._batch, payee, Balance(line.member, available))
        if reason is None and available == 0:
            reason = "nothing_left"
        if reason is not None or payee is None:
            return self.drop(line, reason or "erased")
        rules, gross = self._batch.rules, min(line.limit, available)
        before, month, carry = self._before.get(line.number, NOTHING), self._taxed.month.month, rules.carry_over_gap
        tax, after = withhold(self._table, month, gross, before.line, carry_over_gap=carry)
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
            before=in_month(before.batch, month, carry_over_gap=carry),
            after=after,
            tax_month=self._taxed.month.key,
            sent_at=self._taxed.now,
        )
        return True

    def drop(self, line: Line, reason: DropReason) -> bool:
        """Drop the line; always False."""
        self._dropped.append(dropped(line, reason, self._taxed.now))
        return False

    def take_dropped(self) -> list[Line]:
        """The lines dropped since the last call."""
        found, self._dropped = self._dropped, []
        return found
