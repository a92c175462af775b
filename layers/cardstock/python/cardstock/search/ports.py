"""What the search needs from outside."""

from collections.abc import Sequence
from typing import Protocol

from cardstock.search.model import Page, Query, Suggestion


class SearchIndex(Protocol):
    """Something that can be searched: the index of this area, or a search server."""

    def search(self, query: Query) -> Page:
        """The hits of a page, best first, with the facets of all hits.

        A filter on something that no product has gives no hits. Raises `UnavailableError` when it cannot be read.
        """

    def suggest(self, typed: str, limit: int) -> Sequence[Suggestion]:
        """Up to `limit` completions, those with most products first."""
