"""Factories of the compliance area, each lazy: a function imports and pays for what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment

if TYPE_CHECKING:
    from cardstock.compliance.ports import Alarms, Holds, PurchaseLog
    from cardstock.compliance.purchases import CheckNeeds


@cache
def holds() -> "Holds":
    """Held rewards, in DynamoDB."""
    from cardstock.compliance.store import DynamoHolds

    return DynamoHolds()


@cache
def alarms() -> "Alarms":
    """Alarms about subtrees, and the members they stop, in DynamoDB."""
    from cardstock.compliance.store import DynamoAlarms

    return DynamoAlarms()


@cache
def purchase_log() -> "PurchaseLog":
    """What paid orders leave behind, in DynamoDB."""
    from cardstock.compliance.store import DynamoPurchaseLog

    return DynamoPurchaseLog()


@cache
def check_needs() -> "CheckNeeds":
    """What checking purchases needs."""
    from cardstock.compliance.purchases import CheckNeeds
    from cardstock.compliance.store import MemberIdentities

    return CheckNeeds(purchase_log(), MemberIdentities(), holds(), environment.number("STOCKING_UNITS"))
