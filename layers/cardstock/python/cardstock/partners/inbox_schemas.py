"""Suppliers' reports as JSON, distinguished by `type`."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, UnsetType

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment
from cardstock.edge.http import LINE, Model

if TYPE_CHECKING:
    from datetime import datetime

Text = Annotated[str, Meta(min_length=1, max_length=64, pattern=LINE)]
OrderId = Annotated[str, Meta(pattern=r"^ord_[0-9a-z]{26}\Z", examples=["ord_01kbdxdh50fcazdjhcnqh2rzv5"])]


class ShipmentCreated(Model, tag_field="type", tag="shipment.created", forbid_unknown_fields=False):
    """A parcel was sent with everything that was still to be sent. A parcel is reported once, under any message id."""

    order_id: Annotated[OrderId, Meta(description="Order of the parcel.")]
    carrier: Annotated[Text, Meta(description="Carrier of the parcel.", examples=["SF"])]
    tracking_no: Annotated[Text, Meta(description="The carrier's number of the parcel.", examples=["SF1390001234567"])]


class ShipmentDelivered(Model, tag_field="type", tag="shipment.delivered", forbid_unknown_fields=False):
    """The parcels of an order have arrived."""

    order_id: Annotated[OrderId, Meta(description="Order whose parcels have arrived.")]


class InventoryUpdated(Model, tag_field="type", tag="inventory.updated", forbid_unknown_fields=False):
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

    repeat: Annotated[
        bool, Meta(description="Whether it was reported before, by this message or another one about the same thing.")
    ]
    reported_at: Annotated[
        Moment | UnsetType, Meta(description="When the parcel was first reported, by another message; else absent.")
    ] = UNSET
    newest_version: Annotated[
        int | UnsetType,
        Meta(
            description="Version of the count that stands, if this one was not newer and was ignored; else absent.",
            examples=[18],
        ),
    ] = UNSET

    newest_stock: Annotated[
        int | UnsetType,
        Meta(
            description="Units of the count that stands, if this one has its version and another number, and was "
            "ignored: send what is right with a higher version; else absent.",
            examples=[118],
        ),
    ] = UNSET

    @classmethod
    def of_count(cls, ignored: InventoryUpdated, version: int, counted: int | None) -> MessageTaken:
        """The answer to a count that is not newer than the one that stands, whose units are None if unknown."""
        same = ignored.version == version
        differs = same and counted not in (None, ignored.stock)
        return cls(same and not differs, UNSET, version, UNSET if counted is None or not differs else counted)

    @classmethod
    def of_parcel(cls, earlier: datetime | None) -> MessageTaken:
        """The answer to a parcel's report; `earlier`: when another message reported the parcel, if one did."""
        return cls(earlier is not None, UNSET if earlier is None else rfc3339(earlier))
