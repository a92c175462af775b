"""Schedule: closes accounts whose members asked for it, once nothing is waited for any more."""

from datetime import datetime
from typing import Any

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.flows.closing_wiring import closing_needs


class NotClosedError(Exception):
    """Some accounts could not be closed. They are tried again the next night; a person should check them."""


def run(scheduled_at: datetime, deadline: schedule.Deadline) -> dict[str, Any]:
    """Go on with every closing that waits. Raises `NotClosedError` after the last one if some failed."""
    from cardstock.flows import nightly_closing  # with the first tick, not at the start

    night = nightly_closing.close_night(
        min(scheduled_at, clock.now()),
        closing_needs(),
        time_left=deadline.time_left,
        on_failure=lambda member_id: logger.exception("account not closed", member_id=member_id),
    )
    count("ClosingsLate", night.late)
    if night.failed:
        raise NotClosedError(f"{len(night.failed)} accounts, the first {night.failed[0]}")
    return {"closed": night.closed, "waiting": night.waiting, "late": night.late, "finished": night.finished}


# An account with a hundred orders takes some ten seconds.
handler = schedule.ticked(run, reserve_seconds=60)
connect()
