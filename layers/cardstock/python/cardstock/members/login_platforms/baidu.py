"""Baidu: mini-programs of the brand, by `platforms.baidu`. Logging in alone: no payment is offered there."""

from datetime import datetime, timedelta
from typing import Any, Final

from cardstock import clock
from cardstock.members.login_platforms.refusals import Refusals, Report, app_in, apps_of
from cardstock.members.model import PlatformIdentity
from cardstock.platforms.baidu import App, Baidu

NAME: Final = "baidu"
KEPT_FOR: Final = timedelta(minutes=1)
"""A log-in reads its number within seconds."""


class BaiduLogin:
    """`members.ports.LoginPlatform`. `config` is the secret's. Raises ValueError for one that cannot work.

    The number is read with the session key of the same log-in, so code and number come in one request. The key is in
    this process's memory until the number is read or `KEPT_FOR` is over, and nowhere else.
    """

    proves_holder: Final = True

    def __init__(self, config: Any, *, client: Baidu, report: Report) -> None:
        self._apps = apps_of(config, App)
        self._client = client
        self._refusals = Refusals(NAME, report)
        self._keys: dict[tuple[str, str], tuple[bytes, datetime]] = {}

    def identify(self, app_id: str, login_code: str) -> PlatformIdentity:
        app, now = app_in(self._apps, app_id), clock.now()
        with self._refusals.of(app_id, "login_code"):
            found = self._client.account_of(app_id, app, login_code)
        self._keys = {whose: kept for whose, kept in list(self._keys.items()) if now - kept[1] < KEPT_FOR}
        self._keys[app_id, found.account.openid] = (found.session_key, now)
        return PlatformIdentity(found.account.openid, found.account.union_id)

    def phone_of(self, app_id: str, phone_proof: str, openid: str) -> str:
        app_in(self._apps, app_id)
        key, at = self._keys.pop((app_id, openid), (None, clock.now()))
        with self._refusals.of(app_id, "phone_code"):
            return self._client.phone_of(app_id, phone_proof, key if clock.now() - at < KEPT_FOR else None)
