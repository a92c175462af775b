"""The rules of confirmations: what is one, how long it lasts, and who answers it."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from cardstock.approving import MoneyStep
from cardstock.errors import CardstockError
from cardstock.staff.confirmation_model import LIFE, Confirmation, confirmation_id, window_of
from cardstock.staff.confirmations import Asker, answer, pending, require_confirmation
from cardstock.staff.model import ROOT, Person
from tests.people.clock import START, TestClock
from tests.people.memory_staff import MemoryConfirmations, MemoryPersons

LI = Person("stf_1", "Li Na", ROOT, START, member_id="mem_1")
STEP = MoneyStep("approve_payout", "pay_202611", "3", 12_000, 2)
OTHERS = (
    replace(STEP, action="approve_write_off"), replace(STEP, subject="pay_202612"), replace(STEP, version="4"),
    replace(STEP, amount=12_001), replace(STEP, count=3), replace(STEP, amount=None), replace(STEP, count=None),
)  # fmt: skip


class Counter:
    """Li Na with a phone, and her confirmations."""

    def __init__(self) -> None:
        self.persons = MemoryPersons(LI)
        self.confirmations = MemoryConfirmations(self.persons)

    def ask(self, step: MoneyStep = STEP, person_id: str | None = "stf_1") -> str:
        """The code of the refusal; empty if the step is confirmed."""
        try:
            require_confirmation(step, Asker(person_id, "key_1", "laptop"), confirmations=self.confirmations)
        except CardstockError as error:
            return error.code
        return ""

    def pending(self) -> list[Confirmation]:
        return list(pending("stf_1", "mem_1", confirmations=self.confirmations))

    def yes(self, member_id: str = "mem_1") -> None:
        [asked] = self.pending()
        answer(asked.id, "yes", "stf_1", member_id, confirmations=self.confirmations)


@pytest.fixture
def counter(clock: TestClock) -> Counter:
    return Counter()


def test_ids_differ_with_everything_that_is_confirmed() -> None:
    window = window_of(START)
    ids = {confirmation_id("stf_1", step, window) for step in (STEP, *OTHERS)}
    ids |= {confirmation_id("stf_2", STEP, window), confirmation_id("stf_1", STEP, window + LIFE)}

    assert len(ids) == len(OTHERS) + 3
    assert confirmation_id("stf_1", STEP, window) in ids


@pytest.mark.parametrize("step", OTHERS)
def test_a_yes_to_one_step_is_none_to_another(counter: Counter, step: MoneyStep) -> None:
    counter.ask()
    counter.yes()

    assert (counter.ask(), counter.ask(step)) == ("", "CONFIRMATION_NEEDED")


@pytest.mark.parametrize("after", [0, 1, 599])
def test_a_confirmation_lasts_ten_minutes_wherever_in_the_window_it_is_asked(
    counter: Counter, clock: TestClock, after: int
) -> None:
    clock.set(window_of(START) + timedelta(seconds=after))
    counter.ask()
    clock.move(seconds=599)
    shown = len(counter.pending())
    counter.yes()
    last = counter.ask()
    clock.move(seconds=1)

    assert (shown, last, counter.ask()) == (1, "", "CONFIRMATION_NEEDED")
    assert [one.asked_at for one in counter.pending()] == [clock.now()]


def test_what_has_expired_is_not_shown(counter: Counter, clock: TestClock) -> None:
    clock.set(window_of(START) + timedelta(minutes=5))
    counter.ask()
    clock.move(minutes=10)

    assert counter.pending() == []


def test_only_the_linked_member_of_the_person_lists_and_answers(counter: Counter) -> None:
    counter.ask()
    [asked] = counter.pending()
    for refused in (
        lambda: pending("stf_1", "mem_2", confirmations=counter.confirmations),
        lambda: answer(asked.id, "yes", "stf_1", "mem_2", confirmations=counter.confirmations),
    ):
        with pytest.raises(CardstockError, match="NOT_STAFF"):
            refused()

    assert counter.ask() == "CONFIRMATION_NEEDED"


def test_who_is_no_person_asks_no_phone(counter: Counter) -> None:
    counter.persons.stored["stf_3"] = replace(LI, person_id="stf_3", state="inactive")
    counter.persons.stored["stf_4"] = replace(LI, person_id="stf_4", member_id=None)
    codes = [counter.ask(person_id=person_id) for person_id in (None, "stf_2", "stf_3", "stf_4")]

    assert codes == ["PERSON_NEEDED", "PERSON_INACTIVE", "PERSON_INACTIVE", "PHONE_NEEDED"]
    assert counter.confirmations.stored == {}


def test_windows_are_ten_minutes_of_the_clock() -> None:
    at = datetime.fromisoformat("2026-12-01T08:29:59.999Z")

    assert window_of(at) == datetime.fromisoformat("2026-12-01T08:20:00Z")
    assert window_of(at + timedelta(milliseconds=1)) == datetime.fromisoformat("2026-12-01T08:30:00Z")
