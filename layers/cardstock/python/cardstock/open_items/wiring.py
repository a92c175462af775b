"""Factories of the open items area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardstock.open_items.ports import OpenItems


@cache
def open_items() -> "OpenItems":
    """Open items, in DynamoDB."""
    from cardstock.open_items.store import DynamoOpenItems

    return DynamoOpenItems()
