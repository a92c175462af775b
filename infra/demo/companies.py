"""Where the demonstration's customers log in and pay: WeChat and Alipay on this machine, and the development platform
with the sandbox. What a company knows of its payments is compared with what the shop's customers did."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import urllib3

from infra.local.platforms.serving import Platforms

DEVELOPMENT: Final = "dev"
ALL: Final = ("wechat", "alipay", DEVELOPMENT)
"""Every customer in turn."""
CHANNEL: Final = {"wechat": "wechat", "alipay": "alipay", DEVELOPMENT: "sandbox"}
APP_ID: Final = "wxdemo"
"""The app of the development platform."""


class CompanyError(Exception):
    """A company did not do what a customer asked for."""


class Companies:
    """What mini-programs and their people do at the companies at `url`. Safe for threads."""

    def __init__(self, url: str, sandbox: Callable[[str, int], None]) -> None:
        self._url = url
        self._sandbox = sandbox
        self._pool = urllib3.PoolManager(maxsize=8, timeout=30.0, retries=False)

    def codes(self, platform: str, person: str) -> dict[str, str]:
        """The body of a log-in: platform, app and code."""
        if platform == DEVELOPMENT:
            return {"platform": platform, "app_id": APP_ID, "login_code": f"dev:{person}"}
        return self._said("GET", f"/{platform}/codes?person={person}", b"")

    def pay(self, platform: str, person: str, app_id: str, started: Mapping[str, Any]) -> None:
        """The person confirms what the shop has started."""
        if platform == DEVELOPMENT:
            self._sandbox(started["order_no"], started["amount_fen"])
            return
        confirmed = {"person": person, "app_id": app_id, "call": started["parameters"]}
        self._said("POST", f"/{platform}-pay/payments", json.dumps(confirmed).encode())

    def _said(self, method: str, path: str, body: bytes) -> dict[str, str]:
        reply = self._pool.request(method, self._url + path, body=body, headers={"content-type": "application/json"})
        if reply.status != 200:
            raise CompanyError(f"{method} {path}: {reply.status} {reply.data!r}")
        said: dict[str, str] = json.loads(reply.data)
        return said


def books(platforms: Platforms) -> dict[str, dict[str, int]]:
    """What the companies know by channel: orders that were paid, their fen, and refunds that have arrived."""
    trades = {
        "wechat": [each for each in platforms.wechat_pay.trades.values() if "transaction_id" in each],
        "alipay": [each for each in platforms.alipay_pay.trades.values() if "gmt_payment" in each],
    }
    return {
        channel: {
            "orders": len(paid),
            "paid_fen": sum(each["total"] for each in paid),
            "refunds": sum(one["status"] == "SUCCESS" for each in paid for one in each["refunds"].values()),
        }
        for channel, paid in trades.items()
    }
