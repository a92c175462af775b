"""Payouts, where they meet plans and partners: the rules of a new batch, and its events."""

from typing import Final

import msgspec

from cardstock.clock import rfc3339
from cardstock.flows.announcing import Announcements, event
from cardstock.network.plan import Plan
from cardstock.payouts.listing import LISTED
from cardstock.payouts.model import Batch, Period, Rules
from cardstock.payouts.tax.tables import table_for

_SMALLEST_LISTED: Final = 1
"""A member without money is not listed, whatever a plan says."""


class PayoutSettings(msgspec.Struct, frozen=True):
    """How the brand pays out. `channel_minimum` is the channel's own."""

    channel: str
    channel_minimum: int
    tax_method: str
    carry_over_gap: bool


def payout_rules(period: Period, plan: Plan, settings: PayoutSettings) -> Rules:
    """The rules of a period's batch: the minimum of the plan in force, and the tax table that holds in the period.

    Raises `RefusedError` (TAX_TABLE_MISSING).
    """
    table = table_for(settings.tax_method, period.month)
    return Rules(
        minimum=max(plan.payout_minimum, _SMALLEST_LISTED),
        channel=settings.channel,
        channel_minimum=settings.channel_minimum,
        tax_method=table.method,
        tax_table=table.id,
        carry_over_gap=settings.carry_over_gap,
    )


def announce_payout(announcements: Announcements, kind: str, batch: Batch) -> None:
    """`payout.opened` once everybody is listed, `payout.settled` with the hashes of the files. No member is named."""
    data: dict[str, object] = {"payout_id": batch.id, "period": batch.period.key, "status": batch.status}
    if kind == LISTED:
        at = batch.listed_at or batch.opened_at
        data |= {"lines": batch.listed, "listed_fen": batch.listed_amount}
    else:
        at = batch.settled_at or batch.opened_at
        books = batch.books.batch if batch.books is not None else None
        if books is not None:
            data |= {"lines": books.count, "paid_fen": books.paid, "tax_fen": books.tax, "returned_fen": books.returned}
        data["closed_at"] = rfc3339(batch.closed_at or at)
        data["files"] = [{"name": file.name, "sha256": file.sha256} for file in (*batch.transfers, *batch.reports)]
    announcements.send([event(kind, batch.id, at, data)])
