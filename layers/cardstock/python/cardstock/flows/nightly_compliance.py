"""The nightly compliance check: close the days' sales, and stop the payouts of subtrees that reach the law's size."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Final

import msgspec

from cardstock.compliance.alarms import raise_alarms
from cardstock.compliance.model import Alarm, OutsideShare
from cardstock.compliance.ports import Alarms, PurchaseLog
from cardstock.compliance.sales import close_day
from cardstock.compliance.subtrees import find_subtrees

_MEMBERS_BETWEEN: Final = 1_000
"""Members read between two checks of the time."""


class NightlyCheckNeeds(msgspec.Struct, frozen=True):
    """The ports of the nightly check. The two callables scan whole tables."""

    log: PurchaseLog
    alarms: Alarms
    all_referrers: Callable[[], Iterable[tuple[str, str]]]
    """Every member with a referrer, and the referrer."""
    all_earners: Callable[[], Iterable[str]]
    """Every member who has or had reward money."""


class NightlyCheck(msgspec.Struct, frozen=True):
    """Findings of one night. `alarms`: those that stop payouts. `members`: those with a referrer."""

    members: int
    share: OutsideShare
    alarms: tuple[Alarm, ...]


def check_network(today: date, needs: NightlyCheckNeeds, *, require_time: Callable[[], None]) -> NightlyCheck:
    """Close yesterday and, because a message about an order may come late, the day before again; then find subtrees. A
    repeat changes nothing. An exception from `require_time` ends the check before it stores anything.
    """
    referrers: dict[str, str] = {}
    for number, (member_id, referrer) in enumerate(needs.all_referrers()):
        if not number % _MEMBERS_BETWEEN:
            require_time()
        referrers[member_id] = referrer
    earners = list(needs.all_earners())
    promoters = frozenset(referrers.values())
    close_day(today - timedelta(days=2), promoters, log=needs.log, alarms=needs.alarms)
    share = close_day(today - timedelta(days=1), promoters, log=needs.log, alarms=needs.alarms)
    alarms = raise_alarms(find_subtrees(referrers, earners), alarms=needs.alarms)
    return NightlyCheck(len(referrers), share, alarms)
