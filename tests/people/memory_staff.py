"""The ports of the staff area in memory."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from cardstock.approving import UseOnce
from cardstock.errors import IDEMPOTENCY_KEY_REUSED
from cardstock.ids import RequestKey, ids_since
from cardstock.staff.actions import RecordedAction
from cardstock.staff.confirmation_model import Confirmation, ConfirmationState
from cardstock.staff.console_model import LOG_INS, WRONG_DIGITS, ConsoleSession, PendingLogin, login_ids_since
from cardstock.staff.model import Invitation, MemberFacts, Person
from cardstock.staff.ports import AddedPerson, ChangedRoles, DeactivatedPerson, LinkedPerson
from cardstock.staff.roles import Role
from tests.people.memory_members import MemoryMembers


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
        if actor_id not in active or not self.stored[actor_id].is_owner:
            return "actor_inactive"
        if person_id not in self.stored:
            return "unknown"
        if person_id not in active:
            return "done"
        if len(active) <= remaining:
            return "last_persons"
        self.stored[person_id] = replace(self.stored[person_id], state="inactive")
        return "done"

    def set_roles(self, person_id: str, roles: frozenset[Role], actor_id: str) -> ChangedRoles:
        actor, person = self.stored.get(actor_id), self.stored.get(person_id)
        if actor is None or not actor.active or not actor.is_owner:
            return "actor_inactive"
        if person is None or not person.active:
            return "unknown"
        self.stored[person_id] = replace(person, roles=roles)
        return "done"

    def end_sessions(self, person_id: str, at: datetime) -> bool:
        if person_id not in self.stored:
            return False
        self.stored[person_id] = replace(self.stored[person_id], sessions_from=at)
        return True

    def persons(self, limit: int, after: str | None) -> tuple[Sequence[Person], str | None]:
        ids = sorted(person_id for person_id in self.stored if person_id > (after or ""))
        return [self.stored[person_id] for person_id in ids[:limit]], ids[limit - 1] if len(ids) > limit else None


class MemoryLinks:
    """`staff.ports.Links`."""

    def __init__(self, persons: MemoryPersons, members: MemoryMembers) -> None:
        self._persons, self._members = persons.stored, members.members
        self.invitations: dict[str, Invitation] = {}

    def invite(self, person_id: str, invitation: Invitation) -> bool:
        person = self._persons.get(person_id)
        if person is None or person.state != "active" or person.member_id:
            return False
        self.invitations[person_id] = invitation
        return True

    def find_invited(self, person_id: str) -> tuple[Person, Invitation | None] | None:
        person = self._persons.get(person_id)
        return (person, self.invitations.get(person_id)) if person else None

    def link(self, person_id: str, invitation: Invitation, member_id: str, now: datetime) -> LinkedPerson:
        person, member = self._persons.get(person_id), self._members.get(member_id)
        if person is None or person.state != "active" or person.member_id:
            return "person_changed"
        if self.invitations.get(person_id) != invitation:
            return "person_changed"
        if member is None or member.state == "erased" or member.closing_at is not None:
            return "member_gone"
        if member.staff_link:
            return "member_linked"
        by = invitation.made_by
        self._persons[person_id] = replace(person, member_id=member_id, linked_at=now, linked_by=by)
        self._members[member_id] = replace(member, staff_link=person_id, was_staff=True)
        return "linked"

    def facts_of(self, member_ids: Iterable[str]) -> Mapping[str, MemberFacts]:
        found = {each: self._members[each] for each in member_ids if each in self._members}
        return {
            each: MemberFacts(one.phone, one.account, one.person.id if one.person else "", one.relatives)
            for each, one in found.items()
        }

    def release(self, person: Person) -> bool:
        stored, member_id = self._persons[person.person_id], person.member_id
        if member_id is None or stored.member_id != member_id:
            return False
        former = (*stored.former_members, member_id)
        self._persons[person.person_id] = replace(
            stored, member_id=None, linked_at=None, linked_by="", former_members=former
        )
        self._members[member_id] = replace(self._members[member_id], staff_link="")
        self.invitations.pop(person.person_id, None)
        return True


class MemoryConfirmations:
    """`staff.ports.Confirmations`. A transaction is a list of whether each condition held."""

    def __init__(self, persons: MemoryPersons) -> None:
        self._persons = persons.stored
        self.stored: dict[tuple[str, str], Confirmation] = {}

    def find_with_person(
        self, person_id: str, confirmation_ids: Sequence[str]
    ) -> tuple[Person | None, Sequence[Confirmation]]:
        found = [self.stored[person_id, each] for each in sorted(confirmation_ids) if (person_id, each) in self.stored]
        return self._persons.get(person_id), found

    def ask(self, confirmation: Confirmation) -> bool:
        key = (confirmation.person_id, confirmation.id)
        return self.stored.setdefault(key, confirmation) is confirmation

    def answer(self, confirmation: Confirmation, state: ConfirmationState, now: datetime) -> bool:
        key = (confirmation.person_id, confirmation.id)
        if self.stored[key].state != "asked":
            return False
        self.stored[key] = replace(self.stored[key], state=state, answered_at=now)
        return True

    def use(self, confirmation: Confirmation, now: datetime) -> UseOnce:
        key = (confirmation.person_id, confirmation.id)

        def add(write: list[bool]) -> None:
            write.append(self.stored[key].state == "confirmed")
            if write[-1]:
                self.stored[key] = replace(self.stored[key], state="used", used_at=now)

        return add

    def asked_since(self, person_id: str, at: datetime) -> Sequence[Confirmation]:
        since = ids_since("cfm", at)
        return [self.stored[key] for key in sorted(self.stored) if key[0] == person_id and key[1] >= since]


class MemoryConsole:
    """`staff.ports.Console`."""

    def __init__(self, persons: MemoryPersons) -> None:
        self._persons = persons.stored
        self.logins: dict[tuple[str, str], PendingLogin] = {}
        self.sessions: dict[tuple[str, str], ConsoleSession] = {}
        self.counters = Counter[str]()

    def ask(self, login: PendingLogin, origin: str) -> None:
        key = LOG_INS.key(origin, login.made_at)
        if self.counters[key] >= LOG_INS.most:
            raise LOG_INS.refusal(login.made_at)
        self.counters[key] += 1
        self.logins[login.person_id, login.login_id] = login

    def find_login(self, person_id: str, login_id: str) -> PendingLogin | None:
        return self.logins.get((person_id, login_id))

    def logins_of(self, person_id: str, since: datetime) -> Sequence[PendingLogin]:
        first = login_ids_since(since)
        return [login for (owner, each), login in self.logins.items() if owner == person_id and each >= first]

    def answer(self, login: PendingLogin) -> bool:
        stored = self.logins.get((login.person_id, login.login_id))
        if stored is None or stored.state != "waiting" or not self._is(login.person_id, login.member_id):
            return False
        at = login.answered_at or login.made_at
        key = WRONG_DIGITS.key(login.person_id, at)
        if self.counters[key] >= WRONG_DIGITS.most:
            raise WRONG_DIGITS.refusal(at)
        self.counters[key] += login.state == "refused"
        self.logins[login.person_id, login.login_id] = login
        return True

    def start(self, session: ConsoleSession, login: PendingLogin) -> bool:
        stored = self.logins.get((login.person_id, login.login_id))
        if stored is None or stored.state != "confirmed" or stored.member_id != session.member_id:
            return False
        if not self._is(session.person_id, session.member_id):
            return False
        self.sessions.setdefault((session.person_id, session.session_id), session)
        return True

    def end(self, person_id: str, session_id: str, at: datetime) -> None:
        if found := self.sessions.get((person_id, session_id)):
            self.sessions[person_id, session_id] = replace(found, ended_at=at)

    def _is(self, person_id: str, member_id: str) -> bool:
        person = self._persons.get(person_id)
        return person is not None and person.active and person.member_id == member_id


class MemoryActions:
    """`staff.ports.Actions`."""

    def __init__(self, *known: RecordedAction) -> None:
        self.stored = list(known)

    def actions_of(
        self, persons: Iterable[str], since: datetime | None, until: datetime | None, limit: int, after: str | None
    ) -> tuple[Sequence[RecordedAction], str | None]:
        wanted = set(persons)
        found = sorted(
            (
                each
                for each in self.stored
                if each.person_id in wanted
                and (since is None or each.at >= since)
                and (until is None or each.at < until)
                and (after is None or each.action_id < after)
            ),
            key=lambda each: each.action_id,
            reverse=True,
        )
        return found[:limit], found[limit - 1].action_id if len(found) > limit else None
