"""The team dividend's rules: what counts, who shares a month, and how far it is divided."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from cardstock.clock import set_clock
from cardstock.network import dividends
from cardstock.network.model import DividendShare, DivisionProgress, Person, Snapshot, TeamSale
from cardstock.network.plan import Plan, PublishedPlan
from cardstock.network.presets import TEAM_DIVIDEND
from tests.people.clock import TestClock
from tests.people.memory_network import MemoryNetwork, MemoryPlans, MemoryTeamSales

PLAN = replace(TEAM_DIVIDEND, id="team", version=1, dividend_bps=200)
WITHOUT = replace(PLAN, id="plain", dividend_bps=0)
OWNED = Snapshot("team", 1, "distributor", owner=Person("R", "partner"))
NOVEMBER = "2026-11"


class DividendMonth:
    """Team sales under two plans, one with a dividend, and the shares that were paid."""

    def __init__(self) -> None:
        self.sales = MemoryTeamSales()
        self.plans = MemoryPlans(MemoryNetwork())
        self.clock = TestClock(datetime(2026, 11, 20, tzinfo=UTC))
        set_clock(self.clock)
        self.publish(PLAN)
        self.publish(WITHOUT)
        self.paid: list[DividendShare] = []

    def publish(self, plan: Plan) -> None:
        self.plans.published.append(PublishedPlan(plan, self.clock.now(), "test"))

    def settle(self, order_id: str, kept: int, snapshot: Snapshot = OWNED, version: int = 4) -> bool:
        return dividends.count_settled(order_id, version, snapshot, kept, team_sales=self.sales, plans=self.plans)

    def give_back(self, order_id: str, refund_id: str, fen: int, sequence: int, snapshot: Snapshot = OWNED) -> None:
        dividends.count_returned(order_id, refund_id, sequence, snapshot, fen, team_sales=self.sales, plans=self.plans)

    def divide(self, month: str = NOVEMBER, time_left: Callable[[], bool] = lambda: True) -> DivisionProgress:
        self.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
        return dividends.divide(month, self.paid.append, team_sales=self.sales, plans=self.plans, time_left=time_left)


@pytest.fixture
def month(clock: TestClock) -> DividendMonth:
    return DividendMonth()


def many(month: DividendMonth, count: int) -> None:
    for number in range(count):
        month.settle(f"ord_{number}", 10_000, replace(OWNED, owner=Person(f"mem_{number:03d}", "partner")))


def only(times: int) -> Callable[[], bool]:
    """There is time so often."""
    left = iter(range(times))
    return lambda: next(left, None) is not None


def test_the_months_are_those_of_the_brand() -> None:
    last_evening = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)
    new_month = datetime(2026, 11, 30, 16, tzinfo=UTC)

    assert (dividends.month_of(last_evening), dividends.month_of(new_month)) == ("2026-11", "2026-12")
    assert (dividends.month_before(last_evening), dividends.month_before(new_month)) == ("2026-10", "2026-11")
    assert dividends.month_before(datetime(2027, 1, 1, tzinfo=UTC)) == "2026-12"


def test_a_sale_is_its_buyers_teams_and_an_erased_owners_is_nobodys() -> None:
    erased = replace(OWNED, owner=Person("R", "partner", erased=True))

    assert dividends.sale_of(OWNED, 100) == TeamSale("team@1", "R", 100)
    assert dividends.sale_of(erased, 100) == TeamSale("team@1", None, 100)
    assert dividends.sale_of(replace(OWNED, owner=None), -100) == TeamSale("team@1", None, -100)


def test_an_order_is_counted_once_and_one_that_moved_on_waits(month: DividendMonth) -> None:
    month.sales.moved_on = True
    waiting = month.settle("ord_1", 100)
    month.sales.moved_on = False

    assert (waiting, month.settle("ord_1", 100), month.settle("ord_1", 50, version=5)) == (False, True, True)
    assert month.sales.rows == {NOVEMBER: {"ord_1": TeamSale("team@1", "R", 100)}}


def test_a_plan_without_dividend_counts_nothing(month: DividendMonth) -> None:
    plain = replace(OWNED, plan_id="plain")

    assert month.settle("ord_1", 100, plain) is True
    month.give_back("ord_1", "rfd_1", 100, 9, plain)
    assert month.sales.rows == {}


def test_only_what_is_asked_back_after_settling_comes_off_the_month_in_which_it_goes_through(
    month: DividendMonth,
) -> None:
    month.settle("ord_1", 100, version=4)
    month.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    month.give_back("ord_1", "rfd_before", 40, sequence=4)
    month.give_back("ord_1", "rfd_after", 30, sequence=5)
    month.give_back("ord_2", "rfd_other", 30, sequence=5)

    assert month.sales.rows["2026-12"] == {"rfd_after": TeamSale("team@1", "R", -30)}


def test_a_month_is_shared_by_net_team_sales_under_each_plan_version(month: DividendMonth) -> None:
    month.publish(replace(PLAN, version=2, dividend_bps=1_000))
    sales = [
        TeamSale("team@2", "S", 1_000),
        TeamSale("team@1", "S", 10_000),
        TeamSale("team@1", "R", 30_000),
        TeamSale("team@1", "R", -10_000),
        TeamSale("team@1", "Q", 500),
        TeamSale("team@1", "Q", -500),
        TeamSale("team@1", None, 30_000),
    ]

    # 2 % of 60 000 fen is 1 200: two thirds to R, one to S, nothing to whom as much was given back.
    assert dividends.shares(sales, plans=month.plans) == [
        DividendShare("team@1", "R", 800),
        DividendShare("team@1", "S", 400),
        DividendShare("team@2", "S", 100),
    ]


def test_shares_of_nothing_and_of_a_month_with_more_given_back_than_sold_are_left_out(month: DividendMonth) -> None:
    lost = [TeamSale("team@1", "R", 1_000), TeamSale("team@1", None, -2_000)]
    tiny = [TeamSale("team@1", "R", 10_000), TeamSale("team@1", "S", 1)]

    assert dividends.shares(lost, plans=month.plans) == []
    assert [share.member_id for share in dividends.shares(tiny, plans=month.plans)] == ["R"]


def test_a_month_that_is_not_over_is_not_divided(month: DividendMonth) -> None:
    with pytest.raises(ValueError, match="not over"):
        month.divide("2026-12")


def test_a_divided_month_is_told_again_without_reading_its_sales(month: DividendMonth) -> None:
    many(month, 3)
    first = month.divide()
    read = month.sales.months_read

    assert (first.shares, first.total, first.finished) == (3, 600, True)
    assert month.divide() == first
    assert (month.sales.months_read, len(month.paid)) == (read, 3)


def test_a_month_in_which_nobody_has_a_share_leaves_nothing(month: DividendMonth) -> None:
    assert month.divide() == DivisionProgress(finished=True)
    assert month.sales.progress == {}


def test_without_time_it_stops_between_two_shares_and_goes_on_after_the_last_one(month: DividendMonth) -> None:
    many(month, 60)
    ends = [month.divide(time_left=only(20)) for _ in range(3)]
    last = month.divide()

    assert [(end.shares, end.finished) for end in ends] == [(20, False), (40, False), (60, True)]
    assert last == ends[-1]
    assert [share.member_id for share in month.paid] == [f"mem_{number:03d}" for number in range(60)]


def test_a_run_that_is_killed_repeats_at_most_the_last_few(month: DividendMonth) -> None:
    many(month, 60)

    def killed() -> bool:
        if len(month.paid) == 58:
            raise RuntimeError("killed")
        return True

    with pytest.raises(RuntimeError):
        month.divide(time_left=killed)
    end = month.divide()

    assert end == DivisionProgress("team@1#mem_059", 60, 60 * 200, finished=True)
    assert len(month.paid) == 58 + 10  # remembered after 50
    assert len({share.key for share in month.paid}) == 60
