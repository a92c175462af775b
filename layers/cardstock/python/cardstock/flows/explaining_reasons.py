"""The reasons of an explanation with their texts (zh-CN, en), which describe one past order and promise nothing."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from cardstock.ledger.model import RewardKind

RewardStanding: TypeAlias = Literal["cut_to_zero", "refunded", "held", "awaits_receipt", "awaits_windows", "available"]
"""What a credited reward is now."""
NoRewardReason: TypeAlias = Literal[
    "own_order",
    "not_paid",
    "never_paid",
    "being_credited",
    "not_in_plan",
    "not_qualified",
    "binding_over",
    "referrer_is_partner",
    "owner_not_partner",
    "peer_not_partner",
    "no_earning_partner",
    "nothing_measured",
    "erased",
]
"""Why there is no reward: the outcome of the network's rules, or what the order lacks."""

REWARDS: Final[Mapping[RewardKind, tuple[str, str]]] = {
    "direct": ("推荐奖励", "referral reward"),
    "team": ("团队奖励", "team reward"),
    "peer": ("平级奖励", "peer reward"),
}
ROLES: Final = {
    "member": ("会员", "a member"),
    "distributor": ("分销商", "a distributor"),
    "partner": ("合伙人", "a partner"),
}
EDGES: Final = {
    "referrer": ("买家由您推荐", "you brought the buyer"),
    "owner": ("买家属于您的团队", "the buyer belongs to your team"),
    "peer": ("获奖合伙人曾在您的团队", "the partner who earned came out of your team"),
}
PLACES: Final = {
    "buyer": ("您是买家", "you are the buyer"),
    "referrer": ("买家由您推荐", "you brought the buyer"),
    "owner": ("买家属于您的团队", "the buyer belongs to your team"),
    "peer": ("买家所属合伙人曾在您的团队", "the buyer's partner came out of your team"),
}
ALTERNATIVES: Final = {
    "role": ("若下单时身份为{}", "As {} when the order was placed"),
    "referrer_role": ("若买家的推荐人是{}", "Had the buyer's referrer been {}"),
    "cap": ("若计划不设上限", "Without the plan's cap"),
    "binding": ("若推荐关系当时仍在有效期内", "Had the referral still been valid"),
    "refund": ("若没有退款", "Without the refunds"),
}
STANDINGS: Final[Mapping[RewardStanding, tuple[str, str]]] = {
    "cut_to_zero": (
        "按方案上限及实付金额计算后为零。",
        "The plan's cap and what was paid leave nothing of it.",
    ),
    "refunded": ("订单已退款，奖励已全部扣回。", "The order was refunded, and the whole reward was taken back."),
    "held": (
        "该订单正在合规核查，核查结束前不解冻。",
        "A compliance check holds this order; the reward stays frozen until it ends.",
    ),
    "awaits_receipt": (
        "待买家确认收货；退货期和冻结期自收货起算。",
        "Waits for the buyer's receipt, from which the return window and the freeze count.",
    ),
    "awaits_windows": (
        "退货期或冻结期尚未结束，或售后尚未完结。",
        "The return window, the freeze or an after-sale is not over yet.",
    ),
    "available": ("已解冻。", "It is available."),
}
REASONS: Final[Mapping[NoRewardReason, tuple[str, str]]] = {
    "own_order": ("本人下的订单不计奖励，任何身份都一样", "nobody earns on an own order, in any role"),
    "not_paid": (
        "订单尚未支付，支付后才按下单时的规则计算",
        "the order is not paid yet; the rules of its placing apply once it is",
    ),
    "never_paid": (
        "订单已取消或超时，未支付的订单不计奖励",
        "the order was cancelled or expired, and nothing is earned on an order without a payment",
    ),
    "being_credited": (
        "订单已支付，正在记账，通常几秒后可见",
        "the order is paid and is being booked, which takes some seconds",
    ),
    "not_qualified": (
        "按该方案，会员身份不计此项奖励，仅分销商和合伙人计",
        "under this plan a member does not earn it, only distributors and partners do",
    ),
    "binding_over": (
        "推荐关系已超过方案规定的有效天数",
        "the referral was older than the plan's number of days",
    ),
    "referrer_is_partner": (
        "买家的推荐人本身是合伙人，此时不计团队奖励",
        "the buyer's referrer is a partner, and then no team reward is due",
    ),
    "owner_not_partner": ("下单时您不是合伙人，团队奖励仅合伙人计", "only a partner earns it, which you were not"),
    "peer_not_partner": ("下单时您不是合伙人，平级奖励仅合伙人计", "only a partner earns it, which you were not"),
    "no_earning_partner": (
        "该订单没有合伙人获得奖励，平级奖励无从计算",
        "no partner earned on this order, and the peer reward is a share of a partner's reward",
    ),
    "nothing_measured": (
        "订单中没有计算此项奖励的商品或实付金额",
        "the order has no goods, or no money paid, that this reward is measured on",
    ),
    "not_in_plan": ("下单时适用的方案没有此项现金奖励", "the plan of the order has no such reward in money"),
    "erased": ("您的账户在下单前已注销", "your account was erased before the order was placed"),
}
