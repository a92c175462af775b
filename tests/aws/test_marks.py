"""Marks of names: found again by whoever has the key, of no use to anybody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock.ids import derived_id
from cardstock.marks import Marker
from tests.people.marks import MARKER

OTHER = Marker(lambda: "another key")


@given(st.text(), st.text())
def test_equal_names_have_equal_marks_and_others_have_not(one: str, other: str) -> None:
    assert (MARKER.of("payer", one) == MARKER.of("payer", other)) == (one == other)


@given(st.text())
def test_a_mark_depends_on_the_key_and_on_the_kind(name: str) -> None:
    assert len({MARKER.of("payer", name), MARKER.of("device", name), OTHER.of("payer", name)}) == 3


@pytest.mark.parametrize("name", ["wechat:wx1:oABC", "+8613800138000", "", "欧阳娜娜"])
def test_a_hash_that_v0_3_0_stored_becomes_the_mark_of_the_same_name(name: str) -> None:
    stored = derived_id("payer", name)

    assert MARKER.renew(stored) == MARKER.of("payer", name) != stored


def test_a_mark_and_nothing_stay_as_they_are_and_the_length_of_an_order_stays() -> None:
    mark = MARKER.of("device", "d-1")

    assert (MARKER.renew(mark), MARKER.renew(""), len(mark)) == (mark, "", len(derived_id("device", "d-1")))


def test_a_key_that_cannot_be_had_makes_no_mark() -> None:
    def missing() -> str:
        raise KeyError("key")

    with pytest.raises(KeyError):
        Marker(missing).of("payer", "wechat:wx1:oABC")
