"""The search over an index in memory."""

from collections.abc import Mapping, Sequence
from math import inf

from cardstock.search.filtering import filtered
from cardstock.search.index import Index
from cardstock.search.model import MAX_TEXT, Page, Query, Sort, Suggestion
from cardstock.search.ranking import Ranked, ranked
from cardstock.search.suggesting import suggest


class IndexSearch:
    """`search.ports.SearchIndex` over an index in memory."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def search(self, query: Query) -> Page:
        index, text = self._index, query.text.strip()[:MAX_TEXT]
        found = ranked(text, index) if text else Ranked(dict.fromkeys(range(index.size), 0.0), "", ())
        now = query.at.timestamp() if query.at else inf
        begun = [place for place in found.scores if index.rows[place].begins <= now]
        left = filtered(begun, query.filters, index, query.language)
        best = _sorted(left.rows, found.scores, query.sort if text or query.sort != "relevance" else "sales", index)
        return Page(
            product_ids=tuple(
                [index.rows[place].product_id for place in best[query.offset : query.offset + query.limit]]
            ),
            total=len(best),
            facets=left.facets,
            corrected=found.corrected,
            dropped=found.dropped,
            built_at=index.contents.built_at,
        )

    def suggest(self, typed: str, limit: int) -> Sequence[Suggestion]:
        return suggest(typed[:MAX_TEXT], self._index.contents.completions, limit)


def _sorted(places: Sequence[int], scores: Mapping[int, float], sort: Sort, index: Index) -> list[int]:
    """Rows in the sequence that was asked for; among equals the better hit, then what sold more, then by id."""
    rows = index.rows
    keys = {
        "relevance": [0] * len(places),
        "price_up": [rows[place].price_fen for place in places],
        "price_down": [-rows[place].price_fen for place in places],
        "newest": [-rows[place].published for place in places],
        "sales": [-rows[place].sold for place in places],
    }[sort]
    order = [
        (key, -scores[place], -rows[place].sold, rows[place].product_id, place)
        for key, place in zip(keys, places, strict=True)
    ]
    return [each[-1] for each in sorted(order)]
