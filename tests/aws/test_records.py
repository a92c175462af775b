"""Structs in records: whatever is stored comes back as it was."""

import json
from datetime import UTC, date, datetime
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock.aws.records import from_record, to_record


class Inner(msgspec.Struct, frozen=True):
    at: datetime
    amount: int = 0


class Outer(msgspec.Struct, frozen=True):
    name: str
    state: Literal["new", "old"]
    day: date
    inner: Inner
    parts: tuple[Inner, ...] = ()
    ended: datetime | None = None
    last: Inner | None = None
    names: tuple[str, ...] = ()
    done: bool = False


moments = st.integers(0, 4_102_444_800_000).map(lambda ms: datetime.fromtimestamp(ms / 1000, UTC))
inners = st.builds(Inner, moments, st.integers())
outers = st.builds(
    Outer,
    st.text(),
    st.sampled_from(["new", "old"]),
    st.dates(),
    inners,
    st.lists(inners, max_size=3).map(tuple),
    st.none() | moments,
    st.none() | inners,
    st.lists(st.text(), max_size=3).map(tuple),
    st.booleans(),
)


@given(outers)
def test_what_is_stored_comes_back_as_it_was(value: Outer) -> None:
    data = json.loads(json.dumps(to_record(value)))

    assert from_record(Outer, data) == value


def test_a_moment_is_stored_as_milliseconds_by_its_type_alone() -> None:
    at = datetime(2026, 11, 30, 19, tzinfo=UTC)

    assert to_record(Inner(at)) == {"at": 1_796_065_200_000, "amount": 0}


def test_a_field_that_was_not_stored_takes_its_default() -> None:
    assert from_record(Inner, {"at": 0}) == Inner(datetime.fromtimestamp(0, UTC))


@pytest.mark.parametrize("value", [1.5, {"a": 1}, {1}, b"x"])
def test_what_has_no_exact_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        to_record(value)
