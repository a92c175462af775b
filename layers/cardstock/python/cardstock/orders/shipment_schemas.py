"""Supplier orders as their buyer sees them, as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import (
    ArticleName,
    ArticleNumber,
    Moment,
    SupplierId,
)
from cardstock.edge.http import Model
from cardstock.orders import supplier_model
from cardstock.orders.schemas import moment_or_none


class ParcelView(Model):
    """One parcel."""

    carrier: Annotated[str, Meta(examples=["SF Express"], description="Company that carries it.")]
    tracking_no: Annotated[str, Meta(examples=["SF1234567890"], description="The carrier's number of the parcel.")]
    reported_at: Annotated[Moment, Meta(description="When the supplier reported it.")]

    @classmethod
    def of(cls, parcel: supplier_model.Parcel) -> Self:
        """One parcel of a supplier order."""
        return cls(parcel.carrier, parcel.tracking_no, rfc3339(parcel.at))


class ShipmentLine(Model):
    """One supplier's units of one product."""

    sku: ArticleNumber
    name: Annotated[ArticleName, Meta(description="Name of the product when it was quoted.")]
    units: Annotated[int, Meta(description="Units that were ordered from this supplier.", examples=[6])]
    cancelled: Annotated[int, Meta(description="Units refunded before they were shipped.", examples=[0])]

    @classmethod
    def of(cls, line: supplier_model.SupplierLine) -> Self:
        """One line of a supplier order."""
        return cls(line.sku, line.name, line.units, line.cancelled)


class ShipmentView(Model):
    """One supplier's part of the order."""

    supplier_id: Annotated[SupplierId, Meta(description="Supplier that sends this part.")]
    status: Annotated[Literal["open", "shipped", "delivered", "cancelled"], Meta(description="Status of this part.")]
    lines: Annotated[list[ShipmentLine], Meta(description="Lines that the supplier sends.")]
    parcels: Annotated[list[ParcelView], Meta(description="Parcels shipped so far.")]
    shipped_at: Annotated[Moment | None, Meta(description="When the supplier had shipped; null before.")]
    delivered_at: Annotated[Moment | None, Meta(description="When its parcels had arrived; null before.")]

    @classmethod
    def of(cls, supplier_order: supplier_model.SupplierOrder) -> Self:
        """A supplier order as the buyer sees it."""
        return cls(
            supplier_id=supplier_order.supplier_id,
            status=supplier_order.status,
            lines=[ShipmentLine.of(line) for line in supplier_order.lines],
            parcels=[ParcelView.of(parcel) for parcel in supplier_order.parcels],
            shipped_at=moment_or_none(supplier_order.shipped_at),
            delivered_at=moment_or_none(supplier_order.delivered_at),
        )


class ShipmentList(Model):
    """Every supplier's part."""

    items: Annotated[list[ShipmentView], Meta(description="Each supplier's part of the order.")]

    @classmethod
    def of(cls, supplier_orders: Sequence[supplier_model.SupplierOrder]) -> Self:
        """The supplier orders of an order."""
        return cls([ShipmentView.of(supplier_order) for supplier_order in supplier_orders])
