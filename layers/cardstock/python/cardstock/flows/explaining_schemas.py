"""The explanation of rewards as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment, OrderId, PlanRef, RefundId
from cardstock.edge.http import Model
from cardstock.ledger.model import Credit, MemberReward, RewardKind

if TYPE_CHECKING:
    from datetime import datetime

    from cardstock.flows.explaining import RewardsExplained
    from cardstock.network.model import WhatIf

# (zh-CN, en)
_REWARD_TEXTS: Final[dict[RewardKind, tuple[str, str]]] = {
    "direct": ("推荐奖励", "referral reward"),
    "team": ("团队奖励", "team reward"),
    "peer": ("平级奖励", "peer reward"),
}
_ROLE_TEXTS: Final = {
    "member": ("会员", "a member"),
    "distributor": ("分销商", "a distributor"),
    "partner": ("合伙人", "a partner"),
}
_EDGES: Final[dict[RewardKind, Literal["referrer", "owner", "peer"]]] = {
    "direct": "referrer",
    "team": "owner",
    "peer": "peer",
}
_EDGE_TEXTS: Final = {
    "referrer": ("买家由您推荐", "you brought the buyer"),
    "owner": ("买家属于您的团队", "the buyer belongs to your team"),
    "peer": ("获奖合伙人曾在您的团队", "the partner who earned came out of your team"),
}


class RewardClawBack(Model):
    """One refund's claw-back of a reward."""

    refund_id: RefundId
    amount_fen: Annotated[int, Meta(description="Fen that the refund took back.", examples=[3_825])]


class RewardAlternative(Model):
    """The amount of the reward if one thing had been different."""

    what: Annotated[
        Literal["role", "referrer_role", "cap", "refund"],
        Meta(description="The difference: the member's `role`, the `referrer_role`, no `cap` or no `refund`."),
    ]
    value: Annotated[str, Meta(description="The other role; `none` for a cap or refund.", examples=["partner"])]
    amount_fen: Annotated[int, Meta(description="Amount of the reward then, in fen.", examples=[30_000])]
    text: Annotated[
        str,
        Meta(
            description="The same as text, in the language of the request.",
            examples=["若下单时身份为合伙人：300.00 元。"],
        ),
    ]


class ExplainedReward(Model):
    """One reward, and the reasons for its amount."""

    reward: Annotated[RewardKind, Meta(description="Kind of the reward.", examples=["direct"])]
    edge: Annotated[
        Literal["referrer", "owner", "peer"],
        Meta(
            description="The caller's relation to the buyer; for a peer reward, to the partner who earned.",
            examples=["referrer"],
        ),
    ]
    role: Annotated[str, Meta(description="The caller's role when the order was placed.", examples=["partner"])]
    plan: Annotated[PlanRef, Meta(description="Plan and version under which the order was placed.")]
    rule: Annotated[str, Meta(description="Parameter of the plan that gave the rate.", examples=["direct_partner"])]
    rate: Annotated[
        int,
        Meta(description="In `unit`: fen for each qualifying unit, or basis points of `base_fen`.", examples=[1_500]),
    ]
    unit: Annotated[Literal["fen", "bps"], Meta(description="Unit of `rate`: fen or basis points.", examples=["bps"])]
    base_fen: Annotated[
        int,
        Meta(
            description="Base of a rate in basis points, in fen; for a peer reward, the partner's reward.",
            examples=[153_000],
        ),
    ]
    full_fen: Annotated[int, Meta(description="Amount of the rule, in fen.", examples=[22_950])]
    limited_fen: Annotated[
        int, Meta(description="That amount after the limit to what was paid, in fen.", examples=[22_950])
    ]
    cap_cut_fen: Annotated[
        int,
        Meta(
            description="Fen removed by the plan's cap, or by the limit to what was paid for all measured lines.",
            examples=[0],
        ),
    ]
    amount_fen: Annotated[int, Meta(description="Credited fen.", examples=[22_950])]
    taken_back: Annotated[list[RewardClawBack], Meta(description="What refunds took back, oldest first.")]
    rest_fen: Annotated[int, Meta(description="Fen left after refunds.", examples=[19_125])]
    state: Annotated[
        Literal["frozen", "available"],
        Meta(description="Whether it is still frozen, or available.", examples=["frozen"]),
    ]
    accrued_at: Annotated[Moment, Meta(description="When it was credited.")]
    released_at: Annotated[Moment | None, Meta(description="When it became available; null while it is frozen.")]
    available_from: Annotated[
        Moment | None,
        Meta(description="When its windows end; null before the receipt. An open after-sale delays the release."),
    ]
    text: Annotated[
        str,
        Meta(
            description="The reward as text, in the language of the request.",
            examples=["推荐奖励：买家由您推荐。下单时身份为合伙人，1530.00 元的 15.00%，共 229.50 元。"],
        ),
    ]
    otherwise: Annotated[
        list[RewardAlternative], Meta(description="What would have changed the amount, one thing at a time.")
    ]


class Explanation(Model):
    """The caller's rewards on one order."""

    order_id: OrderId
    items: Annotated[list[ExplainedReward], Meta(description="The caller's rewards on the order.")]
    held: Annotated[bool, Meta(description="Whether a compliance hold keeps the order's rewards frozen.")]

    @classmethod
    def of(cls, explained: RewardsExplained, language: str) -> Explanation:
        """A member's rewards on an order, in `zh` or `en`."""
        items = [
            _reward(reward, explained.what_if.get(reward.credit.reward, ()), explained.opens_at, language == "en")
            for reward in explained.rewards
        ]
        return cls(explained.order_id, items, held=explained.held)


def _alternatives(reward: MemberReward, what_if: Sequence[WhatIf], english: bool) -> list[RewardAlternative]:
    texts = {
        "role": ("若下单时身份为{}", "As {} when the order was placed"),
        "referrer_role": ("若买家的推荐人是{}", "Had the buyer's referrer been {}"),
        "cap": ("若计划不设上限", "Without the plan's cap"),
        "refund": ("若没有退款", "Without the refunds"),
    }
    found: list[tuple[Literal["role", "referrer_role", "cap", "refund"], str, int]] = [
        (other.what, other.value, other.amount) for other in what_if
    ]
    if reward.rest != reward.credit.amount:
        found.append(("refund", "none", reward.credit.amount))
    return [
        RewardAlternative(
            what,
            value,
            amount,
            texts[what][english].format(_ROLE_TEXTS.get(value, ("", ""))[english])
            + (f": {_yuan(amount)} yuan." if english else f"：{_yuan(amount)} 元。"),
        )
        for what, value, amount in found
    ]


def _reward(
    explained: MemberReward, what_if: Sequence[WhatIf], opens_at: datetime | None, english: bool
) -> ExplainedReward:
    credit = explained.credit
    return ExplainedReward(
        reward=credit.reward,
        edge=_EDGES[credit.reward],
        role=credit.role,
        plan=explained.plan,
        rule=credit.rule,
        rate=credit.rate,
        unit=credit.unit,  # type: ignore[arg-type]  # a plan's amounts have these two units
        base_fen=credit.base,
        full_fen=credit.full,
        limited_fen=credit.limited,
        cap_cut_fen=credit.cap_cut,
        amount_fen=credit.amount,
        taken_back=[RewardClawBack(refund_id, amount) for refund_id, amount in explained.claws],
        rest_fen=explained.rest,
        state=explained.state,
        accrued_at=rfc3339(explained.accrued_at),
        released_at=None if explained.released_at is None else rfc3339(explained.released_at),
        available_from=None if opens_at is None else rfc3339(opens_at),
        text=_text(credit, english),
        otherwise=_alternatives(explained, what_if, english),
    )


def _text(credit: Credit, english: bool) -> str:
    """The reasons for a reward's amount, in one sentence."""
    edge = _EDGES[credit.reward]
    name, role, why = (
        _REWARD_TEXTS[credit.reward][english],
        _ROLE_TEXTS[credit.role][english],
        _EDGE_TEXTS[edge][english],
    )
    total, rate, full, cut = _yuan(credit.amount), _yuan(credit.rate), _yuan(credit.full), credit.amount < credit.full
    if english:
        measure = "of that partner's reward" if edge == "peer" else f"of {_yuan(credit.base)} yuan"
        each = f"{rate} yuan a unit" if credit.unit == "fen" else f"{rate} % {measure}"
        all_of_it = (
            f"{full} yuan in all, of which the plan and what was paid leave {total}" if cut else f"{total} yuan in all"
        )
        return f"A {name} because {why}: as {role} when the order was placed, {each}, {all_of_it}."
    measure = "该合伙人奖励" if edge == "peer" else f"{_yuan(credit.base)} 元"
    each = f"每件 {rate} 元" if credit.unit == "fen" else f"{measure}的 {rate}%"
    all_of_it = f"共 {full} 元，按方案规则及实付金额实得 {total} 元" if cut else f"共 {total} 元"
    return f"{name}：{why}。下单时身份为{role}，{each}，{all_of_it}。"


def _yuan(fen: int) -> str:
    """Hundredths as decimals: fen as yuan, basis points as percent."""
    return f"{fen // 100}.{fen % 100:02d}"
