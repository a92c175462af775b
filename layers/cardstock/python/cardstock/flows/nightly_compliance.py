"""The nightly compliance check: close the days' sales, then stop the payouts of subtrees that the law looks at."""

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
"""Members that are read between two looks at the time."""


class NightlyCheckNeeds(msgspec.Struct, frozen=True):
    """What the nightly check needs. The two callables scan whole tables."""

    log: PurchaseLog
    alarms: Alarms
    all_referrers: Callable[[], Iterable[tuple[str, str]]]
    """Every member who was brought, and the referrer."""
    all_earners: Callable[[], Iterable[str]]
    """Every member who has or had money of rewards."""


class NightlyCheck(msgspec.Struct, frozen=True):
    """What one night found. `alarms`: those that stop payouts. `members`: those who were brought by somebody."""

    members: int
    share: OutsideShare
    alarms: tuple[Alarm, ...]


def check_network(today: date, needs: NightlyCheckNeeds, *, require_time: Callable[[], None]) -> NightlyCheck:
    """Close yesterday and once more the day before, since a message about an order may come late; then look for
    subtrees. A repeat changes nothing. What `require_time` raises ends the check before anything of it counts.
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
