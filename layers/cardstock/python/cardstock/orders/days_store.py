"""Orders and refunds by day in DynamoDB, and the stored sales of days.

Table `sales`: `pk` = `total` or a supplier id, `sk` = day. A day is written every night until it is closed.

| Access pattern | How | Cost |
|---|---|---|
| orders placed on a day, newest first | 4 queries of `by_day`, BatchGetItem | 5 calls, 12 RCU for a page of 20 |
| all orders placed on a day | the same to the end | 0.5 RCU an order, a call for a hundred |
| orders paid on a later day than they were placed | Query `by_due`, BatchGetItem | the same |
| refunds that succeeded on a day, with their orders | Query `by_day`, BatchGetItem twice | 1 RCU a refund |
| the oldest order that still waits for its payment | Query `by_due`, per bucket, BatchGetItem | 5 calls, 3 RCU |
| stored sales of days, of all or of one supplier | Query of one partition | 0.5 RCU for about 15 days |
| how far old orders are erased | table `sales`, `erased` / look | 1 RCU, 1 WCU a day |

What reads an index may miss the changes of the last second.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from cardstock.aws.days import keys_of_day, newest_ids
from cardstock.aws.items import StructAttribute, record_of
from cardstock.aws.tables import Table
from cardstock.clock import brand_day
from cardstock.marks import Marker
from cardstock.orders.model import Order
from cardstock.orders.refund_model import Refund
from cardstock.orders.sales_model import SalesOfDay, SalesSum
from cardstock.orders.store import (
    WAITING,
    ByDay,
    OrderItem,
    RefundItem,
    order_item,
    paid_key,
    refund_item,
    refunded_key,
)


class SalesItem(Table):
    """The sales of one day, of all suppliers or of one."""

    class Meta:
        variable = "SALES_TABLE"

    of = UnicodeAttribute(hash_key=True, attr_name="pk")
    day = UnicodeAttribute(range_key=True, attr_name="sk")
    placed = StructAttribute(SalesSum, attr_name="o")
    paid = StructAttribute(SalesSum, attr_name="p")
    refunded = StructAttribute(SalesSum, attr_name="r")
    closed = BooleanAttribute(attr_name="c")


class ErasedDayItem(Table):
    """The last day whose orders were looked at, to erase old ones."""

    class Meta:
        variable = "SALES_TABLE"

    pk = UnicodeAttribute(hash_key=True, default="erased")
    look = UnicodeAttribute(range_key=True, attr_name="sk")
    reached = UnicodeAttribute()


class DynamoErasedDays:
    """`orders.ports.ErasedDays`."""

    def reached(self, look: str) -> date | None:
        item = ErasedDayItem.find("erased", look)
        return None if item is None else date.fromisoformat(item.reached)

    def reach(self, look: str, day: date) -> None:
        ErasedDayItem(look=look, reached=day.isoformat()).save()


class DynamoOrderDays:
    """`orders.ports.OrderDays`."""

    def newest_orders(self, day: date, limit: int, after: str | None) -> tuple[Sequence[Order], str | None]:
        ids, last = newest_ids(_newest_of, day, limit, after)
        orders = {item.order_id: record_of(Order, item) for item in OrderItem.batch_get((i, "order") for i in ids)}
        return [orders[i] for i in ids if i in orders], last

    def placed_on(self, day: date) -> Iterator[Order]:
        for key in keys_of_day(day):
            yield from _orders(item.order_id for item in OrderItem.by_day.query(key))

    def paid_later_on(self, day: date) -> Iterator[Order]:
        yield from _orders(item.order_id for item in OrderItem.by_due.query(paid_key(day)))

    def refunded_on(self, day: date) -> Iterator[tuple[Refund, Order]]:
        found = [(item.order_id, item.sk.removeprefix("refund#")) for item in OrderItem.by_day.query(refunded_key(day))]
        orders = {order.order_id: order for order in _orders(order_id for order_id, _ in found)}
        for item in RefundItem.batch_get(found):
            yield record_of(Refund, item), orders[item.order_id]

    def oldest_waiting(self) -> date | None:
        ids = [item.order_id for bucket in WAITING for item in OrderItem.by_due.query(bucket, limit=1)]
        oldest = next(_orders([min(ids)] if ids else []), None)
        return None if oldest is None else brand_day(oldest.placed_at)


class DynamoSales:
    """`orders.ports.Sales`."""

    def days_of(self, of: str, since: date, until: date) -> Sequence[SalesOfDay]:
        days = SalesItem.day.between(since.isoformat(), until.isoformat())
        return [
            SalesOfDay(date.fromisoformat(item.day), item.of, item.placed, item.paid, item.refunded, item.closed)
            for item in SalesItem.query(of, days, consistent_read=True)
        ]

    def store_day(self, figures: Sequence[SalesOfDay]) -> None:
        total, *suppliers = figures
        with SalesItem.batch_write() as batch:
            for each in suppliers:
                batch.save(_sales_item(each))
        _sales_item(total).save()  # last: it says that all of the day is stored


def index_orders(marker: Marker) -> tuple[int, date | None]:
    """Give each order and each succeeded refund that has none the key of its day, and each order the marks of its payer
    and device: the number of keys, and the day of the first order. Release v0.2.0 stored no keys, v0.3.0 no marks.

    A scan, once after an update. Safe to repeat and to interrupt; what changes meanwhile gets its key by that. The
    stream tells of the items, and nothing follows from it, since no status has changed.
    """
    count, first = 0, None
    for item in OrderItem.scan(OrderItem.sk == "order", consistent_read=True):
        order = record_of(Order, item)
        first = min(first or brand_day(order.placed_at), brand_day(order.placed_at))
        keyed = order_item(order)
        if item.day_key is None:
            actions = [OrderItem.day_key.set(keyed.day_key)]
            if keyed.due_bucket is not None:
                actions.append(OrderItem.due_bucket.set(keyed.due_bucket))
            count += OrderItem(order.order_id, "order").update_if(actions, OrderItem.version == order.version)
        marks = (marker.renew(order.payer), marker.renew(order.device))
        if marks != (order.payer, order.device):
            pairs = zip((OrderItem.payer, OrderItem.device), marks, strict=True)
            renewed: list[Action] = [name.set(mark) for name, mark in pairs if mark]
            OrderItem(order.order_id, "order").update_if(renewed, OrderItem.version == order.version)
    lacking = RefundItem.refund_id.startswith("") & RefundItem.day_key.does_not_exist()
    for refund in RefundItem.scan(lacking & RefundItem.succeeded_at.exists(), consistent_read=True):
        key = refund_item(record_of(Refund, refund)).day_key
        same = RefundItem.version == refund.version
        count += RefundItem(refund.order_id, refund.refund_id).update_if([RefundItem.day_key.set(key)], same)
    return count, first


def _newest_of(key: str, after: str | None, most: int) -> Iterator[str]:
    below = None if after is None else ByDay.order_id < after
    for item in OrderItem.by_day.query(key, below, scan_index_forward=False, limit=most, page_size=most):
        yield item.order_id


def _sales_item(each: SalesOfDay) -> SalesItem:
    return SalesItem(
        each.of,
        each.day.isoformat(),
        placed=each.placed,
        paid=each.paid,
        refunded=each.refunded,
        closed=each.closed,
    )


def _orders(order_ids: Iterable[str]) -> Iterator[Order]:
    for item in OrderItem.batch_get({(order_id, "order") for order_id in order_ids}):
        yield record_of(Order, item)
