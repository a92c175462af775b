"""How well each product has a unit of a query."""

from collections.abc import Mapping
from math import log
from typing import Final

from cardstock.search.index import Index
from cardstock.search.units import Unit

TITLE, HEAD, BRAND, KIND, NAMED, CATEGORY, ATTRIBUTES, DESCRIPTION = 1.0, 0.35, 0.9, 0.8, 0.4, 0.5, 0.5, 0.2
"""Weights of fields. HEAD is added where a word ends a Chinese run or a Latin title, NAMED where a category is called
so."""
LATIN_HEAD: Final = 0.1
SATURATION: Final = 1.0
PARTS: Final = 0.55
"""A longer Chinese word of which only pairs are there."""


def scores_of(unit: Unit, index: Index) -> dict[int, float]:
    """Row -> how well it has the unit, from 0 to about 1.5. Rows that do not have it are left out."""
    if unit.is_article:
        return _article_scores(unit.text, index)
    best: dict[int, float] = {}
    for needle in unit.needles:
        found = _han_scores(needle.text, index) if needle.text[0] >= "\u3400" else _latin_scores(needle.text, index)
        weight = needle.weight
        for row, score in found.items():
            if score * weight > best.get(row, 0.0):
                best[row] = score * weight
    return best


def _article_scores(number: str, index: Index) -> dict[int, float]:
    start, whole = f" {number}", f" {number} "
    return {
        place: 1.5 if whole in row.articles else 1.0 for place, row in enumerate(index.rows) if start in row.articles
    }


def _latin_scores(needle: str, index: Index) -> dict[int, float]:
    scores: dict[int, float] = {}
    rows, named = index.rows, index.named
    name = f"{needle}| "
    for place in index.rows_with(needle):
        row = rows[place]
        amount = 0.0
        if needle in named[place]:
            if needle in row.title:
                amount += TITLE + (LATIN_HEAD if name in row.title else 0.0)
            if needle in row.brand:
                amount += BRAND
            if needle in row.kind:
                amount += KIND + (NAMED if name in row.kind else 0.0)
            if needle in row.category:
                amount += CATEGORY
            if needle in row.attributes:
                amount += ATTRIBUTES
        if not amount or needle in row.description:
            amount += DESCRIPTION
        scores[place] = amount / (amount + SATURATION)
    return scores


def _han_scores(needle: str, index: Index) -> dict[int, float]:
    scores: dict[int, float] = {}
    rows, named = index.rows, index.named
    ended, name = f"{needle} ", f" {needle} "
    for place in index.rows_with(needle):
        row = rows[place]
        amount = 0.0
        if needle in named[place]:
            if needle in row.title:
                amount += TITLE + (HEAD if ended in row.title else 0.0)
            if needle in row.brand:
                amount += BRAND
            if needle in row.kind:
                amount += KIND + (NAMED if name in row.kind else HEAD if ended in row.kind else 0.0)
            if needle in row.category:
                amount += CATEGORY + (NAMED if name in row.category else 0.0)
            if needle in row.attributes:
                amount += ATTRIBUTES
        if not amount or needle in row.description:
            amount += DESCRIPTION
        scores[place] = amount / (amount + SATURATION)
    if len(needle) > 2:
        _add_parts(needle, index, scores)
    return scores


def _add_parts(needle: str, index: Index, scores: dict[int, float]) -> None:
    """Rows that have only some pairs of a longer word."""
    pairs: dict[str, float] = {}
    for place in range(len(needle) - 1):
        pair = needle[place : place + 2]
        count = len(index.rows_with(pair))
        if count:
            pairs[pair] = weight_of(count, index) * count / min(index.count(pair[0]), index.count(pair[1]))
    total = sum(pairs.values())
    found: dict[int, float] = {}
    for pair, weight in pairs.items():
        share = PARTS * weight / total
        for place, score in _han_scores(pair, index).items():
            found[place] = found.get(place, 0.0) + share * score
    for place, score in found.items():
        if score > scores.get(place, 0.0):
            scores[place] = score


def unit_weight(unit: Unit, found: Mapping[int, float], index: Index) -> float:
    """How much a unit counts beside others: the rare, and what says what the thing is."""
    if not found:
        return 0.0
    return weight_of(len(found), index) * unit.weight


def weight_of(rows: int, index: Index) -> float:
    """How much a word says that stands in so many rows: rare ones more."""
    return log(1 + (index.size + 1) / (rows + 0.5))
