"""Douyin: mini-programs of the brand, by `platforms.douyin`."""

from typing import Any, Final

from cardstock.members.login_platforms.refusals import Refusals, Report, app_in, apps_of
from cardstock.members.model import PlatformIdentity
from cardstock.platforms.douyin import App, Douyin

NAME: Final = "douyin"


class DouyinLogin:
    """`members.ports.LoginPlatform`. `config` is the secret's. Raises ValueError for one that cannot work."""

    proves_holder: Final = True

    def __init__(self, config: Any, *, client: Douyin, report: Report) -> None:
        self._apps = apps_of(config, App)
        self._client = client
        self._refusals = Refusals(NAME, report)

    def identify(self, app_id: str, login_code: str) -> PlatformIdentity:
        app = app_in(self._apps, app_id)
        with self._refusals.of(app_id, "login_code"):
            found = self._client.account_of(app_id, app, login_code)
        return PlatformIdentity(found.openid, found.union_id)

    def phone_of(self, app_id: str, phone_proof: str, openid: str) -> str:  # noqa: ARG002 - the code alone decides
        app = app_in(self._apps, app_id)
        with self._refusals.of(app_id, "phone_code"):
            return self._client.phone_of(app_id, app, phone_proof)
