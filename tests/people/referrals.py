"""Members who refer each other, for tests of the network's rules: no shop, no handler, no table and no AWS.

`tests.people.shop` is the shop with everything around it. Here orders are what rewards and counts are measured on, and
the network and the plans are the fakes of their ports.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec.structs import replace

from cardstock.clock import set_clock
from cardstock.network.binding import bind_inviter
from cardstock.network.counting import count_order
from cardstock.network.model import Event, OrderFacts, OrderLine, Position, Reward, Snapshot
from cardstock.network.ordering import position_for_order
from cardstock.network.plan import Plan, PublishedPlan
from cardstock.network.presets import CHAIN21
from cardstock.network.promotion import appoint_partner, erase_member
from cardstock.network.publishing import get_plan
from cardstock.network.rewards import (
    clawed,
    nothing_refunded,
    qualifying_net,
    qualifying_refunded,
    refund_amount,
    rewards_for,
)
from tests.people.clock import TestClock
from tests.people.memory_network import MemoryNetwork, MemoryPlans

START = datetime(2026, 11, 1, tzinfo=UTC)

EXAMPLE = replace(CHAIN21, version=1, promote_on="paid", on_refund="demote", cap_bps=None)
"""The plan of the worked example."""


@dataclass
class Order:
    """An order as far as the network's rules look at it."""

    id: str
    buyer: str
    lines: tuple[OrderLine, ...]
    snapshot: Snapshot
    facts: OrderFacts
    rewards: tuple[Reward, ...]
    refunded: tuple[int, ...]


class Referrals:
    """The network's verbs in memory, with one plan in force and the process's clock, which each step moves on."""

    def __init__(self, plan: Plan = EXAMPLE) -> None:
        self.network = MemoryNetwork()
        self.plans = MemoryPlans(self.network)
        self.clock = TestClock(START)
        set_clock(self.clock)
        self.orders = 0
        self.use(plan)

    def use(self, plan: Plan) -> None:
        """Put a plan in force without the check."""
        self.plans.published.append(PublishedPlan(plan, self.clock.now(), "test"))
        self.network.in_force = plan

    def tick(self, **step: float) -> datetime:
        """Move the clock on: a minute unless a step is given."""
        return self.clock.move(**(step or {"minutes": 1}))

    def bind(self, member: str, inviter: str) -> Position:
        self.tick()
        return bind_inviter(member, inviter, network=self.network)

    def appoint(self, member: str) -> Position:
        self.tick()
        return appoint_partner(member, "founder", "key_1", network=self.network)

    def erase(self, member: str) -> Position:
        self.tick()
        return erase_member(member, network=self.network)

    def place(self, buyer: str, *lines: OrderLine, hint: tuple[str, ...] = ()) -> Order:
        """Place an order: one qualifying unit of 499 yuan unless lines are given."""
        at = self.tick()
        lines = lines or (OrderLine("kit", 1, 49_900, qualifying=True),)
        _, snapshot, _ = position_for_order(buyer, hint, network=self.network)
        snapshot = Snapshot.from_compact(snapshot.to_compact())
        plan = get_plan(snapshot.plan_id, snapshot.plan_version, plans=self.plans)
        self.orders += 1
        order_id = f"ord_{self.orders}"
        net = sum(line.net for line in lines)
        facts = OrderFacts(order_id, buyer, snapshot, at, net, qualifying_net(lines))
        rewards = rewards_for(lines, snapshot, plan, buyer_id=buyer)
        return Order(order_id, buyer, lines, snapshot, facts, rewards, nothing_refunded(lines).fen)

    def pay(self, order: Order) -> tuple[Event, ...]:
        order.facts = replace(order.facts, paid_at=self.tick())
        return self.count(order.facts)

    def settle(self, order: Order) -> tuple[Event, ...]:
        order.facts = replace(order.facts, settled_at=self.tick())
        return self.count(order.facts)

    def refund(self, order: Order, amount: int | None = None) -> tuple[Event, ...]:
        """Refund `amount` fen, or everything that is left."""
        rest = sum(line.net for line in order.lines) - sum(order.refunded)
        done = replace(nothing_refunded(order.lines), fen=order.refunded)
        order.refunded = refund_amount(order.lines, done, rest if amount is None else amount).fen
        back = qualifying_refunded(order.lines, order.refunded)
        order.facts = replace(order.facts, qualifying_refunded=back, refunded_at=self.tick())
        return self.count(order.facts)

    def count(self, facts: OrderFacts) -> tuple[Event, ...]:
        return count_order(facts, network=self.network, plans=self.plans)

    def buy(self, buyer: str, inviter: str | None = None) -> Order:
        """Bind (if an inviter is given), place one qualifying order, and pay it."""
        if inviter is not None:
            self.bind(buyer, inviter)
        order = self.place(buyer)
        self.pay(order)
        return order

    def __getitem__(self, member: str) -> Position:
        return self.network.positions.get(member) or Position(member)

    @property
    def events(self) -> Mapping[str, Event]:
        return self.network.happened


def credits_of(order: Order) -> dict[str, int]:
    """Member -> fen credited on an order."""
    return {reward.member_id: reward.amount for reward in order.rewards}


def claws_of(order: Order) -> dict[str, int]:
    """Member -> fen clawed back by the refunds of an order."""
    return {reward.member_id: clawed(reward, order.refunded) for reward in order.rewards}
