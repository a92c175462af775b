"""Persons are linked with members through the functions: invited, accepted, released; every fault."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from pynamodb.exceptions import PynamoDBException

from cardstock.errors import CardstockError
from cardstock.members.item_store import members_of
from cardstock.staff.model import ROOT as BY_ROOT
from cardstock.staff.store import DynamoPersons
from tests.house import faults
from tests.house.cloud import ROOT_KEY, Cloud
from tests.people.clock import TestClock
from tests.people.replies import Reply
from tests.people.staff import Desk, person, staff_key


@pytest.fixture
def desk(cloud: Cloud, clock: TestClock) -> Desk:
    return Desk()


def link_of(member_id: str) -> str:
    return members_of([member_id])[member_id].staff_link


def test_the_root_key_invites_the_first_persons_and_a_person_invites_others(desk: Desk) -> None:
    li, owner = person("Li Na"), staff_key("Li Na", "staff:write")
    wang = person("Wang Fang", created_by=li)
    anna, bert = desk.member("anna"), desk.member("bert")
    linked = desk.accept(desk.invite(li).body["invitation"], anna)
    by_root = desk.invite(wang)
    by_owner = desk.accept(desk.invite(wang, owner).body["invitation"], bert)

    assert (linked.status, linked.body) == (200, {"person_id": li, "name": "Li Na"})
    assert (by_root.status, by_root.body["code"]) == (422, "FIRST_PERSONS_ONLY")
    assert by_owner.status == 200
    assert [link_of(member) for member in (anna, bert)] == [li, wang]
    assert [DynamoPersons().find_persons((li, wang))[one].linked_by for one in (li, wang)] == [BY_ROOT, li]


def test_an_invitation_is_good_once_and_shows_nothing_to_others(desk: Desk, cloud: Cloud) -> None:
    li, zhao = person("Li Na"), person("Zhao Min")
    token, anna, bert = desk.invite(li).body["invitation"], desk.member("anna"), desk.member("bert")
    first, repeat = desk.accept(token, anna), desk.accept(token, anna)
    replayed = desk.accept(token, bert)
    of_another = desk.accept(desk.invite(zhao).body["invitation"], anna)
    again = desk.invite(li)

    assert first == repeat
    assert (replayed.status, replayed.body["code"]) == (422, "INVITATION_INVALID")
    assert (of_another.status, of_another.body["code"]) == (422, "MEMBER_IS_STAFF")
    assert (again.status, again.body["code"]) == (422, "PERSON_LINKED")
    assert token[-24:] not in json.dumps(cloud.items("staff"), default=repr)


def test_an_invitation_ends_after_thirty_minutes_or_by_a_newer_one(desk: Desk, clock: TestClock) -> None:
    li, anna = person("Li Na"), desk.member("anna")
    older, newer = (desk.invite(li).body["invitation"] for _ in range(2))
    refused = desk.accept(older, anna)
    clock.move(minutes=30)
    late = desk.accept(newer, anna)

    assert [answer.body["code"] for answer in (refused, late)] == ["INVITATION_INVALID"] * 2
    assert desk.accept(desk.invite(li).body["invitation"], anna).status == 200


def test_another_person_releases_a_link_and_the_member_is_free(desk: Desk) -> None:
    li, zhao = person("Li Na"), person("Zhao Min")
    anna, owner = desk.linked(li, "anna"), staff_key("Zhao Min", "staff:write")
    own = desk.release(li, staff_key("Li Na", "staff:write"))
    by_root = desk.release(li, ROOT_KEY)
    unknown = desk.release("stf_00000000000000000000000000", owner)
    done, repeat = desk.release(li, owner), desk.release(li, owner)

    assert [answer.body["code"] for answer in (own, by_root, unknown)] == ["OWN_RIGHTS", "PERSON_NEEDED", "NOT_FOUND"]
    assert (done.status, repeat.status, link_of(anna)) == (204, 204, "")
    assert desk.accept(desk.invite(zhao).body["invitation"], anna).status == 200
    assert DynamoPersons().find_persons((li,))[li].former_members == (anna,)


def test_nobody_invites_themself_or_an_inactive_person(desk: Desk) -> None:
    li, gone = person("Li Na"), person("Wang Fang")
    person("Zhao Min")
    DynamoPersons().deactivate(gone, li, 1)
    owner = staff_key("Li Na", "staff:write")
    answers = [desk.invite(li, owner), desk.invite(gone, owner), desk.invite("stf_" + "0" * 26, owner)]

    assert [answer.body["code"] for answer in answers] == ["OWN_RIGHTS", "NOT_FOUND", "NOT_FOUND"]


def test_a_deactivated_person_cannot_be_linked_by_an_earlier_invitation(desk: Desk) -> None:
    li, zhao, token = person("Li Na"), person("Zhao Min"), desk.invite(person("Wang Fang")).body["invitation"]
    DynamoPersons().deactivate(person("Wang Fang"), li, 1)
    refused = desk.accept(token, desk.member("anna"))

    assert (refused.status, refused.body["code"]) == (422, "INVITATION_INVALID")
    assert zhao != li


def test_accepting_costs_one_read_and_one_transaction(desk: Desk) -> None:
    token, anna = desk.invite(person("Li Na")).body["invitation"], desk.member("anna")
    desk.accept("sti_none", anna)
    with faults.watch() as calls:
        desk.accept(token, anna)

    assert calls == ["dynamodb.GetItem", "dynamodb.TransactWriteItems"]


# --- faults ---


def accepting(desk: Desk) -> Callable[[], Reply]:
    token, anna = desk.invite(person("Li Na")).body["invitation"], desk.member("anna")
    return lambda: desk.accept(token, anna)


def releasing(desk: Desk) -> Callable[[], Reply]:
    desk.linked(person("Li Na"), "anna")
    owner = staff_key("Zhao Min", "staff:write")
    return lambda: desk.release(person("Li Na"), owner)


def links(cloud: Cloud) -> list[Any]:
    """Who is linked with whom, from both sides."""
    persons = [(one.name, one.member_id, one.former_members) for one in DynamoPersons().persons(100, None)[0]]
    members = [item["staff_link"]["S"] for item in cloud.items("members") if "staff_link" in item]
    return [persons, members]


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", [accepting, releasing])
def test_a_disturbed_step_and_its_repeat_end_as_one_undisturbed_step(
    make: Callable[[Desk], Callable[[], Reply]], mode: faults.Mode, desk: Desk, cloud: Cloud
) -> None:
    person("Zhao Min")
    step = make(desk)
    before, nothing = cloud.snapshot(), links(cloud)
    with faults.watch() as calls:
        step()
    expected = links(cloud)

    assert expected != nothing
    for index, name in enumerate(calls):
        before.restore()
        with faults.at(index, mode), contextlib.suppress(CardstockError, PynamoDBException):
            faults.survive(step)
        assert links(cloud) in (nothing, expected), (mode, index, name)
        answer = step()

        assert answer.status in (200, 204), (mode, index, name, answer)
        assert links(cloud) == expected, (mode, index, name)
