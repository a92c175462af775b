"""Fulfilling an order: suppliers ship and deliver, the buyer confirms the receipt."""

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import NOT_FOUND, STORE_BUSY
from cardstock.orders import errors
from cardstock.orders.change_model import Step, StockChange
from cardstock.orders.model import Order
from cardstock.orders.ports import Orders
from cardstock.orders.steps import ATTEMPTS, find_order, follow_suppliers
from cardstock.orders.supplier_model import MAX_PARCELS, Parcel, SupplierOrder


def report_shipment(
    supplier_id: str, order_id: str, carrier: str, tracking_no: str, event_id: str, *, orders: Orders
) -> SupplierOrder:
    """Record a supplier's parcel. The last supplier's first parcel also makes the order shipped.

    The first parcel ships everything that was not refunded; later ones are added. A parcel is its carrier and number,
    compared by meaning: reported again, under whatever `event_id`, it changes nothing. Raises `NotFoundError` for an
    order without a supplier order of this supplier, `ConflictError` SUPPLIER_ORDER_CANCELLED if all its units were
    refunded, `RefusedError` TOO_MANY_PARCELS.
    """
    for _ in range(ATTEMPTS):
        order = orders.find_order(order_id)
        supplier_orders = orders.find_supplier_orders(order_id, order.supplier_ids) if order else {}
        before = supplier_orders.get(supplier_id)
        if order is None or before is None:
            raise NOT_FOUND()
        if before.find_parcel(carrier, tracking_no) or any(parcel.event_id == event_id for parcel in before.parcels):
            return before
        if before.status == "cancelled":
            raise errors.SUPPLIER_ORDER_CANCELLED()
        if len(before.parcels) >= MAX_PARCELS:
            raise errors.TOO_MANY_PARCELS(limit=MAX_PARCELS)
        now = clock.now()
        parcels = (*before.parcels, Parcel(event_id, carrier, tracking_no, now))
        after = replace(before, parcels=parcels, last_event="parcel_sent", version=before.version + 1)
        if before.status != "open":
            if orders.store_step(Step(supplier_orders=(after,))):
                return after
            continue
        after = replace(after, status="shipped", shipped_at=now)
        moved = follow_suppliers(
            replace(order, version=order.version + 1), {**supplier_orders, supplier_id: after}, now
        )
        sent = tuple(
            StockChange(line.sku, 0, line.cancelled - line.units)
            for line in before.lines
            if line.cancelled < line.units
        )
        if orders.store_step(Step(orders=(moved,), supplier_orders=(after,), stock=sent)):
            return after
    raise STORE_BUSY()


def report_delivery(supplier_id: str, order_id: str, *, orders: Orders) -> bool:
    """Record that a supplier's parcels have arrived. False, and nothing changes, if that is known.

    Raises `NotFoundError`, and `ConflictError` NOT_SHIPPED if no shipment was reported yet (its report may still come:
    try again).
    """
    for _ in range(ATTEMPTS):
        before = orders.find_supplier_orders(order_id, (supplier_id,)).get(supplier_id)
        if before is None:
            raise NOT_FOUND()
        if before.status == "delivered":
            return False
        if before.status != "shipped":
            raise errors.NOT_SHIPPED()
        after = replace(
            before, status="delivered", delivered_at=clock.now(), last_event="delivered", version=before.version + 1
        )
        if orders.store_step(Step(supplier_orders=(after,))):
            return True
    raise STORE_BUSY()


def list_supplier_orders(member_id: str, order_id: str, *, orders: Orders) -> tuple[SupplierOrder, ...]:
    """The supplier orders of a member's own order; none before it is paid."""
    order = find_order(member_id, order_id, orders=orders)
    found = orders.find_supplier_orders(order_id, order.supplier_ids)
    return tuple(found[supplier_id] for supplier_id in order.supplier_ids if supplier_id in found)


def confirm_receipt(member_id: str, order_id: str, *, orders: Orders) -> Order:
    """Record that the buyer has received everything. The return window and the freeze start now. A repeat changes
    nothing.

    Raises `ConflictError` NOT_SHIPPED before all suppliers have shipped.
    """
    for _ in range(ATTEMPTS):
        order = find_order(member_id, order_id, orders=orders)
        if order.status == "completed":
            return order
        if order.status != "shipped":
            raise errors.NOT_SHIPPED()
        after = replace(order, status="completed", received_at=clock.now(), version=order.version + 1)
        if orders.store_step(Step(orders=(after,))):
            return after
    raise STORE_BUSY()
