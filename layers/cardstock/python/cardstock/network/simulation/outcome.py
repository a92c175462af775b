"""What came of one plan in one history, as figures."""

from collections.abc import Sequence
from typing import Final

import msgspec

from cardstock.money import BPS_ONE, Bps, Fen, half_up
from cardstock.network.model import RewardKind
from cardstock.network.plan import Finding, Plan

CURVE_POINTS: Final = 20
"""Points of the curve that shows how earnings are distributed."""


class Outcome(msgspec.Struct, frozen=True):
    """One plan, played through one history. Amounts in fen, shares in basis points, rounded half-up."""

    plan: Plan
    findings: tuple[Finding, ...]
    """The findings of the check at publishing."""
    alarms: tuple[tuple[str, int], ...]
    """What the nightly check would find: the number of `subtrees` that reach the levels and people of the law with
    money flowing in them, and `outside_sales`, the share of sales to people who promote nothing, where that is under a
    half."""
    members: int
    orders: int
    sales: Fen
    """Paid for goods."""
    returned: Fen
    """Given back of it."""
    goods: Fen
    """What the goods that were kept cost."""
    accrued: tuple[tuple[RewardKind, Fen], ...]
    """Rewards when they were credited."""
    clawed: Fen
    """What refunds took back of them."""
    clawed_late: Fen
    """The part of it that had been available before: it may have been paid out."""
    peak_frozen: Fen
    """The most that refunds could have taken back at one time without anybody's debt."""
    benefits: int
    """Benefits granted by a plan without cash, less those undone."""
    benefit_cost: Fen
    dividend: Fen
    worst_order_bps: Bps
    """The most that one order paid, of its net, rounded up."""
    worst_order: str | None
    worst_reference_bps: Bps
    """The same for one unit at the plan's reference price in the worst possible positions."""
    earners: int
    """Who kept something in the end."""
    top_bps: Bps
    """What the highest-earning hundredth of them, at least one, has of all that they keep."""
    gini_bps: Bps
    """How unequal they are: 0 all the same, 10 000 one has it all."""
    curve_bps: tuple[Bps, ...]
    """What the lowest-earning 1/20, 2/20 ... of them have of it."""
    outside_bps: Bps
    """Sales to people who are no distributors and have brought nobody, of all sales."""
    promotions: int
    demotions: int
    refused_bindings: int
    """Bindings that the rules refused; only a recorded history can hold such."""

    @property
    def kept(self) -> Fen:
        """Sales less what was given back."""
        return self.sales - self.returned

    @property
    def rewards(self) -> Fen:
        """What promoters keep, dividends included."""
        return sum(amount for _, amount in self.accrued) - self.clawed + self.dividend

    @property
    def cost(self) -> Fen:
        """What the plan costs the brand."""
        return self.rewards + self.benefit_cost

    @property
    def cost_bps(self) -> Bps:
        """The cost, of the sales kept."""
        return share_bps(self.cost, self.kept)

    @property
    def margin(self) -> Fen:
        """Sales kept, less their goods and the plan's cost."""
        return self.kept - self.goods - self.cost

    @property
    def margin_bps(self) -> Bps:
        """The margin, of the sales kept."""
        return share_bps(self.margin, self.kept)

    @property
    def clawed_bps(self) -> Bps:
        """Of all that was credited."""
        return share_bps(self.clawed, sum(amount for _, amount in self.accrued))

    @property
    def earning_bps(self) -> Bps:
        """Members who kept something."""
        return share_bps(self.earners, self.members)


def gini_bps(earnings: Sequence[Fen]) -> Bps:
    """The Gini coefficient of `earnings`, sorted upwards and above zero; 0 for nobody."""
    number, whole = len(earnings), sum(earnings)
    if not whole:
        return 0
    weighted = sum([rank * fen for rank, fen in enumerate(earnings, 1)])
    return half_up(BPS_ONE * (2 * weighted - (number + 1) * whole), number * whole)


def curve(earnings: Sequence[Fen]) -> tuple[Bps, ...]:
    """What the first 1/20, 2/20 ... of `earnings` (sorted upwards) make of all; the Lorenz curve."""
    whole = sum(earnings)
    points, done, total = [], 0, 0
    for point in range(1, CURVE_POINTS + 1):
        until = len(earnings) * point // CURVE_POINTS
        total += sum(earnings[done:until])
        done = until
        points.append(share_bps(total, whole))
    return tuple(points)


def share_bps(part: Fen, whole: Fen) -> Bps:
    """What `part` is of `whole`, half-up; 0 of nothing."""
    return half_up(part * BPS_ONE, whole) if whole > 0 else 0
