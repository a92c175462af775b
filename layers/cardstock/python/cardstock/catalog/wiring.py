"""Factories of the catalog area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardstock.catalog.ports import Products


@cache
def products() -> "Products":
    """The catalogue in DynamoDB."""
    from cardstock.catalog.store import DynamoProducts

    return DynamoProducts()
