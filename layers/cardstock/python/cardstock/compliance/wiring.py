"""Factories of the compliance area, each lazy: a function imports and pays for what it uses."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardstock.compliance.ports import Alarms, Holds, Traces


@cache
def holds() -> "Holds":
    """Held rewards, in DynamoDB."""
    from cardstock.compliance.store import DynamoHolds

    return DynamoHolds()


@cache
def alarms() -> "Alarms":
    """Alarms about subtrees, and who they stop, in DynamoDB."""
    from cardstock.compliance.store import DynamoAlarms

    return DynamoAlarms()


@cache
def traces() -> "Traces":
    """What paid orders leave behind, in DynamoDB."""
    from cardstock.compliance.store import DynamoTraces

    return DynamoTraces()
