"""What the referral network knows: plans, positions of members, what an order remembers of both, and rewards.

A `Plan` is immutable once published. A `Node` is one member's position; every rule looks at no more than four of them,
so nothing costs more in a larger network. A `Snapshot` is what an order keeps of plan and positions when it is placed,
and all that its rewards ever depend on.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, TypeVar, get_args

import msgspec
from msgspec.structs import fields

from cardstock.errors import Pointer
from cardstock.money import BPS_ONE, MAX_FEN, Bps, Fen
from cardstock.network import errors

Role: TypeAlias = Literal["member", "distributor", "partner"]
Benefit: TypeAlias = Literal["cash", "unlock", "free_order"]
Earners: TypeAlias = Literal["anyone", "qualified"]
PromoteOn: TypeAlias = Literal["settled", "paid"]
OnRefund: TypeAlias = Literal["keep", "demote"]
LeaveMode: TypeAlias = Literal["leave_recruits", "keep_recruits", "none"]
PeerFunding: TypeAlias = Literal["brand", "earner"]
RewardKind: TypeAlias = Literal["direct", "team", "peer"]
Edge: TypeAlias = Literal["referrer", "owner", "peer"]
Unit: TypeAlias = Literal["fen", "bps"]

Thing = TypeVar("Thing")

MAX_PROMOTE_N: Final = 20
"""A promotion may move that many recruits in one transaction; their ids must fit beside the member's own position."""
MAX_DAYS: Final = 3650
_BENEFIT: Final = "benefit."
_BENEFIT_UNDONE: Final = "benefit-undone."


class Amount(msgspec.Struct, frozen=True):
    """What a reward is worth: `fen` for each unit on qualifying lines, or `bps` of the net paid lines."""

    value: int
    unit: Unit = "fen"


NOTHING: Final = Amount(0)


class Plan(msgspec.Struct, frozen=True):
    """Every parameter of a reward plan. `version` 0 is a draft; a published version never changes.

    Units: amounts in fen, `_bps` in basis points, `_days` in whole days of 24 hours.
    """

    id: str
    version: int
    title: str
    preset: str
    """The preset it started from, for people; no rule reads it."""
    price: Fen
    """Price of the qualifying product that the checks at publishing reckon with. No reward reads it."""
    benefit: Benefit = "cash"
    """`cash` rewards, or one benefit per member without cash: an unlocked entitlement, or one free order."""
    benefit_n: int = 0
    """Referrals that earn the benefit, once."""
    benefit_coupon: Fen = 0
    """What the coupon of an unlocked entitlement takes off one order. A free order takes off `price`."""
    earners: Earners = "qualified"
    direct_distributor: Amount = NOTHING
    direct_partner: Amount = NOTHING
    team: Amount = NOTHING
    peer_bps: Bps = 0
    promote_n: int = 2
    """Qualified referrals that make a distributor a partner; 0: no promotion."""
    promote_on: PromoteOn = "settled"
    on_refund: OnRefund = "keep"
    leave_mode: LeaveMode = "leave_recruits"
    freeze_days: int = 7
    cap_bps: Bps | None = 3000
    """All rewards of one order together, of its net paid; `None`: no cap."""
    max_levels: Literal[1, 2] = 1
    """Paid sales levels: 1 the direct reward alone, 2 the team and peer rewards too. There is no third."""
    binding_days: int | None = None
    """How long after the binding the direct reward is paid; `None`: always."""
    return_days: int = 7
    payout_minimum: Fen = 1000
    peer_funding: PeerFunding = "brand"
    dividend_bps: Bps = 0
    """Share of a period's net sales that team owners divide by their teams' sales; 0: no dividend."""

    @property
    def ref(self) -> str:
        """`chain21@3`: plan and version in one word."""
        return f"{self.id}@{self.version}"

    @property
    def waits_days(self) -> int:
        """Days from the receipt of an order to the end of both its return window and its freeze."""
        return max(self.return_days, self.freeze_days)

    def to_dict(self) -> dict[str, Any]:
        """All parameters as JSON-able data, amounts as `{"value", "unit"}`."""
        return {
            f.name: {"value": value.value, "unit": value.unit} if isinstance(value, Amount) else value
            for f in fields(self)
            for value in (getattr(self, f.name),)
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> "Plan":
        """The inverse of `to_dict`; parameters that are absent take their default.

        Raises `InvalidError` naming every field that is unknown, missing, of a wrong type or out of its bounds.
        """
        wrong = [Pointer(f"/{name}", "unknown") for name in data if name not in _PARAMETERS]
        wrong += [
            Pointer(f"/{name}", "missing") for name in ("id", "version", "title", "preset", "price") if name not in data
        ]
        values = dict(data)
        for name in sorted(_AMOUNTS & values.keys()):
            amount = _amount(values[name])
            if amount is None:
                wrong.append(Pointer(f"/{name}", "amount"))
            else:
                values[name] = amount
        for name, choices in _CHOICES.items():
            if name in values and (type(values[name]) not in (str, int) or values[name] not in choices):
                wrong.append(Pointer(f"/{name}", "choice"))
        for name, (low, high) in _RANGES.items():
            value = values.get(name, low)
            if value is None and name in _OPTIONAL:
                continue
            if type(value) is not int or not low <= value <= high:
                wrong.append(Pointer(f"/{name}", "range"))
        for name, longest in _TEXTS.items():
            value = values.get(name, "-")
            if type(value) is not str or not 1 <= len(value) <= longest:
                wrong.append(Pointer(f"/{name}", "text"))
        if isinstance(values.get("id"), str) and not _is_key(values["id"]):
            wrong.append(Pointer("/id", "key"))
        if wrong:
            raise errors.PLAN_INVALID(pointers=tuple(wrong))
        return Plan(**values)


_PARAMETERS: Final = frozenset(f.name for f in fields(Plan))
_AMOUNTS: Final = frozenset({"direct_distributor", "direct_partner", "team"})
_OPTIONAL: Final = frozenset({"cap_bps", "binding_days"})
_TEXTS: Final = {"id": 32, "title": 60, "preset": 32}
_CHOICES: Final[Mapping[str, tuple[object, ...]]] = {
    "benefit": get_args(Benefit),
    "earners": get_args(Earners),
    "promote_on": get_args(PromoteOn),
    "on_refund": get_args(OnRefund),
    "leave_mode": get_args(LeaveMode),
    "max_levels": (1, 2),
    "peer_funding": get_args(PeerFunding),
}
_RANGES: Final = {
    "version": (0, 10**8),
    "price": (1, MAX_FEN),
    "benefit_n": (0, MAX_PROMOTE_N),
    "benefit_coupon": (0, MAX_FEN),
    "peer_bps": (0, BPS_ONE),
    "promote_n": (0, MAX_PROMOTE_N),
    "freeze_days": (0, MAX_DAYS),
    "cap_bps": (0, BPS_ONE),
    "binding_days": (1, MAX_DAYS),
    "return_days": (0, MAX_DAYS),
    "payout_minimum": (0, MAX_FEN),
    "dividend_bps": (0, BPS_ONE),
}


def _is_key(text: str) -> bool:
    return all(letter in "abcdefghijklmnopqrstuvwxyz0123456789_-" for letter in text)


def _amount(value: object) -> Amount | None:
    if isinstance(value, Amount):
        value = {"value": value.value, "unit": value.unit}
    if not isinstance(value, Mapping) or value.keys() != {"value", "unit"}:
        return None
    number, unit = value["value"], value["unit"]
    if type(number) is not int or type(unit) is not str or unit not in get_args(Unit):
        return None
    if not 0 <= number <= (BPS_ONE if unit == "bps" else MAX_FEN):
        return None
    return Amount(number, unit)  # type: ignore[arg-type]  # membership in get_args(Unit) was checked above


class Node(msgspec.Struct, frozen=True):
    """One member's position in the network.

    `referrer` is set once. `owner` is the team the member belongs to: until `fixed`, only what was true at his binding
    or his last paid order. `rev` counts the writes of the stored position and is the condition of the next one;
    0: nothing is stored yet.
    """

    id: str
    rev: int = 0
    referrer: str | None = None
    bound_at: datetime | None = None
    owner: str | None = None
    owner_at: datetime | None = None
    """When what changed his owner last happened: the placing of an order, the binding, a promotion. No older order
    changes him, and none does it twice, unless it is his qualifying purchase."""
    fixed: bool = False
    """His qualifying purchase has fixed the owner."""
    peer: str | None = None
    """Whose team he left when he became a partner."""
    has_referred: bool = False
    has_paid: bool = False
    partner: bool = False
    appointed: bool = False
    keeps_owner: bool = False
    """He became a partner under `leave_mode` `none`."""
    ascents: int = 0
    """How often he was promoted by the rules; the `n` of `promote.{member}.{n}`."""
    needed: int = 0
    """The `promote_n` of his last promotion: with fewer who count, a plan that demotes takes the role."""
    holding: int = 0
    """His own qualifying orders that make him a distributor."""
    counting: int = 0
    """His own qualifying orders that count for his referrer; he counts while it is not 0."""
    counted: int = 0
    """Directly referred people who count now."""
    first: tuple[str, ...] = ()
    """The earliest of them, at most `MAX_PROMOTE_N`, in the order in which they began to count."""
    verified: bool = False
    """He is a verified person, and counts as such for his referrer."""
    verified_referrals: int = 0
    benefits: int = 0
    """How often a plan without cash gave him its benefit; once, unless it was undone in between."""
    benefit_held: bool = False
    erased_at: datetime | None = None

    @property
    def role(self) -> Role:
        """What he is now: a partner above all, a distributor while an own qualifying order holds."""
        return "partner" if self.partner else "distributor" if self.holding else "member"

    @property
    def erased(self) -> bool:
        """Whether he was erased: he keeps his place, and earns and counts nothing."""
        return self.erased_at is not None

    @property
    def benefit_id(self) -> str:
        """The id of the event that gave him his newest benefit: what an order names to use it."""
        return f"{_BENEFIT}{self.id}.{self.benefits}"


class Person(msgspec.Struct, frozen=True):
    """Somebody as an order found him."""

    id: str
    role: Role
    erased: bool = False

    def to_compact(self) -> str:
        """Role, whether he was erased, and id in one word: `p:mem_..`."""
        return f"{self.role[0]}{'!' if self.erased else ':'}{self.id}"

    @staticmethod
    def from_compact(text: str) -> "Person":
        """The inverse of `to_compact`."""
        return Person(text[2:], _ROLE_OF[text[0]], text[1] == "!")


_ROLE_OF: Final[Mapping[str, Role]] = {"m": "member", "d": "distributor", "p": "partner"}


class Snapshot(msgspec.Struct, frozen=True):
    """What an order keeps of plan and network when it is placed. Later changes of either do not touch it."""

    plan_id: str
    plan_version: int
    buyer_role: Role = "member"
    referrer: Person | None = None
    owner: Person | None = None
    peer: Person | None = None
    """The peer of the partner among referrer and owner who can earn on this order."""
    lapsed: bool = False
    """The plan's binding period was over: no direct reward."""

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
    """One line of an order as the rewards see it. `net`: fen paid for all its units, coupons off, no freight."""

    sku: str
    units: int
    net: Fen
    qualifying: bool = False
    earns: bool = True


class Reward(msgspec.Struct, frozen=True):
    """One person's reward on one order.

    `full` is what the rule gives, `limited` what is left after the limit to what was paid and after paying for a peer
    reward, `amount` what remains after the order's cap: the fen that are accrued.
    """

    kind: RewardKind
    member_id: str
    role: Role
    rule: str
    """The plan's parameter that was used: `direct_partner`, `direct_distributor`, `team`, `peer_bps`."""
    rate: Amount
    measured: tuple[Fen, ...]
    """For each line of the order: what was paid for it if the reward is measured on it, else 0."""
    full: Fen
    limited: Fen
    amount: Fen

    @property
    def base(self) -> Fen:
        """What was paid for the lines it is measured on."""
        return sum(self.measured)

    @property
    def cap_cut(self) -> Fen:
        """What the cap (or the limit to the money paid for all measured lines) took away."""
        return self.limited - self.amount


class Refunded(msgspec.Struct, frozen=True):
    """What has been given back of an order so far, per line: whole units, and fen in all."""

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
    """Why one kind of reward came to what it did on one order."""

    kind: RewardKind
    outcome: Outcome
    person: Person | None
    edge: Edge
    reward: Reward | None = None


class Explanation(msgspec.Struct, frozen=True):
    """All rewards of one order, those that were not due included, with the limits that applied."""

    plan: str
    net: Fen
    """Paid for all lines."""
    cap: Fen | None
    """The plan's cap on this order; `None`: the plan has none."""
    limit: Fen
    """What all rewards together could not exceed: the cap or what was paid for the measured lines, the lower."""
    cases: tuple[Case, ...]


class WhatIf(msgspec.Struct, frozen=True):
    """What one reward would have come to, had one thing been different when its order was placed."""

    what: Literal["role", "referrer_role", "cap"]
    """`role`: his own. `referrer_role`: that of the buyer's referrer, who stands before a team owner. `cap`: none."""
    value: str
    amount: Fen


EventKind: TypeAlias = Literal["bind", "owner", "promote", "demote", "appoint", "erase", "benefit", "benefit_undone"]


class Event(msgspec.Struct, frozen=True):
    """A change of an edge or a role. Its id follows from its cause alone, so it happens once; it is never edited."""

    id: str
    kind: EventKind
    member_id: str
    at: datetime
    cause: str
    """The order or the operator behind it."""
    details: Mapping[str, Any]
    """What was before: enough to tell the history of every edge without guessing."""


def undoing_of(benefit_id: str) -> str:
    """The id of the event that takes a benefit back."""
    return _BENEFIT_UNDONE + benefit_id.removeprefix(_BENEFIT)


def undone_by(event: Event) -> str | None:
    """The benefit that an event takes back, if it is one that does."""
    return _BENEFIT + event.id.removeprefix(_BENEFIT_UNDONE) if event.kind == "benefit_undone" else None


def holder_of(benefit_id: str) -> str:
    """The member to whom a benefit was given."""
    return benefit_id.removeprefix(_BENEFIT).rpartition(".")[0]


class OrderFacts(msgspec.Struct, frozen=True):
    """What is known of an order now. Facts only grow: they may arrive in any order, in parts, and more than once."""

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
    """When its return window (and freeze) were over."""
    qualifying_refunded: Fen = 0
    """Given back of the qualifying lines so far, in all."""
    refunded_at: datetime | None = None


class Mark(msgspec.Struct, frozen=True):
    """What the network has already drawn from one qualifying order: the reason why a repeat changes nothing."""

    order_id: str
    rev: int = 0
    paid_at: datetime | None = None
    settled_at: datetime | None = None
    stopped_at: datetime | None = None
    """When more than half of its qualifying lines' money had been given back."""
    held: bool = False
    """It makes its buyer a distributor now."""
    began: bool = False
    """It has begun to count for the referrer ..."""
    ended: bool = False
    """... and has stopped."""
    events: tuple[str, ...] = ()
    """The ids of the events that it caused."""


class Change(msgspec.Struct, frozen=True):
    """What one decision writes, all or nothing. Each node and mark carries the `rev` it was read with."""

    nodes: tuple[Node, ...] = ()
    mark: Mark | None = None
    events: tuple[Event, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.nodes or self.mark or self.events)


Check: TypeAlias = Literal[
    "benefit",
    "cap",
    "dividend",
    "fee",
    "freeze",
    "head_count",
    "levels",
    "peer",
    "return_window",
    "role_survives_return",
    "words",
]
Verdict: TypeAlias = Literal["refused", "needs_approval", "approved", "warning"]


class Approval(msgspec.Struct, frozen=True):
    """Who answers for one check of one plan, since when, and why."""

    check: Check
    by: str
    at: datetime
    reason: str


class Finding(msgspec.Struct, frozen=True):
    """One check that a plan does not simply pass."""

    check: Check
    verdict: Verdict
    clause: str
    """The rule of law or of this project behind the check."""
    found: str
    """The parameters that failed, as `name=value`."""
    passes: str
    """What would pass, as `name=value` or a bound."""
    approval: Approval | None = None

    def to_dict(self) -> dict[str, Any]:
        """All but the approval, as JSON-able data."""
        return {name: getattr(self, name) for name in ("check", "verdict", "clause", "found", "passes")}


class PublishedPlan(msgspec.Struct, frozen=True):
    """A version that was published, with what the guard said and who approved. Immutable."""

    plan: Plan
    published_at: datetime
    published_by: str
    approvals: tuple[Approval, ...] = ()
    findings: tuple[Finding, ...] = ()


class TeamSale(msgspec.Struct, frozen=True):
    """Fen of net sales that settled under a plan version (`team_dividend@1`), below zero for a refund. `owner`: whose
    team the buyer belonged to."""

    plan: str
    owner: str | None
    fen: Fen


class DividendShare(msgspec.Struct, frozen=True):
    """What one team owner gets of the pool of one plan version and month."""

    plan: str
    member_id: str
    fen: Fen

    @property
    def key(self) -> str:
        """Its place among the shares of its month."""
        return f"{self.plan}#{self.member_id}"


class Divided(msgspec.Struct, frozen=True):
    """How far the shares of a month are paid: up to the one of key `reached`, their number and their sum."""

    reached: str = ""
    shares: int = 0
    total: Fen = 0
    finished: bool = False
