"""The simulation pays what the services pay, forgets who cannot matter any more, and picks within bounds."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.clock import SystemClock, set_clock
from cardstock.errors import InvalidError, RefusedError
from cardstock.flows.rewarding import PlanRules
from cardstock.ledger.accrual import accrue
from cardstock.ledger.claw_back import claw_back
from cardstock.ledger.release import release
from cardstock.network import plan_check
from cardstock.network.binding import bind_inviter
from cardstock.network.counting import count_order
from cardstock.network.coupons import count_verified
from cardstock.network.model import OrderLine
from cardstock.network.ordering import position_for_order
from cardstock.network.plan import Amount, Approval, LeaveMode, Plan, PublishedPlan
from cardstock.network.presets import CHAIN21, FREE_ORDER, PRESETS, SINGLE_LEVEL, UNLOCK
from cardstock.network.promotion import appoint_partner
from cardstock.network.rewards import nothing_refunded, refund_amount, refund_units
from cardstock.network.simulation.comparison import Bounds, compare
from cardstock.network.simulation.market import Market, synthetic
from cardstock.network.simulation.outcome import Outcome, curve, gini_bps
from cardstock.network.simulation.steps import (
    MemberJoined,
    MemberLeft,
    OrderClosed,
    OrderPaid,
    OrderPlaced,
    OrderReturned,
    OrderSettled,
    PartnerAppointed,
    RecordedOrder,
    Step,
    recorded,
)
from cardstock.network.simulation.trial import simulate
from cardstock.orders.model import Order, Receiver
from cardstock.orders.model import OrderLine as SoldLine
from cardstock.orders.refund_model import Refund, RefundLine
from tests.people.clock import TestClock
from tests.people.memory_ledger import MemoryBooks
from tests.people.memory_network import MemoryNetwork, MemoryPlans
from tests.people.referrals import EXAMPLE

AT = datetime(2026, 3, 1, tzinfo=UTC)
KIT = (OrderLine("kit", 1, 49_900, qualifying=True),)
TEA = (OrderLine("tea", 3, 10_000),)
LIVELY = Market(
    members=160, days=40, partners=2, organic_bps=500, sharing_bps=6_000, conversion_bps=7_000, refund_bps=3_000,
    late_bps=3_000, star_bps=3_000,
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def machine_clock_afterwards() -> Iterator[None]:
    """Shops move the process's clock, also those that are made for each example of a property."""
    yield
    set_clock(SystemClock())


class Shop:
    """The services that run in production, on ports in memory, living the steps of a history."""

    def __init__(self, plan: Plan) -> None:
        self.network = MemoryNetwork()
        self.plans = MemoryPlans(self.network)
        self.plans.published.append(PublishedPlan(plan, AT, "test"))
        self.network.in_force = plan
        self.rules = PlanRules(self.plans)
        self.books = MemoryBooks()
        self.clock = TestClock(AT)
        set_clock(self.clock)
        self.orders: dict[str, Order] = {}
        self.refunds: dict[str, tuple[Refund, ...]] = defaultdict(tuple)
        self.settled: dict[str, datetime] = {}
        self.refused = 0
        self.peak_frozen = 0

    def live(self, steps: Iterable[Step]) -> "Shop":
        for step in steps:
            match step:
                case PartnerAppointed():
                    self.appoint(step)
                case MemberJoined():
                    self.join(step)
                case OrderPlaced():
                    self.place(step)
                case OrderPaid():
                    self.pay(step)
                case OrderSettled():
                    self.settle(step)
                case OrderReturned():
                    self.give_back(step)
            frozen = sum(balance.frozen for balance in self.books.balances.values())
            self.peak_frozen = max(self.peak_frozen, frozen)
        return self

    def appoint(self, step: PartnerAppointed) -> None:
        self.clock.set(step.at)
        appoint_partner(step.member_id, "founder", "key", network=self.network)

    def join(self, step: MemberJoined) -> None:
        self.clock.set(step.at)
        if step.inviter_id is not None:
            try:
                bind_inviter(step.member_id, step.inviter_id, network=self.network)
            except RefusedError:
                self.refused += 1
        if step.verified:
            count_verified(step.member_id, network=self.network)

    def place(self, step: OrderPlaced) -> None:
        self.clock.set(step.at)
        _, snapshot, _ = position_for_order(step.member_id, (), network=self.network)
        lines = tuple(
            SoldLine(number, line.sku, line.sku, line.units, 1, line.net, "sup", line.qualifying, line.earns)
            for number, line in enumerate(step.lines, 1)
        )
        self.orders[step.order_id] = Order(
            step.order_id, step.member_id, "placed", lines, sum(line.net for line in step.lines),
            Receiver("n", "p", "a"), None, snapshot.to_compact(), step.at,
        )  # fmt: skip
        if step.paid:
            self.pay(OrderPaid(step.order_id, step.at))

    def pay(self, step: OrderPaid) -> None:
        self.clock.set(step.at)
        order = self.orders[step.order_id] = replace(self.orders[step.order_id], status="paid", paid_at=step.at)
        accrue(self.rules.accrual(order), books=self.books)
        self.count(order)

    def settle(self, step: OrderSettled) -> None:
        self.settled[step.order_id] = step.at
        self.clock.set(step.at)
        order = self.orders[step.order_id]
        release(self.rules.accrual(order), books=self.books)
        self.count(order)

    def give_back(self, step: OrderReturned) -> None:
        self.clock.set(step.at)
        order, before = self.orders[step.order_id], self.refunds[step.order_id]
        lines = [OrderLine(line.sku, line.units, line.net_fen) for line in order.lines]
        done = nothing_refunded(lines)
        done = replace(
            done,
            units=tuple(sum(r.lines[i].units for r in before) for i in range(len(lines))),
            fen=tuple(sum(r.lines[i].amount_fen for r in before) for i in range(len(lines))),
        )
        rest = order.amount_fen - sum(done.fen)
        after = (
            refund_units(lines, done, step.units)
            if step.units is not None
            else refund_amount(lines, done, rest if step.fen is None else step.fen)
        )
        parts = tuple(
            RefundLine(number, line.sku, after.units[number - 1] - done.units[number - 1], new - old)
            for number, (line, new, old) in enumerate(zip(lines, after.fen, done.fen, strict=True), 1)
        )
        refund = Refund(
            f"rfd_{order.order_id}_{len(before)}", order.order_id, order.member_id, "return", "succeeded",
            sum(part.amount_fen for part in parts), parts, "X", "sandbox", "t", order.amount_fen, step.at, step.at,
            place=len(before) + 2,
        )  # fmt: skip
        refunds = self.refunds[step.order_id] = (*before, refund)
        taken = self.rules.taken(order, refunds)[refund.refund_id]
        claw_back(refund.refund_id, taken, self.rules.accrual(order), books=self.books)
        self.count(order)

    def count(self, order: Order) -> None:
        facts = self.rules.facts(order, self.refunds[order.order_id], settled_at=self.settled.get(order.order_id))
        count_order(facts, network=self.network, plans=self.plans)

    def credits(self) -> Counter[tuple[str, str, str]]:
        found: Counter[tuple[str, str, str]] = Counter()
        for order_id, rows in self.books.rows.items():
            for credit in rows.credits:
                found[order_id, credit.reward, credit.member_id] += rows.rest(credit)
        return found


class Ears:
    """What a simulation credits and takes back, order by order."""

    def __init__(self) -> None:
        self.heard: Counter[tuple[str, str, str]] = Counter()

    def __call__(self, order_id: str, kind: str, member_id: str, amount: int) -> None:
        self.heard[order_id, kind, member_id] += amount


def play(plan: Plan, steps: Iterable[Step], ears: Ears | None = None) -> Outcome:
    return simulate(plan, steps, goods_bps=4_000, unlock_cost=2_000, watch=ears)


AMOUNTS = st.one_of(
    st.builds(Amount, st.integers(0, 40_000), st.just("fen")), st.builds(Amount, st.integers(0, 4_000), st.just("bps"))
)
PLANS: st.SearchStrategy[Plan] = st.builds(
    lambda rules, **changes: replace(EXAMPLE, promote_on=rules[0], on_refund=rules[1], **changes),
    st.sampled_from([("paid", "demote"), ("settled", "keep"), ("settled", "demote")]),
    earners=st.sampled_from(["anyone", "qualified"]),
    direct_distributor=AMOUNTS,
    direct_partner=AMOUNTS,
    team=AMOUNTS,
    peer_bps=st.integers(0, 5_000),
    promote_n=st.integers(0, 3),
    leave_mode=st.sampled_from(["leave_recruits", "keep_recruits", "none"]),
    cap_bps=st.none() | st.integers(500, 4_000),
    binding_days=st.none() | st.integers(1, 30),
    freeze_days=st.integers(0, 20),
    peer_funding=st.sampled_from(["brand", "earner"]),
)


# A smaller shop would not be easier to read than the seed of this one.
@settings(max_examples=60, deadline=None, phases=[Phase.generate])
@given(PLANS, st.integers(0, 10**6))
def test_the_simulation_credits_what_the_services_credit_for_the_same_orders(plan: Plan, seed: int) -> None:
    steps = list(synthetic(replace(LIVELY, seed=seed), plan))
    ears = Ears()
    outcome = play(plan, steps, ears)
    shop = Shop(plan).live(steps)

    assert +ears.heard == +shop.credits()
    balances = [balance for balance in shop.books.balances.values() if balance.frozen + balance.free > 0]
    assert outcome.peak_frozen == shop.peak_frozen
    assert outcome.earners == len(balances)
    assert outcome.rewards == sum(balance.frozen + balance.free for balance in balances)
    kinds = Counter(event.kind for event in shop.network.happened.values())
    assert (outcome.promotions, outcome.demotions) == (kinds["promote"], kinds["demote"])


PEOPLE = ["R", *(f"m{number}" for number in range(8))]
DAYS = st.integers(0, 12)


@st.composite
def records(draw: st.DrawFn) -> list[RecordedOrder]:
    """Orders of few people, with all that is seldom: no payment, no receipt, several refunds, inviters who change."""
    orders = []
    at = AT
    for number in range(draw(st.integers(5, 25))):
        at += timedelta(days=draw(st.integers(0, 4)))
        order_id = f"o{number}"
        kit = OrderLine("kit", draw(st.integers(1, 3)), draw(st.integers(0, 100_000)), qualifying=True)
        tea = OrderLine("tea", draw(st.integers(1, 5)), draw(st.integers(0, 50_000)), earns=draw(st.booleans()))
        lines = draw(st.sampled_from([(kit,), (tea, kit), (tea,)]))
        paid_at = draw(st.sampled_from([at, at, at + timedelta(hours=1), None]))
        received_at, returns = None, []
        if paid_at is not None:
            received_at = draw(st.none() | st.builds(lambda days, start=paid_at: start + timedelta(days=days), DAYS))
            moment, done = paid_at, nothing_refunded(lines)
            for _ in range(draw(st.integers(0, 3))):
                moment += timedelta(days=draw(DAYS))
                rest = sum(line.net for line in lines) - sum(done.fen)
                if rest:
                    step = OrderReturned(order_id, moment, draw(st.none() | st.integers(1, rest)))
                    done = refund_amount(lines, done, step.fen or rest)
                    returns.append(step)
        inviter = draw(st.sampled_from([*PEOPLE, None, None]))
        orders.append(
            RecordedOrder(
                order_id, draw(st.sampled_from(PEOPLE)), lines, at, inviter, paid_at, received_at, tuple(returns)
            )
        )
    return orders


@settings(max_examples=200, deadline=None, phases=[Phase.generate])
@given(PLANS, records())
def test_recorded_orders_are_credited_as_the_services_credit_them(plan: Plan, orders: list[RecordedOrder]) -> None:
    ears = Ears()
    outcome = play(plan, recorded(orders, plan, ["R"]), ears)
    shop = Shop(plan).live(recorded(orders, plan, ["R"]))
    kinds = Counter(event.kind for event in shop.network.happened.values())

    assert +ears.heard == +shop.credits()
    assert (outcome.peak_frozen, outcome.refused_bindings) == (shop.peak_frozen, shop.refused)
    assert (outcome.promotions, outcome.demotions) == (kinds["promote"], kinds["demote"])


@pytest.mark.parametrize("leave_mode", ["leave_recruits", "keep_recruits", "none"])
def test_every_way_of_leaving_is_simulated_as_it_is_lived(leave_mode: LeaveMode) -> None:
    plan = replace(EXAMPLE, promote_on="settled", promote_n=3, leave_mode=leave_mode)
    for seed in range(4):
        market = replace(LIVELY, seed=seed, sharing_bps=2_000, repeat_bps=0)
        ears = Ears()
        outcome = play(plan, synthetic(market, plan), ears)

        assert +ears.heard == +Shop(plan).live(synthetic(market, plan)).credits()
        assert outcome.promotions


def test_the_comparison_with_the_services_has_seen_every_kind_of_event() -> None:
    plan = replace(EXAMPLE, promote_on="settled", on_refund="demote")
    ears, seen = Ears(), Counter[str]()
    for seed in range(8):
        outcome = play(plan, synthetic(replace(LIVELY, seed=seed), plan), ears)
        seen.update(dict(outcome.accrued))
        seen.update(promotions=outcome.promotions, demotions=outcome.demotions, late=outcome.clawed_late)

    assert min(seen[kind] for kind in ("direct", "team", "peer", "promotions", "demotions", "late")) > 0, seen


@pytest.mark.parametrize("plan", [UNLOCK, FREE_ORDER], ids=lambda plan: plan.id)
def test_benefits_are_granted_and_undone_as_the_services_do(plan: Plan) -> None:
    market = replace(LIVELY, refund_bps=6_000, decision_days=3)
    outcome = play(plan, synthetic(market, plan))
    shop = Shop(plan).live(synthetic(market, plan))
    kinds = Counter(event.kind for event in shop.network.happened.values())

    assert outcome.benefits == kinds["benefit"] - kinds["benefit_undone"] > 0
    each = 2_000 if plan is UNLOCK else 19_960
    assert outcome.cost == outcome.benefits * each
    assert outcome.rewards == 0
    assert plan is UNLOCK or kinds["benefit_undone"] > 0


def example() -> list[RecordedOrder]:
    """The worked example's purchases, a day apart, and its refund after them."""
    bought = [("A", "R"), ("B", "A"), ("C", "A"), ("D", "A")]
    return [
        RecordedOrder(
            f"o_{buyer}", buyer, KIT, AT + timedelta(days=day), inviter, AT + timedelta(days=day),
            returns=(OrderReturned("o_C", AT + timedelta(days=9), 19_900),) if buyer == "C" else (),
        )
        for day, (buyer, inviter) in enumerate(bought)
    ]  # fmt: skip


def test_recorded_orders_give_the_worked_example_to_the_fen() -> None:
    ears = Ears()
    outcome = play(EXAMPLE, recorded(example(), EXAMPLE, ["R"]), ears)
    shop = Shop(EXAMPLE).live(recorded(example(), EXAMPLE, ["R"]))

    assert ears.heard == {
        ("o_A", "direct", "R"): 30_000,
        ("o_B", "direct", "A"): 10_000, ("o_B", "team", "R"): 20_000,
        ("o_C", "direct", "A"): 10_000 - 3_988, ("o_C", "team", "R"): 20_000 - 7_976,
        ("o_D", "direct", "A"): 30_000, ("o_D", "peer", "R"): 3_000,
    }  # fmt: skip
    assert ears.heard == shop.credits()
    assert (outcome.members, outcome.orders, outcome.sales, outcome.returned) == (5, 4, 4 * 49_900, 19_900)
    assert (outcome.clawed, outcome.rewards, outcome.promotions) == (11_964, 111_036, 1)
    assert outcome.worst_order == "o_D"
    assert outcome.worst_order_bps == 6_614


def test_facts_of_recorded_orders_come_in_the_order_of_time() -> None:
    day = timedelta(days=1)
    orders = [
        RecordedOrder("o1", "A", KIT, AT, "R", AT + 2 * day, AT + 3 * day, (OrderReturned("o1", AT + 5 * day, None),)),
        RecordedOrder("o2", "B", TEA, AT + day, "A", AT + day, AT + 4 * day, (OrderReturned("o2", AT + 11 * day, 1),)),
        RecordedOrder("o3", "A", TEA, AT + day, None),
        RecordedOrder("o4", "A", TEA, AT + 2 * day, "B", AT + 2 * day, AT + 2 * day),
    ]
    steps = list(recorded(orders, CHAIN21, ["R"]))
    moments = [step.at for step in steps if not isinstance(step, OrderClosed | MemberLeft)]
    seen = [
        (type(step).__name__, step.order_id)
        for step in steps
        if isinstance(step, OrderPaid | OrderSettled | OrderReturned)
    ]

    assert moments == sorted(moments)
    assert seen == [
        ("OrderPaid", "o1"),
        ("OrderReturned", "o1"),
        ("OrderSettled", "o4"),
        ("OrderSettled", "o1"),
        ("OrderReturned", "o2"),
        ("OrderSettled", "o2"),
    ]
    assert play(CHAIN21, steps).refused_bindings == 1 == Shop(CHAIN21).live(steps).refused


def test_an_order_that_nobody_paid_sells_nothing_and_pays_nobody() -> None:
    outcome = play(EXAMPLE, recorded([RecordedOrder("o", "A", KIT, AT, "R")], EXAMPLE, ["R"]))

    assert (outcome.orders, outcome.sales, outcome.rewards, outcome.worst_order) == (0, 0, 0, None)


@pytest.mark.parametrize(
    ("orders", "code"),
    [
        ([RecordedOrder("o1", "A", KIT, AT), RecordedOrder("o2", "A", KIT, AT - timedelta(1))], "ORDERS_UNSORTED"),
        ([RecordedOrder("o1", "A", KIT, AT), RecordedOrder("o1", "A", KIT, AT)], "ORDER_INVALID"),
        ([RecordedOrder("o1", "A", (), AT)], "ORDER_INVALID"),
        ([RecordedOrder("o1", "A", KIT, AT, paid_at=AT - timedelta(1))], "ORDER_INVALID"),
        ([RecordedOrder("o1", "A", KIT, AT, paid_at=AT, received_at=AT - timedelta(1))], "ORDER_INVALID"),
        (
            [RecordedOrder("o1", "A", KIT, AT, paid_at=AT, received_at=datetime.max.replace(tzinfo=UTC))],
            "ORDER_INVALID",
        ),
        ([RecordedOrder("o1", "A", KIT, datetime.min.replace(tzinfo=UTC))], "ORDER_INVALID"),
        ([RecordedOrder("o1", "A", KIT, AT, returns=(OrderReturned("o1", AT, 1),))], "ORDER_INVALID"),
        ([RecordedOrder("o1", "A", KIT, AT, paid_at=AT, returns=(OrderReturned("o1", AT, 49_901),))], "ORDER_INVALID"),
    ],
)
def test_a_record_that_cannot_be_true_is_refused_by_its_name(orders: list[RecordedOrder], code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        play(EXAMPLE, recorded(orders, EXAMPLE))

    assert refused.value.code == code
    assert refused.value.facts["order_id"] == orders[-1].order_id


def test_the_same_market_is_the_same_history_and_plans_do_not_change_who_buys_what() -> None:
    market = Market(members=500)

    def seen(plan: Plan, seed: int = 1) -> list[Step]:
        kinds = (MemberJoined, OrderPlaced)
        return [step for step in synthetic(replace(market, seed=seed), plan) if isinstance(step, kinds)]

    assert seen(CHAIN21) == seen(CHAIN21) == seen(SINGLE_LEVEL) == seen(replace(CHAIN21, freeze_days=30))
    assert seen(CHAIN21) != seen(CHAIN21, seed=2)


def test_a_market_has_the_growth_and_the_shares_that_were_asked_for() -> None:
    market = Market(members=20_000, days=100, growth_bps=200, conversion_bps=2_500, repeat_bps=0, organic_bps=3_000)
    steps = list(synthetic(market, CHAIN21))
    joined = [step for step in steps if isinstance(step, MemberJoined)]
    days = Counter(step.at for step in joined)
    alone = sum(step.inviter_id is None for step in joined)

    assert len(joined) == 20_000
    assert 6 < days[max(days)] / days[min(days)] < 8  # 1.02 ** 99 = 7.1
    assert all(abs(later - earlier) <= 10 for earlier, later in pairwise(days.values()))
    assert abs(alone - 6_000) < 300
    assert abs(sum(isinstance(step, OrderPlaced) for step in steps) - 5_000) < 300


@pytest.mark.parametrize("change", [{"members": 0}, {"conversion_bps": 10_001}, {"price": 0}, {"days": 5_000}])
def test_a_market_out_of_its_ranges_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(InvalidError) as refused:
        next(synthetic(replace(Market(), **change), CHAIN21))

    assert refused.value.code == "MARKET_INVALID"
    assert [pointer.pointer for pointer in refused.value.pointers] == [f"/{name}" for name in change]


@pytest.mark.parametrize("market", [
    Market(members=1, partners=0), Market(members=50, partners=0, sharing_bps=0), Market(members=50, conversion_bps=0),
    Market(members=50, refund_bps=10_000, partial_bps=0, late_bps=10_000), Market(members=50, basket=2, price=1),
    Market(members=300, repeat_bps=9_000, late_bps=10_000, refund_bps=10_000),
])  # fmt: skip
def test_markets_at_their_edges_can_be_played(market: Market) -> None:
    for plan in PRESETS.values():
        outcome = play(plan, synthetic(market, plan))

        assert outcome.margin + outcome.cost + outcome.goods == outcome.kept >= 0


def test_a_dividend_is_the_share_of_the_sales_that_settled_in_the_month() -> None:
    plan = replace(EXAMPLE, dividend_bps=200)

    def received(order: RecordedOrder, at: datetime) -> RecordedOrder:
        return replace(order, placed_at=at, paid_at=at, received_at=at)

    orders = [received(order, AT) for order in example()[:2]]
    later = [received(order, AT + timedelta(days=40)) for order in example()[3:]]
    never = [replace(order, placed_at=AT, paid_at=AT, received_at=None) for order in example()[:2]]

    assert play(plan, recorded([*orders, *later], plan, ["R"])).dividend == 2 * 998 + 998
    assert play(plan, recorded(never, plan, ["R"])).dividend == 0


def test_money_flowing_through_a_deep_and_wide_subtree_raises_the_laws_alarm() -> None:
    def subtree(people: int) -> list[RecordedOrder]:
        inviters = ["R", "P1", *(["P2"] * people)]
        return [
            RecordedOrder(f"o{n}", f"P{n}", KIT, AT + timedelta(n), inviter, AT + timedelta(n))
            for n, inviter in enumerate(inviters, 1)
        ]

    small, large = (play(EXAMPLE, recorded(subtree(people), EXAMPLE, ["R"])) for people in (26, 27))
    unpaid = play(UNLOCK, recorded(subtree(27), UNLOCK, ["R"]))

    assert dict(small.alarms).get("subtrees") is None
    assert dict(large.alarms)["subtrees"] == 1
    assert unpaid.alarms == ()


def test_alarms_are_those_that_a_walk_through_every_subtree_finds() -> None:
    market = replace(LIVELY, members=400, refund_bps=0, sharing_bps=2_000)
    steps = list(synthetic(market, EXAMPLE))
    shop = Shop(EXAMPLE).live(steps)
    below: dict[str, list[str]] = defaultdict(list)
    for node in shop.network.positions.values():
        below[node.referrer or ""].append(node.id)

    def subtree(member_id: str) -> tuple[int, int]:
        found = [subtree(child) for child in below[member_id]]
        return 1 + sum(people for people, _ in found), 1 + max((levels for _, levels in found), default=0)

    alarms = 0
    for balance in shop.books.balances.values():
        people, levels = subtree(balance.member_id)
        alarms += people >= 30 and levels >= 3

    assert dict(play(EXAMPLE, steps).alarms)["subtrees"] == alarms > 3


def test_shares_of_earners_are_exact() -> None:
    assert gini_bps([5, 5, 5, 5]) == 0
    assert gini_bps([1] * 99 + [10**9]) == 9_900
    assert gini_bps([1, 2, 3, 4]) == 2_500
    assert gini_bps([]) == 0
    assert curve([1] * 20) == tuple(range(500, 10_001, 500))
    assert curve([7])[-2:] == (0, 10_000)
    assert curve([]) == (0,) * 20


def test_what_stays_in_memory_follows_those_who_can_still_matter() -> None:
    market = Market(members=3_000, sharing_bps=1_000)
    kept: set[str] = set()
    most = 0
    for step in synthetic(market, CHAIN21):
        if isinstance(step, MemberJoined) and not step.passes:
            kept.add(step.member_id)
        elif isinstance(step, MemberLeft):
            kept.remove(step.member_id)
        most = max(most, len(kept))

    assert len(kept) < 400
    assert most < 700


def outcome_of(plan: Plan, approvals: tuple[Approval, ...] = (), market: Market | None = None) -> Outcome:
    market = market or Market(members=2_000)
    return simulate(plan, synthetic(market, plan), goods_bps=4_000, approvals=approvals)


def approved(plan: Plan) -> tuple[Approval, ...]:
    return tuple(Approval(f.check, "Ms Zhao", AT, "on file") for f in plan_check.blocks(plan_check.check(plan)))


def test_the_best_is_the_one_within_bounds_that_leaves_the_brand_most() -> None:
    dear = replace(SINGLE_LEVEL, id="dear", direct_distributor=Amount(2_500, "bps"))
    outcomes = [outcome_of(dear), outcome_of(SINGLE_LEVEL), outcome_of(CHAIN21, approved(CHAIN21))]
    found = compare(outcomes, Bounds(cost_cap_bps=1_500))

    assert (found.best, found.runner_up) == (1, None)
    assert [[breach.bound for breach in broken] for broken in found.breaches] == [["cost_cap"], [], ["cost_cap"]]
    assert found.breaches[0][0].found == outcomes[0].cost_bps > 1_500

    loose = compare(outcomes, Bounds(cost_cap_bps=10_000))
    assert (loose.best, loose.runner_up) == (1, 0)
    assert compare(outcomes, Bounds(cost_cap_bps=10_000, goal="earnings")).best == 2


def test_a_plan_that_lacks_an_approval_is_never_the_best() -> None:
    outcomes = [outcome_of(CHAIN21)]
    found = compare(outcomes, Bounds(cost_cap_bps=10_000))

    assert found.best is None
    assert found.breaches[0][0].bound == "guard"
    assert found.breaches[0][0].checks == ("levels", "peer", "fee", "cap", "head_count")


def test_a_margin_under_the_floor_is_named_with_what_was_found() -> None:
    outcomes = [outcome_of(UNLOCK)]
    found = compare(outcomes, Bounds(margin_floor_bps=7_000))

    assert found.best is None
    [breach] = found.breaches[0]
    assert (breach.bound, breach.found, breach.limit) == ("margin_floor", outcomes[0].margin_bps, 7_000)


def test_progress_is_told_on_the_way_and_at_the_end() -> None:
    told: list[int] = []
    outcome = simulate(UNLOCK, synthetic(Market(members=10_000), UNLOCK), goods_bps=0, progress=told.append)

    assert told == sorted(told)
    assert len(told) > 3
    assert told[-1] == outcome.members + outcome.orders
