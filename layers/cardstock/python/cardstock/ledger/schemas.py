"""Balances, statements, explanations and plans as JSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cardstock.clock import BRAND_ZONE, rfc3339
from cardstock.edge.cursors import PageQuery
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

    amount_fen: int
    entry_id: str
    kind: Kind
    text: str
    cause: Annotated[str, Meta(description="The refund or benefit behind the step.")]
    order_id: str | None
    at: str


class BalanceView(Model):
    """What a member has, in fen. `debt_fen` is repaid first by what becomes available; it blocks payouts. `debts` says
    where it comes from, oldest first; a step is in it within seconds."""

    frozen_fen: int
    available_fen: int
    debt_fen: int
    debts: list[OwedFor]
    paying_fen: int
    paid_fen: int
    withheld_fen: int


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
            Meta(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="A month in Asia/Shanghai.", examples=["2026-12"]),
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
    """What one step did to the member's money. `change_fen` names the pockets that it changed."""

    entry_id: str
    at: str
    kind: Kind
    text: str
    rewards: list[RewardKind]
    order_id: str | None
    cause: Annotated[str, Meta(description="The order, refund or transfer number behind the step.")]
    change_fen: dict[str, int]


class StatementPage(Model):
    """Some entries, newest first; `next_cursor` is null on the last page."""

    items: list[StatementEntry]
    next_cursor: str | None


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

    refund_id: str
    amount_fen: int


class Otherwise(Model):
    """What the reward would have come to, had one thing been different.

    `what`: the own `role` when the order was placed; `referrer_role`, where the referrer stands before a team owner;
    no `cap`; no `refund`.
    """

    what: Literal["role", "referrer_role", "cap", "refund"]
    value: str
    amount_fen: int
    text: str


class ExplainedReward(Model):
    """One reward, and how it came to its amount.

    `rate` is in `unit`: fen per unit of the qualifying lines, or basis points of `base_fen` (of a peer reward: of the
    partner's reward). `full_fen` is what the rule gives, `limited_fen` what the limit to the money paid leaves of it,
    `cap_cut_fen` what the plan's cap, or what was paid for all that is rewarded, takes off that.
    """

    reward: RewardKind
    edge: Literal["referrer", "owner", "peer"]
    role: str
    plan: str
    rule: str
    rate: int
    unit: Literal["fen", "bps"]
    base_fen: int
    full_fen: int
    limited_fen: int
    cap_cut_fen: int
    amount_fen: int
    taken_back: list[Taken]
    rest_fen: int
    state: Literal["frozen", "available"]
    accrued_at: str
    released_at: str | None
    available_from: Annotated[
        str | None, Meta(description="When its windows end; null before the receipt. An open after-sale waits longer.")
    ]
    text: str
    otherwise: list[Otherwise]


class Explanation(Model):
    """The caller's rewards on one order."""

    order_id: str
    items: list[ExplainedReward]
    held: Annotated[bool, Meta(description="Finance looks at the order; its rewards stay frozen until it is done.")]


def explanation_told(
    order_id: str,
    rewards: "Sequence[Explained]",
    what_if: "Mapping[RewardKind, Sequence[WhatIf]]",
    opens_at: datetime | None,
    hold: "Hold | None",
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


def _otherwise(explained: "Explained", what_if: "Sequence[WhatIf]", english: bool) -> list[Otherwise]:
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
    explained: "Explained", otherwise: list[Otherwise], opens_at: datetime | None, english: bool
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

    value: Annotated[int, Meta(ge=0, le=MAX_FEN, examples=[30_000])]
    unit: Literal["fen", "bps"]


class PlanApproval(Model):
    """Who answers for one check that the plan does not pass, and why."""

    check: Literal["levels", "peer", "fee", "cap", "head_count", "dividend"]
    approver: Annotated[str, Meta(min_length=1, max_length=60, examples=["Ms Zhao, legal"])]
    reason: Annotated[str, Meta(min_length=1, max_length=500, examples=["opinion of 2026-11-20 on file"])]


class PublishPlan(Model):
    """A preset, what is changed in it, and the approvals that the guard asks for. What is not named stays as it is.

    Amounts in fen, `_bps` in basis points of 10 000, days in whole days.
    """

    preset: Literal["unlock", "free_order", "single_level", "chain21", "team_dividend"]
    id: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,32}$", examples=["spring"])] | UnsetType = UNSET
    title: Annotated[str, Meta(min_length=1, max_length=60, examples=["2+1 合伙人计划"])] | UnsetType = UNSET
    price: Annotated[int, Meta(ge=1, le=MAX_FEN, examples=[49_900])] | UnsetType = UNSET
    benefit_n: Annotated[int, Meta(ge=0, le=20)] | UnsetType = UNSET
    benefit_coupon: Fen | UnsetType = UNSET
    earners: Literal["anyone", "qualified"] | UnsetType = UNSET
    direct_distributor: PlanAmount | UnsetType = UNSET
    direct_partner: PlanAmount | UnsetType = UNSET
    team: PlanAmount | UnsetType = UNSET
    peer_bps: Rate | UnsetType = UNSET
    promote_n: Annotated[int, Meta(ge=0, le=20)] | UnsetType = UNSET
    promote_on: Literal["settled", "paid"] | UnsetType = UNSET
    on_refund: Literal["keep", "demote"] | UnsetType = UNSET
    leave_mode: Literal["leave_recruits", "keep_recruits", "none"] | UnsetType = UNSET
    freeze_days: Days | UnsetType = UNSET
    cap_bps: Rate | UnsetType | None = UNSET
    max_levels: Literal[1, 2] | UnsetType = UNSET
    binding_days: Annotated[int, Meta(ge=1, le=3650)] | UnsetType | None = UNSET
    return_days: Days | UnsetType = UNSET
    payout_minimum: Fen | UnsetType = UNSET
    peer_funding: Literal["brand", "earner"] | UnsetType = UNSET
    dividend_bps: Rate | UnsetType = UNSET
    approvals: Annotated[list[PlanApproval], Meta(max_length=20)] = msgspec.field(default_factory=list)


def draft_of(body: PublishPlan, preset: "Plan") -> "Plan":
    """The plan that is asked for. Raises `InvalidError` PLAN_INVALID for what the types alone do not refuse."""
    changed = msgspec.to_builtins(body)
    changed.pop("approvals", None)
    return type(preset).from_dict({**preset.to_dict(), **changed})


def approvals_of(body: PublishPlan, now: datetime) -> "list[Approval]":
    """The approvals, dated now."""
    from cardstock.network.model import Approval

    return [Approval(approval.check, approval.approver, now, approval.reason) for approval in body.approvals]


class ShownApproval(Model):
    """An approval on record."""

    check: str
    approver: str
    reason: str
    at: str


class ShownFinding(Model):
    """One check that the plan does not simply pass: the clause behind it, what was found and what would pass."""

    check: str
    verdict: Literal["refused", "needs_approval", "approved", "warning"]
    clause: str
    found: str
    passes: str


class ShownPlan(Model):
    """One published version. It never changes; orders keep the one under which they were placed."""

    plan: Annotated[str, Meta(description="Plan and version in one word.", examples=["chain21@3"])]
    parameters: dict[str, object]
    published_at: str
    published_by: str
    approvals: list[ShownApproval]
    findings: list[ShownFinding]


class PlanPage(Model):
    """Some versions by plan and version; `next_cursor` is null on the last page.

    `in_force` is what orders are placed under now: `unlock@0`, the safe one, while nothing is published.
    """

    items: list[ShownPlan]
    next_cursor: str | None
    in_force: Annotated[str, Meta(examples=["chain21@3"])]


def in_force_told(current: "PublishedPlan | None") -> str:
    """Plan and version that are in force."""
    from cardstock.network.presets import DEFAULT_PLAN

    return (DEFAULT_PLAN if current is None else current.plan).ref


def plan_told(record: "PublishedPlan") -> ShownPlan:
    """The view of a published plan."""
    return ShownPlan(
        plan=record.plan.ref,
        parameters=record.plan.to_dict(),
        published_at=rfc3339(record.published_at),
        published_by=record.published_by,
        approvals=[ShownApproval(a.check, a.by, a.reason, rfc3339(a.at)) for a in record.approvals],
        findings=[ShownFinding(f.check, f.verdict, f.clause, f.found, f.passes) for f in record.findings],
    )
