"""Run a plan on a history: what it would have cost, and what it would have paid to each member.

There is no second engine: the network's pure rules decide, with the arguments that the verbs pass. A step reads a
fixed number of members, so the time grows linearly with them. Only members who can still matter are kept in memory.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.errors import RefusedError
from cardstock.law import ALARM_LEVELS, ALARM_PEOPLE, OUTSIDE_FLOOR_BPS
from cardstock.money import BPS_ONE, Bps, Fen, share
from cardstock.network import plan_check, rewards
from cardstock.network.binding import binding
from cardstock.network.counting import count
from cardstock.network.coupons import verification
from cardstock.network.dividends import MonthSales, sale_of
from cardstock.network.model import (
    Change,
    CountedOrder,
    LineRefunds,
    OrderFacts,
    OrderLine,
    Position,
    Reward,
    RewardKind,
    Snapshot,
)
from cardstock.network.ordering import snapshot_of
from cardstock.network.plan import Approval, Plan
from cardstock.network.promotion import appointment
from cardstock.network.simulation.market import Market, check_market, synthetic
from cardstock.network.simulation.outcome import Outcome, curve, gini_bps, share_bps
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
    refunded_after,
)

Progress: TypeAlias = Callable[[int], None]

_STEPS_BETWEEN: Final = 5_000
"""Steps between two reports of progress."""


Watch: TypeAlias = Callable[[str, RewardKind, str, Fen], None]
"""Called for every credit (below zero: claw-back): order, reward, member, fen."""


class Trial(msgspec.Struct, frozen=True):
    """One plan to run, with its approvals, and the shop expected under it."""

    plan: Plan
    market: Market
    approvals: tuple[Approval, ...] = ()


def run(
    trial: Trial,
    orders: Iterable[RecordedOrder] | None = None,
    partners: Sequence[str] = (),
    *,
    progress: Progress | None = None,
) -> Outcome:
    """Run a plan on recorded orders (see `steps.recorded`), or on its synthetic market.

    Raises `InvalidError`: MARKET_INVALID, ORDERS_UNSORTED, ORDER_INVALID.
    """
    plan, market = trial.plan, check_market(trial.market)
    return simulate(
        plan,
        synthetic(market, plan) if orders is None else recorded(orders, plan, partners),
        goods_bps=market.goods_bps,
        unlock_cost=market.unlock_cost,
        approvals=trial.approvals,
        progress=progress,
    )


def simulate(
    plan: Plan,
    steps: Iterable[Step],
    *,
    goods_bps: Bps,
    unlock_cost: Fen = 0,
    approvals: Sequence[Approval] = (),
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Run `steps` under `plan`. `progress` gets the numbers of members and orders so far, now and then.

    `goods_bps` is the cost of goods, of what is paid for them; a free order costs the goods of `plan.price`, an
    `unlock` coupon `unlock_cost`. A binding that the rules refuse is counted and left out.
    """
    life = _Life(plan, watch)
    play: dict[type, Callable[..., None]] = {
        MemberJoined: life.join,
        OrderPlaced: life.place,
        OrderPaid: life.pay,
        OrderSettled: life.settle,
        OrderReturned: life.give_back,
        OrderClosed: life.close,
        MemberLeft: life.leave,
        PartnerAppointed: life.appoint,
    }
    left = _STEPS_BETWEEN
    for step in steps:
        play[type(step)](step)
        left -= 1
        if not left:
            left = _STEPS_BETWEEN
            if progress is not None:
                progress(life.members + life.placed)
    if progress is not None:
        progress(life.members + life.placed)
    return life.outcome(goods_bps, unlock_cost, approvals)


_NOBODY: Final = Position("")
_NIGHT_AFTER: Final = timedelta(hours=8, days=1)
"""Eight hours to the brand's zone, and one day: rewards are released in the night after their window."""


class _Order:
    """An open order."""

    __slots__ = ("counted", "facts", "frozen", "lines", "refunded", "rewards", "settled", "taken")

    def __init__(self, lines: tuple[OrderLine, ...], facts: OrderFacts, due: tuple[Reward, ...]) -> None:
        self.lines = lines
        self.facts = facts
        self.rewards = due
        """The rewards without members, who are in the snapshot of `facts`: equal baskets share them."""
        self.counted: CountedOrder | None = None
        self.refunded: LineRefunds | None = None
        self.taken: list[Fen] | None = None
        self.frozen = 0
        self.settled = False

    @property
    def returned(self) -> Fen:
        return sum(self.refunded.fen) if self.refunded else 0


class _Life:
    """One run: members who can still matter, open orders, and sums."""

    def __init__(self, plan: Plan, watch: Watch | None) -> None:
        self.plan = plan
        self.watch = watch
        self.nodes: dict[str, Position] = {}
        """In the order of binding: a referrer comes before those they brought."""
        self.orders: dict[str, _Order] = {}
        self.earned: dict[str, Fen] = {}
        self.brought: dict[str, int] = {}
        self.months: dict[int, MonthSales] = {}
        self.happened: Counter[str] = Counter()
        self.accrued: dict[RewardKind, Fen] = {"direct": 0, "team": 0, "peer": 0}
        self.members = self.placed = self.refused = 0
        self.sales = self.outside = self.returned = 0
        self.clawed = self.clawed_late = self.frozen = self.peak_frozen = 0
        self.worst: tuple[int, int, str | None] = (0, 1, None)
        self.due: dict[object, tuple[Reward, ...]] = {}

    # The steps of a history.

    def appoint(self, step: PartnerAppointed) -> None:
        member = self.nodes.get(step.member_id) or self._new(step.member_id)
        self._write(appointment(member, "simulated", "simulated", self.plan, step.at))

    def join(self, step: MemberJoined) -> None:
        nodes, member_id, inviter_id = self.nodes, step.member_id, step.inviter_id
        verified = step.verified and self.plan.benefit == "unlock"
        if step.passes and not verified and inviter_id in nodes and nodes[inviter_id].has_referred:
            # A binding would only write the member's own position, which nobody will read.
            self.members += 1
            self.brought[inviter_id] += 1
            return
        member = nodes.get(member_id)
        if member is None:
            member = nodes[member_id] = self._new(member_id)
        if inviter_id is not None and member.referrer != inviter_id:
            inviter = nodes.get(inviter_id)
            if inviter is None:
                inviter = nodes[inviter_id] = self._new(inviter_id)
            try:
                change = binding(member, inviter, nodes, step.at, self.plan)
            except RefusedError:
                self.refused += 1
            else:
                del nodes[member_id]  # inserted again after the inviter
                self._write(change)
                self.brought[inviter_id] = self.brought.get(inviter_id, 0) + 1
        if verified:
            self._write(verification(nodes[member_id], nodes, self.plan, step.at))
        if step.passes:
            del nodes[member_id]

    def place(self, step: OrderPlaced) -> None:
        plan, lines = self.plan, step.lines
        buyer = self.nodes.get(step.member_id)
        if buyer is None:
            buyer = self.nodes[step.member_id] = self._new(step.member_id)
        snapshot = snapshot_of(buyer, self.nodes, plan, step.at)
        net = sum([line.net for line in lines])
        paid_at = step.at if step.paid else None
        facts = OrderFacts(step.order_id, buyer.id, snapshot, step.at, net, rewards.qualifying_net(lines), paid_at)
        order = self.orders[step.order_id] = _Order(lines, facts, self._rewards(step, snapshot))
        if step.paid:
            self._paid(order)

    def pay(self, step: OrderPaid) -> None:
        order = self.orders[step.order_id]
        order.facts = replace(order.facts, paid_at=step.at)
        self._paid(order)

    def settle(self, step: OrderSettled) -> None:
        order = self.orders[step.order_id]
        order.settled = True
        self.frozen -= order.frozen
        if self.plan.dividend_bps:
            self._month(step.at).add(sale_of(order.facts.snapshot, order.facts.net - order.returned))
        if order.facts.qualifying_net:
            order.facts = replace(order.facts, settled_at=step.at)
            self._count(order)

    def give_back(self, step: OrderReturned) -> None:
        order = self.orders[step.order_id]
        before = order.refunded or rewards.nothing_refunded(order.lines)
        after = refunded_after(order.lines, before, step)
        order.refunded = after
        fen = sum(after.fen) - sum(before.fen)
        self.returned += fen
        if order.rewards:
            taken = [rewards.clawed(reward, after.fen) for reward in order.rewards]
            for reward, now, earlier in zip(order.rewards, taken, order.taken or (0, 0, 0), strict=False):
                self._take(order, reward, now - earlier)
            order.taken = taken
        if self.plan.dividend_bps and order.settled:
            self._month(step.at).add(sale_of(order.facts.snapshot, -fen))
        part = rewards.qualifying_refunded(order.lines, after.fen)
        facts = order.facts
        # After the half is refunded, further refunds do not change roles.
        if part != facts.qualifying_refunded and 2 * facts.qualifying_refunded <= facts.qualifying_net:
            order.facts = replace(facts, qualifying_refunded=part, refunded_at=step.at)
            self._count(order)

    def close(self, step: OrderClosed) -> None:
        del self.orders[step.order_id]

    def leave(self, step: MemberLeft) -> None:
        # Under `keep_recruits` a promotion may still move the member.
        if self.plan.leave_mode != "keep_recruits":
            del self.nodes[step.member_id]

    # What the services do around the rules.

    def _new(self, member_id: str) -> Position:
        self.members += 1
        return replace(_NOBODY, id=member_id)

    def _write(self, change: Change) -> None:
        for position in change.positions:
            self.nodes[position.id] = position
        for event in change.events:
            self.happened[event.kind] += 1

    def _count(self, order: _Order) -> None:
        change = count(order.facts, order.counted, self.nodes, self.plan)
        if change.counted is not None:
            order.counted = change.counted
        self._write(change)

    def _rewards(self, step: OrderPlaced, snapshot: Snapshot) -> tuple[Reward, ...]:
        """The order's rewards. Members in the same roles earn the same on the same basket; a history erases nobody."""
        if step.basket is None:
            return rewards.rewards_for(step.lines, snapshot, self.plan, buyer_id=step.member_id)
        referrer, owner, peer = snapshot.referrer, snapshot.owner, snapshot.peer
        case = (
            step.basket,
            referrer and referrer.role,
            owner and owner.role,
            peer and peer.role,
            snapshot.lapsed,
        )
        due = self.due.get(case)
        if due is None:
            due = rewards.rewards_for(step.lines, snapshot, self.plan, buyer_id=step.member_id)
            self.due[case] = due
        return due

    def _paid(self, order: _Order) -> None:
        facts = order.facts
        net = facts.net
        self.placed += 1
        self.sales += net
        total = 0
        for reward in order.rewards:
            amount = reward.amount
            if amount:
                total += amount
                self._credit(order, reward.kind, amount)
        if total:
            order.frozen = total
            if total * self.worst[1] > self.worst[0] * net:
                self.worst = (total, net, facts.order_id)
            self.frozen += total
            self.peak_frozen = max(self.peak_frozen, self.frozen)
        if facts.snapshot.buyer_role == "member" and not self.nodes[facts.buyer_id].has_referred:
            self.outside += net
        self._count(order)

    def _credit(self, order: _Order, kind: RewardKind, amount: Fen) -> None:
        snapshot = order.facts.snapshot
        person = snapshot.referrer if kind == "direct" else snapshot.owner if kind == "team" else snapshot.peer
        member_id = person.id if person is not None else ""
        self.earned[member_id] = self.earned.get(member_id, 0) + amount
        if amount > 0:
            self.accrued[kind] += amount
        if self.watch is not None:
            self.watch(order.facts.order_id, kind, member_id, amount)

    def _take(self, order: _Order, reward: Reward, amount: Fen) -> None:
        if amount:
            self._credit(order, reward.kind, -amount)
            self.clawed += amount
            if order.settled:
                self.clawed_late += amount
            else:
                order.frozen -= amount
                self.frozen -= amount

    def _month(self, at: datetime) -> MonthSales:
        """The brand's month of the night after `at`, when the order settles."""
        night = (at + _NIGHT_AFTER).astimezone(UTC)
        return self.months.setdefault(night.year * 12 + night.month, MonthSales())

    # What came of it.

    def outcome(self, goods_bps: Bps, unlock_cost: Fen, approvals: Sequence[Approval]) -> Outcome:
        """The sums of the run."""
        plan, kept = self.plan, self.sales - self.returned
        dividends: Fen = 0
        for month in self.months.values():
            for member_id, amount in month.shares(plan).items():
                dividends += amount
                self.earned[member_id] = self.earned.get(member_id, 0) + amount
        subtrees = self._subtrees() if plan.benefit == "cash" else 0
        earnings = sorted([fen for fen in self.earned.values() if fen > 0])
        outside = share_bps(self.outside, self.sales)
        alarms: list[tuple[str, int]] = [("subtrees", subtrees)] if subtrees else []
        if self.sales and outside < OUTSIDE_FLOOR_BPS:
            alarms.append(("outside_sales", outside))
        benefits = self.happened["benefit"] - self.happened["benefit_undone"]
        each = share(plan.price, goods_bps) if plan.benefit == "free_order" else unlock_cost
        total, net, worst_order = self.worst
        return Outcome(
            plan=plan,
            findings=plan_check.check(plan, approvals),
            alarms=tuple(alarms),
            members=self.members,
            orders=self.placed,
            sales=self.sales,
            returned=self.returned,
            goods=share(kept, goods_bps),
            accrued=tuple(self.accrued.items()),
            clawed=self.clawed,
            clawed_late=self.clawed_late,
            peak_frozen=self.peak_frozen,
            benefits=benefits,
            benefit_cost=benefits * each,
            dividend=dividends,
            worst_order_bps=-(-total * BPS_ONE // net),
            worst_order=worst_order,
            worst_reference_bps=plan_check.worst_bps(plan),
            earners=len(earnings),
            top_bps=share_bps(sum(earnings[len(earnings) * 99 // 100 :]) if earnings else 0, sum(earnings)),
            gini_bps=gini_bps(earnings),
            curve_bps=curve(earnings),
            outside_bps=outside,
            promotions=self.happened["promote"],
            demotions=self.happened["demote"],
            refused_bindings=self.refused,
        )

    def _subtrees(self) -> int:
        """Number of earners above a subtree of the size in the law. One pass from the last bound member to the
        first."""
        people = {member_id: 1 + count for member_id, count in self.brought.items()}
        levels = dict.fromkeys(self.brought, 2)
        found = 0
        for member_id in reversed(self.nodes):
            size, depth = people.get(member_id, 1), levels.get(member_id, 1)
            if size >= ALARM_PEOPLE and depth >= ALARM_LEVELS and self.earned.get(member_id, 0) > 0:
                found += 1
            referrer = self.nodes[member_id].referrer
            if referrer is not None:
                people[referrer] += size - 1  # the member was counted when joining
                levels[referrer] = max(levels[referrer], depth + 1)
        return found
