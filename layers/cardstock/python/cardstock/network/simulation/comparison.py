"""Compare the costs of plans, and pick the best one within bounds."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from cardstock.money import Bps
from cardstock.network import plan_check
from cardstock.network.simulation.outcome import Outcome

Goal: TypeAlias = Literal["margin", "earnings"]
BoundName: TypeAlias = Literal["guard", "cost_cap", "margin_floor"]
"""`guard`: the compliance check at publishing."""


class Bounds(msgspec.Struct, frozen=True):
    """What a plan must keep to be picked. It must always pass the compliance check, with its approvals."""

    margin_floor_bps: Bps = 0
    """Lowest margin, in basis points of the sales kept."""
    cost_cap_bps: Bps = 3_000
    """Highest cost, in basis points of the sales kept."""
    goal: Goal = "margin"
    """The best plan leaves the brand the most fen (`margin`), or pays promoters the most fen."""


class Breach(msgspec.Struct, frozen=True):
    """A bound that a plan does not keep."""

    bound: BoundName
    found: int
    """Basis points; for `guard` the number of failed checks."""
    limit: int
    checks: tuple[str, ...] = ()


class Comparison(msgspec.Struct, frozen=True):
    """Outcomes in the given order, the bounds that each breaks, and the best within bounds; None: there is none."""

    outcomes: tuple[Outcome, ...]
    breaches: tuple[tuple[Breach, ...], ...]
    bounds: Bounds
    best: int | None
    runner_up: int | None
    """The next best within bounds."""


def compare(outcomes: Sequence[Outcome], bounds: Bounds) -> Comparison:
    """Pick the best outcome within `bounds`. Ties go to the lower worst order, then to the earlier one."""
    breaches = tuple(_breaches(outcome, bounds) for outcome in outcomes)

    def rank(index: int) -> tuple[int, int, int]:
        outcome = outcomes[index]
        return (-(outcome.margin if bounds.goal == "margin" else outcome.rewards), outcome.worst_order_bps, index)

    within = sorted([index for index, broken in enumerate(breaches) if not broken], key=rank)
    return Comparison(tuple(outcomes), breaches, bounds, *([*within, None, None][:2]))


def _breaches(outcome: Outcome, bounds: Bounds) -> tuple[Breach, ...]:
    blocking = plan_check.blocks(outcome.findings)
    found = []
    if blocking:
        found.append(Breach("guard", len(blocking), 0, tuple(finding.check for finding in blocking)))
    if outcome.cost_bps > bounds.cost_cap_bps:
        found.append(Breach("cost_cap", outcome.cost_bps, bounds.cost_cap_bps))
    if outcome.margin_bps < bounds.margin_floor_bps:
        found.append(Breach("margin_floor", outcome.margin_bps, bounds.margin_floor_bps))
    return tuple(found)
