"""People who log in, and views that are counted, at the same moment, on an engine that isolates writes as AWS does."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest

from cardstock.cards.model import View
from cardstock.cards.radar import count_views
from cardstock.cards.store import DynamoRadars
from cardstock.members.consent_model import FIRST
from cardstock.members.item_store import members_of
from cardstock.members.login import LoginNeeds, LoginRequest, LoginResult, log_in
from cardstock.members.login_platforms.development import DevelopmentPlatform
from cardstock.members.model import Person, phone_key
from cardstock.members.session_model import MOST_SESSIONS, Outcome, Turn, started
from cardstock.members.session_store import DynamoSessions
from cardstock.members.store import DynamoMembers
from tests.house.racing import at_once
from tests.people.clock import TestClock
from tests.people.consents import AGREED
from tests.people.marks import MARKER
from tests.people.memory_cards import MemoryVisitors
from tests.people.memory_members import MemoryHoldings

pytestmark = pytest.mark.engine

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
TABLES = ("members", "sessions", "network", "cards")
AT_ONCE = 12


@pytest.fixture
def members(tables: None, clock: TestClock) -> DynamoMembers:
    return DynamoMembers()


def enter(members: DynamoMembers, openid: str, *, phone: str | None = None, invite: str | None = None) -> LoginResult:
    request = LoginRequest("dev", "wx1", f"dev:{openid}", phone, invite, consents=AGREED)
    return log_in(request, LoginNeeds({"dev": DevelopmentPlatform()}, members, MemoryHoldings(), FIRST, MARKER))


def test_one_person_who_logs_in_many_times_at_once_is_registered_once(members: DynamoMembers) -> None:
    guide = enter(members, "guide").member.id
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sessions = list(pool.map(lambda _: enter(members, "anna", invite=guide), range(AT_ONCE)))

    assert len({session.member.id for session in sessions}) == 1
    assert Counter(session.is_new for session in sessions) == {True: 1, False: AT_ONCE - 1}
    assert {session.inviter_id for session in sessions} == {guide}


def test_a_number_that_many_prove_at_once_leads_to_one_member(members: DynamoMembers) -> None:
    anna = enter(members, "anna", phone="dev:+8613800138000").member.id
    members.add_person(anna, Person("王小明", "1****************X", "00ff$00ff", NOW.date(), "dev", NOW))
    steps = [partial(enter, members, f"taker-{n}", phone="dev:+8613800138000") for n in range(AT_ONCE)]
    ids = {found.member.id for found in at_once(*steps)}
    holder = members.look_up([phone_key("+8613800138000")]).owners[phone_key("+8613800138000")]
    bound = {each for each, one in members_of({anna, *ids}).items() if one.phone}

    assert anna not in ids
    assert bound == {holder}
    assert {enter(members, f"taker-{n}").member.id for n in range(AT_ONCE)} == ids


def test_newcomers_whom_one_member_brings_at_once_are_all_bound_to_that_member(members: DynamoMembers) -> None:
    guide = enter(members, "guide").member.id
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sessions = list(pool.map(lambda n: enter(members, f"friend-{n}", invite=guide), range(AT_ONCE)))

    assert all(session.is_new for session in sessions)
    assert {enter(members, f"friend-{n}").inviter_id for n in range(AT_ONCE)} == {guide}


def test_two_refreshes_at_once_get_the_same_number_and_the_session_goes_on(members: DynamoMembers) -> None:
    session, store = enter(members, "anna").session, DynamoSessions()

    def use(number: int) -> Outcome:
        return store.use_number(session.member_id, session.id, number, NOW, 1)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        turns = set(pool.map(lambda _: use(1), range(AT_ONCE)))

    assert turns == {Turn(2, NOW)}
    assert use(2) == Turn(3, NOW)


def test_many_log_ins_at_once_leave_as_many_sessions_as_there_are_places(members: DynamoMembers) -> None:
    """A full member's log-ins change one set of places: each that loses has lost to one that succeeded."""
    anna = enter(members, "anna").member.id
    made = {found.session.id for found in at_once(*[lambda: enter(members, "anna")] * (MOST_SESSIONS + 8))}
    live = {each.id for each in DynamoSessions().sessions_of(anna)}
    known = members.look_closer(anna).known

    assert len(made) == MOST_SESSIONS + 8
    assert len(live) == MOST_SESSIONS
    assert known is not None
    assert known.session_ids == live


def test_a_session_that_starts_while_all_end_ends_or_starts_after_them(members: DynamoMembers) -> None:
    anna, store = enter(members, "anna").member.id, DynamoSessions()
    at_once(lambda: store.end_all(anna, NOW), *[lambda: enter(members, "anna")] * 6)
    live = {each.id for each in store.sessions_of(anna)}
    known = members.look_closer(anna).known

    assert known is not None
    assert known.session_ids == live


def test_one_old_token_that_is_exchanged_many_times_at_once_makes_one_session(members: DynamoMembers) -> None:
    anna, store = enter(members, "anna").member.id, DynamoSessions()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        turns = set(pool.map(lambda _: store.adopt(started("ses_of_old", anna, "", NOW), 1), range(AT_ONCE)))

    assert turns == {Turn(1, NOW)}
    assert len(store.sessions_of(anna)) == 2


def test_views_of_one_card_that_are_counted_at_once_are_all_counted_once(members: DynamoMembers) -> None:
    views = [View(f"view-{n}", "k7m2p9xw4tab", "", "", "", None, NOW) for n in range(60)]
    batches = [views[n : n + 10] for n in range(0, 60, 10)] * 2

    def count(batch: list[View]) -> None:
        while count_views(batch, radars=DynamoRadars(), visitors=MemoryVisitors(everybody=True)):
            pass  # a queue would bring it again

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(count, batches))

    assert DynamoRadars().radars_of(["k7m2p9xw4tab"])["k7m2p9xw4tab"].views == 60


def test_members_who_are_verified_at_once_as_one_person_all_know_each_other(members: DynamoMembers) -> None:
    people = [enter(members, f"anna-{n}").member.id for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        salts = set(pool.map(lambda _: members.identity_salt(), people))
        person = Person("王小明", "1****************X", f"{salts.pop().hex()}$00", NOW.date(), "dev", NOW)
        kept = list(pool.map(lambda one: members.add_person(one, person), people))
    stored = members_of(people)

    assert not salts
    assert kept == [True] * 4
    assert {one: {one, *found.siblings} for one, found in stored.items()} == {one: set(people) for one in people}
