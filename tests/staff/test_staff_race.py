"""Who accepts one invitation, or two, at the same moment, on an engine that isolates writes as AWS does."""

from datetime import UTC, datetime
from functools import partial

import pytest

from cardstock.errors import CardstockError
from cardstock.ids import RequestKey
from cardstock.members.model import Account, Member
from cardstock.members.store import DynamoMembers, members_of
from cardstock.staff.link_store import DynamoLinks
from cardstock.staff.linking import accept, invite, release
from cardstock.staff.model import ROOT, Person
from cardstock.staff.store import DynamoPersons
from tests.house.racing import at_once
from tests.people.arrivals import register
from tests.people.clock import TestClock

pytestmark = pytest.mark.engine

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
TABLES = ("members", "sessions", "network", "staff", "requests")
HANDS = 8


@pytest.fixture
def links(tables: None, clock: TestClock) -> DynamoLinks:
    for number in range(HANDS):
        person = Person(f"stf_{number:026}", "Li Na", ROOT, NOW)
        DynamoPersons().add_person(person, RequestKey(f"req_{number}", "f"), None)
    return DynamoLinks()


def member(number: int) -> str:
    account = Account("dev", "wx1", f"m{number}")
    return register(DynamoMembers(), Member(f"mem_{number:026}", account.name, NOW), account).id


def codes(outcomes: list[object]) -> list[str]:
    return sorted(one.code if isinstance(one, CardstockError) else "done" for one in outcomes)


def test_of_many_members_with_one_invitation_one_becomes_the_person(links: DynamoLinks) -> None:
    token, members = invite("stf_" + "0" * 26, None, links=links).token, [member(number) for number in range(HANDS)]
    outcomes = at_once(*(partial(accept, token, one, links=links) for one in members))
    linked = [one for one, found in members_of(members).items() if found.staff_link]
    found = links.find_invited("stf_" + "0" * 26)

    assert codes(outcomes) == ["INVITATION_INVALID"] * (HANDS - 1) + ["done"]
    assert found is not None
    assert linked == [found[0].member_id]


def test_of_many_invitations_that_one_member_accepts_one_makes_the_person(links: DynamoLinks) -> None:
    anna, persons = member(1), [f"stf_{number:026}" for number in range(HANDS)]
    tokens = [invite(one, None, links=links).token for one in persons]
    outcomes = at_once(*(partial(accept, token, anna, links=links) for token in tokens))
    linked = [one.person_id for one in DynamoPersons().find_persons(persons).values() if one.member_id == anna]

    assert codes(outcomes) == ["MEMBER_IS_STAFF"] * (HANDS - 1) + ["done"]
    assert [members_of([anna])[anna].staff_link] == linked


def test_releases_at_once_end_one_link_once(links: DynamoLinks) -> None:
    anna, person_id = member(1), "stf_" + "0" * 26
    accept(invite(person_id, None, links=links).token, anna, links=links)
    outcomes = at_once(*(partial(release, person_id, "stf_" + "1" * 26, links=links) for _ in range(HANDS)))
    found = links.find_invited(person_id)

    assert codes(outcomes) == ["done"] * HANDS
    assert found is not None
    assert (found[0].member_id, found[0].former_members) == (None, (anna,))
