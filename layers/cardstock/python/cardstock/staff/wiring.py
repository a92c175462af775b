"""Factories of the staff area, each lazy: a function loads only what it uses."""

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cardstock.approving import Confirm
    from cardstock.edge.callers import Caller
    from cardstock.staff.ports import Actions, Confirmations, Console, Links, Persons


@cache
def persons() -> "Persons":
    """Persons in DynamoDB."""
    from cardstock.staff.store import DynamoPersons

    return DynamoPersons()


@cache
def links() -> "Links":
    """Links of persons with members in DynamoDB."""
    from cardstock.staff.link_store import DynamoLinks

    return DynamoLinks()


@cache
def console() -> "Console":
    """Log-ins and sessions of the console in DynamoDB."""
    from cardstock.staff.console_store import DynamoConsole

    return DynamoConsole()


@cache
def actions() -> "Actions":
    """The record of the staff's actions in DynamoDB."""
    from cardstock.staff.action_store import DynamoActions

    return DynamoActions()


@cache
def confirmations() -> "Confirmations":
    """Confirmations in DynamoDB."""
    from cardstock.staff.confirmation_store import DynamoConfirmations

    return DynamoConfirmations()


class Approving(NamedTuple):
    """What a step that approves money asks about the person who calls."""

    can_approve: Callable[[str], bool]
    """Whether the person may approve what the given one began."""
    confirm: "Confirm"
    """Has the person's phone confirm the step."""


def approving(caller: "Caller") -> Approving:
    """What a step that approves money asks about `caller`."""
    from cardstock.staff.confirmations import Asker, require_confirmation

    asker = Asker(caller.person_id, caller.session_id or caller.id, caller.credential or "console")
    confirm = partial(require_confirmation, asker=asker, confirmations=confirmations())
    return Approving(partial(can_approve, caller.person_id), confirm)


def is_active(person_id: str) -> bool:
    """Whether this is a person who may act now."""
    found = persons().find_persons((person_id,)).get(person_id)
    return found is not None and found.state == "active"


def can_approve(second_id: str | None, first_id: str) -> bool:
    """Whether the person `second_id` may approve what `first_id` began."""
    from cardstock.staff import persons as verbs

    return verbs.can_approve(second_id, first_id, persons=persons(), links=links())
