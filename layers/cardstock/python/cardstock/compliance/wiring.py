"""Factories of the compliance area, each lazy: a function loads only what it uses."""

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
    """Alarms about subtrees, and their stopped members, in DynamoDB."""
    from cardstock.compliance.store import DynamoAlarms

    return DynamoAlarms()


@cache
def purchase_log() -> "PurchaseLog":
    """The log of paid orders, in DynamoDB."""
    from cardstock.compliance.store import DynamoPurchaseLog

    return DynamoPurchaseLog()


@cache
def check_needs() -> "CheckNeeds":
    """The ports of purchase checks."""
    from cardstock.compliance.purchases import CheckNeeds
    from cardstock.compliance.store import MemberIdentities
    from cardstock.edge.wiring import marker

    return CheckNeeds(purchase_log(), MemberIdentities(marker()), holds(), environment.number("STOCKING_UNITS"))
