"""Confirmations in DynamoDB.

Table `confirmations`, partition key `pk` = the person, sort key `sk` = the confirmation, which sorts by the ten minutes
in which it was asked for; no index. Nothing is deleted: what was asked, declined and used stays on record.

| Access pattern | Key | Cost |
|---|---|---|
| require: the person, and the step's confirmations of two windows | `stf_...`, `cfm_...` twice | 1 call, 3 RCU |
| ask: put if absent | `stf_...`, `cfm_...` | 1 WCU |
| pending: the person, and a query from the window before | `stf_...`, `cfm_...` on | 2 calls, 2 RCU |
| answer: the person with the confirmation, then the change if it waits | `stf_...`, `cfm_...` | 2 RCU, 1 WCU |
| use: an action in the step's transaction | `stf_...`, `cfm_...` | 2 WCU |
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.update import Action

from cardstock.approving import MoneyStep, UseOnce
from cardstock.aws.items import StructAttribute, fields_of, record_of
from cardstock.aws.tables import EpochAttribute, Table, get_together
from cardstock.ids import ids_since
from cardstock.staff.confirmation_model import Confirmation, ConfirmationState
from cardstock.staff.model import Person
from cardstock.staff.store import LONGEST_ID, PERSON, PersonItem


class ConfirmationItem(Table):
    """A confirmation."""

    class Meta:
        variable = "CONFIRMATIONS_TABLE"

    person_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    id = UnicodeAttribute(range_key=True, attr_name="sk")
    member_id = UnicodeAttribute()
    step = StructAttribute(MoneyStep)
    asked_with = UnicodeAttribute()
    asked_by = UnicodeAttribute()
    asked_at = EpochAttribute()
    expires_at = EpochAttribute()
    state = UnicodeAttribute()
    answered_at = EpochAttribute(null=True)
    used_at = EpochAttribute(null=True)


class DynamoConfirmations:
    """`staff.ports.Confirmations`."""

    def find_with_person(
        self, person_id: str, confirmation_ids: Sequence[str]
    ) -> tuple[Person | None, Sequence[Confirmation]]:
        keys = [(person_id, each) for each in confirmation_ids if len(each) <= LONGEST_ID]
        found = list(get_together({PersonItem: [(PERSON, person_id)], ConfirmationItem: keys}))
        person = next((record_of(Person, item) for item in found if isinstance(item, PersonItem)), None)
        stored = [record_of(Confirmation, item) for item in found if isinstance(item, ConfirmationItem)]
        return person, sorted(stored, key=lambda each: each.id)

    def ask(self, confirmation: Confirmation) -> bool:
        item = ConfirmationItem(**fields_of(confirmation, ConfirmationItem))
        return item.put_if(ConfirmationItem.person_id.does_not_exist())

    def answer(self, confirmation: Confirmation, state: ConfirmationState, now: datetime) -> bool:
        item = ConfirmationItem(confirmation.person_id, confirmation.id)
        actions: list[Action] = [ConfirmationItem.state.set(state), ConfirmationItem.answered_at.set(now)]
        return item.update_if(actions, ConfirmationItem.state == "asked")

    def use(self, confirmation: Confirmation, now: datetime) -> UseOnce:
        def add(write: Any) -> None:
            write.update(
                ConfirmationItem(confirmation.person_id, confirmation.id),
                [ConfirmationItem.state.set("used"), ConfirmationItem.used_at.set(now)],
                condition=ConfirmationItem.state == "confirmed",
            )

        return add

    def asked_since(self, person_id: str, at: datetime) -> Sequence[Confirmation]:
        later = ConfirmationItem.id >= ids_since("cfm", at)
        return [
            record_of(Confirmation, item) for item in ConfirmationItem.query(person_id, later, consistent_read=True)
        ]
