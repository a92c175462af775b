"""Who is whose second person, and who may create persons: the rule alone, over all cases."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import cardstock.staff as area
from cardstock.staff.confirmation_model import CONFIRMATION_TRANSITIONS
from cardstock.staff.model import (
    PROBATION,
    ROOT,
    TRANSITIONS,
    Person,
    is_second_person,
    may_change_staff,
)
from tests.house.charts import steps_in, steps_of

START = datetime(2026, 12, 1, 8, tzinfo=UTC)
IDS = ("stf_a", "stf_b", "stf_c")
MOMENTS = st.integers(0, 20 * 24).map(lambda hours: START + timedelta(hours=hours))


@st.composite
def persons(draw: st.DrawFn) -> Person:
    person_id = draw(st.sampled_from(IDS))
    creator = draw(st.sampled_from((ROOT, "stf_z", *(other for other in IDS if other != person_id))))
    state = draw(st.sampled_from(("active", "active", "inactive")))
    return Person(person_id, "Li Na", creator, draw(MOMENTS), state)  # type: ignore[arg-type]  # a sampled Literal


def created(maker: Person, made: Person, at: datetime) -> bool:
    """Whether `maker` created `made` within seven days before `at`."""
    return made.created_by == maker.person_id and at - made.created_at < timedelta(days=7)


@given(persons(), persons(), MOMENTS)
def test_a_second_person_is_another_active_one_who_is_no_recent_maker_made_one_or_sibling(
    first: Person, second: Person, at: datetime
) -> None:
    newest = max(first.created_at, second.created_at)
    siblings = first.created_by == second.created_by and first.created_by != ROOT
    expected = (
        first.person_id != second.person_id
        and second.state == "active"
        and not created(first, second, at)
        and not created(second, first, at)
        and not (siblings and at - newest < timedelta(days=7))
    )

    assert is_second_person(second, first, at) == expected


@given(persons(), persons(), MOMENTS)
def test_of_two_active_persons_each_is_the_others_second_or_neither_is(
    one: Person, other: Person, at: datetime
) -> None:
    one, other = replace(one, state="active"), replace(other, state="active")

    assert is_second_person(one, other, at) == is_second_person(other, one, at)


@given(persons(), persons(), MOMENTS, MOMENTS)
def test_time_alone_never_makes_a_second_person_unfit(
    first: Person, second: Person, at: datetime, later: datetime
) -> None:
    at, later = sorted((at, later))

    assert is_second_person(second, first, later) or not is_second_person(second, first, at)


@given(persons(), MOMENTS)
def test_nobody_is_their_own_second_person_whatever_is_stored(person: Person, at: datetime) -> None:
    assert not is_second_person(person, replace(person, name="other", created_by=ROOT), at)


def test_seven_days_end_to_the_second() -> None:
    maker = Person("stf_a", "Li Na", ROOT, START - timedelta(days=90))
    made = Person("stf_b", "Wang Fang", "stf_a", START)
    last, first = START + PROBATION - timedelta(seconds=1), START + PROBATION

    assert [is_second_person(made, maker, at) for at in (START, last, first)] == [False, False, True]
    assert [is_second_person(maker, made, at) for at in (START, last, first)] == [False, False, True]


def test_two_of_one_maker_are_each_others_second_person_seven_days_after_the_newer_one() -> None:
    older = Person("stf_b", "Wang Fang", "stf_a", START - timedelta(days=3))
    newer = Person("stf_c", "Zhao Min", "stf_a", START)
    moments = [START, START + PROBATION - timedelta(seconds=1), START + PROBATION]

    assert [is_second_person(older, newer, at) for at in moments] == [False, False, True]
    assert [is_second_person(newer, older, at) for at in moments] == [False, False, True]


def test_the_two_that_root_created_are_each_others_second_person_at_once() -> None:
    one, other = (Person(person_id, "x", ROOT, START) for person_id in ("stf_a", "stf_b"))

    assert is_second_person(one, other, START)


@given(persons(), persons(), persons(), MOMENTS)
def test_nobody_gets_a_second_person_by_creating_one_who_creates_another(
    maker: Person, made: Person, grandchild: Person, at: datetime
) -> None:
    made = replace(made, person_id="stf_b", created_by="stf_a", state="active")
    maker = replace(maker, person_id="stf_a", created_by=ROOT, state="active")
    grandchild = replace(grandchild, person_id="stf_c", created_by="stf_b", state="active")
    possible = may_change_staff(made, grandchild.created_at) and made.created_at <= grandchild.created_at <= at

    # Once the second of the chain may create, it is a second person by itself.
    assert not possible or is_second_person(made, maker, at)


def test_who_may_change_staff() -> None:
    founder = Person("stf_a", "Li Na", ROOT, START)
    made = Person("stf_b", "Wang Fang", "stf_a", START)

    assert may_change_staff(founder, START)
    assert [may_change_staff(made, START + PROBATION - timedelta(seconds=s)) for s in (1, 0)] == [False, True]
    assert not may_change_staff(replace(founder, state="inactive"), START)


def test_the_chart_of_the_docstring_is_the_data() -> None:
    drawn = steps_in(area.__doc__)

    assert {(step.before, step.after) for step in drawn} == steps_of(TRANSITIONS) | steps_of(CONFIRMATION_TRANSITIONS)
    assert {step.verb for step in drawn} == {"deactivate_person", "answer", "use"}
