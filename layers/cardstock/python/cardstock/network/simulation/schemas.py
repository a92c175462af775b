"""Plans to be compared and what came of them, as JSON; the endpoint and the command speak the same."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from cardstock.edge.fields import Earns, Qualifying
from cardstock.edge.http import LINE, Model
from cardstock.edge.partial import partial
from cardstock.errors import BODY_INVALID, Pointer
from cardstock.money import MAX_FEN
from cardstock.network import errors
from cardstock.network.model import OrderLine
from cardstock.network.plan import Approval
from cardstock.network.plan_schemas import ApprovableCheck, ApprovalReason, PublishPlan, ShownFinding
from cardstock.network.presets import PRESETS
from cardstock.network.simulation.comparison import Bounds, Breach, Comparison
from cardstock.network.simulation.market import Market, Share
from cardstock.network.simulation.outcome import Outcome
from cardstock.network.simulation.steps import OrderReturned, RecordedOrder
from cardstock.network.simulation.trial import Trial
from cardstock.network.simulation.wording import names_of, why

MAX_PLANS: Final = 5
MAX_MEMBERS: Final = 20_000
"""Of one synchronous call, for each plan; the command takes ten million."""
MAX_ORDERS: Final = 1_000
CODES: Final = (errors.PLAN_INVALID, errors.SIMULATION_TOO_LARGE, errors.ORDER_INVALID)

Id = Annotated[str, Meta(min_length=1, max_length=64, examples=["m17"])]


@partial(Market)
class MarketParameters(Model):
    """A synthetic shop. Fields left out have the example's value; equal parameters give equal histories."""


class AssumedApproval(Model):
    """An approval that a simulation takes for given. Publishing needs those of persons."""

    check: ApprovableCheck
    approver: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=60,
            pattern=LINE,
            examples=["Ms Zhao, legal"],
            description="Person who would approve it, by any name; kept nowhere.",
        ),
    ]
    reason: ApprovalReason


class CandidatePlan(PublishPlan):
    """A preset and changes to it, with the approvals that are taken for given."""

    approvals: Annotated[
        list[AssumedApproval],
        Meta(max_length=20, description="Checks that the simulation takes for approved."),
    ] = msgspec.field(default_factory=list)

    def approvals_at(self, now: datetime) -> list[Approval]:
        """The approvals, given `now`."""
        return [Approval(approval.check, approval.approver, now, approval.reason) for approval in self.approvals]


class Candidate(Model):
    """A plan to compare."""

    plan: Annotated[CandidatePlan, Meta(description="Plan to run, as it would be published.")]
    market: Annotated[
        MarketParameters,
        Meta(description="Changes of the shop under this plan: a plan that pays more may convert better."),
    ] = msgspec.field(default_factory=MarketParameters)


class SimulatedLine(Model):
    """What was paid for one line of a recorded order, coupons off."""

    sku: Annotated[str, Meta(min_length=1, max_length=64, examples=["kit"], description="Article that was bought.")]
    units: Annotated[int, Meta(ge=1, le=999, examples=[1], description="Units that were bought.")]
    net_fen: Annotated[
        int, Meta(ge=0, le=MAX_FEN, examples=[49_900], description="Fen paid for all units, after coupons.")
    ]
    qualifying: Qualifying = False
    earns: Earns = True


class SimulatedReturn(Model):
    """What came back of a recorded order."""

    at: Annotated[datetime, Meta(tz=True, examples=["2026-12-05T08:00:00Z"], description="When it was returned.")]
    fen: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=MAX_FEN,
                examples=[19_900],
                description="Refunded fen of all lines; absent: everything that was left.",
            ),
        ]
        | None
    ) = None


class SimulatedOrder(Model):
    """One order of the past."""

    order_id: Annotated[str, Meta(min_length=1, max_length=64, examples=["o1"], description="Any id, used once.")]
    member_id: Annotated[Id, Meta(description="Buyer, by any id.")]
    lines: Annotated[list[SimulatedLine], Meta(min_length=1, max_length=50, description="What was bought.")]
    placed_at: Annotated[datetime, Meta(tz=True, examples=["2026-11-25T08:00:00Z"], description="When it was placed.")]
    paid_at: (
        Annotated[
            datetime,
            Meta(
                tz=True,
                examples=["2026-11-25T08:00:00Z"],
                description="When it was paid; absent: when it was placed; null: never.",
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    received_at: (
        Annotated[
            datetime,
            Meta(
                tz=True,
                examples=["2026-11-28T08:00:00Z"],
                description="When it arrived; absent: never, and the return window never ends.",
            ),
        ]
        | None
    ) = None
    inviter_id: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=64,
                examples=["m3"],
                description="Inviter of the buyer, by any id; absent: none.",
            ),
        ]
        | None
    ) = None
    returns: Annotated[list[SimulatedReturn], Meta(max_length=20, description="Returns with their times.")] = (
        msgspec.field(default_factory=list)
    )


class SimulationBounds(Model):
    """What the best plan must keep, and what makes it the best. It must always pass the compliance check."""

    margin_floor_bps: Annotated[Share, Meta(description="Lowest margin, in basis points of the sales kept.")] = 0
    cost_cap_bps: Annotated[Share, Meta(description="Highest cost of the plan, in basis points of the sales kept.")] = (
        3_000
    )
    goal: Annotated[
        Literal["margin", "earnings"],
        Meta(description="What makes a plan the best: the brand's margin, or the promoters' earnings."),
    ] = "margin"


class Simulate(Model):
    """Plans, and the shop that they are run on: a recorded one or a synthetic one."""

    plans: Annotated[list[Candidate], Meta(min_length=1, max_length=MAX_PLANS, description="Plans to compare.")]
    market: Annotated[
        MarketParameters,
        Meta(description="The synthetic shop; with recorded orders, only the costs of goods and coupons."),
    ] = msgspec.field(default_factory=MarketParameters)
    orders: (
        Annotated[
            list[SimulatedOrder],
            Meta(
                min_length=1,
                max_length=MAX_ORDERS,
                description="Recorded orders to run the plans on; absent: a synthetic shop.",
            ),
        ]
        | UnsetType
    ) = UNSET
    partners: Annotated[
        list[Id], Meta(max_length=1_000, description="Buyers appointed partners before the first recorded order.")
    ] = msgspec.field(default_factory=list)
    bounds: Annotated[SimulationBounds, Meta(description="Bounds of the best plan.")] = msgspec.field(
        default_factory=SimulationBounds
    )
    chart: Annotated[bool, Meta(description="Whether to add a chart of the comparison, as SVG.")] = False


def market_of(body: MarketParameters, base: Market) -> Market:
    """`base` with what `body` names."""
    changed = {name: value for name in Market.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
    return replace(base, **changed)


def check_size(markets: Sequence[Market]) -> None:
    """Raises `RefusedError` SIMULATION_TOO_LARGE for what one call cannot do in time."""
    # Orders cost as much as members.
    weights = [
        market.members * (10_000 + market.conversion_bps * 10_000 // (10_000 - market.repeat_bps)) // 20_000
        for market in markets
    ]
    if any(market.members > MAX_MEMBERS for market in markets) or sum(weights) > MAX_PLANS * MAX_MEMBERS:
        raise errors.SIMULATION_TOO_LARGE(limit=MAX_MEMBERS)


def trials_of(body: Simulate, now: datetime) -> list[Trial]:
    """What is to be tried. Raises `InvalidError` PLAN_INVALID."""
    return [trial_of(candidate, market_of(body.market, Market()), now) for candidate in body.plans]


def trial_of(body: Candidate, market: Market, now: datetime) -> Trial:
    """One plan in the shop expected under it. Raises `InvalidError` PLAN_INVALID."""
    plan = body.plan.draft(PRESETS[body.plan.preset])
    return Trial(plan, market_of(body.market, market), tuple(body.plan.approvals_at(now)))


def order_of(body: SimulatedOrder) -> RecordedOrder:
    """The order as the simulation reads it."""
    return RecordedOrder(
        order_id=body.order_id,
        member_id=body.member_id,
        lines=tuple(OrderLine(line.sku, line.units, line.net_fen, line.qualifying, line.earns) for line in body.lines),
        placed_at=body.placed_at,
        inviter_id=body.inviter_id,
        paid_at=body.placed_at if body.paid_at is UNSET else body.paid_at,
        received_at=body.received_at,
        returns=tuple(OrderReturned(body.order_id, step.at, step.fen) for step in body.returns),
    )


def orders_of(bodies: Sequence[SimulatedOrder]) -> list[RecordedOrder]:
    """Recorded orders by the time of placing."""
    return sorted([order_of(body) for body in bodies], key=lambda order: order.placed_at)


def bounds_of(body: SimulationBounds) -> Bounds:
    """The bounds of a comparison."""
    return Bounds(body.margin_floor_bps, body.cost_cap_bps, body.goal)


class BrokenBound(Model):
    """A bound that a plan does not keep."""

    bound: Annotated[
        Literal["guard", "cost_cap", "margin_floor"], Meta(description="Bound that is not kept.", examples=["cost_cap"])
    ]
    found: Annotated[
        int,
        Meta(description="Value found: basis points, or for `guard` the number of failed checks.", examples=[2_733]),
    ]
    limit: Annotated[int, Meta(description="Value that would have kept it, in the same unit.", examples=[2_500])]
    checks: Annotated[
        list[str],
        Meta(examples=[["cap", "head_count"]], description="For `guard`, the failed checks; otherwise empty."),
    ]


class SimulatedPlan(Model):
    """What one plan would have cost, and whom it would have paid. Amounts in fen, `_bps` in basis points."""

    plan: Annotated[
        str, Meta(examples=["chain21"], description="Id of the plan; ` (2)` after the second one of the same id.")
    ]
    title: Annotated[str, Meta(examples=["2+1 合伙人计划"], description="Title that promoters would read.")]
    within_bounds: Annotated[bool, Meta(description="Whether it keeps every bound.")]
    broken: Annotated[list[BrokenBound], Meta(description="Bounds that it does not keep.")]
    members: Annotated[int, Meta(description="Members who joined.", examples=[10_000])]
    orders: Annotated[int, Meta(description="Orders that were placed.", examples=[4_980])]
    sales_fen: Annotated[int, Meta(description="Fen that were paid for goods.", examples=[198_000_000])]
    returned_fen: Annotated[int, Meta(description="Refunded fen.", examples=[9_000_000])]
    kept_fen: Annotated[int, Meta(description="Sales less refunds, in fen.", examples=[189_000_000])]
    goods_fen: Annotated[int, Meta(description="Cost of the goods that were kept, in fen.", examples=[75_600_000])]
    direct_fen: Annotated[
        int, Meta(description="Fen of direct rewards when they were credited.", examples=[30_000_000])
    ]
    team_fen: Annotated[int, Meta(description="Fen of team rewards when they were credited.", examples=[12_000_000])]
    peer_fen: Annotated[int, Meta(description="Fen of peer rewards when they were credited.", examples=[900_000])]
    dividend_fen: Annotated[int, Meta(description="Fen of team dividends.", examples=[0])]
    benefits: Annotated[int, Meta(description="Coupons granted, less those revoked.", examples=[0])]
    benefit_cost_fen: Annotated[int, Meta(description="Cost of these coupons in fen.", examples=[0])]
    clawed_fen: Annotated[int, Meta(description="Fen of rewards that refunds took back.", examples=[2_100_000])]
    clawed_bps: Annotated[int, Meta(description="The same in basis points of all that was credited.", examples=[489])]
    clawed_late_fen: Annotated[
        int,
        Meta(description="Fen of it that were available before, and may have been paid out.", examples=[80_000]),
    ]
    peak_frozen_fen: Annotated[
        int,
        Meta(
            description="Highest sum of frozen rewards at one time: refunds could claw it back without debt.",
            examples=[5_200_000],
        ),
    ]
    rewards_fen: Annotated[int, Meta(description="Fen that promoters keep, dividends included.", examples=[40_800_000])]
    cost_fen: Annotated[int, Meta(description="Fen that the plan costs the brand.", examples=[40_800_000])]
    cost_bps: Annotated[int, Meta(description="The same in basis points of `kept_fen`.", examples=[2_159])]
    margin_fen: Annotated[
        int, Meta(description="Fen that are left to the brand after goods and plan.", examples=[72_600_000])
    ]
    margin_bps: Annotated[int, Meta(description="The same in basis points of `kept_fen`.", examples=[3_841])]
    worst_order_bps: Annotated[
        int, Meta(description="The most that one order paid, in basis points of its own net.", examples=[6_613])
    ]
    worst_order: (
        Annotated[str, Meta(examples=["o309"], description="Order that paid the most; null if none paid anything.")]
        | None
    )
    worst_reference_bps: Annotated[
        int,
        Meta(
            description="The most that one unit at the plan's price pays in the worst positions, in basis points.",
            examples=[10_621],
        ),
    ]
    earners: Annotated[int, Meta(description="Members who kept a reward.", examples=[610])]
    earning_bps: Annotated[int, Meta(description="The same in basis points of all members.", examples=[610])]
    top_bps: Annotated[
        int,
        Meta(
            description="Share of the highest-earning hundredth of the earners in all earnings, in basis points.",
            examples=[1_240],
        ),
    ]
    gini_bps: Annotated[
        int,
        Meta(description="Gini coefficient of the earnings: 0 all equal, 10 000 one has everything.", examples=[5_480]),
    ]
    curve_bps: Annotated[
        list[int],
        Meta(
            description="Share of the lowest-earning 1/20, 2/20 ... of the earners in all earnings, in basis points.",
            examples=[[40, 110, 10000]],
        ),
    ]
    outside_bps: Annotated[
        int, Meta(description="Sales to people who promote nothing, in basis points of all sales.", examples=[6_100])
    ]
    promotions: Annotated[int, Meta(description="Members who became partners.", examples=[140])]
    demotions: Annotated[int, Meta(description="Partners who lost the role.", examples=[0])]
    refused_bindings: Annotated[
        int, Meta(description="Bindings that the rules refused; only possible with recorded orders.", examples=[0])
    ]
    findings: Annotated[list[ShownFinding], Meta(description="Findings of the compliance check on the plan.")]
    alarms: Annotated[
        dict[str, int],
        Meta(
            description="Findings of the nightly check: the number of `subtrees`, and `outside_sales` under 5 000.",
            examples=[{"subtrees": 2}],
        ),
    ]

    @classmethod
    def of(cls, outcome: Outcome, name: str, broken: Sequence[Breach]) -> SimulatedPlan:
        """The outcome of one plan, under its name in the comparison."""
        accrued = dict(outcome.accrued)
        unlike: dict[str, Any] = {
            "plan": name,
            "title": outcome.plan.title,
            "within_bounds": not broken,
            "broken": [BrokenBound(breach.bound, breach.found, breach.limit, list(breach.checks)) for breach in broken],
            "direct_fen": accrued["direct"],
            "team_fen": accrued["team"],
            "peer_fen": accrued["peer"],
            "curve_bps": list(outcome.curve_bps),
            "findings": [ShownFinding.of(finding) for finding in outcome.findings],
            "alarms": dict(outcome.alarms),
        }
        same = [field for field in cls.__struct_fields__ if field not in unlike]
        return cls(**unlike, **{field: getattr(outcome, field.removesuffix("_fen")) for field in same})


class Simulation(Model):
    """The plans in the order asked for, the best of them within the bounds (null: none is), and why."""

    plans: Annotated[list[SimulatedPlan], Meta(description="The plans in the order of the request.")]
    best: (
        Annotated[
            str, Meta(examples=["single_level"], description="The best plan within the bounds; null if there is none.")
        ]
        | None
    )
    why: Annotated[
        str,
        Meta(
            examples=["chain21：未通过合规检查（cap, head_count）；成本占销售额 27.33 %，高于 25.00 %。"],
            description="Why it is the best, or what the others break; in the language of the request.",
        ),
    ]
    chart_svg: (
        Annotated[
            str,
            Meta(
                examples=['<svg xmlns="http://www.w3.org/2000/svg"/>'],
                description="The comparison as SVG; null unless it was asked for.",
            ),
        ]
        | None
    )

    @classmethod
    def of(cls, comparison: Comparison, language: str, *, chart: bool) -> Simulation:
        """A comparison; texts in the reader's language."""
        names, drawn = names_of(comparison), None
        if chart:
            from cardstock.network.simulation.charts import comparison_svg  # for few calls

            drawn = comparison_svg(comparison, names, english=language == "en")
        return cls(
            plans=[
                SimulatedPlan.of(outcome, name, broken)
                for outcome, name, broken in zip(comparison.outcomes, names, comparison.breaches, strict=True)
            ],
            best=None if comparison.best is None else names[comparison.best],
            why=why(comparison, english=language == "en"),
            chart_svg=drawn,
        )


def decode_candidate(content: bytes, path: str) -> Candidate:
    """A candidate from a file: one, or a plan alone. Raises `InvalidError` BODY_INVALID naming the field."""
    try:
        fields_of = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        if "plan" in fields_of:
            return msgspec.json.decode(content, type=Candidate)
        return Candidate(msgspec.json.decode(content, type=CandidatePlan))
    except msgspec.MsgspecError as error:
        raise BODY_INVALID(pointers=(Pointer(path, str(error)),)) from error
