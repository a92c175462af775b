"""Explain a member's rewards on one order, and the rewards that the member did not get: rule, role, reason, and what
would have changed it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, cast

import msgspec

from cardstock.compliance.model import Hold
from cardstock.compliance.ports import Holds
from cardstock.errors import NOT_FOUND
from cardstock.flows.explaining_reasons import NoRewardReason, RewardStanding
from cardstock.flows.rewarding import PlanRules
from cardstock.ledger.model import MemberReward, RewardKind
from cardstock.ledger.ports import Books
from cardstock.ledger.standing import rewards_of_member
from cardstock.network.model import Case, Edge, Person, Role, Snapshot, WhatIf
from cardstock.orders.model import Order
from cardstock.orders.ports import Orders

_NEVER_PAID: Final = ("cancelled", "expired")


class ExplainingNeeds(msgspec.Struct, frozen=True):
    """The reads of an explanation."""

    books: Books
    orders: Orders
    rules: PlanRules
    holds: Holds


class NoReward(msgspec.Struct, frozen=True):
    """A kind of reward that a member's place in an order's chain could give, and that gives nothing.

    `kind` is None, and `edge` is `buyer`, for the member's own order.
    """

    kind: RewardKind | None
    edge: Edge | Literal["buyer"]
    role: Role
    reason: NoRewardReason
    otherwise: tuple[WhatIf, ...] = ()


class RewardsExplained(msgspec.Struct, frozen=True):
    """A member's rewards on an order, and those that the member did not get. `opens_at`: the end of its windows; None
    before the receipt. `held`: whether compliance holds its rewards."""

    order_id: str
    plan: str
    rewards: tuple[MemberReward, ...]
    not_due: tuple[NoReward, ...]
    what_if: Mapping[RewardKind, tuple[WhatIf, ...]]
    opens_at: datetime | None
    held: bool

    def standing_of(self, reward: MemberReward) -> RewardStanding:
        """What a credited reward is now, and so why its money cannot be paid out yet, or never."""
        found: RewardStanding = "awaits_windows"
        if not reward.credit.amount:
            found = "cut_to_zero"
        elif not reward.rest:
            found = "refunded"
        elif reward.state == "available":
            found = "available"
        elif self.held:
            found = "held"
        elif self.opens_at is None:
            found = "awaits_receipt"
        return found


def explain_rewards(order_id: str, member_id: str, needs: ExplainingNeeds) -> RewardsExplained:
    """A member's rewards on one order, or why there are none, if the member is its buyer or was in its referral chain
    (referrer, team owner, peer) when it was placed. Raises `NotFoundError` otherwise."""
    order = needs.orders.find_order(order_id)
    if order is None or member_id not in (order.member_id, *_chain(order)):
        raise NOT_FOUND()
    rewards, booked = rewards_of_member(order_id, member_id, books=needs.books)
    hold = needs.holds.find_hold(order_id)
    return explain(order, member_id, rewards, needs.rules, booked=booked, held=is_open(hold))


def explain(
    order: Order, member_id: str, rewards: tuple[MemberReward, ...], rules: PlanRules, *, booked: bool, held: bool
) -> RewardsExplained:
    """A member's `rewards` on an order as it is given, and why there are no others. `booked`: whether any reward of the
    order is; `held`: whether compliance holds them."""
    snapshot = Snapshot.from_compact(order.snapshot)
    return RewardsExplained(
        order.order_id,
        f"{snapshot.plan_id}@{snapshot.plan_version}",
        rewards,
        _not_due(order, snapshot, member_id, rules, booked=booked),
        rules.what_if(order),
        rules.opens_at(order),
        held,
    )


def is_open(hold: Hold | None) -> bool:
    """Whether there is a hold that nobody has lifted."""
    return hold is not None and hold.state == "open"


def _chain(order: Order) -> list[str]:
    """The members in the order's referral chain."""
    snapshot = Snapshot.from_compact(order.snapshot)
    return [person.id for person in (snapshot.referrer, snapshot.owner, snapshot.peer) if person is not None]


def _not_due(
    order: Order, snapshot: Snapshot, member_id: str, rules: PlanRules, *, booked: bool
) -> tuple[NoReward, ...]:
    if member_id == order.member_id:
        return (NoReward(None, "buyer", snapshot.buyer_role, "own_order"),)
    found = [
        NoReward(case.kind, case.edge, case.person.role, _reason(order, case), _alternatives(order, what_if))
        for case, what_if in rules.not_due(order)
        if case.person is not None and case.person.id == member_id and not _shares(case, snapshot.referrer)
    ]
    if not booked:
        found += [
            NoReward(credit.reward, _EDGES[credit.reward], _role_of(snapshot, member_id), _missing(order))
            for credit in rules.accrual(order).credits
            if credit.member_id == member_id
        ]
    return tuple(found)


_EDGES: Final[Mapping[RewardKind, Edge]] = {"direct": "referrer", "team": "owner", "peer": "peer"}


def _shares(case: Case, referrer: Person | None) -> bool:
    """Whether the team reward is not due because its owner is the partner who has the direct reward of the order."""
    return case.outcome == "referrer_is_partner" and referrer is not None and referrer == case.person


def _reason(order: Order, case: Case) -> NoRewardReason:
    # A case without a reward, whose place somebody holds, has none of the three other outcomes.
    return "never_paid" if order.status in _NEVER_PAID else cast("NoRewardReason", case.outcome)


def _missing(order: Order) -> NoRewardReason:
    """Why a reward that the rules would give is not booked."""
    if order.status in _NEVER_PAID:
        return "never_paid"
    return "being_credited" if order.is_paid else "not_paid"


def _alternatives(order: Order, what_if: tuple[WhatIf, ...]) -> tuple[WhatIf, ...]:
    """No amounts for an order without a payment: nothing was earned on it."""
    return what_if if order.is_paid else ()


def _role_of(snapshot: Snapshot, member_id: str) -> Role:
    persons = (snapshot.referrer, snapshot.owner, snapshot.peer)
    return next(person.role for person in persons if person is not None and person.id == member_id)
