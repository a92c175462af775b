"""Balances, statements, explanations and plans as JSON."""

from __future__ import annotations  # evaluated only for what is decoded: the import stays cheap

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cardstock.clock import BRAND_ZONE, rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import EntryId, KeyId, Moment, NextCursor, OrderId, PlanRef, RefundId
from cardstock.edge.http import Model
from cardstock.ledger.model import Balance, Debt, Kind, RewardKind, StatementLine
from cardstock.money import MAX_FEN
from cardstock.network import errors

if TYPE_CHECKING:
    from cardstock.compliance.model import Hold
    from cardstock.ledger.service import Explained
    from cardstock.network.model import Approval, Plan, PublishedPlan, WhatIf

PLAN_CODES: Final = (errors.PLAN_INVALID, errors.PLAN_REFUSED, errors.APPROVAL_INVALID)

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
    rewards: Sequence[Explained],
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


def _otherwise(explained: Explained, what_if: Sequence[WhatIf], english: bool) -> list[Otherwise]:
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
    explained: Explained, otherwise: list[Otherwise], opens_at: datetime | None, english: bool
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
        state=explained.state,  # type: ignore[arg-type]  # `ledger.model.State`
        accrued_at=rfc3339(explained.accrued_at),
        released_at=None if explained.released_at is None else rfc3339(explained.released_at),
        available_from=None if opens_at is None else rfc3339(opens_at),
        text=text,
        otherwise=otherwise,
    )


def _yuan(fen: int) -> str:
    """Hundredths as people write them: fen as yuan, basis points as percent."""
    return f"{fen // 100}.{fen % 100:02d}"


# Plans

Fen = Annotated[int, Meta(ge=0, le=MAX_FEN)]
Rate = Annotated[int, Meta(ge=0, le=10_000)]
Days = Annotated[int, Meta(ge=0, le=3650)]


class PlanAmount(Model):
    """Fen for each unit of the qualifying lines, or basis points of what was paid."""

    value: Annotated[
        int,
        Meta(
            ge=0,
            le=MAX_FEN,
            examples=[30_000],
            description="Fen for each unit of the qualifying lines, or basis points of what was paid, by `unit`.",
        ),
    ]
    unit: Annotated[
        Literal["fen", "bps"], Meta(description="Whether `value` is fen or basis points.", examples=["fen"])
    ]


class PlanApproval(Model):
    """Who answers for one check that the plan does not pass, and why."""

    check: Annotated[
        Literal["levels", "peer", "fee", "cap", "head_count", "dividend"],
        Meta(description="Check that the plan does not pass."),
    ]
    approver: Annotated[
        str, Meta(min_length=1, max_length=60, examples=["Ms Zhao, legal"], description="Person who answers for it.")
    ]
    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=500,
            examples=["opinion of 2026-11-20 on file"],
            description="Why it is approved all the same.",
        ),
    ]


class PublishPlan(Model):
    """A preset, what is changed in it, and the approvals that the guard asks for. What is not named stays as it is."""

    preset: Annotated[
        Literal["unlock", "free_order", "single_level", "chain21", "team_dividend"],
        Meta(description="Plan that ships with the system, to start from.", examples=["chain21"]),
    ]
    id: (
        Annotated[
            str,
            Meta(
                pattern=r"^[a-z0-9_-]{1,32}$",
                examples=["spring"],
                description="Id to publish under; absent: that of the preset.",
            ),
        ]
        | UnsetType
    ) = UNSET
    title: (
        Annotated[
            str, Meta(min_length=1, max_length=60, examples=["2+1 合伙人计划"], description="What promoters read.")
        ]
        | UnsetType
    ) = UNSET
    price: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=MAX_FEN,
                examples=[49_900],
                description="Fen of the qualifying product that the checks reckon with.",
            ),
        ]
        | UnsetType
    ) = UNSET
    benefit_n: (
        Annotated[
            int,
            Meta(
                ge=0, le=20, description="Referrals that earn the benefit of a plan without cash, once.", examples=[2]
            ),
        ]
        | UnsetType
    ) = UNSET
    benefit_coupon: (
        Annotated[Fen, Meta(description="Fen that the coupon of the benefit takes off one order.", examples=[2_000])]
        | UnsetType
    ) = UNSET
    earners: (
        Annotated[
            Literal["anyone", "qualified"],
            Meta(
                description="Who earns the direct reward: `anyone`, or only distributors and partners (`qualified`).",
                examples=["qualified"],
            ),
        ]
        | UnsetType
    ) = UNSET
    direct_distributor: Annotated[PlanAmount, Meta(description="Direct reward of a distributor.")] | UnsetType = UNSET
    direct_partner: Annotated[PlanAmount, Meta(description="Direct reward of a partner.")] | UnsetType = UNSET
    team: (
        Annotated[PlanAmount, Meta(description="Reward of the partner whose team the buyer belongs to.")] | UnsetType
    ) = UNSET
    peer_bps: (
        Annotated[Rate, Meta(description="Peer reward: basis points of the partner's own reward.", examples=[1_000])]
        | UnsetType
    ) = UNSET
    promote_n: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=20,
                description="Qualified referrals that make a distributor a partner; 0: nobody is promoted.",
                examples=[2],
            ),
        ]
        | UnsetType
    ) = UNSET
    promote_on: (
        Annotated[
            Literal["settled", "paid"],
            Meta(
                description="When a referral counts: when its order is paid, or when it has settled.",
                examples=["settled"],
            ),
        ]
        | UnsetType
    ) = UNSET
    on_refund: (
        Annotated[
            Literal["keep", "demote"],
            Meta(description="Whether a refund that undoes a referral takes the promotion back.", examples=["keep"]),
        ]
        | UnsetType
    ) = UNSET
    leave_mode: (
        Annotated[
            Literal["leave_recruits", "keep_recruits", "none"],
            Meta(
                description="What a new partner does: leave the team, leave it with the first recruits, or stay.",
                examples=["leave_recruits"],
            ),
        ]
        | UnsetType
    ) = UNSET
    freeze_days: (
        Annotated[Days, Meta(description="Days after the receipt that rewards stay frozen, at least.", examples=[7])]
        | UnsetType
    ) = UNSET
    cap_bps: (
        Annotated[
            Rate,
            Meta(
                description="Most that an order pays, all rewards together, in basis points of its net; null: no cap.",
                examples=[3_000],
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    max_levels: (
        Annotated[
            Literal[1, 2],
            Meta(description="Paid levels: 1 the direct reward alone, 2 the team and peer rewards too.", examples=[2]),
        ]
        | UnsetType
    ) = UNSET
    binding_days: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=3650,
                description="Days after the binding that the direct reward is paid; null: for ever.",
                examples=[365],
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    return_days: (
        Annotated[Days, Meta(description="Days after the receipt in which units can be given back.", examples=[7])]
        | UnsetType
    ) = UNSET
    payout_minimum: (
        Annotated[Fen, Meta(description="Fen that a balance must have to be paid out.", examples=[1_000])] | UnsetType
    ) = UNSET
    peer_funding: (
        Annotated[
            Literal["brand", "earner"],
            Meta(
                description="Who pays the peer reward: the brand, or the partner out of the own reward.",
                examples=["brand"],
            ),
        ]
        | UnsetType
    ) = UNSET
    dividend_bps: (
        Annotated[
            Rate,
            Meta(
                description="Share of a month's net sales that team owners divide, in basis points; 0: none.",
                examples=[200],
            ),
        ]
        | UnsetType
    ) = UNSET
    approvals: Annotated[
        list[PlanApproval], Meta(max_length=20, description="Who answers for the checks that the plan does not pass.")
    ] = msgspec.field(default_factory=list)


def draft_of(body: PublishPlan, preset: Plan) -> Plan:
    """The plan that is asked for. Raises `InvalidError` PLAN_INVALID for what the types alone do not refuse."""
    changed = msgspec.to_builtins(body)
    changed.pop("approvals", None)
    return type(preset).from_dict({**preset.to_dict(), **changed})


def approvals_of(body: PublishPlan, now: datetime) -> list[Approval]:
    """The approvals, dated now."""
    from cardstock.network.model import Approval

    return [Approval(approval.check, approval.approver, now, approval.reason) for approval in body.approvals]


class ShownApproval(Model):
    """An approval on record."""

    check: Annotated[str, Meta(description="Check that was approved.", examples=["levels"])]
    approver: Annotated[str, Meta(description="Person who answered for it.", examples=["Ms Zhao, legal"])]
    reason: Annotated[str, Meta(description="Why it was approved.", examples=["opinion of 2026-11-20 on file"])]
    at: Annotated[Moment, Meta(description="When the plan was published with it.")]


class ShownFinding(Model):
    """One check that the plan does not simply pass."""

    check: Annotated[str, Meta(description="What was checked.", examples=["levels"])]
    verdict: Annotated[
        Literal["refused", "needs_approval", "approved", "warning"],
        Meta(description="What came of it: `needs_approval` asks for a named person.", examples=["approved"]),
    ]
    clause: Annotated[
        str,
        Meta(description="Clause of law or rule behind the check.", examples=["State Council order 444, article 7"]),
    ]
    found: Annotated[str, Meta(description="What the plan has.", examples=["2"])]
    passes: Annotated[str, Meta(description="What would pass.", examples=["1"])]


class ShownPlan(Model):
    """One published version. It never changes; orders keep the one under which they were placed."""

    plan: Annotated[PlanRef, Meta(description="Plan and version in one word.")]
    parameters: Annotated[
        dict[str, object],
        Meta(
            description="All parameters as they were published; amounts as `value` and `unit`.",
            examples=[{"preset": "chain21", "price": 49900}],
        ),
    ]
    published_at: Annotated[Moment, Meta(description="When it came into force.")]
    published_by: Annotated[KeyId, Meta(description="Key that published it.")]
    approvals: Annotated[list[ShownApproval], Meta(description="Who answers for the checks that it does not pass.")]
    findings: Annotated[list[ShownFinding], Meta(description="Checks that it does not simply pass.")]


class PlanPage(Model):
    """Some versions, by plan and version."""

    items: Annotated[list[ShownPlan], Meta(description="Versions, by plan and version.")]
    next_cursor: NextCursor
    in_force: Annotated[
        PlanRef,
        Meta(description="What orders are placed under now; `unlock@0`, the safe one, while nothing is published."),
    ]


def in_force_told(current: PublishedPlan | None) -> str:
    """Plan and version that are in force."""
    from cardstock.network.presets import DEFAULT_PLAN

    return (DEFAULT_PLAN if current is None else current.plan).ref


def plan_told(record: PublishedPlan) -> ShownPlan:
    """The view of a published plan."""
    return ShownPlan(
        plan=record.plan.ref,
        parameters=record.plan.to_dict(),
        published_at=rfc3339(record.published_at),
        published_by=record.published_by,
        approvals=[ShownApproval(a.check, a.by, a.reason, rfc3339(a.at)) for a in record.approvals],
        findings=[ShownFinding(f.check, f.verdict, f.clause, f.found, f.passes) for f in record.findings],
    )
