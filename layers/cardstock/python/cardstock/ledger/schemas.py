"""Balances, statements and explanations as JSON."""

from __future__ import annotations  # evaluated only for what is decoded: the import stays cheap

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

from cardstock.clock import BRAND_ZONE, rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import EntryId, Moment, NextCursor, OrderId, PlanRef, RefundId
from cardstock.edge.http import Model
from cardstock.ledger.model import Balance, Debt, Kind, MemberReward, RewardKind, StatementLine

if TYPE_CHECKING:
    from cardstock.compliance.model import Hold
    from cardstock.network.model import WhatIf

# (zh-CN, en)
_KIND_TEXTS: Final[dict[Kind, tuple[str, str]]] = {
    "accrued": ("订单已付款，奖励待结算", "Order paid; the reward waits to settle"),
    "released": ("退货期已过，奖励可提现", "Return window over; the reward is available"),
    "clawed": ("订单退款，奖励相应扣回", "Order refunded; the reward is taken back in proportion"),
    "claimed": ("已进入打款批次", "In a payout on its way"),
    "paid": ("打款成功", "Paid out"),
    "returned": ("打款未成功，金额退回余额", "The transfer failed; the money is back in the balance"),
    "owed": ("免单已发货，好友退款后按价补扣", "A friend's refund came after the free order had shipped; it is owed"),
    "shared": ("团队分红", "Team dividend"),
    "written_off": ("欠款已核销", "Debt written off"),
}
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


class OwedFor(Model):
    """What is left of the debt that one step made; older steps are repaid first."""

    amount_fen: Annotated[int, Meta(description="Fen of the debt that are not repaid yet.", examples=[3_825])]
    entry_id: Annotated[
        str,
        Meta(
            description="Ledger entry that made the debt; names its proof.",
            examples=["claw.rfd_01kbf2c7d8e9fagbhcjdkemfn0"],
        ),
    ]
    kind: Annotated[Kind, Meta(description="What kind of step made the debt.", examples=["clawed"])]
    text: Annotated[
        str,
        Meta(description="The step for people, in the language of the request.", examples=["订单退款，奖励相应扣回"]),
    ]
    cause: Annotated[
        str, Meta(description="Refund or benefit behind the step.", examples=["rfd_01kbf2c7d8e9fagbhcjdkemfn0"])
    ]
    order_id: Annotated[OrderId | None, Meta(description="Order that the step belongs to; null if there is none.")]
    at: Annotated[Moment, Meta(description="When the debt was made.")]


class BalanceView(Model):
    """What a member has, in fen."""

    frozen_fen: Annotated[
        int, Meta(description="Fen that were credited and wait for the end of return windows.", examples=[22_950])
    ]
    available_fen: Annotated[int, Meta(description="Fen that the next payout can take.", examples=[76_500])]
    debt_fen: Annotated[
        int,
        Meta(
            description="Fen that are owed; repaid first by what becomes available, and blocking payouts.",
            examples=[3_825],
        ),
    ]
    debts: Annotated[
        list[OwedFor], Meta(description="Where the debt comes from, oldest first; a step is in it within seconds.")
    ]
    paying_fen: Annotated[int, Meta(description="Fen that are in a payout on its way.", examples=[0])]
    paid_fen: Annotated[int, Meta(description="Fen that were paid out so far, after tax.", examples=[120_000])]
    withheld_fen: Annotated[int, Meta(description="Fen of tax that were withheld so far.", examples=[0])]


def balance_told(balance: Balance, debts: Sequence[Debt], language: str) -> BalanceView:
    """The view of a balance."""
    owed = [
        OwedFor(
            amount_fen=debt.amount,
            entry_id=debt.transaction_id,
            kind=debt.kind,
            text=_KIND_TEXTS[debt.kind][language == "en"],
            cause=debt.cause,
            order_id=debt.order_id or None,
            at=rfc3339(debt.at),
        )
        for debt in debts
    ]
    return BalanceView(
        balance.frozen, balance.available, balance.debt, owed, balance.paying, balance.paid, balance.withheld
    )


class StatementQuery(PageQuery):
    """Which lines, by pages."""

    period: (
        Annotated[
            str,
            Meta(
                pattern=r"^20\d\d-(0[1-9]|1[0-2])$",
                description="A month in Asia/Shanghai; absent: all of them.",
                examples=["2026-12"],
            ),
        ]
        | None
    ) = None


def month_of(period: str | None) -> tuple[datetime | None, datetime | None]:
    """The first moment of a month of the brand, and the first moment after it."""
    if period is None:
        return None, None
    year, month = int(period[:4]), int(period[5:])
    starts = datetime(year, month, 1, tzinfo=BRAND_ZONE)
    ends = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=BRAND_ZONE)
    return starts.astimezone(UTC), ends.astimezone(UTC)


class StatementEntry(Model):
    """What one step did to the member's money."""

    entry_id: EntryId
    at: Annotated[Moment, Meta(description="When the step was booked.")]
    kind: Annotated[Kind, Meta(description="What kind of step it was.", examples=["accrued"])]
    text: Annotated[
        str,
        Meta(description="The step for people, in the language of the request.", examples=["订单已付款，奖励待结算"]),
    ]
    rewards: Annotated[
        list[RewardKind],
        Meta(description="Kinds of the rewards in it; empty where the step is about none.", examples=[["direct"]]),
    ]
    order_id: Annotated[OrderId | None, Meta(description="Order that the step belongs to; null if there is none.")]
    cause: Annotated[
        str,
        Meta(
            description="Order, refund or transfer number behind the step.", examples=["ord_01kbdxdh50fcazdjhcnqh2rzv5"]
        ),
    ]
    change_fen: Annotated[
        dict[str, int],
        Meta(
            description="Fen that each pocket changed by: `frozen`, `available`, `paying`, `paid`, `withheld`.",
            examples=[{"frozen": 22950}],
        ),
    ]


class StatementPage(Model):
    """Some entries, newest first."""

    items: Annotated[list[StatementEntry], Meta(description="Entries, newest first.")]
    next_cursor: NextCursor


def statement_told(lines: Sequence[StatementLine], next_cursor: str | None, language: str) -> StatementPage:
    """The view of a page of statement lines."""
    return StatementPage([_entry(line, language == "en") for line in lines], next_cursor)


def _entry(line: StatementLine, english: bool) -> StatementEntry:
    return StatementEntry(
        entry_id=line.transaction_id,
        at=rfc3339(line.at),
        kind=line.kind,
        text=_KIND_TEXTS[line.kind][english],
        rewards=list(line.rewards),
        order_id=line.order_id or None,
        cause=line.cause,
        change_fen={str(pocket): amount for pocket, amount in line.change.items()},
    )


class Taken(Model):
    """What one refund took back of a reward."""

    refund_id: RefundId
    amount_fen: Annotated[int, Meta(description="Fen that the refund took back.", examples=[3_825])]


class Otherwise(Model):
    """What the reward would have come to, had one thing been different."""

    what: Annotated[
        Literal["role", "referrer_role", "cap", "refund"],
        Meta(description="What is thought different: the own `role`, the `referrer_role`, no `cap` or no `refund`."),
    ]
    value: Annotated[
        str, Meta(description="The role that is thought of; `none` for a cap or refund.", examples=["partner"])
    ]
    amount_fen: Annotated[int, Meta(description="Fen that the reward would have come to.", examples=[30_000])]
    text: Annotated[
        str,
        Meta(
            description="The same for people, in the language of the request.",
            examples=["若下单时身份为合伙人：300.00 元。"],
        ),
    ]


class ExplainedReward(Model):
    """One reward, and how it came to its amount."""

    reward: Annotated[RewardKind, Meta(description="Kind of the reward.", examples=["direct"])]
    edge: Annotated[
        Literal["referrer", "owner", "peer"],
        Meta(
            description="How the caller stands to the buyer; of a peer reward, to the partner who earned.",
            examples=["referrer"],
        ),
    ]
    role: Annotated[str, Meta(description="What the caller was when the order was placed.", examples=["partner"])]
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
            description="Fen that a rate in basis points is taken of; of a peer reward, the partner's reward.",
            examples=[153_000],
        ),
    ]
    full_fen: Annotated[int, Meta(description="Fen that the rule gives.", examples=[22_950])]
    limited_fen: Annotated[
        int, Meta(description="Fen of it that are left after the limit to the money paid.", examples=[22_950])
    ]
    cap_cut_fen: Annotated[
        int,
        Meta(
            description="Fen that the plan's cap, or what was paid for all that is rewarded, takes off that.",
            examples=[0],
        ),
    ]
    amount_fen: Annotated[int, Meta(description="Fen that were credited.", examples=[22_950])]
    taken_back: Annotated[list[Taken], Meta(description="What refunds took back, oldest first.")]
    rest_fen: Annotated[int, Meta(description="Fen that are left after refunds.", examples=[19_125])]
    state: Annotated[
        Literal["frozen", "available"],
        Meta(description="Whether it still waits, or can be paid out.", examples=["frozen"]),
    ]
    accrued_at: Annotated[Moment, Meta(description="When it was credited.")]
    released_at: Annotated[Moment | None, Meta(description="When it became available; null while it is frozen.")]
    available_from: Annotated[
        Moment | None,
        Meta(description="When its windows end; null before the receipt. An open after-sale waits longer."),
    ]
    text: Annotated[
        str,
        Meta(
            description="The reward for people, in the language of the request.",
            examples=["推荐奖励：买家由您推荐。下单时身份为合伙人，1530.00 元的 15.00%，共 229.50 元。"],
        ),
    ]
    otherwise: Annotated[list[Otherwise], Meta(description="What would have changed the amount, one thing at a time.")]


class Explanation(Model):
    """The caller's rewards on one order."""

    order_id: OrderId
    items: Annotated[list[ExplainedReward], Meta(description="The caller's rewards on the order.")]
    held: Annotated[bool, Meta(description="Finance looks at the order; its rewards stay frozen until it is done.")]


def explanation_told(
    order_id: str,
    rewards: Sequence[MemberReward],
    what_if: Mapping[RewardKind, Sequence[WhatIf]],
    opens_at: datetime | None,
    hold: Hold | None,
    *,
    language: str,
) -> Explanation:
    """The view of a member's rewards on an order."""
    english = language == "en"
    return Explanation(
        order_id,
        [
            _explained(reward, _otherwise(reward, what_if.get(reward.credit.reward, ()), english), opens_at, english)
            for reward in rewards
        ],
        held=hold is not None and hold.open,
    )


def _otherwise(explained: MemberReward, what_if: Sequence[WhatIf], english: bool) -> list[Otherwise]:
    texts = {
        "role": ("若下单时身份为{}", "As {} when the order was placed"),
        "referrer_role": ("若买家的推荐人是{}", "Had the buyer's referrer been {}"),
        "cap": ("若计划不设上限", "Without the plan's cap"),
        "refund": ("若没有退款", "Without the refunds"),
    }
    found: list[tuple[Literal["role", "referrer_role", "cap", "refund"], str, int]] = [
        (other.what, other.value, other.amount) for other in what_if
    ]
    if explained.rest != explained.credit.amount:
        found.append(("refund", "none", explained.credit.amount))
    return [
        Otherwise(
            what,
            value,
            amount,
            texts[what][english].format(_ROLE_TEXTS.get(value, ("", ""))[english])
            + (f": {_yuan(amount)} yuan." if english else f"：{_yuan(amount)} 元。"),
        )
        for what, value, amount in found
    ]


def _explained(
    explained: MemberReward, otherwise: list[Otherwise], opens_at: datetime | None, english: bool
) -> ExplainedReward:
    credit = explained.credit
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
        text = f"A {name} because {why}: as {role} when the order was placed, {each}, {all_of_it}."
    else:
        measure = "该合伙人奖励" if edge == "peer" else f"{_yuan(credit.base)} 元"
        each = f"每件 {rate} 元" if credit.unit == "fen" else f"{measure}的 {rate}%"
        all_of_it = f"共 {full} 元，按方案规则及实付金额实得 {total} 元" if cut else f"共 {total} 元"
        text = f"{name}：{why}。下单时身份为{role}，{each}，{all_of_it}。"
    return ExplainedReward(
        reward=credit.reward,
        edge=edge,
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
        taken_back=[Taken(refund_id, amount) for refund_id, amount in explained.claws],
        rest_fen=explained.rest,
        state=explained.state,
        accrued_at=rfc3339(explained.accrued_at),
        released_at=None if explained.released_at is None else rfc3339(explained.released_at),
        available_from=None if opens_at is None else rfc3339(opens_at),
        text=text,
        otherwise=otherwise,
    )


def _yuan(fen: int) -> str:
    """Hundredths as people write them: fen as yuan, basis points as percent."""
    return f"{fen // 100}.{fen % 100:02d}"
