"""What plans make of an order and its refunds: when it settles, when it stops counting, what each refund takes back."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from cardstock.flows.rewarding import PlanRules
from cardstock.network.model import Person, Snapshot
from cardstock.network.plan import PublishedPlan
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.orders.refund_model import Refund, RefundLine
from tests.people.memory_network import MemoryNetwork, MemoryPlans
from tests.people.referrals import EXAMPLE, START

RECEIVED = START + timedelta(days=3)
OVER = RECEIVED + timedelta(days=7)


@pytest.fixture
def rules() -> PlanRules:
    plans = MemoryPlans(MemoryNetwork())
    plans.published.append(PublishedPlan(EXAMPLE, START, "test"))
    return PlanRules(plans)


def order() -> Order:
    """Two kits for 500.00 and tea for 900.00, brought by a partner."""
    lines = (
        OrderLine(1, "kit", "Kit", 2, 25_000, 50_000, "sup_a", True, True),
        OrderLine(2, "tea", "Tea", 9, 10_000, 90_000, "sup_a", False, True),
    )
    snapshot = Snapshot("chain21", 1, referrer=Person("mem_r", "partner")).to_compact()
    return Order(
        "ord_1", "mem_a", "completed", lines, 140_000, Receiver("n", "p", "a"), None, snapshot, START,
        paid_at=START, received_at=RECEIVED,
    )  # fmt: skip


def refund(number: int, asked_at: datetime, done_at: datetime | None, *fen: tuple[int, int]) -> Refund:
    """Refund `number` of the order, of `fen` by line."""
    lines = tuple(RefundLine(line_no, "sku", 0, amount) for line_no, amount in fen)
    return Refund(
        f"rfd_{number}", "ord_1", "mem_a", "return", "requested" if done_at is None else "succeeded",
        sum(amount for _, amount in fen), lines, "X", "sandbox", "t", 140_000, asked_at, done_at, sequence=number,
    )  # fmt: skip


def hours(number: float) -> datetime:
    return OVER + timedelta(hours=number)


def test_an_order_settles_when_its_days_are_over_unless_an_after_sale_was_asked_for_until_then(
    rules: PlanRules,
) -> None:
    early = refund(1, hours(-9), hours(-8), (2, 1))
    late = refund(2, hours(0), hours(5), (2, 1))
    meanwhile = refund(3, hours(4), hours(9), (2, 1))
    afterwards = refund(4, hours(10), hours(11), (2, 1))

    assert rules.settles_at(order()) == OVER
    assert rules.settles_at(order(), (early,)) == OVER
    assert rules.settles_at(order(), (afterwards, late, early)) == hours(5)
    # One asked for while another kept it open keeps it open on; one asked for afterwards does not.
    assert rules.settles_at(order(), (afterwards, meanwhile, late)) == hours(9)
    assert rules.settles_at(order(), (early, afterwards)) == OVER
    assert rules.settles_at(order(), (early, refund(5, hours(20), None, (2, 1)))) is None
    assert rules.settles_at(order(), (replace(refund(6, hours(-1), None), kind="stray"),)) == OVER
    assert rules.settles_at(replace(order(), received_at=None)) is None


def test_only_what_comes_back_of_qualifying_lines_makes_an_order_stop_counting(rules: PlanRules) -> None:
    facts = rules.facts(order(), (refund(1, hours(-9), hours(-8), (2, 90_000), (1, 25_000)),))

    assert (facts.net, facts.qualifying_net, facts.qualifying_refunded) == (140_000, 50_000, 25_000)


def test_the_refund_that_passes_the_half_dates_the_end_whatever_comes_later_or_is_told_first(rules: PlanRules) -> None:
    first = refund(1, hours(-9), hours(-8), (1, 25_000))
    second = refund(2, hours(-9), hours(-7), (1, 1))
    third = refund(3, hours(-9), hours(-6), (1, 24_999))
    opened = refund(4, hours(-9), None, (2, 1))

    for told in ((first, second, third, opened), (opened, third, second, first)):
        facts = rules.facts(order(), told)
        assert (facts.qualifying_refunded, facts.refunded_at) == (25_001, hours(-7))


def test_a_refund_takes_what_was_asked_back_before_it_into_account_and_nothing_else(rules: PlanRules) -> None:
    refunds = [refund(number, hours(-9), hours(-8), (1, 16_667 - number)) for number in (1, 2, 3)]
    taken = [each["direct"] for each in rules.taken(order(), refunds).values()]

    # 600.00 limited to the 500.00 that were paid for the kits: each refund takes what it gives back of them.
    assert taken == [each["direct"] for each in rules.taken(order(), list(reversed(refunds))).values()]
    assert taken == [16_666, 16_665, 16_664]
