"""The development platform: accepts any code. Never in the cloud."""

import re
from typing import Final

from cardstock.members import errors
from cardstock.members.model import PlatformIdentity

_LOGIN_CODE = re.compile(r"dev:([A-Za-z0-9_.-]{1,64})(?:/u:([A-Za-z0-9_.-]{1,64}))?")
_PHONE_CODE = re.compile(r"dev:(\+[1-9][0-9]{7,14})")


class DevelopmentPlatform:
    """`members.ports.LoginPlatform`: `dev:anna` is the account `anna`, `dev:anna/u:one` the same with a union id,
    `dev:+8613800138000` that telephone number."""

    proves_holder: Final = True

    def identify(self, app_id: str, login_code: str) -> PlatformIdentity:  # noqa: ARG002 - good for every app here
        found = _parts_of(_LOGIN_CODE, login_code)
        return PlatformIdentity(found[1], union_id=found[2] or "")

    def phone_of(self, app_id: str, phone_proof: str, openid: str) -> str:  # noqa: ARG002 - as above
        return _parts_of(_PHONE_CODE, phone_proof)[1]


class SelfAssertedIdentity:
    """`members.ports.IdentityVerifier`: takes the member's own word."""

    def verify(self, name: str, number: str) -> str:  # noqa: ARG002 - every pair is good
        return "dev"


def _parts_of(shape: re.Pattern[str], code: str) -> re.Match[str]:
    found = shape.fullmatch(code)
    if found is None:
        raise errors.LOGIN_CODE_INVALID()
    return found
