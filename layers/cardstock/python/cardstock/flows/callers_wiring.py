"""Factories of what the staff API needs of its callers: who calls, and the record of what persons do."""

from functools import cache
from typing import TYPE_CHECKING, cast

from cardstock import environment
from cardstock.aws.tables import Table, get_together
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.callers import Callers, FoundCredentials, StoredKey, StoredPerson, StoredSession

if TYPE_CHECKING:
    from datetime import datetime

    from cardstock.edge.staff_record import StaffAction

_LONGEST_ID = 64


class DynamoCredentials:
    """`edge.callers.StaffCredentials`: items of three tables by one BatchGetItem."""

    def look_up(self, *, key_id: str = "", person_id: str = "", session_id: str = "") -> FoundCredentials:
        from cardstock.partners.store import KeyItem, key_in
        from cardstock.staff.console_store import SessionItem, session_in
        from cardstock.staff.store import PERSON, PersonItem, person_in

        wanted: dict[type[Table], list[tuple[str, ...]]] = {}
        # Any text comes from a header; DynamoDB answers a long key with a validation error.
        if 0 < len(key_id) <= _LONGEST_ID:
            wanted[KeyItem] = [(key_id, "key")]
        if person_id:
            wanted[PersonItem] = [(PERSON, person_id)]
        if session_id:
            wanted[SessionItem] = [SessionItem.key_of(person_id, session_id)]
        found = {type(item): item for item in get_together(wanted)} if wanted else {}
        key, person, session = (found.get(kind) for kind in (KeyItem, PersonItem, SessionItem))
        return FoundCredentials(
            cast("StoredKey", key_in(cast("KeyItem", key))) if key else None,
            cast("StoredPerson", person_in(cast("PersonItem", person))) if person else None,
            cast("StoredSession", session_in(cast("SessionItem", session))) if session else None,
        )

    def renew(self, person_id: str, session_id: str, now: "datetime") -> None:
        from cardstock.staff.console_store import renew_session

        renew_session(person_id, session_id, now)


class DynamoStaffRecord:
    """`edge.staff_record.StaffRecord`."""

    def begin(self, action: "StaffAction") -> str:
        from cardstock import clock
        from cardstock.staff.action_store import begin_action, new_action_id
        from cardstock.staff.actions import RecordedAction

        now = clock.now()
        fields = {name: getattr(action, name) for name in action.__struct_fields__}
        recorded = RecordedAction(action_id=new_action_id(now), at=now, **fields)
        begin_action(recorded)
        return recorded.action_id

    def forget(self, person_id: str, action_id: str) -> None:
        from cardstock.staff.action_store import forget_action

        forget_action(person_id, action_id)

    def relatives_of(self, members: frozenset[str]) -> frozenset[str]:
        from cardstock.members.item_store import members_of

        found = members_of(members).values()
        return members.union(*(member.relatives for member in found))


@cache
def staff_record() -> DynamoStaffRecord:
    """The record of what the staff does, and who a person's own members are."""
    return DynamoStaffRecord()


@cache
def callers() -> Callers:
    """Identifies callers of the staff API: members, keys, and persons with a session."""
    from cardstock.edge.secrets import secret
    from cardstock.partners.store import find_key

    return Callers(
        signer=edge_wiring.signer(),
        find_key=find_key,
        admin_key=lambda: secret(environment.text("ADMIN_SECRET_ID"))["key"],
        staff=DynamoCredentials(),
    )
