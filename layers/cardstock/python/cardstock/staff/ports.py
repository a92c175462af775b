"""What the staff area needs from outside."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

from cardstock.ids import RequestKey
from cardstock.staff.model import Person

AddedPerson: TypeAlias = Literal["added", "known", "too_many"]
DeactivatedPerson: TypeAlias = Literal["done", "unknown", "actor_inactive", "last_persons"]


class Persons(Protocol):
    """Stored persons."""

    def add_person(self, person: Person, request: RequestKey, at_most: int | None) -> AddedPerson:
        """Store `person`, whose id is derived from `request`.

        `known`: a repeat of `request`, nothing was stored. `too_many`: `at_most` persons or more were made before.
        """

    def find_person(self, person_id: str) -> Person | None:
        """The person, read consistently, if there is one."""

    def find_persons(self, person_ids: Sequence[str]) -> Mapping[str, Person]:
        """Those of up to 100 persons that exist, by id, in one consistent read."""

    def deactivate(self, person_id: str, actor_id: str, remaining: int) -> DeactivatedPerson:
        """Make the person inactive for good, if in the same step the person `actor_id` is active and at least
        `remaining` persons stay active. A repeat is `done`.

        Otherwise nothing has changed. `actor_inactive`: the actor is unknown or inactive. `unknown`: there is no such
        person. `last_persons`: too few would remain. Raises `UnavailableError` STORE_BUSY.
        """

    def persons(self, limit: int, after: str | None) -> tuple[Sequence[Person], str | None]:
        """A page of all persons by id, and the id after which the next page starts; None at the end."""
