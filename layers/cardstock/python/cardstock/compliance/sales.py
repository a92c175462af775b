"""Sales to non-promoters, and their share of all sales over thirty days."""

from collections.abc import Collection
from datetime import date, timedelta

from cardstock.compliance.model import OUTSIDE_DAYS, OutsideShare, SalesDay
from cardstock.compliance.ports import Alarms, PurchaseLog


def close_day(day: date, referrers: Collection[str], *, log: PurchaseLog, alarms: Alarms) -> OutsideShare:
    """Store the sales of a day that is over. Returns the share of the last `OUTSIDE_DAYS`.

    `referrers`: everybody who has brought somebody, and so is a promoter even without a role.
    """
    sales = outside = 0
    for sale in log.sales_of_day(day):
        sales += sale.net
        if not sale.promoter and sale.buyer_id not in referrers:
            outside += sale.net
    alarms.save_sales_day(SalesDay(day, sales, outside))
    return outside_share(day, alarms=alarms)


def outside_share(until: date, *, alarms: Alarms) -> OutsideShare:
    """The sum of the closed days of the `OUTSIDE_DAYS` up to `until`."""
    days = alarms.closed_days(until - timedelta(days=OUTSIDE_DAYS - 1), until)
    return OutsideShare(until, sum(day.sales for day in days), sum(day.outside for day in days))
