"""Persons in DynamoDB.

Table `staff`, partition key `pk`, sort key `sk`; no index. A brand has some dozens of persons: they stand in one
partition. A table of its own, so that a function which asks for a second person reads no keys and no suppliers.

| Access pattern | Key | Cost |
|---|---|---|
| person of a request, read together with key or session | `person` / `stf_...` | 1 RCU |
| person by id; both persons of an approval in one call | `person` / `stf_...` | 1 RCU each |
| all persons, by id | `person` / begins with `stf_` | a page: 1 RCU per 40 |
| create: request, person and count in one transaction | `person` / `stf_...`, `count` / `persons` | 6 WCU |
| roles: the actor read; then the actor checked and the person changed | `person` / `stf_...` | 2 calls, 4 WCU |
| end all sessions: an attribute of the person | `person` / `stf_...` | 1 WCU |
| deactivate: all persons read, the actor checked, the person and the count changed | a query, three items | 6 WCU |
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from cardstock.aws.items import StructAttribute, fields_of, record_of
from cardstock.aws.pages import read_page
from cardstock.aws.requests import remember, result_of
from cardstock.aws.tables import ConditionFailedError, EpochAttribute, IntegerAttribute, Table, Transaction
from cardstock.errors import STORE_BUSY
from cardstock.ids import RequestKey
from cardstock.staff.model import Invitation, Person
from cardstock.staff.ports import AddedPerson, ChangedRoles, DeactivatedPerson
from cardstock.staff.roles import Role

PERSON = "person"
LONGEST_ID = 64
_ATTEMPTS = 5


class PersonItem(Table):
    """A person."""

    class Meta:
        variable = "STAFF_TABLE"

    pk = UnicodeAttribute(hash_key=True, default=PERSON)
    person_id = UnicodeAttribute(range_key=True, attr_name="sk")
    name = UnicodeAttribute()
    created_by = UnicodeAttribute()
    created_at = EpochAttribute()
    state = UnicodeAttribute()
    member_id = UnicodeAttribute(null=True)
    linked_at = EpochAttribute(null=True)
    linked_by = UnicodeAttribute(null=True)
    former_members = StructAttribute(tuple[str, ...], null=True)
    roles = StructAttribute(frozenset[Role], null=True)
    sessions_from = EpochAttribute(null=True)
    invitation = StructAttribute(Invitation, null=True)
    """The newest; it stays when it was accepted, so that a repeat is recognised."""


class CountItem(Table):
    """How many persons were ever created, and how many of them deactivated by release 0.3.0 or later."""

    class Meta:
        variable = "STAFF_TABLE"

    pk = UnicodeAttribute(hash_key=True, default="count")
    sk = UnicodeAttribute(range_key=True, default="persons")
    persons = IntegerAttribute()
    deactivated = IntegerAttribute(null=True)


class DynamoPersons:
    """`staff.ports.Persons`."""

    def add_person(self, person: Person, request: RequestKey, at_most: int | None) -> AddedPerson:
        few = None
        if at_most is not None:
            few = CountItem.persons.does_not_exist() | (CountItem.persons < at_most)
        try:
            with Transaction() as transaction:
                remember(transaction, request, person.person_id, person.created_at)
                transaction.save(PersonItem(**fields_of(person, PersonItem)), condition=PersonItem.pk.does_not_exist())
                transaction.update(CountItem(), actions=[CountItem.persons.add(1)], condition=few)
        except ConditionFailedError as error:
            if 0 in error.failed:
                result_of(error.failed[0], request)
            return "known" if {0, 1} & set(error.failed) else "too_many"
        return "added"

    def find_person(self, person_id: str) -> Person | None:
        if len(person_id) > LONGEST_ID:  # DynamoDB answers a key of more than 1 024 bytes with a validation error
            return None
        item = PersonItem.find(PERSON, person_id)
        return None if item is None else record_of(Person, item)

    def find_persons(self, person_ids: Sequence[str]) -> Mapping[str, Person]:
        keys = [(PERSON, person_id) for person_id in person_ids if 0 < len(person_id) <= LONGEST_ID]
        found = PersonItem.batch_get(keys, consistent_read=True) if keys else ()
        return {item.person_id: record_of(Person, item) for item in found}

    def deactivate(self, person_id: str, actor_id: str, remaining: int) -> DeactivatedPerson:
        for _ in range(_ATTEMPTS):
            # The count first: whoever is deactivated after this read changes it, and the transaction fails.
            count = CountItem.find("count", "persons")
            before = None if count is None else count.deactivated
            found = {item.person_id: record_of(Person, item) for item in PersonItem.query(PERSON, consistent_read=True)}
            actor, person = found.get(actor_id), found.get(person_id)
            if actor is None or not actor.active or not actor.is_owner:
                return "actor_inactive"
            if person is None or not person.active:
                return "unknown" if person is None else "done"
            if len([one for one in found.values() if one.active]) <= remaining:
                return "last_persons"
            if self._deactivated(person_id, actor, before):
                return "done"
        raise STORE_BUSY()

    def set_roles(self, person_id: str, roles: frozenset[Role], actor_id: str) -> ChangedRoles:
        for _ in range(_ATTEMPTS):
            actor = self.find_person(actor_id)
            if actor is None or not actor.active or not actor.is_owner:
                return "actor_inactive"
            active = PersonItem.state == "active"
            try:
                with Transaction() as transaction:
                    transaction.condition_check(PersonItem, PERSON, actor_id, condition=_as_read(actor))
                    transaction.update(
                        PersonItem(PERSON, person_id), actions=[PersonItem.roles.set(roles)], condition=active
                    )
            except ConditionFailedError as error:
                if 0 in error.failed:
                    continue
                return "unknown"
            return "done"
        raise STORE_BUSY()

    def end_sessions(self, person_id: str, at: datetime) -> bool:
        if len(person_id) > LONGEST_ID:
            return False
        return PersonItem(PERSON, person_id).update_if(
            [PersonItem.sessions_from.set(at)], PersonItem.person_id.exists()
        )

    @staticmethod
    def _deactivated(person_id: str, actor: Person, before: int | None) -> bool:
        """Whether the person was deactivated, the `before + 1`-th; else somebody was faster."""
        number, active = CountItem.deactivated, PersonItem.state == "active"
        try:
            with Transaction() as transaction:
                transaction.condition_check(PersonItem, PERSON, actor.person_id, condition=_as_read(actor))
                transaction.update(
                    PersonItem(PERSON, person_id), actions=[PersonItem.state.set("inactive")], condition=active
                )
                transaction.update(
                    CountItem(),
                    actions=[number.add(1)],
                    condition=number.does_not_exist() if before is None else number == before,
                )
        except ConditionFailedError:
            return False
        return True

    def persons(self, limit: int, after: str | None) -> tuple[Sequence[Person], str | None]:
        start = None if after is None else {"pk": PERSON, "sk": after}
        ids = PersonItem.person_id.startswith("stf_")
        items, last = read_page(PersonItem.query, PERSON, ids, limit=limit, start=start)
        return [record_of(Person, item) for item in items], last.person_id if last else None


def person_in(item: PersonItem) -> Person:
    """The person that an item holds."""
    return record_of(Person, item)


def _as_read(owner: Person) -> Condition:
    """The owner is active, and still has the roles that were read: whoever acts as an owner remains one."""
    same = PersonItem.roles.does_not_exist() if owner.roles is None else PersonItem.roles == owner.roles
    unchanged: Condition = (PersonItem.state == "active") & same
    return unchanged
