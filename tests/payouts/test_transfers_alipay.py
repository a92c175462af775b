"""The Alipay client against a gateway that checks what it gets."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from msgspec import ValidationError
from msgspec.structs import replace

from cardstock.payouts.channels.alipay import AlipayTransfers
from cardstock.payouts.lines import Line
from tests.people.clock import TestClock
from tests.people.transfer_channels import UNBELIEVABLE, Alipay, Trouble, alipay_account

NOW = datetime(2026, 12, 1, 19, tzinfo=UTC)
LINE = Line(
    "pay_202611", "2026-11", "mem_1", 1, "2026110vgk3qxnq5p7m1a9c2d4e6f8g0", 5_005, "sent", 5_005, 0, 5_005, "张伟",
    "alipay:2021000000000001:2088612477411337", sent_at=NOW,
)  # fmt: skip
NUMBER = LINE.number


@pytest.fixture
def alipay(clock: TestClock) -> Alipay:
    clock.set(NOW)
    return Alipay(clock)


def channel(alipay: Alipay, told: list[tuple[str, str]] | None = None, **changed: Any) -> AlipayTransfers:
    heard = told if told is not None else []
    return AlipayTransfers(
        alipay_account(**changed), transport=alipay.transport,
        report=lambda number, what: heard.append((number, what)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("identity", "kind"), [("2088612477411337", "ALIPAY_USER_ID"), ("074a1CcTG1LelxKe4xQC0zgNdId", "ALIPAY_OPEN_ID")]
)
def test_a_transfer_says_whom_how_much_and_what_for(alipay: Alipay, identity: str, kind: str) -> None:
    (answer,) = channel(alipay).transfer([replace(LINE, account=f"alipay:2021000000000001:{identity}")])

    assert (answer.number, answer.result, answer.source, answer.received_at) == (NUMBER, "paid", "alipay", NOW)
    assert alipay.transfers[NUMBER]["trans_amount"] == "50.05"
    assert alipay.transfers[NUMBER]["order_title"] == "佣金2026-11"
    assert alipay.transfers[NUMBER]["transfer_scene_report_infos"] == [
        {"info_type": "佣金报酬说明", "info_content": "推广服务佣金"}
    ]
    assert alipay.transfers[NUMBER]["payee_info"] == {"identity": identity, "identity_type": kind, "name": "张伟"}
    assert alipay.calls == ["transfer"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("SUCCESS", ("paid", None, 5_005)),
        ("FAIL", ("failed", "PAYEE_CARD_INFO_ERROR", None)),
        ("REFUND", ("failed", "REFUND", None)),
        ("CLOSED", ("expired", "CLOSED", None)),
        ("DEALING", None),
        ("INIT", None),
        ("WAIT_PAY", None),
        ("UNKNOWN", None),
        ("INVENTED_LATER", None),
    ],
)
def test_every_status_means_what_is_documented_and_a_new_one_means_nothing(
    alipay: Alipay, state: str, expected: tuple[str, str | None, int | None] | None
) -> None:
    alipay.states[NUMBER] = state
    made = channel(alipay)
    made.transfer([LINE])
    answers = made.ask([LINE])

    assert [(found.result, found.reason, found.amount) for found in answers] == ([expected] if expected else [])


@pytest.mark.parametrize("trouble", UNBELIEVABLE)
def test_what_cannot_be_believed_says_nothing_and_the_same_number_again_moves_the_money_once(
    alipay: Alipay, trouble: Trouble
) -> None:
    told: list[tuple[str, str]] = []
    made = channel(alipay, told)
    alipay.trouble = [trouble, trouble]
    silent = made.transfer([LINE])
    again = made.transfer([LINE])

    assert silent == []
    assert [answer.result for answer in again] == ["paid"]
    assert alipay.moved == {NUMBER: "50.05"}
    assert len(told) == 2


@pytest.mark.parametrize("sub_code", ["SYSTEM_ERROR", "PAYER_BALANCE_NOT_ENOUGH", "PAYEE_USER_INFO_ERROR", "NEW_CODE"])
def test_a_refusal_has_not_failed_until_the_query_says_so(alipay: Alipay, sub_code: str) -> None:
    told: list[tuple[str, str]] = []
    made = channel(alipay, told)
    alipay.refusals[NUMBER] = sub_code
    silent = made.transfer([LINE])
    alipay.refusals.clear()
    (answer,) = made.transfer([LINE])

    assert silent == []
    assert told == [(NUMBER, f"40004 {sub_code}"), (NUMBER, "40004 ORDER_NOT_EXIST")]
    assert answer.result == "paid"


def test_a_lost_answer_is_found_out_by_asking(alipay: Alipay) -> None:
    alipay.trouble = ["answer_lost"]
    (answer,) = channel(alipay).transfer([LINE])

    assert (answer.result, answer.amount) == ("paid", 5_005)
    assert alipay.calls == ["transfer", "query"]


def test_other_parameters_under_the_same_number_change_nothing(alipay: Alipay) -> None:
    made = channel(alipay)
    made.transfer([LINE])
    (answer,) = made.transfer([replace(LINE, net=6_000)])

    assert (answer.result, answer.amount) == ("paid", 5_005)
    assert alipay.moved == {NUMBER: "50.05"}


def test_nothing_can_be_called_back_so_it_is_asked_about(alipay: Alipay) -> None:
    made = channel(alipay)
    made.transfer([LINE])

    assert [answer.result for answer in made.cancel([LINE])] == ["paid"]
    assert alipay.calls == ["transfer", "query"]


@pytest.mark.parametrize(
    ("account", "name", "net", "reason"),
    [
        ("alipay:2021000000000001:2088612477411337", "张伟", 10, None),
        ("alipay:2021000000000001:2088612477411337", "张伟", 9, "under_channel_minimum"),
        ("alipay:2021000000000001:2088612477411337", "张伟", 500_001, "over_channel_maximum"),
        ("alipay:2021000000000001:2088612477411337", "", 5_000, "unverified"),
        ("alipay:2021000000000001:", "张伟", 5_000, "account_unsuitable"),
        ("wechat:wx1:o1", "张伟", 5_000, "account_unsuitable"),
        # An open id belongs to one app; a user id is the same everywhere.
        ("alipay:2021000000000001:074a1CcTG1LelxKe4xQC0zgNdId", "张伟", 5_000, None),
        ("alipay:2021000000000002:074a1CcTG1LelxKe4xQC0zgNdId", "张伟", 5_000, "account_unsuitable"),
        ("alipay:2021000000000002:2088612477411337", "张伟", 5_000, None),
    ],
)
def test_what_alipay_could_never_take_is_known_before_it_is_sent(
    alipay: Alipay, account: str, name: str, net: int, reason: str | None
) -> None:
    assert channel(alipay, maximum_fen=500_000).refusal(account, name, net) == reason
    assert alipay.calls == []


@pytest.mark.parametrize(
    "changed",
    [
        {"title": ""},
        {"pay_note": ""},
        {"pay_note": "报" * 33},
        {"private_key": "not a key"},
        {"unknown": "x"},
        {"app_id": 1},
    ],
)
def test_an_account_that_cannot_work_stops_before_anything_is_sent(alipay: Alipay, changed: dict[str, Any]) -> None:
    with pytest.raises((ValueError, ValidationError)):
        channel(alipay, **changed)

    assert alipay.calls == []


@pytest.mark.parametrize(
    "gateway", ["https://openapi.alipay.com/gateway.do", "https://openapi.alipay.com/gateway.do?charset=GBK", None]
)
def test_chinese_names_and_titles_are_signed_as_the_gateway_reads_them(alipay: Alipay, gateway: str | None) -> None:
    changed: dict[str, Any] = {} if gateway is None else {"gateway": gateway}
    (answer,) = channel(alipay, **changed).transfer([replace(LINE, name="欧阳娜娜")])

    assert answer.result == "paid"
    assert alipay.transfers[NUMBER]["payee_info"]["name"] == "欧阳娜娜"
    assert "invalid_signature" not in alipay.calls


def test_the_gateway_reads_by_its_url_and_refuses_chinese_that_it_reads_as_gbk(alipay: Alipay) -> None:
    bare = httpx.MockTransport(lambda request: alipay.transport.handle_request(_without_query(request)))
    made = AlipayTransfers(alipay_account(), report=lambda _number, _what: None, transport=bare)

    assert made.transfer([LINE]) == []
    assert alipay.transfers == {}
    assert set(alipay.calls) == {"invalid_signature", "query"}


def _without_query(request: httpx.Request) -> httpx.Request:
    return httpx.Request(
        request.method, request.url.copy_with(query=None), headers=request.headers, content=request.content
    )
