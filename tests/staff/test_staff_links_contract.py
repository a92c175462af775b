"""One suite for the store of links: of the fake and of the tables alike."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from cardstock.ids import RequestKey
from cardstock.members.closing_model import ClosingRequest
from cardstock.members.model import Account, Member
from cardstock.members.ports import Members
from cardstock.members.store import DynamoMembers
from cardstock.staff.link_store import DynamoLinks
from cardstock.staff.model import ROOT, Invitation, Person
from cardstock.staff.ports import Links, Persons
from cardstock.staff.store import DynamoPersons
from tests.people.arrivals import register
from tests.people.memory_members import MemoryMembers
from tests.people.memory_staff import MemoryLinks, MemoryPersons

CONTRACT = {Links: (MemoryLinks, DynamoLinks)}

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
FIRST = Invitation("aa", ROOT, NOW + timedelta(minutes=30))


class World:
    """Two persons, two members, and one who was erased."""

    def __init__(self, persons: Persons, members: Members, links: Links) -> None:
        self.persons, self.members, self.links = persons, members, links
        for name in ("stf_1", "stf_2"):
            persons.add_person(Person(name, "李娜", ROOT, NOW), RequestKey(f"req_{name}", "f"), None)
        self.anna, self.bert, self.gone = (self.member(name) for name in ("anna", "bert", "gone"))

    def member(self, name: str) -> str:
        account = Account("dev", "wx1", name)
        made = Member(f"mem_{name:0>26}", account.name, NOW)
        if name == "gone":
            made = replace(made, erased_at=NOW, state="erased")
        return register(self.members, made, account).id

    def link_of(self, member_id: str) -> str:
        found = self.members.find_member(member_id)
        assert found is not None
        return found.staff_link

    def person(self, person_id: str = "stf_1") -> Person:
        found = self.persons.find_person(person_id)
        assert found is not None
        return found


@pytest.fixture(params=["memory", "table"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        persons, members = MemoryPersons(), MemoryMembers()
        return World(persons, members, MemoryLinks(persons, members))
    request.getfixturevalue("cloud")
    return World(DynamoPersons(), DynamoMembers(), DynamoLinks())


def test_an_invitation_comes_back_and_a_newer_one_replaces_it(world: World) -> None:
    newer = replace(FIRST, digest="bb", made_by="stf_2")

    assert world.links.find_invited("stf_1") == (world.person(), None)
    assert (world.links.invite("stf_1", FIRST), world.links.invite("stf_1", newer)) == (True, True)
    assert world.links.find_invited("stf_1") == (world.person(), newer)
    assert world.links.link("stf_1", FIRST, world.anna, NOW) == "person_changed"
    assert [world.links.find_invited(text) for text in ("stf_3", "x" * 3_000)] == [None, None]


def test_person_and_member_know_each_other_from_one_step(world: World) -> None:
    world.links.invite("stf_1", replace(FIRST, made_by="stf_2"))

    assert world.links.link("stf_1", replace(FIRST, made_by="stf_2"), world.anna, NOW) == "linked"
    assert (world.person().member_id, world.person().linked_at, world.person().linked_by) == (world.anna, NOW, "stf_2")
    assert world.link_of(world.anna) == "stf_1"


def test_a_person_has_one_member_and_a_member_one_person(world: World) -> None:
    for person_id in ("stf_1", "stf_2"):
        world.links.invite(person_id, FIRST)
    world.links.link("stf_1", FIRST, world.anna, NOW)

    assert world.links.link("stf_1", FIRST, world.bert, NOW) == "person_changed"
    assert world.links.link("stf_2", FIRST, world.anna, NOW) == "member_linked"
    assert world.links.invite("stf_1", FIRST) is False
    assert (world.link_of(world.bert), world.person("stf_2").member_id) == ("", None)


def test_nobody_is_linked_with_a_member_who_leaves_has_left_or_is_unknown(world: World) -> None:
    world.links.invite("stf_1", FIRST)
    world.members.begin_closing(ClosingRequest(world.bert, NOW))
    unfit = (world.bert, world.gone, "mem_x")

    assert [world.links.link("stf_1", FIRST, name, NOW) for name in unfit] == ["member_gone"] * 3
    assert world.person().member_id is None


def test_an_inactive_or_unknown_person_is_neither_invited_nor_linked(world: World) -> None:
    world.links.invite("stf_1", FIRST)
    world.persons.deactivate("stf_1", "stf_2", 1)

    assert world.links.link("stf_1", FIRST, world.anna, NOW) == "person_changed"
    assert [world.links.invite(name, FIRST) for name in ("stf_1", "stf_3")] == [False, False]
    assert world.link_of(world.anna) == ""


def test_a_released_link_is_remembered_and_its_invitation_ends(world: World) -> None:
    world.links.invite("stf_1", FIRST)
    world.links.link("stf_1", FIRST, world.anna, NOW)
    linked = world.person()

    assert (world.links.release(linked), world.links.release(linked)) == (True, False)
    assert world.links.release(world.person()) is False
    assert world.link_of(world.anna) == ""
    former, stranger = (world.members.find_member(each) for each in (world.anna, world.bert))
    assert (former and former.was_staff, stranger and stranger.was_staff) == (True, False)
    assert world.links.link("stf_1", FIRST, world.bert, NOW) == "person_changed"
    assert (world.person().member_id, world.person().former_members) == (None, (world.anna,))
    assert (world.person().linked_at, world.person().linked_by) == (None, "")


def test_an_older_view_of_the_link_releases_nothing(world: World) -> None:
    for member_id in (world.anna, world.bert):
        world.links.invite("stf_1", FIRST)
        world.links.link("stf_1", FIRST, member_id, NOW)
        older, _ = world.person(), member_id == world.anna and world.links.release(world.person())

    assert world.links.release(replace(older, member_id=world.anna)) is False
    assert (world.person().member_id, world.link_of(world.bert)) == (world.bert, "stf_1")
