"""Whatever happens at a call of setting, deciding or revealing, its repeat ends as if nothing had happened: one change,
one place among those that wait, the same notices, and no number shown without a record."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cardstock import environment
from cardstock.bank_accounts import wiring
from functions.bank_accounts.api import app as api
from tests.house import faults
from tests.house.cloud import Cloud, Context, http_event
from tests.house.interleave import some_ways
from tests.people.finance import CARD, Finance
from tests.people.staff import say_yes, serve_confirmed, staff_key
from tests.people.tokens import access_token

NEW_DIGITS = "6217001210024455220"
OTHER_DIGITS = "6228480402564890018"
WANTED = {"holder": "张伟", "number": NEW_DIGITS, "bank": "中国建设银行", "branch": "上海浦东支行"}
SCOPES = ("bank_accounts:confirm", "bank_accounts:reveal")


def call(method: str, path: str, body: Any, token: str) -> tuple[int, dict[str, Any]]:
    answer = api.handler(http_event(method, path, body, token=token), Context())
    return answer["statusCode"], json.loads(answer["body"])


class Counter:
    """A member with money, and a person of the staff."""

    def __init__(self, finance: Finance, *, bank: bool) -> None:
        self.finance = finance
        self.member = finance.member(1, 50_000, bank=bank)
        self.token = access_token(self.member)
        self.staff = staff_key("Sun Yi", *SCOPES)

    def put(self, number: str = NEW_DIGITS) -> tuple[int, dict[str, Any]]:
        return call("PUT", "/v1/me/bank-account", WANTED | {"number": number}, self.token)

    @property
    def account_id(self) -> str:
        change = wiring.accounts().find_holding(self.member).change
        assert change is not None
        return change.account.account_id

    def decide(self, decision: str) -> tuple[int, dict[str, Any]]:
        return call(*self.decision(decision), self.staff)

    def say_yes(self) -> None:
        """The phone confirms the change, which is not decided yet."""
        assert say_yes(http_event(*self.decision("confirm"), token=self.staff)) is None

    def decision(self, decision: str) -> tuple[str, str, dict[str, str]]:
        body = {"account_id": self.account_id, "decision": decision, "reason": "the member was called"}
        return "POST", f"/v1/bank-accounts/{self.member}/decisions", body

    def reveal(self) -> tuple[int, dict[str, Any]]:
        return call("POST", f"/v1/bank-accounts/{self.member}/reveals", {"reason": "the bank asks"}, self.staff)


def put_first(counter: Counter) -> Callable[[], Any]:
    return counter.put


def put_changed(counter: Counter) -> Callable[[], Any]:
    return counter.put


def confirm(counter: Counter) -> Callable[[], Any]:
    counter.put()
    counter.say_yes()
    return lambda: counter.decide("confirm")


def refuse(counter: Counter) -> Callable[[], Any]:
    counter.put()
    counter.say_yes()
    counter.decide("confirm")
    return lambda: counter.decide("refuse")


def reveal(counter: Counter) -> Callable[[], Any]:
    return counter.reveal


STEPS = {one.__name__: one for one in (put_first, put_changed, confirm, refuse, reveal)}


def picture(cloud: Cloud, member: str) -> Any:
    """The stored accounts, without the text of the encryption, which is another one each time; and who waits."""
    holding = wiring.accounts().find_holding(member)

    def shown(account: Any) -> Any:
        return None if account is None else (account.account_id, account.holder, account.masked, account.bank)

    change = holding.change
    reveals = [item for item in cloud.items("bank-accounts") if item["sk"]["S"].startswith("reveal#")]
    return (
        shown(holding.current),
        None if change is None else (shown(change.account), change.state, change.decided_by, change.effective_at),
        [(notice.kind, notice.event_id, notice.masked) for notice in holding.notices],
        holding.version,
        wiring.accounts().waiting_page(10, None),
        [(item["actor"]["S"], item["reason"]["S"], item["account_id"]["S"]) for item in reveals],
    )


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_is_hit_at_any_call_and_asked_for_again_ends_the_same(
    finance: Finance, cloud: Cloud, name: str, mode: faults.Mode
) -> None:
    counter = Counter(finance, bank=name != "put_first")
    step = STEPS[name](counter)
    before = cloud.snapshot()
    with faults.watch() as calls:
        wanted_answer = step()
    wanted = picture(cloud, counter.member)
    assert wanted_answer[0] == 200

    for index, called in faults.hit_each(calls, mode, before.restore, step):
        assert step() == wanted_answer, (index, called)
        assert picture(cloud, counter.member) == wanted, (index, called)


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
def test_a_number_is_never_shown_without_a_record(finance: Finance, cloud: Cloud, mode: faults.Mode) -> None:
    counter = Counter(finance, bank=True)
    before = cloud.snapshot()
    with faults.watch() as calls:
        counter.reveal()
    for index, called in enumerate(calls):
        before.restore()
        shown: list[Any] = []
        with faults.at(index, mode):
            faults.survive(lambda shown=shown: shown.append(counter.reveal()))  # type: ignore[misc]
        told = [answer for answer in shown if answer[1].get("number") == CARD]

        assert not told or picture(cloud, counter.member)[-1], (index, called)


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
@pytest.mark.parametrize("name", ["put_first", "put_changed", "confirm", "refuse"])
def test_no_change_is_stored_that_was_announced_to_nobody(
    finance: Finance, cloud: Cloud, name: str, mode: faults.Mode
) -> None:
    counter = Counter(finance, bank=name != "put_first")
    step = STEPS[name](counter)
    earlier = {one["id"] for one in cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))}
    before = cloud.snapshot()
    with faults.watch() as calls:
        step()
    for index, called in faults.hit_each(calls, mode, before.restore, step):
        holding = wiring.accounts().find_holding(counter.member)
        told = {one["id"] for one in cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))}

        assert {notice.event_id for notice in holding.notices} <= told | earlier, (index, called)


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
def test_money_never_goes_to_a_new_account_before_72_hours_whatever_is_killed(
    finance: Finance, cloud: Cloud, mode: faults.Mode
) -> None:
    counter = Counter(finance, bank=True)
    start = finance.clock.now()
    before = cloud.snapshot()

    def both() -> None:
        counter.put()
        event = http_event(*counter.decision("confirm"), token=counter.staff)
        serve_confirmed(event, lambda sent: api.handler(sent, Context()))

    with faults.watch() as calls:
        both()
    for index, called in faults.hit_each(calls, mode, before.restore, both):
        finance.clock.set(start)
        both()
        finance.clock.set(start + timedelta(hours=72) - timedelta(seconds=1))
        early = wiring.accounts().find_holding(counter.member).in_force(finance.clock.now())
        finance.clock.move(seconds=1)
        late = wiring.accounts().find_holding(counter.member).in_force(finance.clock.now())

        assert early is not None, (index, called)
        assert late is not None, (index, called)
        assert (early.masked, late.masked) == ("**** 7894", "**** 5220"), (index, called)
        finance.clock.set(start)


def test_of_two_numbers_set_at_once_the_stored_one_is_told_last_or_refused(finance: Finance, cloud: Cloud) -> None:
    counter = Counter(finance, bank=True)
    before = cloud.snapshot()
    outcomes = set()
    answers: list[int] = []

    def setting(number: str) -> Callable[[], Any]:
        return lambda: answers.append(counter.put(number)[0])

    for _ in some_ways(lambda: [setting(NEW_DIGITS), setting(OTHER_DIGITS)], before.restore, 12):
        holding = wiring.accounts().find_holding(counter.member)
        assert holding.change is not None
        assert holding.current is not None
        assert holding.current.masked == "**** 7894"
        outcomes.add(holding.change.account.masked)
        assert set(answers) <= {200, 409}
        answers.clear()

    assert outcomes <= {"**** 5220", "**** 0018"}
    assert len(outcomes) == 2
