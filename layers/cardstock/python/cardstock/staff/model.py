"""Persons, and the rule for a second person."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

ROOT: Final = "root"
"""Creator of the first two persons. The root key is no person: it approves nothing."""
FIRST_PERSONS: Final = 2
"""Number of persons that the root key may create."""
FEWEST_ACTIVE: Final = 2
"""Number of active persons that always remain: two must be able to approve, and nobody locks all others out."""
PROBATION: Final = timedelta(days=7)
"""Time in which a person and the person's creator cannot approve each other's work."""

PersonState: TypeAlias = Literal["active", "inactive"]
TRANSITIONS: Final[Mapping[PersonState, frozenset[PersonState]]] = {
    "active": frozenset({"inactive"}),
    "inactive": frozenset(),
}


class Person(msgspec.Struct, frozen=True):
    """A person of the brand's staff. `created_by` is a person id, or `root`."""

    person_id: str
    name: str
    created_by: str
    created_at: datetime
    state: PersonState = "active"
    member_id: str | None = None
    """The member who is this person on the phone; None: no member is linked."""
    linked_at: datetime | None = None
    linked_by: str = ""
    """Who made the invitation that linked the member: a person id, or `root`."""
    former_members: tuple[str, ...] = ()
    """Members whose link was released."""


class Invitation(msgspec.Struct, frozen=True):
    """Lets one member be linked with the person, once, until it expires. Its secret is not stored."""

    digest: str
    """SHA-256 of the secret."""
    made_by: str
    """A person id, or `root`."""
    expires_at: datetime


def is_second_person(second: Person, first: Person, at: datetime) -> bool:
    """Whether `second` may approve at `at` what `first` began.

    They are two persons, `second` is active, and within the last seven days neither created the other, nor did a third
    person create both. The age of their keys does not matter.
    """
    if second.person_id == first.person_id or second.state != "active":
        return False
    new = [person for person in (first, second) if at < person.created_at + PROBATION]
    siblings = first.created_by == second.created_by != ROOT
    return not any(siblings or person.created_by in (first.person_id, second.person_id) for person in new)


def may_change_staff(person: Person, at: datetime) -> bool:
    """Whether `person` may create and deactivate persons at `at`.

    A person created by another one cannot for seven days: otherwise the creator would control a second person at once,
    through the new one, and a new person could put others out. The first two persons can at any time.
    """
    return person.state == "active" and (person.created_by == ROOT or at >= person.created_at + PROBATION)
