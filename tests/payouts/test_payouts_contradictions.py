"""A different result after a final one is recorded and never applied; the member is not paid until it is cleared."""

import pytest

from cardstock.open_items.store import every_item
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.model import Answer, Result, contradicted
from functions.open_items.api import app as open_items_api
from tests.house import faults
from tests.house.cloud import Context, http_event
from tests.people.finance import FIRST, Finance
from tests.people.replies import Reply, reply
from tests.people.staff import staff_key

NEXT = "pay_202612"


def settled(finance: Finance, result: str) -> tuple[str, str]:
    """A member and the number of the transfer, whose batch has settled after the bank's `result`."""
    member = finance.member(1, 5_000)
    finance.tick()
    finance.run_steps()
    finance.approve()
    finance.run_steps()
    number = finance.lines()[member]["number"]
    finance.results({"number": number, "result": result})
    finance.run_steps()

    assert finance.payout()["status"] == "settled"
    return member, number


def clear(item_id: str, name: str, outcome: str) -> Reply:
    path, body = f"/v1/open-items/{item_id}/clearings", {"outcome": outcome, "reason": "bank's letter"}
    token = staff_key(name, "open_items:clear")
    event = http_event("POST", path, body, resource="/v1/open-items/{item_id}/clearings", token=token)
    return reply(open_items_api.handler(event, Context()))


@pytest.mark.parametrize(("first", "then"), [("failed", "paid"), ("paid", "failed")])
def test_a_contradiction_after_settling_stops_the_next_payment_until_two_people_have_cleared_it(
    finance: Finance, first: str, then: str
) -> None:
    member, number = settled(finance, first)
    before = finance.balance(member)
    for _ in range(2):
        finance.results({"number": number, "result": then})
    unapplied = finance.balance(member)
    finance.earn(member, 3_000, days_ago=0)
    finance.clock.set(FIRST.replace(month=12, day=31))
    finance.tick()
    finance.run_steps()
    (item,) = every_item()

    assert (item.kind, item.subject, item.member_id, item.amount_fen) == (
        "payout_contradiction", number, member, 5_000,
    )  # fmt: skip
    assert (item.facts["first_result"], item.facts["then_result"]) == (first, then)
    assert unapplied == before
    assert finance.lines(NEXT) == {}

    booked, other = ("was_paid", "was_not_paid") if first == "paid" else ("was_not_paid", "was_paid")

    assert clear(item.id, "Li Na", other).body["code"] == "OUTCOME_NOT_BOOKED"
    assert clear(item.id, "Li Na", booked).body["status"] == "open"
    assert payouts_wiring.payouts().disputed_members() == {member}
    assert clear(item.id, "Wang Fang", booked).body["status"] == "cleared"
    assert payouts_wiring.payouts().disputed_members() == frozenset()


def test_a_contradiction_after_the_next_listing_drops_the_line_before_it_is_sent(finance: Finance) -> None:
    member, number = settled(finance, "failed")
    finance.clock.set(FIRST.replace(month=12, day=31))
    finance.tick()
    finance.run_steps()
    listed = finance.lines(NEXT)[member]["status"]
    finance.results({"number": number, "result": "paid"})
    finance.approve(NEXT, key="approval-2")
    finance.run_steps()
    line = finance.lines(NEXT)[member]

    assert (listed, line["status"], line["reason"]) == ("pending", "dropped", "disputed")
    assert finance.balance(member)["available"] == 5_000


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
def test_a_disturbed_result_that_comes_again_opens_one_item(finance: Finance, mode: faults.Mode) -> None:
    _, number = settled(finance, "failed")
    paid = {"number": number, "result": "paid"}
    with faults.watch() as calls:
        finance.call("GET", "/v1/payouts")
    for index in range(len(calls), len(calls) + 6):
        with faults.at(index, mode):
            faults.survive(lambda: finance.results(paid))
    finance.results(paid)

    assert len(list(every_item())) == 1
    assert len(payouts_wiring.payouts().answers_of_batch("pay_202611")[number]) == 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("failed", "paid"), True),
        (("paid", "expired"), True),
        (("failed", "expired"), False),
        (("waiting_user", "paid"), False),
        (("paid", "waiting_user"), False),
        (("paid", "failed", "paid", "failed"), False),
    ],
)
def test_only_the_first_answer_of_the_other_kind_contradicts(said: tuple[Result, ...], expected: bool) -> None:
    answers = [Answer("n", result, FIRST, "bank") for result in said]

    assert (contradicted(answers[:-1], answers[-1]) is not None) is expected
