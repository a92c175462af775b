"""The client of Douyin's general trade: what it sends, what it makes of each answer, and what it takes for genuine."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from cardstock.errors import CardstockError, InvalidError, RefusedError, UnauthorizedError, UnavailableError
from cardstock.orders.channels.douyin import LATE
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.orders.payment_model import ClosedNotice, PaymentNotice, PaymentParameters, RefundAsked, RefundNotice
from cardstock.orders.refund_model import Refund
from cardstock.orders.supplier_model import Parcel
from cardstock.platforms.douyin_trade import QUIET, SIGNED_FOR
from infra.local.platforms.people import WrongCallError
from tests.people.clock import TestClock
from tests.people.payment_parties import DouyinParty, douyin_account

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
ORDER_ID, REFUND_ID = "ord_01kbdxdh50fcazdjhcnqh2rzv5", "rfd_01kbdxdh50fcazdjhcnqh2rzv5"
APP = "tt0000000000000001"


def line(number: int, name: str) -> OrderLine:
    return OrderLine(number, f"SKU-{number}", name, 2, 1_000, 1_500, "sup_a", qualifying=False, earns=True)


ORDER = Order(
    ORDER_ID, "mem_a", "placed", (line(1, "灯笼"), line(2, "茶")), 3_300, Receiver("n", "1", "a"), None, {}, AT,
    app=f"douyin:{APP}",
)  # fmt: skip
MARKED = replace(ORDER, open_until=ORDER.expires_at + SIGNED_FOR + LATE)


@pytest.fixture
def party(clock: TestClock) -> DouyinParty:
    clock.set(AT)
    return DouyinParty(clock)


def started(party: DouyinParty, order: Order = ORDER) -> PaymentParameters:
    return party.channel().start(order, party.payer)


def paid(party: DouyinParty, **how: Any) -> Refund:
    """An order that is paid, and a refund of 1 001 fen of it."""
    party.confirm(started(party).parameters, **how)
    number = party.company.orders[ORDER_ID]["order_id"]
    return Refund(
        REFUND_ID, ORDER_ID, "mem_a", "return", "requested", 1_001, (), "broken", "douyin", number, 3_300, AT,
    )  # fmt: skip


def between(party: DouyinParty, change: Callable[[str, Any], Any]) -> list[tuple[str, Any]]:
    """`change` has the answer to each call of a name, and gives the one that arrives. What was sent, by names."""
    sent: list[tuple[str, Any]] = []
    carry = party.served.carry

    def handle(request: httpx.Request) -> httpx.Response:
        name = request.url.path.strip("/").rpartition("/")[2]
        sent.append((name, json.loads(request.content)))
        return httpx.Response(200, json=change(name, carry(request).json()))

    party.transport = httpx.MockTransport(handle)
    return sent


# --- start ---


def test_a_start_makes_no_call_and_douyin_takes_what_was_signed(party: DouyinParty) -> None:
    found = started(party)
    order = party.company.open(APP, "anna", found.parameters)
    data = json.loads(found.parameters["data"])

    assert (party.company.calls, set(found.parameters), found.pay_url) == ([], {"data", "byteAuthorization"}, "")
    assert (order["total"], order["ends_at"]) == (3_300, ORDER.expires_at.timestamp() * 1000)
    assert data == {
        "skuList": [{
            "skuId": ORDER_ID, "price": 3_300, "quantity": 1, "title": "白鹭茶业 灯笼、茶",
            "imageList": ["https://shop.example.com/shop.png"], "type": 301,
            "tagGroupId": "tag_group_7272625659888058380",
        }],
        "outOrderNo": ORDER_ID, "totalAmount": 3_300, "payExpireSeconds": 1_800,
        "payNotifyUrl": "https://api.example.com/v1/payments/douyin/notify",
        "orderEntrySchema": {"path": "pages/order/detail", "params": f'{{"order_id":"{ORDER_ID}"}}'},
    }  # fmt: skip


@pytest.mark.parametrize(("later", "seconds"), [
    (timedelta(0), 1_800), (timedelta(seconds=1), 1_799), (timedelta(minutes=29, seconds=59, milliseconds=500), 1),
    (timedelta(minutes=10, milliseconds=1), 1_200),
])  # fmt: skip
def test_an_order_ends_at_douyin_when_it_ends_here_and_never_after_the_default(
    later: timedelta, seconds: int, party: DouyinParty, clock: TestClock
) -> None:
    clock.set(AT + later)

    assert json.loads(started(party).parameters["data"])["payExpireSeconds"] == seconds


def test_a_start_says_until_when_somebody_may_pay(party: DouyinParty, clock: TestClock) -> None:
    clock.set(AT + timedelta(minutes=10))

    assert started(party).open_until == ORDER.expires_at + timedelta(hours=1, minutes=5)


def test_a_signed_order_holds_for_its_text_its_app_and_an_hour(party: DouyinParty, clock: TestClock) -> None:
    call = started(party).parameters
    with pytest.raises(WrongCallError, match="验签"):
        party.company.open(APP, "anna", call | {"data": call["data"].replace("3300", "3301")})
    with pytest.raises(WrongCallError, match="byteAuthorization"):
        party.company.open("tt0000000000000002", "anna", call)
    clock.set(AT + timedelta(hours=1, seconds=1))
    with pytest.raises(WrongCallError, match="过期"):
        party.company.open(APP, "anna", call)
    clock.set(AT + timedelta(hours=1))
    party.company.open(APP, "anna", call)


def test_values_in_quotes_are_taken_too(party: DouyinParty) -> None:
    call = started(party).parameters
    kind, _, rest = call["byteAuthorization"].partition(" ")
    quoted = ",".join(f'{name}="{value}"' for name, _, value in (part.partition("=") for part in rest.split(",")))
    party.company.open(APP, "anna", call | {"byteAuthorization": f"{kind} {quoted}"})


def test_a_long_list_of_goods_is_cut_between_letters_to_256_bytes(party: DouyinParty) -> None:
    order = replace(ORDER, lines=tuple(line(number, "红灯笼🏮") for number in range(1, 30)))
    call = started(party, order).parameters
    party.company.open(APP, "anna", call)

    title = json.loads(call["data"])["skuList"][0]["title"]
    assert 253 <= len(title.encode()) <= 256


def test_an_order_without_names_has_its_number_and_another_account_takes_the_money_if_it_is_named(
    party: DouyinParty,
) -> None:
    channel = party.channel(title="", merchant_uid="71")
    data = json.loads(channel.start(replace(ORDER, lines=()), party.payer).parameters["data"])

    assert (data["skuList"][0]["title"], data["merchantUid"]) == (ORDER_ID, "71")


def test_an_app_of_somebody_else_is_refused(party: DouyinParty) -> None:
    with pytest.raises(CardstockError, match="APP_DIFFERS"):
        party.channel().start(ORDER, "douyin:tt9:oABC")


@pytest.mark.parametrize("changed", [
    {"apps": {}}, {"apps": {APP: {"secret": "s", "private_key": "x", "public_key": "y"}}}, {"notify_url": "ftp://x"},
    {"notify_url": "https://x/?a=1"}, {"order_page": "/pages/order"}, {"order_page": "pages/order?id=1"},
    {"order_page": "pages//order"}, {"goods_type": "301"}, {"tag_group_id": ""}, {"image": "shop.png"}, {"unused": "x"},
])  # fmt: skip
def test_an_account_that_cannot_work_stops_before_anything_is_sent(changed: dict[str, Any], party: DouyinParty) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of msgspec and of cryptography
        party.channel(**changed)


@pytest.mark.parametrize("left_out", ["image", "goods_type", "tag_group_id", "order_page", "notify_url", "apps"])
def test_every_needed_part_of_an_account_is_asked_for(left_out: str, party: DouyinParty) -> None:
    account = douyin_account()
    del account[left_out]
    party.account = account
    with pytest.raises(ValueError, match=left_out):
        party.channel()


# --- the token ---


def test_a_token_is_asked_for_once_and_again_before_it_ends(party: DouyinParty, clock: TestClock) -> None:
    channel = party.channel()
    for _ in range(3):
        channel.close(ORDER)
    clock.set(AT + timedelta(seconds=7_200 - 301))
    channel.close(ORDER)
    before = party.company.calls.count("client_token")
    clock.set(AT + timedelta(seconds=7_200 - 300))
    channel.close(ORDER)

    assert (before, party.company.calls.count("client_token")) == (1, 2)


def test_a_token_that_is_refused_is_asked_for_again_once(party: DouyinParty) -> None:
    channel = party.channel()
    channel.close(ORDER)
    party.company.refuse_tokens()

    assert channel.close(ORDER) == "closed"
    assert party.company.calls == ["client_token", "order_query", "order_query", "client_token", "order_query"]


def test_tokens_that_are_refused_for_good_cost_no_more_than_one_a_minute(party: DouyinParty, clock: TestClock) -> None:
    channel = party.channel()
    for _ in range(20):
        party.fail_next(*["token_refused"] * 4)
        with pytest.raises(UnavailableError):
            channel.close(ORDER)
    many = party.company.calls.count("client_token")
    clock.set(AT + QUIET)
    party.fail_next(*["token_refused"] * 4)
    with pytest.raises(UnavailableError):
        channel.close(ORDER)
    party.fail_next()

    assert (many, party.company.calls.count("client_token")) == (2, 3)
    assert channel.close(ORDER) == "closed"


@pytest.mark.parametrize("changed", [{"secret": "wrong"}])
def test_a_secret_that_douyin_refuses_is_no_answer_and_has_its_code(changed: Any, party: DouyinParty) -> None:
    apps = douyin_account()["apps"]
    channel = party.channel(apps={APP: apps[APP] | changed})
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        channel.close(ORDER)

    assert party.told == [(ORDER_ID, "10013")]


# --- how a payment stands ---


def test_an_order_is_asked_about_by_its_own_name_alone_and_paths_end_in_a_slash(party: DouyinParty) -> None:
    party.confirm(started(party).parameters)
    with party.served.at(-1, "kill_before") as seen:
        found = party.channel().close(MARKED)

    assert isinstance(found, PaymentNotice)
    assert seen == ["/oauth/client_token/"] + [
        f"/api/trade_basic/v1/developer/{name}/" for name in ("order_query", "refund_query")
    ]
    order = party.company.orders[ORDER_ID]
    assert (found.transaction_no, found.amount_fen, found.currency, found.paid_at, found.payer, found.gave_back) == (
        order["order_id"], 3_300, "CNY", AT, "", False,
    )  # fmt: skip


def test_a_strict_server_refuses_other_and_missing_names(party: DouyinParty) -> None:
    for content in ({}, {"out_order_no": "1", "order_id": "2"}, {"out_trade_no": "1"}, {"order_no": "1"}):
        assert ask(party, "order_query/", content)["err_no"] == 10_000
    assert ask(party, "order_query/", {"out_order_no": "1"})["err_no"] == 20_000


def ask(party: DouyinParty, path: str, content: Any) -> dict[str, Any]:
    from infra.local.platforms.people import Asked

    def post(target: str, body: Any, token: str = "") -> dict[str, Any]:
        headers = {"content-type": "application/json", "access-token": token}
        given = party.company.answer(Asked("POST", target, "", headers, json.dumps(body).encode()))
        found: dict[str, Any] = json.loads(given.body) if given.status == 200 else {"err_no": given.status}
        return found

    secret = douyin_account()["apps"][APP]["secret"]
    wanted = {"client_key": APP, "client_secret": secret, "grant_type": "client_credential"}
    token = post("/oauth/client_token/", wanted)["data"]["access_token"]
    return post(f"/api/trade_basic/v1/developer/{path}", content, token)


def test_a_path_without_its_slash_is_not_found_but_for_the_one_that_is_known_both_ways(party: DouyinParty) -> None:
    assert ask(party, "order_query", {"out_order_no": "1"})["err_no"] == 404
    assert [ask(party, f"fulfill_push_status{end}", {})["err_no"] for end in ("", "/")] == [10_000, 10_000]
    assert ask(party, "create_order/", {})["err_no"] == 404


@pytest.mark.parametrize(("state", "marked", "late", "closing"), [
    ("PROCESS", True, False, "open"), ("PROCESS", True, True, "open"), ("PROCESS", False, False, "open"),
    ("TIMEOUT", True, False, "closed"), ("TIMEOUT", False, False, "closed"),
    ("FAIL", True, False, "open"), ("FAIL", True, True, "closed"), ("FAIL", False, False, "closed"),
    ("NEW_STATE", True, False, "open"), ("NEW_STATE", True, True, "closed"),
    ("", True, False, "open"), ("", True, True, "closed"), ("", False, False, "closed"),
])  # fmt: skip
def test_when_an_order_takes_no_money_any_more(
    state: str, marked: bool, late: bool, closing: str, party: DouyinParty, clock: TestClock
) -> None:
    if state:  # without one Douyin does not know the order
        party.opened(started(party).parameters)
        party.company.orders[ORDER_ID] |= {"status": state, "ends_at": 10**14}
    assert MARKED.open_until is not None
    clock.set(MARKED.open_until if late else MARKED.open_until - timedelta(milliseconds=1))

    assert party.channel().close(MARKED if marked else ORDER) == closing


@pytest.mark.parametrize("mode", ["busy", "server_error", "not_json", "stall", "half", "answer_lost", "too_often"])
def test_without_a_usable_answer_nothing_is_known(mode: str, party: DouyinParty) -> None:
    channel = party.channel()
    channel.close(ORDER)
    party.fail_next(mode)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        channel.close(ORDER)
    party.fail_next()

    assert len(party.told) == 1
    assert channel.close(ORDER) == "closed"


@pytest.mark.parametrize(("fen", "status", "gave_back"), [
    (1, "SUCCESS", True), (3_300, "PROCESSING", True), (1, "FAIL", False),
])  # fmt: skip
def test_a_payment_that_was_not_known_is_looked_at_for_what_went_back(
    fen: int, status: str, gave_back: bool, party: DouyinParty
) -> None:
    paid(party)
    party.company.refund_by_hand(ORDER_ID, fen, ends=False)
    (refund,) = party.company.orders[ORDER_ID]["refunds"].values()
    party.end_refunds("processing")
    refund["status"] = status
    found = party.channel().close(MARKED)

    assert isinstance(found, PaymentNotice)
    assert found.gave_back is gave_back


def test_while_it_is_not_known_what_went_back_a_payment_is_not_known(party: DouyinParty) -> None:
    paid(party)
    channel = party.channel()
    channel.close(MARKED)
    party.fail_next("fine", "busy")
    with pytest.raises(UnavailableError):
        channel.close(MARKED)


@pytest.mark.parametrize("changed", [
    {"out_order_no": "ord_other"}, {"total_amount": 0}, {"pay_time": 0}, {"total_amount": "3300"}, {"pay_status": None},
    {"order_id": ""},
])  # fmt: skip
def test_an_answer_about_another_order_or_without_its_figures_says_nothing(
    changed: dict[str, Any], party: DouyinParty
) -> None:
    paid(party)
    between(party, lambda name, said: said | {"data": said["data"] | changed} if name == "order_query" else said)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().close(MARKED)


def test_an_order_that_names_no_app_is_asked_about_in_all_of_them(party: DouyinParty, clock: TestClock) -> None:
    other = DouyinParty(clock, "tt0000000000000002")
    other.company.orders = party.company.orders
    order = replace(ORDER, app="")
    party.company.pay("tt0000000000000002", "anna", other.channel().start(order, other.payer).parameters)
    channel = party.channel()

    assert isinstance(channel.close(order), PaymentNotice)
    assert channel.close(replace(order, order_id="ord_01kbdxdh50fcazdjhcnqh2rzv6")) == "closed"
    party.fail_next("no_scope")
    # One app that may not ask leaves it unknown.
    with pytest.raises(UnavailableError):
        channel.close(replace(order, order_id="ord_01kbdxdh50fcazdjhcnqh2rzv6"))


# --- refunds ---


def test_a_refund_names_order_part_amount_number_and_page(party: DouyinParty) -> None:
    refund = paid(party)
    sent = between(party, lambda _name, said: said)
    done = party.channel().refund(replace(refund, reason="灯" * 60))
    order = party.company.orders[ORDER_ID]

    seen = [content for name, content in sent if name == "refund_create"]
    assert done is True
    assert seen == [{
        "order_id": order["order_id"], "out_refund_no": f"{ORDER_ID}-{REFUND_ID}", "refund_total_amount": 1_001,
        "item_order_detail": [{"item_order_id": order["items"][0]["item_order_id"], "refund_amount": 1_001}],
        "refund_reason": [{"code": 999, "text": "灯" * 49}],
        "notify_url": "https://api.example.com/v1/payments/douyin/notify",
        "order_entry_schema": {"path": "pages/order/detail", "params": f'{{"order_id":"{ORDER_ID}"}}'},
    }]  # fmt: skip
    assert len(seen[0]["out_refund_no"]) <= 64


def test_a_refund_is_asked_for_once_and_then_asked_about(party: DouyinParty) -> None:
    refund, channel = paid(party), party.channel()
    party.end_refunds("processing")
    first = [channel.refund(refund) for _ in range(3)]
    party.end_refunds("succeeded")
    party.company.settle()

    assert (first, channel.refund(refund), party.refunded(ORDER_ID)) == ([False] * 3, True, 1_001)
    assert party.company.calls.count("refund_create") == 1


@pytest.mark.parametrize("seconds", [0, 5])
def test_a_refund_that_the_query_does_not_know_yet_is_neither_made_again_nor_refused(
    seconds: int, party: DouyinParty, clock: TestClock
) -> None:
    refund, channel = paid(party), party.channel()
    party.company.visible_after = timedelta(seconds=seconds)
    first = channel.refund(refund)
    if seconds:
        assert first is False
        with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):  # 22013: taken on already
            channel.refund(refund)
        clock.set(AT + timedelta(seconds=6))

    assert channel.refund(refund) is True
    assert party.refunded(ORDER_ID) == 1_001


@pytest.mark.parametrize(("mode", "error", "code"), [
    ("not_enough", UnavailableError, "MERCHANT_MUST_ACT"), ("wrong_field", UnavailableError, "MERCHANT_MUST_ACT"),
    ("not_refundable", RefusedError, "REFUND_REFUSED"),
])  # fmt: skip
def test_what_a_refusal_means_once_the_query_knows_no_refund(
    mode: str, error: type[CardstockError], code: str, party: DouyinParty
) -> None:
    refund, channel = paid(party), party.channel()
    party.fail_next(mode)
    with pytest.raises(error, match=code) as raised:
        channel.refund(refund)
    party.fail_next()

    assert raised.value.facts["reason"]
    assert party.refunded(ORDER_ID) == 0
    assert channel.refund(refund) is True  # the same number, once the merchant has acted


@pytest.mark.parametrize("mode", ["system_error", "too_often", "error_after", "no_scope"])
def test_an_answer_that_says_nothing_about_the_refund_leaves_it_unknown_or_to_the_merchant(
    mode: str, party: DouyinParty
) -> None:
    refund, channel = paid(party), party.channel()
    channel.progress(refund)
    for index in range(5):  # two queries, one for each app; the order, the refund, the query after it
        party.company.orders[ORDER_ID]["refunds"].clear()
        party.fail_next(*["fine"] * index, mode)
        # A query that knows nothing does nothing, and what an error has hidden the last query finds.
        found = mode == "error_after" and index in (0, 1, 3)
        with nullcontext() if found else pytest.raises(UnavailableError):
            channel.refund(refund)
        party.fail_next()

        assert channel.refund(refund) is True
        assert party.refunded(ORDER_ID) == 1_001


def test_a_refund_of_a_payment_that_douyin_does_not_know_is_refused(party: DouyinParty) -> None:
    refund = replace(paid(party), transaction_no="motb-other")
    with pytest.raises(RefusedError, match="REFUND_REFUSED"):
        party.channel().refund(refund)


def test_more_than_is_left_and_a_payment_of_more_than_a_year_are_refused(party: DouyinParty, clock: TestClock) -> None:
    refund, channel = paid(party), party.channel()
    party.company.refund_by_hand(ORDER_ID, 3_000)
    with pytest.raises(RefusedError, match="REFUND_REFUSED"):
        channel.refund(refund)
    party.company.orders[ORDER_ID]["refunds"].clear()
    clock.set(AT + timedelta(days=365, seconds=1))
    with pytest.raises(RefusedError, match="REFUND_REFUSED"):
        channel.refund(refund)


def test_a_refund_that_failed_says_so_again_and_moves_nothing(party: DouyinParty) -> None:
    refund, channel = paid(party), party.channel()
    party.end_refunds("refused")
    for _ in range(3):
        with pytest.raises(RefusedError, match="REFUND_REFUSED") as raised:
            channel.refund(refund)

    assert raised.value.facts["reason"] == "FAIL 退款失败"
    assert (channel.progress(refund), party.company.calls.count("refund_create")) == ("none", 1)


@pytest.mark.parametrize("changed", [
    {"refund_total_amount": 1_000}, {"out_refund_no": "other"}, {"order_id": "motb-other"}, {"refund_status": None},
])  # fmt: skip
def test_a_number_that_has_another_amount_or_is_another_s_decides_nothing(
    changed: dict[str, Any], party: DouyinParty
) -> None:
    refund = paid(party)
    party.channel().refund(refund)

    def other(name: str, said: Any) -> Any:
        if name != "refund_query":
            return said
        return said | {"data": {"refund_list": [each | changed for each in said["data"]["refund_list"]]}}

    between(party, other)
    channel = party.channel()
    for act in (channel.refund, channel.progress):
        with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
            act(refund)


@pytest.mark.parametrize(("end", "progress"), [("succeeded", "succeeded"), ("processing", "processing")])
def test_how_a_refund_stands(end: str, progress: str, party: DouyinParty) -> None:
    refund, channel = paid(party), party.channel()
    before = channel.progress(refund)
    party.end_refunds(end)
    channel.refund(refund)

    assert (before, channel.progress(refund)) == ("none", progress)


def test_a_refund_reaches_the_app_of_its_order(party: DouyinParty, clock: TestClock) -> None:
    other = DouyinParty(clock, "tt0000000000000002")
    other.confirm(other.channel().start(ORDER, other.payer).parameters)
    number = other.company.orders[ORDER_ID]["order_id"]
    refund = Refund(
        REFUND_ID, ORDER_ID, "mem_a", "return", "requested", 1_001, (), "", "douyin", number, 3_300, AT,
    )  # fmt: skip

    assert other.channel().refund(refund) is True
    assert other.refunded(ORDER_ID) == 1_001


# --- what a buyer asked Douyin for ---


def asked(party: DouyinParty, audit: str = "TOAUDIT", **changed: Any) -> Refund:
    refund = paid(party)
    made = party.company.ask_refund(ORDER_ID)
    made |= {"audit": audit, "number": "n1"} | changed
    return replace(refund, amount_fen=3_300, asked_no=made["refund_id"])


def test_agreeing_is_said_once_and_the_money_follows(party: DouyinParty) -> None:
    refund, channel = asked(party), party.channel()
    first = channel.refund(refund)
    party.company.settle()

    assert (first, channel.refund(refund), channel.progress(refund)) == (False, True, "succeeded")
    assert party.company.calls.count("refund_audit_callback") == 1
    assert "refund_create" not in party.company.calls


@pytest.mark.parametrize("audit", ["INIT", "AGREE", "OVERTIME"])
def test_nothing_is_said_to_what_waits_for_no_word(audit: str, party: DouyinParty) -> None:
    refund = asked(party, audit)
    party.end_refunds("processing")

    assert party.channel().refund(refund) is False
    assert "refund_audit_callback" not in party.company.calls


@pytest.mark.parametrize("changed", [{"status": "FAIL"}, {"audit": "DENY"}])
def test_what_ended_without_money_is_refused(changed: dict[str, Any], party: DouyinParty) -> None:
    refund = asked(party, **changed)
    with pytest.raises(RefusedError, match="REFUND_REFUSED"):
        party.channel().refund(refund)

    assert party.channel().progress(refund) == "none"


def test_another_amount_than_was_asked_for_is_not_agreed_to(party: DouyinParty) -> None:
    refund = replace(asked(party), amount_fen=3_299)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().refund(refund)

    assert party.told[-1] == (REFUND_ID, "another_amount")
    assert "refund_audit_callback" not in party.company.calls


@pytest.mark.parametrize(("audit", "changed", "code"), [
    ("TOAUDIT", {}, ""), ("DENY", {}, ""), ("AGREE", {"status": "FAIL"}, ""), ("INIT", {}, "REFUND_PENDING"),
    ("AGREE", {}, "REFUND_SUCCEEDED"), ("OVERTIME", {}, "REFUND_SUCCEEDED"),
    ("TOAUDIT", {"status": "SUCCESS"}, "REFUND_SUCCEEDED"),
])  # fmt: skip
def test_what_can_be_denied(audit: str, changed: dict[str, Any], code: str, party: DouyinParty) -> None:
    refund = asked(party, audit, **changed)
    party.end_refunds("processing")
    if code:
        with pytest.raises(CardstockError, match=code):
            party.channel().deny(refund.asked_no, "no")
    else:
        party.channel().deny(refund.asked_no, "请" * 300)

    (made,) = party.company.orders[ORDER_ID]["refunds"].values()
    assert ("refund_audit_callback" in party.company.calls) is (audit == "TOAUDIT" and not changed)
    assert len(made["message"].encode()) <= 512


def test_a_denial_that_douyin_does_not_take_is_unknown(party: DouyinParty) -> None:
    refund, channel = asked(party), party.channel()
    channel.progress(refund)
    party.fail_next("fine", "system_error")
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        channel.deny(refund.asked_no, "no")


def test_a_refund_that_douyin_does_not_know_is_unknown(party: DouyinParty) -> None:
    refund = replace(asked(party), asked_no="motb-other")
    channel = party.channel()
    for act in (lambda: channel.refund(refund), lambda: channel.deny("motb-other", "no")):
        with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
            act()


# --- what was sent ---


def shipped(party: DouyinParty) -> Order:
    paid(party)
    return replace(ORDER, transaction_no=party.company.orders[ORDER_ID]["order_id"])


PARCELS = [Parcel("evt-1", "SF", "SF1", AT)]


def test_what_was_sent_is_pushed_for_every_part_of_the_order(party: DouyinParty) -> None:
    order = shipped(party)

    assert party.channel().report(order, PARCELS, AT) is True
    assert list(party.company.orders[ORDER_ID]["pushed"].values()) == ["FULFILLED"]


def test_without_a_state_in_the_account_douyin_need_not_know(party: DouyinParty) -> None:
    order = shipped(party)

    assert party.channel(shipped_status="").report(order, PARCELS, AT) is False
    assert party.company.calls == []


@pytest.mark.parametrize(("once", "again"), [(False, True), (True, "SHIPPING_REFUSED")])
def test_a_state_that_is_pushed_again_is_taken_or_refused_as_douyin_has_it(
    once: bool, again: Any, party: DouyinParty
) -> None:
    order, channel = shipped(party), party.channel()
    party.company.pushes_once = once
    channel.report(order, PARCELS, AT)
    if again is True:
        assert channel.report(order, PARCELS, AT) is True
    else:
        with pytest.raises(RefusedError, match=again):
            channel.report(order, PARCELS, AT)


@pytest.mark.parametrize(("modes", "code"), [
    (("fine", "fine", "no_scope"), "CHANNEL_MISCONFIGURED"), (("fine", "fine", "busy"), "CHANNEL_UNAVAILABLE"),
    (("fine", "fine", "stall"), "CHANNEL_UNAVAILABLE"), (("fine", "busy"), "CHANNEL_UNAVAILABLE"),
])  # fmt: skip
def test_a_push_without_a_usable_answer_comes_again(modes: tuple[str, ...], code: str, party: DouyinParty) -> None:
    order = shipped(party)
    party.fail_next(*modes)
    with pytest.raises(UnavailableError, match=code):
        party.channel().report(order, PARCELS, AT)


def test_a_state_that_the_tag_group_does_not_know_is_to_be_repaired(party: DouyinParty) -> None:
    order = shipped(party)
    with pytest.raises(UnavailableError, match="CHANNEL_MISCONFIGURED"):
        party.channel(shipped_status="SENT").report(order, PARCELS, AT)


def test_an_order_of_another_payment_is_not_pushed(party: DouyinParty) -> None:
    order = replace(shipped(party), transaction_no="motb-other")
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().report(order, PARCELS, AT)

    assert "fulfill_push_status" not in party.company.calls


# --- callbacks ---


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_callback_is_good_for_five_minutes_both_ways(seconds: int, party: DouyinParty, clock: TestClock) -> None:
    headers, body = party.notice("payment", party.payment(ORDER_ID))
    clock.set(AT + timedelta(seconds=seconds))

    assert isinstance(party.channel().read_notice(headers, body), PaymentNotice)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_callback_of_another_time_is_stale_with_both_times(
    seconds: int, party: DouyinParty, clock: TestClock
) -> None:
    headers, body = party.notice("payment", party.payment(ORDER_ID))
    clock.set(AT + timedelta(seconds=seconds))
    with pytest.raises(UnauthorizedError, match="SIGNATURE_STALE") as raised:
        party.channel().read_notice(headers, body)

    assert raised.value.facts["sent_at"] == "2026-12-01T08:00:00.000Z"


@pytest.mark.parametrize("name", ["byte-timestamp", "byte-nonce-str", "byte-signature"])
def test_each_header_is_needed_and_bound(name: str, party: DouyinParty) -> None:
    headers, body = party.notice("payment", party.payment(ORDER_ID))
    channel = party.channel()
    with pytest.raises(UnauthorizedError, match="SIGNATURE_MISSING"):
        channel.read_notice({each: value for each, value in headers.items() if each != name}, body)
    for value in ("1", "x", "\ud800", "99999999999", "9" * 40, "①", headers[name] + "0"):
        with pytest.raises(UnauthorizedError, match="SIGNATURE_INVALID"):
            channel.read_notice({**headers, name: value}, body)


def test_the_very_bytes_are_signed(party: DouyinParty) -> None:
    headers, body = party.notice("payment", party.payment(ORDER_ID))
    channel = party.channel()
    for other in (body + b" ", body.replace(b", ", b","), b"", b"\xff", body.replace(b"3.0", b"2.0")):
        with pytest.raises(UnauthorizedError, match="SIGNATURE_INVALID"):
            channel.read_notice(headers, other)


def test_a_callback_counts_for_the_app_whose_key_signed_it(party: DouyinParty) -> None:
    other = "tt0000000000000002"
    sent = party.company.signed(other, "payment", party.payment(ORDER_ID))  # names the first app
    with pytest.raises(InvalidError):
        party.channel().read_notice(*sent)

    genuine = party.company.signed(other, "payment", party.payment(ORDER_ID, app_id=other))
    assert isinstance(party.channel().read_notice(*genuine), PaymentNotice)


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{}", b'{"type":"payment"}', b'{"type":"payment","msg":{}}', b'{"type":"payment","msg":"["}',
    b'{"type":"payment","msg":"{}"}', b'{"type":1,"msg":"{}"}', b"\xff", b"[" * 100_000,
])  # fmt: skip
def test_genuine_bytes_that_are_no_callback_are_unreadable(body: bytes, party: DouyinParty) -> None:
    from infra.local.platforms import keys
    from tests.people.payment_parties import douyin_apps

    stamp = str(int(AT.timestamp()))
    signature = keys.sign(douyin_apps()[APP]["platform_private_key"], f"{stamp}\nn\n".encode() + body + b"\n")
    headers = {"byte-timestamp": stamp, "byte-nonce-str": "n", "byte-signature": signature}
    with pytest.raises(InvalidError):
        party.channel().read_notice(headers, body)


@pytest.mark.parametrize(("kind", "changed"), [
    ("payment", {"total_amount": -1}), ("payment", {"total_amount": 0}), ("payment", {"total_amount": 1.5}),
    ("payment", {"order_id": ""}), ("payment", {"event_time": 0}), ("payment", {"event_time": 10**14}),
    ("payment", {"out_order_no": None}), ("payment", {"currency": 1}), ("payment", {"app_id": "tt9"}),
    ("refund", {"currency": "DIAMOND"}), ("refund", {"refund_id": ""}), ("refund", {"order_id": ""}),
    ("refund", {"refund_total_amount": "1"}), ("refund", {"status": None}),
    ("pre_create_refund", {"refund_total_amount": 0}), ("pre_create_refund", {"refund_id": ""}),
    ("pre_create_refund", {"refund_audit_deadline": 0}), ("pre_create_refund", {"need_refund_audit": "1"}),
    ("pre_create_refund", {"order_id": ""}),
])  # fmt: skip
def test_a_genuine_callback_that_lacks_what_it_needs_cannot_be_read(
    kind: str, changed: dict[str, Any], party: DouyinParty
) -> None:
    msg = {
        **party.payment(ORDER_ID), "refund_id": "motb2", "refund_total_amount": 1, "need_refund_audit": 1,
        "refund_audit_deadline": 1_764_576_000_000, "refund_reason": ["不想要了"],
    }  # fmt: skip
    channel = party.channel()

    assert channel.read_notice(*party.notice(kind, msg)) is not None
    with pytest.raises(InvalidError):
        channel.read_notice(*party.notice(kind, msg | changed))


def test_what_each_kind_of_callback_says(party: DouyinParty) -> None:
    channel = party.channel()
    ours = {"refund_id": "motb2", "refund_total_amount": 5, "order_id": "motb1", "app_id": APP, "message": "m"}

    def read(kind: str, msg: dict[str, Any]) -> Any:
        return channel.read_notice(*party.notice(kind, msg))

    assert read("payment", party.payment(ORDER_ID, status="CANCEL", message="USER_CANCEL")) == ClosedNotice(
        "douyin", ORDER_ID, by_buyer=True
    )
    assert read("payment", party.payment(ORDER_ID, status="CANCEL", message="TIME_OUT")) == ClosedNotice(
        "douyin", ORDER_ID, by_buyer=False
    )
    number = f"{ORDER_ID}-{REFUND_ID}"
    assert read("refund", ours | {"status": "SUCCESS", "out_refund_no": number}) == RefundNotice(
        "douyin", ORDER_ID, REFUND_ID, "motb1", "succeeded", 5
    )
    assert read("refund", ours | {"status": "FAIL", "out_refund_no": f"{ORDER_ID}-a-{REFUND_ID}"}) == RefundNotice(
        "douyin", ORDER_ID, REFUND_ID, "motb1", "refused", 5, "FAIL m", asked=True
    )
    for foreign in ("", f"{number}x", "default1", f"{ORDER_ID}-b-{REFUND_ID}"):
        found = read("refund", ours | {"status": "SUCCESS", "out_refund_no": foreign})
        assert (found.order_no, found.refund_no, found.asked) == ("", foreign or "motb2", False)
    asks = {
        "app_id": APP, "out_order_no": ORDER_ID, "order_id": "motb1", "refund_id": "motb2", "refund_total_amount": 5,
        "need_refund_audit": 2, "refund_audit_deadline": 1_764_835_200_000, "refund_reason": ["a", "b"],
        "refund_description": "my number is 13800138000",
    }  # fmt: skip
    assert read("pre_create_refund", asks) == RefundAsked(
        "douyin", ORDER_ID, "motb2", "motb1", 5, "CNY", needs_audit=False,
        decide_by=datetime(2025, 12, 4, 8, tzinfo=UTC), reason="a b",
    )  # fmt: skip


# --- the company itself ---


def test_a_callback_is_repeated_until_the_answer_says_err_no_0(party: DouyinParty, clock: TestClock) -> None:
    from infra.local.server import HttpAnswer

    good, bad = HttpAnswer(200, {}, b'{"err_no":0,"err_tips":"success"}'), HttpAnswer(200, {}, b'{"err_no":1}')
    party.answers = [None, bad, HttpAnswer(500, {}, b'{"err_no":0}'), HttpAnswer(200, {}, b"success"), good]
    party.confirm(started(party).parameters)
    for seconds in (12, 12, 33, 60, 120):
        clock.move(seconds=seconds)
        party.company.settle()

    assert len(party.sent) == 5


@pytest.mark.parametrize("changed", [
    {"skuList": []}, {"totalAmount": 3_301}, {"payExpireSeconds": -1}, {"payExpireSeconds": 48 * 3600 + 1},
    {"outOrderNo": "x" * 65}, {"orderEntrySchema": {"path": "/pages"}}, {"more": 1}, {"payNotifyUrl": "x"},
    {"totalAmount": "3300"}, {"orderEntrySchema": {"path": "a", "params": "x"}},
])  # fmt: skip
def test_the_window_refuses_an_order_of_another_form(changed: dict[str, Any], party: DouyinParty) -> None:
    from cardstock.platforms.douyin_trade import AppKeys, authorise
    from cardstock.platforms.keys import PrivateKey, PublicKey

    app = douyin_account()["apps"][APP]
    signing = AppKeys(APP, "s", PrivateKey(app["private_key"]), PublicKey(app["public_key"]), "1")
    data = json.dumps(json.loads(started(party).parameters["data"]) | changed)
    with pytest.raises(WrongCallError, match=r"data|totalAmount"):
        party.company.open(APP, "anna", {"data": data, "byteAuthorization": authorise(signing, data)})


def test_one_number_is_one_order_of_one_person(party: DouyinParty) -> None:
    call = started(party).parameters
    first = party.company.open(APP, "anna", call)

    assert party.company.open(APP, "anna", call) is first
    with pytest.raises(WrongCallError, match="已被使用"):
        party.company.open(APP, "mallory", call)
    party.confirm(call)
    with pytest.raises(WrongCallError, match="重复"):
        party.company.open(APP, "anna", call)
