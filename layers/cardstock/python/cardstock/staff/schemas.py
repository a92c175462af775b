"""Persons of the staff as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment, NextCursor, PersonId
from cardstock.edge.http import LINE, Model
from cardstock.staff.model import Person


class CreatePerson(Model):
    """A new person of the staff."""

    name: Annotated[
        str,
        Meta(min_length=1, max_length=64, pattern=LINE, examples=["Li Na"], description="The person's name."),
    ]


class PersonView(Model):
    """A person of the staff."""

    person_id: PersonId
    name: Annotated[str, Meta(description="The person's name.", examples=["Li Na"])]
    created_by: Annotated[
        str,
        Meta(
            description="Person who created this one; `root` for the first two.",
            examples=["stf_01kbdx8v2m4q6s8t0w1y3z5a7c"],
        ),
    ]
    created_at: Annotated[Moment, Meta(description="When the person was created.")]
    active: Annotated[bool, Meta(description="Whether the person works here; false once deactivated.")]

    @classmethod
    def as_created(cls, person: Person) -> PersonView:
        """`person` as created, also if inactive by now, so that a repeat gets the same answer."""
        return cls.of(replace(person, state="active"))

    @classmethod
    def of(cls, person: Person) -> PersonView:
        """`person` for staff."""
        active = person.state == "active"
        return cls(person.person_id, person.name, person.created_by, rfc3339(person.created_at), active)


class StaffList(Model):
    """All persons of the staff, inactive ones too."""

    items: Annotated[list[PersonView], Meta(description="Persons by id, including inactive ones.")]
    next_cursor: NextCursor
