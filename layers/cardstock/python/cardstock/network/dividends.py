"""The team dividend: settled sales are counted by month, and a month is divided once it is over.

The pool of a month is `dividend_bps` of the sales under a plan version, less their refunds; team owners divide it by
their teams' sales, by largest remainder. Sales count in the month in which they settle, refunds in the month in which
they are paid back. The sales of a month that is over do not change, so dividing it again gives the same shares.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from cardstock import clock
from cardstock.clock import brand_day
from cardstock.money import Fen
from cardstock.network.model import DividendShare, DivisionProgress, Snapshot, TeamSale
from cardstock.network.plan import Plan, split_ref
from cardstock.network.ports import Plans, TeamSales
from cardstock.network.publishing import get_plan
from cardstock.network.rewards import dividend

_SAVED_EVERY: Final = 25
"""Shares between two writes of the progress: an interrupted run repeats at most this many."""


def month_of(moment: datetime) -> str:
    """The brand's month: `2026-11`."""
    return brand_day(moment).strftime("%Y-%m")


def month_before(moment: datetime) -> str:
    """The last brand's month that ended before `moment`."""
    return (brand_day(moment).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")


def count_settled(
    order_id: str, version: int, snapshot: Snapshot, kept: Fen, *, team_sales: TeamSales, plans: Plans
) -> bool:
    """Count an order that settles with `kept` fen not refunded, if it still has `version`.

    False if the order has changed since it was read: it must be read again. A repeat changes nothing.
    """
    if not _pays(snapshot, plans) or team_sales.settled_version(order_id) is not None:
        return True
    return team_sales.count_settled_sale(order_id, version, month_of(clock.now()), sale_of(snapshot, kept))


def count_returned(
    order_id: str,
    refund_id: str,
    counts_from: int,
    snapshot: Snapshot,
    fen: Fen,
    *,
    team_sales: TeamSales,
    plans: Plans,
) -> None:
    """Count a refund that was paid back. A refund that counts from a version of its order (`counts_from`) at which the
    order had not settled is not in the settled sales, so it is not counted. A repeat changes nothing."""
    if not _pays(snapshot, plans):
        return
    version = team_sales.settled_version(order_id)
    if version is not None and counts_from > version:
        team_sales.count_refunded_sale(order_id, refund_id, month_of(clock.now()), sale_of(snapshot, -fen))


def sale_of(snapshot: Snapshot, fen: Fen) -> TeamSale:
    """Sales of an order (below zero: a refund) for the buyer's team; without owner if the owner is erased."""
    owner = snapshot.owner
    ref = f"{snapshot.plan_id}@{snapshot.plan_version}"
    return TeamSale(ref, None if owner is None or owner.erased else owner.id, fen)


class MonthSales:
    """The sales of one month under one plan version, in total and by team."""

    __slots__ = ("net", "teams")

    def __init__(self) -> None:
        self.net: Fen = 0
        self.teams: dict[str, Fen] = {}

    def add(self, sale: TeamSale) -> None:
        """Add one sale."""
        self.net += sale.fen
        if sale.owner is not None:
            self.teams[sale.owner] = self.teams.get(sale.owner, 0) + sale.fen

    def shares(self, plan: Plan) -> dict[str, Fen]:
        """Team owner -> share of the pool, if above zero. A team with more refunds than sales has none."""
        sold = {owner: fen for owner, fen in sorted(self.teams.items()) if fen > 0}
        return {owner: fen for owner, fen in dividend(plan, self.net, sold).items() if fen}


def shares(sales: Iterable[TeamSale], *, plans: Plans) -> list[DividendShare]:
    """The shares of the pools of one month's `sales`, in the order of their keys."""
    months: dict[str, MonthSales] = {}
    for sale in sales:
        months.setdefault(sale.plan, MonthSales()).add(sale)
    found = []
    for ref, month in months.items():
        plan_id, version = split_ref(ref)
        owners = month.shares(get_plan(plan_id, version, plans=plans))
        found += [DividendShare(ref, member_id, fen) for member_id, fen in owners.items()]
    return sorted(found, key=lambda share: share.key)


def divide(
    month: str,
    pay: Callable[[DividendShare], object],
    *,
    team_sales: TeamSales,
    plans: Plans,
    time_left: Callable[[], bool],
) -> DivisionProgress:
    """Pay the shares of an ended month (`2026-11`), from where the last run stopped, while there is time.

    A killed run repeats at most the last few, so `pay` must be safe to repeat. A month already divided costs one read.
    Raises ValueError for a month that is not over.
    """
    if month >= month_of(clock.now()):
        raise ValueError(f"{month} is not over")
    before = team_sales.find_division(month)
    if before is not None and before.finished:
        return before
    done = before or DivisionProgress()
    for share in shares(team_sales.sales_of_month(month), plans=plans):
        if share.key <= done.reached:
            continue
        if not time_left():
            team_sales.save_division(month, done)
            return done
        pay(share)
        done = DivisionProgress(share.key, done.shares + 1, done.total + share.fen)
        if done.shares % _SAVED_EVERY == 0:
            team_sales.save_division(month, done)
    done = DivisionProgress(done.reached, done.shares, done.total, finished=True)
    if done.shares:
        team_sales.save_division(month, done)
    return done


def _pays(snapshot: Snapshot, plans: Plans) -> bool:
    return get_plan(snapshot.plan_id, snapshot.plan_version, plans=plans).dividend_bps > 0
