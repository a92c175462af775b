"""Why a member got nothing: every order of the member's referral chain says so, by the rules that pay."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock import clock as process_clock
from cardstock.compliance.model import Hold
from cardstock.edge import wiring as edge_wiring
from cardstock.errors import NotFoundError
from cardstock.flows.explaining import ExplainingNeeds, RewardsExplained, explain_rewards
from cardstock.flows.explaining_reasons import NoRewardReason, RewardStanding
from cardstock.flows.explaining_schemas import Explanation
from cardstock.flows.rewarding import PlanRules
from cardstock.ledger.accrual import accrue
from cardstock.ledger.claw_back import claw_back
from cardstock.ledger.release import release
from cardstock.network.model import OrderLine, Outcome, Person, Snapshot
from cardstock.network.plan import Plan, PublishedPlan
from cardstock.network.plan_check import PYRAMID_WORDS
from cardstock.network.presets import CHAIN21, SINGLE_LEVEL, UNLOCK
from cardstock.network.rewards import explain, rewards_for
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.model import Order, OrderStatus, Receiver
from cardstock.orders.model import OrderLine as Line
from cardstock.orders.placement import cancel_order
from cardstock.signing import ACCESS
from tests.house.cloud import Context, http_event, serve
from tests.network.test_network_properties import LINES, PLANS, SNAPSHOTS
from tests.people.clock import TestClock
from tests.people.memory_compliance import MemoryHolds
from tests.people.memory_ledger import MemoryBooks
from tests.people.memory_network import MemoryNetwork, MemoryPlans
from tests.people.memory_orders import MemoryOrders
from tests.people.shop import Shop
from tests.people.trade import line

NOON = datetime(2026, 12, 1, 4, tzinfo=UTC)
KIT = (OrderLine("kit", 1, 49_900, qualifying=True),)
GIFT = (OrderLine("gift", 1, 0, qualifying=True),)
MEMBER, A, R, P = Person("M", "member"), Person("A", "distributor"), Person("R", "partner"), Person("P", "partner")
PROMISING = ("将获得", "可赚", "收益", "you will earn", "you will get", "income")


def ask(
    lines: Sequence[OrderLine],
    snapshot: Snapshot,
    plan: Plan,
    member_id: str,
    *,
    status: OrderStatus = "paid",
    step: str = "credited",
    held: bool = False,
) -> RewardsExplained:
    """A member's explanation of the buyer's order of these lines, when `step` was the last that was booked."""
    plan = replace(plan, id="plan", version=1)
    snapshot = replace(snapshot, plan_id="plan", plan_version=1)
    paid_at = NOON if status in ("paid", "shipped", "completed") else None
    order = Order(
        "ord_1", "buyer", status,
        tuple(
            Line(number, each.sku, each.sku, each.units, 0, each.net, "sup_1", each.qualifying, each.earns)
            for number, each in enumerate(lines, 1)
        ),
        sum(each.net for each in lines), Receiver("", "", ""), None, snapshot.to_compact(), NOON, paid_at,
        received_at=NOON if status == "completed" else None,
    )  # fmt: skip
    orders, books, holds, plans = MemoryOrders(), MemoryBooks(), MemoryHolds(), MemoryPlans(MemoryNetwork())
    orders.orders["ord_1"] = order
    plans.published.append(PublishedPlan(plan, NOON, "test"))
    rules = PlanRules(plans)
    accrual = rules.accrual(order)
    if step != "nothing":
        accrue(accrual, books=books)
    if step == "refunded":
        claw_back("rfd_1", {credit.reward: credit.amount for credit in accrual.credits}, accrual, books=books)
    if step == "released":
        release(accrual, books=books)
    if held:
        holds.save_new_hold(Hold("ord_1", ("same_payer",), (), NOON))
    return explain_rewards("ord_1", member_id, ExplainingNeeds(books, orders, rules, holds))


@pytest.fixture
def noon() -> Any:
    moved = TestClock(NOON)
    process_clock.set_clock(moved)
    return moved


CASES: list[tuple[NoRewardReason, Snapshot, str, dict[str, Any], list[tuple[str, str, int]]]] = [
    ("own_order", Snapshot("", 0, referrer=A), "buyer", {}, []),
    ("not_qualified", Snapshot("", 0, referrer=MEMBER), "M", {}, [
        ("role", "distributor", 10_000), ("role", "partner", 30_000),
    ]),
    ("not_paid", Snapshot("", 0, referrer=A), "A", {"status": "placed", "step": "nothing"}, []),
    ("never_paid", Snapshot("", 0, referrer=A), "A", {"status": "expired", "step": "nothing"}, []),
    ("never_paid", Snapshot("", 0, referrer=MEMBER), "M", {"status": "cancelled", "step": "nothing"}, []),
    ("not_qualified", Snapshot("", 0, referrer=MEMBER), "M", {"status": "placed", "step": "nothing"}, []),
    ("being_credited", Snapshot("", 0, referrer=A), "A", {"step": "nothing"}, []),
    ("not_in_plan", Snapshot("", 0, referrer=A), "A", {"plan": UNLOCK}, []),
    ("not_in_plan", Snapshot("", 0, referrer=A, owner=R), "R", {"plan": SINGLE_LEVEL}, []),
    ("binding_over", Snapshot("", 0, referrer=A, lapsed=True), "A", {}, [("binding", "none", 10_000)]),
    ("referrer_is_partner", Snapshot("", 0, referrer=R, owner=P), "P", {}, [("referrer_role", "distributor", 20_000)]),
    ("owner_not_partner", Snapshot("", 0, referrer=A, owner=MEMBER), "M", {}, [("role", "partner", 20_000)]),
    ("peer_not_partner", Snapshot("", 0, referrer=R, owner=R, peer=A), "A", {}, [("role", "partner", 3_000)]),
    ("no_earning_partner", Snapshot("", 0, referrer=replace(R, erased=True), owner=R, peer=P), "P", {}, []),
    ("nothing_measured", Snapshot("", 0, referrer=A), "A", {"lines": GIFT}, []),
    ("erased", Snapshot("", 0, referrer=replace(A, erased=True)), "A", {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "snapshot", "who", "changed", "otherwise"), CASES)
def test_each_reason_says_role_and_what_would_change_it(
    reason: NoRewardReason, snapshot: Snapshot, who: str, changed: dict[str, Any],
    otherwise: list[tuple[str, str, int]], noon: TestClock,
) -> None:  # fmt: skip
    options = {"lines": KIT, "plan": CHAIN21, **changed}
    explained = ask(options.pop("lines"), snapshot, options.pop("plan"), who, **options)
    shown = [Explanation.of(explained, language).missing for language in ("zh", "en")]

    assert explained.rewards == ()
    assert [each.reason for each in explained.not_due] == [reason]
    assert [(other.what, other.value, other.amount) for other in explained.not_due[0].otherwise] == otherwise
    for [missing] in shown:
        assert missing.text
        assert missing.reason == reason
        assert not any(word in missing.text for word in (*PROMISING, *PYRAMID_WORDS))
    assert shown[0][0].text != shown[1][0].text


def test_every_reason_has_its_case() -> None:
    told = {reason for reason, *_ in CASES}

    assert told == set(get_args(NoRewardReason))
    assert told >= set(get_args(Outcome)) - {"nobody", "earned", "cut_to_zero"}


@pytest.mark.parametrize(
    ("standing", "options"),
    [
        ("awaits_receipt", {}),
        ("held", {"held": True}),
        ("awaits_windows", {"status": "completed"}),
        ("available", {"status": "completed", "step": "released"}),
        ("refunded", {"step": "refunded"}),
        ("cut_to_zero", {"plan": replace(CHAIN21, cap_bps=0)}),
    ],
)
def test_a_credit_that_cannot_be_paid_out_says_why(
    standing: RewardStanding, options: dict[str, Any], noon: TestClock
) -> None:
    explained = ask(KIT, Snapshot("", 0, referrer=A), options.pop("plan", CHAIN21), "A", **options)
    [chinese], [english] = (Explanation.of(explained, language).items for language in ("zh", "en"))

    assert chinese.reason == english.reason == standing
    assert chinese.reason_text
    assert chinese.reason_text != english.reason_text
    assert explained.not_due == ()


def test_every_standing_has_its_case() -> None:
    [marker] = [mark for mark in test_a_credit_that_cannot_be_paid_out_says_why.pytestmark if mark.args]

    assert {case[0] for case in marker.args[1]} == set(get_args(RewardStanding))


@given(LINES, SNAPSHOTS, PLANS, st.sampled_from(["paid", "placed", "expired", "completed"]))
def test_whoever_stood_in_the_chain_has_an_answer_and_nobody_else(
    lines: tuple[OrderLine, ...], snapshot: Snapshot, plan: Plan, status: OrderStatus
) -> None:
    paid = status in ("paid", "completed")
    people = {person.id for person in (snapshot.referrer, snapshot.owner, snapshot.peer) if person}
    due = rewards_for(lines, snapshot, plan)
    for member_id in people:
        told = ask(lines, snapshot, plan, member_id, status=status, step="credited" if paid else "nothing")

        assert told.rewards or told.not_due
        assert [reward.credit.amount for reward in told.rewards] == [
            reward.amount for reward in due if paid and reward.member_id == member_id
        ]
        reasons = {case.kind: case.outcome for case in explain(lines, snapshot, plan).cases}
        for none in told.not_due:
            assert none.kind is not None
            assert none.reason in (reasons[none.kind], "not_paid", "never_paid")
            assert paid or not none.otherwise
    for stranger in {"mem_1", "mem_2", "mem_3", "mem_x"} - people:
        with pytest.raises(NotFoundError):
            ask(lines, snapshot, plan, stranger, status=status, step="nothing")


@given(LINES, SNAPSHOTS, PLANS)
def test_the_amount_of_another_role_is_what_the_rules_pay_in_it(
    lines: tuple[OrderLine, ...], snapshot: Snapshot, plan: Plan
) -> None:
    for name in ("referrer", "owner", "peer"):
        person: Person | None = getattr(snapshot, name)
        if person is None:
            continue
        for none in ask(lines, snapshot, plan, person.id).not_due:
            for role in (other for other in none.otherwise if other.what == "role"):
                then = replace(snapshot, **{name: replace(person, role=role.value)})

                assert role.amount == next(
                    reward.amount for reward in rewards_for(lines, then, plan) if reward.kind == none.kind
                )


def test_a_plain_member_reads_why_over_http_and_a_stranger_reads_nothing(shop: Shop) -> None:
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    shop.trade.member("mem_b", "mem_a")
    order_id = shop.trade.buy("mem_b")
    cancelled = shop.trade.place("mem_b", line(1))
    cancel_order("mem_b", cancelled, orders=orders_wiring.orders(), channels={})
    shop.trade.settle_down()

    def read(member_id: str, order_id: str, language: str = "zh-CN") -> tuple[int, Any]:
        token = edge_wiring.signer().sign(ACCESS, {"sub": member_id}, lifetime=timedelta(hours=2))
        path, headers = f"/v1/me/commissions/{order_id}", {"Accept-Language": language}
        answer = serve(
            http_event("GET", path, token=token, path_parameters={"order_id": order_id}, headers=headers), Context()
        )
        return answer["statusCode"], json.loads(answer["body"])

    status, plain = read("mem_a", order_id)
    _, english = read("mem_a", order_id, "en")
    _, partner = read("mem_r", order_id)
    _, buyer = read("mem_b", order_id)
    _, of_cancelled = read("mem_r", cancelled)

    assert (status, plain["items"], plain["held"]) == (200, [], False)
    [missing] = plain["missing"]
    assert (missing["reason"], missing["rule"], missing["role"], missing["edge"], missing["plan"]) == (
        "not_qualified", "earners", "member", "referrer", "chain21@1",
    )  # fmt: skip
    assert missing["text"] == (
        "没有推荐奖励：买家由您推荐。下单时身份为会员；按该方案，会员身份不计此项奖励，仅分销商和合伙人计。"
    )
    assert english["missing"][0]["text"] == (
        "No referral reward, although you brought the buyer: as a member when the order was placed, under this plan a "
        "member does not earn it, only distributors and partners do."
    )
    assert [item["amount_fen"] for item in partner["items"]] == [20_000]
    assert [each["reason"] for each in buyer["missing"]] == ["own_order"]
    assert [each["reason"] for each in of_cancelled["missing"]] == ["never_paid"]
    for stranger in ("mem_x", "mem_c"):
        assert read(stranger, order_id)[0] == read(stranger, cancelled)[0] == 404
