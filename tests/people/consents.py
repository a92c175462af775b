"""Consents as clients send them, and members who have given them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cardstock.members.consent_model import FIRST, PURPOSES, Consent, Purpose

LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)
EVERY: Final[Mapping[Purpose, Consent]] = {key: Consent(1, granted=True, at=LONG_AGO) for key in sorted(PURPOSES)}
"""Of a member who agreed to everything."""
AGREED: Final = tuple(FIRST.items())
"""The same as a log-in request has it."""


def sent(*purposes: str, version: int = 1) -> list[dict[str, Any]]:
    """The member `consents` of a log-in's body; without a name those to every purpose."""
    return [{"purpose": purpose, "version": version} for purpose in purposes or PURPOSES]


def login_body(openid: str, **more: Any) -> dict[str, Any]:
    """The body of a log-in of the development platform, by somebody who agrees to everything; None leaves one out."""
    known = {"platform": "dev", "app_id": "wx1", "login_code": f"dev:{openid}", "consents": sent()}
    return {key: value for key, value in (known | more).items() if value is not None}
