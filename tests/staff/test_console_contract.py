"""One suite for the stores of log-ins, sessions and actions: of the fakes and of the tables alike."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from cardstock.errors import ThrottledError
from cardstock.ids import RequestKey, new_id
from cardstock.staff.action_store import DynamoActions, begin_action
from cardstock.staff.actions import RecordedAction
from cardstock.staff.console_model import LOG_INS, WRONG_DIGITS, ConsoleSession, PendingLogin, login_ids_since
from cardstock.staff.console_store import DynamoConsole
from cardstock.staff.model import ROOT, Person
from cardstock.staff.ports import Actions, Console, Persons
from cardstock.staff.store import PERSON, DynamoPersons, PersonItem
from tests.people.memory_staff import MemoryActions, MemoryConsole, MemoryPersons

CONTRACT = {Console: (MemoryConsole, DynamoConsole), Actions: (MemoryActions, DynamoActions)}

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
EARLIER = timedelta(seconds=90)
LOGIN = PendingLogin(
    "stf_1", login_ids_since(NOW) + "aa", "47", ("12", "47", "83"), "Chrome, Windows", "203.0.113.x", NOW, NOW
)
CONFIRMED = replace(LOGIN, state="confirmed", member_id="mem_1", answered_at=NOW)
REFUSED = replace(CONFIRMED, state="refused")
SESSION = ConsoleSession("stf_1", "bb", "mem_1", "api", NOW, NOW, "Chrome, Windows", "203.0.113.x")


class World(NamedTuple):
    """Two persons, the first of whom is a member, and the console."""

    persons: Persons
    console: Console


@pytest.fixture(params=["memory", "table"])
def world(request: pytest.FixtureRequest) -> World:
    known = [Person(name, "李娜", ROOT, NOW) for name in ("stf_1", "stf_2")]
    if request.param == "memory":
        persons = MemoryPersons(replace(known[0], member_id="mem_1"), known[1])
        return World(persons, MemoryConsole(persons))
    request.getfixturevalue("cloud")
    stored = DynamoPersons()
    for person in known:
        stored.add_person(person, RequestKey(f"req_{person.person_id}", "f"), None)
    PersonItem(PERSON, "stf_1").update([PersonItem.member_id.set("mem_1")])
    return World(stored, DynamoConsole())


def test_a_log_in_comes_back_as_it_was_asked_for(world: World) -> None:
    other = replace(LOGIN, login_id=LOGIN.login_id + "ab", person_id="stf_nobody", known=True)
    older = replace(LOGIN, login_id=login_ids_since(NOW - timedelta(milliseconds=1)) + "ff", made_at=NOW - EARLIER)
    for login in (LOGIN, other, older):
        world.console.ask(login, "203.0.113.10")
    of = world.console.logins_of

    assert world.console.find_login("stf_1", LOGIN.login_id) == LOGIN
    assert world.console.find_login("stf_1", other.login_id) is None
    assert (of("stf_1", NOW), of("stf_nobody", NOW)) == ([LOGIN], [other])
    assert sorted(each.login_id for each in of("stf_1", NOW - EARLIER)) == [older.login_id, LOGIN.login_id]


def test_log_ins_are_counted_for_where_they_come_from_and_not_for_the_person(world: World) -> None:
    for number in range(LOG_INS.most):
        world.console.ask(replace(LOGIN, login_id=f"a{number}", person_id=f"stf_{number}"), "203.0.113.10")
        world.console.ask(replace(LOGIN, login_id=f"b{number}"), f"203.0.113.1{number}x")
    with pytest.raises(ThrottledError, match="TOO_MANY"):
        world.console.ask(replace(LOGIN, login_id="x"), "203.0.113.10")
    world.console.ask(replace(LOGIN, login_id="y"), "elsewhere")

    assert world.console.find_login("stf_1", "x") is None
    assert world.console.find_login("stf_1", "y") is not None


@pytest.mark.parametrize("last", [CONFIRMED, REFUSED])
def test_after_wrong_answers_the_phone_is_stopped_until_the_window_is_over(world: World, last: PendingLogin) -> None:
    for number in range(WRONG_DIGITS.most):
        one = replace(REFUSED, login_id=f"a{number}")
        world.console.ask(replace(LOGIN, login_id=one.login_id), f"{number}")
        assert [world.console.answer(one) for _ in range(2)] == [True, False]
    world.console.ask(LOGIN, "here")
    with pytest.raises(ThrottledError, match="TOO_MANY"):
        world.console.answer(last)
    still = world.console.find_login("stf_1", LOGIN.login_id)
    later = replace(last, answered_at=WRONG_DIGITS.ends(NOW))

    assert still == LOGIN
    assert world.console.answer(later)
    assert world.console.find_login("stf_1", LOGIN.login_id) == later


def test_a_log_in_is_answered_once_by_the_member_who_is_the_person(world: World) -> None:
    world.console.ask(LOGIN, "a")

    assert world.console.answer(replace(CONFIRMED, member_id="mem_2")) is False
    assert world.console.answer(CONFIRMED) is True
    assert world.console.answer(replace(CONFIRMED, state="refused")) is False
    assert world.console.find_login("stf_1", LOGIN.login_id) == CONFIRMED
    assert world.console.answer(replace(CONFIRMED, login_id="unknown")) is False


def test_a_deactivated_person_answers_and_starts_nothing(world: World) -> None:
    world.console.ask(LOGIN, "a")
    world.console.answer(CONFIRMED)
    world.console.ask(replace(LOGIN, login_id="ab"), "a")
    world.persons.deactivate("stf_1", "stf_2", 1)

    assert world.console.answer(replace(CONFIRMED, login_id="ab")) is False
    assert world.console.start(SESSION, CONFIRMED) is False


def test_a_session_starts_from_a_confirmed_log_in_and_a_repeat_changes_nothing(world: World) -> None:
    world.console.ask(LOGIN, "a")
    early = world.console.start(SESSION, LOGIN)
    world.console.answer(CONFIRMED)

    assert early is False
    assert [world.console.start(one, CONFIRMED) for one in (SESSION, SESSION)] == [True, True]
    assert world.console.start(replace(SESSION, session_id="cc", member_id="mem_2"), CONFIRMED) is False
    world.console.end("stf_1", "bb", NOW)
    world.console.end("stf_1", "unknown", NOW)
    assert world.console.start(SESSION, CONFIRMED) is True


def record(number: int, person: str) -> RecordedAction:
    at = NOW + timedelta(hours=number)
    return RecordedAction(person, new_id("act", at), at, "key_1", "POST /v1/x", "id=1", "n=2", "why", "trace")


@pytest.fixture(params=["memory", "table"])
def actions_with(request: pytest.FixtureRequest) -> Callable[..., Actions]:
    def made(*known: RecordedAction) -> Actions:
        if request.param == "memory":
            return MemoryActions(*known)
        for each in known:
            begin_action(each)
        return DynamoActions()

    if request.param == "table":
        request.getfixturevalue("cloud")
    return made


def test_actions_of_several_persons_are_read_newest_first_page_by_page(actions_with: Callable[..., Actions]) -> None:
    known = [record(number, f"stf_{number % 3}") for number in range(9)]
    actions = actions_with(*known, record(3, "stf_other"))
    wanted = [f"stf_{number}" for number in range(3)]
    pages, after = [], None
    while True:
        page, after = actions.actions_of(wanted, None, None, 4, after)
        pages.append(list(page))
        if after is None:
            break

    assert [len(page) for page in pages] == [4, 4, 1]
    assert [each for page in pages for each in page] == known[::-1]
    assert actions.actions_of(["stf_nobody"], None, None, 4, None) == ([], None)


def test_actions_of_a_day_begin_and_end_with_it(actions_with: Callable[..., Actions]) -> None:
    known = [record(number, "stf_1") for number in range(5)]
    since, until = known[1].at, known[3].at
    found, end = actions_with(*known).actions_of(["stf_1"], since, until, 10, None)

    assert (list(found), end) == ([known[2], known[1]], None)
