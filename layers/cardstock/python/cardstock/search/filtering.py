"""Filters and facets: which hits are left, and how many there would be with another value."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from cardstock.search.index import Index
from cardstock.search.model import FACET_VALUES, PRICE_STEPS, Facet, FacetValue, Filters, Language
from cardstock.search.texts import FACET_NAMES, IN_STOCK, OUT_OF_STOCK, price_range

PRICE: Final = "price"
STOCK: Final = "in_stock"


class Filtered(NamedTuple):
    """Rows that pass all filters, and the facets of all rows that came in."""

    rows: list[int]
    facets: tuple[Facet, ...]


def filtered(rows: Iterable[int], filters: Filters, index: Index, language: Language) -> Filtered:
    """Apply filters. A facet counts the rows that pass all filters but its own."""
    demands = _demands(filters, index)
    kept: list[int] = []
    # Rows that fail one filter alone count in that filter's facet.
    missed: dict[str, list[int]] = {facet: [] for facet in (*demands, PRICE, STOCK)}
    all_rows, low, high, in_stock = index.rows, filters.min_price_fen, filters.max_price_fen, filters.in_stock
    for place in rows:
        row = all_rows[place]
        failed = ""
        if not low <= row.price_fen <= high:
            failed = PRICE
        if in_stock and not row.in_stock:
            if failed:
                continue
            failed = STOCK
        for facet, places in demands.items():
            if places.isdisjoint(row.values):
                if failed:
                    break
                failed = facet
        else:
            if failed:
                missed[failed].append(place)
            else:
                kept.append(place)
    return Filtered(kept, tuple(_facets(kept, missed, index, language)))


def _demands(filters: Filters, index: Index) -> Mapping[str, frozenset[int]]:
    """Facet -> the places of its values, one of which a row needs."""
    wanted: dict[str, frozenset[str]] = {f"attribute:{name}": values for name, values in filters.attributes}
    if filters.brands:
        wanted["brand"] = filters.brands
    if filters.category:
        wanted["category"] = frozenset([filters.category])
    return {
        facet: frozenset([index.values[facet, each] for each in values if (facet, each) in index.values])
        for facet, values in wanted.items()
    }


def _facets(
    kept: Sequence[int], missed: Mapping[str, Sequence[int]], index: Index, language: Language
) -> Iterable[Facet]:
    values = index.contents.values
    counts = _counted(kept, index)
    for facet, places in missed.items():
        if facet not in (PRICE, STOCK):
            more = _counted(places, index)
            counts.update({number: more[number] for number in more if values[number].facet == facet})
    by_facet: dict[str, list[int]] = {}
    for number in counts:
        by_facet.setdefault(values[number].facet, []).append(number)
    for facet in sorted(by_facet, key=lambda each: (each.startswith("attribute:"), each)):
        best = sorted(by_facet[facet], key=lambda number: (-counts[number], values[number].value))[:FACET_VALUES]
        first = values[best[0]]
        own_name = first.facet_zh if language == "zh" else first.facet_en
        names = [values[each].zh if language == "zh" else values[each].en for each in best]
        yield Facet(
            facet,
            own_name or FACET_NAMES[facet][language],
            tuple([FacetValue(values[each].value, name, counts[each]) for each, name in zip(best, names, strict=True)]),
        )
    yield _prices([*kept, *missed[PRICE]], index, language)
    yield _stock([*kept, *missed[STOCK]], index, language)


def _counted(places: Iterable[int], index: Index) -> Counter[int]:
    """How many rows have each value."""
    rows = index.rows
    return Counter(chain.from_iterable([rows[place].values for place in places]))


def _prices(places: Sequence[int], index: Index, language: Language) -> Facet:
    counts = [0] * (len(PRICE_STEPS) + 1)
    rows = index.rows
    for place in places:
        price, step = rows[place].price_fen, 0
        for end in PRICE_STEPS:
            if price < end:
                break
            step += 1
        counts[step] += 1
    starts, ends = (0, *PRICE_STEPS), (*PRICE_STEPS, None)
    found = [
        FacetValue(f"{start}-{'' if end is None else end - 1}", price_range(start, end, language), count)
        for start, end, count in zip(starts, ends, counts, strict=True)
        if count
    ]
    return Facet(PRICE, FACET_NAMES[PRICE][language], tuple(found))


def _stock(places: Sequence[int], index: Index, language: Language) -> Facet:
    rows = index.rows
    there = len([place for place in places if rows[place].in_stock])
    counts = (("true", IN_STOCK[language], there), ("false", OUT_OF_STOCK[language], len(places) - there))
    return Facet(STOCK, FACET_NAMES[STOCK][language], tuple([FacetValue(*each) for each in counts if each[2]]))
