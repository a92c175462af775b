"""Types of sending: supplier orders, their lines and parcels."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.orders.model import Receiver
from cardstock.texts import narrow

SupplierOrderStatus: TypeAlias = Literal["open", "shipped", "delivered", "cancelled"]
SUPPLIER_ORDER_TRANSITIONS: Final[Mapping[SupplierOrderStatus, frozenset[SupplierOrderStatus]]] = {
    "open": frozenset({"shipped", "cancelled"}),
    "shipped": frozenset({"delivered"}),
    "delivered": frozenset(),
    "cancelled": frozenset(),
}
SupplierOrderEvent: TypeAlias = Literal["requested", "reduced", "parcel_sent", "delivered"]
"""Cause of a supplier order's version: the payment, a refund of unsent units, a parcel, or the delivery."""
MAX_PARCELS: Final = 20


class Parcel(msgspec.Struct, frozen=True, array_like=True):
    """One parcel that a supplier reported. `event_id` is the supplier's: a repeat adds nothing. Stored as an array: do
    not move its fields."""

    event_id: str
    carrier: str
    tracking_no: str
    at: datetime


class SupplierLine(msgspec.Struct, frozen=True, array_like=True):
    """One supplier's units of a SKU: `units` less the `cancelled` ones, refunded before they were sent. Stored as an
    array: do not move its fields."""

    sku: str
    name: str
    units: int
    cancelled: int = 0


class SupplierOrder(msgspec.Struct, frozen=True):
    """One supplier's part of a paid order."""

    supplier_id: str
    order_id: str
    status: SupplierOrderStatus
    lines: tuple[SupplierLine, ...]
    receiver: Receiver
    created_at: datetime
    last_event: SupplierOrderEvent = "requested"
    parcels: tuple[Parcel, ...] = ()
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    reduced_at: datetime | None = None
    """When a refund last cancelled units of it."""
    version: int = 1

    def find_parcel(self, carrier: str, tracking_no: str) -> Parcel | None:
        """The parcel of this carrier and number, compared without regard to case, blanks, hyphens and width."""
        named = _code(carrier), _code(tracking_no)
        return next((each for each in self.parcels if (_code(each.carrier), _code(each.tracking_no)) == named), None)


def _code(text: str) -> str:
    """A carrier's name or number, as one says it."""
    return "".join(letter for letter in narrow(text).casefold() if letter not in " -_.")
