"""The team dividend, between orders, plans and the ledger: sales count when they have settled, and a month is divided
once it is over.

The pool of a month is `dividend_bps` of what was sold under a plan, less what was given back of it; team owners divide
it by the sales of their teams, by largest remainder. Who was paid follows from rows that do not change any more, and
each share has one id, so dividing a month again pays nobody twice.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from cardstock.adapters.dynamodb import teams
from cardstock.adapters.dynamodb.teams import TeamSale
from cardstock.clock import BRAND_ZONE, Clock
from cardstock.ledger import service as ledger
from cardstock.ledger.ports import Books
from cardstock.money import Fen
from cardstock.network.model import Plan, Snapshot
from cardstock.network.ports import Plans
from cardstock.network.rewards import dividend
from cardstock.network.service import get_plan
from cardstock.orders.model import Order, Refund


class Dividends:
    """What team dividends need of orders, and what they pay."""

    def __init__(self, plans: Plans, books: Books, clock: Callable[[], Clock]) -> None:
        self._plans = plans
        self._books = books
        self._clock = clock

    def settled(self, order: Order) -> bool:
        """Count an order that settles, as it was read. False if it has changed meanwhile: it has to wait."""
        if not self._plan(order).dividend_bps or teams.settled_version(order.order_id) is not None:
            return True
        return teams.settle(order, self._month(), _sale(order, order.amount_fen - order.refunded_fen))

    def given_back(self, order: Order, refund: Refund) -> None:
        """Count a refund that went through; one that was requested before its order settled is off its sales."""
        if not self._plan(order).dividend_bps:
            return
        version = teams.settled_version(order.order_id)
        if version is not None and refund.sequence > version:
            teams.give_back(order.order_id, refund.refund_id, self._month(), _sale(order, -refund.amount_fen))

    def divide(self, month: str, go_on: Callable[[], None] = lambda: None) -> tuple[int, Fen]:
        """Pay the shares of a month (`2026-11`) that is over; how many there are, and their sum. Safe to kill and to
        repeat; what `go_on` raises ends it. Raises ValueError for a month that is not over."""
        if month >= self._month():
            raise ValueError(f"{month} is not over")
        paid = total = 0
        for (plan, member_id), fen in shares(teams.sales_of(month), self._plans).items():
            go_on()
            ledger.share_dividend(plan, month, member_id, fen, books=self._books, clock=self._clock())
            paid, total = paid + 1, total + fen
        return paid, total

    def _plan(self, order: Order) -> Plan:
        snapshot = Snapshot.from_compact(order.snapshot)
        return get_plan(snapshot.plan_id, snapshot.plan_version, plans=self._plans)

    def _month(self) -> str:
        return self.month_of(self._clock().now())

    @staticmethod
    def month_of(moment: datetime) -> str:
        """The brand's month: `2026-11`."""
        return moment.astimezone(BRAND_ZONE).strftime("%Y-%m")


def shares(sales: Iterable[TeamSale], plans: Plans) -> dict[tuple[str, str], Fen]:
    """Plan version and member -> his share of the pool of one month's `sales`; shares of nothing are left out."""
    net: dict[str, Fen] = {}
    owned: dict[str, dict[str, Fen]] = {}
    for sale in sales:
        net[sale.plan] = net.get(sale.plan, 0) + sale.fen
        if sale.owner is not None:
            team = owned.setdefault(sale.plan, {})
            team[sale.owner] = team.get(sale.owner, 0) + sale.fen
    found: dict[tuple[str, str], Fen] = {}
    for ref in sorted(net):
        plan_id, _, version = ref.rpartition("@")
        teams_sold = {owner: fen for owner, fen in sorted(owned.get(ref, {}).items()) if fen > 0}
        for member_id, fen in dividend(get_plan(plan_id, int(version), plans=plans), net[ref], teams_sold).items():
            if fen:
                found[ref, member_id] = fen
    return found


def _sale(order: Order, fen: Fen) -> TeamSale:
    snapshot = Snapshot.from_compact(order.snapshot)
    owner = snapshot.owner
    ref = f"{snapshot.plan_id}@{snapshot.plan_version}"
    return TeamSale(ref, None if owner is None or owner.erased else owner.id, fen)
