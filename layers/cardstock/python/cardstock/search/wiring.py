"""Factories of the search area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING, Any

from cardstock import environment

if TYPE_CHECKING:
    from cardstock.search.ports import SearchIndex, StoredIndex


@cache
def stored_index() -> "StoredIndex":
    """The index in S3."""
    from cardstock.aws.files import Files
    from cardstock.search.store import FileIndex

    return FileIndex(Files(environment.text("SEARCH_INDEX_BUCKET")))


@cache
def search_index() -> "SearchIndex":
    """The index that this function keeps."""
    from cardstock.search.keeping import KeptIndex

    return KeptIndex(stored_index())


def changed_product(record: dict[str, Any]) -> str:
    """The product of a record in the stream of pages. Raises ValueError on anything else."""
    from cardstock.search.store import product_of

    return product_of(record)
