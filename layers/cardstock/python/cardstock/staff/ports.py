"""What the staff area needs from outside."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from cardstock.approving import UseOnce
from cardstock.ids import RequestKey
from cardstock.staff.actions import RecordedAction
from cardstock.staff.confirmation_model import Confirmation, ConfirmationState
from cardstock.staff.console_model import ConsoleSession, PendingLogin
from cardstock.staff.model import Invitation, MemberFacts, Person
from cardstock.staff.roles import Role

AddedPerson: TypeAlias = Literal["added", "known", "too_many"]
LinkedPerson: TypeAlias = Literal["linked", "person_changed", "member_linked", "member_gone"]
ChangedRoles: TypeAlias = Literal["done", "unknown", "actor_inactive"]
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

        Otherwise nothing has changed. `actor_inactive`: the actor is unknown, inactive or no owner. `unknown`: there
        is no such person. `last_persons`: too few would remain. Raises `UnavailableError` STORE_BUSY.
        """

    def set_roles(self, person_id: str, roles: frozenset[Role], actor_id: str) -> ChangedRoles:
        """Give the active person these roles in place of others, if in the same step the actor is an active owner.

        `unknown`: no such active person. Raises `UnavailableError` STORE_BUSY.
        """

    def end_sessions(self, person_id: str, at: datetime) -> bool:
        """End the person's sessions that began until `at`; False if there is no such person."""

    def persons(self, limit: int, after: str | None) -> tuple[Sequence[Person], str | None]:
        """A page of all persons by id, and the id after which the next page starts; None at the end."""


class Links(Protocol):
    """Which member is which person: an invitation a person, a member a person, a person a member."""

    def invite(self, person_id: str, invitation: Invitation) -> bool:
        """Store the person's invitation in place of an earlier one; False unless the person is active and without a
        member."""

    def find_invited(self, person_id: str) -> tuple[Person, Invitation | None] | None:
        """The person and the newest invitation, accepted or not, read consistently; None if there is no such person."""

    def link(self, person_id: str, invitation: Invitation, member_id: str, now: datetime) -> LinkedPerson:
        """Link member and person, if the person has this invitation, is active and without a member, and the member has
        no person: all of it in one step, or nothing.

        `person_changed`: something else is true of the person. `member_linked`: the member is a person already.
        `member_gone`: there is no such member, or one whose account is closed or being closed.
        """

    def facts_of(self, member_ids: Iterable[str]) -> Mapping[str, MemberFacts]:
        """What is known of those members that exist, erased ones too, in one consistent read."""

    def release(self, person: Person) -> bool:
        """End the link of the person with `person.member_id`; the person remembers the member, and the invitation ends.
        False if that is not the person's member any more."""


class Confirmations(Protocol):
    """Steps of money that persons' phones confirm."""

    def find_with_person(
        self, person_id: str, confirmation_ids: Sequence[str]
    ) -> tuple[Person | None, Sequence[Confirmation]]:
        """The person, and those of the person's confirmations that exist, in one consistent read."""

    def ask(self, confirmation: Confirmation) -> bool:
        """Store the new confirmation; False if there is one of its id."""

    def answer(self, confirmation: Confirmation, state: ConfirmationState, now: datetime) -> bool:
        """Store the answer as the confirmation's state; False, and nothing changes, if it was answered before."""

    def use(self, confirmation: Confirmation, now: datetime) -> UseOnce:
        """What adds the use of a confirmed confirmation to the transaction of its step, once."""

    def asked_since(self, person_id: str, at: datetime) -> Sequence[Confirmation]:
        """The person's confirmations that were asked for in the window of `at` or later, oldest window first; one
        consistent read."""


class Console(Protocol):
    """Pending log-ins to the console, and its sessions."""

    def ask(self, login: PendingLogin, origin: str) -> None:
        """Store a new log-in. Raises `ThrottledError` (TOO_MANY) if there were too many from `origin`: a known browser,
        or a network address."""

    def find_login(self, person_id: str, login_id: str) -> PendingLogin | None:
        """The log-in, read consistently; it may be over."""

    def logins_of(self, person_id: str, since: datetime) -> Sequence[PendingLogin]:
        """The log-ins of a person that were asked for since then, whatever their state."""

    def answer(self, login: PendingLogin) -> bool:
        """Store the answer of `login.member_id`, if the log-in waits, and that member is the active person, in one
        step; else False. Raises `ThrottledError` (TOO_MANY) if the person's wrong answers were too many before, and
        changes nothing then."""

    def start(self, session: ConsoleSession, login: PendingLogin) -> bool:
        """Store a session, if the log-in is confirmed, and its member is the active person, in one step. A repeat is
        True and changes nothing."""

    def end(self, person_id: str, session_id: str, at: datetime) -> None:
        """End a session for good. A repeat changes nothing."""


class Actions(Protocol):
    """The record of what persons of the staff did."""

    def actions_of(
        self, persons: Iterable[str], since: datetime | None, until: datetime | None, limit: int, after: str | None
    ) -> tuple[Sequence[RecordedAction], str | None]:
        """A page of the actions of these persons, from `since` until before `until`, newest first, and the id after
        which the next page starts; None at the end."""
