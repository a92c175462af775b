"""The contract of `payouts.ports.Channel`, held by every channel against the other side that it speaks to."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import ClassVar

import httpx
import pytest

from cardstock.errors import UnavailableError
from cardstock.payouts.channels import MINIMUM_FEN
from cardstock.payouts.channels.alipay import AlipayTransfers
from cardstock.payouts.channels.bank_file import BankFile
from cardstock.payouts.channels.sandbox import SandboxTransfers, Way
from cardstock.payouts.channels.wechat import WechatTransfers
from cardstock.payouts.lines import Line, Result
from cardstock.payouts.model import Batch, Rules
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.ports import Channel
from cardstock.payouts.transfer_answers import Answer
from tests.people.clock import TestClock
from tests.people.transfer_channels import UNBELIEVABLE, Alipay, Trouble, Wechat, alipay_account, wechat_account

CONTRACT = {Channel: (WechatTransfers, AlipayTransfers, SandboxTransfers, BankFile)}

NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
PERIOD = Period("2026-11")
BATCH = Batch(batch_id(PERIOD), PERIOD, "sending", Rules(1_000, "x", 10, "labour", "labour-2019"), "schedule", NOW)
NET = 5_005


def ignore(_number: str, _what: str) -> None:
    """The reports of unanswered calls are of the clients' own tests."""


COMPANIES: dict[str, Wechat | Alipay] = {}
"""Who answers the clients, by their name."""


@cache
def client(name: str) -> WechatTransfers | AlipayTransfers:
    """One client for all tests: reading its keys costs a tenth of a second."""

    def answer(request: httpx.Request) -> httpx.Response:
        return COMPANIES[name].transport.handle_request(request)

    transport = httpx.MockTransport(answer)
    if name == "wechat":
        return WechatTransfers(wechat_account(), report=ignore, transport=transport)
    return AlipayTransfers(alipay_account(), report=ignore, transport=transport)


class OtherSide:
    """A channel and the company behind it, which a test tells how its transfers stand."""

    name: ClassVar[str]
    account: ClassVar[str] = "6222 0200"
    states: ClassVar[dict[Result, str]] = {}
    """How the company calls what the channel answers."""

    channel: Channel
    lines: Sequence[Line] = ()

    def line(self, number: int = 1, net: int = NET) -> Line:
        key = f"202611{number:026d}"
        line = Line(BATCH.id, PERIOD.key, "mem_1", 1, key, net, "sent", net, 0, net, "张伟", self.account, sent_at=NOW)
        self.lines = [*self.lines, line]
        return line

    def stand(self, line: Line, result: Result) -> None:
        """From now on the transfer of the line stands like that."""
        raise NotImplementedError

    def stand_unknown(self, line: Line) -> None:
        """From now on the transfer stands as no documentation says."""
        raise NotImplementedError

    def paid(self) -> dict[str, int]:
        """What reached payees, in fen by number."""
        raise NotImplementedError


class WechatSide(OtherSide):
    name = "wechat"
    account = "wechat:wx1234567890abcdef:oPayee1"
    states: ClassVar[dict[Result, str]] = {
        "paid": "SUCCESS", "failed": "FAIL", "expired": "CANCELLED", "waiting_user": "WAIT_USER_CONFIRM",
    }  # fmt: skip

    def __init__(self, clock: TestClock) -> None:
        self.company = COMPANIES[self.name] = Wechat(clock)
        self.channel = client(self.name)

    def stand(self, line: Line, result: Result) -> None:
        self.company.states[line.number] = self.states[result]

    def stand_unknown(self, line: Line) -> None:
        self.company.states[line.number] = "INVENTED_LATER"

    def paid(self) -> dict[str, int]:
        return self.company.moved


class AlipaySide(OtherSide):
    name = "alipay"
    account = "alipay:2021000000000001:2088612477411337"
    states: ClassVar[dict[Result, str]] = {"paid": "SUCCESS", "failed": "FAIL", "expired": "CLOSED"}

    def __init__(self, clock: TestClock) -> None:
        self.company = COMPANIES[self.name] = Alipay(clock)
        self.channel = client(self.name)

    def stand(self, line: Line, result: Result) -> None:
        self.company.states[line.number] = self.states[result]

    def stand_unknown(self, line: Line) -> None:
        self.company.states[line.number] = "INVENTED_LATER"

    def paid(self) -> dict[str, int]:
        return {number: int(yuan.replace(".", "")) for number, yuan in self.company.moved.items()}


class SandboxSide(OtherSide):
    """The sandbox moves no money: what it says it has paid counts."""

    name = "sandbox"
    states: ClassVar[dict[Result, str]] = {
        "paid": "paid", "failed": "failed", "expired": "lapse", "waiting_user": "confirm",
    }  # fmt: skip

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.ways: dict[str, Way] = {}
        self.made = self.channel = SandboxTransfers(lambda line: self.ways.get(line.number, "paid"))

    def stand(self, line: Line, result: Result) -> None:
        ways: dict[Result, Way] = {"paid": "paid", "failed": "failed", "expired": "lapse", "waiting_user": "stuck"}
        self.ways[line.number] = ways[result]
        if result == "expired":
            self.clock.move(hours=27)

    def stand_unknown(self, line: Line) -> None:
        self.ways[line.number] = "silent"

    def paid(self) -> dict[str, int]:
        handed_over = [line for line in self.lines if line.number in self.made.handed_over]
        return {found.number: found.amount or 0 for found in self.channel.ask(handed_over) if found.result == "paid"}


SIDES: dict[str, Callable[[TestClock], OtherSide]] = {
    "wechat": WechatSide, "alipay": AlipaySide, "sandbox": SandboxSide,
}  # fmt: skip
RESULTS = [(side.name, result) for side in (WechatSide, AlipaySide, SandboxSide) for result in side.states]


@pytest.fixture
def side(request: pytest.FixtureRequest, clock: TestClock) -> OtherSide:
    """The other side that a test is parametrised with; all of them, where it is not."""
    clock.set(NOW)
    return SIDES[request.param](clock)


everywhere = pytest.mark.parametrize("side", SIDES, indirect=True)
by_network = pytest.mark.parametrize("side", ["wechat", "alipay"], indirect=True)
"""Companies that remember what they got, behind a network that can fail."""
with_payees_who_accept = pytest.mark.parametrize("side", ["wechat", "sandbox"], indirect=True)


def results(answers: Sequence[Answer]) -> dict[str, Result]:
    assert len({answer.number for answer in answers}) == len(answers)
    return {answer.number: answer.result for answer in answers}


@pytest.mark.parametrize(("side", "result"), RESULTS, indirect=["side"])
def test_an_answer_says_how_the_transfer_of_its_number_stands(side: OtherSide, result: Result) -> None:
    line = side.line()
    side.stand(line, result)
    side.channel.transfer([line])
    (answer,) = side.channel.ask([line])

    assert (answer.number, answer.result, answer.source) == (line.number, result, side.name)
    assert answer.received_at >= NOW
    assert answer.amount == (NET if result == "paid" else None)
    assert bool(answer.reason) is (result in ("failed", "expired"))
    assert side.paid() == ({line.number: NET} if result == "paid" else {})


@pytest.mark.parametrize(("side", "result"), RESULTS, indirect=["side"])
def test_the_same_number_again_is_the_same_transfer(side: OtherSide, result: Result) -> None:
    line = side.line()
    side.stand(line, result)
    first = side.channel.transfer([line])
    again = side.channel.transfer([line])
    third = side.channel.transfer([line, side.line(2)])

    assert results(first) == results(again) == {line.number: result}
    assert results(third) == {line.number: result, side.line(2).number: results(third)[side.line(2).number]}
    assert side.paid().get(line.number) == (NET if result == "paid" else None)


@everywhere
def test_asking_is_answered_alike_however_often_and_moves_nothing(side: OtherSide) -> None:
    line = side.line()
    side.stand(line, "failed")
    side.channel.transfer([line])
    answers = [side.channel.ask([line]) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert results(answers[0]) == {line.number: "failed"}
    assert side.paid() == {}


@by_network
def test_a_number_that_was_never_handed_over_has_no_answer_and_can_still_be(side: OtherSide) -> None:
    line = side.line()
    side.stand(line, "paid")
    unknown = [*side.channel.ask([line]), *side.channel.cancel([line])]
    moved = side.paid().copy()

    assert (unknown, moved) == ([], {})
    assert results(side.channel.transfer([line])) == {line.number: "paid"}
    assert side.paid() == {line.number: NET}


@everywhere
def test_a_state_that_is_not_documented_is_no_answer(side: OtherSide) -> None:
    line = side.line()
    side.stand_unknown(line)

    assert list(side.channel.transfer([line])) == list(side.channel.ask([line])) == []
    side.stand(line, "paid")
    assert results(side.channel.ask([line])) == {line.number: "paid"}


@everywhere
def test_each_line_is_answered_for_itself(side: OtherSide) -> None:
    paid, failed, silent = (side.line(number) for number in (1, 2, 3))
    side.stand(paid, "paid")
    side.stand(failed, "failed")
    side.stand_unknown(silent)
    expected = {paid.number: "paid", failed.number: "failed"}

    assert results(side.channel.transfer([paid, failed, silent])) == expected
    assert results(side.channel.ask([silent, failed, paid])) == expected
    assert side.paid() == {paid.number: NET}


@everywhere
def test_without_lines_there_are_no_answers(side: OtherSide) -> None:
    assert [list(call([])) for call in (side.channel.transfer, side.channel.ask, side.channel.cancel)] == [[], [], []]
    assert side.paid() == {}


@everywhere
def test_cancelling_a_paid_transfer_changes_nothing(side: OtherSide) -> None:
    line = side.line()
    side.stand(line, "paid")
    side.channel.transfer([line])

    assert results(side.channel.cancel([line])) == {line.number: "paid"}
    assert results(side.channel.cancel([line])) == {line.number: "paid"}
    assert side.paid() == {line.number: NET}


@with_payees_who_accept
def test_a_transfer_that_nobody_accepted_can_be_cancelled_and_is_never_paid(side: OtherSide) -> None:
    line = side.line()
    side.stand(line, "waiting_user")
    (waiting,) = side.channel.transfer([line])
    side.channel.cancel([line])
    if isinstance(side, WechatSide):
        assert side.company.states[line.number] == "CANCELING"
        side.stand(line, "expired")  # WeChat cancels when it has time
    cancelled = side.channel.cancel([line])
    after = side.channel.transfer([line])

    assert waiting.confirmation is not None
    assert results(cancelled) == results(after) == {line.number: "expired"}
    assert side.paid() == {}


@by_network
@pytest.mark.parametrize("trouble", UNBELIEVABLE)
def test_an_answer_that_is_lost_or_cannot_be_believed_is_none_and_the_next_call_repairs_it(
    side: WechatSide | AlipaySide, trouble: Trouble
) -> None:
    line = side.line()
    side.stand(line, "paid")
    silent: list[Answer] = []
    for call in (side.channel.transfer, side.channel.ask, side.channel.cancel):
        side.company.trouble = [trouble, trouble]
        silent += call([line])
    side.company.trouble = []

    assert silent == []
    assert results(side.channel.transfer([line])) == results(side.channel.ask([line])) == {line.number: "paid"}
    assert side.paid() == {line.number: NET}


@by_network
def test_one_lost_answer_costs_no_other_line_its_own(side: WechatSide | AlipaySide) -> None:
    lines = [side.line(number) for number in range(1, 6)]
    for line in lines:
        side.stand(line, "paid")
    side.company.trouble = ["answer_lost"]
    answers = side.channel.transfer(lines)

    # What is lost is found out by asking, within the same call.
    assert results(answers) == {line.number: "paid" for line in lines}
    assert side.paid() == {line.number: NET for line in lines}


def test_a_sandbox_that_is_down_says_so_and_answers_later(clock: TestClock) -> None:
    clock.set(NOW)
    side = SandboxSide(clock)
    line = side.line()
    side.ways[line.number] = "down"
    for call in (side.channel.transfer, side.channel.ask, side.channel.cancel):
        with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
            call([line])
    side.ways[line.number] = "paid"

    assert results(side.channel.transfer([line])) == {line.number: "paid"}


@everywhere
def test_a_transfer_that_can_be_made_is_not_refused_and_only_that_costs_calls(side: OtherSide) -> None:
    least = MINIMUM_FEN[side.name]
    line = side.line(net=least)
    side.stand(line, "paid")

    assert side.channel.refusal(line.account, line.name, least) is None
    assert side.paid() == {}
    assert results(side.channel.transfer([line])) == {line.number: "paid"}
    assert side.paid() == {line.number: least}


@by_network
def test_a_transfer_that_can_never_be_made_is_refused_without_a_call(side: WechatSide | AlipaySide) -> None:
    other = {"wechat": AlipaySide, "alipay": WechatSide}[side.name].account
    refused = [
        side.channel.refusal(other, "张伟", NET),
        side.channel.refusal("6222 0200", "张伟", NET),
        side.channel.refusal(side.account, "张伟", MINIMUM_FEN[side.name] - 1),
        side.channel.refusal(side.account, "", 5_000_000),
    ]

    assert refused == ["account_unsuitable", "account_unsuitable", "under_channel_minimum", "unverified"]
    assert side.company.calls == []


@everywhere
def test_a_channel_that_answers_by_itself_needs_nobody_to_carry_a_file(side: OtherSide) -> None:
    assert side.channel.document(BATCH, [side.line()]) is None


# --- the bank file: a person stands between it and the bank ---


def test_the_bank_file_answers_nothing_and_refuses_nothing_by_itself() -> None:
    bank: Channel = BankFile(lambda _, target: f"6222{target.account_id}")
    line = OtherSide().line()

    assert [*bank.transfer([line]), *bank.transfer([line]), *bank.ask([line]), *bank.cancel([line])] == []
    assert bank.refusal(line.account, line.name, MINIMUM_FEN["bank_file"]) is None


def test_the_bank_file_has_the_same_bytes_for_the_same_lines_and_each_number_with_its_net_once() -> None:
    bank: Channel = BankFile(lambda _, target: f"6222{target.account_id}")
    lines = [OtherSide().line(number, NET + number) for number in (1, 2)]
    document, again, other = (bank.document(BATCH, found) for found in (lines, lines, lines[:1]))

    assert document is not None
    assert again == document
    assert other != document
    rows = document.content.decode("utf-8-sig").splitlines()[1:]
    assert [row.count(line.number) for row, line in zip(rows, lines, strict=True)] == [1, 1]
    assert [f"{line.net / 100:.2f}" in row for row, line in zip(rows, lines, strict=True)] == [True, True]
    assert bank.document(BATCH, []) is None
