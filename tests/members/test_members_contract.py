"""What every store of members guarantees: the one in DynamoDB and the one in memory."""

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from cardstock.errors import RefusedError
from cardstock.ids import new_id
from cardstock.members.model import MOST_MEMBERS, Account, Member, Person
from cardstock.members.ports import Members
from cardstock.members.store import DynamoMembers
from tests.people.memory_members import MemoryMembers

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
PHONE = "+8613800138000"
PERSON = Person("王小明", "1****************X", "00ff$00ff", date(1949, 12, 31), "dev", NOW)


@pytest.fixture(params=["memory", "dynamodb"])
def members(request: pytest.FixtureRequest) -> Members:
    if request.param == "memory":
        return MemoryMembers()
    request.getfixturevalue("cloud")
    return DynamoMembers()


def account(openid: str) -> Account:
    return Account("dev", "wx1", openid)


def registered(members: Members, openid: str, *, phone: str = "", erased: bool = False) -> Member:
    newcomer = Member(
        new_id("mem", NOW), account(openid).name, NOW, phone=phone, scene="1011", erased_at=NOW if erased else None
    )
    return members.register_member(newcomer, account(openid), None)


def found(members: Members, member: Member) -> Member:
    stored = members.find_member(member.id)
    assert stored is not None
    return stored


def test_a_registered_member_is_found_by_id_account_and_phone(members: Members) -> None:
    anna = registered(members, "anna", phone=PHONE)

    assert members.find_member(anna.id) == anna
    assert members.find_member_by_account(account("anna")) == anna
    assert members.find_member_by_phone(PHONE) == anna


def test_nobody_is_found_where_nobody_is(members: Members) -> None:
    assert members.find_member("mem_unknown") is None
    assert members.find_member_by_account(account("anna")) is None
    assert members.find_member_by_phone(PHONE) is None


def test_an_account_registers_one_member_however_often(members: Members) -> None:
    anna = registered(members, "anna")

    assert registered(members, "anna") == anna


def test_a_phone_that_is_taken_registers_nobody(members: Members) -> None:
    registered(members, "anna", phone=PHONE)
    with pytest.raises(RefusedError, match="PHONE_TAKEN"):
        registered(members, "bert", phone=PHONE)

    assert members.find_member_by_account(account("bert")) is None


def test_a_further_account_leads_to_its_first_owner(members: Members) -> None:
    anna, bert = registered(members, "anna"), registered(members, "bert")

    assert members.add_account(anna, account("anna-elsewhere")) == anna
    assert members.add_account(bert, account("anna-elsewhere")) == anna
    assert members.find_member_by_account(account("anna-elsewhere")) == anna


def test_a_phone_belongs_to_one_member_and_is_added_once(members: Members) -> None:
    anna, bert = registered(members, "anna"), registered(members, "bert")
    with_phone = members.add_phone(anna, PHONE)

    assert with_phone == replace(anna, phone=PHONE) == members.find_member_by_phone(PHONE)
    assert members.add_phone(anna, PHONE) == with_phone
    with pytest.raises(RefusedError, match="PHONE_TAKEN"):
        members.add_phone(bert, PHONE)
    with pytest.raises(RefusedError, match="PHONE_TAKEN"):
        members.add_phone(with_phone, "+8613900139000")


def test_a_profile_is_replaced_whole(members: Members) -> None:
    anna = registered(members, "anna")

    assert members.change_profile(anna.id, "小林", 1990) == replace(anna, nickname="小林", birth_year=1990)
    assert members.change_profile(anna.id, "小林", None) == replace(anna, nickname="小林")
    assert members.change_profile("mem_unknown", "小林", None) is None


def test_an_erased_member_stays_as_it_is(members: Members) -> None:
    gone = registered(members, "gone", erased=True)

    assert members.change_profile(gone.id, "小林", None) is None
    assert members.add_person(gone.id, PERSON) is False
    assert members.find_member(gone.id) == gone


def test_the_salt_is_always_the_same(members: Members) -> None:
    assert members.identity_salt() == members.identity_salt()


def test_a_person_is_kept_once(members: Members) -> None:
    anna = registered(members, "anna")

    assert members.add_person(anna.id, PERSON) is True
    assert members.add_person(anna.id, PERSON) is False
    assert members.add_person(anna.id, replace(PERSON, number_hash="00ff$11")) is False
    assert members.find_member(anna.id) == replace(anna, person=PERSON)


def test_members_who_are_one_person_are_siblings(members: Members) -> None:
    anna, elsewhere, ben = (registered(members, openid) for openid in ("anna", "anna-elsewhere", "ben"))
    for member in (anna, elsewhere):
        members.add_person(member.id, PERSON)
    members.add_person(ben.id, replace(PERSON, number_hash="00ff$11"))

    assert found(members, anna).siblings == (elsewhere.id,)
    assert found(members, elsewhere).siblings == (anna.id,)
    assert found(members, ben).siblings == ()


def test_a_person_may_be_ten_members_and_no_more(members: Members) -> None:
    for number in range(MOST_MEMBERS):
        assert members.add_person(registered(members, f"anna-{number}").id, PERSON) is True
    one_more = registered(members, "anna-again")
    with pytest.raises(RefusedError, match="IDENTITY_IN_USE"):
        members.add_person(one_more.id, PERSON)

    assert found(members, one_more).person is None
