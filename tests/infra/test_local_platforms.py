"""The login platforms of this machine over a socket: what clients meet there, and their control."""

import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest

from cardstock.platforms import alipay, wechat
from cardstock.platforms.calls import BadCodeError, UnansweredError
from infra.local.platforms.serving import Platforms
from tests.people.clock import TestClock

pytestmark = pytest.mark.engine
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.fixture
def platforms(clock: TestClock, tmp_path: Path) -> Iterator[Platforms]:
    clock.set(NOW)
    made = Platforms(now=clock.now, folder=tmp_path)
    made.start()
    yield made
    made.stop()


def ask(platforms: Platforms, method: str, target: str, body: Any = None) -> tuple[int, Any]:
    address = urlsplit(platforms.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, target, sent, {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture
def mini_programs(platforms: Platforms) -> Iterator[wechat.Wechat]:
    made = wechat.Wechat(f"{platforms.url}/wechat")
    yield made
    made.close()


@pytest.fixture
def gateway(platforms: Platforms) -> Iterator[alipay.Alipay]:
    made = alipay.Alipay(f"{platforms.url}/alipay/gateway.do")
    yield made
    made.close()


def own(platforms: Platforms, app_id: str) -> alipay.App:
    kept = platforms.apps["alipay"][app_id]
    return alipay.App(kept["own_private_key"], kept["own_alipay_public_key"], kept["aes_key"])


def test_codes_of_the_control_let_people_in(
    platforms: Platforms, mini_programs: wechat.Wechat, gateway: alipay.Alipay
) -> None:
    _, found = ask(platforms, "GET", "/wechat/codes?person=anna&phone=13800138000")
    app = wechat.App(platforms.apps["wechat"][found["app_id"]]["secret"])
    person = mini_programs.account_of(found["app_id"], app, found["login_code"])
    number = mini_programs.phone_of(found["app_id"], app, found["phone_code"], person.openid)
    _, second = ask(platforms, "GET", "/alipay/codes?person=anna&phone=13800138000&app_id=2021000000000002")
    old = gateway.account_of(second["app_id"], own(platforms, second["app_id"]), second["login_code"])

    assert person.openid == platforms.logins["wechat"].openid(found["app_id"], "anna")
    assert number == gateway.phone_of(own(platforms, second["app_id"]), second["phone_code"]) == "+8613800138000"
    assert old.kind == "user"


@pytest.mark.parametrize(("mode", "cause"), [("stall", "timeout"), ("half", "unreachable")])
def test_a_silent_and_a_broken_answer_are_waited_for_three_seconds_at_most(
    platforms: Platforms, mini_programs: wechat.Wechat, mode: str, cause: str
) -> None:
    _, found = ask(platforms, "GET", "/wechat/codes?person=anna")
    ask(platforms, "POST", "/wechat/modes", {"modes": [mode]})
    app = wechat.App(platforms.apps["wechat"][found["app_id"]]["secret"])
    started = monotonic()
    with pytest.raises(UnansweredError, match=cause):
        mini_programs.account_of(found["app_id"], app, found["login_code"])

    assert monotonic() - started < 4
    if mode == "half":  # it was done
        with pytest.raises(BadCodeError):
            mini_programs.account_of(found["app_id"], app, found["login_code"])
    else:
        assert mini_programs.account_of(found["app_id"], app, found["login_code"])


def test_nobody_listens_and_nobody_is_waited_for() -> None:
    with pytest.raises(UnansweredError, match="unreachable"):
        wechat.Wechat("http://127.0.0.1:9").account_of("wx1", wechat.App("s"), "code")


def test_apps_stay_the_same_and_only_their_owner_reads_them(platforms: Platforms, tmp_path: Path) -> None:
    book = tmp_path / "platforms.json"

    assert Platforms(now=lambda: NOW, folder=tmp_path).apps == platforms.apps
    assert book.stat().st_mode & 0o777 == 0o600
    assert ask(platforms, "GET", "/") == (
        200,
        {
            "wechat": ["wx0000000000000001", "wx0000000000000002"],
            "alipay": ["2021000000000001", "2021000000000002"],
            "douyin": ["tt00000001"],
            "baidu": ["bd000000000000000000000000000001"],
        },
    )


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("GET", "/wechat/codes", None, 400),
        ("GET", "/wechat/codes?person=anna&app_id=wx9", None, 400),
        ("GET", "/alipay/codes?person=anna&app_id=9&phone=13800138000", None, 400),
        ("GET", "/wechat/codes?person=anna&more=1", None, 400),
        ("GET", "/other/codes?person=anna", None, 404),
        ("POST", "/wechat/modes", {"modes": ["forged"]}, 400),
        ("POST", "/wechat/modes", {"modes": "busy"}, 400),
        ("POST", "/wechat/modes", {}, 400),
        ("POST", "/alipay/modes", {"modes": ["forged", "busy"]}, 200),
        (
            "POST",
            "/alipay-pay/payments",
            {"person": "anna", "app_id": "2021000000000001", "call": {"tradeNO": "1"}},
            400,
        ),
        ("POST", "/alipay-pay/payments", {"person": "anna", "call": {}, "coupon_fen": 1}, 400),
        ("GET", "/wechat-pay/refunds", None, 400),
        ("GET", "/alipay-pay/refunds?order_no=ord_1", None, 400),
        ("GET", "/douyin-pay/refunds?order_no=ord_1&x=1", None, 400),
        ("POST", "/alipay-pay/refunds", {"end": "CLOSED"}, 400),
        ("POST", "/alipay-pay/refunds", {"end": "PROCESSING"}, 200),
        ("POST", "/alipay-pay/modes", {"modes": ["not_enough"]}, 200),
        ("POST", "/douyin-pay/payments", {"person": "anna", "app_id": "tt00000001", "call": {"data": "{}"}}, 400),
        ("POST", "/douyin-pay/payments", {"person": "anna", "app_id": "tt00000001", "voucher_fen": 1}, 400),
        ("POST", "/douyin-pay/endings", {"order_no": "ord_1"}, 400),
        ("POST", "/douyin-pay/asked-refunds", {"order_no": "ord_1", "fen": 1}, 400),
        ("POST", "/douyin-pay/refunds", {"end": "CLOSED"}, 400),
        ("POST", "/douyin-pay/refunds", {"end": "FAIL"}, 200),
        ("POST", "/identity/modes", {"modes": ["other_check"]}, 200),
        ("POST", "/identity/modes", {"modes": ["forged"]}, 400),
        ("GET", "/identity/codes?person=anna", None, 404),
        ("POST", "/douyin-pay/modes", {"modes": ["not_refundable", "token_refused"]}, 200),
    ],
)
def test_the_control_refuses_what_it_does_not_know(
    platforms: Platforms, method: str, target: str, body: Any, status: int
) -> None:
    assert ask(platforms, method, target, body)[0] == status


@pytest.mark.parametrize("name", ["wechat", "alipay", "douyin"])
def test_the_refunds_of_an_order_are_shown_with_their_states(platforms: Platforms, name: str) -> None:
    company: Any = platforms.by_name[f"{name}-pay"]
    known = company.orders if name == "douyin" else company.trades
    refunds = [
        {"number": "rfd_1", "fen": 500, "status": "SUCCESS", "asked": {"secret": "x"}},
        {"number": "rfd_2", "fen": 1, "status": "PROCESSING"},
    ]
    known |= {"ord_1": {"refunds": {each["number"]: each for each in refunds}}, "ord_2": {"refunds": {}}}
    shown = [ask(platforms, "GET", f"/{name}-pay/refunds?order_no={order_no}") for order_no in ("ord_1", "ord_2")]

    assert shown == [
        (
            200,
            {
                "order_no": "ord_1",
                "refunds": [
                    {"refund_no": "rfd_1", "fen": 500, "status": "SUCCESS"},
                    {"refund_no": "rfd_2", "fen": 1, "status": "PROCESSING"},
                ],
            },
        ),
        (200, {"order_no": "ord_2", "refunds": []}),
    ]
