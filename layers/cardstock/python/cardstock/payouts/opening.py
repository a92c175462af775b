"""Opening a month's batch, by the schedule or by a person."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import msgspec

from cardstock import clock
from cardstock.ids import RequestResult
from cardstock.payouts import errors
from cardstock.payouts.model import SCHEDULE_ACTOR, Batch, Rules
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.ports import Payouts

_LAST_NIGHT: Final = timedelta(hours=3)
"""When the schedule opens payouts."""


class Opener(msgspec.Struct, frozen=True):
    """Who opens a batch: the id and the name of a key. The schedule's name is empty."""

    id: str
    name: str = ""


def open_batch(period: Period, opener: Opener, rules: Rules, payouts: Payouts) -> Batch:
    """The batch of a period, opened now unless it exists. `list_payees` finds its members.

    Raises `RefusedError` (PERIOD_NOT_OVER): more may still be earned in the month.
    """
    now = clock.now()
    if period.ends > now:
        raise errors.PERIOD_NOT_OVER(period=period.key)
    previous, _ = payouts.batch_page(1, batch_id(period))
    return payouts.open_batch(
        Batch(
            id=batch_id(period),
            period=period,
            stage="listing",
            rules=rules,
            opened_by=opener.id,
            opener=opener.name,
            opened_at=now,
            since=previous[0].opened_at if previous else None,
        )
    )


def open_by_schedule(period: Period, rules: Callable[[Period], Rules], payouts: Payouts) -> Batch:
    """The batch of a period, opened now by a tick of the schedule unless it exists.

    A tick that comes a month late opens nothing: the money of today is not that month's, as `open_by_hand` says. Raises
    `RefusedError` (PERIOD_NOT_OVER, PERIOD_PAST), and what `rules` raises.
    """
    known = payouts.find_batch(batch_id(period))
    if known is not None:
        return known
    if period.starts < Period.before(clock.now()).starts:
        raise errors.PERIOD_PAST(period=period.key)
    return open_batch(period, Opener(SCHEDULE_ACTOR), rules(period), payouts)


def open_by_hand(
    month: str, opener: Opener, rules: Callable[[Period], Rules], keep: Callable[[str], bool], payouts: Payouts
) -> RequestResult[Batch]:
    """The batch of a period, opened now by a person unless it exists.

    Only the last ended month can be opened: today's money is no older month's. The releases and dividends
    of its last night must be booked first, or they would wait for the next month. `keep` stores the request, and
    refuses one that was used for another period. Raises `InvalidError` for an invalid month, `RefusedError`
    (PERIOD_NOT_OVER, PERIOD_PAST), and what `rules` and `keep` raise.
    """
    period = Period(month)
    known = payouts.find_batch(batch_id(period))
    if known is not None:
        return RequestResult(known, replayed=keep(known.id))
    now = clock.now()
    if period.ends + _LAST_NIGHT > now:
        raise errors.PERIOD_NOT_OVER(period=period.key)
    if period != Period.before(now):
        raise errors.PERIOD_PAST(period=period.key)
    configured = rules(period)
    replayed = keep(batch_id(period))
    return RequestResult(open_batch(period, opener, configured, payouts), replayed)
