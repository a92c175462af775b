"""Alipay: apps of the brand, by `platforms.alipay`."""

from typing import Any, Final

from cardstock.members.login_platforms.refusals import Refusals, Report, app_in, apps_of
from cardstock.members.model import PlatformIdentity
from cardstock.platforms.alipay import Alipay, App

NAME: Final = "alipay"


class AlipayLogin:
    """`members.ports.LoginPlatform`. `config` is the secret's. Raises ValueError for one that cannot work.

    The proof of a telephone number names neither a person nor a time, and is the same text each time: whoever has seen
    it can send it. Source: `my.getPhoneNumber`, whose content is code, msg and mobile.
    """

    proves_holder: Final = False

    def __init__(self, config: Any, *, client: Alipay, report: Report) -> None:
        self._apps = apps_of(config, App)
        self._client = client
        self._refusals = Refusals(NAME, report)

    def identify(self, app_id: str, login_code: str) -> PlatformIdentity:
        app = app_in(self._apps, app_id)
        with self._refusals.of(app_id, "login_code"):
            found = self._client.account_of(app_id, app, login_code)
        return PlatformIdentity(found.account.openid, found.account.union_id, found.kind)

    def phone_of(self, app_id: str, phone_proof: str, openid: str) -> str:  # noqa: ARG002 - the proof names nobody
        app = app_in(self._apps, app_id)
        with self._refusals.of(app_id, "phone_code"):
            return self._client.phone_of(app, phone_proof)
