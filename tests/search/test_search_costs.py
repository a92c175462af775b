"""What a search costs over ten thousand products, in Python calls and bytes."""

from functools import cache

import pytest

from cardstock.search.analysis import reading_table
from cardstock.search.index import Index, build, decode, encode
from cardstock.search.model import Filters, Query
from cardstock.search.searching import IndexSearch
from tests.house.python_calls import python_calls
from tests.search.judged import AT
from tests.search.large import large_shop

PRODUCTS = 10_000
MOST_CALLS = 40_000
MOST_BYTES = 4_000_000


@cache
def stored() -> bytes:
    return encode(build(large_shop(PRODUCTS), AT))


@pytest.mark.parametrize(
    "query",
    [
        Query(""),
        Query("", Filters(in_stock=True, min_price_fen=5_000), sort="price_up"),
        Query("包"),
        Query("tea"),
        Query("不锈钢保温杯 大容量 便携"),
        Query("保文杯"),
        Query("baowenbei"),
        Query("bwb"),
        Query("夏天解暑凉快的东西"),
        Query("white hanging heart t-light holder"),
        Query("thremos cpu holdr", sort="newest"),
        Query("P00123"),
    ],
    ids=lambda query: query.text or "all",
)
def test_a_first_page_with_its_facets_costs_few_calls_the_load_included(query: Query) -> None:
    data = stored()
    reading_table.cache_clear()

    def work() -> None:
        contents = decode(data)
        assert contents is not None
        assert len(IndexSearch(Index(contents)).search(query).facets) > 2

    assert python_calls(work) <= MOST_CALLS


def test_an_index_is_small_enough_to_be_read_at_once() -> None:
    assert len(stored()) <= MOST_BYTES
