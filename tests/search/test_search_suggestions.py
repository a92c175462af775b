"""What is suggested while somebody types."""

import pytest

from cardstock.search.index import Index, build
from cardstock.search.model import Category, Entry
from cardstock.search.searching import IndexSearch
from tests.search.judged import AT, index_of

SEARCH = IndexSearch(
    Index(
        build(
            [
                Entry("P1", 1, "保温杯 大容量", "Thermos cup", "Luma", (Category("c", "杯壶", "Cups"),)),
                Entry("P2", 1, "保温杯 便携", "Thermos flask", "木里", (Category("c", "杯壶", "Cups"),)),
                Entry("P3", 1, "保鲜盒", "Food box", "Luma", (Category("k", "厨房", "Kitchen"),)),
            ],
            AT,
        )
    )
)


def texts(typed: str, limit: int = 8) -> list[str]:
    return [each.text for each in SEARCH.suggest(typed, limit)]


@pytest.mark.parametrize("typed", ["保", "保温", "baow", "bwb", "BAO", "保溫", "ｂｗ"])
def test_a_word_of_several_products_is_suggested_by_its_beginning(typed: str) -> None:
    assert "保温杯" in texts(typed)
    assert SEARCH.suggest(typed, 1)[0].products == 2


def test_brands_and_categories_are_suggested_as_they_are_written() -> None:
    assert texts("lu") == ["Luma"]
    assert texts("杯") == ["杯壶"]
    assert texts("cu") == ["Cups"]
    assert texts("kit") == ["Kitchen"]


def test_the_last_word_is_completed_behind_those_before() -> None:
    assert texts("luma 保") == ["luma 保温杯"]


def test_nothing_begins_so() -> None:
    assert texts("zzz") == []
    assert texts("  ") == []
    assert texts("保温", 0) == []


def test_the_most_frequent_come_first() -> None:
    found = IndexSearch(index_of("chinese")).suggest("茶", 8)
    counts = [each.products for each in found]

    assert len(found) > 5
    assert counts == sorted(counts, reverse=True)
