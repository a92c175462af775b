"""Approving a batch, by another person than the one who opened it."""

from collections.abc import Callable, Iterator

import msgspec

from cardstock import clock
from cardstock.approving import Confirm, MoneyStep
from cardstock.errors import Pointer
from cardstock.ids import RequestKey, RequestResult
from cardstock.money import Fen
from cardstock.payouts import errors
from cardstock.payouts.model import SCHEDULE_ACTOR, Batch, moved
from cardstock.payouts.ports import Payouts
from cardstock.payouts.reading import existing_batch


class Approval(msgspec.Struct, frozen=True):
    """Who approves a batch: the id and the name of a person; the name and the note are kept for the report."""

    approver: str
    name: str
    note: str | None
    lines: int
    """How many lines the approver has seen."""
    listed: Fen
    """Their sum."""
    can_approve: Callable[[str], bool]
    """Whether `approver` may approve what the given person opened."""
    confirm: Confirm
    """Asks the phone of `approver`."""


def approve_batch(payout_id: str, approval: Approval, request: RequestKey, payouts: Payouts) -> RequestResult[Batch]:
    """The approved batch.

    The approver's phone has confirmed this version of the batch with its sum and count of lines. Raises
    `NotFoundError`, `RefusedError` (APPROVER_OPENED_IT), `ConflictError` (PAYOUT_STILL_OPENING; PAYOUT_TOTALS_DIFFER if
    the approver has seen another count or sum), and what `confirm` raises.
    """
    batch = existing_batch(payout_id, payouts)
    if batch.status != "open":
        payouts.check_reuse(request)
        return RequestResult(batch, replayed=True)
    if batch.opened_by != SCHEDULE_ACTOR and not approval.can_approve(batch.opened_by):
        raise errors.APPROVER_OPENED_IT()
    if batch.stage != "listed":
        raise errors.PAYOUT_STILL_OPENING()
    if wrong := tuple(_differing_totals(batch, approval)):
        raise errors.PAYOUT_TOTALS_DIFFER(pointers=wrong, lines=batch.listed, listed_fen=batch.listed_amount)
    step = MoneyStep("approve_payout", batch.id, str(batch.version), batch.listed_amount, batch.listed)
    use = approval.confirm(step)
    approved = moved(
        batch,
        "approved",
        approved_by=approval.approver,
        approver=approval.name,
        approved_at=clock.now(),
        note=approval.note,
    )
    return RequestResult(payouts.approve_batch(approved, request, use), replayed=False)


def _differing_totals(batch: Batch, approval: Approval) -> Iterator[Pointer]:
    if approval.lines != batch.listed:
        yield errors.differing("/lines", "COUNT_DIFFERS", approval.lines, batch.listed)
    if approval.listed != batch.listed_amount:
        yield errors.differing("/listed_fen", "SUM_DIFFERS", approval.listed, batch.listed_amount)
