"""What the search needs from outside."""

from collections.abc import Sequence
from typing import Protocol

from cardstock.search.index_model import Contents
from cardstock.search.model import Page, Query, Suggestion


class SearchIndex(Protocol):
    """Something that can be searched: the index of this area, or a search server."""

    def search(self, query: Query) -> Page:
        """The hits of a page, best first, with the facets of all hits.

        A filter on something that no product has gives no hits. Raises `UnavailableError` when it cannot be read.
        """

    def suggest(self, typed: str, limit: int) -> Sequence[Suggestion]:
        """Up to `limit` completions, those with most products first."""


class StoredIndex(Protocol):
    """Where an index is kept for all functions."""

    def read_newer(self, tag: str | None) -> tuple[Contents | None, str] | None:
        """The index with its tag; None if it still has `tag`. One call.

        The index is None if it is of another form. Raises `NotFoundError` before the first one is stored,
        `UnavailableError`.
        """

    def replace(self, contents: Contents, tag: str | None) -> bool:
        """Store an index over the one that has `tag`, or where there is none (None); False if another one is there.

        Raises `UnavailableError`; it may be stored nevertheless.
        """
