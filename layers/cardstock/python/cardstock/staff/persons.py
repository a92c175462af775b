"""Creating and deactivating persons, and asking whether one is another's second person."""

from cardstock import clock
from cardstock.errors import NOT_FOUND
from cardstock.ids import RequestKey, RequestResult, derived_id
from cardstock.staff import errors
from cardstock.staff.model import FEWEST_ACTIVE, FIRST_PERSONS, ROOT, Person, is_second_person, may_change_staff
from cardstock.staff.ports import Persons


def create_person(name: str, creator_id: str | None, request: RequestKey, *, persons: Persons) -> RequestResult[Person]:
    """A new person; a repeat of `request` gives the same person.

    `creator_id` is None for the root key. Raises `RefusedError`: FIRST_PERSONS_EXIST, CREATOR_TOO_NEW.
    """
    now = clock.now()
    # Derived, so that a repeat names the same person whichever of two racing requests came first.
    person = Person(derived_id("stf", request.id), name, creator_id or ROOT, now)
    if creator_id is not None:
        _require_old_enough(creator_id, persons)
    added = persons.add_person(person, request, None if creator_id else FIRST_PERSONS)
    if added == "too_many":
        raise errors.FIRST_PERSONS_EXIST()
    if added == "added":
        return RequestResult(person, replayed=False)
    stored = persons.find_person(person.person_id)
    if stored is None:
        raise NOT_FOUND()
    return RequestResult(stored, replayed=True)


def deactivate_person(person_id: str, actor_id: str | None, *, persons: Persons) -> None:
    """Make a person inactive for good. Safe to repeat.

    `actor_id` is None for the root key. Nobody deactivates themself, and who does it is active in the same step. At
    least `FEWEST_ACTIVE` persons remain. Raises `NotFoundError`, `ForbiddenError` PERSON_NEEDED or PERSON_INACTIVE,
    `RefusedError` OWN_PERSON, CREATOR_TOO_NEW or LAST_PERSONS.
    """
    if actor_id is None:
        raise errors.PERSON_NEEDED()
    if actor_id == person_id:
        raise errors.OWN_PERSON()
    _require_old_enough(actor_id, persons)
    outcome = persons.deactivate(person_id, actor_id, FEWEST_ACTIVE)
    if outcome == "unknown":
        raise NOT_FOUND()
    if outcome == "actor_inactive":
        raise errors.PERSON_INACTIVE()
    if outcome == "last_persons":
        raise errors.LAST_PERSONS()


def can_approve(second_id: str | None, first_id: str, *, persons: Persons) -> bool:
    """Whether the person `second_id` may approve what `first_id` began: `model.is_second_person` on what is stored.

    False where either is no person (the root key, a supplier's key). Costs one read of both, none for the same person.
    """
    if second_id is None or second_id == first_id:
        return False
    found = persons.find_persons((first_id, second_id))
    first, second = found.get(first_id), found.get(second_id)
    return first is not None and second is not None and is_second_person(second, first, clock.now())


def _require_old_enough(person_id: str, persons: Persons) -> None:
    person = persons.find_person(person_id)
    if person is None or person.state != "active":
        raise errors.PERSON_INACTIVE()
    if not may_change_staff(person, clock.now()):
        raise errors.CREATOR_TOO_NEW()
