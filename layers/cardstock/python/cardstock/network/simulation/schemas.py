"""Plans to be compared and what came of them, as JSON; the endpoint and the command speak the same."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import fields, replace

from cardstock.edge.http import Model
from cardstock.errors import BODY_INVALID, Pointer
from cardstock.ledger.schemas import PublishPlan, ShownFinding, approvals_of, draft_of
from cardstock.money import MAX_FEN
from cardstock.network import errors
from cardstock.network.model import OrderLine
from cardstock.network.presets import PRESETS
from cardstock.network.simulation.charts import comparison_svg
from cardstock.network.simulation.history import MARKET_RANGES, Market, RecordedOrder, Returned
from cardstock.network.simulation.simulation import Bounds, Breach, Comparison, Outcome, Trial

MAX_PLANS: Final = 5
MAX_MEMBERS: Final = 20_000
"""Of one synchronous call, for each plan; the command takes ten million."""
MAX_ORDERS: Final = 1_000
CODES: Final = (errors.PLAN_INVALID, errors.SIMULATION_TOO_LARGE, errors.ORDER_INVALID)

Share = Annotated[int, Meta(ge=0, le=10_000)]
Id = Annotated[str, Meta(min_length=1, max_length=64, examples=["m17"])]


class MarketParameters(Model):
    """A made-up shop. What is not named is as the example says; the same parameters are the same history.

    `growth_bps` more join each day than the day before, `organic_bps` of them by themselves, the others through those
    who bring somebody at all (`sharing_bps`): any of them, or, for `star_bps` of the invitations, one in proportion to
    how many he has brought. `conversion_bps` buy the qualifying product within `decision_days`. `extra_bps` of these
    orders hold other goods too; `repeat_bps` of all orders are followed by another one. Of `refund_bps` of the orders
    something is returned: a part for `partial_bps` of them, after the return window for `late_bps`. `goods_bps` is
    what goods cost the brand, `unlock_cost` what one benefit of an unlock plan costs it.
    """

    seed: Annotated[int, Meta(ge=0, le=2**53, examples=[1])] | UnsetType = UNSET
    members: Annotated[int, Meta(ge=1, le=10_000_000, examples=[10_000])] | UnsetType = UNSET
    days: Annotated[int, Meta(ge=1, le=1_000, examples=[180])] | UnsetType = UNSET
    growth_bps: Annotated[int, Meta(ge=0, le=1_000, examples=[100])] | UnsetType = UNSET
    partners: Annotated[int, Meta(ge=0, le=1_000, examples=[10])] | UnsetType = UNSET
    organic_bps: Annotated[int, Meta(ge=0, le=10_000, examples=[1_000])] | UnsetType = UNSET
    sharing_bps: Annotated[int, Meta(ge=0, le=10_000, examples=[2_500])] | UnsetType = UNSET
    star_bps: Annotated[int, Meta(ge=0, le=10_000, examples=[5_000])] | UnsetType = UNSET
    verified_bps: Annotated[int, Meta(ge=0, le=10_000, examples=[6_000])] | UnsetType = UNSET
    conversion_bps: Annotated[int, Meta(ge=0, le=10_000, examples=[3_000])] | UnsetType = UNSET
    decision_days: Annotated[int, Meta(ge=0, le=365, examples=[14])] | UnsetType = UNSET
    price: Annotated[int, Meta(ge=1, le=MAX_FEN, examples=[49_900])] | UnsetType = UNSET
    basket: Annotated[int, Meta(ge=2, le=MAX_FEN, examples=[20_000])] | UnsetType = UNSET
    extra_bps: Annotated[int, Meta(ge=0, le=10_000, examples=[2_000])] | UnsetType = UNSET
    repeat_bps: Annotated[int, Meta(ge=0, le=9_000, examples=[4_000])] | UnsetType = UNSET
    coupon_bps: Annotated[int, Meta(ge=0, le=10_000, examples=[2_000])] | UnsetType = UNSET
    refund_bps: Annotated[int, Meta(ge=0, le=10_000, examples=[800])] | UnsetType = UNSET
    partial_bps: Annotated[int, Meta(ge=0, le=10_000, examples=[3_000])] | UnsetType = UNSET
    late_bps: Annotated[int, Meta(ge=0, le=10_000, examples=[500])] | UnsetType = UNSET
    receive_days: Annotated[int, Meta(ge=0, le=90, examples=[3])] | UnsetType = UNSET
    goods_bps: Annotated[int, Meta(ge=0, le=10_000, examples=[4_000])] | UnsetType = UNSET
    unlock_cost: Annotated[int, Meta(ge=0, le=MAX_FEN, examples=[2_000])] | UnsetType = UNSET


class Candidate(Model):
    """A plan to compare. `market` changes what is expected of the shop under this plan alone: a plan that pays more may
    convert better, and only you can say by how much."""

    plan: PublishPlan
    market: MarketParameters = msgspec.field(default_factory=MarketParameters)


class SimulatedLine(Model):
    """What was paid for one line of a recorded order, coupons off."""

    sku: Annotated[str, Meta(min_length=1, max_length=64, examples=["kit"])]
    units: Annotated[int, Meta(ge=1, le=999, examples=[1])]
    net_fen: Annotated[int, Meta(ge=0, le=MAX_FEN, examples=[49_900])]
    qualifying: bool = False
    earns: bool = True


class SimulatedReturn(Model):
    """What came back of a recorded order, and when: `fen` of all its lines, or everything that was left."""

    at: Annotated[datetime, Meta(tz=True, examples=["2026-12-05T08:00:00Z"])]
    fen: Annotated[int, Meta(ge=1, le=MAX_FEN, examples=[19_900])] | None = None


class SimulatedOrder(Model):
    """One order of the past. `paid_at` is `placed_at` unless it is given; null: never. Without `received_at` its return
    window never ends."""

    order_id: Annotated[str, Meta(min_length=1, max_length=64, examples=["o1"])]
    member_id: Id
    lines: Annotated[list[SimulatedLine], Meta(min_length=1, max_length=50)]
    placed_at: Annotated[datetime, Meta(tz=True, examples=["2026-11-25T08:00:00Z"])]
    paid_at: Annotated[datetime, Meta(tz=True, examples=["2026-11-25T08:00:00Z"])] | UnsetType | None = UNSET
    received_at: Annotated[datetime, Meta(tz=True, examples=["2026-11-28T08:00:00Z"])] | None = None
    inviter_id: Annotated[str, Meta(min_length=1, max_length=64, examples=["m3"])] | None = None
    returns: Annotated[list[SimulatedReturn], Meta(max_length=20)] = msgspec.field(default_factory=list)


class SimulationBounds(Model):
    """What the best plan must keep, of the sales that were kept; and what makes it the best: it leaves the brand the
    highest margin, or promoters the highest earnings. That the guard passes always holds."""

    margin_floor_bps: Share = 0
    cost_cap_bps: Share = 3_000
    goal: Literal["margin", "earnings"] = "margin"


class Simulate(Model):
    """Plans, and the shop that they are tried on: recorded `orders` with the `partners` appointed before them, or a
    made-up `market`. Of a recorded shop, `market` says only what goods and benefits cost."""

    plans: Annotated[list[Candidate], Meta(min_length=1, max_length=MAX_PLANS)]
    market: MarketParameters = msgspec.field(default_factory=MarketParameters)
    orders: Annotated[list[SimulatedOrder], Meta(min_length=1, max_length=MAX_ORDERS)] | UnsetType = UNSET
    partners: Annotated[list[Id], Meta(max_length=1_000)] = msgspec.field(default_factory=list)
    bounds: SimulationBounds = msgspec.field(default_factory=SimulationBounds)
    chart: Annotated[bool, Meta(description="Draw it, as SVG.")] = False


def market_of(body: MarketParameters, base: Market) -> Market:
    """`base` with what `body` names."""
    changed = {name: value for name in MARKET_RANGES if (value := getattr(body, name)) is not UNSET}
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
    plan = draft_of(body.plan, PRESETS[body.plan.preset])
    return Trial(plan, market_of(body.market, market), tuple(approvals_of(body.plan, now)))


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
        returns=tuple(Returned(body.order_id, step.at, step.fen) for step in body.returns),
    )


def orders_of(bodies: Sequence[SimulatedOrder]) -> list[RecordedOrder]:
    """Recorded orders by the time of placing."""
    return sorted([order_of(body) for body in bodies], key=lambda order: order.placed_at)


def bounds_of(body: SimulationBounds) -> Bounds:
    """The bounds of a comparison."""
    return Bounds(body.margin_floor_bps, body.cost_cap_bps, body.goal)


class Broken(Model):
    """A bound that a plan does not keep: what was found (basis points; for `guard` the number of checks) and the
    limit."""

    bound: Literal["guard", "cost_cap", "margin_floor"]
    found: int
    limit: int
    checks: Annotated[list[str], Meta(examples=[["cap", "head_count"]])]


class SimulatedPlan(Model):
    """What one plan would have cost, and whom it would have paid. Amounts in fen, `_bps` in basis points.

    `cost_bps` and `margin_bps` are of `kept_fen`, the sales less returns. `worst_order_bps` is the most that one order
    paid, of its own net; `worst_reference_bps` the same for one unit at the plan's price in the worst positions.
    `clawed_late_fen` had been available before it was taken back: it may have been paid out. `peak_frozen_fen` is the
    most that refunds could have taken back at one time without debt. `top_bps` is what the highest-earning hundredth
    of the earners has of all earnings, `curve_bps` what the lowest-earning 1/20, 2/20 ... have. `alarms` are what the
    guard would say of the life under the plan: heads of subtrees of three levels and 30 people in which money flows,
    and the share of sales to people who promote nothing, under a half.
    """

    plan: Annotated[str, Meta(examples=["chain21"])]
    title: Annotated[str, Meta(examples=["2+1 合伙人计划"])]
    within_bounds: bool
    broken: list[Broken]
    members: int
    orders: int
    sales_fen: int
    returned_fen: int
    kept_fen: int
    goods_fen: int
    direct_fen: int
    team_fen: int
    peer_fen: int
    dividend_fen: int
    benefits: int
    benefit_cost_fen: int
    clawed_fen: int
    clawed_bps: int
    clawed_late_fen: int
    peak_frozen_fen: int
    rewards_fen: int
    cost_fen: int
    cost_bps: int
    margin_fen: int
    margin_bps: int
    worst_order_bps: int
    worst_order: Annotated[str, Meta(examples=["o309"])] | None
    worst_reference_bps: int
    earners: int
    earning_bps: int
    top_bps: int
    gini_bps: int
    curve_bps: list[int]
    outside_bps: int
    promotions: int
    demotions: int
    refused_bindings: int
    findings: list[ShownFinding]
    alarms: dict[str, int]


class Simulation(Model):
    """The plans in the order asked for, the best of them within the bounds (null: none is), and why."""

    plans: list[SimulatedPlan]
    best: Annotated[str, Meta(examples=["single_level"])] | None
    why: Annotated[
        str,
        Meta(examples=["chain21：未通过合规检查（cap, head_count）；成本占销售额 27.33 %，高于 25.00 %。"]),
    ]
    chart_svg: Annotated[str, Meta(examples=['<svg xmlns="http://www.w3.org/2000/svg"/>'])] | None


def simulation_told(comparison: Comparison, language: str, *, chart: bool) -> Simulation:
    """The view of a comparison; texts in the reader's language."""
    names = names_of(comparison)
    return Simulation(
        plans=[
            _told(outcome, name, broken)
            for outcome, name, broken in zip(comparison.outcomes, names, comparison.breaches, strict=True)
        ],
        best=None if comparison.best is None else names[comparison.best],
        why=why(comparison, english=language == "en"),
        chart_svg=comparison_svg(comparison, names, english=language == "en") if chart else None,
    )


def names_of(comparison: Comparison) -> list[str]:
    """The ids of the plans; `chain21`, `chain21 (2)` where several have the same."""
    names: list[str] = []
    for outcome in comparison.outcomes:
        count = sum(name.partition(" ")[0] == outcome.plan.id for name in names)
        names.append(f"{outcome.plan.id} ({count + 1})" if count else outcome.plan.id)
    return names


def _told(outcome: Outcome, name: str, broken: Sequence[Breach]) -> SimulatedPlan:
    accrued = dict(outcome.accrued)
    same = {field.name for field in fields(outcome)} & set(SimulatedPlan.__struct_fields__) - {"plan", "findings"}
    return SimulatedPlan(
        plan=name,
        title=outcome.plan.title,
        within_bounds=not broken,
        broken=[Broken(breach.bound, breach.found, breach.limit, list(breach.checks)) for breach in broken],
        sales_fen=outcome.sales,
        returned_fen=outcome.returned,
        kept_fen=outcome.kept,
        goods_fen=outcome.goods,
        direct_fen=accrued["direct"],
        team_fen=accrued["team"],
        peer_fen=accrued["peer"],
        dividend_fen=outcome.dividend,
        benefit_cost_fen=outcome.benefit_cost,
        clawed_fen=outcome.clawed,
        clawed_bps=outcome.clawed_bps,
        clawed_late_fen=outcome.clawed_late,
        peak_frozen_fen=outcome.peak_frozen,
        rewards_fen=outcome.rewards,
        cost_fen=outcome.cost,
        cost_bps=outcome.cost_bps,
        margin_fen=outcome.margin,
        margin_bps=outcome.margin_bps,
        worst_order_bps=outcome.worst_bps,
        earning_bps=outcome.earning_bps,
        curve_bps=list(outcome.curve),
        findings=[ShownFinding(f.check, f.verdict, f.clause, f.found, f.passes) for f in outcome.findings],
        alarms=dict(outcome.warnings),
        **{field: getattr(outcome, field) for field in same},
    )


def why(comparison: Comparison, *, english: bool) -> str:
    """Why the best is the best, and what keeps each other plan out, in sentences."""
    names, best = names_of(comparison), comparison.best
    said = []
    if best is None:
        said.append("No plan is within the bounds." if english else "没有方案满足全部条件。")
    else:
        said.append(_praise(comparison, names, english))
    for name, broken in zip(names, comparison.breaches, strict=True):
        if broken:
            reasons = ("; " if english else "；").join(_reason(breach, english) for breach in broken)
            said.append(f"{name}: {reasons}." if english else f"{name}：{reasons}。")
    return (" " if english else "").join(said)


def _praise(comparison: Comparison, names: Sequence[str], english: bool) -> str:
    best, second = comparison.best, comparison.runner_up
    if best is None:
        return ""
    margin = comparison.bounds.goal == "margin"

    def amount(index: int) -> int:
        outcome = comparison.outcomes[index]
        return outcome.margin if margin else outcome.rewards

    outcome = comparison.outcomes[best]
    value = yuan(amount(best))
    if english:
        what = "leaves the brand the highest margin" if margin else "lets promoters earn most"
        text = (
            f"{names[best]} {what} of the plans within the bounds: {value} yuan, at a cost of "
            f"{percent(outcome.cost_bps)} and a margin of {percent(outcome.margin_bps)} of sales"
        )
        if second is not None:
            text += f"; {yuan(amount(best) - amount(second))} yuan more than {names[second]}"
        return text + "."
    what = "留给品牌的毛利最高" if margin else "推广员所得最多"
    text = (
        f"满足条件的方案中，{names[best]} {what}：{value} 元，"
        f"成本占销售额 {percent(outcome.cost_bps)}，毛利率 {percent(outcome.margin_bps)}"
    )
    if second is not None:
        text += f"，比 {names[second]} 多 {yuan(amount(best) - amount(second))} 元"
    return text + "。"


def _reason(breach: Breach, english: bool) -> str:
    found, limit = percent(breach.found), percent(breach.limit)
    if breach.bound == "guard":
        checks = ", ".join(breach.checks)
        return f"the guard does not pass ({checks})" if english else f"未通过合规检查（{checks}）"
    if breach.bound == "cost_cap":
        return f"it costs {found} of sales, above {limit}" if english else f"成本占销售额 {found}，高于 {limit}"
    return f"its margin is {found}, below {limit}" if english else f"毛利率 {found}，低于 {limit}"


def percent(bps: int) -> str:
    """Basis points as percent."""
    sign, bps = ("-" if bps < 0 else ""), abs(bps)
    return f"{sign}{bps // 100}.{bps % 100:02d} %"


def yuan(fen: int) -> str:
    """Fen as yuan, with thousands."""
    sign, fen = ("-" if fen < 0 else ""), abs(fen)
    return f"{sign}{fen // 100:,}.{fen % 100:02d}"


def decode_candidate(content: bytes, path: str) -> Candidate:
    """A candidate from a file: one, or a plan alone. Raises `InvalidError` BODY_INVALID naming the field."""
    try:
        fields_of = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        if "plan" in fields_of:
            return msgspec.json.decode(content, type=Candidate)
        return Candidate(msgspec.json.decode(content, type=PublishPlan))
    except msgspec.MsgspecError as error:
        raise BODY_INVALID(pointers=(Pointer(path, str(error)),)) from error
