"""Filters, facets and sorts, compared with a plain reading of what they mean."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock.search.index import Index, build
from cardstock.search.model import PRICE_STEPS, Attribute, Category, Entry, Filters, Query, Sort
from cardstock.search.searching import IndexSearch
from tests.search.judged import AT, chinese_entries, index_of

ENTRIES = st.lists(
    st.builds(
        Entry,
        product_id=st.sampled_from([f"P{number}" for number in range(12)]),
        version=st.just(1),
        title_zh=st.sampled_from(["保温杯", "茶杯", "杯垫"]),
        brand=st.sampled_from(["", "Luma", "木里"]),
        categories=st.sampled_from(
            [
                (),
                (Category("cups", "杯", "Cups"),),
                (Category("cups", "杯", "Cups"), Category("tea", "茶杯", "Tea cups")),
            ]
        ),
        attributes=st.sampled_from(
            [
                (),
                (Attribute("colour", "red", "颜色", "红", "Colour", "Red"),),
                (Attribute("colour", "blue", "颜色", "蓝"),),
            ]
        ),
        price_fen=st.sampled_from([1, *PRICE_STEPS, PRICE_STEPS[0] - 1, 10**6]),
        in_stock=st.booleans(),
        sold=st.integers(0, 3),
        published_at=st.none() | st.integers(0, 3).map(lambda days: AT - timedelta(days=days)),
    ),
    unique_by=lambda entry: entry.product_id,
    max_size=12,
)
FILTERS = st.builds(
    Filters,
    category=st.sampled_from(["", "cups", "tea", "none"]),
    brands=st.sampled_from([frozenset(), frozenset(["Luma"]), frozenset(["Luma", "木里"])]),
    min_price_fen=st.sampled_from([0, 2_000]),
    max_price_fen=st.sampled_from([10**9, 5_000]),
    in_stock=st.booleans(),
    attributes=st.sampled_from([(), (("colour", frozenset(["red"])),), (("colour", frozenset(["red", "blue"])),)]),
)


def passes(entry: Entry, filters: Filters, but: str = "") -> bool:
    """Whether an entry is what filters ask for, but for the filter of one facet."""
    colours = {each.value for each in entry.attributes}
    tests = {
        "category": not filters.category or filters.category in {each.id for each in entry.categories},
        "brand": not filters.brands or entry.brand in filters.brands,
        "price": filters.min_price_fen <= entry.price_fen <= filters.max_price_fen,
        "in_stock": not filters.in_stock or entry.in_stock,
        "attribute:colour": not filters.attributes or bool(colours & filters.attributes[0][1]),
    }
    return all(good for facet, good in tests.items() if facet != but)


def values_of(entry: Entry, facet: str) -> list[str]:
    if facet == "category":
        return [each.id for each in entry.categories]
    if facet == "brand":
        return [entry.brand] if entry.brand else []
    if facet == "in_stock":
        return ["true" if entry.in_stock else "false"]
    return [each.value for each in entry.attributes]


@given(ENTRIES, FILTERS, st.sampled_from(["", "杯", "茶杯"]))
def test_filters_and_facets_are_what_a_plain_reading_gives(entries: list[Entry], filters: Filters, text: str) -> None:
    index = Index(build(entries, AT))
    everything = IndexSearch(index).search(Query(text, limit=50))
    page = IndexSearch(index).search(Query(text, filters, limit=50))
    hits = [entry for entry in entries if entry.product_id in everything.product_ids]

    assert set(page.product_ids) == {entry.product_id for entry in hits if passes(entry, filters)}
    assert page.total == len(page.product_ids)
    counted = {facet.id: {value.value: value.count for value in facet.values} for facet in page.facets}
    for facet in ("category", "brand", "in_stock", "attribute:colour"):
        expected = Counter(
            value for entry in hits if passes(entry, filters, but=facet) for value in values_of(entry, facet)
        )

        assert counted.get(facet, {}) == expected
    assert sum(counted["price"].values()) == len([entry for entry in hits if passes(entry, filters, but="price")])
    for each in page.facets:
        if each.id == "price":
            for value in each.values:
                low, high = value.value.split("-")
                inside = [
                    entry
                    for entry in hits
                    if passes(entry, filters, but="price") and int(low) <= entry.price_fen <= int(high or 10**9)
                ]

                assert value.count == len(inside)


KEYS: dict[Sort, Callable[[Entry], float]] = {
    "price_up": lambda entry: entry.price_fen,
    "price_down": lambda entry: -entry.price_fen,
    "newest": lambda entry: -entry.published_at.timestamp() if entry.published_at else 0,
    "sales": lambda entry: -entry.sold,
    "relevance": lambda entry: -entry.sold,
}


@given(ENTRIES, st.sampled_from(get_args(Sort)))
def test_a_sort_is_kept_over_all_hits(entries: list[Entry], sort: Sort) -> None:
    page = IndexSearch(Index(build(entries, AT))).search(Query("", sort=sort, limit=50))
    by_id = {entry.product_id: entry for entry in entries}
    keys = [KEYS[sort](by_id[each]) for each in page.product_ids]

    assert keys == sorted(keys)
    assert len(page.product_ids) == len(entries)


@pytest.mark.parametrize("text", ["", "茶", "杯 玻璃"])
@pytest.mark.parametrize("sort", get_args(Sort))
def test_pages_together_are_all_hits_once(text: str, sort: Sort) -> None:
    search = IndexSearch(index_of("chinese")).search
    total = search(Query(text, sort=sort)).total
    pages = [search(Query(text, sort=sort, offset=start, limit=7)).product_ids for start in range(0, total + 7, 7)]
    found = [product_id for page in pages for product_id in page]

    assert len(found) == total == len(set(found))
    assert pages[-1] == ()


def test_facets_have_names_in_the_language_of_the_query() -> None:
    search = IndexSearch(index_of("chinese")).search
    zh, en = (search(Query("茶", language=language)) for language in ("zh", "en"))

    assert [facet.name for facet in zh.facets[:2]] == ["品牌", "分类"]
    assert [facet.name for facet in en.facets[:2]] == ["Brand", "Category"]
    assert ("茶具", "Tea ware") in {
        (one.name, other.name)
        for facets in zip(zh.facets, en.facets, strict=True)
        for one in facets[0].values
        for other in facets[1].values
        if one.value == other.value
    }
    assert {facet.name for facet in en.facets if facet.id == "price"} == {"Price"}
    assert len(chinese_entries()) == 300
