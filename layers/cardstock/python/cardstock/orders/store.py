"""Orders, refunds and supplier orders in DynamoDB.

Table `orders`: `pk` = order id; `sk` = `order`, or `refund#<refund id>`. Order ids sort by time.
Index `by_member` (`member_id`, `placed_key`): only orders carry its keys. Index `by_due` (`due_bucket`, `pk`):
only orders that wait for a payment, in one of four buckets, so that no key takes more than a quarter of all orders, and
refunds that have not gone through, in a bucket of their own.
Table `supplier-orders`: `pk` = supplier id, `sk` = order id. Both tables stream to the queue of order events.

| Access pattern | How |
|---|---|
| place | one TransactWriteItems: request, order, one update per product |
| one order | GetItem, consistent |
| an order's refunds | Query of its partition, consistent |
| a member's orders, newest first | Query `by_member`, then BatchGetItem |
| what is due to expire | Query `by_due` up to an order id, per bucket; decided on the order itself |
| refunds that have not gone through | Query `by_due`, their bucket |
| every later step | one TransactWriteItems of whole items, each on condition of the version before |
| a supplier's orders | Query of its partition |

An order of three lines stays below 1 KB; placing it costs 2 WCU for the request, 2 for the order, 2 for its
indexes and 2 per product.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from cardstock.aws import requests
from cardstock.aws.pages import read_page
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    IntegerAttribute,
    JsonAttribute,
    Table,
    Transaction,
)
from cardstock.catalog.store import ProductItem, shortage
from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.errors import STOCK_SHORT
from cardstock.ids import RequestKey, new_id
from cardstock.orders import coupon_store as coupons
from cardstock.orders import errors
from cardstock.orders.compact import pack_attribution, pack_lines, unpack_attribution, unpack_lines
from cardstock.orders.model import (
    PAYMENT_WINDOW,
    Order,
    OrderChange,
    Parcel,
    Receiver,
    Refund,
    RefundChange,
    RefundLine,
    Step,
    SupplierLine,
    SupplierOrder,
    SupplierOrderChange,
)

_ORDER = "order"
_REFUND = "refund#"
_BUCKETS = ("0", "1", "2", "3")
_OPEN_REFUNDS = "refunds"
_TIME_PART = slice(4, 14)
"""Of an order id: the milliseconds."""


class ByMember(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """A member's orders by time."""

    class Meta:
        index_name = "by_member"
        projection = KeysOnlyProjection()

    member_id = UnicodeAttribute(hash_key=True)
    placed_key = UnicodeAttribute(range_key=True)


class ByDue(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """What waits: orders for a payment, by time, and refunds for their channel."""

    class Meta:
        index_name = "by_due"
        projection = KeysOnlyProjection()

    due_bucket = UnicodeAttribute(hash_key=True)
    order_id = UnicodeAttribute(range_key=True, attr_name="pk")


class OrderItem(Table):
    """One order. Attribute names are short because every order is paid for by the kilobyte."""

    class Meta:
        variable = "ORDERS_TABLE"

    order_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default=_ORDER)
    member_id = UnicodeAttribute()
    placed_key = UnicodeAttribute()
    due_bucket = UnicodeAttribute(null=True)
    status = UnicodeAttribute(attr_name="st")
    lines = JsonAttribute(attr_name="l")
    amount_fen = IntegerAttribute(attr_name="a")
    receiver = JsonAttribute(attr_name="r")
    attribution = JsonAttribute(attr_name="at", null=True)
    snapshot = JsonAttribute(attr_name="n")
    placed_at = EpochAttribute(attr_name="t")
    payment = JsonAttribute(attr_name="p", null=True)
    shipped_at = EpochAttribute(attr_name="ts", null=True)
    received_at = EpochAttribute(attr_name="tr", null=True)
    closed_at = EpochAttribute(attr_name="tc", null=True)
    done_suppliers = JsonAttribute(attr_name="d", null=True)
    coupon = UnicodeAttribute(attr_name="c", null=True)
    paid_by = UnicodeAttribute(attr_name="pb")
    version = IntegerAttribute(attr_name="v")
    by_member = ByMember()
    by_due = ByDue()


class RefundItem(Table):
    """One refund, beside its order."""

    class Meta:
        variable = "ORDERS_TABLE"

    order_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True)
    owner = UnicodeAttribute()
    due_bucket = UnicodeAttribute(null=True)
    kind = UnicodeAttribute()
    status = UnicodeAttribute(attr_name="st")
    amount_fen = IntegerAttribute(attr_name="a")
    lines = JsonAttribute(attr_name="l")
    reason = UnicodeAttribute()
    channel = UnicodeAttribute()
    transaction_no = UnicodeAttribute()
    total_fen = IntegerAttribute()
    requested_at = EpochAttribute(attr_name="t")
    succeeded_at = EpochAttribute(attr_name="ts", null=True)
    fingerprint = UnicodeAttribute(null=True)
    sequence = IntegerAttribute(attr_name="s")
    granted_by = UnicodeAttribute(attr_name="g", null=True)
    version = IntegerAttribute(attr_name="v")


class SupplierOrderItem(Table):
    """One supplier's part of an order."""

    class Meta:
        variable = "SUPPLIER_ORDERS_TABLE"

    supplier_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    order_id = UnicodeAttribute(range_key=True, attr_name="sk")
    status = UnicodeAttribute(attr_name="st")
    lines = JsonAttribute(attr_name="l")
    receiver = JsonAttribute(attr_name="r")
    created_at = EpochAttribute(attr_name="t")
    parcels = JsonAttribute(attr_name="p", null=True)
    shipped_at = EpochAttribute(attr_name="ts", null=True)
    delivered_at = EpochAttribute(attr_name="td", null=True)
    reduced_at = EpochAttribute(attr_name="tc", null=True)
    last_event = UnicodeAttribute(attr_name="e")
    version = IntegerAttribute(attr_name="v")


class DynamoOrders:
    """The orders area's `Orders` port."""

    def place(self, order: Order, request: RequestKey, parts: Sequence[SupplierOrder] = ()) -> str | None:
        """See the port."""
        try:
            with Transaction() as transaction:
                requests.remember(transaction, request, order.order_id, order.placed_at)
                transaction.save(_order_item(order), condition=OrderItem.order_id.does_not_exist())
                for part in parts:
                    transaction.save(_supplier_item(part), condition=SupplierOrderItem.supplier_id.does_not_exist())
                if order.coupon:
                    coupons.take(transaction, order.coupon, order.order_id)
                for line in order.lines:
                    transaction.update(
                        ProductItem(sku=line.sku),
                        actions=[ProductItem.stock.add(-line.units), ProductItem.held.add(line.units)],
                        condition=(ProductItem.stock >= line.units)
                        & (ProductItem.price_fen == line.price_fen)
                        & (ProductItem.active == True),  # noqa: E712 - an expression for DynamoDB, not a comparison
                        return_values="ALL_OLD",
                    )
        except ConditionFailedError as error:
            if 0 in error.failed:
                return requests.result_of(error.failed[0], request)
            # Puts come first: the request, the order, its parts and its coupon.
            puts = 2 + len(parts) + bool(order.coupon)
            if order.coupon and puts - 1 in error.failed:
                raise errors.COUPON_USED() from error
            stored = [(order.lines[index - puts], error.failed[index]) for index in sorted(error.failed)]
            changed = [
                line.sku
                for line, item in stored
                if not item or not item["active"]["BOOL"] or int(item["price_fen"]["N"]) != line.price_fen
            ]
            if changed:
                raise errors.PRICE_CHANGED(skus=changed) from error
            raise STOCK_SHORT(lines=[shortage(line.sku, item) for line, item in stored]) from error
        return None

    def placed_by(self, request: RequestKey) -> str | None:
        """See the port."""
        return requests.find(request)

    def store(self, step: Step) -> bool:
        """See the port."""
        try:
            with Transaction() as transaction:
                for order in step.orders:
                    transaction.save(_order_item(order), condition=OrderItem.version == order.version - 1)
                for refund in step.refunds:
                    transaction.save(
                        _refund_item(refund),
                        condition=RefundItem.version == refund.version - 1
                        if refund.version > 1
                        else RefundItem.order_id.does_not_exist(),
                    )
                for part in step.supplier_orders:
                    transaction.save(
                        _supplier_item(part),
                        condition=SupplierOrderItem.version == part.version - 1
                        if part.version > 1
                        else SupplierOrderItem.supplier_id.does_not_exist(),
                    )
                for coupon_id, order_id in step.freed:
                    coupons.give_back(transaction, coupon_id, order_id)
                for change in step.stock:
                    transaction.update(
                        ProductItem(sku=change.sku),
                        actions=[ProductItem.stock.add(change.stock), ProductItem.held.add(change.held)],
                    )
        except ConditionFailedError:
            return False
        return True

    def find(self, order_id: str) -> Order | None:
        """See the port."""
        item = OrderItem.find(order_id, _ORDER)
        return None if item is None else _order(item)

    def refunds_of(self, order_id: str) -> tuple[Refund, ...]:
        """See the port."""
        found = RefundItem.query(order_id, RefundItem.sk.startswith(_REFUND), consistent_read=True)
        return tuple(sorted((_refund(item) for item in found), key=lambda refund: refund.requested_at))

    def find_refund(self, order_id: str, refund_id: str) -> Refund | None:
        """See the port."""
        item = RefundItem.find(order_id, _REFUND + refund_id)
        return None if item is None else _refund(item)

    def find_supplier_orders(self, order_id: str, supplier_ids: Iterable[str]) -> dict[str, SupplierOrder]:
        """See the port."""
        keys = [(supplier_id, order_id) for supplier_id in supplier_ids]
        found = SupplierOrderItem.batch_get(keys, consistent_read=True)
        return {item.supplier_id: _supplier_order(item) for item in found}

    def of_member(self, member_id: str, limit: int, after: str | None) -> tuple[Sequence[Order], str | None]:
        """See the port."""
        start = None
        if after is not None:
            start = {"member_id": member_id, "placed_key": after[_TIME_PART], "pk": after, "sk": _ORDER}
        items, last = read_page(
            OrderItem.by_member.query, member_id, limit=limit, start=start, scan_index_forward=False
        )
        ids = [item.order_id for item in items]
        orders = {item.order_id: _order(item) for item in OrderItem.batch_get((i, _ORDER) for i in ids)}
        return [orders[i] for i in ids if i in orders], last.order_id if last else None

    def of_supplier(
        self, supplier_id: str, limit: int, after: str | None
    ) -> tuple[Sequence[SupplierOrder], str | None]:
        """See the port."""
        start = None if after is None else {"pk": supplier_id, "sk": after}
        items, last = read_page(SupplierOrderItem.query, supplier_id, limit=limit, start=start, consistent_read=True)
        return [_supplier_order(item) for item in items], last.order_id if last else None

    def due(self, at: datetime) -> Iterator[str]:
        """See the port."""
        bound = new_id("ord", at - PAYMENT_WINDOW)[: _TIME_PART.stop]
        for bucket in _BUCKETS:
            for item in OrderItem.by_due.query(bucket, ByDue.order_id < bound):
                yield item.order_id

    def open_refunds(self) -> Iterator[tuple[str, str]]:
        """See the port."""
        for item in OrderItem.by_due.query(_OPEN_REFUNDS):
            yield item.order_id, item.sk.removeprefix(_REFUND)


def change_of(record: Mapping[str, Any]) -> OrderChange | RefundChange | SupplierOrderChange | None:
    """What a stream record of `orders` or `supplier-orders` says: new and old image compared.

    None for a removal, which nothing here makes. Raises `KeyError` or `ValueError` for anything that is not such a
    record: a poison message.
    """
    data = record["dynamodb"]
    if record["eventName"] == "REMOVE":
        return None
    event_id: str = record["eventID"]
    new, old = data["NewImage"], data.get("OldImage")
    before = None if not old else old["st"]["S"]
    kind: str = new["sk"]["S"]
    if kind == _ORDER:
        return OrderChange(event_id, _order(OrderItem.from_raw_data(new)), before)
    if kind.startswith(_REFUND):
        return RefundChange(event_id, _refund(RefundItem.from_raw_data(new)), before)
    return SupplierOrderChange(event_id, _supplier_order(SupplierOrderItem.from_raw_data(new)))


def every_order() -> Iterator[Order]:
    """All orders, in no order; a consistent scan, for audits."""
    for item in OrderItem.scan(filter_condition=OrderItem.sk == _ORDER, consistent_read=True):
        yield _order(item)


def every_refund() -> Iterator[Refund]:
    """All refunds, in no order; a consistent scan, for audits."""
    for item in RefundItem.scan(filter_condition=RefundItem.sk.startswith(_REFUND), consistent_read=True):
        yield _refund(item)


def _order_item(order: Order) -> OrderItem:
    waiting = order.status == "placed"
    return OrderItem(
        order_id=order.order_id,
        member_id=order.member_id,
        placed_key=order.order_id[_TIME_PART],
        due_bucket=_BUCKETS[ord(order.order_id[-1]) % len(_BUCKETS)] if waiting else None,
        status=order.status,
        lines=pack_lines(order.lines),
        amount_fen=order.amount_fen,
        receiver=_pack_receiver(order.receiver),
        attribution=pack_attribution(order.attribution),
        snapshot=order.snapshot,
        placed_at=order.placed_at,
        payment=_pack_payment(order),
        shipped_at=order.shipped_at,
        received_at=order.received_at,
        closed_at=order.closed_at,
        coupon=order.coupon or None,
        paid_by=order.paid_by,
        done_suppliers=list(order.done_suppliers) or None,
        version=order.version,
    )


def _pack_payment(order: Order) -> list[Any] | None:
    if order.paid_at is None:
        return None
    payment = [to_epoch_ms(order.paid_at), order.channel, order.transaction_no]
    return [*payment, order.payer, order.device] if order.payer or order.device else payment


def _order(item: OrderItem) -> Order:
    paid_at, channel, transaction_no, *seen = item.payment or (None, None, None)
    payer, device = seen or ("", "")
    return Order(
        order_id=item.order_id,
        member_id=item.member_id,
        status=item.status,  # type: ignore[arg-type]  # only `_order_item` writes it
        lines=unpack_lines(item.lines),
        amount_fen=item.amount_fen,
        receiver=Receiver(*item.receiver),
        attribution=unpack_attribution(item.attribution),
        snapshot=item.snapshot,
        placed_at=item.placed_at,
        paid_at=None if paid_at is None else from_epoch_ms(paid_at),
        channel=channel,
        transaction_no=transaction_no,
        payer=payer,
        device=device,
        shipped_at=item.shipped_at,
        received_at=item.received_at,
        closed_at=item.closed_at,
        coupon=item.coupon or "",
        paid_by=item.paid_by,  # type: ignore[arg-type]  # only `_order_item` writes it
        done_suppliers=tuple(item.done_suppliers or ()),
        version=item.version,
    )


def _refund_item(refund: Refund) -> RefundItem:
    return RefundItem(
        order_id=refund.order_id,
        sk=_REFUND + refund.refund_id,
        owner=refund.member_id,
        due_bucket=_OPEN_REFUNDS if refund.status == "requested" else None,
        kind=refund.kind,
        status=refund.status,
        amount_fen=refund.amount_fen,
        lines=[[line.line_no, line.sku, line.units, line.amount_fen, int(line.restock)] for line in refund.lines],
        reason=refund.reason,
        channel=refund.channel,
        transaction_no=refund.transaction_no,
        total_fen=refund.total_fen,
        requested_at=refund.requested_at,
        succeeded_at=refund.succeeded_at,
        fingerprint=refund.fingerprint or None,
        sequence=refund.sequence,
        granted_by=refund.granted_by or None,
        version=refund.version,
    )


def _refund(item: RefundItem) -> Refund:
    return Refund(
        refund_id=item.sk.removeprefix(_REFUND),
        order_id=item.order_id,
        member_id=item.owner,
        kind=item.kind,  # type: ignore[arg-type]  # only `_refund_item` writes it
        status=item.status,  # type: ignore[arg-type]  # only `_refund_item` writes it
        amount_fen=item.amount_fen,
        lines=tuple(RefundLine(row[0], row[1], row[2], row[3], bool(row[4])) for row in item.lines),
        reason=item.reason,
        channel=item.channel,
        transaction_no=item.transaction_no,
        total_fen=item.total_fen,
        requested_at=item.requested_at,
        succeeded_at=item.succeeded_at,
        fingerprint=item.fingerprint or "",
        sequence=item.sequence,
        granted_by=item.granted_by or "",
        version=item.version,
    )


def _supplier_item(part: SupplierOrder) -> SupplierOrderItem:
    return SupplierOrderItem(
        supplier_id=part.supplier_id,
        order_id=part.order_id,
        status=part.status,
        lines=[[line.sku, line.name, line.units, line.cancelled] for line in part.lines],
        receiver=_pack_receiver(part.receiver),
        created_at=part.created_at,
        parcels=[[p.event_id, p.carrier, p.tracking_no, to_epoch_ms(p.at)] for p in part.parcels] or None,
        shipped_at=part.shipped_at,
        delivered_at=part.delivered_at,
        reduced_at=part.reduced_at,
        last_event=part.last_event,
        version=part.version,
    )


def _supplier_order(item: SupplierOrderItem) -> SupplierOrder:
    return SupplierOrder(
        supplier_id=item.supplier_id,
        order_id=item.order_id,
        status=item.status,  # type: ignore[arg-type]  # only `_supplier_item` writes it
        lines=tuple(SupplierLine(*row) for row in item.lines),
        receiver=Receiver(*item.receiver),
        created_at=item.created_at,
        parcels=tuple(
            Parcel(event, carrier, number, from_epoch_ms(at)) for event, carrier, number, at in item.parcels or ()
        ),
        shipped_at=item.shipped_at,
        delivered_at=item.delivered_at,
        reduced_at=item.reduced_at,
        last_event=item.last_event,  # type: ignore[arg-type]  # only `_supplier_item` writes it
        version=item.version,
    )


def _pack_receiver(receiver: Receiver) -> list[str]:
    return [receiver.name, receiver.phone, receiver.address]
