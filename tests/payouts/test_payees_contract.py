"""The contract of `payouts.ports.Payees`, held by members as the tables have them and by the fake in memory."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from cardstock.compliance.model import Alarm, Lift
from cardstock.compliance.store import DynamoAlarms, members_and_stopped
from cardstock.flows.paying_out import MembersAsPayees, MembersAsPersons
from cardstock.flows.paying_out_wiring import owing
from cardstock.members.item_store import member_item, members_of
from cardstock.members.model import Member, MemberState, Person
from cardstock.payouts.payees import Payee
from cardstock.payouts.ports import Payees
from tests.people.memory_payouts import MemoryPayees

CONTRACT = {Payees: (MemoryPayees, MembersAsPayees, MembersAsPersons)}

NOW = datetime(2026, 12, 1, 4, tzinfo=UTC)
PERSON = Person("张伟", "1***2", "00$01", date(1990, 5, 5), "dev", NOW)
YOUNG = replace(PERSON, number_hash="00$02", born=date(2008, 12, 2))
"""Comes of age on the second of December."""


class Memory:
    """The fake, which keeps what the tables' members amount to."""

    def __init__(self) -> None:
        self.ask = MemoryPayees()

    def keep(self, member: Member) -> None:
        person = member.person
        self.ask.payees[member.id] = Payee(
            member.id,
            person.name if person else "",
            member.account,
            verified=person is not None,
            of_age=person is not None,
            erased=member.state == "erased",
            person=person.id if person else "",
            id_number=person.number_masked if person else "",
            siblings=member.siblings,
        )
        if person is not None:
            eighteen = person.born.replace(year=person.born.year + 18)
            self.ask.of_age_from[member.id] = datetime(*eighteen.timetuple()[:3], tzinfo=UTC) - timedelta(hours=8)

    def stop(self, member_id: str) -> None:
        self.ask.held.add(member_id)

    def lift(self, member_id: str) -> None:
        self.ask.held.remove(member_id)


class Tables:
    """Stored members and alarms."""

    def __init__(self, ask: Payees) -> None:
        self.ask = ask
        self.alarms = DynamoAlarms()

    def keep(self, member: Member) -> None:
        member_item(member).save()

    def stop(self, member_id: str) -> None:
        self.alarms.save_alarm(Alarm(f"{member_id}.1", member_id, 30, 3, 1, NOW))
        self.alarms.stop_payouts(f"{member_id}.1", [member_id])

    def lift(self, member_id: str) -> None:
        alarm = self.alarms.find_alarm(f"{member_id}.1")
        assert alarm is not None
        self.alarms.save_alarm(replace(alarm, state="lifted", lifted=Lift("key_1", NOW, "seen"), version=2))


MADE: dict[str, Callable[[], Memory | Tables]] = {
    "memory": Memory,
    "payees": lambda: Tables(MembersAsPayees(members_and_stopped, owing)),
    "persons": lambda: Tables(MembersAsPersons(members_of)),
}


@pytest.fixture(params=MADE)
def members(request: pytest.FixtureRequest) -> Memory | Tables:
    if request.param != "memory":
        request.getfixturevalue("cloud")
    return MADE[request.param]()


def member(number: int, person: Person | None = PERSON) -> Member:
    state: MemberState = "registered" if person is None else "verified"
    return Member(f"mem_{number}", f"dev:app:{number}", NOW - timedelta(days=90), person=person, state=state)


def test_a_verified_member_is_a_payee_with_name_account_and_person(members: Memory | Tables) -> None:
    members.keep(replace(member(1), siblings=("mem_2",)))

    assert members.ask(["mem_1"], NOW) == {
        "mem_1": Payee(
            "mem_1", "张伟", "dev:app:1", verified=True, of_age=True, person=PERSON.id, id_number="1***2",
            siblings=("mem_2",),
        ),
    }  # fmt: skip


def test_members_who_do_not_exist_are_left_out(members: Memory | Tables) -> None:
    members.keep(member(1))

    assert list(members.ask(["mem_9", "mem_1"], NOW)) == ["mem_1"]
    assert members.ask(["mem_9"], NOW) == members.ask([], NOW) == {}


def test_a_member_without_a_verified_person_is_there_without_name_and_age(members: Memory | Tables) -> None:
    members.keep(member(1, None))

    assert members.ask(["mem_1"], NOW) == {"mem_1": Payee("mem_1", "", "dev:app:1", verified=False, of_age=False)}


def test_whether_a_payee_is_of_age_is_said_for_the_moment_that_is_asked_about(members: Memory | Tables) -> None:
    members.keep(member(1, YOUNG))
    midnight = datetime(2026, 12, 1, 16, tzinfo=UTC)
    before, after = (members.ask(["mem_1"], at)["mem_1"] for at in (midnight - timedelta(seconds=1), midnight))

    assert (before.verified, before.of_age, after.of_age) == (True, False, True)


def test_an_erased_member_is_still_there_and_says_so(members: Memory | Tables) -> None:
    members.keep(replace(member(1), erased_at=NOW, state="erased"))
    members.keep(member(2))
    found = members.ask(["mem_1", "mem_2"], NOW)

    assert {name: payee.erased for name, payee in found.items()} == {"mem_1": True, "mem_2": False}


def test_an_alarm_holds_its_members_alone_until_it_is_lifted(members: Memory | Tables) -> None:
    for number in (1, 2):
        members.keep(member(number))
    members.stop("mem_1")
    stopped = {name: payee.hold for name, payee in members.ask(["mem_1", "mem_2"], NOW).items()}
    members.lift("mem_1")
    lifted = {name: payee.hold for name, payee in members.ask(["mem_1", "mem_2"], NOW).items()}

    # Who somebody is for tax does not depend on alarms.
    stops = not isinstance(members.ask, MembersAsPersons)
    assert stopped == {"mem_1": stops, "mem_2": False}
    assert lifted == {"mem_1": False, "mem_2": False}


def test_ninety_nine_members_are_found_together(members: Memory | Tables) -> None:
    for number in range(99):
        members.keep(member(number))
    wanted = [f"mem_{number}" for number in range(99)]

    assert set(members.ask(wanted, NOW)) == set(wanted)
