"""Schedule: repays what closed accounts owe from the same persons' new accounts, and names what nobody can repay."""

from datetime import datetime
from typing import Any

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.flows.closed_debts_wiring import debt_needs


class NotSettledError(Exception):
    """The debts of some accounts could not be looked at. They are tried again the next night."""


def run(scheduled_at: datetime, deadline: schedule.Deadline) -> dict[str, Any]:
    """Go on with every debt of a closed account. Raises `NotSettledError` after the last one if some failed."""
    from cardstock.flows import closed_debts  # with the first tick, not at the start

    night = closed_debts.settle_debts(
        min(scheduled_at, clock.now()),
        debt_needs(),
        time_left=deadline.time_left,
        on_failure=lambda member_id: logger.exception("debt not settled", member_id=member_id),
    )
    if not night.finished:
        count("DebtsUnfinished")
    if night.failed:
        raise NotSettledError(f"{len(night.failed)} accounts, the first {night.failed[0]}")
    return {"repaid_fen": night.repaid, "owing": night.owing, "finished": night.finished}


handler = schedule.ticked(run, reserve_seconds=10)
connect()
