"""What a query finds: parts of words, pinyin, typing errors, forms of writing, article numbers, both languages."""

from collections.abc import Sequence

import pytest

from cardstock.search.index import Index, build
from cardstock.search.model import Category, Entry, Page, Query
from cardstock.search.searching import IndexSearch
from tests.search.judged import AT, index_of

SHOP = [
    Entry("P1", 1, "小化妆包", "Small makeup bag", "素野", (Category("bags", "箱包", "Bags"),), skus=("BAG-001-RED",)),
    Entry("P2", 1, "Ipad 包", "Ipad sleeve", "Luma", (Category("bags", "箱包", "Bags"),), skus=("BAG-002",)),
    Entry("P3", 1, "不锈钢保温杯 500ml", "Stainless steel thermos 500 ml", "Luma", skus=("CUP-7",)),
    Entry("P4", 1, "玻璃茶杯", "Glass tea-cup", "木里", description="重庆火锅店也在用"),
    Entry("P5", 1, "香薰蜡烛", "T-light candles", "暖屿"),
]


def search(text: str, entries: Sequence[Entry] = SHOP) -> Page:
    return IndexSearch(Index(build(entries, AT))).search(Query(text))


def found(text: str, entries: Sequence[Entry] = SHOP) -> list[str]:
    return sorted(search(text, entries).product_ids)


@pytest.mark.parametrize(("text", "hits"), [("化妆", 1), ("小化妆", 1), ("化妆包", 1), ("包", 2), ("妆", 1)])
def test_a_word_inside_a_longer_one_and_a_single_character_are_found(text: str, hits: int) -> None:
    assert len(found(text, SHOP[:2])) == hits


@pytest.mark.parametrize(
    ("text", "product_id"),
    [
        ("baowenbei", "P3"),
        ("bao wen bei", "P3"),
        ("baowenb", "P3"),
        ("bwb", "P3"),
        ("baowen杯", "P3"),
        ("保wen杯", "P3"),
        ("保文杯", "P3"),
        ("包温杯", "P3"),
        ("保溫杯", "P3"),
        ("化妝包", "P1"),
        ("Ｌｕｍａ　保温杯", "P3"),
        ("５００ｍｌ", "P3"),
        ("500 ML", "P3"),
        ("500ml", "P3"),
        ("thermos", "P3"),
        ("thermoses", "P3"),
        ("thermso", "P3"),
        ("termos", "P3"),
        ("thhermos", "P3"),
        ("thermox", "P3"),
        ("thermo", "P3"),
        ("steel THERMOS!!", "P3"),
        ("t-light", "P5"),
        ("tlight", "P5"),
        ("t light", "P5"),
        ("T-Lights", "P5"),
        ("candle", "P5"),
        ("teacup", "P4"),
        ("tea cup", "P4"),
        ("火锅", "P4"),
        ("木里", "P4"),
        ("muli", "P4"),
        ("cosmetic bag", "P1"),
        ("送给妈妈的小化妆包", "P1"),
    ],
)  # fmt: skip
def test_the_best_hit_is_the_product_that_was_meant(text: str, product_id: str) -> None:
    assert search(text).product_ids[:1] == (product_id,)


@pytest.mark.parametrize("text", ["BAG-001-RED", "bag-001", "BAG001", "ＢＡＧ－００１", " Bag 001 red "])
def test_an_article_number_is_found_by_its_beginning(text: str) -> None:
    assert search(text).product_ids[0] == "P1"


def test_a_whole_article_number_comes_before_those_that_only_begin_so() -> None:
    shop = [Entry("A", 1, "杯", skus=("CUP-70",), sold=999), Entry("B", 1, "杯", skus=("CUP-7",))]

    assert search("cup-7", shop).product_ids == ("B", "A")


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("保文杯", "保温杯"),
        ("thermso", "thermos"),
        ("baowenbei", "保温杯"),
        ("保温杯", ""),
        ("thermos", ""),
        ("tlight", ""),
    ],
)
def test_a_page_says_what_was_searched_instead(text: str, corrected: str) -> None:
    assert search(text).corrected == corrected


def test_a_page_says_which_words_no_product_has() -> None:
    page = search("保温杯 箭")

    assert page.product_ids == ("P3",)
    assert page.dropped == ("箭",)


@pytest.mark.parametrize(
    "text", ["?!", "…", "zzzzqqq", "龘龘", "\x00", "'", "%_*", "a" * 5_000, "包" * 5_000, "\ud83d\ude00"]
)
def test_what_makes_no_sense_finds_nothing_and_fails_nowhere(text: str) -> None:
    page = search(text)

    assert page.total == len(page.product_ids)


def test_an_empty_shop_answers() -> None:
    for text in ("", "包", "bag", "bwb", "bag-1"):
        assert search(text, []).total == 0


def test_readings_of_a_character_that_has_two_are_both_found() -> None:
    shop = [Entry("A", 1, "音乐盒"), Entry("B", 1, "重庆火锅")]

    assert found("yinyuehe", shop) == ["A"]
    assert found("chongqing", shop) == ["B"]


def test_words_in_any_sequence_find_the_same() -> None:
    one, other = (IndexSearch(index_of("real")).search(Query(text)) for text in ("red lunch bag", "bag red lunch"))

    assert set(one.product_ids[:3]) == set(other.product_ids[:3])


def test_a_product_that_has_all_words_comes_before_those_that_lack_one() -> None:
    shop = [
        Entry("A", 1, "红色雨伞", sold=10_000),
        Entry("B", 1, "折叠雨伞 红色", sold=1),
        Entry("C", 1, "折叠椅", sold=10_000),
    ]

    assert search("折叠 雨伞", shop).product_ids[0] == "B"


def test_a_short_word_with_two_letters_swapped_is_found() -> None:
    shop = [Entry("A", 1, title_en="Pet bed"), Entry("B", 1, title_en="Mug")]

    assert found("pte", shop) == ["A"]


def test_two_short_words_that_are_typed_as_one_are_found() -> None:
    assert found("toybox", [Entry("A", 1, title_en="Toy box"), Entry("B", 1, title_en="Toy car")])[:1] == ["A"]


def test_a_chinese_word_counts_most_where_it_ends_what_the_thing_is() -> None:
    shop = [Entry("A", 1, "包装纸 大号"), Entry("B", 1, "斜挎包 大号"), Entry("C", 1, "面包机 大号")]

    assert search("包", shop).product_ids[0] == "B"


def test_words_that_seldom_stand_together_are_looked_for_apart() -> None:
    shop = [Entry(f"W{number}", 1, "白色盘子") for number in range(20)]
    shop += [Entry(f"T{number}", 1, "黑色茶壶 保温杯套") for number in range(20)]
    shop += [Entry("X", 1, "白色保鲜盒"), Entry("A", 1, "保温杯 白色")]

    assert search("白色保温杯", shop).product_ids[0] == "A"
    assert search("白色保温杯", shop).dropped == ()


def test_a_word_of_the_synonyms_is_not_cut() -> None:
    shop = [Entry("A", 1, "钱包 男友"), Entry("B", 1, "朋友贺卡"), Entry("C", 1, "男袜"), Entry("D", 1, "好朋友拼图")]

    assert search("送男朋友", shop).product_ids[:1] == ("A",)


@pytest.mark.parametrize(("complete", "total"), [(19, 24), (20, 20)])
def test_enough_products_that_have_all_words_leave_the_others_out(complete: int, total: int) -> None:
    shop = [Entry(f"A{number}", 1, "红色 雨伞") for number in range(complete)]
    shop += [Entry(f"B{number}", 1, "折叠 雨伞") for number in range(5)]

    assert search("红色 雨伞", shop).total == total
