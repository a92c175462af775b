"""Limits of routes: what a verb does for a caller is counted before it is done."""

from cardstock import clock
from cardstock.edge.observability import count, logger
from cardstock.errors import UnavailableError
from cardstock.limits import Counts, Use


def count_use(use: Use, *, counts: Counts) -> None:
    """Count a use. Raises `ThrottledError` (TOO_MANY).

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
