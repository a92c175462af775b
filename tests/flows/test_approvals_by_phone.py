"""Every step that approves money waits for the phone: one suite for all of them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from cardstock.approving import WORDS, Action
from cardstock.bank_accounts import wiring as bank_accounts_wiring
from cardstock.compliance import wiring as compliance_wiring
from cardstock.compliance.alarms import raise_alarms
from cardstock.compliance.model import Hold, Subtree
from cardstock.ledger import wiring as ledger_wiring
from cardstock.members.store import DynamoMembers
from cardstock.open_items.store import DynamoOpenItems, every_item
from tests.house import faults
from tests.house.cloud import Cloud, http_event, serve
from tests.people.finance import FIRST, PAYOUT
from tests.people.payees import ending, verify
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import Phone, say_yes, staff_key
from tests.people.tokens import access_token


class Prepared(NamedTuple):
    """A step that waits for the approval of Wang Fang, after Li Na has prepared it."""

    event: dict[str, Any]
    done: Callable[[], bool]
    subject: str
    amount_fen: int | None
    number: int | None


def approving(path: str, body: Any, scope: str) -> dict[str, Any]:
    return http_event("POST", path, body, token=staff_key("Wang Fang", scope, request="approver"), key="once")


def ask(path: str, body: Any, scope: str) -> Any:
    answer = reply(serve(http_event("POST", path, body, token=staff_key("Li Na", scope), key="asked")))
    assert answer.status < 300, answer
    return answer.body


def payout(shop: Shop) -> Prepared:
    shop.clock.set(FIRST)
    shop.finance.member(1, 5_000)
    shop.finance.tick()
    shop.finance.drain()
    body = {"lines": 1, "listed_fen": 5_000}
    return Prepared(
        approving(f"/v1/payouts/{PAYOUT}/approvals", body, "payouts:approve"),
        lambda: shop.finance.payout()["status"] == "approved",
        PAYOUT, 5_000, 1,
    )  # fmt: skip


def write_off(shop: Shop) -> Prepared:
    member = shop.finance.member(1)
    shop.finance.earn(member, -500)
    asked = ask(
        "/v1/debt-write-offs", {"member_id": member, "amount_fen": 400, "reason": "gone"}, "debts:write_off"
    )["write_off_id"]  # fmt: skip
    path = f"/v1/debt-write-offs/{asked}/approvals"
    return Prepared(
        approving(path, {"note": "ok"}, "debts:write_off"),
        lambda: ledger_wiring.books().balance_of(member).debt == 100,
        asked, 400, 1,
    )  # fmt: skip


def cleared(item_id: str, outcome: str, amount_fen: int) -> Prepared:
    def done() -> bool:
        item = DynamoOpenItems().find_item(item_id)
        return item is not None and item.state == "cleared"

    path, body = f"/v1/open-items/{item_id}/clearings", {"outcome": outcome, "reason": "seen"}
    return Prepared(approving(path, body, "open_items:clear"), done, item_id, amount_fen, 1)


def goodwill(shop: Shop) -> Prepared:
    order_id = shop.buyer.order({"85123A": 2})
    shop.buyer.pay(order_id)
    staff = shop.staff.key("orders:refund")
    asked = shop.staff.grant(order_id, 20_000, staff=staff, second_person=True)
    return cleared(asked.body["open_item_id"], "granted", 20_000)


def refused_refund(shop: Shop, outcome: str) -> Prepared:
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    shop.buyer.refund(order_id, {"85123A": 2})
    shop.channel.refund_status = "failed"
    shop.sweep()
    (item,) = every_item()
    verify()
    ask(f"/v1/open-items/{item.id}/clearings", ending(outcome), "open_items:clear")
    return cleared(item.id, outcome, item.amount_fen)


def contradiction(shop: Shop, first: str, then: str, outcome: str) -> Prepared:
    shop.clock.set(FIRST)
    finance = shop.finance
    finance.member(1, 5_000)
    finance.sent()
    (line,) = finance.lines().values()
    for result in (first, then):
        finance.results({"number": line["number"], "result": result})
        finance.drain()
    (item,) = every_item()
    ask(f"/v1/open-items/{item.id}/clearings", {"outcome": outcome, "reason": "letter"}, "open_items:clear")
    return cleared(item.id, outcome, 5_000)


def bank_account(shop: Shop) -> Prepared:
    shop.clock.set(FIRST)
    member = shop.finance.member(1, 5_000)
    wanted = {"holder": "张伟", "number": "6217001210024455220", "bank": "中国建设银行", "branch": "上海浦东支行"}
    put = reply(serve(http_event("PUT", "/v1/me/bank-account", wanted, token=access_token(member))))
    assert put.status == 200, put

    def change() -> Any:
        return bank_accounts_wiring.accounts().find_holding(member).change

    account_id = change().account.account_id
    body = {"account_id": account_id, "decision": "confirm"}
    event = approving(f"/v1/bank-accounts/{member}/decisions", body, "bank_accounts:confirm")
    return Prepared(event, lambda: bool(change().state == "confirmed"), account_id, None, 1)


def hold(shop: Shop) -> Prepared:
    order_id = shop.buyer.order()
    holds = compliance_wiring.holds()
    holds.save_new_hold(Hold(order_id, ("same_payer",), (), shop.clock.now()))

    def done() -> bool:
        found = holds.find_hold(order_id)
        return found is not None and found.state == "lifted"

    path = f"/v1/reward-holds/{order_id}/lifts"
    return Prepared(approving(path, {"reason": "seen"}, "payouts:approve"), done, order_id, None, 1)


def alarm(shop: Shop) -> Prepared:
    alarms = compliance_wiring.alarms()
    head = "mem_" + "7" * 26
    (raised,) = raise_alarms([Subtree(head, 40, 4, (head, "mem_" + "8" * 26))], alarms=alarms)
    path = f"/v1/compliance-alarms/{raised.id}/lifts"
    ask(path, {"reason": "seen"}, "payouts:approve")

    def done() -> bool:
        found = alarms.find_alarm(raised.id)
        return found is not None and found.state == "lifted"

    return Prepared(approving(path, {"reason": "seen too"}, "payouts:approve"), done, raised.id, None, 2)


def identity(shop: Shop) -> Prepared:
    member = shop.finance.member(1)
    path = f"/v1/headquarters/members/{member}/identity-disputes"
    item = ask(path, {"reason": "came with the card"}, "open_items:clear")["item_id"]
    body = {"outcome": "taken_away", "reason": "seen"}

    def done() -> bool:
        found = DynamoMembers().find_member(member)
        return found is not None and found.person is None

    return Prepared(approving(f"/v1/open-items/{item}/clearings", body, "open_items:clear"), done, item, None, 1)


STEPS: dict[Action, Callable[[Shop], Prepared]] = {
    "approve_payout": payout,
    "approve_write_off": write_off,
    "grant_goodwill": goodwill,
    "pay_refund_another_way": lambda shop: refused_refund(shop, "paid_another_way"),
    "give_up_refund": lambda shop: refused_refund(shop, "given_up"),
    "correct_as_paid": lambda shop: contradiction(shop, "failed", "paid", "was_paid"),
    "correct_as_not_paid": lambda shop: contradiction(shop, "paid", "failed", "was_not_paid"),
    "confirm_bank_account": bank_account,
    "lift_hold": hold,
    "lift_alarm": alarm,
    "take_identity": identity,
}


def confirmed_states(cloud: Cloud, subject: str) -> list[str]:
    """The states of the confirmations about a subject."""
    return [item["state"]["S"] for item in cloud.items("confirmations") if subject in item["step"]["S"]]


def state(cloud: Cloud) -> Any:
    """Everything but the confirmations."""
    return {table: items for table, items in cloud.state().items() if table != "confirmations"}


def code(answer: Reply) -> str:
    return "done" if answer.status < 300 else str(answer.body["code"])


def send(step: Prepared) -> str:
    return code(reply(serve(step.event)))


def phone_of(step: Prepared) -> tuple[Phone, str]:
    phone = Phone()
    return phone, phone.member_of(step.event["headers"]["Authorization"].removeprefix("Bearer "))


def test_every_action_has_a_step_here() -> None:
    assert STEPS.keys() == WORDS.keys()


@pytest.mark.parametrize("action", STEPS)
def test_a_key_alone_does_nothing_and_a_yes_does_it_once(action: Action, shop: Shop, cloud: Cloud) -> None:
    step = STEPS[action](shop)
    phone, member = phone_of(step)
    before = state(cloud)
    alone = [send(step) for _ in range(3)]
    unchanged = state(cloud) == before
    (shown,) = phone.pending(member).body["items"]
    said = phone.say("yes", shown["confirmation_id"], member)
    waits = step.done()
    after = [send(step) for _ in range(2)]

    assert alone == ["CONFIRMATION_NEEDED"] * 3
    assert unchanged
    wanted = (action, WORDS[action][0], step.subject, step.amount_fen, step.number, "test")
    assert tuple(shown[name] for name in ("action", "what", "subject", "amount_fen", "count", "asked_by")) == wanted
    assert (said.status, waits) == (200, False)
    assert after == ["done", "done"]
    assert step.done()
    assert confirmed_states(cloud, step.subject) == ["used"]


@pytest.mark.parametrize("action", STEPS)
def test_a_no_leaves_it_undone(action: Action, shop: Shop, cloud: Cloud) -> None:
    step = STEPS[action](shop)
    phone, member = phone_of(step)
    send(step)
    (shown,) = phone.pending(member).body["items"]
    phone.say("no", shown["confirmation_id"], member)
    before = cloud.state()

    assert send(step) == "CONFIRMATION_DECLINED"
    assert cloud.state() == before
    assert not step.done()


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
@pytest.mark.parametrize("action", STEPS)
def test_a_step_that_is_hit_at_any_call_is_done_exactly_with_its_yes(
    action: Action, mode: faults.Mode, shop: Shop, cloud: Cloud
) -> None:
    step = STEPS[action](shop)
    assert say_yes(step.event) is None
    before = cloud.snapshot()
    with faults.watch() as calls:
        assert send(step) == "done"

    for index, call in faults.hit_each(calls, mode, before.restore, lambda: serve(step.event)):
        assert step.done() == (confirmed_states(cloud, step.subject) == ["used"]), (index, call)
        assert send(step) == "done", (index, call)
        assert step.done(), (index, call)
        assert confirmed_states(cloud, step.subject) == ["used"], (index, call)
