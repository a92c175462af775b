"""Factories of the staff area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardstock.staff.ports import Links, Persons


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


def is_active(person_id: str) -> bool:
    """Whether this is a person who may act now."""
    found = persons().find_persons((person_id,)).get(person_id)
    return found is not None and found.state == "active"


def can_approve(second_id: str | None, first_id: str) -> bool:
    """Whether the person `second_id` may approve what `first_id` began."""
    from cardstock.staff import persons as verbs

    return verbs.can_approve(second_id, first_id, persons=persons())
