"""`network.ports.TeamSales`: one suite for the fake and for the table."""

import pytest
from msgspec.structs import replace

from cardstock.network.model import DivisionProgress, TeamSale
from cardstock.network.ports import TeamSales
from cardstock.network.team_sales_store import DynamoTeamSales
from tests.house.cloud import Cloud
from tests.people.memory_network import MemoryTeamSales

CONTRACT = {TeamSales: (MemoryTeamSales, DynamoTeamSales)}

SALE = TeamSale("team@1", "mem_r", 49_900)
NOVEMBER = "2026-11"


@pytest.fixture(params=["memory", "dynamodb"])
def sales(request: pytest.FixtureRequest, cloud: Cloud) -> TeamSales:
    if request.param == "memory":
        return MemoryTeamSales()
    for number in (1, 2):
        # All of an order that the table looks at: the version that was read.
        cloud.dynamodb.put_item(
            TableName="orders", Item={"pk": {"S": f"ord_{number}"}, "sk": {"S": "order"}, "v": {"N": "4"}}
        )
    return DynamoTeamSales()


def test_a_settled_order_is_counted_once_in_its_month(sales: TeamSales) -> None:
    before = sales.settled_version("ord_1")
    counted = [sales.count_settled_sale("ord_1", 4, NOVEMBER, SALE) for _ in range(2)]
    sales.count_settled_sale("ord_2", 4, NOVEMBER, replace(SALE, owner=None))

    assert (before, counted, sales.settled_version("ord_1")) == (None, [True, True], 4)
    assert sorted(sales.sales_of_month(NOVEMBER), key=str) == sorted([SALE, replace(SALE, owner=None)], key=str)
    assert list(sales.sales_of_month("2026-12")) == []


def test_a_refund_is_counted_once_in_the_month_in_which_it_goes_through(sales: TeamSales) -> None:
    sales.count_settled_sale("ord_1", 4, NOVEMBER, SALE)
    for _ in range(2):
        sales.count_refunded_sale("ord_1", "rfd_1", "2026-12", replace(SALE, fen=-100))

    assert list(sales.sales_of_month("2026-12")) == [replace(SALE, fen=-100)]
    assert list(sales.sales_of_month(NOVEMBER)) == [SALE]


def test_the_division_of_a_month_never_goes_back(sales: TeamSales) -> None:
    further, earlier = DivisionProgress("team@1#mem_c", 50, 900), DivisionProgress("team@1#mem_b", 25, 400)
    before = sales.find_division(NOVEMBER)
    for divided in (earlier, further, earlier):
        sales.save_division(NOVEMBER, divided)
    stored = sales.find_division(NOVEMBER)
    sales.save_division(NOVEMBER, replace(further, finished=True))

    assert (before, stored) == (None, further)
    assert sales.find_division(NOVEMBER) == replace(further, finished=True)
