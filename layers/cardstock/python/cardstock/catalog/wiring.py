"""Factories of the catalog area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING, Any

from cardstock import environment

if TYPE_CHECKING:
    from cardstock.catalog.ports import Cards, Pages, Products, Variants
    from cardstock.catalog.upkeep import StockChange


@cache
def variants() -> "Variants":
    """SKUs in DynamoDB."""
    from cardstock.catalog.store import DynamoVariants

    return DynamoVariants()


@cache
def products() -> "Products":
    """Products in DynamoDB."""
    from cardstock.catalog.product_store import DynamoProducts

    return DynamoProducts()


@cache
def cards() -> "Cards":
    """The cards of products in DynamoDB."""
    from cardstock.catalog.card_store import DynamoCards

    return DynamoCards()


@cache
def pages() -> "Pages":
    """All pages of products in DynamoDB."""
    from cardstock.catalog.page_store import DynamoPages

    return DynamoPages()


def stock_change(record: dict[str, Any]) -> "StockChange | None":
    """The change in a record of the stream of SKUs; None of one without a page. Raises ValueError on anything else."""
    from cardstock.catalog.card_store import change_of

    return change_of(record)


def clean_html(text: str) -> str:
    """`markup.clean_html`, imported with the first description: few changes of a product have one."""
    from cardstock.catalog.markup import clean_html as clean

    return clean(text) if text else ""


def media_hosts() -> tuple[str, ...]:
    """Hosts besides our own that may hold pictures, files, video and models of products."""
    return tuple(host.lower() for host in environment.text("MEDIA_HOSTS").split(",") if host)
