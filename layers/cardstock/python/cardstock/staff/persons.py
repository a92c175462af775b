"""Creating and deactivating persons, and asking whether one is another's second person."""

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import NOT_FOUND
from cardstock.ids import RequestKey, RequestResult, derived_id
from cardstock.staff import errors
from cardstock.staff.model import FEWEST_ACTIVE, FIRST_PERSONS, ROOT, Person, is_second_person, may_change_staff
from cardstock.staff.ports import Links, Persons
from cardstock.staff.roles import Role


def create_person(name: str, creator_id: str | None, request: RequestKey, *, persons: Persons) -> RequestResult[Person]:
    """A new person, an owner if the root key creates it, else without roles; a repeat of `request` gives the same.

    `creator_id` is None for the root key. Raises `RefusedError`: FIRST_PERSONS_EXIST, CREATOR_TOO_NEW.
    """
    now = clock.now()
    # Derived, so that a repeat names the same person whichever of two racing requests came first.
    roles: frozenset[Role] = frozenset() if creator_id else frozenset({"owner"})
    person = Person(derived_id("stf", request.id), name, creator_id or ROOT, now, roles=roles)
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


def set_roles(person_id: str, roles: frozenset[Role], actor_id: str | None, *, persons: Persons) -> Person:
    """The person with these roles in place of others. They count from the next request on. A repeat changes nothing.

    `actor_id` is an owner, None for the root key. Nobody changes their own roles, so an owner who changes roles remains
    one: the last owner cannot be lost. Raises `NotFoundError`, `ForbiddenError` PERSON_NEEDED or PERSON_INACTIVE,
    `RefusedError` OWN_RIGHTS or CREATOR_TOO_NEW.
    """
    if actor_id is None:
        raise errors.PERSON_NEEDED()
    if actor_id == person_id:
        raise errors.OWN_RIGHTS()
    _require_old_enough(actor_id, persons)
    outcome = persons.set_roles(person_id, roles, actor_id)
    if outcome == "actor_inactive":
        raise errors.PERSON_INACTIVE()
    person = persons.find_person(person_id) if outcome == "done" else None
    if person is None:
        raise NOT_FOUND()
    return replace(person, roles=roles)


def end_sessions(person_id: str, *, persons: Persons) -> None:
    """End all sessions of the console that the person has now. Raises `NotFoundError`."""
    if not persons.end_sessions(person_id, clock.now()):
        raise NOT_FOUND()


def can_approve(second_id: str | None, first_id: str, *, persons: Persons, links: Links) -> bool:
    """Whether the person `second_id` may approve what `first_id` began: `model.is_second_person` on what is stored.

    False where either is no person (the root key, a supplier's key). Costs one read of both, and one of their members
    if both have any; none for the same person.
    """
    if second_id is None or second_id == first_id:
        return False
    found = persons.find_persons((first_id, second_id))
    first, second = found.get(first_id), found.get(second_id)
    if first is None or second is None:
        return False
    compared = bool(first.own_members and second.own_members)
    facts = links.facts_of(first.own_members | second.own_members) if compared else {}
    return is_second_person(second, first, clock.now(), facts)


def _require_old_enough(person_id: str, persons: Persons) -> None:
    person = persons.find_person(person_id)
    if person is None or person.state != "active":
        raise errors.PERSON_INACTIVE()
    if not may_change_staff(person, clock.now()):
        raise errors.CREATOR_TOO_NEW()
