"""Cardstock on this machine: its template, its clock and its API document, for the generic runtime of `infra/local`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.local.platforms.douyin_pay import GOODS_TYPE, TAG_GROUP
from infra.local.platforms.serving import ALIPAY_SELLER, Platforms
from infra.local.suite import Suite
from infra.local.template import ROOT

TEMPLATE = ROOT / "template.yaml"
DOCUMENT = ROOT / "infra" / "contract" / "openapi.json"
PUBLIC, STAFF = "api", "staffapi-api"
"""The ids of the two HTTP APIs: members, agents, payment notices and inboxes; staff and partners."""
PORTS: Mapping[str, int] = {PUBLIC: 8700, STAFF: 8702}
SANDBOX_PORT, PLATFORMS_PORT, FILES_PORT = 8701, 8703, 8704
CLOCK_HOOK = "cardstock.clock:set_clock"
CLOCK_HEADER = "Cardstock-Time"
"""Tells the shop's time in every answer while it is not the machine's."""


def start(*, state_dir: Path | None = None, **options: Any) -> Suite:
    """A running deployment; `options` are those of `Suite.start`. Ports are free ones unless they are given."""
    suite = Suite.start(
        state_dir=state_dir,
        template=TEMPLATE,
        document=DOCUMENT,
        document_servers={f"http://127.0.0.1:{port}": api for api, port in PORTS.items()},
        clock_hook=CLOCK_HOOK,
        clock_header=CLOCK_HEADER,
        **options,
    )
    try:
        configure_platforms(suite)
    except BaseException:  # Ctrl-C too: the suite's processes would outlive this one
        suite.stop()
        raise
    return suite


def configure_platforms(suite: Suite) -> None:
    """Put the apps of the local platforms and the merchant's accounts into the secrets, and tell the identity service
    its key. What somebody has configured stays."""
    if suite.platforms is None:
        return
    _configure_wechat_pay(suite, suite.platforms)
    _configure_alipay_pay(suite, suite.platforms)
    _configure_douyin_pay(suite, suite.platforms)
    suite.platforms.identity.key = _stored(suite, "IDENTITY_SECRET_ID")["key"]
    secret_id, stored = suite.environment["PLATFORMS_SECRET_ID"], _stored(suite, "PLATFORMS_SECRET_ID")
    shown = {
        "wechat": {"secret": "secret"},
        "alipay": {"private_key": "own_private_key", "public_key": "own_alipay_public_key", "aes_key": "aes_key"},
        "douyin": {"secret": "secret", "private_key": "own_private_key"},
        "baidu": {"secret": "secret"},
    }
    local = {
        platform: {
            "apps": {
                app_id: {ours: app[theirs] for ours, theirs in shown[platform].items()} for app_id, app in apps.items()
            }
        }
        for platform, apps in suite.platforms.apps.items()
    }
    if local.keys() - stored.keys():
        suite.clients.secrets.put_secret_value(SecretId=secret_id, SecretString=json.dumps(local | stored))


def _stored(suite: Suite, named: str) -> Any:
    held = suite.clients.secrets.get_secret_value(SecretId=suite.environment[named])
    return json.loads(held["SecretString"])


def _configure_wechat_pay(suite: Suite, platforms: Platforms) -> None:
    merchant = platforms.merchants["wechat"]
    account = {
        **{name: merchant[name] for name in ("mch_id", "app_ids", "serial_no", "public_key_id", "notice_key")},
        "private_key": merchant["own_private_key"],
        "public_key": merchant["own_public_key"],
        "notify_url": f"{suite.url}/v1/payments/wechat/notify",
        "pushes": {
            app_id: {name: app["push"][name] for name in ("token", "key")}
            for app_id, app in platforms.apps["wechat"].items()
        },
        "base_url": f"{platforms.url}/wechat-pay",
        "title": "Cardstock",
    }
    for app_id in platforms.apps["wechat"]:
        platforms.pushes.urls[app_id] = f"{suite.url}/v1/payments/wechat/pushes/{app_id}"
    _configure(suite, "WECHAT_PAY_SECRET_ID", account, address="base_url")


def _configure_alipay_pay(suite: Suite, platforms: Platforms) -> None:
    account = {
        "apps": {
            app_id: {"private_key": app["own_private_key"], "public_key": app["own_alipay_public_key"]}
            for app_id, app in platforms.apps["alipay"].items()
        },
        "seller_id": ALIPAY_SELLER,
        "notify_url": f"{suite.url}/v1/payments/alipay/notify",
        "gateway": f"{platforms.url}/alipay-pay/gateway.do",
        "title": "Cardstock",
    }
    _configure(suite, "ALIPAY_PAY_SECRET_ID", account, address="gateway")


def _configure_douyin_pay(suite: Suite, platforms: Platforms) -> None:
    account = {
        "apps": {
            app_id: {
                "secret": app["secret"],
                "private_key": app["own_private_key"],
                "public_key": app["own_platform_public_key"],
            }
            for app_id, app in platforms.apps["douyin"].items()
        },
        "notify_url": f"{suite.url}/v1/payments/douyin/notify",
        "order_page": "pages/order/detail",
        "goods_type": GOODS_TYPE,
        "tag_group_id": TAG_GROUP,
        "image": f"{suite.url}/shop.png",
        "shipped_status": "FULFILLED",
        "base_url": f"{platforms.url}/douyin-pay",
        "title": "Cardstock",
    }
    _configure(suite, "DOUYIN_PAY_SECRET_ID", account, address="base_url")


def _configure(suite: Suite, name: str, account: dict[str, Any], *, address: str) -> None:
    """Put an account of the local platforms into its secret. One of a real platform, which has another `address` or
    none, stays."""
    secret_id = suite.environment[name]
    stored = json.loads(suite.clients.secrets.get_secret_value(SecretId=secret_id)["SecretString"])
    if stored.keys() & account.keys() and not str(stored.get(address, "")).startswith("http://127.0.0.1:"):
        return
    suite.clients.secrets.put_secret_value(SecretId=secret_id, SecretString=json.dumps(account))
