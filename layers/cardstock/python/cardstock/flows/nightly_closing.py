"""Closing the accounts whose members asked for it and had to wait.

A request stays until its account is closed. What it waits for is looked at each night: money that moves, orders,
refunds and debts that were opened meanwhile, a sum given up that is another one by now.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from cardstock import clock
from cardstock.flows.closing import ClosingNeeds, go_on

LATE: Final = timedelta(days=60)
"""How long an account may wait before people must look: a return window with its freeze, then the next month's payout,
and a week for that."""


class ClosingNight(msgspec.Struct, frozen=True):
    """Numbers of accounts in one night. `late` are those that have waited for more than `LATE` and still do, `failed`
    those that raised. Not `finished`: the time was up, and the next night continues."""

    closed: int
    waiting: int
    late: int
    failed: tuple[str, ...]
    finished: bool


def close_night(
    now: datetime, needs: ClosingNeeds, *, time_left: Callable[[], bool], on_failure: Callable[[str], None]
) -> ClosingNight:
    """Close every account that waits and can be closed. An account that raises does not stop the others: `on_failure`
    is called with its id while the error is handled."""
    closed = waiting = late = 0
    failed: list[str] = []
    members = list(needs.requests.waiting_members())
    # Shuffled, so that accounts whose channel hangs until the time is up do not block the same others each night.
    random.Random(int(clock.now().timestamp())).shuffle(members)  # noqa: S311 - not for security
    for member_id in members:
        if not time_left():
            return ClosingNight(closed, waiting, late, tuple(failed), finished=False)
        request = needs.requests.find_request(member_id)
        if request is None:
            continue
        try:
            done = go_on(request, needs)
        except Exception:  # any error of one account is reported, and the caller fails the run
            on_failure(member_id)
            failed.append(member_id)
            done = False
        else:
            closed, waiting = closed + done, waiting + (not done)
        late += not done and request.asked_at < now - LATE
    return ClosingNight(closed, waiting, late, tuple(failed), finished=True)
