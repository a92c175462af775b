"""Sentences about a comparison of plans, in English or Chinese."""

from collections.abc import Sequence

from cardstock.money import Bps, Fen
from cardstock.network.simulation.comparison import Breach, Comparison


def names_of(comparison: Comparison) -> list[str]:
    """The ids of the plans; `chain21`, `chain21 (2)` where several have the same."""
    names: list[str] = []
    for outcome in comparison.outcomes:
        count = sum(name.partition(" ")[0] == outcome.plan.id for name in names)
        names.append(f"{outcome.plan.id} ({count + 1})" if count else outcome.plan.id)
    return names


def why(comparison: Comparison, *, english: bool) -> str:
    """Sentences on why the best plan is the best, and which bounds each other plan breaks."""
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
        return f"the compliance check does not pass ({checks})" if english else f"未通过合规检查（{checks}）"
    if breach.bound == "cost_cap":
        return f"it costs {found} of sales, above {limit}" if english else f"成本占销售额 {found}，高于 {limit}"
    return f"its margin is {found}, below {limit}" if english else f"毛利率 {found}，低于 {limit}"


def percent(bps: Bps) -> str:
    """Basis points as percent."""
    sign, bps = ("-" if bps < 0 else ""), abs(bps)
    return f"{sign}{bps // 100}.{bps % 100:02d} %"


def yuan(fen: Fen) -> str:
    """Fen as yuan, with thousands."""
    sign, fen = ("-" if fen < 0 else ""), abs(fen)
    return f"{sign}{fen // 100:,}.{fen % 100:02d}"
