"""The rules' order of products: each is a sum of parts, and its largest part is its reason."""

from collections.abc import Iterator
from typing import Final

import msgspec

from cardstock.recommendations.model import Reason, Recommendation, Row, Scene

_ONE: Final = 1000


class _Weights(msgspec.Struct, frozen=True):
    """What a thousandth of each score counts. Chosen on the four weeks before those that `evaluation` reports."""

    own: int
    together: int
    shown: int
    popular: int


_WEIGHTS: Final[dict[Scene, _Weights]] = {
    "home": _Weights(own=10, together=1, shown=18, popular=4),
    "discover": _Weights(own=0, together=10, shown=18, popular=4),
}


class _Candidate(msgspec.Struct):
    """A product and its scores: in the member's history, beside it, beside what is shown, among everybody."""

    sku: str
    title: str
    own: int = 0
    together: int = 0
    because: str = ""
    shown: int = 0
    because_shown: str = ""
    best_shown: int = 0
    popular: int = 0


class _Part(msgspec.Struct, frozen=True):
    """What one reason adds to a product's score. `because` is the product behind it, `""` if there is none."""

    score: int
    reason: Reason
    because: str = ""


class Candidates:
    """The products that serving rows name. Add the member's row first: its titles hold."""

    def __init__(self) -> None:
        self._by_sku: dict[str, _Candidate] = {}
        self._titles: dict[str, str] = {}

    def __iter__(self) -> Iterator[_Candidate]:
        return iter(self._by_sku.values())

    def title_of(self, sku: str) -> str:
        """The title of a product that is a reason; `""` if no row has it."""
        return self._titles.get(sku, "")

    def add_member_row(self, row: Row) -> None:
        """The member's history, and what goes with it."""
        for entry in row.entries:
            self._titles[entry.sku] = entry.title
            candidate = self._candidate(entry.sku, entry.title)
            candidate.own, candidate.together, candidate.because = entry.own, entry.together, entry.because

    def add_popular_row(self, row: Row) -> None:
        """What everybody buys."""
        for entry in row.entries:
            self._candidate(entry.sku, entry.title).popular = entry.popular

    def add_shown_product(self, sku: str, row: Row) -> None:
        """The neighbours of a product that is shown."""
        self._titles[sku] = row.title
        for entry in row.entries:
            candidate = self._candidate(entry.sku, entry.title)
            candidate.shown += entry.together
            if entry.together > candidate.best_shown:
                candidate.best_shown, candidate.because_shown = entry.together, sku

    def _candidate(self, sku: str, title: str) -> _Candidate:
        return self._by_sku.setdefault(sku, _Candidate(sku, title))


def ranked(candidates: Candidates, scene: Scene) -> list[Recommendation]:
    """The candidates with a score, best first; equal ones by SKU. `discover` leaves out what the member has."""
    most_shown = max((candidate.shown for candidate in candidates), default=0) or 1
    items = []
    for candidate in candidates:
        if scene == "discover" and candidate.own:
            continue
        parts = _parts(candidate, _WEIGHTS[scene], most_shown)
        score = sum(part.score for part in parts)
        if score:
            best = max(parts, key=lambda part: part.score)
            because_title = candidates.title_of(best.because)
            items.append(
                Recommendation(candidate.sku, candidate.title, score, best.reason, best.because, because_title)
            )
    return sorted(items, key=lambda item: (-item.score, item.sku))


def _parts(candidate: _Candidate, weights: _Weights, most_shown: int) -> tuple[_Part, ...]:
    """The parts of a score. Of equal parts the first is the reason."""
    shown = weights.shown * (candidate.shown * _ONE // most_shown)
    together = weights.together * candidate.together if candidate.because else 0
    return (
        _Part(weights.own * candidate.own, "OWN_HISTORY"),
        _Part(shown, "CO_PURCHASE", candidate.because_shown),
        _Part(together, "CO_PURCHASE", candidate.because),
        _Part(weights.popular * candidate.popular, "POPULAR"),
    )
