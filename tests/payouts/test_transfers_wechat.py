"""The WeChat Pay client against a merchant platform that checks what it gets."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from msgspec import ValidationError, convert
from msgspec.structs import replace

from cardstock.payouts.channels.alipay import Account as AlipayAccount
from cardstock.payouts.channels.wechat import Account as WechatAccount
from cardstock.payouts.channels.wechat import WechatTransfers, report_infos
from cardstock.payouts.lines import Confirmation, Line
from cardstock.platforms import connections
from tests.house.cloud import ROOT
from tests.people.clock import TestClock
from tests.people.transfer_channels import UNBELIEVABLE, Trouble, Wechat, wechat_account

NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
LINE = Line(
    "pay_202611", "2026-11", "mem_1", 1, "2026110vgk3qxnq5p7m1a9c2d4e6f8g0", 5_000, "sent", 5_000, 0, 5_000, "张伟",
    "wechat:wx1234567890abcdef:oPayee1", sent_at=NOW,
)  # fmt: skip
NUMBER = LINE.number


@pytest.fixture
def wechat(clock: TestClock) -> Wechat:
    clock.set(NOW)
    return Wechat(clock)


def channel(wechat: Wechat, told: list[tuple[str, str]] | None = None, **changed: Any) -> WechatTransfers:
    heard = told if told is not None else []
    return WechatTransfers(
        wechat_account(**changed), transport=wechat.transport,
        report=lambda number, what: heard.append((number, what)),
    )  # fmt: skip


def test_a_transfer_waits_for_the_payee_with_what_his_client_needs(wechat: Wechat) -> None:
    (answer,) = channel(wechat).transfer([LINE])

    assert (answer.number, answer.result, answer.source, answer.received_at) == (NUMBER, "waiting_user", "wechat", NOW)
    assert answer.confirmation == Confirmation("1900000001", "wx1234567890abcdef", f"package/{NUMBER}==")
    assert wechat.bills[NUMBER]["openid"] == "oPayee1"
    assert wechat.bills[NUMBER]["transfer_amount"] == 5_000
    assert wechat.bills[NUMBER]["transfer_remark"] == "佣金2026-11"
    assert wechat.calls == ["transfer"]


@pytest.mark.parametrize(("net", "named"), [(199_999, False), (200_000, True), (5_000_000, True)])
def test_from_two_thousand_yuan_the_real_name_goes_along_for_wechat_alone_to_read(
    wechat: Wechat, net: int, named: bool
) -> None:
    channel(wechat).transfer([replace(LINE, net=net, name="王小明🧋")])

    assert wechat.names == ({NUMBER: "王小明🧋"} if named else {})


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        ("ACCEPTED", None, None),
        ("PROCESSING", None, None),
        ("WAIT_USER_CONFIRM", None, ("waiting_user", None, None)),
        ("TRANSFERING", None, ("waiting_user", None, None)),
        ("SUCCESS", None, ("paid", None, 5_000)),
        ("FAIL", "NAME_NOT_CORRECT", ("failed", "NAME_NOT_CORRECT", None)),
        ("FAIL", "OVERDUE_CLOSE", ("expired", "OVERDUE_CLOSE", None)),
        ("CANCELING", None, None),
        ("CANCELLED", None, ("expired", "CANCELLED", None)),
        ("INVENTED_LATER", None, None),
    ],
)
def test_every_state_means_what_is_documented_and_a_new_one_means_nothing(
    wechat: Wechat, state: str, reason: str | None, expected: tuple[str, str | None, int | None] | None
) -> None:
    made = channel(wechat)
    made.transfer([LINE])
    wechat.states[NUMBER] = state
    if reason:
        wechat.reasons[NUMBER] = reason
    answers = made.ask([LINE])

    assert [(found.result, found.reason, found.amount) for found in answers] == ([expected] if expected else [])


@pytest.mark.parametrize("trouble", UNBELIEVABLE)
def test_what_cannot_be_believed_says_nothing_and_the_same_number_again_moves_the_money_once(
    wechat: Wechat, trouble: Trouble
) -> None:
    told: list[tuple[str, str]] = []
    made = channel(wechat, told)
    wechat.first_state = "SUCCESS"
    wechat.trouble = [trouble, trouble]
    silent = made.transfer([LINE])
    again = made.transfer([LINE])

    assert silent == []
    assert [(answer.result) for answer in again] == ["paid"]
    assert wechat.moved == {NUMBER: 5_000}
    assert len(told) == 2
    assert {number for number, _ in told} == {NUMBER}


def test_a_lost_answer_is_found_out_by_asking(wechat: Wechat) -> None:
    wechat.first_state = "SUCCESS"
    wechat.trouble = ["answer_lost"]
    (answer,) = channel(wechat).transfer([LINE])

    assert (answer.result, answer.amount) == ("paid", 5_000)
    assert wechat.calls == ["transfer", "query"]


def test_a_number_that_wechat_does_not_know_has_not_failed(wechat: Wechat) -> None:
    told: list[tuple[str, str]] = []

    assert channel(wechat, told).ask([LINE]) == []
    assert told == [(NUMBER, "http_404 NOT_FOUND")]


def test_other_parameters_under_the_same_number_are_refused_and_change_nothing(wechat: Wechat) -> None:
    made = channel(wechat)
    made.transfer([LINE])
    wechat.states[NUMBER] = "SUCCESS"
    (answer,) = made.transfer([replace(LINE, net=6_000)])

    assert (answer.result, answer.amount) == ("paid", 5_000)
    assert wechat.moved == {NUMBER: 5_000}


def test_what_is_called_back_ends_when_wechat_says_so(wechat: Wechat) -> None:
    made = channel(wechat)
    made.transfer([LINE])
    first = made.cancel([LINE])
    wechat.states[NUMBER] = "CANCELLED"
    (last,) = made.cancel([LINE])

    assert first == []
    assert (last.result, last.reason) == ("expired", "CANCELLED")


def test_what_was_taken_before_it_was_called_back_is_paid(wechat: Wechat) -> None:
    made = channel(wechat)
    made.transfer([LINE])
    wechat.states[NUMBER] = "SUCCESS"
    (answer,) = made.cancel([LINE])

    assert (answer.result, answer.amount) == ("paid", 5_000)


def test_many_lines_are_answered_in_their_order_and_silence_is_left_out(wechat: Wechat) -> None:
    lines = [
        replace(LINE, number=f"{index:032d}", account=f"wechat:wx1234567890abcdef:o{index}") for index in range(33)
    ]
    wechat.states = {line.number: "SUCCESS" if index % 3 else "ACCEPTED" for index, line in enumerate(lines)}
    answers = channel(wechat).transfer(lines)

    assert [answer.number for answer in answers] == [line.number for index, line in enumerate(lines) if index % 3]
    assert len(wechat.bills) == 33


@pytest.mark.parametrize(
    ("account", "name", "net", "reason"),
    [
        ("wechat:wx1234567890abcdef:oPayee1", "张伟", 10, None),
        ("wechat:wx1234567890abcdef:oPayee1", "张伟", 9, "under_channel_minimum"),
        ("wechat:wx1234567890abcdef:oPayee1", "张伟", 500_000, None),
        ("wechat:wx1234567890abcdef:oPayee1", "张伟", 500_001, "over_channel_maximum"),
        ("wechat:wx1234567890abcdef:oPayee1", "", 199_999, None),
        ("wechat:wx1234567890abcdef:oPayee1", "", 200_000, "unverified"),
        ("wechat:wxanother:oPayee1", "张伟", 5_000, "account_unsuitable"),
        ("wechat:wx1234567890abcdef:", "张伟", 5_000, "account_unsuitable"),
        ("alipay:2021:2088", "张伟", 5_000, "account_unsuitable"),
        ("6222 0200", "张伟", 5_000, "account_unsuitable"),
    ],
)
def test_what_wechat_could_never_take_is_known_before_it_is_sent(
    wechat: Wechat, account: str, name: str, net: int, reason: str | None
) -> None:
    assert channel(wechat, maximum_fen=500_000).refusal(account, name, net) == reason
    assert wechat.calls == []


@pytest.mark.parametrize(
    "changed",
    [
        {"job": ""}, {"job": "工" * 33}, {"job": "   "}, {"pay_note": "酬" * 33}, {"remark": "备" * 26},
        {"private_key": "not a key"}, {"public_key": "bm90IGEga2V5"}, {"public_key_id": "5157F09E"}, {"unknown": "x"},
    ],
)  # fmt: skip
def test_an_account_that_wechat_would_refuse_stops_before_anything_is_sent(
    wechat: Wechat, changed: dict[str, Any]
) -> None:
    with pytest.raises((ValueError, ValidationError)):
        channel(wechat, **changed)

    assert wechat.calls == []


def test_scene_1005_is_reported_with_exactly_two_infos() -> None:
    assert report_infos("推广员", "佣" * 32) == [
        {"info_type": "岗位类型", "info_content": "推广员"},
        {"info_type": "报酬说明", "info_content": "佣" * 32},
    ]


class _Slow(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        time.sleep(1.0)

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        pass


@pytest.fixture
def slow_server() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.engine
def test_a_server_that_does_not_answer_is_left_within_the_time_out(
    wechat: Wechat, slow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "TIMEOUT_SECONDS", 0.2)
    told: list[tuple[str, str]] = []
    made = WechatTransfers(
        wechat_account(base_url=slow_server),         report=lambda number, what: told.append((number, what)),
    )  # fmt: skip
    started = time.monotonic()
    answers = made.transfer([LINE])

    assert answers == []
    assert told == [(NUMBER, "timeout"), (NUMBER, "timeout")]
    assert time.monotonic() - started < 2


def test_time_outs_are_those_of_the_channel() -> None:
    found = connections.client("https://api.mch.weixin.qq.com", None).timeout

    assert (found.connect, found.read) == (1.0, 5.0)
    assert isinstance(found, httpx.Timeout)


def test_an_answer_from_five_minutes_ago_is_as_good_as_one_of_now(wechat: Wechat, clock: TestClock) -> None:
    given: list[httpx.Response] = []

    def keep(request: httpx.Request) -> httpx.Response:
        given.append(wechat.transport.handle_request(request))
        return given[-1]

    first = WechatTransfers(wechat_account(), report=lambda *_: None, transport=httpx.MockTransport(keep))
    first.transfer([LINE])
    wechat.states[NUMBER] = "SUCCESS"
    assert [each.result for each in first.ask([LINE])] == ["paid"]

    def again(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=given[-1].headers, content=given[-1].content)

    late = WechatTransfers(wechat_account(), report=lambda *_: None, transport=httpx.MockTransport(again))
    clock.move(minutes=5)
    assert [each.result for each in late.ask([LINE])] == ["paid"]
    clock.move(seconds=1)
    assert late.ask([LINE]) == []


def test_the_secret_that_the_documentation_shows_is_what_the_clients_take() -> None:
    text = (ROOT / "infra" / "README.md").read_text("utf-8")
    shown = json.loads(text.split("```json\n", 1)[1].split("```", 1)[0])
    wechat, alipay = convert(shown["wechat"], WechatAccount), convert(shown["alipay"], AlipayAccount)
    fields = {*WechatAccount.__struct_fields__, *AlipayAccount.__struct_fields__} - {"base_url", "gateway"}

    assert (wechat.base_url, alipay.gateway) == (
        "https://api.mch.weixin.qq.com", "https://openapi.alipay.com/gateway.do?charset=utf-8",
    )  # fmt: skip
    assert [field for field in fields if f"`{field}`" not in text] == []


@pytest.mark.parametrize(
    ("hours", "known", "trouble", "expected"),
    [
        (25, False, "fine", ("failed", "RETRY_PERIOD_OVER")),
        (23, False, "fine", None),  # the period is not over: WeChat's message alone ends nothing
        (31 * 24, False, "fine", None),  # WeChat shows no bill any more, not even a paid one
        (25, True, "fine", ("waiting_user", None)),
        (25, False, "unsigned", None),
        (25, False, "forged", None),
        (25, False, "stale", None),
    ],
)
def test_a_number_beyond_its_retry_period_that_wechat_does_not_know_was_never_paid(
    wechat: Wechat, clock: TestClock, hours: int, known: bool, trouble: Trouble, expected: Any
) -> None:
    made = channel(wechat)
    if known:
        made.transfer([LINE])
    wechat.beyond_retry.add(NUMBER)
    clock.move(hours=hours)
    wechat.trouble = [trouble, trouble]
    said = made.transfer([LINE]) if trouble == "fine" or not known else ()

    assert [(answer.result, answer.reason) for answer in said] == ([] if expected is None else [expected])
    assert wechat.moved == {}


def test_other_invalid_requests_and_unknown_numbers_end_nothing(wechat: Wechat, clock: TestClock) -> None:
    clock.move(hours=30)
    asked = channel(wechat).ask([LINE])
    wechat.trouble = ["refused"]
    refused = channel(wechat).transfer([LINE])

    assert [*asked, *refused] == []
