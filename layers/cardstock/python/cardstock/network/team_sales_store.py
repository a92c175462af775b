"""Team sales in DynamoDB, for team dividends: settled sales, and their later refunds.

Table `rewards`:

| Access pattern | pk / sk | Cost |
|---|---|---|
| an order has settled: once, at the version read | `ord_..` / `settled`, and the next | 1 transaction of 3 items |
| the rows of a month | `team#2026-11` / order or refund id | 1 RCU per 40 orders |
| a refund after that: once | `ord_..` / `returned#rfd_..`, and the row of its month | 1 transaction, 2 puts |
| progress of a month's division | `dividend#2026-11` / `divided` | 1 read, 1 put |

A row is in the month in which it was written, so a month that is over never changes.
"""

from collections.abc import Iterator
from typing import Final

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from cardstock.aws.items import fields_of, record_of
from cardstock.aws.tables import ConditionFailedError, IntegerAttribute, Table, Transaction
from cardstock.network.model import DivisionProgress, TeamSale
from cardstock.orders.store import OrderItem

_TEAM: Final = "team#"
_DIVIDEND: Final = "dividend#"
_SETTLED: Final = "settled"


class TeamItem(Table):
    """Sales of one order, or what one refund took off them. `owner` is the owner of the buyer's team."""

    class Meta:
        variable = "REWARDS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    plan = UnicodeAttribute()
    owner = UnicodeAttribute(null=True)
    fen = IntegerAttribute()


class SettledItem(Table):
    """Marks an order as settled, or its refund as counted. `version` is the order's when it was read."""

    class Meta:
        variable = "REWARDS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    month = UnicodeAttribute()
    version = IntegerAttribute()


class DividedItem(Table):
    """Progress of a month's division. `shares` is the number of paid shares, which only grows."""

    class Meta:
        variable = "REWARDS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="divided")
    reached = UnicodeAttribute()
    shares = IntegerAttribute()
    total = IntegerAttribute(attr_name="fen")
    finished = BooleanAttribute(default=False)


class DynamoTeamSales:
    """`network.ports.TeamSales`."""

    def settled_version(self, order_id: str) -> int | None:
        found = SettledItem.find(order_id, _SETTLED)
        return None if found is None else found.version

    def count_settled_sale(self, order_id: str, version: int, month: str, sale: TeamSale) -> bool:
        try:
            with Transaction() as write:
                write.condition_check(OrderItem, order_id, "order", condition=OrderItem.version == version)
                write.save(
                    SettledItem(order_id, _SETTLED, month=month, version=version),
                    condition=SettledItem.pk.does_not_exist(),
                )
                write.save(_row(month, order_id, sale))
        except ConditionFailedError as error:
            return 1 in error.failed
        return True

    def count_refunded_sale(self, order_id: str, refund_id: str, month: str, sale: TeamSale) -> None:
        try:
            with Transaction() as write:
                write.save(
                    SettledItem(order_id, f"returned#{refund_id}", month=month, version=0),
                    condition=SettledItem.pk.does_not_exist(),
                )
                write.save(_row(month, refund_id, sale))
        except ConditionFailedError:
            return  # the first put is the only condition

    def sales_of_month(self, month: str) -> Iterator[TeamSale]:
        for item in TeamItem.query(f"{_TEAM}{month}", consistent_read=True):
            yield record_of(TeamSale, item)

    def find_division(self, month: str) -> DivisionProgress | None:
        item = DividedItem.find(f"{_DIVIDEND}{month}", "divided")
        return None if item is None else record_of(DivisionProgress, item)

    def save_division(self, month: str, divided: DivisionProgress) -> None:
        item = DividedItem(f"{_DIVIDEND}{month}", **fields_of(divided, DividedItem))
        item.put_if(DividedItem.pk.does_not_exist() | (DividedItem.shares <= divided.shares))


def all_team_sales() -> Iterator[tuple[str, TeamSale]]:
    """Every row with its month; a consistent scan, for audits."""
    for item in TeamItem.scan(filter_condition=TeamItem.pk.startswith(_TEAM), consistent_read=True):
        yield item.pk.removeprefix(_TEAM), record_of(TeamSale, item)


def _row(month: str, sk: str, sale: TeamSale) -> TeamItem:
    return TeamItem(f"{_TEAM}{month}", sk, **fields_of(sale, TeamItem))
