"""The month whose income a payment is, and the batches that have payments of a month.

Withholding begins with paying: who pays remuneration withholds, and files in the month after the one in which the tax
was withheld (State Taxation Administration announcement 2018 No. 61, articles 2 and 3); the allowance of announcement
2025 No. 16 counts the months in which remuneration was received (article 1). So `paid` is the default: a line is
income of the month in which it is sent. `earned` makes it income of the batch's month. An accountant confirms which.

Sending decides, not the bank's answer: the tax has to be known before the money leaves, and stays what it was. The
month is kept with the line, so a later change of the setting moves nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from cardstock.payouts.model import Batch, taxed_within
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.ports import Payouts
from cardstock.payouts.tax.tables import TABLES, TaxTable, table_for

_BATCHES_LOOKED_AT: Final = 24


class TaxedMonth(msgspec.Struct, frozen=True):
    """The month whose income the lines of a batch are if they are sent at `now`.

    `others` are the other batches, of the last two years, that may have lines of this month or of an earlier one of its
    year. `corrected` are the members of whom people have corrected a payment since that year began; empty under a
    monthly method.
    """

    batch: Batch
    month: Period
    now: datetime
    others: Sequence[Batch] = ()
    corrected: frozenset[str] = frozenset()

    @property
    def table(self) -> TaxTable:
        """The tax table of the lines. Raises `RefusedError` (TAX_TABLE_MISSING) if there is none any more."""
        rules = self.batch.rules
        if rules.tax_month == "paid":
            return table_for(rules.tax_method, self.month.month)
        return next(table for table in TABLES if table.id == rules.tax_table)

    def with_lines_in(self, month: Period) -> list[Batch]:
        """The other batches that may have lines of a month."""
        return [batch for batch in self.others if taxed_within(batch, month, month, self.now)]


def taxed_month(batch: Batch, now: datetime, payouts: Payouts) -> TaxedMonth:
    """The month of a batch's lines that are sent at `now`. One call, and two more under the cumulative method."""
    month = Period.of(now) if batch.rules.tax_month == "paid" else batch.period
    # A batch is opened when its period is over, and its id follows from the period: no list has to be read.
    periods = [Period.before(now)]
    while len(periods) < _BATCHES_LOOKED_AT:
        periods.append(Period.before(periods[-1].starts))
    recent = payouts.find_batches(map(batch_id, periods))
    january = Period(f"{month.month.year}-01")
    others = [other for other in recent if other.id != batch.id and taxed_within(other, january, month, now)]
    corrected: frozenset[str] = frozenset()
    if batch.rules.tax_method == "platform":
        begins = Period(f"{month.month.year - 1}-12").ends
        # To the end of the day: what is corrected gets a time after its batch was closed, even if clocks differ.
        lines = payouts.corrected_lines(begins, now + timedelta(days=1))
        corrected = frozenset(line.member for line in lines)
    return TaxedMonth(batch, month, now, others, corrected)
