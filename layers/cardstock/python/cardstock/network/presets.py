"""The plans that ship, as data. A preset is a draft: change what you need, then publish it under your own id.

`unlock` is the safe preset and is in force until another plan is published.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from cardstock.network.plan import Amount, Plan

UNLOCK: Final = Plan(
    id="unlock",
    version=0,
    title="推荐两人解锁会员权益",
    preset="unlock",
    price=49_900,
    benefit="unlock",
    benefit_n=2,
    benefit_coupon=2_000,
    earners="anyone",
    promote_n=0,
)
"""Two verified referrals unlock a coupon, once. No cash."""

FREE_ORDER: Final = Plan(
    id="free_order",
    version=0,
    title="两位好友购买，第三单免单",
    preset="free_order",
    price=49_900,
    benefit="free_order",
    benefit_n=2,
    earners="anyone",
    promote_n=0,
    promote_on="paid",
    on_refund="demote",
)
"""Two friends who pay make a member's third order free, once; revoked when a friend refunds."""

SINGLE_LEVEL: Final = Plan(
    id="single_level",
    version=0,
    title="一级推荐奖励",
    preset="single_level",
    price=49_900,
    earners="anyone",
    direct_distributor=Amount(1000, "bps"),
    direct_partner=Amount(1000, "bps"),
    promote_n=0,
)
"""Cash on one level for any member, within the cap."""

CHAIN21: Final = Plan(
    id="chain21",
    version=0,
    title="2+1 合伙人计划",
    preset="chain21",
    price=49_900,
    earners="qualified",
    direct_distributor=Amount(10_000),
    direct_partner=Amount(30_000),
    team=Amount(20_000),
    peer_bps=1000,
    promote_n=2,
    cap_bps=None,
    max_levels=2,
)
"""Two referrals make a partner. Publishing is refused until named people have approved with reasons."""

TEAM_DIVIDEND: Final = replace(
    CHAIN21, id="team_dividend", title="2+1 合伙人计划（含团队分红）", preset="team_dividend", dividend_bps=200
)
"""`chain21`, and team owners share a pool of each month's sales."""

PRESETS: Final[Mapping[str, Plan]] = {
    plan.preset: plan for plan in (UNLOCK, FREE_ORDER, SINGLE_LEVEL, CHAIN21, TEAM_DIVIDEND)
}

DEFAULT_PLAN: Final = UNLOCK
"""In force, as version 0, until a plan is published."""
