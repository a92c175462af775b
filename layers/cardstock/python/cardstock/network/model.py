"""Types of the referral network: members' positions with their states, an order's snapshot of them, and rewards.

A `Position` is one member's place; every rule reads at most four of them, so its cost does not grow with the network.
A `Snapshot` is an order's copy of plan and positions when it is placed, and its rewards depend on nothing else. The
plans themselves are in `plan.py`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, TypeVar

import msgspec

from cardstock.money import Fen
from cardstock.network.plan import Amount

Role: TypeAlias = Literal["member", "distributor", "partner"]
RewardKind: TypeAlias = Literal["direct", "team", "peer"]
Edge: TypeAlias = Literal["referrer", "owner", "peer"]

Standing: TypeAlias = Literal["member", "distributor", "partner", "appointed_partner"]
OwnerEdge: TypeAlias = Literal["provisional", "fixed"]
Membership: TypeAlias = Literal["in_team", "left"]
CouponState: TypeAlias = Literal["none", "granted", "revoked"]
Qualifying: TypeAlias = Literal["not_yet", "qualifies", "ended"]
Counting: TypeAlias = Literal["not_yet", "counts", "ended"]

_State = TypeVar("_State", bound=str)
Transitions: TypeAlias = Mapping[_State, frozenset[_State]]
"""State -> the states that one decision can lead to. The charts of the area's `__init__` show the same."""

STANDINGS: Final[Transitions[Standing]] = {
    "member": frozenset({"distributor", "partner", "appointed_partner"}),
    "distributor": frozenset({"member", "partner", "appointed_partner"}),
    "partner": frozenset({"member", "distributor", "appointed_partner"}),
    "appointed_partner": frozenset(),
}
OWNER_EDGES: Final[Transitions[OwnerEdge]] = {
    "provisional": frozenset({"fixed"}),
    "fixed": frozenset({"provisional"}),
}
MEMBERSHIPS: Final[Transitions[Membership]] = {
    "in_team": frozenset({"left"}),
    "left": frozenset({"in_team"}),
}
COUPON_STATES: Final[Transitions[CouponState]] = {
    "none": frozenset({"granted", "revoked"}),
    "granted": frozenset({"revoked"}),
    "revoked": frozenset({"granted"}),
}
QUALIFYINGS: Final[Transitions[Qualifying]] = {
    "not_yet": frozenset({"qualifies", "ended"}),
    "qualifies": frozenset({"ended"}),
    "ended": frozenset({"qualifies"}),
}
COUNTINGS: Final[Transitions[Counting]] = {
    "not_yet": frozenset({"counts", "ended"}),
    "counts": frozenset({"ended"}),
    "ended": frozenset(),
}

_COUPON: Final = "benefit."
_COUPON_REVOKED: Final = "benefit-undone."


class Position(msgspec.Struct, frozen=True):
    """One member's place in the network: four states, one field each, and counts.

    `referrer` is set once. `rev` counts the writes of the stored position and is the condition of the next one; 0: not
    stored. `has_referred`, `has_paid` and `verified` become true once and stay true.
    """

    id: str
    rev: int = 0
    standing: Standing = "member"
    """`distributor` while `qualifying` is above zero, `partner` by promotion, `appointed_partner` by an operator."""
    owner_edge: OwnerEdge = "provisional"
    """`provisional`: `owner` is that of the binding or of the last paid order. `fixed`: by the qualifying purchase."""
    membership: Membership = "in_team"
    """`left`: a partner who left the team of `peer` and has no `owner`. With `leave_mode` `none` a partner stays."""
    coupon: CouponState = "none"
    """The newest coupon of a plan without cash."""
    referrer: str | None = None
    bound_at: datetime | None = None
    owner: str | None = None
    """The partner to whose team the member belongs."""
    owner_at: datetime | None = None
    """Time of the event that last changed the owner: an order's placing, the binding, or a promotion. Older orders do
    not change the owner, and no order does twice, except the qualifying purchase."""
    peer: str | None = None
    """The owner whose team this partner left."""
    has_referred: bool = False
    has_paid: bool = False
    ascents: int = 0
    """Promotions by the rules so far; the `n` in the event id `promote.{member}.{n}`."""
    needed: int = 0
    """The `promote_n` of the last promotion. A plan that demotes does so when fewer referrals count."""
    qualifying: int = 0
    """Own qualifying orders that make the member a distributor."""
    counting: int = 0
    """Own qualifying orders that count for the referrer; the member counts while it is not 0."""
    counted: int = 0
    """Directly referred people who count now."""
    first: tuple[str, ...] = ()
    """The first of them, at most `MAX_PROMOTE_N`, in the order in which they began to count."""
    verified: bool = False
    """Whether the member is verified, and counts as such for the referrer."""
    verified_referrals: int = 0
    coupons: int = 0
    """Coupons granted so far. The next one is granted only after the last was revoked."""
    erased_at: datetime | None = None
    same_person: tuple[str, ...] = ()
    """The other members who are the same person: merged by their word, or verified as one."""
    coupon_elsewhere: str | None = None
    """The granted coupon of another member who is the same person."""

    @property
    def is_partner(self) -> bool:
        """Whether the member is a partner, by the rules or by appointment."""
        return self.standing in ("partner", "appointed_partner")

    @property
    def role(self) -> Role:
        """The role for rewards: an appointed partner is a partner."""
        return "partner" if self.standing == "appointed_partner" else self.standing

    @property
    def erased(self) -> bool:
        """Whether the member was erased: the position stays, and earns and counts nothing."""
        return self.erased_at is not None

    def is_here(self, at: datetime) -> bool:
        """Whether the member was not erased yet at a moment."""
        return self.erased_at is None or at < self.erased_at

    @property
    def coupon_id(self) -> str:
        """The newest coupon's id, which is that of the event that granted it; an order names it to use the coupon."""
        return f"{_COUPON}{self.id}.{self.coupons}"


class Place(msgspec.Struct, frozen=True):
    """A member's position, and the coupon usable now: its id and the fen that it takes off an order."""

    position: Position
    coupon_id: str | None = None
    coupon_fen: Fen | None = None


class Person(msgspec.Struct, frozen=True):
    """A member in an order's snapshot."""

    id: str
    role: Role
    erased: bool = False

    def to_compact(self) -> str:
        """Role, whether erased, and id in one string: `p:mem_..`."""
        return f"{self.role[0]}{'!' if self.erased else ':'}{self.id}"

    @staticmethod
    def from_compact(text: str) -> "Person":
        """The inverse of `to_compact`."""
        return Person(text[2:], _ROLE_OF[text[0]], text[1] == "!")


_ROLE_OF: Final[Mapping[str, Role]] = {"m": "member", "d": "distributor", "p": "partner"}


class Snapshot(msgspec.Struct, frozen=True):
    """An order's copy of plan and network when it is placed. Later changes of either do not affect it."""

    plan_id: str
    plan_version: int
    buyer_role: Role = "member"
    referrer: Person | None = None
    owner: Person | None = None
    peer: Person | None = None
    """The peer of the partner (referrer or owner) who can earn on this order."""
    lapsed: bool = False
    """Whether the plan's binding period was over: no direct reward."""

    def to_compact(self) -> dict[str, Any]:
        """Short keys, absent when empty; about 150 bytes with three people."""
        compact: dict[str, Any] = {"p": f"{self.plan_id}@{self.plan_version}", "b": self.buyer_role[0]}
        if self.referrer is not None:
            compact["r"] = self.referrer.to_compact()
        if self.owner is not None:
            compact["o"] = "=" if self.owner == self.referrer else self.owner.to_compact()
        if self.peer is not None:
            compact["e"] = self.peer.to_compact()
        if self.lapsed:
            compact["l"] = 1
        return compact

    @staticmethod
    def from_compact(compact: Mapping[str, Any]) -> "Snapshot":
        """The inverse of `to_compact`."""
        plan_id, _, version = compact["p"].rpartition("@")
        referrer = Person.from_compact(compact["r"]) if "r" in compact else None
        owner = compact.get("o")
        return Snapshot(
            plan_id=plan_id,
            plan_version=int(version),
            buyer_role=_ROLE_OF[compact["b"]],
            referrer=referrer,
            owner=None if owner is None else referrer if owner == "=" else Person.from_compact(owner),
            peer=Person.from_compact(compact["e"]) if "e" in compact else None,
            lapsed="l" in compact,
        )


class OrderLine(msgspec.Struct, frozen=True):
    """One order line for rewards. `net`: fen paid for all its units, without coupons and freight."""

    sku: str
    units: int
    net: Fen
    qualifying: bool = False
    earns: bool = True


class Reward(msgspec.Struct, frozen=True):
    """One person's reward on one order.

    `full` is the rule's amount, `limited` the amount after the limit to what was paid and after paying for a peer
    reward, `amount` the amount after the order's cap: the fen that are accrued.
    """

    kind: RewardKind
    member_id: str
    role: Role
    rule: str
    """The plan's parameter that was used: `direct_partner`, `direct_distributor`, `team`, `peer_bps`."""
    rate: Amount
    measured: tuple[Fen, ...]
    """For each order line: what was paid for it if the reward is measured on it, else 0."""
    full: Fen
    limited: Fen
    amount: Fen

    @property
    def base(self) -> Fen:
        """What was paid for the lines it is measured on."""
        return sum(self.measured)

    @property
    def cap_cut(self) -> Fen:
        """Fen removed by the cap (or by the limit to the money paid for all measured lines)."""
        return self.limited - self.amount


class LineRefunds(msgspec.Struct, frozen=True):
    """What was refunded of an order so far, per line: whole units, and fen in total."""

    units: tuple[int, ...]
    fen: tuple[Fen, ...]


Outcome: TypeAlias = Literal[
    "earned",
    "cut_to_zero",
    "nobody",
    "erased",
    "not_qualified",
    "binding_over",
    "referrer_is_partner",
    "owner_not_partner",
    "peer_not_partner",
    "nothing_measured",
    "not_in_plan",
    "no_earning_partner",
    "own_order",
]


class Case(msgspec.Struct, frozen=True):
    """One kind of reward of one order, and the reason for its amount."""

    kind: RewardKind
    outcome: Outcome
    person: Person | None
    edge: Edge
    reward: Reward | None = None


class Explanation(msgspec.Struct, frozen=True):
    """All rewards of one order, including those not due, with the limits that applied."""

    plan: str
    net: Fen
    """Paid for all lines together."""
    cap: Fen | None
    """The plan's cap on this order; `None` without one."""
    limit: Fen
    """The most that all rewards together could be: the lower of the cap and what was paid for the measured lines."""
    cases: tuple[Case, ...]


class WhatIf(msgspec.Struct, frozen=True):
    """The amount of one reward if one thing had been different when its order was placed."""

    what: Literal["role", "referrer_role", "cap", "binding"]
    """`role`: the earner's role. `referrer_role`: that of the buyer's referrer. `cap`: no cap. `binding`: not over."""
    value: str
    amount: Fen


EventKind: TypeAlias = Literal[
    "bind", "owner", "promote", "demote", "appoint", "erase", "benefit", "benefit_undone", "person"
]


class Event(msgspec.Struct, frozen=True):
    """A change of an edge or a role. Its id follows from its cause, so it is stored once; it never changes."""

    id: str
    kind: EventKind
    member_id: str
    at: datetime
    cause: str
    """The order or the operator behind it."""
    details: Mapping[str, Any]
    """The values before the change, enough to rebuild the history of every edge."""


def revocation_id(coupon_id: str) -> str:
    """The id of the event that revokes a coupon."""
    return _COUPON_REVOKED + coupon_id.removeprefix(_COUPON)


def revoked_coupon(event: Event) -> str | None:
    """The id of the coupon that an event revokes; None if the event revokes none."""
    return _COUPON + event.id.removeprefix(_COUPON_REVOKED) if event.kind == "benefit_undone" else None


def holder_of(coupon_id: str) -> str:
    """The member to whom a coupon was granted."""
    return coupon_id.removeprefix(_COUPON).rpartition(".")[0]


class OrderFacts(msgspec.Struct, frozen=True):
    """What is known of an order now. Facts are only added; they may arrive in any order, in parts, and more than
    once."""

    order_id: str
    buyer_id: str
    snapshot: Snapshot
    placed_at: datetime
    net: Fen
    """Paid for the goods."""
    qualifying_net: Fen
    """Paid for its qualifying lines."""
    paid_at: datetime | None = None
    settled_at: datetime | None = None
    """When its return window and freeze ended."""
    qualifying_refunded: Fen = 0
    """Refunded of the qualifying lines so far, in total."""
    refunded_at: datetime | None = None


class CountedOrder(msgspec.Struct, frozen=True):
    """What the network has counted of one qualifying order so far, so that a repeat changes nothing."""

    order_id: str
    rev: int = 0
    qualifying: Qualifying = "not_yet"
    """Whether the order makes its buyer a distributor."""
    counting: Counting = "not_yet"
    """Whether the order counts for the buyer's referrer."""
    paid_at: datetime | None = None
    settled_at: datetime | None = None
    stopped_at: datetime | None = None
    """When more than half of the money for its qualifying lines was refunded."""
    events: tuple[str, ...] = ()
    """The ids of the events that the order caused."""


class Change(msgspec.Struct, frozen=True):
    """The writes of one decision, all or nothing. Each position and counted order has the `rev` it was read with."""

    positions: tuple[Position, ...] = ()
    counted: CountedOrder | None = None
    events: tuple[Event, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.positions or self.counted or self.events)


class TeamSale(msgspec.Struct, frozen=True):
    """Fen of net sales that settled under a plan version (`team_dividend@1`), below zero for a refund. `owner` is the
    owner of the buyer's team."""

    plan: str
    owner: str | None
    fen: Fen


class DividendShare(msgspec.Struct, frozen=True):
    """One team owner's share of the pool of one plan version and month."""

    plan: str
    member_id: str
    fen: Fen

    @property
    def key(self) -> str:
        """Its sort key among the shares of its month."""
        return f"{self.plan}#{self.member_id}"


class DivisionProgress(msgspec.Struct, frozen=True):
    """How far the shares of a month are paid: up to the one of key `reached`, their number and their sum."""

    reached: str = ""
    shares: int = 0
    total: Fen = 0
    finished: bool = False
