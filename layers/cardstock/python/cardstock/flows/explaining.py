"""Explain a member's rewards on one order: rule, role, rate, limits, refunds, and what would have changed them."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from cardstock.compliance.ports import Holds
from cardstock.errors import NOT_FOUND
from cardstock.flows.rewarding import PlanRules
from cardstock.ledger.model import MemberReward, RewardKind
from cardstock.ledger.ports import Books
from cardstock.ledger.standing import rewards_of_member
from cardstock.network.model import WhatIf
from cardstock.orders.ports import Orders


class ExplainingNeeds(msgspec.Struct, frozen=True):
    """The reads of an explanation."""

    books: Books
    orders: Orders
    rules: PlanRules
    holds: Holds


class RewardsExplained(msgspec.Struct, frozen=True):
    """A member's rewards on an order. `opens_at`: the end of its windows; None before the receipt. `held`: whether
    compliance holds its rewards."""

    order_id: str
    rewards: tuple[MemberReward, ...]
    what_if: Mapping[RewardKind, tuple[WhatIf, ...]]
    opens_at: datetime | None
    held: bool


def explain_rewards(order_id: str, member_id: str, needs: ExplainingNeeds) -> RewardsExplained:
    """A member's rewards on one order. Raises `NotFoundError` if the member has none."""
    rewards = rewards_of_member(order_id, member_id, books=needs.books)
    order = needs.orders.find_order(order_id)
    if order is None:
        raise NOT_FOUND()
    hold = needs.holds.find_hold(order_id)
    held = hold is not None and hold.state == "open"
    return RewardsExplained(order_id, rewards, needs.rules.what_if(order), needs.rules.opens_at(order), held)
