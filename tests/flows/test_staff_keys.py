"""API keys follow their owners, also where a person is deactivated while a key of that person is made."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from cardstock.errors import ForbiddenError, InvalidError, NotFoundError, RefusedError
from cardstock.flows.staff_keys import KeyMaker, KeyNeeds, create_key, deactivate_person
from cardstock.ids import RequestKey
from cardstock.partners.model import ApiKey, Supplier
from cardstock.staff.model import ROOT, Person
from cardstock.staff.persons import can_approve, create_person
from tests.people.clock import START, TestClock
from tests.people.memory_members import MemoryMembers
from tests.people.memory_partners import MemoryEndpoints, MemoryKeys, MemorySuppliers, request
from tests.people.memory_staff import MemoryLinks, MemoryPersons

LI_NA = Person("stf_1", "Li Na", ROOT, START)
WANG_FANG = Person("stf_2", "Wang Fang", ROOT, START)
SCOPES = frozenset({"orders:fulfil"})
BY_ROOT = KeyMaker(None, frozenset(), is_root=True)


class Brand:
    """Three persons, a supplier, and a place for keys."""

    def __init__(self) -> None:
        self.keys = MemoryKeys()
        self.persons = MemoryPersons(LI_NA, WANG_FANG, replace(LI_NA, person_id="stf_9", name="Zhao Min"))
        self.suppliers = MemorySuppliers()
        self.endpoints = MemoryEndpoints()
        self.suppliers.add(Supplier("sup_1", "宁波织物", ("whsec_a",), START))

    def key(self, owner: str, name: str = "one", maker: KeyMaker = BY_ROOT) -> tuple[ApiKey, str | None]:
        needs = KeyNeeds(self.keys, self.persons, self.suppliers)
        return create_key("console", owner, SCOPES, request(name), maker, needs=needs)

    def deactivate(self, person_id: str = "stf_1", actor: str | None = "stf_2") -> None:
        deactivate_person(person_id, actor, persons=self.persons, keys=self.keys, endpoints=self.endpoints)


@pytest.mark.parametrize(("owner", "name"), [("stf_1", "Li Na"), ("sup_1", "宁波织物")])
def test_a_key_carries_its_owners_id_and_name(owner: str, name: str) -> None:
    key, credential = Brand().key(owner)

    assert (key.owner, key.owner_name, key.name, credential is None) == (owner, name, "console", False)


@pytest.mark.parametrize(
    "owner", ["", "staff", "root", "stf_3", "stf_", "sup_", "sup_2", "sup_A", "Staff", "mem_1", "sup_1\n", "sup_1 "]
)
def test_an_owner_is_a_person_or_a_supplier_that_exists(owner: str) -> None:
    brand = Brand()

    with pytest.raises(InvalidError, match="OWNER_UNKNOWN"):
        brand.key(owner)
    assert brand.keys.keys == {}


@pytest.mark.parametrize(
    ("maker", "owner", "refusal"),
    [
        (BY_ROOT, "stf_1", None),
        (BY_ROOT, "sup_1", None),
        (KeyMaker("stf_1", frozenset({"keys:write", *SCOPES})), "stf_1", None),
        (KeyMaker("stf_1", frozenset({"keys:write", *SCOPES})), "sup_1", None),
        (KeyMaker("stf_1", frozenset({"keys:write", *SCOPES})), "stf_2", "KEY_OF_ANOTHER"),
        (KeyMaker("stf_1", frozenset({"keys:write"})), "stf_1", "SCOPE_NOT_HELD"),
        (KeyMaker(None, frozenset({"keys:write", *SCOPES})), "stf_1", "KEY_OF_ANOTHER"),
    ],
)
def test_nobody_but_root_sees_a_credential_of_another_person_or_gets_more_scopes(
    maker: KeyMaker, owner: str, refusal: str | None
) -> None:
    brand = Brand()
    if refusal is None:
        assert brand.key(owner, maker=maker)[1] is not None
        return

    with pytest.raises(ForbiddenError, match=refusal):
        brand.key(owner, maker=maker)
    assert brand.keys.keys == {}


def test_two_persons_who_deactivate_each_other_do_not_both_go() -> None:
    brand = Brand()
    brand.deactivate("stf_1", "stf_2")

    with pytest.raises(ForbiddenError, match="PERSON_INACTIVE"):
        brand.deactivate("stf_2", "stf_1")
    assert brand.persons.stored["stf_2"].state == "active"


def test_deactivating_a_person_revokes_all_keys_of_that_person_and_no_others() -> None:
    brand = Brand()
    own = [brand.key("stf_1", str(number))[0].key_id for number in range(250)]
    others = [brand.key(owner, owner)[0].key_id for owner in ("stf_2", "sup_1")]
    brand.deactivate()
    brand.deactivate()

    assert {key_id for key_id, key in brand.keys.keys.items() if not key.active} == set(own)
    assert all(brand.keys.keys[key_id].active for key_id in others)
    with pytest.raises(InvalidError, match="OWNER_UNKNOWN"):
        brand.key("stf_1", "later")


def test_a_key_that_is_made_while_its_person_is_deactivated_opens_nothing_and_is_not_shown() -> None:
    brand = Brand()

    class Late(MemoryKeys):
        """The person is deactivated between the maker's first look and the store."""

        def add(self, key: ApiKey, request: RequestKey) -> str | None:
            brand.deactivate()
            return super().add(key, request)

    brand.keys = Late()

    with pytest.raises(InvalidError, match="OWNER_UNKNOWN"):
        brand.key("stf_1")
    assert [key.active for key in brand.keys.keys.values()] == [False]


def test_who_cannot_deactivate_whom(clock: TestClock) -> None:
    brand = Brand()
    new = replace(LI_NA, person_id="stf_new", created_by="stf_1", created_at=clock.now() - timedelta(days=6))
    brand.persons.stored["stf_new"] = new

    with pytest.raises(ForbiddenError, match="PERSON_NEEDED"):
        brand.deactivate(actor=None)
    with pytest.raises(RefusedError, match="OWN_PERSON"):
        brand.deactivate("stf_2")
    with pytest.raises(NotFoundError):
        brand.deactivate("stf_3")
    with pytest.raises(RefusedError, match="CREATOR_TOO_NEW"):
        brand.deactivate("stf_2", "stf_new")
    assert all(person.state == "active" for person in brand.persons.stored.values())


def test_two_persons_remain_whoever_deactivates_whom() -> None:
    brand = Brand()
    brand.deactivate("stf_1", "stf_2")

    for person, actor in (("stf_9", "stf_2"), ("stf_2", "stf_9")):
        with pytest.raises(RefusedError, match="LAST_PERSONS"):
            brand.deactivate(person, actor)
    brand.deactivate("stf_1", "stf_9")
    assert [person.state for person in brand.persons.stored.values()] == ["inactive", "active", "active"]


def test_root_creates_two_persons_and_they_create_the_others(clock: TestClock) -> None:
    persons = MemoryPersons()
    first, again = (create_person("Li Na", None, request("1"), persons=persons) for _ in range(2))
    second, _ = create_person("Zhao Min", None, request("2"), persons=persons)
    with pytest.raises(RefusedError, match="FIRST_PERSONS_EXIST"):
        create_person("Wang Fang", None, request("3"), persons=persons)
    third, _ = create_person("Wang Fang", first.made.person_id, request("3"), persons=persons)

    assert (first.replayed, again) == (False, (first.made, True))
    assert [person.created_by for person in (first.made, second, third)] == [ROOT, ROOT, first.made.person_id]
    with pytest.raises(RefusedError, match="CREATOR_TOO_NEW"):
        create_person("Qian", third.person_id, request("4"), persons=persons)
    clock.move(days=7)
    assert not create_person("Qian", third.person_id, request("4"), persons=persons).replayed


def test_an_unknown_or_inactive_person_creates_nobody(clock: TestClock) -> None:
    persons = MemoryPersons(replace(LI_NA, state="inactive", created_at=START - timedelta(days=90)))

    for creator in ("stf_1", "stf_3"):
        with pytest.raises(ForbiddenError, match="PERSON_INACTIVE"):
            create_person("Qian", creator, request("1"), persons=persons)
    assert len(persons.stored) == 1


def test_only_persons_are_second_persons(clock: TestClock) -> None:
    persons = MemoryPersons(LI_NA, WANG_FANG)
    links = MemoryLinks(persons, MemoryMembers())

    assert can_approve("stf_2", "stf_1", persons=persons, links=links)
    for second, first in [(None, "stf_1"), ("stf_1", "stf_1"), ("stf_3", "stf_1"), ("stf_1", "key_root"),
                          ("stf_1", "root"), ("stf_1", "key_1"), ("stf_1", "")]:  # fmt: skip
        assert not can_approve(second, first, persons=persons, links=links)
