"""Factories of the network area, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardstock.network.ports import Network, Plans, TeamSales


@cache
def network() -> "Network":
    """The referral network in DynamoDB."""
    from cardstock.network.store import DynamoNetwork

    return DynamoNetwork()


@cache
def plans() -> "Plans":
    """Published plans in DynamoDB."""
    from cardstock.network.plans_store import DynamoPlans

    return DynamoPlans()


@cache
def team_sales() -> "TeamSales":
    """Team sales in DynamoDB."""
    from cardstock.network.team_sales_store import DynamoTeamSales

    return DynamoTeamSales()
