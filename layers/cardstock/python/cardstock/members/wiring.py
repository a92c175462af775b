"""Factories of the members area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardstock.members.ports import IdentityVerifier, LoginPlatform
    from cardstock.members.store import DynamoMembers


@cache
def login_platforms() -> "Mapping[str, LoginPlatform]":
    """The platforms to log in on, by name. The development platform exists on a development machine alone."""
    from cardstock.members.login_platforms.development import DevelopmentPlatform

    return {"dev": DevelopmentPlatform()} if environment.text("ENVIRONMENT") == "local" else {}


@cache
def identity_verifier() -> "IdentityVerifier | None":
    """What verifies names and identity numbers; None where nothing does."""
    from cardstock.members.login_platforms.development import SelfAssertedIdentity

    return SelfAssertedIdentity() if environment.text("ENVIRONMENT") == "local" else None


@cache
def members() -> "DynamoMembers":
    """Members in DynamoDB."""
    from cardstock.members.store import DynamoMembers

    return DynamoMembers()
