"""What suppliers report, as JSON; `type` tells which."""

from typing import Annotated

from msgspec import Meta

from cardstock.edge.http import LINE, Model

Text = Annotated[str, Meta(min_length=1, max_length=64, pattern=LINE)]
OrderId = Annotated[str, Meta(pattern=r"^ord_[0-9a-z]{26}$")]


class ShipmentCreated(Model, tag_field="type", tag="shipment.created"):
    """A parcel has left with everything that was still to be sent."""

    order_id: OrderId
    carrier: Text
    tracking_no: Text


class ShipmentDelivered(Model, tag_field="type", tag="shipment.delivered"):
    """The parcels of an order have arrived."""

    order_id: OrderId


class InventoryUpdated(Model, tag_field="type", tag="inventory.updated"):
    """What lies on the shelf now, units of orders that have not left included.

    `version` grows with every count: one that is not newer than the last is taken and changes nothing.
    """

    sku: Text
    stock: Annotated[int, Meta(ge=0, le=10**9)]
    version: Annotated[int, Meta(ge=0, le=2**53)]


Report = ShipmentCreated | ShipmentDelivered | InventoryUpdated


class MessageTaken(Model):
    """The message has taken effect: `repeat` says that it had before."""

    repeat: bool
