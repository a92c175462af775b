"""The figures of one plan in one history."""

from collections.abc import Sequence
from typing import Final

import msgspec

from cardstock.money import BPS_ONE, Bps, Fen, half_up
from cardstock.network.model import RewardKind
from cardstock.network.plan import Finding, Plan

CURVE_POINTS: Final = 20
"""Points of the curve of the distribution of earnings."""


class Outcome(msgspec.Struct, frozen=True):
    """The result of one plan on one history. Amounts in fen, shares in basis points, rounded half-up."""

    plan: Plan
    findings: tuple[Finding, ...]
    """The findings of the check at publishing."""
    alarms: tuple[tuple[str, int], ...]
    """What the nightly compliance check would find: `subtrees`, the number of paying subtrees that reach the law's
    levels and people, and `outside_sales`, the share of sales to non-promoters, if it is under a half."""
    members: int
    orders: int
    sales: Fen
    """Paid for goods."""
    returned: Fen
    """Refunded of the sales."""
    goods: Fen
    """Cost of the goods that were kept."""
    accrued: tuple[tuple[RewardKind, Fen], ...]
    """Credited rewards."""
    clawed: Fen
    """Rewards clawed back by refunds."""
    clawed_late: Fen
    """The part of it that was available before, and may have been paid out."""
    peak_frozen: Fen
    """The highest sum of frozen rewards at one time: refunds could claw it back without debt."""
    benefits: int
    """Coupons granted by a plan without cash, less those revoked."""
    benefit_cost: Fen
    dividend: Fen
    worst_order_bps: Bps
    """The highest payment of one order, of its net, rounded up."""
    worst_order: str | None
    worst_reference_bps: Bps
    """The same for one unit at the plan's reference price in the most expensive positions."""
    earners: int
    """Number of members who kept something in the end."""
    top_bps: Bps
    """Share of the highest-earning hundredth of them (at least one) in all that they keep."""
    gini_bps: Bps
    """Gini coefficient of their earnings: 0 all equal, 10 000 one has everything."""
    curve_bps: tuple[Bps, ...]
    """Share of the lowest-earning 1/20, 2/20 ... of them in all that they keep."""
    outside_bps: Bps
    """Share of sales to members who are no distributors and have brought nobody."""
    promotions: int
    demotions: int
    refused_bindings: int
    """Bindings that the rules refused; only possible in recorded histories."""

    @property
    def kept(self) -> Fen:
        """Sales less refunds."""
        return self.sales - self.returned

    @property
    def rewards(self) -> Fen:
        """Rewards that promoters keep, dividends included."""
        return sum(amount for _, amount in self.accrued) - self.clawed + self.dividend

    @property
    def cost(self) -> Fen:
        """Cost of the plan for the brand."""
        return self.rewards + self.benefit_cost

    @property
    def cost_bps(self) -> Bps:
        """The cost in basis points of the sales kept."""
        return share_bps(self.cost, self.kept)

    @property
    def margin(self) -> Fen:
        """Sales kept, less the cost of their goods and of the plan."""
        return self.kept - self.goods - self.cost

    @property
    def margin_bps(self) -> Bps:
        """The margin in basis points of the sales kept."""
        return share_bps(self.margin, self.kept)

    @property
    def clawed_bps(self) -> Bps:
        """Clawed back, in basis points of all credited rewards."""
        return share_bps(self.clawed, sum(amount for _, amount in self.accrued))

    @property
    def earning_bps(self) -> Bps:
        """Members who kept something, in basis points of all members."""
        return share_bps(self.earners, self.members)


def gini_bps(earnings: Sequence[Fen]) -> Bps:
    """The Gini coefficient of `earnings`, sorted upwards and above zero; 0 for nobody."""
    number, whole = len(earnings), sum(earnings)
    if not whole:
        return 0
    weighted = sum([rank * fen for rank, fen in enumerate(earnings, 1)])
    return half_up(BPS_ONE * (2 * weighted - (number + 1) * whole), number * whole)


def curve(earnings: Sequence[Fen]) -> tuple[Bps, ...]:
    """Share of the first 1/20, 2/20 ... of `earnings` (sorted upwards) in all; the Lorenz curve."""
    whole = sum(earnings)
    points, done, total = [], 0, 0
    for point in range(1, CURVE_POINTS + 1):
        until = len(earnings) * point // CURVE_POINTS
        total += sum(earnings[done:until])
        done = until
        points.append(share_bps(total, whole))
    return tuple(points)


def share_bps(part: Fen, whole: Fen) -> Bps:
    """`part` in basis points of `whole`, half-up; 0 if `whole` is 0."""
    return half_up(part * BPS_ONE, whole) if whole > 0 else 0
