"""Suppliers as JSON for headquarters, without their secrets."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Self

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment, NextCursor, SupplierId
from cardstock.edge.http import Model
from cardstock.partners.model import Supplier


class StaffSupplier(Model):
    """A supplier."""

    supplier_id: Annotated[SupplierId, Meta(description="Id of the supplier in products, orders and keys.")]
    name: Annotated[str, Meta(description="The supplier's name.", examples=["宁波织物有限公司"])]
    inbox_url: Annotated[str, Meta(description="Path of the supplier's inbox.", examples=["/v1/inbox/sup_lights"])]
    created_at: Annotated[Moment, Meta(description="When the supplier was created.")]

    @classmethod
    def of(cls, supplier: Supplier) -> Self:
        """A supplier for staff."""
        inbox = f"/v1/inbox/{supplier.supplier_id}"
        return cls(supplier.supplier_id, supplier.name, inbox, rfc3339(supplier.created_at))


class StaffSuppliers(Model):
    """Some suppliers, by id."""

    items: Annotated[list[StaffSupplier], Meta(description="Suppliers, by id.")]
    next_cursor: NextCursor
