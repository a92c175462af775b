"""What every store of sessions guarantees, and how a member's sessions go on: the one in DynamoDB and the one in
memory, one by one and against a model."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from cardstock.ids import derived_id, new_id
from cardstock.members.model import Account, Member
from cardstock.members.ports import Members, Sessions
from cardstock.members.session_model import MOST_SESSIONS, Arrival, Session, Turn, started
from cardstock.members.session_store import DynamoSessions
from cardstock.members.store import DynamoMembers
from tests.people.arrivals import register
from tests.people.memory_members import MemoryMembers, MemorySessions

CONTRACT = {Sessions: (MemorySessions, DynamoSessions)}

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


class Stores(NamedTuple):
    """The stores of members and of their sessions."""

    members: Members
    sessions: Sessions


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        memory = MemoryMembers()
        sessions = memory.sessions = MemorySessions(memory)
        return Stores(memory, sessions)
    request.getfixturevalue("cloud")
    return Stores(DynamoMembers(), DynamoSessions())


def member(stores: Stores, openid: str, *, erased: bool = False) -> str:
    """A member with one session."""
    made = Member(new_id("mem", NOW), f"dev:wx1:{openid}", NOW)
    if erased:
        made = replace(made, erased_at=NOW, state="erased")
    return register(stores.members, made, Account("dev", "wx1", openid)).id


def start(stores: Stores, member_id: str, at: datetime) -> str:
    """One more session of a known member; its id."""
    known = stores.members.look_closer(member_id).known
    assert known is not None
    session = started(new_id("ses", at), member_id, "dev:wx1:o", at)
    assert stores.members.enter(Arrival(known, session))
    return session.id


def only(stores: Stores, member_id: str) -> Session:
    (found,) = stores.sessions.sessions_of(member_id)
    return found


def ids(stores: Stores, member_id: str) -> set[str]:
    return {each.id for each in stores.sessions.sessions_of(member_id)}


def test_a_number_is_used_once_and_renews_the_session(stores: Stores) -> None:
    anna = member(stores, "anna")
    made, later = only(stores, anna), NOW + timedelta(minutes=5)

    assert stores.sessions.use_number(anna, made.id, 1, later, 1) == Turn(2, later)
    assert stores.sessions.use_number(anna, made.id, 1, later + timedelta(seconds=9), 1) == Turn(2, later)
    assert stores.sessions.use_number(anna, made.id, 7, later, 1) == Turn(2, later)
    assert only(stores, anna) == replace(made, number=2, used_at=later, expires_at=later + timedelta(days=30))


def test_a_session_is_its_members_alone(stores: Stores) -> None:
    anna, bert = member(stores, "anna"), member(stores, "bert")
    made = only(stores, anna)

    assert stores.sessions.use_number(bert, made.id, 1, NOW, 1) is None
    assert stores.sessions.end(bert, made.id) is False
    assert only(stores, anna) == made


def test_an_erased_member_uses_no_number_and_adopts_nothing(stores: Stores) -> None:
    gone = member(stores, "gone", erased=True)

    assert stores.sessions.use_number(gone, only(stores, gone).id, 1, NOW, 1) == "erased"
    assert stores.sessions.adopt(started("ses_old", gone, "", NOW), 1) == "erased"
    assert stores.sessions.adopt(started("ses_old", "mem_nobody", "", NOW), 1) == "erased"


def test_a_member_who_agreed_to_an_older_version_uses_no_number_and_adopts_nothing(stores: Stores) -> None:
    anna = member(stores, "anna")
    made, old = only(stores, anna), started("ses_old", anna, "", NOW)

    assert stores.sessions.use_number(anna, made.id, 1, NOW, 2) == "lapsed"
    assert stores.sessions.adopt(old, 2) == "lapsed"
    assert only(stores, anna) == made
    assert stores.sessions.use_number(anna, made.id, 1, NOW, 1) == Turn(2, NOW)


def test_a_session_that_ended_stays_ended(stores: Stores) -> None:
    anna = member(stores, "anna")
    made = only(stores, anna)

    assert stores.sessions.end(anna, made.id) is True
    assert stores.sessions.end(anna, made.id) is False
    assert stores.sessions.use_number(anna, made.id, 1, NOW, 1) is None
    assert ids(stores, anna) == set()


def test_the_twenty_first_session_ends_the_oldest(stores: Stores) -> None:
    anna = member(stores, "anna")
    first = only(stores, anna).id
    made = [start(stores, anna, NOW + timedelta(minutes=number)) for number in range(1, MOST_SESSIONS)]
    before = ids(stores, anna)
    one_more = start(stores, anna, NOW + timedelta(hours=1))

    assert before == {first, *made}
    assert ids(stores, anna) == {*made, one_more}
    assert stores.sessions.end(anna, made[3]) is True
    last = start(stores, anna, NOW + timedelta(hours=2))
    assert ids(stores, anna) == {*made, one_more, last} - {made[3]}


def test_all_sessions_of_one_member_end_at_once(stores: Stores) -> None:
    anna, bert = member(stores, "anna"), member(stores, "bert")
    start(stores, anna, NOW)
    stores.sessions.end_all(anna, NOW)

    assert ids(stores, anna) == set()
    assert len(ids(stores, bert)) == 1
    assert stores.sessions.adopt(started(derived_id("ses", "t"), anna, "", NOW), 1) is None
    again = start(stores, anna, NOW)
    assert ids(stores, anna) == {again}
    stores.sessions.end_all(anna, NOW)
    stores.sessions.end_all(anna, NOW)
    assert ids(stores, anna) == set()


def test_a_token_without_a_session_is_adopted_once(stores: Stores) -> None:
    anna = member(stores, "anna")
    taken = started(derived_id("ses", "t"), anna, "", NOW)
    later = replace(taken, made_at=NOW + timedelta(seconds=9), used_at=NOW + timedelta(seconds=9))

    assert stores.sessions.adopt(taken, 1) == Turn(1, NOW)
    assert stores.sessions.adopt(later, 1) == Turn(1, NOW)
    assert stores.sessions.use_number(anna, taken.id, 1, NOW, 1) == Turn(2, NOW)
    assert stores.sessions.adopt(later, 1) == Turn(2, NOW)
    assert stores.sessions.end(anna, taken.id) is True
    assert stores.sessions.adopt(later, 1) is None


def test_earlier_tokens_can_be_refused(stores: Stores) -> None:
    anna, bert = member(stores, "anna"), member(stores, "bert")
    stores.sessions.refuse_earlier(anna, NOW)

    assert stores.sessions.adopt(started(derived_id("ses", "a"), anna, "", NOW), 1) is None
    assert stores.sessions.adopt(started(derived_id("ses", "b"), bert, "", NOW), 1) == Turn(1, NOW)
    assert len(ids(stores, anna)) == 1
