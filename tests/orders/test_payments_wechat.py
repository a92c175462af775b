"""The client of WeChat Pay, against a server that checks what it gets and signs what it answers."""

import json
from typing import Any

import pytest
from msgspec import ValidationError
from msgspec.structs import replace

from cardstock.errors import ConflictError, InvalidError, RefusedError, UnauthorizedError, UnavailableError
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.orders.payment_model import PaymentNotice, PaymentParameters, RefundNotice
from cardstock.orders.refund_model import Refund
from infra.local.platforms.people import WrongCallError
from infra.local.server import HttpAnswer
from tests.people.clock import START, TestClock
from tests.people.payment_parties import WechatParty, wechat_merchant

LINE = OrderLine(1, "TEA", "白毫银针 50 克", 2, 1_000, 1_999, "sup_a", False, True)
ORDER = Order(
    "ord_01kbdxdh50fcazdjhcnqh2rzv5", "mem_a", "placed", (LINE,), 1_999, Receiver("n", "1", "a"), None, {}, START
)
REFUND = Refund(
    "rfd_1", ORDER.order_id, "mem_a", "return", "requested", 1_001, (), "broken", "wechat", "", 1_999, START,
)  # fmt: skip
SILENT = ("busy", "too_often", "wrong_signature", "wrong_serial", "old_signature", "unsigned", "stall", "answer_lost",
          "half", "server_error", "not_json", "certificate")  # fmt: skip


@pytest.fixture
def party(clock: TestClock) -> WechatParty:
    return WechatParty(clock)


def window(party: WechatParty, order: Order = ORDER) -> dict[str, str]:
    started = party.channel().start(order, party.payer)
    assert isinstance(started, PaymentParameters)
    return started.parameters


def refund_of(party: WechatParty, **how: Any) -> Refund:
    """A refund of an order that was paid."""
    party.confirm(window(party), **how)
    found = party.channel().close(ORDER)
    assert isinstance(found, PaymentNotice)
    return replace(REFUND, transaction_no=found.transaction_no)


def test_wechat_gets_what_is_sold_to_whom_for_how_much_and_until_when(party: WechatParty) -> None:
    window(party)
    asked = party.company.trades[ORDER.order_id]["asked"]

    assert asked == {
        "appid": party.app_id, "mchid": "1900000109", "description": "白鹭茶业 白毫银针 50 克",
        "out_trade_no": ORDER.order_id,
        "time_expire": "2026-12-01T16:30:00+08:00", "notify_url": "https://api.example.com/v1/payments/wechat/notify",
        "amount": {"total": 1_999, "currency": "CNY"}, "payer": {"openid": party.payer.rpartition(":")[2]},
    }  # fmt: skip


def test_a_long_list_of_goods_is_cut_to_what_wechat_takes(party: WechatParty) -> None:
    window(party, replace(ORDER, lines=tuple(replace(LINE, name="茶" * 60) for _ in range(9))))

    assert len(party.company.trades[ORDER.order_id]["asked"]["description"]) == 127


def test_each_start_gives_a_fresh_call_and_each_of_them_pays_once(party: WechatParty) -> None:
    first, second = window(party), window(party)
    party.confirm(first)

    assert first["package"] != second["package"]
    with pytest.raises(WrongCallError):
        party.confirm(second)


def test_what_wechat_s_coupons_pay_is_paid_too_and_unknown_members_are_no_harm(party: WechatParty) -> None:
    refund = replace(refund_of(party, coupon_fen=100), amount_fen=1_999)
    (sent,) = party.sent
    plain = party.company.facts_of(party.company.trades[ORDER.order_id])
    read = party.channel().read_notice(*sent)
    party.end_refunds("succeeded")

    assert (plain["amount"]["payer_total"], len(plain["promotion_detail"])) == (1_899, 1)
    assert isinstance(read, PaymentNotice)
    assert (read.amount_fen, read.currency, read.payer, read.gave_back) == (1_999, "CNY", party.payer, False)
    assert party.channel().refund(refund)


@pytest.mark.parametrize("mode", SILENT)
def test_a_call_without_a_usable_answer_decides_nothing(mode: str, party: WechatParty) -> None:
    refund = refund_of(party)
    channel = party.channel()
    for ask in (lambda: channel.close(ORDER), lambda: channel.refund(refund), lambda: channel.progress(refund)):
        party.fail_next(*[mode] * 4)
        with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
            ask()
        party.fail_next()

    assert party.told
    assert all(len(cause) <= 80 for _, cause in party.told)


def test_a_closing_counts_once_wechat_has_signed_it(party: WechatParty) -> None:
    window(party)
    party.fail_next("unsigned", "unsigned")

    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().close(ORDER)
    assert party.channel().close(ORDER) == "closed"


@pytest.mark.parametrize("mode", SILENT)
def test_a_start_without_a_usable_answer_is_unavailable_and_the_next_one_works(mode: str, party: WechatParty) -> None:
    party.fail_next(*[mode] * 4)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().start(ORDER, party.payer)
    party.fail_next()

    party.confirm(window(party))


def test_in_the_time_of_a_change_answers_signed_with_a_certificate_are_taken(party: WechatParty) -> None:
    merchant = wechat_merchant()
    changing = party.channel(certificates={merchant["certificate_serial"]: merchant["own_certificate_key"]})
    party.fail_next("certificate", "certificate")

    assert isinstance(changing.start(ORDER, party.payer), PaymentParameters)
    assert changing.close(ORDER) == "closed"


@pytest.mark.parametrize("changed", [
    {"mch_id": "1900000999"}, {"serial_no": "00"}, {"app_ids": ["wx0000000000000001", "wx9"]},
])  # fmt: skip
def test_an_account_that_wechat_does_not_take_is_for_people_to_repair(
    changed: dict[str, Any], party: WechatParty
) -> None:
    payer = "wechat:wx9:" + party.payer.rpartition(":")[2] if "app_ids" in changed else party.payer
    with pytest.raises(UnavailableError, match="CHANNEL_MISCONFIGURED") as raised:
        party.channel(**changed).start(ORDER, payer)

    assert raised.value.refusal.alarm == "ChannelMisconfigured"


@pytest.mark.parametrize("changed", [
    {"private_key": "not a key"}, {"public_key": "bm90IGEga2V5"}, {"public_key_id": "5157F09E"}, {"unknown": "x"},
    {"notice_key": "short"}, {"app_ids": []}, {"notify_url": "https://api.example.com/notify?x=1"},
])  # fmt: skip
def test_an_account_that_cannot_work_stops_before_anything_is_sent(changed: dict[str, Any], party: WechatParty) -> None:
    with pytest.raises((ValueError, ValidationError)):
        party.channel(**changed)

    assert party.company.calls == []


def test_an_app_of_somebody_else_is_refused_without_a_call(party: WechatParty) -> None:
    with pytest.raises(ConflictError, match="APP_DIFFERS"):
        party.channel().start(ORDER, "wechat:wx-other:oABC")

    assert party.company.calls == []


def test_an_order_that_the_channel_has_closed_is_not_started_again(party: WechatParty) -> None:
    window(party)
    party.channel().close(ORDER)

    with pytest.raises(ConflictError, match="PAYMENT_CLOSED"):
        party.channel().start(ORDER, party.payer)


def test_an_order_that_changed_under_its_number_is_not_started(party: WechatParty) -> None:
    window(party)
    with pytest.raises(ConflictError, match="PAYMENT_STARTED"):
        party.channel().start(replace(ORDER, amount_fen=1), party.payer)

    assert party.company.trades[ORDER.order_id]["total"] == 1_999


def test_an_order_that_is_being_paid_or_was_started_by_another_account_is_a_conflict(party: WechatParty) -> None:
    other = f"wechat:{party.app_id}:{party.people.openid(party.app_id, 'bob')}"
    call = window(party)
    with pytest.raises(ConflictError, match="PAYMENT_STARTED"):
        party.channel().start(ORDER, other)
    party.confirm(call, processing=True)

    with pytest.raises(ConflictError, match="PAYMENT_STARTED"):
        party.channel().start(ORDER, party.payer)


def test_an_order_that_was_never_started_is_no_trouble(party: WechatParty) -> None:
    assert party.channel().close(ORDER) == "closed"
    assert party.told == []


def test_the_end_of_the_window_is_no_closing(party: WechatParty, clock: TestClock) -> None:
    call = window(party)
    party.confirm(call, processing=True)
    clock.move(minutes=31)

    assert party.channel().close(ORDER) == "open"


# Refunds


@pytest.mark.parametrize("status", ["refused", "must_act"])
def test_a_refund_that_ended_without_success_says_so_again_and_again(status: str, party: WechatParty) -> None:
    refund = refund_of(party)
    party.end_refunds(status)
    codes = []
    for _ in range(2):
        with pytest.raises((RefusedError, UnavailableError)) as raised:
            party.channel().refund(refund)
        codes.append(raised.value.code)

    assert codes == [{"refused": "REFUND_REFUSED", "must_act": "MERCHANT_MUST_ACT"}[status]] * 2


@pytest.mark.parametrize(("mode", "code"), [
    ("not_enough", "MERCHANT_MUST_ACT"), ("no_authority", "MERCHANT_MUST_ACT"), ("account_abnormal", "REFUND_REFUSED"),
    ("busy", "CHANNEL_UNAVAILABLE"), ("too_often", "CHANNEL_UNAVAILABLE"),
])  # fmt: skip
def test_a_refusal_means_something_once_wechat_says_that_it_knows_no_such_refund(
    mode: str, code: str, party: WechatParty
) -> None:
    refund = refund_of(party)
    party.fail_next(mode)
    with pytest.raises((RefusedError, UnavailableError)) as raised:
        party.channel().refund(refund)

    assert raised.value.code == code
    assert party.company.trades[ORDER.order_id]["refunds"] == {}
    party.end_refunds("succeeded")
    assert party.channel().refund(refund)


def test_a_refusal_alone_means_nothing(party: WechatParty) -> None:
    refund = refund_of(party)
    party.fail_next("account_abnormal", "unsigned")

    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().refund(refund)


def test_a_refusal_that_nobody_signed_means_nothing(party: WechatParty) -> None:
    refund = refund_of(party)
    party.refuse_from_now_on()
    party.fail_next("unsigned")

    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().refund(refund)


def test_more_than_is_left_is_refused_for_good_and_less_is_not(party: WechatParty) -> None:
    refund = refund_of(party)
    party.end_refunds("succeeded")
    assert party.channel().refund(refund)
    with pytest.raises(RefusedError, match="REFUND_REFUSED"):
        party.channel().refund(replace(refund, refund_id="rfd_2"))

    assert party.channel().refund(replace(refund, refund_id="rfd_3", amount_fen=998))
    assert party.refunded(ORDER.order_id) == 1_999


def test_a_year_after_the_payment_it_is_too_late(party: WechatParty, clock: TestClock) -> None:
    refund = refund_of(party)
    clock.move(days=365, seconds=1)

    with pytest.raises(RefusedError, match="REFUND_REFUSED"):
        party.channel().refund(refund)


def test_missing_funds_are_known_by_their_words_too(party: WechatParty, monkeypatch: pytest.MonkeyPatch) -> None:
    refund = refund_of(party)
    real = party.company.respond

    def poor(asked: Any, mode: str) -> Any:
        if asked.method == "POST" and asked.path.endswith("/refunds"):
            said = {"code": "INVALID_REQUEST", "message": "基本账户余额不足，请充值后重新发起"}
            content = json.dumps(said, ensure_ascii=False).encode()
            return HttpAnswer(400, party.company.signature(content), content)
        return real(asked, mode)

    monkeypatch.setattr(party.company, "respond", poor)
    with pytest.raises(UnavailableError, match="MERCHANT_MUST_ACT"):
        party.channel().refund(refund)


def test_the_same_number_with_another_amount_decides_nothing(party: WechatParty) -> None:
    refund = refund_of(party)
    party.end_refunds("succeeded")
    party.channel().refund(refund)

    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        party.channel().refund(replace(refund, amount_fen=500))
    assert party.refunded(ORDER.order_id) == 1_001


# Notices


def sealed(party: WechatParty, kind: str, plain: dict[str, Any], **how: Any) -> tuple[dict[str, str], bytes]:
    headers, body = party.company.notice(kind, "transaction", plain, **how)
    return {name.lower(): value for name, value in headers.items()}, body


def paid_facts(party: WechatParty, **changed: Any) -> dict[str, Any]:
    party.confirm(window(party))
    return party.company.facts_of(party.company.trades[ORDER.order_id]) | changed


@pytest.mark.parametrize("changed", [
    {"mchid": "1900000999"}, {"appid": "wx-other"}, {"amount": None}, {"transaction_id": ""}, {"success_time": None},
    {"success_time": "2026-12-01T16:00:00"}, {"amount": {"total": -1}}, {"out_trade_no": 7},
])  # fmt: skip
def test_a_genuine_notice_that_is_not_ours_or_lacks_something_is_unreadable(
    changed: dict[str, Any], party: WechatParty
) -> None:
    sent = sealed(party, "TRANSACTION.SUCCESS", paid_facts(party, **changed))

    with pytest.raises(InvalidError, match="BODY_INVALID"):
        party.channel().read_notice(*sent)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"event_type":"TRANSACTION.SUCCESS"}', b"[" * 9_999])
def test_genuine_bytes_that_are_no_notice_are_unreadable(body: bytes, party: WechatParty) -> None:
    headers = {name.lower(): value for name, value in party.company.signature(body).items()}

    with pytest.raises(InvalidError, match="BODY_INVALID"):
        party.channel().read_notice(headers, body)


@pytest.mark.parametrize(("kind", "changed"), [
    ("TRANSACTION.SUCCESS", {"trade_state": "NOTPAY"}), ("MCHTRANSFER.BILL.FINISHED", {}),
])  # fmt: skip
def test_a_notice_of_something_else_is_nothing(kind: str, changed: dict[str, Any], party: WechatParty) -> None:
    assert party.channel().read_notice(*sealed(party, kind, paid_facts(party, **changed))) is None


@pytest.mark.parametrize("mode", ["wrong_signature", "wrong_serial", "signature_test", "certificate"])
def test_a_notice_that_wechat_did_not_sign_with_a_known_key_is_a_forgery(mode: str, party: WechatParty) -> None:
    sent = sealed(party, "TRANSACTION.SUCCESS", paid_facts(party), mode=mode)

    with pytest.raises(UnauthorizedError, match="SIGNATURE_INVALID"):
        party.channel().read_notice(*sent)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_notice_of_another_time_is_stale_with_both_times(minutes: int, party: WechatParty, clock: TestClock) -> None:
    sent = sealed(party, "TRANSACTION.SUCCESS", paid_facts(party))
    clock.move(minutes=minutes)

    with pytest.raises(UnauthorizedError, match="SIGNATURE_STALE") as raised:
        party.channel().read_notice(*sent)
    assert raised.value.facts["sent_at"] == "2026-12-01T08:00:00.000Z"


@pytest.mark.parametrize("name", ["timestamp", "nonce", "signature", "serial"])
def test_each_header_is_needed_and_bound(name: str, party: WechatParty) -> None:
    headers, body = sealed(party, "TRANSACTION.SUCCESS", paid_facts(party))
    whole = f"wechatpay-{name}"

    with pytest.raises(UnauthorizedError, match="SIGNATURE_MISSING") as raised:
        party.channel().read_notice({key: value for key, value in headers.items() if key != whole}, body)
    with pytest.raises(UnauthorizedError, match="SIGNATURE_INVALID"):
        party.channel().read_notice(headers | {whole: headers[whole][:-1] + "¼"}, body)
    assert raised.value.facts == {"header": whole}


def test_the_older_notices_of_refunds_from_wechat_s_pages_are_refused(party: WechatParty) -> None:
    with pytest.raises(UnauthorizedError, match="SIGNATURE_MISSING"):
        party.channel().read_notice({"content-type": "text/xml"}, b"<xml><return_code>SUCCESS</return_code></xml>")


@pytest.mark.parametrize(("status", "read"), [
    ("SUCCESS", "succeeded"), ("CLOSED", "refused"), ("ABNORMAL", "must_act"), ("PROCESSING", None),
])  # fmt: skip
def test_a_notice_of_a_refund_names_neither_app_nor_state_of_a_payment(
    status: str, read: str | None, party: WechatParty
) -> None:
    plain = {
        "mchid": "1900000109", "out_trade_no": ORDER.order_id, "transaction_id": "4200001", "out_refund_no": "rfd_1",
        "refund_id": "500001", "refund_status": status, "user_received_account": "支付用户零钱",
        "amount": {"total": 1_999, "refund": 1_001, "payer_total": 1_999, "payer_refund": 1_001},
    }  # fmt: skip
    found = party.channel().read_notice(*sealed(party, f"REFUND.{status}", plain))

    if read is None:
        assert found is None
        return
    assert isinstance(found, RefundNotice)
    assert (found.order_no, found.refund_no, found.transaction_no, found.status, found.amount_fen) == (
        ORDER.order_id, "rfd_1", "4200001", read, 1_001,
    )  # fmt: skip


def test_a_refund_notice_of_another_merchant_is_unreadable(party: WechatParty) -> None:
    plain = {
        "mchid": "1900000999", "out_trade_no": "x", "transaction_id": "4", "out_refund_no": "r",
        "refund_status": "SUCCESS", "amount": {"refund": 1},
    }  # fmt: skip
    with pytest.raises(InvalidError, match="BODY_INVALID"):
        party.channel().read_notice(*sealed(party, "REFUND.SUCCESS", plain))
