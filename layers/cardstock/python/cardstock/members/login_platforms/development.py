"""The development platform: accepts any code. Never in the cloud."""

import re

from cardstock.members import errors

_LOGIN_CODE = re.compile(r"dev:([A-Za-z0-9_.-]{1,64})")
_PHONE_CODE = re.compile(r"dev:(\+[1-9][0-9]{7,14})")


class DevelopmentPlatform:
    """`members.ports.LoginPlatform`: `dev:anna` is the account `anna`, `dev:+8613800138000` that telephone number."""

    def openid_of(self, app_id: str, login_code: str) -> str:  # noqa: ARG002 - an account is good for every app here
        return _code_in(_LOGIN_CODE, login_code)

    def phone_of(self, app_id: str, phone_code: str) -> str:  # noqa: ARG002 - as above
        return _code_in(_PHONE_CODE, phone_code)


class SelfAssertedIdentity:
    """`members.ports.IdentityVerifier`: takes the member's own word."""

    def verify(self, name: str, number: str) -> str:  # noqa: ARG002 - every pair is good
        return "dev"


def _code_in(shape: re.Pattern[str], code: str) -> str:
    found = shape.fullmatch(code)
    if found is None:
        raise errors.LOGIN_CODE_INVALID()
    return found[1]
