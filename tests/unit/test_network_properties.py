"""What holds for every plan, every order and every life of the network."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cardstock.errors import RefusedError
from cardstock.network import guard
from cardstock.network.model import Amount, Node, OrderLine, Person, Plan, Snapshot
from cardstock.network.rewards import (
    clawed,
    explain,
    net_lines,
    nothing_refunded,
    refund_amount,
    refund_units,
    rewards_for,
)
from tests.unit.network_world import EXAMPLE, Order, World, claws_of

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
    assert [reward.kind for reward in rewards] == sorted({reward.kind for reward in rewards}, key="direct team peer".find)


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
def test_who_is_erased_or_the_buyer_earns_nothing(
    lines: tuple[OrderLine, ...], snapshot: Snapshot, plan: Plan
) -> None:
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
            except RefusedError:
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
def test_the_guard_knows_the_worst_order_at_the_reference_price(
    plan: Plan, lines: tuple[OrderLine, ...], snapshot: Snapshot
) -> None:
    plan = replace(plan, earners="qualified")
    line = (OrderLine("kit", 1, plan.price, qualifying=True),)
    distinct = replace(snapshot, owner=snapshot.owner and replace(snapshot.owner, role="partner"))

    assert sum(r.amount for r in rewards_for(line, distinct, plan)) * 10_000 <= guard.worst_bps(plan) * plan.price


NAMES = [f"m{number}" for number in range(9)]


class LifeOfANetwork(RuleBasedStateMachine):
    """People bind, buy, return, are appointed and erased at random; the rules' promises are checked after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.open: list[Order] = []
        self.paid: list[Order] = []

    @initialize(
        leave_mode=st.sampled_from(["leave_recruits", "keep_recruits", "none"]),
        pair=st.sampled_from([("paid", "demote"), ("settled", "keep"), ("settled", "demote")]),
        promote_n=st.integers(1, 3),
    )
    def publish(self, leave_mode: Any, pair: Any, promote_n: int) -> None:
        plan = replace(EXAMPLE, leave_mode=leave_mode, promote_on=pair[0], on_refund=pair[1], promote_n=promote_n)
        self.world.use(plan)
        self.world.appoint("m0")

    @rule(member=st.sampled_from(NAMES), inviter=st.sampled_from(NAMES))
    def bind(self, member: str, inviter: str) -> None:
        try:
            self.world.bind(member, inviter)
        except RefusedError:
            return

    @rule(member=st.sampled_from(NAMES), tea=st.booleans())
    def place(self, member: str, tea: bool) -> None:
        lines = (OrderLine("tea", 2, 5_000),) if tea else ()
        self.open.append(self.world.place(member, *lines))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def pay(self, data: st.DataObject) -> None:
        order = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        self.world.pay(order)
        self.paid.append(order)

    @precondition(lambda self: self.paid)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.paid))
        if order.facts.settled_at is None:
            self.world.settle(order)

    @precondition(lambda self: self.paid)
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.paid))
        rest = sum(line.net for line in order.lines) - sum(order.refunded)
        if rest:
            self.world.refund(order, data.draw(st.sampled_from([rest, max(1, rest // 3)])))

    @rule(member=st.sampled_from(NAMES))
    def appoint(self, member: str) -> None:
        if not self.world[member].erased:
            self.world.appoint(member)

    @rule(member=st.sampled_from(NAMES[5:]))
    def erase(self, member: str) -> None:
        self.world.erase(member)

    @invariant()
    def no_loop_arises(self) -> None:
        for member in NAMES:
            seen, at = {member}, self.world[member].referrer
            while at is not None:
                assert at not in seen
                seen.add(at)
                at = self.world[at].referrer

    @invariant()
    def owner_and_peer_are_never_oneself(self) -> None:
        for member in NAMES:
            assert member not in (self.world[member].owner, self.world[member].peer)

    @invariant()
    def an_order_finds_a_partner_or_nobody_as_owner_and_pays_only_those_above(self) -> None:
        for member in NAMES:
            order = self.world.place(member)
            owner = order.snapshot.owner
            assert owner is None or owner.role == "partner"
            above, at = set(), self.world[member].referrer
            while at is not None:
                above.add(at)
                at = self.world[at].referrer
            assert {reward.member_id for reward in order.rewards} <= above

    @invariant()
    def what_is_counted_is_who_counts(self) -> None:
        nodes = [self.world[name] for name in NAMES]
        for node in nodes:
            counting = {other.id for other in nodes if other.referrer == node.id and other.counting}
            assert (node.counted, set(node.first)) == (len(counting), counting)

    @invariant()
    def what_an_order_gives_its_buyer_and_referrer_is_what_is_stored(self) -> None:
        marks = self.world.network.marks
        for name in NAMES:
            own = [marks[order.id] for order in self.paid if order.buyer == name and order.id in marks]
            assert self.world[name].holding == sum(mark.held for mark in own)
            assert self.world[name].counting == sum(mark.began and not mark.ended for mark in own)

    @invariant()
    def ascents_and_falls_alternate(self) -> None:
        for name in NAMES:
            node: Node = self.world[name]
            falls = sum(event.kind == "demote" and event.member_id == name for event in self.world.events.values())
            rises = sum(event.kind == "promote" and event.member_id == name for event in self.world.events.values())
            assert rises == node.ascents
            assert falls in (rises, rises - 1)
            if node.appointed:
                assert node.partner

    @invariant()
    def repeats_change_nothing(self) -> None:
        if self.paid:
            before = dict(self.world.network.nodes)
            self.world.count(self.paid[-1].facts)
            assert self.world.network.nodes == before

    @invariant()
    def nothing_is_clawed_beyond_what_was_paid_out(self) -> None:
        for order in self.paid:
            claws = claws_of(order)
            assert all(claws[reward.member_id] <= reward.amount for reward in order.rewards)


LifeOfANetwork.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLifeOfANetwork = LifeOfANetwork.TestCase
