"""WeChat: mini-programs of the brand, by `platforms.wechat`."""

from typing import Any, Final

from cardstock.members.login_platforms.refusals import Refusals, Report, app_in, apps_of
from cardstock.members.model import PlatformIdentity
from cardstock.platforms.wechat import App, Wechat

NAME: Final = "wechat"


class WechatLogin:
    """`members.ports.LoginPlatform`. `config` is the secret's. Raises ValueError for one that cannot work."""

    proves_holder: Final = True

    def __init__(self, config: Any, *, client: Wechat, report: Report) -> None:
        self._apps = apps_of(config, App)
        self._client = client
        self._refusals = Refusals(NAME, report)

    def identify(self, app_id: str, login_code: str) -> PlatformIdentity:
        app = app_in(self._apps, app_id)
        with self._refusals.of(app_id, "login_code"):
            found = self._client.account_of(app_id, app, login_code)
        return PlatformIdentity(found.openid, found.union_id)

    def phone_of(self, app_id: str, phone_proof: str, openid: str) -> str:
        app = app_in(self._apps, app_id)
        with self._refusals.of(app_id, "phone_code"):
            return self._client.phone_of(app_id, app, phone_proof, openid)
