"""Persons of the staff as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment, NextCursor, PersonId
from cardstock.edge.http import LINE, Model
from cardstock.staff.linking import NewInvitation
from cardstock.staff.model import ROOT, Person
from cardstock.staff.roles import Role


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
    member_id: Annotated[
        str | None,
        Meta(
            description="Member who is this person on the phone; null while none is linked.",
            examples=["mem_01kbdxdh50fcazdjhcnqh2rzv5"],
        ),
    ]

    roles: Annotated[
        list[Role] | None,
        Meta(
            description="What the person may do; null for a person of an earlier release who was given no roles yet.",
            examples=[["finance"]],
        ),
    ]
    endpoints_disabled: Annotated[
        list[str],
        Meta(
            description=(
                "Webhook endpoints that were disabled because this person, who answered for them, has left or lost the "
                "right; without those that another person has tested since."
            ),
            examples=[[]],
        ),
    ]

    @classmethod
    def as_created(cls, person: Person) -> PersonView:
        """`person` as created, also if inactive by now, so that a repeat gets the same answer."""
        roles: frozenset[Role] = frozenset({"owner"}) if person.created_by == ROOT else frozenset()
        return cls.of(replace(person, state="active", member_id=None, roles=roles))

    @classmethod
    def of(cls, person: Person, endpoints: Sequence[str] | None = None) -> PersonView:
        """`person` for staff, with the webhook endpoints that were disabled when the person left."""
        active = person.state == "active"
        roles = None if person.roles is None else sorted(person.roles)
        created = rfc3339(person.created_at)
        disabled = list(endpoints or ())
        return cls(person.person_id, person.name, person.created_by, created, active, person.member_id, roles, disabled)


class StaffList(Model):
    """All persons of the staff, inactive ones too."""

    items: Annotated[list[PersonView], Meta(description="Persons by id, including inactive ones.")]
    next_cursor: NextCursor


Reason = Annotated[
    str,
    Meta(min_length=1, max_length=200, pattern=LINE, description="Why, for the record.", examples=["moved to finance"]),
]


class InvitationView(Model):
    """An invitation, which is shown once."""

    person_id: PersonId
    invitation: Annotated[
        str,
        Meta(
            description="What the member sends to `PUT /v1/me/staff`; a QR code carries it to the phone.",
            examples=["sti_01kbdx9q7r5t3v1w8y6z4a2c0e_Q7mX1n5r7u9w2y4A6C8E0gZb8kTq3mX1n5r7u9w2y4A"],
        ),
    ]
    expires_at: Annotated[Moment, Meta(description="Until when it can be accepted.")]

    @classmethod
    def of(cls, person_id: str, made: NewInvitation) -> InvitationView:
        """The invitation for whoever made it."""
        return cls(person_id, made.token, rfc3339(made.invitation.expires_at))


class AcceptInvitation(Model):
    """An invitation of the staff."""

    invitation: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=128,
            pattern=LINE,
            description="As an owner has shown it.",
            examples=["sti_01kbdx9q7r5t3v1w8y6z4a2c0e_Q7mX1n5r7u9w2y4A6C8E0gZb8kTq3mX1n5r7u9w2y4A"],
        ),
    ]


class LinkedPersonView(Model):
    """The person of the staff who the member is."""

    person_id: PersonId
    name: Annotated[str, Meta(description="The person's name.", examples=["Li Na"])]

    @classmethod
    def of(cls, person: Person) -> LinkedPersonView:
        """`person` for the linked member."""
        return cls(person.person_id, person.name)


class PutRoles(Model):
    """All roles of a person."""

    roles: Annotated[
        frozenset[Role],
        Meta(
            description="The roles of the person from now on, in place of others; none takes every right away.",
            examples=[["finance"]],
        ),
    ]
    reason: Reason


class GiveReason(Model):
    """Why something is done."""

    reason: Reason
