"""The port of the staff area in memory."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from cardstock.errors import IDEMPOTENCY_KEY_REUSED
from cardstock.ids import RequestKey
from cardstock.staff.model import Person
from cardstock.staff.ports import AddedPerson, DeactivatedPerson


class MemoryPersons:
    """`staff.ports.Persons`."""

    def __init__(self, *known: Person) -> None:
        self.stored = {person.person_id: person for person in known}
        self.requests: dict[str, str] = {}

    def add_person(self, person: Person, request: RequestKey, at_most: int | None) -> AddedPerson:
        if self.requests.get(request.id, request.fingerprint) != request.fingerprint:
            raise IDEMPOTENCY_KEY_REUSED()
        if person.person_id in self.stored:
            return "known"
        if at_most is not None and len(self.stored) >= at_most:
            return "too_many"
        self.requests[request.id] = request.fingerprint
        self.stored[person.person_id] = person
        return "added"

    def find_person(self, person_id: str) -> Person | None:
        return self.stored.get(person_id)

    def find_persons(self, person_ids: Sequence[str]) -> Mapping[str, Person]:
        return {person_id: self.stored[person_id] for person_id in person_ids if person_id in self.stored}

    def deactivate(self, person_id: str, actor_id: str, remaining: int) -> DeactivatedPerson:
        active = {found.person_id for found in self.stored.values() if found.state == "active"}
        if actor_id not in active:
            return "actor_inactive"
        if person_id not in self.stored:
            return "unknown"
        if person_id not in active:
            return "done"
        if len(active) <= remaining:
            return "last_persons"
        self.stored[person_id] = replace(self.stored[person_id], state="inactive")
        return "done"

    def persons(self, limit: int, after: str | None) -> tuple[Sequence[Person], str | None]:
        ids = sorted(person_id for person_id in self.stored if person_id > (after or ""))
        return [self.stored[person_id] for person_id in ids[:limit]], ids[limit - 1] if len(ids) > limit else None
