"""The stored index: read when it changed, replaced when nobody else did, kept by a function; and no change is lost."""

from collections.abc import Iterable, Mapping

import pytest
from msgspec.structs import replace

from cardstock import environment
from cardstock.aws.files import Files
from cardstock.errors import STORE_UNAVAILABLE, NotFoundError, UnavailableError
from cardstock.search.index import Index, build
from cardstock.search.index_model import FORM, Contents
from cardstock.search.keeping import LOOKED_AT_AFTER, KeptIndex
from cardstock.search.model import Entry, Query
from cardstock.search.ports import SearchIndex, StoredIndex
from cardstock.search.searching import IndexSearch
from cardstock.search.store import FileIndex
from cardstock.search.upkeep import Changes, apply_changes, rebuild
from tests.house import faults
from tests.house.interleave import every_way
from tests.people.clock import TestClock
from tests.people.memory_search import MemoryIndex
from tests.search.judged import AT

CONTRACT = {StoredIndex: (MemoryIndex, FileIndex), SearchIndex: (IndexSearch, KeptIndex)}
CUP, BAG, PEN = (Entry(name, 1, title) for name, title in (("cup", "保温杯"), ("bag", "化妆包"), ("pen", "钢笔")))


@pytest.fixture(params=["memory", "s3"])
def stored(request: pytest.FixtureRequest) -> StoredIndex:
    if request.param == "memory":
        return MemoryIndex()
    request.getfixturevalue("cloud")
    return file_index()


def file_index() -> FileIndex:
    return FileIndex(Files(environment.text("SEARCH_INDEX_BUCKET")))


def ids(stored: StoredIndex) -> list[str]:
    found = stored.read_newer(None)
    assert found is not None
    assert found[0] is not None
    return [row.product_id for row in found[0].rows]


def apply(
    stored: StoredIndex, *entries: Entry, gone: Mapping[str, int] | None = None, every: Iterable[Entry] = ()
) -> str:
    return apply_changes(lambda: Changes(entries, gone or {}), AT, every_entry=lambda: every, stored=stored)


def test_an_index_is_read_again_only_when_it_changed(stored: StoredIndex) -> None:
    with pytest.raises(NotFoundError):
        stored.read_newer(None)
    assert stored.replace(build([CUP], AT), None)
    first = stored.read_newer(None)
    assert first is not None
    assert stored.read_newer(first[1]) is None
    assert stored.replace(build([CUP, BAG], AT), first[1])
    second = stored.read_newer(first[1])
    assert second is not None

    assert first[0] == build([CUP], AT)
    assert second[0] == build([CUP, BAG], AT)


def test_an_index_replaces_the_one_that_was_read_and_no_other(stored: StoredIndex) -> None:
    assert stored.replace(build([CUP], AT), None)
    found = stored.read_newer(None)
    assert found is not None
    assert stored.replace(build([BAG], AT), found[1])

    assert not stored.replace(build([PEN], AT), found[1])
    assert not stored.replace(build([PEN], AT), None)
    assert ids(stored) == ["bag"]


def test_an_index_of_another_form_is_none_and_is_built_anew(stored: StoredIndex) -> None:
    old = build([CUP], AT)
    old = type(old)(FORM + 1, *[getattr(old, name) for name in old.__struct_fields__[1:]])
    stored.replace(old, None)
    found = stored.read_newer(None)
    assert found is not None
    assert found[0] is None

    assert apply(stored, PEN, every=[CUP, BAG, PEN]) == "rebuilt"
    assert ids(stored) == ["bag", "cup", "pen"]


def test_changes_are_merged_and_a_repeat_writes_nothing(stored: StoredIndex) -> None:
    outcomes = [
        apply(stored, every=[CUP, BAG]),
        apply(stored, PEN, gone={"bag": 2}),
        apply(stored, PEN, gone={"bag": 2}),
        apply(stored, replace(CUP, version=2, title_zh="水杯")),
        apply(stored, CUP),
    ]

    assert outcomes == ["rebuilt", "merged", "same", "merged", "same"]
    assert ids(stored) == ["cup", "pen"]


def test_all_products_are_read_again(stored: StoredIndex) -> None:
    apply(stored, every=[CUP, BAG])

    assert rebuild(AT, every_entry=lambda: [PEN, CUP], stored=stored) == 2
    assert ids(stored) == ["cup", "pen"]


def test_more_products_than_an_index_can_number_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardstock.search.upkeep.MOST_PRODUCTS", 1)

    with pytest.raises(ValueError, match="2 products"):
        rebuild(AT, every_entry=lambda: [CUP, BAG], stored=MemoryIndex())


@pytest.mark.usefixtures("cloud")
def test_two_who_merge_at_once_lose_nothing_in_any_order() -> None:
    """A product that was taken off the shelf does not come back by somebody who read it before."""
    shelf: dict[str, Entry] = {}

    def start() -> None:
        shelf.clear()
        shelf.update({"cup": CUP, "bag": BAG})
        Files(environment.text("SEARCH_INDEX_BUCKET")).remove("search/index")
        apply(file_index(), every=[CUP])

    def follow(product_id: str) -> str:
        def read() -> Changes:
            found = shelf.get(product_id)
            return Changes([found] if found else [], {} if found else {product_id: 2})

        return apply_changes(read, AT, every_entry=shelf.values, stored=file_index())

    def archive() -> str:
        file_index().read_newer(None)  # a call, so that the other may be anywhere by now
        del shelf["bag"]
        return follow("bag")

    runs = 0
    for run in every_way(lambda: [lambda: follow("bag"), archive], start):
        runs += 1

        assert not [end for end in run.ends if isinstance(end, BaseException)]
        assert ids(file_index()) == ["cup"]
    assert runs >= 10


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
@pytest.mark.parametrize("call", [0, 1])
def test_a_merge_that_is_stopped_at_a_call_is_done_by_its_repeat(call: int, mode: faults.Mode) -> None:
    stored = file_index()
    apply(stored, every=[CUP])
    try:
        with faults.at(call, mode):
            apply(stored, BAG)
    except (faults.Killed, UnavailableError):
        pass
    apply(stored, BAG)

    assert ids(stored) == ["bag", "cup"]


class Counted(MemoryIndex):
    """Counts its reads; gives no answer when it is `down`."""

    reads = 0
    down = False

    def read_newer(self, tag: str | None) -> tuple[Contents | None, str] | None:
        self.reads += 1
        if self.down:
            raise STORE_UNAVAILABLE()
        return super().read_newer(tag)


@pytest.mark.parametrize("kind", ["in memory", "kept"])
def test_an_index_is_searched_the_same_way_wherever_it_is(kind: str) -> None:
    contents = build([CUP, BAG], AT)
    stored = MemoryIndex()
    stored.replace(contents, None)
    search: SearchIndex = IndexSearch(Index(contents)) if kind == "in memory" else KeptIndex(stored)

    assert search.search(Query("化妆")).product_ids == ("bag",)
    assert search.search(Query("火箭")).product_ids == ()
    assert [each.text for each in search.suggest("zzz", 5)] == []


def test_a_function_looks_at_the_index_again_after_some_seconds(clock: TestClock) -> None:
    stored = Counted()
    search = KeptIndex(stored)

    assert search.search(Query("杯")).total == 0
    apply(stored, every=[CUP])
    stored.reads = 0
    assert [search.search(Query("杯")).total for _ in range(3)] == [0, 0, 0]
    assert stored.reads == 0
    clock.move(seconds=5)
    assert [search.search(Query("杯")).total for _ in range(3)] == [1, 1, 1]
    assert stored.reads == 1
    assert [each.text for each in search.suggest("zzz", 5)] == []
    clock.move(seconds=4.9)
    assert search.search(Query("杯")).built_at == AT
    assert stored.reads == 1
    assert LOOKED_AT_AFTER.total_seconds() == 5


def test_a_function_goes_on_with_its_index_while_the_store_is_down(clock: TestClock) -> None:
    stored = Counted()
    search = KeptIndex(stored)
    stored.down = True
    with pytest.raises(UnavailableError):
        search.search(Query("杯"))
    stored.down = False
    apply(stored, every=[CUP])
    assert search.search(Query("杯")).total == 1
    stored.down = True
    clock.move(seconds=5)

    assert search.search(Query("杯")).total == 1
