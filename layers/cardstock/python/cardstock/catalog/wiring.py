"""Factories of the catalog area, each lazy: a function imports and pays for what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import clock

if TYPE_CHECKING:
    from cardstock.catalog.ports import Products
    from cardstock.ids import RequestKey


@cache
def products() -> "Products":
    """The catalogue in DynamoDB."""
    from cardstock.catalog.store import DynamoProducts

    return DynamoProducts()


def keep_request(request: "RequestKey", result: str) -> bool:
    """Remember a request whose work may be repeated; whether it was known."""
    from cardstock.aws.requests import keep

    return keep(request, result, clock.now())
