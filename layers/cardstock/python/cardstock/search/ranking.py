"""The sequence of hits: how well each product has all of a query."""

from collections.abc import Mapping, Sequence
from math import log1p
from typing import NamedTuple

from cardstock.search.analysis import searchable
from cardstock.search.index import Index
from cardstock.search.matching import scores_of, unit_weight
from cardstock.search.units import Unit, units_of

ENOUGH, LEAST = 20, 0.3
"""With so many hits that have all units, others are left out; else those with so small a share of the best one's."""
PHRASE, WHOLE, BRIEF, POPULAR = 0.12, 0.25, 0.08, 0.04


class Ranked(NamedTuple):
    """Rows that are hits with their scores, the text that was searched where it differs, and words that no hit has."""

    scores: dict[int, float]
    corrected: str
    dropped: tuple[str, ...]


def ranked(text: str, index: Index) -> Ranked:
    """The hits of a text. If some products have all units, those that lack one are left out."""
    units = units_of(text, index)
    found = [scores_of(unit, index) for unit in units]
    weights = [unit_weight(unit, each, index) for unit, each in zip(units, found, strict=True)]
    total = sum(weights)
    if not total:
        return Ranked({}, "", tuple([unit.text for unit in units]))
    sums: dict[int, float] = {}
    shares: dict[int, float] = {}
    for scores, weight in zip(found, weights, strict=True):
        share = weight / total
        for row, score in scores.items():
            sums[row] = sums.get(row, 0.0) + share * score
            shares[row] = shares.get(row, 0.0) + share
    kept = _boosted(text, _complete(sums, shares), index)
    dropped = tuple([unit.text for unit, scores in zip(units, found, strict=True) if not scores])
    return Ranked(kept, _corrected(units), dropped)


def _complete(sums: Mapping[int, float], shares: Mapping[int, float]) -> dict[int, float]:
    """Rows with their scores; without those that lack much, and with ENOUGH that lack nothing without all others."""
    best = max(shares.values())
    least = best - 0.001 if len([1 for share in shares.values() if share > 0.999]) >= ENOUGH else LEAST * best
    return {row: sums[row] * share for row, share in shares.items() if share >= least}


def _boosted(text: str, scores: dict[int, float], index: Index) -> dict[int, float]:
    phrase = searchable(text).partition(" | ")[0].strip()
    whole = f" {phrase} "
    rows, most = index.rows, log1p(index.most_sold) or 1.0
    for place, score in scores.items():
        row = rows[place]
        more = POPULAR * log1p(row.sold) / most + BRIEF * min(1.0, len(phrase) / len(row.title))
        if phrase in row.title:
            more += PHRASE
            if f"{whole}| " in row.title:
                more += WHOLE if row.title.startswith(f"{whole}| ") else 0.0
        scores[place] = score + more * min(1.0, score)
    return scores


def _corrected(units: Sequence[Unit]) -> str:
    """The query with the first corrections in it; nothing if there are none."""
    if not any(unit.corrected for unit in units):
        return ""
    return " ".join([unit.corrected or unit.text for unit in units])
