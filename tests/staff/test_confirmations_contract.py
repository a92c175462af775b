"""One suite for the store of confirmations: of the fake and of the tables alike."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from cardstock.approving import MoneyStep
from cardstock.aws.tables import ConditionFailedError, Transaction
from cardstock.ids import RequestKey, derived_at
from cardstock.staff.confirmation_model import LIFE, Confirmation
from cardstock.staff.confirmation_store import DynamoConfirmations
from cardstock.staff.model import ROOT, Person
from cardstock.staff.ports import Confirmations
from cardstock.staff.store import DynamoPersons
from tests.people.memory_staff import MemoryConfirmations, MemoryPersons

CONTRACT = {Confirmations: (MemoryConfirmations, DynamoConfirmations)}

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
LI = Person("stf_1", "李娜", ROOT, NOW)
STEP = MoneyStep("approve_payout", "pay_202611", "3", 12_000, 2)


def asked(name: str = "a", at: datetime = NOW, person_id: str = "stf_1") -> Confirmation:
    made = derived_at("cfm", at, name)
    return Confirmation(made, person_id, "mem_1", STEP, "key_1", "laptop", at, at + LIFE)


@pytest.fixture(params=["memory", "table"])
def confirmations(request: pytest.FixtureRequest) -> Confirmations:
    if request.param == "memory":
        return MemoryConfirmations(MemoryPersons(LI))
    request.getfixturevalue("cloud")
    DynamoPersons().add_person(LI, RequestKey("req_1", "f"), None)
    return DynamoConfirmations()


def stored(confirmations: Confirmations, one: Confirmation) -> Confirmation:
    return confirmations.find_with_person(one.person_id, [one.id])[1][0]


def used(confirmations: Confirmations, one: Confirmation) -> bool:
    """Whether a transaction with the use of the confirmation was stored."""
    use = confirmations.use(one, NOW)
    if isinstance(confirmations, MemoryConfirmations):
        held: list[bool] = []
        use(held)
        return all(held)
    try:
        with Transaction() as write:
            use(write)
    except ConditionFailedError:
        return False
    return True


def test_a_confirmation_is_stored_once_as_it_was_asked_for(confirmations: Confirmations) -> None:
    first, bare = asked(), replace(asked("b"), step=MoneyStep("lift_alarm", "mem_9.1", "2"))
    outcomes = [confirmations.ask(one) for one in (first, replace(first, asked_by="other"), bare)]
    person, found = confirmations.find_with_person("stf_1", [first.id, bare.id, "cfm_unknown", "x" * 2000])

    assert outcomes == [True, False, True]
    assert person == LI
    assert list(found) == sorted([first, bare], key=lambda one: one.id)
    assert confirmations.find_with_person("stf_2", [first.id]) == (None, [])
    assert confirmations.find_with_person("stf_1", []) == (LI, [])


@pytest.mark.parametrize("state", ["confirmed", "declined"])
def test_one_answer_is_stored(confirmations: Confirmations, state: str) -> None:
    confirmations.ask(asked())
    later = NOW + timedelta(seconds=5)
    outcomes = [confirmations.answer(asked(), one, later) for one in (state, "confirmed", "declined")]  # type: ignore[arg-type]  # names of states

    assert outcomes == [True, False, False]
    assert stored(confirmations, asked()) == replace(asked(), state=state, answered_at=later)


def test_only_a_confirmed_one_is_used_and_only_once(confirmations: Confirmations) -> None:
    for name in ("asked", "no", "yes"):
        confirmations.ask(asked(name))
    confirmations.answer(asked("no"), "declined", NOW)
    confirmations.answer(asked("yes"), "confirmed", NOW)
    outcomes = [used(confirmations, asked(name)) for name in ("asked", "no", "yes", "yes")]

    assert outcomes == [False, False, True, False]
    assert stored(confirmations, asked("yes")) == replace(asked("yes"), state="used", answered_at=NOW, used_at=NOW)
    assert stored(confirmations, asked("asked")) == asked("asked")


def test_those_of_a_person_since_a_moment_are_read_oldest_window_first(confirmations: Confirmations) -> None:
    days = [asked("a", NOW - 2 * LIFE), asked("b", NOW - LIFE), asked("c"), asked("d", NOW, "stf_2")]
    for one in days:
        confirmations.ask(one)

    assert list(confirmations.asked_since("stf_1", NOW - LIFE)) == days[1:3]
    assert list(confirmations.asked_since("stf_1", NOW + LIFE)) == []
