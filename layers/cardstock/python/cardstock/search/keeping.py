"""The index in a function: loaded once, and looked at again every few seconds."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cardstock import clock
from cardstock.errors import NotFoundError, UnavailableError
from cardstock.search.index import Index, build
from cardstock.search.model import Page, Query, Suggestion
from cardstock.search.ports import StoredIndex
from cardstock.search.searching import IndexSearch

LOOKED_AT_AFTER: Final = timedelta(seconds=5)


class KeptIndex:
    """`search.ports.SearchIndex` over the stored index.

    A search costs one read at most, and none within `LOOKED_AT_AFTER` of the one before. While the store gives no
    answer the index that is kept is searched. Before the first index nothing is found.
    """

    def __init__(self, stored: StoredIndex) -> None:
        self._stored = stored
        self._search: IndexSearch | None = None
        self._tag: str | None = None
        self._looked_at: datetime | None = None

    def search(self, query: Query) -> Page:
        return self._current().search(query)

    def suggest(self, typed: str, limit: int) -> Sequence[Suggestion]:
        return self._current().suggest(typed, limit)

    def _current(self) -> IndexSearch:
        now = clock.now()
        if self._search is None or self._looked_at is None or now - self._looked_at >= LOOKED_AT_AFTER:
            self._search = self._newest(now)
            self._looked_at = now
        return self._search

    def _newest(self, now: datetime) -> IndexSearch:
        try:
            newer = self._stored.read_newer(self._tag)
        except NotFoundError:
            newer = (None, "")
        except UnavailableError:
            if self._search is None:
                raise
            return self._search
        if newer is None and self._search is not None:
            return self._search
        contents, self._tag = newer or (None, "")
        self._tag = self._tag or None
        return IndexSearch(Index(contents or build((), now)))
