"""A referral network in memory, and a shop that lives in it: for tests of the rules, and of services on top of them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from cardstock.ids import RequestKey
from cardstock.network import service
from cardstock.network.model import (
    Change,
    Event,
    Mark,
    Node,
    OrderFacts,
    OrderLine,
    Plan,
    PublishedPlan,
    Reward,
    Snapshot,
)
from cardstock.network.ports import Reading
from cardstock.network.presets import CHAIN21
from cardstock.network.rewards import (
    clawed,
    nothing_refunded,
    qualifying_net,
    qualifying_refunded,
    refund_amount,
    rewards_for,
)

START = datetime(2026, 11, 1, tzinfo=UTC)

EXAMPLE = replace(CHAIN21, version=1, promote_on="paid", on_refund="demote", cap_bps=None)
"""The plan of the worked example."""


class MemoryNetwork:
    """`network.ports.Network` in a dictionary. Counts its calls; `rivals` run once, just before a commit."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.marks: dict[str, Mark] = {}
        self.happened: dict[str, Event] = {}
        self.in_force: Plan | None = None
        self.reads = 0
        self.commits = 0
        self.items_written = 0
        self.rivals: list[Callable[[], object]] = []

    def read(self, member_ids: Collection[str], *, order_id: str | None = None, plan: bool = False) -> Reading:
        self.reads += 1
        nodes = {member_id: self.nodes[member_id] for member_id in member_ids if member_id in self.nodes}
        return Reading(nodes, self.marks.get(order_id or ""), self.in_force if plan else None)

    def events(self, event_ids: Collection[str]) -> tuple[Event, ...]:
        return tuple(self.happened[event_id] for event_id in event_ids if event_id in self.happened)

    def commit(self, change: Change) -> bool:
        if self.rivals:
            self.rivals.pop(0)()
        self.commits += 1
        if any(event.id in self.happened for event in change.events):
            return False
        if any(node.rev != self.nodes.get(node.id, Node(node.id)).rev for node in change.nodes):
            return False
        mark = change.mark
        if mark is not None and mark.rev != self.marks.get(mark.order_id, Mark(mark.order_id)).rev:
            return False
        for node in change.nodes:
            self.nodes[node.id] = replace(node, rev=node.rev + 1)
        if mark is not None:
            self.marks[mark.order_id] = replace(mark, rev=mark.rev + 1)
        for event in change.events:
            self.happened[event.id] = event
        self.items_written += len(change.nodes) + len(change.events) + (mark is not None)
        return True


class MemoryPlans:
    """`network.ports.Plans` in a list."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network
        self.published: list[PublishedPlan] = []
        self.requests: dict[str, PublishedPlan] = {}

    def get(self, plan_id: str, version: int) -> PublishedPlan | None:
        return next((r for r in self.published if (r.plan.id, r.plan.version) == (plan_id, version)), None)

    def latest(self, plan_id: str) -> PublishedPlan | None:
        return max((r for r in self.published if r.plan.id == plan_id), key=lambda r: r.plan.version, default=None)

    def current(self) -> PublishedPlan | None:
        return self.published[-1] if self.published else None

    def published_by(self, request: RequestKey) -> PublishedPlan | None:
        return self.requests.get(request.id)

    def publish(
        self, record: PublishedPlan, *, instead_of: PublishedPlan | None, request: RequestKey | None = None
    ) -> bool:
        if self.get(record.plan.id, record.plan.version) or instead_of != self.current():
            return False
        self.published.append(record)
        self._network.in_force = record.plan
        if request is not None:
            self.requests[request.id] = record
        return True

    def page(self, limit: int, after: str | None) -> tuple[tuple[PublishedPlan, ...], str | None]:
        start = int(after or 0)
        rest = start + limit < len(self.published)
        return tuple(self.published[start : start + limit]), str(start + limit) if rest else None


class Hands:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


@dataclass
class Order:
    """An order in the test shop."""

    id: str
    buyer: str
    lines: tuple[OrderLine, ...]
    snapshot: Snapshot
    facts: OrderFacts
    rewards: tuple[Reward, ...]
    refunded: tuple[int, ...]


class World:
    """The services on an in-memory network, with one plan in force and a clock that moves a minute per step."""

    def __init__(self, plan: Plan = EXAMPLE) -> None:
        self.network = MemoryNetwork()
        self.plans = MemoryPlans(self.network)
        self.clock = Hands()
        self.orders = 0
        self.use(plan)

    def use(self, plan: Plan) -> None:
        """Put a plan in force, past the guard."""
        self.plans.published.append(PublishedPlan(plan, self.clock.now(), "test"))
        self.network.in_force = plan

    def tick(self, **step: float) -> datetime:
        self.clock.at += timedelta(**step) if step else timedelta(minutes=1)
        return self.clock.at

    def bind(self, member: str, inviter: str) -> Node:
        self.tick()
        return service.bind_inviter(member, inviter, network=self.network, clock=self.clock)

    def appoint(self, member: str) -> Node:
        self.tick()
        return service.appoint_partner(member, "founder", "key_1", network=self.network, clock=self.clock)

    def erase(self, member: str) -> Node:
        self.tick()
        return service.erase_member(member, network=self.network, clock=self.clock)

    def place(self, buyer: str, *lines: OrderLine, hint: tuple[str, ...] = ()) -> Order:
        """Place an order: one qualifying unit of 499 yuan unless lines are given."""
        at = self.tick()
        lines = lines or (OrderLine("kit", 1, 49_900, qualifying=True),)
        snapshot, _ = service.position_for_order(buyer, hint, network=self.network, clock=self.clock)
        snapshot = Snapshot.from_compact(snapshot.to_compact())
        plan = service.get_plan(snapshot.plan_id, snapshot.plan_version, plans=self.plans)
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
        """Give back `amount` fen, or everything that is left."""
        rest = sum(line.net for line in order.lines) - sum(order.refunded)
        done = replace(nothing_refunded(order.lines), fen=order.refunded)
        order.refunded = refund_amount(order.lines, done, rest if amount is None else amount).fen
        back = qualifying_refunded(order.lines, order.refunded)
        order.facts = replace(order.facts, qualifying_refunded=back, refunded_at=self.tick())
        return self.count(order.facts)

    def count(self, facts: OrderFacts) -> tuple[Event, ...]:
        return service.count_order(facts, network=self.network, plans=self.plans)

    def buy(self, buyer: str, inviter: str | None = None) -> Order:
        """Bind (if an inviter is given), place one qualifying order, and pay it."""
        if inviter is not None:
            self.bind(buyer, inviter)
        order = self.place(buyer)
        self.pay(order)
        return order

    def __getitem__(self, member: str) -> Node:
        return self.network.nodes.get(member) or Node(member)

    @property
    def events(self) -> Mapping[str, Event]:
        return self.network.happened


def credits_of(order: Order) -> dict[str, int]:
    """Who earns how much on an order."""
    return {reward.member_id: reward.amount for reward in order.rewards}


def claws_of(order: Order) -> dict[str, int]:
    """Who has lost how much of it to refunds."""
    return {reward.member_id: clawed(reward, order.refunded) for reward in order.rewards}
