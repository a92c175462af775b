"""Links of persons with members, in DynamoDB: the table `staff`, and the attribute `staff_link` of table `members`.

| Access pattern | Key | Cost |
|---|---|---|
| invite: an attribute of the person | `person` / `stf_...` | 1 WCU |
| person with invitation | `person` / `stf_...` | 1 RCU |
| members of two persons, to compare them | `mem_...` | 1 read |
| link, release: person and member in one transaction | `person` / `stf_...`, `mem_...` | 1 call, 4 WCU |
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pynamodb.expressions.update import Action

from cardstock.aws.items import record_of
from cardstock.aws.tables import ConditionFailedError, Transaction
from cardstock.members.item_store import members_of
from cardstock.members.store import link_to_staff, release_from_staff
from cardstock.staff.model import Invitation, MemberFacts, Person
from cardstock.staff.ports import LinkedPerson
from cardstock.staff.store import LONGEST_ID, PERSON, PersonItem

_FREE = (PersonItem.state == "active") & PersonItem.member_id.does_not_exist()


class DynamoLinks:
    """`staff.ports.Links`."""

    def invite(self, person_id: str, invitation: Invitation) -> bool:
        return PersonItem(PERSON, person_id).update_if([PersonItem.invitation.set(invitation)], _FREE)

    def find_invited(self, person_id: str) -> tuple[Person, Invitation | None] | None:
        item = PersonItem.find(PERSON, person_id) if len(person_id) <= LONGEST_ID else None
        return None if item is None else (record_of(Person, item), item.invitation)

    def link(self, person_id: str, invitation: Invitation, member_id: str, now: datetime) -> LinkedPerson:
        actions: list[Action] = [
            PersonItem.member_id.set(member_id),
            PersonItem.linked_at.set(now),
            PersonItem.linked_by.set(invitation.made_by),
        ]
        try:
            with Transaction() as transaction:
                transaction.update(
                    PersonItem(PERSON, person_id), actions, condition=_FREE & (PersonItem.invitation == invitation)
                )
                link_to_staff(transaction, member_id, person_id)
        except ConditionFailedError as error:
            if 0 in error.failed:
                return "person_changed"
            return "member_linked" if "staff_link" in error.failed[1] else "member_gone"
        return "linked"

    def facts_of(self, member_ids: Iterable[str]) -> Mapping[str, MemberFacts]:
        return {
            member_id: MemberFacts(
                member.phone, member.account, member.person.id if member.person else "", member.relatives
            )
            for member_id, member in members_of(member_ids).items()
        }

    def release(self, person: Person) -> bool:
        if person.member_id is None:
            return False
        former = (*person.former_members, person.member_id)
        actions: list[Action] = [
            PersonItem.member_id.remove(),
            PersonItem.linked_at.remove(),
            PersonItem.linked_by.remove(),
            PersonItem.invitation.remove(),
            PersonItem.former_members.set(former),
        ]
        try:
            with Transaction() as transaction:
                transaction.update(
                    PersonItem(PERSON, person.person_id), actions, condition=PersonItem.member_id == person.member_id
                )
                release_from_staff(transaction, person.member_id, person.person_id)
        except ConditionFailedError:
            return False
        return True
