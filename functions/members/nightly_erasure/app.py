"""Schedule: erases what is kept of closed accounts, as far as no law and no open order keeps it."""

from datetime import datetime
from typing import Any

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.edge.observability import count, logger
from cardstock.flows import erasing_wiring


class NotErasedError(Exception):
    """Some accounts could not be erased. They are tried again the next night; a person should check them."""


def run(scheduled_at: datetime, deadline: schedule.Deadline) -> dict[str, Any]:
    """Go on with every erasure. Raises `NotErasedError` after the last one if some failed."""
    from cardstock.flows import erasing  # with the first tick, not at the start

    night = erasing.erase_night(
        min(scheduled_at, clock.now()),
        erasing_wiring.erasing_needs(),
        time_left=deadline.time_left,
        on_failure=lambda member_id: logger.exception("account not erased", member_id=member_id),
    )
    count("ErasuresLate", night.late)
    if night.failed:
        raise NotErasedError(f"{len(night.failed)} accounts, the first {night.failed[0]}")
    return {"erased": night.erased, "waiting": night.waiting, "late": night.late, "finished": night.finished}


# An account with a hundred orders takes some ten seconds.
handler = schedule.ticked(run, reserve_seconds=60)
connect()
