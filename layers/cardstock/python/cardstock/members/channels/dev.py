"""Where people log in from. So far the development platform, which exists on a development machine alone; WeChat,
Alipay, Douyin and Baidu are further classes with the same two methods (`members.ports.Platform`)."""

import re

from cardstock.members import errors

_LOGIN_CODE = re.compile(r"dev:([A-Za-z0-9_.-]{1,64})")
_PHONE_CODE = re.compile(r"dev:(\+[1-9][0-9]{7,14})")


class DevPlatform:
    """Believes everything: `dev:<openid>` is that person, `dev:+8613800138000` that number. Never in the cloud."""

    def identify(self, app_id: str, login_code: str) -> str:  # noqa: ARG002 - the port's shape; one app is like another here
        return _only(_LOGIN_CODE, login_code)

    def phone(self, app_id: str, phone_code: str) -> str:  # noqa: ARG002 - the port's shape
        return _only(_PHONE_CODE, phone_code)


def _only(shape: re.Pattern[str], code: str) -> str:
    found = shape.fullmatch(code)
    if found is None:
        raise errors.LOGIN_CODE_INVALID()
    return found[1]


def self_asserted(_name: str, _number: str) -> str:
    """Takes a member's word for his name and ID number (`members.ports.Verifier`). Never in the cloud."""
    return "dev"
