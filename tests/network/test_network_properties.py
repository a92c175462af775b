"""What holds for every plan, every order and every life of the network."""

import random
from collections import Counter
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.errors import RefusedError, UnauthorizedError
from cardstock.network import plan_check
from cardstock.network.model import OrderLine, Person, Snapshot
from cardstock.network.plan import Amount, Plan
from cardstock.network.rewards import (
    clawed,
    explain,
    net_lines,
    nothing_refunded,
    refund_amount,
    refund_units,
    rewards_for,
)
from tests.people.clock import TestClock
from tests.people.referrals import EXAMPLE, Order, Referrals

AMOUNTS = st.one_of(
    st.builds(Amount, st.integers(0, 10**6), st.just("fen")), st.builds(Amount, st.integers(0, 10_000), st.just("bps"))
)
PLANS: st.SearchStrategy[Plan] = st.builds(
    lambda **changes: replace(EXAMPLE, **changes),
    earners=st.sampled_from(["anyone", "qualified"]),
    direct_distributor=AMOUNTS,
    direct_partner=AMOUNTS,
    team=AMOUNTS,
    peer_bps=st.integers(0, 10_000),
    cap_bps=st.none() | st.integers(0, 10_000),
    max_levels=st.sampled_from([1, 2]),
    peer_funding=st.sampled_from(["brand", "earner"]),
)
LINES = st.lists(
    st.builds(
        OrderLine,
        sku=st.just("sku"),
        units=st.integers(1, 999),
        net=st.integers(0, 10**7),
        qualifying=st.booleans(),
        earns=st.booleans(),
    ),
    min_size=1,
    max_size=6,
).map(tuple)
ROLES: Any = st.sampled_from(["member", "distributor", "partner"])


def people(name: str) -> st.SearchStrategy[Person | None]:
    return st.none() | st.builds(Person, st.just(name), ROLES, st.booleans())


SNAPSHOTS = st.builds(
    Snapshot,
    plan_id=st.just("chain21"),
    plan_version=st.just(1),
    buyer_role=ROLES,
    referrer=people("mem_1"),
    owner=people("mem_2"),
    peer=people("mem_3"),
    lapsed=st.booleans(),
)


@given(LINES, SNAPSHOTS, PLANS)
def test_rewards_never_exceed_the_cap_nor_what_was_paid(
    lines: tuple[OrderLine, ...], snapshot: Snapshot, plan: Plan
) -> None:
    rewards = rewards_for(lines, snapshot, plan)
    total = sum(reward.amount for reward in rewards)
    union = sum(line.net for index, line in enumerate(lines) if any(reward.measured[index] for reward in rewards))

    assert total <= union
    if plan.cap_bps is not None:
        assert total * 10_000 <= plan.cap_bps * sum(line.net for line in lines)
    for reward in rewards:
        assert 0 <= reward.amount <= reward.limited <= min(reward.full, reward.base)
    assert [reward.kind for reward in rewards] == sorted(
        {reward.kind for reward in rewards}, key="direct team peer".find
    )


@given(LINES, SNAPSHOTS, PLANS)
def test_a_limit_that_cuts_is_used_up_to_the_last_fen(
    lines: tuple[OrderLine, ...], snapshot: Snapshot, plan: Plan
) -> None:
    rewards = rewards_for(lines, snapshot, plan)
    limit = explain(lines, snapshot, plan).limit
    wanted = sum(reward.limited for reward in rewards)

    assert sum(reward.amount for reward in rewards) == min(wanted, limit)


@given(LINES, SNAPSHOTS, PLANS)
def test_the_explanation_shows_exactly_what_is_paid(
    lines: tuple[OrderLine, ...], snapshot: Snapshot, plan: Plan
) -> None:
    cases = explain(lines, snapshot, plan).cases

    assert tuple(case.reward for case in cases if case.reward) == rewards_for(lines, snapshot, plan)
    assert all((case.reward is not None) == (case.outcome in ("earned", "cut_to_zero")) for case in cases)


@given(LINES, SNAPSHOTS, PLANS)
def test_who_is_erased_or_the_buyer_earns_nothing(lines: tuple[OrderLine, ...], snapshot: Snapshot, plan: Plan) -> None:
    erased = {person.id for person in (snapshot.referrer, snapshot.owner, snapshot.peer) if person and person.erased}
    for reward in rewards_for(lines, snapshot, plan, buyer_id="mem_2"):
        assert reward.member_id not in erased | {"mem_2"}


@given(LINES, SNAPSHOTS, PLANS, st.data())
def test_what_is_clawed_grows_with_refunds_and_is_exact_at_the_end(
    lines: tuple[OrderLine, ...], snapshot: Snapshot, plan: Plan, data: st.DataObject
) -> None:
    rewards = rewards_for(lines, snapshot, plan)
    done = nothing_refunded(lines)
    before = [0] * len(rewards)
    while sum(done.fen) < sum(line.net for line in lines):
        rest = sum(line.net for line in lines) - sum(done.fen)
        if data.draw(st.booleans()):
            done = refund_amount(lines, done, data.draw(st.integers(max(1, rest // 3), rest)))
        else:
            index = data.draw(st.integers(0, len(lines) - 1))
            try:
                done = refund_units(lines, done, {index: data.draw(st.integers(1, lines[index].units))})
            except (RefusedError, UnauthorizedError):
                done = refund_amount(lines, done, rest)
        now = [clawed(reward, done.fen) for reward in rewards]

        assert all(b <= n <= reward.amount for b, n, reward in zip(before, now, rewards, strict=True))
        before = now
    assert before == [reward.amount for reward in rewards] or not sum(line.net for line in lines)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=20), st.integers(0, 10**8))
def test_a_coupon_never_makes_a_line_negative_and_its_parts_add_up(values: list[int], coupon: int) -> None:
    nets = net_lines(values, coupon)

    assert sum(nets) == max(0, sum(values) - coupon)
    assert all(0 <= net <= value for net, value in zip(nets, values, strict=True))


@given(SNAPSHOTS)
def test_every_snapshot_survives_its_compact_form(snapshot: Snapshot) -> None:
    assert Snapshot.from_compact(snapshot.to_compact()) == snapshot


@given(PLANS, LINES, SNAPSHOTS)
def test_the_plan_check_knows_the_worst_order_at_the_reference_price(
    plan: Plan, lines: tuple[OrderLine, ...], snapshot: Snapshot
) -> None:
    plan = replace(plan, earners="qualified")
    line = (OrderLine("kit", 1, plan.price, qualifying=True),)
    distinct = replace(snapshot, owner=snapshot.owner and replace(snapshot.owner, role="partner"))

    assert sum(r.amount for r in rewards_for(line, distinct, plan)) * 10_000 <= plan_check.worst_bps(plan) * plan.price


NAMES = [f"m{number}" for number in range(20)]
LIVES = 80
STEPS = 60


class Life:
    """People bind, buy, return, are appointed and erased at random, below `m0`, who brought `m1`, who brought ..."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        promote_on, on_refund = self.random.choice([("paid", "demote"), ("settled", "keep"), ("settled", "demote")])
        changes: dict[str, Any] = {
            "leave_mode": self.random.choice(["leave_recruits", "keep_recruits", "none"]),
            "promote_n": self.random.randint(1, 2),
            "promote_on": promote_on,
            "on_refund": on_refund,
        }
        self.shop = Referrals(replace(EXAMPLE, **changes))
        self.shop.appoint("m0")
        self.open: list[Order] = []
        self.paid = [self.shop.buy("m1", "m0"), self.shop.buy("m2", "m1"), self.shop.buy("m3", "m2")]

    def step(self) -> None:
        steps = {
            self.bind: 1,
            self.bring_somebody_who_buys: 6,
            self.place: 2,
            self.pay: 2,
            self.settle: 3,
            self.refund: 3,
            self.appoint: 0.1,
            self.erase: 0.1,
        }
        self.random.choices(list(steps), list(steps.values()))[0]()

    def bind(self) -> None:
        with suppress(RefusedError, UnauthorizedError):
            self.shop.bind(self.random.choice(NAMES), self.random.choice(NAMES))

    def bring_somebody_who_buys(self) -> None:
        inviter = self.random.choice(NAMES[:4])
        member = next((name for name in NAMES[4:] if self.shop[name].referrer is None), NAMES[-1])
        with suppress(RefusedError, UnauthorizedError):
            self.shop.bind(member, inviter)
        self.paid.append(self.shop.buy(member))

    def place(self) -> None:
        tea = (OrderLine("tea", 2, 5_000),) if self.random.random() < 0.3 else ()
        self.open.append(self.shop.place(self.random.choice(NAMES), *tea))

    def pay(self) -> None:
        if self.open:
            order = self.open.pop(self.random.randrange(len(self.open)))
            self.shop.pay(order)
            self.paid.append(order)

    def settle(self) -> None:
        if self.paid:
            order = self.random.choice(self.paid)
            if order.facts.settled_at is None:
                self.shop.settle(order)

    def refund(self) -> None:
        if self.paid:
            order = self.random.choice(self.paid)
            rest = sum(line.net for line in order.lines) - sum(order.refunded)
            if rest:
                self.shop.refund(order, self.random.choice([rest, max(1, rest // 3)]))

    def appoint(self) -> None:
        with suppress(RefusedError, UnauthorizedError):
            self.shop.appoint(self.random.choice(NAMES))

    def erase(self) -> None:
        self.shop.erase(self.random.choice(NAMES))

    def above(self, member: str) -> list[str]:
        """The chain of referrers; a loop would show as somebody in it twice."""
        chain, at = [], self.shop[member].referrer
        while at is not None and at not in chain:
            chain.append(at)
            at = self.shop[at].referrer
        assert at is None
        return chain


def test_random_lives_keep_every_promise_of_the_network(clock: TestClock) -> None:
    seen: Counter[str] = Counter()
    for seed in range(LIVES):
        life = Life(seed)
        for step in range(STEPS):
            life.step()
            try:
                check_positions(life)
                check_orders(life)
                check_history(life)
            except AssertionError as broken:
                raise AssertionError(f"life {seed} broke a promise at step {step}") from broken
        seen.update({happened.kind for happened in life.shop.events.values()})

    # A test of promotions that saw none would prove nothing.
    assert min(seen["promote"], seen["demote"], seen["erase"]) > LIVES // 5, seen


def check_positions(life: Life) -> None:
    nodes = [life.shop[name] for name in NAMES]
    for node in nodes:
        above = life.above(node.id)
        assert node.id not in above
        assert {node.owner, node.peer} <= {*above, None}
        counting = {other.id for other in nodes if other.referrer == node.id and other.counting}
        assert (node.counted, set(node.first)) == (len(counting), counting)
        assert node.membership == "in_team" or (node.is_partner and node.owner is None)


def check_orders(life: Life) -> None:
    counted = life.shop.network.counted_orders
    for name in NAMES:
        order = life.shop.place(name)
        owner = order.snapshot.owner
        assert owner is None or owner.role == "partner"
        earners = [reward.member_id for reward in order.rewards]
        assert set(earners) <= set(life.above(name))
        assert not [earner for earner in earners if life.shop[earner].erased]
        own = [counted[paid.id] for paid in life.paid if paid.buyer == name and paid.id in counted]
        assert life.shop[name].qualifying == sum(order.qualifying == "qualifies" for order in own)
        assert life.shop[name].counting == sum(order.counting == "counts" for order in own)


def check_history(life: Life) -> None:
    kinds = Counter((happened.kind, happened.member_id) for happened in life.shop.events.values())
    for name in NAMES:
        node = life.shop[name]
        assert kinds["promote", name] == node.ascents
        assert kinds["demote", name] in (node.ascents, node.ascents - 1)
        if node.standing != "appointed_partner":
            assert node.is_partner == (kinds["promote", name] > kinds["demote", name])
    if life.paid:
        before = dict(life.shop.network.positions)
        life.shop.count(life.random.choice(life.paid).facts)
        assert life.shop.network.positions == before
