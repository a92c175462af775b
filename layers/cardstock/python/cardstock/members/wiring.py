"""Factories of the members area, each lazy: a function imports and pays for what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardstock.members.ports import Platform, Verifier
    from cardstock.members.store import DynamoMembers


@cache
def platforms() -> "Mapping[str, Platform]":
    """Where members can log in from, by name. The development platform exists on a development machine alone."""
    from cardstock.members.channels.dev import DevPlatform

    return {"dev": DevPlatform()} if environment.text("ENVIRONMENT") == "local" else {}


@cache
def verifier() -> "Verifier | None":
    """Who tells whether a name and an ID number belong together; `None` where nobody can."""
    from cardstock.members.channels.dev import self_asserted

    return self_asserted if environment.text("ENVIRONMENT") == "local" else None


@cache
def members() -> "DynamoMembers":
    """Members in DynamoDB."""
    from cardstock.members.store import DynamoMembers

    return DynamoMembers()
