"""Suppliers' reports as JSON, distinguished by `type`."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated

from msgspec import Meta

from cardstock.edge.http import LINE, Model

Text = Annotated[str, Meta(min_length=1, max_length=64, pattern=LINE)]
OrderId = Annotated[str, Meta(pattern=r"^ord_[0-9a-z]{26}\Z", examples=["ord_01kbdxdh50fcazdjhcnqh2rzv5"])]


class ShipmentCreated(Model, tag_field="type", tag="shipment.created"):
    """A parcel was sent with everything that was still to be sent."""

    order_id: Annotated[OrderId, Meta(description="Order of the parcel.")]
    carrier: Annotated[Text, Meta(description="Carrier of the parcel.", examples=["SF"])]
    tracking_no: Annotated[Text, Meta(description="The carrier's number of the parcel.", examples=["SF1390001234567"])]


class ShipmentDelivered(Model, tag_field="type", tag="shipment.delivered"):
    """The parcels of an order have arrived."""

    order_id: Annotated[OrderId, Meta(description="Order whose parcels have arrived.")]


class InventoryUpdated(Model, tag_field="type", tag="inventory.updated"):
    """A supplier's stock count."""

    sku: Annotated[Text, Meta(description="Article that was counted.", examples=["85123A"])]
    stock: Annotated[
        int,
        Meta(
            ge=0,
            le=10**9,
            description="Units on the shelf, including those of unshipped orders.",
            examples=[120],
        ),
    ]
    version: Annotated[
        int,
        Meta(
            ge=0,
            le=2**53,
            description="Increases with every count; a count that is not newer than the last changes nothing.",
            examples=[17],
        ),
    ]


Report = ShipmentCreated | ShipmentDelivered | InventoryUpdated


class MessageTaken(Model):
    """The message has taken effect."""

    repeat: Annotated[bool, Meta(description="Whether the message was applied before.")]
