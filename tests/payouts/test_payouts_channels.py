"""Payouts through channels that answer by themselves, from handing over to the last word."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock import environment
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.secrets import forget_provider
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.channels.sandbox import WAYS, SandboxTransfers, Way, drawn
from cardstock.payouts.lines import Line, Result
from cardstock.payouts.transfer_answers import Answer
from functions.ledger.api import app as member_api
from functions.payouts.poll_transfers import app as polls
from tests.house.cloud import ROOT, Cloud, Context, http_event
from tests.people.finance import FIRST, PAYOUT, Finance, member_id
from tests.people.transfer_channels import Alipay, Wechat, alipay_account, public_pem, wechat_account

WECHAT = "wechat:wx1234567890abcdef:o"
ALIPAY = "alipay:2021000000000001:o"


@pytest.fixture(autouse=True)
def no_channel_yet(cloud: Cloud) -> Iterator[None]:
    forget_provider()
    payouts_wiring.set_transfer_transport(None)
    yield
    payouts_wiring.set_transfer_transport(None)
    forget_provider()


class Sandbox:
    """The sandbox, with a way for each member."""

    def __init__(self, finance: Finance) -> None:
        made = payouts_wiring.transfer_channel("sandbox")
        assert isinstance(made, SandboxTransfers)
        self.channel, self.token, self.ways = made, finance, dict[str, Way]()
        made.script = self._way

    def _way(self, line: Line) -> Way:
        return self.ways[line.number if line.number in self.ways else line.member]

    def member(self, way: Way, fen: int = 50_000) -> str:
        made = self.token.member(len(self.ways) + 1, fen)
        self.ways[made] = way
        return made


@pytest.fixture
def sandbox(finance: Finance) -> Sandbox:
    return Sandbox(finance)


@pytest.fixture
def wechat(finance: Finance, cloud: Cloud) -> Wechat:
    made = Wechat(finance.clock)
    text = json.dumps({"wechat": wechat_account()})
    cloud.secrets.put_secret_value(SecretId=environment.text("TRANSFER_SECRET_ID"), SecretString=text)
    payouts_wiring.set_transfer_transport(made.transport)
    return made


@pytest.fixture
def alipay(finance: Finance, cloud: Cloud) -> Alipay:
    made = Alipay(finance.clock)
    text = json.dumps({"alipay": alipay_account()})
    cloud.secrets.put_secret_value(SecretId=environment.text("TRANSFER_SECRET_ID"), SecretString=text)
    payouts_wiring.set_transfer_transport(made.transport)
    return made


def withdrawals(member: str, **query: str) -> dict[str, Any]:
    """What a member is told."""
    token = edge_wiring.signer().sign("access", {"sub": member}, lifetime=timedelta(hours=1))
    answer = member_api.handler(http_event("GET", "/v1/me/withdrawals", query=query or None, token=token), Context())
    assert answer["statusCode"] == 200, answer["body"]
    told: dict[str, Any] = json.loads(answer["body"])
    return told


def test_every_way_that_ends_by_itself_ends_in_books_that_close(finance: Finance, sandbox: Sandbox) -> None:
    of = {way: sandbox.member(way) for way in ("paid", "failed", "slow", "confirm", "lapse", "stuck", "taken")}
    finance.sent_through("sandbox")
    at_once = {way: finance.lines()[member]["status"] for way, member in of.items()}
    for hours in (1, 2, 24, 24, 24, 72.1):
        finance.poll(hours=hours)
    payout = finance.payout()

    assert at_once == {
        "paid": "paid", "failed": "failed", "slow": "sent", "confirm": "waiting_user", "lapse": "waiting_user",
        "stuck": "waiting_user", "taken": "waiting_user",
    }  # fmt: skip
    assert {way: finance.lines()[member]["status"] for way, member in of.items()} == {
        "paid": "paid", "failed": "failed", "slow": "paid", "confirm": "paid", "lapse": "expired", "stuck": "expired",
        "taken": "paid",
    }  # fmt: skip
    assert (payout["status"], payout["books"]["closes"]) == ("settled", True)
    assert payout["books"]["channel"]["paid_fen"] == payout["books"]["ledger"]["paid_fen"] == 4 * 50_000
    assert {way: finance.balance(member) for way, member in of.items() if way in ("lapse", "paid")} == {
        "lapse": {"available": 50_000}, "paid": {"paid": 50_000},
    }  # fmt: skip
    finance.check_ledger()


def test_a_line_is_asked_about_with_its_first_number_and_parameters_until_the_channel_speaks(
    finance: Finance, sandbox: Sandbox
) -> None:
    silent, paid = sandbox.member("silent"), sandbox.member("paid")
    finance.sent_through("sandbox")
    number = finance.lines()[silent]["number"]
    for _ in range(5):
        finance.poll(hours=24)
    still = finance.payout()
    sandbox.ways[silent] = "paid"
    finance.poll()

    assert sandbox.channel.handed_over == {number: 6, finance.lines()[paid]["number"]: 1}
    assert (still["status"], still["totals"]["sent"]["lines"], still["books"]) == ("sending", 1, None)
    assert finance.payout()["status"] == "settled"
    assert finance.balance(silent) == {"paid": 50_000}


def test_a_channel_that_is_down_costs_nothing_but_time(finance: Finance, sandbox: Sandbox) -> None:
    member = sandbox.member("down")
    finance.open("sandbox")
    finance.drain()
    finance.approve()
    failed = finance.drain()
    claimed = finance.balance(member)
    sandbox.ways[member] = "paid"
    finance.poll()
    finance.poll()

    assert len(failed) == 1
    assert claimed == {"paying": 50_000}
    assert finance.payout()["status"] == "settled"
    assert finance.balance(member) == {"paid": 50_000}


def test_money_that_came_after_a_lapse_is_recorded_never_applied_and_keeps_the_batch_open(
    finance: Finance, sandbox: Sandbox
) -> None:
    late, stuck = sandbox.member("late"), sandbox.member("stuck")
    finance.sent_through("sandbox")
    finance.poll(hours=26)
    lapsed = finance.lines()[late]["status"], finance.balance(late)
    finance.poll(hours=4)
    finance.poll(hours=43)
    payout = finance.payout()
    finance.clock.set(FIRST + timedelta(days=31))
    finance.tick()
    finance.drain()

    assert lapsed == ("expired", {"available": 50_000})
    assert (finance.lines()[late]["status"], finance.balance(late)) == ("expired", {"available": 50_000})
    assert finance.lines()[stuck]["status"] == "expired"
    assert payout["status"] == "sending"
    assert [(found["member_id"], found["code"], found["channel"]) for found in payout["books"]["differences"]] == [
        (late, "OUTCOME", "waiting_user, expired, paid 50000")
    ]
    # The member is not paid a second time until the dispute is resolved.
    assert set(finance.lines("pay_202612")) == {stuck}
    finance.check_ledger()


def test_another_amount_keeps_the_batch_open_and_says_so(finance: Finance, sandbox: Sandbox) -> None:
    member = sandbox.member("other_amount")
    finance.sent_through("sandbox")
    payout = finance.payout()

    assert payout["status"] == "sending"
    assert [(found["member_id"], found["code"]) for found in payout["books"]["differences"]] == [(member, "AMOUNT")]
    assert payout["books"]["differences"][0]["channel"] == "paid 49999"


def test_a_step_without_time_leaves_the_asking_to_the_next_and_no_line_waits_for_ever(
    finance: Finance, sandbox: Sandbox
) -> None:
    for _ in range(40):
        sandbox.member("slow", 5_000)
    finance.open("sandbox")
    finance.drain()
    finance.approve()
    while finance.advance(chunks=1):
        pass
    finance.clock.move(hours=2)
    for _ in range(4):
        finance.advance(chunks=2)  # one to ask the channel, one to apply what it said
        finance.clock.move(seconds=17)

    assert {line["status"] for line in finance.lines().values()} == {"paid"}
    finance.check_ledger()


def test_polls_ask_only_where_the_channel_answers_by_itself(finance: Finance, sandbox: Sandbox, cloud: Cloud) -> None:
    finance.member(99, 5_000)
    finance.sent()
    before = cloud.state()

    assert finance.poll(hours=1) == 0
    assert cloud.state() == before


def test_a_settled_payout_is_not_asked_about_again(finance: Finance, sandbox: Sandbox) -> None:
    sandbox.member("paid")
    finance.sent_through("sandbox")

    assert finance.payout()["status"] == "settled"
    assert finance.poll(hours=1) == 0


def test_what_the_channel_answers_for_each_cannot_be_confirmed_as_a_whole(
    finance: Finance, sandbox: Sandbox, cloud: Cloud
) -> None:
    sandbox.member("silent")
    finance.sent_through("sandbox")
    before = cloud.state()
    status, problem = finance.results(others=True)

    assert (status, problem["code"]) == (409, "CHANNEL_SPEAKS_ITSELF")
    assert cloud.state() == before


# --- a second attempt ---


def test_what_the_channel_failed_is_tried_once_more_under_another_number(finance: Finance, sandbox: Sandbox) -> None:
    failed, open_one = sandbox.member("failed", 500_000), sandbox.member("stuck")
    finance.sent_through("sandbox")
    first = finance.lines()[failed]
    status, line = finance.retry(first["number"])
    again = finance.retry(first["number"])
    sandbox.ways[line["number"]] = "paid"
    failures = finance.drain()
    repeated = finance.retry(first["number"], key="another")
    finance.drain()
    _, page = finance.call("GET", f"/v1/payouts/{PAYOUT}/lines", query={"limit": "100"})
    mine = {found["number"]: found for found in page["items"] if found["member_id"] == failed}
    finance.poll(hours=72)
    finance.poll()
    finance.poll(hours=72.1)

    assert (status, line["attempt"], line["status"], line["listed_fen"]) == (202, 2, "pending", 500_000)
    assert line["retried_by"].startswith("stf_")
    assert line["number"] != first["number"]
    assert (again[0], again[1]["number"]) == (202, line["number"])
    assert (repeated[0], repeated[1]["number"]) == (202, line["number"])
    assert failures == []
    assert {number: found["status"] for number, found in mine.items()} == {
        first["number"]: "failed", line["number"]: "paid",
    }  # fmt: skip
    assert mine[line["number"]]["tax_fen"] == 80_000
    assert finance.balance(failed) == {"paid": 420_000, "withheld": 80_000}
    assert finance.lines()[open_one]["status"] == "expired"
    assert (finance.payout()["status"], finance.payout()["books"]["closes"]) == ("settled", True)
    finance.check_ledger()


def test_a_first_attempt_that_was_paid_after_all_stops_the_second(finance: Finance, sandbox: Sandbox) -> None:
    member, _ = sandbox.member("failed"), sandbox.member("stuck")
    finance.sent_through("sandbox")
    first = finance.lines()[member]["number"]
    _, line = finance.retry(first)
    sandbox.ways[first] = "paid"
    sandbox.ways[line["number"]] = "paid"
    finance.drain()
    _, page = finance.call("GET", f"/v1/payouts/{PAYOUT}/lines", query={"limit": "100"})
    second = next(found for found in page["items"] if found["number"] == line["number"])

    assert (second["status"], second["reason"]) == ("dropped", "disputed")
    assert line["number"] not in sandbox.channel.handed_over
    assert finance.balance(member) == {"available": 50_000}


@pytest.mark.parametrize("way", ["silent", "confirm", "paid"])
def test_what_the_channel_did_not_fail_is_not_tried_again(
    finance: Finance, sandbox: Sandbox, cloud: Cloud, way: Way
) -> None:
    member, _ = sandbox.member(way), sandbox.member("stuck")
    finance.sent_through("sandbox")
    before = cloud.state()
    status, problem = finance.retry(finance.lines()[member]["number"])

    assert (status, problem["code"]) == (409, "TRANSFER_NOT_FAILED")
    assert cloud.state() == before


@pytest.mark.parametrize("result", ["failed", "expired"])
def test_no_person_says_for_a_channel_that_answers_itself_that_a_transfer_failed(
    finance: Finance, sandbox: Sandbox, cloud: Cloud, result: str
) -> None:
    (member, other), _ = (sandbox.member("silent"), sandbox.member("paid")), sandbox.member("stuck")
    finance.sent_through("sandbox")
    number, paid = (finance.lines()[one]["number"] for one in (member, other))
    before = cloud.state()
    one = finance.results({"number": number, "result": result, "reason": "SEEN_IN_CONSOLE"})
    both = finance.results({"number": paid, "result": "paid"}, {"number": number, "result": result})
    header = "转账单号,处理结果,失败原因,金额,收款人户名\r\n"
    by_file = finance.bring_file(f"{header}{number},失败,账号不符,500.00,张伟\r\n".encode(), part=True)

    assert [(status, problem["code"]) for status, problem in (one, both, by_file)] == [(422, "FAILURE_BY_CHANNEL")] * 3
    assert cloud.state() == before


def test_no_person_says_it_after_the_payout_has_settled_either(finance: Finance, sandbox: Sandbox) -> None:
    member = sandbox.member("paid")
    finance.sent_through("sandbox")
    status, problem = finance.results({"number": finance.lines()[member]["number"], "result": "failed"})

    assert finance.payout()["status"] == "settled"
    assert (status, problem["code"]) == (422, "FAILURE_BY_CHANNEL")
    assert finance.payout()["contradictions"] == []


def test_there_is_no_third_attempt(finance: Finance, sandbox: Sandbox) -> None:
    member, _ = sandbox.member("failed"), sandbox.member("stuck")
    finance.sent_through("sandbox")
    _, second = finance.retry(finance.lines()[member]["number"])
    finance.drain()
    status, problem = finance.retry(second["number"], key="third")

    assert (status, problem["code"]) == (422, "RETRIED_ALREADY")


def test_a_second_attempt_belongs_to_its_period(finance: Finance, sandbox: Sandbox) -> None:
    member, _ = sandbox.member("failed"), sandbox.member("silent")
    finance.open("sandbox")
    finance.drain()
    early = finance.retry("0" * 32), finance.retry(finance.lines()[member]["number"])
    finance.approve()
    finance.drain()
    finance.clock.set(FIRST + timedelta(days=31))
    finance.tick()
    number = finance.lines()[member]["number"]
    late = finance.retry(number)

    assert (early[0][0], early[1][0], early[1][1]["code"]) == (404, 409, "PAYOUT_NOT_SENT")
    assert (late[0], late[1]["code"]) == (409, "PAYOUT_CLOSED")


def test_a_settled_payout_has_no_second_attempts(finance: Finance, sandbox: Sandbox) -> None:
    member = sandbox.member("failed")
    finance.sent_through("sandbox")
    finance.poll(hours=72.1)
    status, problem = finance.retry(finance.lines()[member]["number"])

    assert finance.payout()["status"] == "settled"
    assert (status, problem["code"]) == (409, "PAYOUT_CLOSED")


def test_only_who_may_approve_may_retry(finance: Finance, sandbox: Sandbox) -> None:
    member, _ = sandbox.member("failed"), sandbox.member("stuck")
    finance.sent_through("sandbox")
    token = finance.key("Wang", "payouts:read", "payouts:settle")
    status, problem = finance.retry(finance.lines()[member]["number"], token=token)

    assert (status, problem["code"]) == (403, "SCOPE_MISSING")


# --- the real clients ---


def test_a_member_takes_his_money_in_wechat(finance: Finance, wechat: Wechat) -> None:
    rich, other = finance.member(1, 500_000, account=WECHAT), finance.member(2, 60_000, account=WECHAT)
    finance.sent_through("wechat")
    (waiting,) = withdrawals(rich)["items"]
    wechat.states[waiting["number"]] = "SUCCESS"
    wechat.states[finance.lines()[other]["number"]] = "FAIL"
    wechat.reasons[finance.lines()[other]["number"]] = "OVERDUE_CLOSE"
    finance.poll(hours=25)
    (paid,) = withdrawals(rich)["items"]
    (lapsed,) = withdrawals(other)["items"]
    finance.poll(hours=72.1)

    assert (waiting["status"], waiting["gross_fen"], waiting["tax_fen"], waiting["net_fen"]) == (
        "waiting_user", 500_000, 80_000, 420_000,
    )  # fmt: skip
    assert waiting["confirm"] == {
        "mch_id": "1900000001", "app_id": "wx1234567890abcdef", "package": f"package/{waiting['number']}==",
    }  # fmt: skip
    assert wechat.names == {waiting["number"]: "张伟"}
    assert wechat.moved == {waiting["number"]: 420_000}
    assert (paid["status"], paid["confirm"]) == ("paid", None)
    assert (lapsed["status"], lapsed["reason"]) == ("expired", "OVERDUE_CLOSE")
    assert finance.balance(rich) == {"paid": 420_000, "withheld": 80_000}
    assert finance.balance(other) == {"available": 60_000}
    assert (finance.payout()["status"], finance.payout()["books"]["closes"]) == ("settled", True)
    finance.check_ledger()


def test_an_account_that_wechat_cannot_pay_to_is_left_out_before_its_money_is_claimed(
    finance: Finance, wechat: Wechat
) -> None:
    elsewhere, fine = finance.member(1, 5_000, account="wechat:wxother:o"), finance.member(2, 5_000, account=WECHAT)
    finance.sent_through("wechat")

    assert (finance.lines()[elsewhere]["status"], finance.lines()[elsewhere]["reason"]) == (
        "dropped", "account_unsuitable",
    )  # fmt: skip
    assert finance.balance(elsewhere) == {"available": 5_000}
    assert list(wechat.bills) == [finance.lines()[fine]["number"]]


def test_nobody_can_say_for_the_channel_that_what_waits_for_the_payee_has_failed(
    finance: Finance, wechat: Wechat, cloud: Cloud
) -> None:
    member = finance.member(1, 5_000, account=WECHAT)
    finance.sent_through("wechat")
    number = finance.lines()[member]["number"]
    before = cloud.state()
    status, problem = finance.results({"number": number, "result": "failed", "reason": "SEEN_IN_CONSOLE"})
    after = cloud.state()
    wechat.states[number] = "SUCCESS"
    finance.poll(hours=1)

    # Otherwise the money would be available again, and the payee could also accept the transfer.
    assert (status, problem["code"]) == (422, "FAILURE_BY_CHANNEL")
    assert after == before
    assert (finance.balance(member), wechat.moved) == ({"paid": 5_000}, {number: 5_000})


@pytest.mark.parametrize(
    ("last", "status"),
    [
        pytest.param("waiting_user", 409, id="the payee can still take it"),
        pytest.param("failed", 202, id="the channel has failed it"),
    ],
)
def test_what_the_channel_has_said_counts_before_a_step_has_applied_it(
    finance: Finance, sandbox: Sandbox, last: Result, status: int
) -> None:
    waiting, silent = sandbox.member("confirm"), sandbox.member("silent")
    finance.sent_through("sandbox")
    member = silent if last == "waiting_user" else waiting
    number = finance.lines()[member]["number"]
    # The step that asked was killed right behind this.
    payouts_wiring.payouts().record_answers(PAYOUT, [Answer(number, last, finance.clock.now(), "sandbox")])
    answered, _ = finance.results({"number": number, "result": "paid"})

    assert answered == status


def test_what_was_lost_on_the_way_to_wechat_is_handed_over_by_the_poll_and_paid_once(
    finance: Finance, wechat: Wechat
) -> None:
    member = finance.member(1, 5_000, account=WECHAT)
    wechat.trouble = ["answer_lost", "server_error"]
    wechat.first_state = "ACCEPTED"
    finance.sent_through("wechat")
    number = finance.lines()[member]["number"]
    unknown = finance.lines()[member]["status"]
    wechat.first_state = "WAIT_USER_CONFIRM"
    finance.poll(hours=0.25)
    (waiting,) = withdrawals(member)["items"]
    wechat.states[number] = "SUCCESS"
    finance.poll(hours=0.25)

    assert unknown == "sent"
    # Only handing over gives the package; the number stays.
    assert waiting["confirm"]["package"] == f"package/{number}=="
    assert list(wechat.bills) == [number]
    assert wechat.moved == {number: 5_000}
    assert finance.payout()["status"] == "settled"


def test_what_nobody_takes_is_called_back_after_three_days(finance: Finance, wechat: Wechat) -> None:
    member = finance.member(1, 5_000, account=WECHAT)
    finance.sent_through("wechat")
    number = finance.lines()[member]["number"]
    finance.poll(hours=71.75)
    before = wechat.calls.count("cancel")
    finance.poll(hours=0.25)
    calling_back = wechat.states[number], finance.lines()[member]["status"]
    wechat.states[number] = "CANCELLED"
    finance.poll(hours=0.25)
    open_for_a_retry = finance.payout()["status"]
    finance.poll(hours=72.1)

    assert before == 0
    assert open_for_a_retry == "sending"
    assert calling_back == ("CANCELING", "waiting_user")
    assert (finance.lines()[member]["status"], finance.lines()[member]["reason"]) == ("expired", "CANCELLED")
    assert finance.balance(member) == {"available": 5_000}
    assert finance.payout()["status"] == "settled"


def test_alipay_pays_a_batch(finance: Finance, alipay: Alipay) -> None:
    members = [finance.member(index, 5_000 + index, account=ALIPAY) for index in range(12)]
    alipay.trouble = ["server_error", "answer_lost", "forged"] * 3
    finance.sent_through("alipay")
    finance.poll(hours=0.25)
    lines = finance.lines()

    assert {line["status"] for line in lines.values()} == {"paid"}
    assert alipay.moved == {lines[member]["number"]: f"50.{index:02d}" for index, member in enumerate(members)}
    assert (finance.payout()["status"], finance.payout()["books"]["closes"]) == ("settled", True)


def test_the_accounts_secret_is_asked_for_by_the_step_alone(finance: Finance, cloud: Cloud) -> None:
    finance.member(1, 5_000, account=WECHAT)
    finance.open("wechat")

    # Nobody has filled the secret in: the draft cannot say whom the channel takes. So the step fails, where an alarm
    # sees it, before anybody approves.
    assert len(finance.drain()) == 1
    assert finance.approve()[1]["code"] == "PAYOUT_STILL_OPENING"
    assert finance.balance(member_id(1)) == {"available": 5_000}


def test_an_account_that_was_put_right_is_used_without_a_new_start(
    finance: Finance, wechat: Wechat, cloud: Cloud
) -> None:
    member = finance.member(1, 5_000, account=WECHAT)
    wrong = json.dumps({"wechat": wechat_account(public_key=public_pem("alipay"))})
    right = json.dumps({"wechat": wechat_account()})
    cloud.secrets.put_secret_value(SecretId=environment.text("TRANSFER_SECRET_ID"), SecretString=wrong)
    wechat.first_state = "SUCCESS"
    finance.sent_through("wechat")
    unbelieved = finance.lines()[member]["status"]
    cloud.secrets.put_secret_value(SecretId=environment.text("TRANSFER_SECRET_ID"), SecretString=right)
    forget_provider()  # as after five minutes
    finance.poll(hours=0.25)

    assert unbelieved == "sent"
    assert finance.lines()[member]["status"] == "paid"
    assert wechat.moved == {finance.lines()[member]["number"]: 5_000}


# --- a member's own withdrawals ---


def test_members_see_their_own_withdrawals_by_pages_newest_first(finance: Finance, sandbox: Sandbox) -> None:
    mine, other = sandbox.member("paid"), sandbox.member("confirm")
    finance.sent_through("sandbox")
    theirs = withdrawals(other)
    finance.earn(mine, 7_000, days_ago=0)
    finance.clock.set(FIRST + timedelta(days=31))
    finance.tick()
    finance.drain()
    first = withdrawals(mine, limit="1")
    second = withdrawals(mine, limit="1", cursor=first["next_cursor"])
    whole = withdrawals(mine)
    nobody = withdrawals("mem_nobody")

    assert [(item["period"], item["status"], item["listed_fen"]) for item in whole["items"]] == [
        ("2026-12", "pending", 7_000), ("2026-11", "paid", 50_000),
    ]  # fmt: skip
    assert first["items"] + second["items"] == whole["items"]
    assert second["next_cursor"] is None
    assert [(item["period"], item["status"]) for item in theirs["items"]] == [("2026-11", "waiting_user")]
    assert theirs["items"][0]["confirm"]["package"].startswith("package-")
    assert nobody["items"] == []


def test_members_read_in_their_language_how_a_payment_stands_and_why(finance: Finance, wechat: Wechat) -> None:
    elsewhere, slow = finance.member(1, 5_000, account="wechat:wxother:o"), finance.member(2, 5_000, account=WECHAT)
    finance.sent_through("wechat")
    number = finance.lines()[slow]["number"]
    waiting = withdrawals(slow)["items"][0]["text"]
    wechat.states[number], wechat.reasons[number] = "FAIL", "OVERDUE_CLOSE"
    finance.poll(hours=25)
    token = edge_wiring.signer().sign("access", {"sub": elsewhere}, lifetime=timedelta(hours=1))
    headers = {"Accept-Language": "en-GB"}
    english = member_api.handler(http_event("GET", "/v1/me/withdrawals", token=token, headers=headers), Context())

    assert waiting == "待收款人确认"
    assert withdrawals(slow)["items"][0]["text"] == "逾期未确认"
    assert withdrawals(elsewhere)["items"][0]["text"] == "本期不发：账户不支持收款"
    assert json.loads(english["body"])["items"][0]["text"] == "Left out: Account unsuitable"


def test_a_cursor_of_somebody_else_is_refused(finance: Finance, sandbox: Sandbox) -> None:
    mine, other = sandbox.member("paid"), sandbox.member("paid")
    finance.sent_through("sandbox")
    finance.clock.set(FIRST + timedelta(days=31))
    finance.tick()
    finance.drain()
    cursor = withdrawals(mine, limit="1")["next_cursor"]
    token = edge_wiring.signer().sign("access", {"sub": other}, lifetime=timedelta(hours=1))
    answer = member_api.handler(
        http_event("GET", "/v1/me/withdrawals", query={"cursor": cursor}, token=token), Context()
    )

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "CURSOR_INVALID")


def test_withdrawals_are_for_members(finance: Finance) -> None:
    answer = member_api.handler(http_event("GET", "/v1/me/withdrawals", token=finance.token), Context())

    assert answer["statusCode"] == 403


# --- the sandbox and the poll themselves ---


def test_the_sandbox_goes_every_way_and_the_same_way_again() -> None:
    line = Line("pay_202611", "2026-11", "mem_1", 1, "n0", 1, "sent")
    drawn_ways = [drawn("seed", WAYS)(replace(line, number=f"n{index}")) for index in range(500)]

    assert set(drawn_ways) == set(WAYS)
    assert drawn_ways == [drawn("seed", WAYS)(replace(line, number=f"n{index}")) for index in range(500)]
    assert drawn_ways != [drawn("other", WAYS)(replace(line, number=f"n{index}")) for index in range(500)]


def test_a_channel_that_does_not_exist_here_is_a_defect() -> None:
    with pytest.raises(ValueError, match="no transfer channel"):
        payouts_wiring.transfer_channel("cash")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "events/payouts/poll_transfers").glob("*.json")), ids=lambda path: path.stem
)
def test_every_sample_tick_does_what_its_name_says(finance: Finance, sandbox: Sandbox, path: Any) -> None:
    sandbox.member("slow")
    finance.sent_through("sandbox")
    event = json.loads(path.read_text("utf-8"))
    if path.stem.startswith("bad_"):
        with pytest.raises(Exception, match=r"."):
            polls.handler(event, Context())
    else:
        assert polls.handler(event, Context()) == {"steps": 1}
