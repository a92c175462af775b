"""Invitations, log-ins and roles at the same moment, on an engine that isolates writes as AWS does."""

from datetime import UTC, datetime
from functools import partial

import pytest

from cardstock.errors import CardstockError
from cardstock.ids import RequestKey
from cardstock.members.item_store import members_of
from cardstock.members.model import Account, Member
from cardstock.members.store import DynamoMembers
from cardstock.staff.console_model import LOG_INS
from cardstock.staff.console_store import DynamoConsole, SessionItem
from cardstock.staff.link_store import DynamoLinks
from cardstock.staff.linking import accept, invite, release
from cardstock.staff.logging_in import ask, choose, collect
from cardstock.staff.model import ROOT, Person
from cardstock.staff.roles import Role
from cardstock.staff.store import DynamoPersons
from tests.house.racing import at_once
from tests.people.arrivals import register
from tests.people.clock import TestClock

pytestmark = pytest.mark.engine

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
TABLES = ("members", "sessions", "network", "staff", "staff-sessions", "requests")
HANDS = 8


@pytest.fixture
def links(tables: None, clock: TestClock) -> DynamoLinks:
    for number in range(HANDS):
        person = Person(f"stf_{number:026}", "Li Na", ROOT, NOW)
        DynamoPersons().add_person(person, RequestKey(f"req_{number}", "f"), None)
    return DynamoLinks()


def member(number: int) -> str:
    """The member of this number, who is registered if new."""
    account, member_id = Account("dev", "wx1", f"m{number}"), f"mem_{number:026}"
    known = DynamoMembers().find_member(member_id)
    return known.id if known else register(DynamoMembers(), Member(member_id, account.name, NOW), account).id


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


@pytest.fixture
def console(links: DynamoLinks) -> DynamoConsole:
    accept(invite(PERSON, None, links=links).token, member(1), links=links)
    return DynamoConsole()


PERSON = "stf_" + "0" * 26


def test_of_many_answers_at_once_one_counts(console: DynamoConsole, clock: TestClock) -> None:
    asked = ask(PERSON, "Chrome", "203.0.113.10", console=console)
    wrong = next(each for each in asked.login.choices if each != asked.login.digits)
    digits = [asked.login.digits, wrong] * (HANDS // 2)
    steps = (partial(choose, PERSON, asked.login.login_id, each, member(1), console=console) for each in digits)
    outcomes = codes(at_once(*steps))
    found = console.find_login(PERSON, asked.login.login_id)

    assert found is not None
    if found.state == "confirmed":
        assert outcomes == ["NOT_FOUND"] * (HANDS // 2) + ["done"] * (HANDS // 2)
    else:
        assert outcomes == ["DIGITS_WRONG"] * HANDS


def test_many_polls_at_once_get_one_session(console: DynamoConsole, clock: TestClock) -> None:
    asked = ask(PERSON, "Chrome", "203.0.113.10", console=console)
    choose(PERSON, asked.login.login_id, asked.login.digits, member(1), console=console)
    entries = at_once(*(partial(collect, asked.secret, "api", console=console) for _ in range(HANDS)))

    assert len({str(entry.secret) for entry in entries}) == 1
    assert len(list(SessionItem.query(PERSON))) == 1


def test_owners_who_put_each_other_out_at_once_leave_an_owner(links: DynamoLinks) -> None:
    persons, ids = DynamoPersons(), [f"stf_{number:026}" for number in range(HANDS)]
    for each in ids[1:]:
        persons.set_roles(each, frozenset({"owner"}), ids[0])
    persons.set_roles(ids[0], frozenset({"owner"}), ids[1])
    pairs = [(ids[n], ids[(n + 1) % HANDS]) for n in range(HANDS)]
    at_once(
        *(partial(persons.set_roles, other, frozenset[Role](), one) for one, other in pairs),
        *(partial(persons.deactivate, other, one, 2) for one, other in pairs),
    )
    left = [one for one in persons.find_persons(ids).values() if one.active]

    assert len(left) >= 2
    assert [one for one in left if one.is_owner]


def test_a_log_in_is_counted_exactly_when_many_ask_at_once(console: DynamoConsole, clock: TestClock) -> None:
    address = "203.0.113.10"
    steps = (partial(ask, f"{PERSON[:-2]}{n:02}", "Chrome", address, console=console) for n in range(LOG_INS.most + 6))
    outcomes = at_once(*steps)

    assert sum(not isinstance(one, CardstockError) for one in outcomes) == LOG_INS.most
