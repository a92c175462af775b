"""Persons, and the rule for a second person."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.staff.roles import Role, scopes_of

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
    """A person of the brand's staff. `created_by` is a person id, or `root`.

    `roles` is None for persons of release 0.3.0 and before, which knew no roles: their keys keep what they were given,
    until an owner gives the person roles; in the console the first two are owners, the others may do nothing.
    """

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
    roles: frozenset[Role] | None = None
    sessions_from: datetime | None = None
    """Sessions of the console that began before have ended."""

    @property
    def active(self) -> bool:
        """Whether the person works here."""
        return self.state == "active"

    @property
    def own_members(self) -> frozenset[str]:
        """The members who are, or were, linked with the person."""
        now = () if self.member_id is None else (self.member_id,)
        return frozenset((*self.former_members, *now))

    @property
    def is_owner(self) -> bool:
        """Whether the person gives roles: as an owner, or by the key of a person without roles."""
        return self.roles is None or "owner" in self.roles

    @property
    def session_scopes(self) -> frozenset[str]:
        """What a session of the person may do now."""
        if self.roles is None:
            return scopes_of(("owner",)) if self.created_by == ROOT else frozenset()
        return scopes_of(self.roles)

    def key_scopes(self, scopes: frozenset[str]) -> frozenset[str]:
        """What a key of the person, which was given `scopes`, may do now."""
        return scopes if self.roles is None else scopes & scopes_of(self.roles)

    def has_session(self, began_at: datetime, member_id: str) -> bool:
        """Whether a session that this member confirmed at `began_at` still holds: the person is active, the member is
        linked, and nobody has ended the person's sessions since."""
        ended = self.sessions_from is not None and began_at <= self.sessions_from
        return self.active and self.member_id == member_id and not ended


class Invitation(msgspec.Struct, frozen=True):
    """Lets one member be linked with the person, once, until it expires. Its secret is not stored."""

    digest: str
    """SHA-256 of the secret."""
    made_by: str
    """A person id, or `root`."""
    expires_at: datetime


class MemberFacts(msgspec.Struct, frozen=True):
    """What tells whether two members are one human being."""

    phone: str
    account: str
    identity: str
    """Id of the verified identity; empty without one."""
    siblings: frozenset[str] = frozenset()
    """Other members who are the same person: merged, or verified as one."""


def is_second_person(
    second: Person, first: Person, at: datetime, facts: Mapping[str, MemberFacts] = MappingProxyType({})
) -> bool:
    """Whether `second` may approve at `at` what `first` began.

    They are two persons, `second` is active, and within the last seven days neither created the other or invited the
    other to be linked, nor did a third person create both. They are not one human being by their members, of whom
    `facts` are known. The age of their keys does not matter.
    """
    if second.person_id == first.person_id or second.state != "active":
        return False
    if _are_one_human(second.own_members, first.own_members, facts):
        return False
    new = [person for person in (first, second) if at < person.created_at + PROBATION]
    siblings = first.created_by == second.created_by != ROOT
    if any(siblings or person.created_by in (first.person_id, second.person_id) for person in new):
        return False
    linked = [person for person in (first, second) if person.linked_at and at < person.linked_at + PROBATION]
    return not any(person.linked_by in (first.person_id, second.person_id) for person in linked)


def _are_one_human(some: frozenset[str], others: frozenset[str], facts: Mapping[str, MemberFacts]) -> bool:
    """Whether a member of both, a telephone number, an account or a verified identity is the same."""
    if some & others:
        return True

    def marks(members: frozenset[str]) -> set[tuple[str, str]]:
        known = [(member, facts[member]) for member in members if member in facts]
        of_identity = {("member", each) for member, fact in known for each in (member, *fact.siblings)}
        return of_identity | {
            mark
            for _, fact in known
            for mark in (("phone", fact.phone), ("account", fact.account), ("identity", fact.identity))
            if mark[1]
        }

    return bool(marks(some) & marks(others))


def may_change_staff(person: Person, at: datetime) -> bool:
    """Whether `person` may create and deactivate persons at `at`.

    A person created by another one cannot for seven days: otherwise the creator would control a second person at once,
    through the new one, and a new person could put others out. The first two persons can at any time.
    """
    return person.state == "active" and (person.created_by == ROOT or at >= person.created_at + PROBATION)
