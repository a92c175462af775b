"""Supplier orders as JSON, for the suppliers that send them."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import ArticleNumber, Moment, NextCursor, OrderId, SupplierId
from cardstock.edge.http import Model
from cardstock.errors import NOT_FOUND
from cardstock.orders.supplier_model import SupplierLine, SupplierOrder, SupplierOrderStatus


class UnitsToSend(Model):
    """Units of one SKU to send."""

    sku: ArticleNumber
    name: Annotated[
        str,
        Meta(description="Name of the product when it was quoted.", examples=["WHITE HANGING HEART T-LIGHT HOLDER"]),
    ]
    units: Annotated[int, Meta(description="Units to send.", examples=[6])]

    @classmethod
    def of(cls, line: SupplierLine) -> UnitsToSend:
        """`line` for its supplier, without the units refunded before they were sent."""
        return cls(line.sku, line.name, line.units - line.cancelled)


class StoredSupplierOrder(Model):
    """One supplier's part of a paid order."""

    order_id: OrderId
    status: Annotated[SupplierOrderStatus, Meta(description="Status of this part.")]
    lines: Annotated[list[UnitsToSend], Meta(description="Units to send, without those already refunded.")]
    receiver_name: Annotated[str, Meta(description="Who receives the goods.", examples=["王小明"])]
    receiver_phone: Annotated[str, Meta(description="Telephone number for the carrier.", examples=["13800138000"])]
    receiver_address: Annotated[str, Meta(description="Delivery address.", examples=["上海市静安区南京西路1266号"])]
    created_at: Annotated[Moment, Meta(description="When the order was placed.")]
    shipped_at: Annotated[Moment | None, Meta(description="When everything was shipped; null before.")]

    @classmethod
    def of(cls, part: SupplierOrder) -> StoredSupplierOrder:
        """`part` for its supplier."""
        return cls(
            part.order_id,
            part.status,
            [UnitsToSend.of(line) for line in part.lines if line.units > line.cancelled],
            part.receiver.name,
            part.receiver.phone,
            part.receiver.address,
            rfc3339(part.created_at),
            rfc3339(part.shipped_at) if part.shipped_at else None,
        )


class SupplierOrderList(Model):
    """Supplier orders, sorted by the time of placing. An order enters the list when it is paid, possibly after later
    ones: to learn of new orders, receive or fetch `fulfilment.requested`."""

    items: Annotated[list[StoredSupplierOrder], Meta(description="Supplier orders, sorted by the time of placing.")]
    next_cursor: NextCursor


class SupplierOrderQuery(PageQuery):
    """Where in the list, and whose orders."""

    supplier_id: Annotated[
        SupplierId | None,
        Meta(
            description="Supplier for whom persons of the staff send: without it they get an empty list. Absent: the "
            "supplier that calls."
        ),
    ] = None

    def supplier_of(self, owner: str, *, is_staff: bool) -> str:
        """The supplier whose orders the owner of a key sees.

        Raises `NotFoundError` for a supplier that names another one."""
        if not is_staff and self.supplier_id not in (None, owner):
            raise NOT_FOUND()
        return self.supplier_id or owner
