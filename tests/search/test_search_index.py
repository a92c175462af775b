"""Building an index, merging changes into it, and storing it."""

from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.search.index import Index, build, decode, encode, merged
from cardstock.search.index_model import FORM, Contents
from cardstock.search.model import Attribute, Category, Entry, Query
from cardstock.search.searching import IndexSearch
from tests.search.judged import AT, chinese_entries, index_of

CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["P1", "P2", "P3"]),
        st.integers(1, 4),
        st.sampled_from(["保温杯", "红色 雨伞", "Red umbrella", ""]),
    ),
    max_size=8,
)


def entry(product_id: str, version: int, title: str) -> Entry:
    """What a product was at a version: the same version is the same text."""
    return Entry(product_id, version, f"{title} {version}", brand=f"brand {version}")


def plain(contents: Contents) -> object:
    """What can be compared of two indexes: not the numbers of facet values."""
    rows = [
        (replace(row, values=()), sorted(contents.values[number].value for number in row.values))
        for row in contents.rows
    ]
    return rows, contents.places, contents.runs, contents.completions


@dataclass
class Latest:
    """The newest version of each product."""

    entries: dict[str, Entry]

    def see(self, new: Entry) -> None:
        old = self.entries.get(new.product_id)
        if old is None or old.version <= new.version:
            self.entries[new.product_id] = new


@given(CHANGES, st.integers(1, 3))
def test_merged_changes_are_as_if_all_had_been_built_at_once(changes: list[tuple[str, int, str]], batch: int) -> None:
    fixed: dict[tuple[str, int], str] = {}
    entries = [entry(one, version, fixed.setdefault((one, version), title)) for one, version, title in changes]
    latest = Latest({})
    contents: Contents | None = None
    for start in range(0, len(entries), batch):
        contents = merged(contents, entries[start : start + batch], {}, AT)
        for each in entries[start : start + batch]:
            latest.see(each)

    if contents is not None:
        assert plain(contents) == plain(build(latest.entries.values(), AT))
        assert plain(merged(contents, entries, {}, AT)) == plain(contents)


def test_an_index_comes_back_from_its_bytes() -> None:
    contents = index_of("chinese").contents

    assert decode(encode(contents)) == contents
    assert IndexSearch(Index(decode(encode(contents)) or contents)).search(Query("茶")).total > 20


@pytest.mark.parametrize("form", [FORM + 1, FORM - 1])
def test_an_index_of_another_form_is_not_read(form: int) -> None:
    contents = index_of("chinese").contents
    other = Contents(
        form, contents.built_at, contents.rows, contents.values, contents.places, contents.runs, contents.completions
    )

    assert decode(encode(other)) is None


def test_bytes_of_another_shape_are_not_read() -> None:
    import zlib

    assert decode(zlib.compress(msgspec.msgpack.encode({"form": 1}))) is None


def test_a_product_that_is_gone_is_found_no_more() -> None:
    first = build([entry("P1", 1, "保温杯"), entry("P2", 1, "保温杯")], AT)
    left = merged(first, (), {"P1": 1, "never": 1}, AT)

    assert IndexSearch(Index(left)).search(Query("保温杯")).product_ids == ("P2",)
    assert left.gone == {"P1": 1, "never": 1}


def test_what_is_older_than_what_is_known_changes_nothing() -> None:
    known = merged(build([entry("P1", 2, "保温杯"), entry("P2", 2, "保温杯")], AT), (), {"P2": 3}, AT)
    late = merged(known, [entry("P1", 1, "旧"), entry("P2", 2, "旧"), entry("P2", 3, "旧")], {"P1": 1, "P2": 1}, AT)
    back = merged(late, [entry("P2", 4, "保温杯")], {}, AT)

    assert plain(late) == plain(known)
    assert late.gone == {"P2": 3}
    assert [row.product_id for row in back.rows] == ["P1", "P2"]
    assert back.gone == {}


def test_the_newest_name_of_a_facet_value_holds() -> None:
    old = Entry(
        "P1", 1, "杯", categories=(Category("cups", "杯子"),), attributes=(Attribute("c", "red", "颜色", "红"),)
    )
    new = replace(old, version=2, categories=(Category("cups", "杯具", "Cups"),))
    page = IndexSearch(Index(merged(build([old], AT), [new], {}, AT))).search(Query("杯"))
    names = {facet.id: [value.name for value in facet.values] for facet in page.facets}

    assert names["category"] == ["杯具"]
    assert names["attribute:c"] == ["红"]


def test_the_same_products_give_the_same_bytes_in_any_sequence() -> None:
    entries = chinese_entries()[:50]

    assert plain(build(entries, AT)) == plain(build(reversed(entries), AT))
