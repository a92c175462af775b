"""Compare what plans would cost, and pick the best one within bounds."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from cardstock.money import Bps
from cardstock.network import plan_check
from cardstock.network.simulation.outcome import Outcome

Goal: TypeAlias = Literal["margin", "earnings"]
BoundName: TypeAlias = Literal["guard", "cost_cap", "margin_floor"]
"""`guard`: the checks at publishing."""


class Bounds(msgspec.Struct, frozen=True):
    """What a plan must keep to be picked. That nothing in it is refused or lacks an approval always holds."""

    margin_floor_bps: Bps = 0
    """Of what was kept of the sales, at least."""
    cost_cap_bps: Bps = 3_000
    """Of what was kept of the sales, at most."""
    goal: Goal = "margin"
    """The best within bounds leaves the brand most, or pays promoters most; fen, not shares."""


class Breach(msgspec.Struct, frozen=True):
    """A bound that a plan does not keep."""

    bound: BoundName
    found: int
    """Basis points; for `guard` how many checks fail."""
    limit: int
    checks: tuple[str, ...] = ()


class Comparison(msgspec.Struct, frozen=True):
    """Outcomes as they were given, what each breaks, and which is best; None: none is within bounds."""

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
