"""The team dividend through the functions: settled sales, a month that is divided once, and books that explain it."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.flows import wiring as flows_wiring
from cardstock.ledger import wiring as ledger_wiring
from cardstock.network import wiring as network_wiring
from cardstock.network.model import OrderLine as NetworkLine
from cardstock.network.model import TeamSale
from cardstock.network.simulation.market import Market
from cardstock.network.simulation.steps import OrderReturned, RecordedOrder
from cardstock.network.simulation.trial import Trial, run
from cardstock.network.team_sales_store import DynamoTeamSales
from cardstock.orders import wiring as orders_wiring
from functions.network.monthly_dividends import app
from tests.house import faults
from tests.house.cloud import ROOT, Context, queue_event
from tests.people.audits import audit_now
from tests.people.shop import Shop
from tests.people.trade import DEMO_PLAN, line

PLAN = replace(DEMO_PLAN, id="team", dividend_bps=200)
FIRST = "2027-01-01T02:00:00+08:00"


@pytest.fixture
def teams(shop: Shop) -> Shop:
    """R and S are partners; A and B belong to R's team, C to S's, D to nobody's."""
    shop.trade.publish(PLAN)
    for partner in ("mem_r", "mem_s"):
        shop.trade.appoint(partner)
    for member_id, inviter in (("mem_a", "mem_r"), ("mem_b", "mem_r"), ("mem_c", "mem_s")):
        shop.trade.member(member_id, inviter)
    return shop


def sell(shop: Shop, *member_ids: str, units: int = 1, price: int = 49_900) -> list[str]:
    order_ids = [shop.trade.buy(member_id, line(1, units=units, price=price)) for member_id in member_ids]
    shop.trade.settle_down()
    for order_id in order_ids:
        shop.trade.receive(order_id)
    shop.trade.settle_down()
    return order_ids


def night(shop: Shop, at: datetime) -> dict[str, Any]:
    shop.clock.set(at)
    return shop.trade.night()


def new_year(shop: Shop) -> None:
    shop.clock.set(datetime(2026, 12, 31, 18, tzinfo=UTC))


def divide(at: str = FIRST, **options: Any) -> dict[str, Any]:
    """The tick, to a function that has just started: it knows no plan yet."""
    network_wiring.plans.cache_clear()
    return app.handler({"scheduled_at": at}, Context(remaining_ms=options.get("remaining_ms", 900_000)))


def sales_of(month: str) -> list[TeamSale]:
    return list(DynamoTeamSales().sales_of_month(month))


def shares(shop: Shop) -> dict[str, int]:
    """Member -> what the ledger has credited as dividends."""
    found: dict[str, int] = {}
    for item in shop.cloud.items("ledger"):
        if item["kind"]["S"] == "shared":
            account, amount = json.loads(item["postings"]["S"])[0]
            member_id = account.split(":")[1]
            found[member_id] = found.get(member_id, 0) + amount
    return found


def test_a_month_of_settled_sales_is_divided_by_the_sales_of_the_teams_to_the_fen(teams: Shop) -> None:
    sell(teams, "mem_a", "mem_b", "mem_c", "mem_d", price=33_333)
    early = divide("2026-12-05T02:00:00+08:00")
    night(teams, teams.clock.now() + timedelta(days=9))
    new_year(teams)
    before = teams.trade.balances()
    answer = divide()
    after = teams.trade.balances()

    # 2 % of 4 * 333.33 is 26.66 (floored): R has two thirds of the teams' sales, S one; 17.773 and 8.886.
    assert early == {"month": "2026-11", "shares": 0, "total_fen": 0}
    assert answer == {"month": "2026-12", "shares": 2, "total_fen": 2_666}
    assert shares(teams) == {"mem_r": 1_777, "mem_s": 889}
    assert after["mem_r"][1] - before["mem_r"][1] == 1_777
    assert audit_now().findings == ()


def test_sales_that_pay_nobody_and_raise_nobody_count_for_the_dividend_all_the_same(teams: Shop) -> None:
    order_id = teams.trade.buy("mem_d", line(1, qualifying=False))
    teams.trade.settle_down()
    teams.trade.receive(order_id)
    teams.trade.settle_down()
    night(teams, teams.clock.now() + timedelta(days=9))

    assert [sale.fen for sale in sales_of("2026-12")] == [49_900]


def test_the_same_month_again_pays_nobody_and_shares_have_ids_of_their_cause(teams: Shop) -> None:
    sell(teams, "mem_a", "mem_c")
    night(teams, teams.clock.now() + timedelta(days=9))
    new_year(teams)
    first = divide()
    state = teams.cloud.state()
    ids = {item["pk"]["S"] for item in state["ledger"] if item["kind"]["S"] == "shared"}

    assert divide() == first
    assert teams.cloud.state() == state
    assert ids == {"dividend.team@1.2026-12.mem_r", "dividend.team@1.2026-12.mem_s"}


def test_what_has_not_settled_or_was_given_back_before_is_not_in_the_pool(teams: Shop) -> None:
    kept, returned = sell(teams, "mem_a", "mem_b", units=2)
    teams.trade.buy("mem_c")  # never received
    teams.trade.settle_down()
    teams.trade.refund(returned, sku1=1)
    teams.trade.settle_down()
    night(teams, teams.clock.now() + timedelta(days=9))

    assert [sale.fen for sale in sales_of("2026-12")] == [99_800, 49_900]
    assert {sale.owner for sale in sales_of("2026-12")} == {"mem_r"}
    assert kept


def test_a_refund_after_settling_comes_off_the_month_in_which_it_goes_through_once(teams: Shop) -> None:
    (order_id, _) = sell(teams, "mem_a", "mem_c", units=2)
    night(teams, teams.clock.now() + timedelta(days=9))
    teams.clock.set(datetime(2027, 1, 3, tzinfo=UTC))
    teams.trade.refund(order_id, sku1=1)
    records = teams.trade.order_records()
    teams.trade.consume(records)
    teams.clock.set(datetime(2027, 2, 3, tzinfo=UTC))
    teams.trade.consume(records)

    assert sales_of("2027-01") == [TeamSale("team@1", "mem_r", -49_900)]
    assert sales_of("2027-02") == []
    assert divide("2027-02-01T02:00:00+08:00")["shares"] == 0
    # December had been divided without it.
    assert divide(FIRST)["total_fen"] == 2 * 1_996
    assert audit_now().findings == ()


def test_the_simulation_divides_what_the_functions_divide_on_the_same_orders(teams: Shop) -> None:
    """Sales of two months, refunds before settling, after it in the same month, and after it in the next."""
    bought: list[RecordedOrder] = []
    refunds: dict[str, list[OrderReturned]] = {}

    def sold(member_id: str, inviter_id: str | None, day: datetime, price: int) -> str:
        teams.clock.set(day)
        (order_id,) = sell(teams, member_id, units=3, price=price)
        order = orders_wiring.orders().find_order(order_id)
        assert order is not None
        bought.append(
            RecordedOrder(
                order_id,
                member_id,
                (NetworkLine("sku1", 3, 3 * price, qualifying=True),),
                order.placed_at,
                inviter_id=inviter_id,
                paid_at=order.paid_at,
                received_at=order.received_at,
            )
        )
        return order_id

    def returned(order_id: str, day: datetime) -> None:
        teams.clock.set(day)
        refund_id = teams.trade.refund(order_id, sku1=1)
        teams.trade.settle_down()
        refund = orders_wiring.orders().find_refund(order_id, refund_id)
        assert refund is not None
        assert refund.succeeded_at is not None
        refunds.setdefault(order_id, []).append(OrderReturned(order_id, refund.succeeded_at, units={0: 1}))

    first = sold("mem_a", "mem_r", datetime(2026, 12, 2, 4, tzinfo=UTC), 33_333)
    second = sold("mem_b", "mem_r", datetime(2026, 12, 3, 4, tzinfo=UTC), 20_001)
    sold("mem_c", "mem_s", datetime(2026, 12, 4, 4, tzinfo=UTC), 10_007)
    returned(first, datetime(2026, 12, 5, 4, tzinfo=UTC))
    night(teams, datetime(2026, 12, 12, 16, 30, tzinfo=UTC))
    returned(second, datetime(2026, 12, 20, 4, tzinfo=UTC))
    late = sold("mem_d", None, datetime(2026, 12, 24, 4, tzinfo=UTC), 50_009)
    last = sold("mem_c", None, datetime(2026, 12, 27, 4, tzinfo=UTC), 49_999)
    night(teams, datetime(2026, 12, 31, 16, 30, tzinfo=UTC))  # the night that settles what is due on the 31st
    teams.clock.set(datetime(2026, 12, 31, 18, tzinfo=UTC))
    december = divide()
    night(teams, datetime(2027, 1, 4, 16, 30, tzinfo=UTC))
    returned(first, datetime(2027, 1, 6, 4, tzinfo=UTC))
    teams.clock.set(datetime(2027, 1, 31, 18, tzinfo=UTC))
    january = divide("2027-02-01T02:00:00+08:00")
    orders = [replace(order, returns=tuple(refunds.get(order.order_id, ()))) for order in bought]
    plan = network_wiring.plans().plan_in_force()
    assert plan is not None
    outcome = run(Trial(plan.plan, Market()), orders, ["mem_r", "mem_s"])

    assert (december["month"], january["month"]) == ("2026-12", "2027-01")
    # What is due on the 31st settles in the night that is January's.
    assert {sale.fen for sale in sales_of("2027-01")} == {3 * 50_009, 3 * 49_999, -33_333}
    assert late != last
    assert outcome.dividend == december["total_fen"] + january["total_fen"] > 0
    assert audit_now().findings == ()


def test_an_order_that_changes_while_it_settles_waits_for_the_next_night(
    teams: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (order_id,) = sell(teams, "mem_a", units=2)
    dividends = flows_wiring.dividends()
    stale = orders_wiring.orders().find_order(order_id)
    assert stale is not None
    teams.trade.refund(order_id, sku1=1)

    assert dividends.count_settled(stale) is False
    assert sales_of("2026-12") == []
    fresh = orders_wiring.orders().find_order(order_id)
    assert fresh is not None
    assert dividends.count_settled(fresh) is True
    assert dividends.count_settled(stale) is True  # it has settled by now; nothing is counted twice
    assert [sale.fen for sale in sales_of("2026-12")] == [49_900]


def test_a_plan_without_dividend_leaves_no_trace_of_teams(shop: Shop) -> None:
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    sell(shop, "mem_a")
    night(shop, shop.clock.now() + timedelta(days=9))
    new_year(shop)

    assert divide() == {"month": "2026-12", "shares": 0, "total_fen": 0}
    assert not [item for item in shop.cloud.items("rewards") if item["sk"]["S"] == "settled"]


def test_each_plan_version_has_a_pool_of_its_own(teams: Shop) -> None:
    sell(teams, "mem_a")
    teams.trade.publish(replace(PLAN, dividend_bps=400))
    sell(teams, "mem_c")
    night(teams, teams.clock.now() + timedelta(days=9))
    new_year(teams)
    divide()

    assert shares(teams) == {"mem_r": 998, "mem_s": 1_996}


def test_a_month_that_is_not_over_is_never_divided(teams: Shop) -> None:
    sell(teams, "mem_a")
    night(teams, teams.clock.now() + timedelta(days=9))

    assert divide("2027-06-01T02:00:00+08:00")["month"] == "2026-11"
    with pytest.raises(ValueError, match="not over"):
        flows_wiring.dividends().divide("2026-12")
    assert shares(teams) == {}


@pytest.mark.parametrize("mode", faults.MODES)
def test_dividing_that_is_hit_at_any_call_pays_the_same_shares(teams: Shop, mode: faults.Mode) -> None:
    sell(teams, "mem_a", "mem_c")
    night(teams, teams.clock.now() + timedelta(days=9))
    new_year(teams)
    before = teams.cloud.snapshot()
    with faults.watch() as calls:
        divide()
    wanted = teams.cloud.state()

    assert sum(call.endswith("TransactWriteItems") for call in calls) == 2
    for index in range(len(calls)):
        before.restore()
        with faults.at(index, mode), suppress(Exception):
            faults.survive(divide)
        divide()

        assert teams.cloud.state() == wanted, (mode, index)


def test_without_time_the_rest_is_paid_by_the_next_attempt(teams: Shop) -> None:
    sell(teams, "mem_a", "mem_c")
    night(teams, teams.clock.now() + timedelta(days=9))
    new_year(teams)

    with pytest.raises(app.DividendUnfinishedError):
        divide(remaining_ms=1_000)
    assert divide()["shares"] == 2


class FewShares:
    """A context with time for so many shares."""

    def __init__(self, shares: int) -> None:
        self._left = shares

    def get_remaining_time_in_millis(self) -> int:
        self._left -= 1
        return 900_000 if self._left >= 0 else 1_000


def test_a_long_month_is_divided_in_attempts_that_pay_each_share_once_and_a_divided_one_costs_one_read(
    teams: Shop,
) -> None:
    for number in range(30):
        sale = TeamSale("team@1", f"mem_{number:02d}", 10_000)
        DynamoTeamSales().count_refunded_sale(f"ord_{number}", f"rfd_{number}", "2026-12", sale)
    new_year(teams)
    tick = {"scheduled_at": FIRST}
    calls: list[list[str]] = []
    for _ in range(2):
        with faults.watch() as seen, suppress(app.DividendUnfinishedError):
            app.handler(tick, FewShares(27))
        calls.append(seen)
    with faults.watch() as repeated:
        answer = app.handler(tick, Context(remaining_ms=900_000))

    # Not killed, it remembers its last share; the next attempt begins behind it.
    assert [sum(call.endswith("TransactWriteItems") for call in seen) for seen in calls] == [27, 3]
    assert answer == {"month": "2026-12", "shares": 30, "total_fen": 30 * 200}
    assert repeated == ["dynamodb.GetItem"]
    assert len(shares(teams)) == 30


def test_a_share_that_nobody_explains_and_one_that_is_missing_are_named(teams: Shop) -> None:
    sell(teams, "mem_a")
    night(teams, teams.clock.now() + timedelta(days=9))
    new_year(teams)
    missing = audit_now().findings
    divide()
    flows_wiring.dividends()
    teams.cloud.dynamodb.delete_item(
        TableName="rewards", Key={"pk": {"S": "team#2026-12"}, "sk": {"S": teams.cloud.items("orders")[0]["pk"]["S"]}}
    )
    unexplained = audit_now().findings

    assert [(f.item, f.check) for f in missing] == [("ledger/dividend.team@1.2026-12.mem_r", "missing")]
    assert [(f.item, f.check) for f in unexplained] == [("ledger/dividend.team@1.2026-12.mem_r", "unexplained")]


TICKS = sorted((ROOT / "events/network/monthly_dividends").glob("*.json"))


@pytest.mark.parametrize("path", TICKS, ids=lambda path: path.stem)
def test_a_kept_tick_runs_or_is_refused(shop: Shop, path: Path) -> None:
    shop.publish_plan()
    event = json.loads(path.read_text("utf-8"))
    if path.stem.startswith("bad_"):
        with pytest.raises(ValueError, match=r".+"):
            app.handler(event, Context(remaining_ms=900_000))
    else:
        assert app.handler(event, Context(remaining_ms=900_000))["shares"] == 0


def test_the_statement_tells_of_a_dividend(teams: Shop) -> None:
    from functions.ledger.on_entry import app as on_ledger_entry

    sell(teams, "mem_a")
    night(teams, teams.clock.now() + timedelta(days=9))
    new_year(teams)
    teams.trade.take("ledger")
    divide()
    on_ledger_entry.handler(queue_event("ledger-events", *teams.trade.take("ledger")), Context())
    lines, _ = ledger_wiring.statements().lines_of_member("mem_r", since=None, until=None, after=None, limit=1)

    assert [(one.kind, one.cause, one.change) for one in lines] == [
        ("shared", "team@1.2026-12.mem_r", {"available": 998})
    ]
