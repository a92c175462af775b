"""Orders, refunds and supplier orders in DynamoDB.

Table `orders`: `pk` = order id; `sk` = `order`, or `refund#<refund id>`. Order ids sort by time.
Index `by_member` (`member_id`, `placed_key`): only orders have its keys. Index `by_due` (`due_bucket`, `pk`): only
waiting items. Orders that wait for a payment are in one of four buckets, so that no key takes more than a quarter of
all orders. Requested refunds are in the bucket `refunds`.
Index `by_day` (`day_key`, `pk`): orders by the day on which they were placed (`aws.days`), refunds by the day on which
they succeeded (`refunded.2026-11-30`). An order that was paid on a later day than it was placed is in `by_due` too,
under that day (`paid.2026-12-01`), for the sales of the day (`days_store`).
Table `supplier-orders`: `pk` = supplier id, `sk` = order id. Both tables stream to the queue of order changes.

| Access pattern | How |
|---|---|
| place | one TransactWriteItems: request, order, one update per product |
| one order | GetItem, consistent |
| an order's refunds | Query of its partition, consistent |
| a member's orders, newest first | Query `by_member`, then BatchGetItem |
| orders due to expire | Query `by_due` up to an order id, per bucket; decided on the order itself |
| requested refunds | Query `by_due`, their bucket |
| every later step | one TransactWriteItems of whole items, each on condition of the version before |
| a supplier's orders | Query of its partition |
| what nothing can book | an open item, put if absent, in the step's transaction |
| what people decide about it | the open item, on condition of its version, in the step's transaction |

An order of three lines stays below 1 KB; placing it costs 2 WCU for the request, 2 for the order, 3 for its
indexes and 2 per product. All indexes hold keys only.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from cardstock.attribution import Attribution
from cardstock.aws import requests
from cardstock.aws.days import day_key
from cardstock.aws.items import PrefixedAttribute, StructAttribute, fields_of, record_of
from cardstock.aws.pages import read_page
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    IntegerAttribute,
    JsonAttribute,
    Table,
    Transaction,
)
from cardstock.catalog import store as products
from cardstock.clock import brand_day
from cardstock.errors import STOCK_SHORT
from cardstock.ids import RequestKey, new_id
from cardstock.marks import Marker, MarkKind
from cardstock.open_items import store as open_items
from cardstock.orders import coupon_store as coupons
from cardstock.orders import errors
from cardstock.orders.agreement_store import save_agreement
from cardstock.orders.change_model import OrderChange, RefundChange, Step, SupplierOrderChange
from cardstock.orders.model import ENDED_UNPAID, NOBODY, PAYMENT_WINDOW, FreightPart, Order, OrderLine, Receiver
from cardstock.orders.packing import PackedLines, pack_lines, unpack_lines
from cardstock.orders.refund_model import Refund, RefundLine
from cardstock.orders.supplier_model import Parcel, SupplierLine, SupplierOrder

_ORDER = "order"
_REFUND = "refund#"
WAITING = ("0", "1", "2", "3")
"""Buckets of orders that wait for their payment."""
_OPEN_REFUNDS = "refunds"
_TIME_PART = slice(4, 14)
"""The milliseconds in an order id."""


class LinesAttribute(StructAttribute):
    """The lines of an order in their short form."""

    def __init__(self, **options: Any) -> None:
        super().__init__(PackedLines, **options)

    def serialize(self, value: Any) -> str:
        return super().serialize(pack_lines(value))

    def deserialize(self, value: Any) -> tuple[OrderLine, ...]:
        return unpack_lines(super().deserialize(value))


class ReceiverAttribute(StructAttribute):
    """A receiver; without region it is stored as release 0.3.0 stored it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Receiver, **options)

    def serialize(self, value: Any) -> str:
        plain = value if value.region else (value.name, value.phone, value.address)
        return super().serialize(plain)


class ByMember(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """A member's orders by time."""

    class Meta:
        index_name = "by_member"
        projection = KeysOnlyProjection()

    member_id = UnicodeAttribute(hash_key=True)
    placed_key = UnicodeAttribute(range_key=True)


class ByDue(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """Orders that wait for a payment, by time, and refunds that wait for their channel."""

    class Meta:
        index_name = "by_due"
        projection = KeysOnlyProjection()

    due_bucket = UnicodeAttribute(hash_key=True)
    order_id = UnicodeAttribute(range_key=True, attr_name="pk")


class ByDay(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """Orders by the day on which they were placed, and refunds by the day on which they succeeded."""

    class Meta:
        index_name = "by_day"
        projection = KeysOnlyProjection()

    day_key = UnicodeAttribute(hash_key=True)
    order_id = UnicodeAttribute(range_key=True, attr_name="pk")


class OrderItem(Table):
    """One order. Attribute names are short because every kilobyte of an order costs."""

    class Meta:
        variable = "ORDERS_TABLE"

    order_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default=_ORDER)
    placed_key = UnicodeAttribute()
    due_bucket = UnicodeAttribute(null=True)
    day_key = UnicodeAttribute(null=True)
    member_id = UnicodeAttribute()
    status = UnicodeAttribute(attr_name="st")
    lines = LinesAttribute(attr_name="l")
    amount_fen = IntegerAttribute(attr_name="a")
    receiver = ReceiverAttribute(attr_name="r")
    attribution = StructAttribute(Attribution, attr_name="at", null=True)
    snapshot = JsonAttribute(attr_name="n")
    placed_at = EpochAttribute(attr_name="t")
    paid_at = EpochAttribute(attr_name="tp", null=True)
    channel = UnicodeAttribute(attr_name="pc", null=True)
    transaction_no = UnicodeAttribute(attr_name="pn", null=True)
    payer = UnicodeAttribute(attr_name="pp", null=True)
    device = UnicodeAttribute(attr_name="pd", null=True)
    shipped_at = EpochAttribute(attr_name="ts", null=True)
    received_at = EpochAttribute(attr_name="tr", null=True)
    closed_at = EpochAttribute(attr_name="tc", null=True)
    coupon = UnicodeAttribute(attr_name="c", null=True)
    app = UnicodeAttribute(attr_name="ap", null=True)
    pay_at = IntegerAttribute(attr_name="pw", null=True)
    open_until = EpochAttribute(attr_name="tu", null=True)
    funds_expected_at = EpochAttribute(attr_name="fe", null=True)
    funds_freed_at = EpochAttribute(attr_name="ff", null=True)
    paid_by = UnicodeAttribute(attr_name="pb", null=True)
    instalments = IntegerAttribute(attr_name="pi", null=True)
    agreement = UnicodeAttribute(attr_name="pa", null=True)
    returned_payments = StructAttribute(tuple[str, ...], attr_name="px", null=True)
    done_suppliers = StructAttribute(tuple[str, ...], attr_name="d", null=True)
    freight_refunded = BooleanAttribute(attr_name="fr", null=True)
    freight_parts = StructAttribute(tuple[FreightPart, ...], attr_name="fp", null=True)
    version = IntegerAttribute(attr_name="v")
    by_member = ByMember()
    by_due = ByDue()
    by_day = ByDay()


class RefundItem(Table):
    """One refund, in its order's partition."""

    class Meta:
        variable = "ORDERS_TABLE"

    order_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    refund_id = PrefixedAttribute(_REFUND, range_key=True, attr_name="sk")
    # Not `member_id`, which would put refunds into the index of a member's orders.
    member_id = UnicodeAttribute(attr_name="owner")
    due_bucket = UnicodeAttribute(null=True)
    day_key = UnicodeAttribute(null=True)
    kind = UnicodeAttribute()
    status = UnicodeAttribute(attr_name="st")
    amount_fen = IntegerAttribute(attr_name="a")
    lines = StructAttribute(tuple[RefundLine, ...], attr_name="l")
    reason = UnicodeAttribute()
    channel = UnicodeAttribute()
    transaction_no = UnicodeAttribute()
    total_fen = IntegerAttribute()
    requested_at = EpochAttribute(attr_name="t")
    succeeded_at = EpochAttribute(attr_name="ts", null=True)
    fingerprint = UnicodeAttribute(null=True)
    sequence = IntegerAttribute(attr_name="s")
    place = IntegerAttribute(attr_name="p", null=True)
    granted_by = UnicodeAttribute(attr_name="g", null=True)
    asked_by = UnicodeAttribute(attr_name="q", null=True)
    asked_no = UnicodeAttribute(attr_name="cn", null=True)
    refused_at = EpochAttribute(attr_name="tf", null=True)
    given_up_at = EpochAttribute(attr_name="tg", null=True)
    paid_another_way = BooleanAttribute(attr_name="w", null=True)
    freight_of = StructAttribute(tuple[str, ...], attr_name="fp", null=True)
    version = IntegerAttribute(attr_name="v")


class SupplierOrderItem(Table):
    """One supplier's part of an order."""

    class Meta:
        variable = "SUPPLIER_ORDERS_TABLE"

    supplier_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    order_id = UnicodeAttribute(range_key=True, attr_name="sk")
    status = UnicodeAttribute(attr_name="st")
    lines = StructAttribute(tuple[SupplierLine, ...], attr_name="l")
    receiver = ReceiverAttribute(attr_name="r")
    created_at = EpochAttribute(attr_name="t")
    last_event = UnicodeAttribute(attr_name="e")
    parcels = StructAttribute(tuple[Parcel, ...], attr_name="p", null=True)
    shipped_at = EpochAttribute(attr_name="ts", null=True)
    delivered_at = EpochAttribute(attr_name="td", null=True)
    reduced_at = EpochAttribute(attr_name="tc", null=True)
    version = IntegerAttribute(attr_name="v")


def _placed_before(stored: Mapping[str, Any], wanted: Order) -> str:
    """The id of the order that a quote has become, from the raw item of the failed condition."""
    order = record_of(Order, OrderItem.from_raw_data(dict(stored)))
    if order.status in ENDED_UNPAID or (order.receiver, order.app) != (wanted.receiver, wanted.app):
        raise errors.QUOTE_USED()
    return order.order_id


class DynamoOrders:
    """`orders.ports.Orders`. `marker` makes the marks of payers and devices."""

    def __init__(self, marker: Marker) -> None:
        self._marker = marker

    def mark_of(self, kind: MarkKind, name: str) -> str:
        return self._marker.of(kind, name)

    def add_order(self, order: Order, request: RequestKey, supplier_orders: Sequence[SupplierOrder] = ()) -> str | None:
        try:
            with Transaction() as transaction:
                requests.remember(transaction, request, order.order_id, order.placed_at)
                absent = OrderItem.order_id.does_not_exist()
                transaction.save(order_item(order), condition=absent, return_values="ALL_OLD")
                for each in supplier_orders:
                    transaction.save(_supplier_item(each), condition=SupplierOrderItem.supplier_id.does_not_exist())
                if order.coupon:
                    coupons.use_coupon(transaction, order.coupon, order.order_id)
                for line in order.lines:
                    products.reserve_units(transaction, line.sku, line.units, line.price_fen, order.placed_at)
        except ConditionFailedError as error:
            if 0 in error.failed:
                return requests.result_of(error.failed[0], request)
            if 1 in error.failed:
                return _placed_before(error.failed[1], order)
            # Puts come first: the request, the order, its supplier orders and the use of its coupon.
            puts = 2 + len(supplier_orders) + bool(order.coupon)
            if order.coupon and puts - 1 in error.failed:
                raise errors.COUPON_USED() from error
            stored = [(order.lines[index - puts], error.failed[index]) for index in sorted(error.failed)]
            changed = [
                line.sku for line, item in stored if not products.is_sold_at(item, line.price_fen, order.placed_at)
            ]
            if changed:
                raise errors.PRICE_CHANGED(skus=changed) from error
            raise STOCK_SHORT(lines=[products.shortage(line.sku, item) for line, item in stored]) from error
        return None

    def order_id_of_request(self, request: RequestKey) -> str | None:
        return requests.find(request)

    def store_step(self, step: Step) -> bool:
        try:
            with Transaction() as transaction:
                for order in step.orders:
                    transaction.save(order_item(order), condition=OrderItem.version == order.version - 1)
                for refund in step.refunds:
                    transaction.save(
                        refund_item(refund),
                        condition=RefundItem.version == refund.version - 1
                        if refund.version > 1
                        else RefundItem.order_id.does_not_exist(),
                    )
                for each in step.supplier_orders:
                    transaction.save(
                        _supplier_item(each),
                        condition=SupplierOrderItem.version == each.version - 1
                        if each.version > 1
                        else SupplierOrderItem.supplier_id.does_not_exist(),
                    )
                for finding in step.findings:
                    open_items.add_found(transaction, **msgspec.structs.asdict(finding))
                for agreement in step.agreements:
                    save_agreement(transaction, agreement)
                for item in step.changed_items:
                    open_items.save_open_item(transaction, item)
                for coupon_id, order_id in step.freed_coupons:
                    coupons.free_coupon(transaction, coupon_id, order_id)
                for change in step.stock:
                    products.move_units(transaction, change.sku, stock=change.stock, held=change.held)
        except ConditionFailedError:
            return False
        return True

    def find_order(self, order_id: str) -> Order | None:
        item = OrderItem.find(order_id, _ORDER)
        return None if item is None else record_of(Order, item)

    def refunds_of_order(self, order_id: str) -> tuple[Refund, ...]:
        found = RefundItem.query(order_id, RefundItem.refund_id.startswith(""), consistent_read=True)
        return tuple(sorted((record_of(Refund, item) for item in found), key=lambda refund: refund.requested_at))

    def find_refund(self, order_id: str, refund_id: str) -> Refund | None:
        item = RefundItem.find(order_id, refund_id)
        return None if item is None else record_of(Refund, item)

    def find_supplier_orders(self, order_id: str, supplier_ids: Iterable[str]) -> dict[str, SupplierOrder]:
        keys = [(supplier_id, order_id) for supplier_id in supplier_ids]
        found = SupplierOrderItem.batch_get(keys, consistent_read=True)
        return {item.supplier_id: record_of(SupplierOrder, item) for item in found}

    def orders_of_member(self, member_id: str, limit: int, after: str | None) -> tuple[Sequence[Order], str | None]:
        start = None
        if after is not None:
            start = {"member_id": member_id, "placed_key": after[_TIME_PART], "pk": after, "sk": _ORDER}
        items, last = read_page(
            OrderItem.by_member.query, member_id, limit=limit, start=start, scan_index_forward=False
        )
        ids = [item.order_id for item in items]
        orders = {item.order_id: record_of(Order, item) for item in OrderItem.batch_get((i, _ORDER) for i in ids)}
        return [orders[i] for i in ids if i in orders], last.order_id if last else None

    def orders_of_supplier(
        self, supplier_id: str, limit: int, after: str | None
    ) -> tuple[Sequence[SupplierOrder], str | None]:
        start = None if after is None else {"pk": supplier_id, "sk": after}
        items, last = read_page(SupplierOrderItem.query, supplier_id, limit=limit, start=start, consistent_read=True)
        return [record_of(SupplierOrder, item) for item in items], last.order_id if last else None

    def due_orders(self, at: datetime) -> Iterator[str]:
        bound = first_id(at - PAYMENT_WINDOW)
        for bucket in WAITING:
            for item in OrderItem.by_due.query(bucket, ByDue.order_id < bound):
                yield item.order_id

    def open_refunds(self) -> Iterator[tuple[str, str]]:
        for item in OrderItem.by_due.query(_OPEN_REFUNDS):
            yield item.order_id, item.sk.removeprefix(_REFUND)


def supplier_orders_of(orders: Sequence[Order]) -> dict[str, list[SupplierOrder]]:
    """The supplier orders of some orders, by order, each list in the order of the lines; one read per hundred."""
    keys = [(supplier_id, order.order_id) for order in orders for supplier_id in order.supplier_ids]
    found = {
        (item.supplier_id, item.order_id): item for item in SupplierOrderItem.batch_get(keys, consistent_read=True)
    }
    parts: dict[str, list[SupplierOrder]] = {}
    for supplier_id, order_id in keys:
        if item := found.get((supplier_id, order_id)):
            parts.setdefault(order_id, []).append(record_of(SupplierOrder, item))
    return parts


def change_of(record: Mapping[str, Any]) -> OrderChange | RefundChange | SupplierOrderChange | None:
    """The change in a stream record of `orders` or `supplier-orders`: new and old image compared.

    None for a removal, which this code never makes, and for an erased receiver. Raises `KeyError` or `ValueError` for
    anything that is not such a record.
    """
    data = record["dynamodb"]
    if record["eventName"] == "REMOVE":
        return None
    event_id: str = record["eventID"]
    new, old = data["NewImage"], data.get("OldImage")
    before = None if not old else old["st"]["S"]
    kind: str = new["sk"]["S"]
    if kind == _ORDER:
        return OrderChange(event_id, record_of(Order, OrderItem.from_raw_data(new)), before)
    if kind.startswith(_REFUND):
        return RefundChange(event_id, record_of(Refund, RefundItem.from_raw_data(new)), before)
    part = record_of(SupplierOrder, SupplierOrderItem.from_raw_data(new))
    if old and part.receiver == NOBODY != SupplierOrderItem.from_raw_data(old).receiver:
        return None  # the receiver was erased: nothing else has changed
    return SupplierOrderChange(event_id, part)


def every_order() -> Iterator[Order]:
    """All orders, in no order; a consistent scan, for audits."""
    for item in OrderItem.scan(filter_condition=OrderItem.sk == _ORDER, consistent_read=True):
        yield record_of(Order, item)


def every_refund() -> Iterator[Refund]:
    """All refunds, in no order; a consistent scan, for audits."""
    for item in RefundItem.scan(filter_condition=RefundItem.refund_id.startswith(""), consistent_read=True):
        yield record_of(Refund, item)


def order_item(order: Order) -> OrderItem:
    """The item of an order, with its index keys."""
    return OrderItem(
        placed_key=order.order_id[_TIME_PART],
        due_bucket=_due_bucket(order),
        day_key=day_key(order.placed_at, order.order_id),
        **fields_of(order, OrderItem),
    )


def first_id(at: datetime) -> str:
    """Above the ids of all orders placed before `at`, and not above any other."""
    return new_id("ord", at)[: _TIME_PART.stop]


def paid_key(day: date) -> str:
    """Under which `by_due` has the orders that were paid on `day` and placed on an earlier one."""
    return f"paid.{day.isoformat()}"


def refunded_key(day: date) -> str:
    """Under which `by_day` has the refunds that succeeded on `day`."""
    return f"refunded.{day.isoformat()}"


def _due_bucket(order: Order) -> str | None:
    if order.status == "placed":
        return WAITING[ord(order.order_id[-1]) % len(WAITING)]
    if order.paid_at is None or brand_day(order.paid_at) == brand_day(order.placed_at):
        return None
    return paid_key(brand_day(order.paid_at))


def refund_item(refund: Refund) -> RefundItem:
    """The item of a refund, with its index keys."""
    return RefundItem(
        due_bucket=_OPEN_REFUNDS if refund.status == "requested" else None,
        day_key=None if refund.succeeded_at is None else refunded_key(brand_day(refund.succeeded_at)),
        **fields_of(refund, RefundItem),
    )


def _supplier_item(supplier_order: SupplierOrder) -> SupplierOrderItem:
    return SupplierOrderItem(**fields_of(supplier_order, SupplierOrderItem))
