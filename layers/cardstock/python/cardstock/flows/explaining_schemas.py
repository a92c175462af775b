"""The explanation of rewards as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment, OrderId, PlanRef, RefundId
from cardstock.edge.http import Model
from cardstock.flows import explaining_reasons as texts
from cardstock.flows.explaining_reasons import NoRewardReason, RewardStanding
from cardstock.ledger.model import Credit, MemberReward, RewardKind

if TYPE_CHECKING:
    from cardstock.flows.explaining import NoReward, RewardsExplained
    from cardstock.network.model import WhatIf

_EDGES: Final[dict[RewardKind, Literal["referrer", "owner", "peer"]]] = {
    "direct": "referrer",
    "team": "owner",
    "peer": "peer",
}


class RewardClawBack(Model):
    """One refund's claw-back of a reward."""

    refund_id: RefundId
    amount_fen: Annotated[int, Meta(description="Fen that the refund took back.", examples=[3_825])]


class RewardAlternative(Model):
    """The amount of the reward if one thing had been different."""

    what: Annotated[
        Literal["role", "referrer_role", "cap", "binding", "refund"],
        Meta(
            description="The difference: the member's `role`, the `referrer_role`, no `cap`, a `binding` that was not "
            "over, or no `refund`."
        ),
    ]
    value: Annotated[
        str, Meta(description="The other role; `none` for a cap, binding or refund.", examples=["partner"])
    ]
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
    reason: Annotated[
        RewardStanding,
        Meta(description="Why it is nothing or not available yet; `available` if it is.", examples=["awaits_receipt"]),
    ]
    reason_text: Annotated[
        str, Meta(description="The same as text, in the language of the request.", examples=["待买家确认收货。"])
    ]


class MissingReward(Model):
    """One kind of reward that the caller did not get, and the reason."""

    reward: Annotated[
        RewardKind | None, Meta(description="Kind of the reward; null for an own order.", examples=["direct"])
    ]
    edge: Annotated[
        Literal["buyer", "referrer", "owner", "peer"],
        Meta(description="The caller's relation to the order.", examples=["referrer"]),
    ]
    role: Annotated[str, Meta(description="The caller's role when the order was placed.", examples=["member"])]
    plan: Annotated[PlanRef, Meta(description="Plan and version under which the order was placed.")]
    reason: Annotated[NoRewardReason, Meta(description="Why there is none.", examples=["not_qualified"])]
    rule: Annotated[
        str | None,
        Meta(description="Parameter of the plan that decided; null if none did.", examples=["earners"]),
    ]
    text: Annotated[
        str,
        Meta(
            description="The reason as text, in the language of the request.",
            examples=[
                "没有推荐奖励：买家由您推荐。下单时身份为会员；按该方案，会员身份不计此项奖励，仅分销商和合伙人计。"
            ],
        ),
    ]
    otherwise: Annotated[
        list[RewardAlternative],
        Meta(
            description="What would have changed it when the order was placed, one thing at a time. Later changes do "
            "not change this order."
        ),
    ]


class Explanation(Model):
    """The caller's rewards on one order, and those that the caller did not get."""

    order_id: OrderId
    items: Annotated[list[ExplainedReward], Meta(description="The caller's rewards on the order.")]
    missing: Annotated[
        list[MissingReward],
        Meta(description="Kinds of reward of the caller's place in the order's referral chain that give nothing."),
    ]
    held: Annotated[bool, Meta(description="Whether a compliance hold keeps the order's rewards frozen.")]

    @classmethod
    def of(cls, explained: RewardsExplained, language: str) -> Explanation:
        """A member's rewards on an order, in `zh` or `en`."""
        english = language == "en"
        return cls(
            explained.order_id,
            [_reward(reward, explained, english) for reward in explained.rewards],
            [_missing(each, explained.plan, english) for each in explained.not_due],
            held=explained.held,
        )


def _alternatives(reward: MemberReward, what_if: Sequence[WhatIf], english: bool) -> list[RewardAlternative]:
    found = list(_others(what_if, english))
    if reward.rest != reward.credit.amount:
        found.append(_other("refund", "none", reward.credit.amount, english))
    return found


def _others(what_if: Sequence[WhatIf], english: bool) -> Iterator[RewardAlternative]:
    for other in what_if:
        yield _other(other.what, other.value, other.amount, english)


def _other(
    what: Literal["role", "referrer_role", "cap", "binding", "refund"], value: str, amount: int, english: bool
) -> RewardAlternative:
    difference = texts.ALTERNATIVES[what][english].format(texts.ROLES.get(value, ("", ""))[english])
    return RewardAlternative(
        what, value, amount, difference + (f": {_yuan(amount)} yuan." if english else f"：{_yuan(amount)} 元。")
    )


def _reward(explained: MemberReward, all_of_it: RewardsExplained, english: bool) -> ExplainedReward:
    credit, opens_at = explained.credit, all_of_it.opens_at
    standing = all_of_it.standing_of(explained)
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
        otherwise=_alternatives(explained, all_of_it.what_if.get(credit.reward, ()), english),
        reason=standing,
        reason_text=texts.STANDINGS[standing][english],
    )


def _missing(none: NoReward, plan: str, english: bool) -> MissingReward:
    return MissingReward(
        reward=none.kind,
        edge=none.edge,
        role=none.role,
        plan=plan,
        reason=none.reason,
        rule=_rule(none),
        text=_reason_text(none, english),
        otherwise=list(_others(none.otherwise, english)),
    )


def _rule(none: NoReward) -> str | None:
    """The plan's parameter behind a reason."""
    rates = {"team": "team", "peer": "peer_bps"}
    rate = "direct_partner" if none.role == "partner" else "direct_distributor"
    if none.reason in ("own_order", "not_paid", "never_paid", "being_credited", "erased"):
        return None
    return {"not_qualified": "earners", "binding_over": "binding_days"}.get(
        none.reason, rates.get(none.kind or "", rate)
    )


def _reason_text(none: NoReward, english: bool) -> str:
    name = texts.REWARDS[none.kind][english] if none.kind else ("奖励", "reward")[english]
    place, role = texts.PLACES[none.edge][english], texts.ROLES[none.role][english]
    reason = texts.REASONS[none.reason][english]
    if english:
        return (
            f"No {name}, although {place}: as {role} when the order was placed, {reason}."
            if none.kind
            else (f"No {name}: {reason}.")
        )
    return f"没有{name}：{place}。下单时身份为{role}；{reason}。"


def _text(credit: Credit, english: bool) -> str:
    """The reasons for a reward's amount, in one sentence."""
    edge = _EDGES[credit.reward]
    name, role, why = (
        texts.REWARDS[credit.reward][english],
        texts.ROLES[credit.role][english],
        texts.EDGES[edge][english],
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
