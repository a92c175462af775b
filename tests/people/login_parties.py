"""Each login platform as it is on this machine, with its adapter, under one face: for the port's contract."""

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from cardstock.clock import Clock
from cardstock.members.login_platforms.alipay import AlipayLogin
from cardstock.members.login_platforms.baidu import BaiduLogin
from cardstock.members.login_platforms.development import DevelopmentPlatform
from cardstock.members.login_platforms.douyin import DouyinLogin
from cardstock.members.login_platforms.wechat import WechatLogin
from cardstock.members.ports import LoginPlatform as Port
from cardstock.platforms import alipay, baidu, douyin, wechat
from infra.local.platforms.alipay import Alipay, new_app
from infra.local.platforms.baidu import Baidu
from infra.local.platforms.douyin import Douyin
from infra.local.platforms.douyin import new_app as new_douyin_app
from infra.local.platforms.people import LoginPlatform
from infra.local.platforms.wechat import Wechat
from tests.people.login_servers import transport_to

PHONE = "13800138000"


class Party(Protocol):
    """One platform: what its mini-program would get, and our adapter."""

    name: str
    app_id: str
    port: Port
    told: list[tuple[str, str, str]]

    def login_code(self, person: str) -> str:
        """What the platform's login call gives."""

    def phone_proof(self, person: str) -> str:
        """What its telephone button gives a person with the number `PHONE`."""


class Development:
    """The development platform."""

    name, app_id = "dev", "wx1"

    def __init__(self) -> None:
        self.port: Port = DevelopmentPlatform()
        self.told: list[tuple[str, str, str]] = []

    def login_code(self, person: str) -> str:
        return f"dev:{person}/u:{person}"

    def phone_proof(self, _person: str) -> str:
        return f"dev:+86{PHONE}"


class Real:
    """A real platform. `server` is the platform on this machine, `config` what the secret has of it."""

    def __init__(
        self, server: LoginPlatform, config: dict[str, Any], adapter: Callable[..., Port], client: Any
    ) -> None:
        self.name = server.name
        self.server = server
        self.config = config
        self.app_id = next(iter(server.apps))
        self.told: list[tuple[str, str, str]] = []
        self.port = adapter(
            config,
            client=client(transport=transport_to(server), pause=lambda _seconds: None),
            report=lambda *what: self.told.append(what),
        )

    def login_code(self, person: str) -> str:
        return self.server.login_code(self.app_id, person)

    def phone_proof(self, person: str) -> str:
        return self.server.phone_proof(self.app_id, person, PHONE)


@cache
def alipay_app() -> dict[str, str]:
    """An app of Alipay; its keys are made once."""
    return new_app("brand")


def wechat_party(clock: Clock) -> Real:
    apps = {"wx0000000000000001": {"secret": "s1", "developer": "brand"}}
    config = {"apps": {app_id: {"secret": app["secret"]} for app_id, app in apps.items()}}
    return Real(Wechat(apps, clock.now), config, WechatLogin, wechat.Wechat)


def alipay_party(clock: Clock) -> Real:
    app = alipay_app()
    own = {
        "private_key": app["own_private_key"], "public_key": app["own_alipay_public_key"], "aes_key": app["aes_key"],
    }  # fmt: skip
    server = Alipay({"2021000000000001": app}, clock.now)
    return Real(server, {"apps": {"2021000000000001": own}}, AlipayLogin, alipay.Alipay)


@cache
def douyin_app() -> dict[str, str]:
    """An app of Douyin; its key is made once."""
    return new_douyin_app("brand")


def douyin_party(clock: Clock) -> Real:
    app = douyin_app()
    own = {"secret": app["secret"], "private_key": app["own_private_key"]}
    return Real(Douyin({"tt00000001": app}, clock.now), {"apps": {"tt00000001": own}}, DouyinLogin, douyin.Douyin)


def baidu_party(clock: Clock) -> Real:
    apps = {"bd000000000000000000000000000001": {"secret": "s1", "developer": "brand"}}
    config = {"apps": {app_id: {"secret": app["secret"]} for app_id, app in apps.items()}}
    return Real(Baidu(apps, clock.now), config, BaiduLogin, baidu.Baidu)


REAL: dict[str, Callable[[Clock], Real]] = {
    "wechat": wechat_party, "alipay": alipay_party, "douyin": douyin_party, "baidu": baidu_party,
}  # fmt: skip
"""The real platforms by name."""
