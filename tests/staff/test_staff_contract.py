"""One suite for the store of persons: of the fake and of the table alike."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from cardstock.errors import RefusedError
from cardstock.ids import RequestKey
from cardstock.staff.model import ROOT, Person
from cardstock.staff.ports import Persons
from cardstock.staff.store import DynamoPersons
from tests.people.memory_staff import MemoryPersons

CONTRACT = {Persons: (MemoryPersons, DynamoPersons)}

LI_NA = Person("stf_1", "李娜", ROOT, datetime(2026, 12, 1, 8, tzinfo=UTC))


def asked(name: str, body: str = "{}") -> RequestKey:
    return RequestKey(f"req_{name}", body)


@pytest.fixture(params=["memory", "table"])
def persons(request: pytest.FixtureRequest) -> Persons:
    if request.param == "memory":
        return MemoryPersons()
    request.getfixturevalue("cloud")
    return DynamoPersons()


def test_a_person_comes_back_as_it_was_stored(persons: Persons) -> None:
    assert persons.add_person(LI_NA, asked("1"), None) == "added"
    assert persons.find_person("stf_1") == LI_NA
    assert persons.find_person("stf_2") is None


def test_several_are_found_together_and_any_text_can_be_asked_for(persons: Persons) -> None:
    other = replace(LI_NA, person_id="stf_2")
    for person in (LI_NA, other):
        persons.add_person(person, asked(person.person_id), None)

    assert persons.find_persons(("stf_2", "stf_1", "stf_3")) == {"stf_1": LI_NA, "stf_2": other}
    assert persons.find_persons(("", "x" * 5_000)) == persons.find_persons(()) == {}


def test_a_repeated_request_stores_nothing(persons: Persons) -> None:
    persons.add_person(LI_NA, asked("1"), 1)

    assert persons.add_person(replace(LI_NA, name="x"), asked("1"), 1) == "known"
    assert persons.find_person("stf_1") == LI_NA


def test_a_request_key_with_another_body_is_refused(persons: Persons) -> None:
    persons.add_person(LI_NA, asked("1"), None)

    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        persons.add_person(LI_NA, asked("1", "[]"), None)


def test_no_more_than_so_many_are_added_where_there_is_a_limit(persons: Persons) -> None:
    made = [
        persons.add_person(replace(LI_NA, person_id=f"stf_{number}"), asked(str(number)), limit)
        for number, limit in enumerate((2, None, 2, None))
    ]

    assert made == ["added", "added", "too_many", "added"]
    assert persons.find_person("stf_2") is None


def test_deactivating_is_final_and_safe_to_repeat(persons: Persons) -> None:
    persons.add_person(LI_NA, asked("1"), None)
    persons.add_person(replace(LI_NA, person_id="stf_2"), asked("2"), None)

    assert [persons.deactivate(one, "stf_2", 1) for one in ("stf_1", "stf_1", "stf_3")] == ["done", "done", "unknown"]
    assert persons.find_person("stf_1") == replace(LI_NA, state="inactive")


def test_an_inactive_or_unknown_person_deactivates_nobody(persons: Persons) -> None:
    for number in (1, 2):
        persons.add_person(replace(LI_NA, person_id=f"stf_{number}"), asked(str(number)), None)
    persons.deactivate("stf_1", "stf_2", 1)

    assert [persons.deactivate("stf_2", actor, 1) for actor in ("stf_1", "stf_3")] == ["actor_inactive"] * 2
    assert persons.find_person("stf_2") == replace(LI_NA, person_id="stf_2")


def test_an_inactive_person_still_counts_among_those_made(persons: Persons) -> None:
    for number in (1, 2):
        persons.add_person(replace(LI_NA, person_id=f"stf_{number}"), asked(str(number)), 2)
    persons.deactivate("stf_1", "stf_2", 1)

    assert persons.add_person(replace(LI_NA, person_id="stf_3"), asked("3"), 2) == "too_many"


def test_so_many_remain_active_however_many_were_deactivated_before(persons: Persons) -> None:
    for number in range(5):
        persons.add_person(replace(LI_NA, person_id=f"stf_{number}"), asked(str(number)), None)

    assert [persons.deactivate(f"stf_{number}", "stf_4", 2) for number in (0, 1, 2, 3, 2)] == [
        *["done"] * 3, "last_persons", "done",
    ]  # fmt: skip
    assert [person.state for person in persons.persons(9, None)[0]] == [*["inactive"] * 3, *["active"] * 2]


def test_all_are_listed_in_pages(persons: Persons) -> None:
    made = [replace(LI_NA, person_id=f"stf_{number}") for number in range(5)]
    for person in made:
        persons.add_person(person, asked(person.person_id), None)
    first, following = persons.persons(3, None)
    second, end = persons.persons(3, following)

    assert [*first, *second] == made
    assert (following, end) == ("stf_2", None)


def test_any_text_can_be_asked_for_as_a_person(persons: Persons) -> None:
    assert [persons.find_person(text) for text in ("stf_", "x" * 5_000, "密" * 2_000, "a\x00")] == [None] * 4
