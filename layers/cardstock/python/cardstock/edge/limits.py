"""Limits of routes: a call of one is counted for its caller before it is carried out."""

from cardstock import clock
from cardstock.edge.observability import count, logger
from cardstock.errors import UnavailableError
from cardstock.limits import Counts, Use


def count_call(use: Use, *, counts: Counts) -> None:
    """Count the call. Raises `ThrottledError` (TOO_MANY).

    A store that does not count lets everybody through, which a metric counts: a limit protects a budget, and without
    the counters' store most calls fail anyway.
    """
    now = clock.now()
    try:
        counted = counts.count(use, now)
    except UnavailableError:
        logger.warning("call not counted", limit=use.limit.name)
        count("CallsUncounted")
        return
    if not counted:
        raise use.limit.refusal(now)
