"""Types of changes: what a step stores all or nothing, and what a stream says of it."""

from typing import Any, Literal, TypeAlias

import msgspec

from cardstock.money import Fen
from cardstock.orders.agreement_model import Agreement
from cardstock.orders.model import Order, OrderStatus
from cardstock.orders.refund_model import Refund, RefundStatus
from cardstock.orders.supplier_model import SupplierOrder


class StockChange(msgspec.Struct, frozen=True):
    """A change of one SKU's units for sale (`stock`) and of those reserved or sold but not sent (`held`)."""

    sku: str
    stock: int
    held: int


FindingKind: TypeAlias = Literal[
    "payment_unknown",
    "payment_mismatch",
    "payment_undecided",
    "refund_refused",
    "refund_waits",
    "refund_mismatch",
    "refund_asked",
    "units_set_aside",
    "shipping_refused",
    "shipping_reminded",
    "funds_mismatch",
    "agreement_not_ended",
]


class Finding(msgspec.Struct, frozen=True):
    """Something that a channel has stated and signed and that no record of an order can take, or that it does not state
    for too long, or units that nobody sends or refunds: people must clear it.

    `cause` is the same for every repeat. Amount and currency are the channel's.
    """

    kind: FindingKind
    cause: str
    subject: str
    amount_fen: Fen
    currency: str
    member_id: str
    facts: dict[str, str]


class Step(msgspec.Struct, frozen=True):
    """Changes that are stored all or nothing.

    Each record replaces the one whose `version` is lower by one; a record of version 1 must be new (a new order is only
    stored by placing it).
    """

    orders: tuple[Order, ...] = ()
    refunds: tuple[Refund, ...] = ()
    supplier_orders: tuple[SupplierOrder, ...] = ()
    stock: tuple[StockChange, ...] = ()
    freed_coupons: tuple[tuple[str, str], ...] = ()
    """Coupons that can be used again, each with the id of the order placed with it."""
    findings: tuple[Finding, ...] = ()
    """Open items that must be new."""
    agreements: tuple[Agreement, ...] = ()
    """Payment agreements, each to replace the one whose version is lower by one."""
    changed_items: tuple[Any, ...] = ()
    """Open items, as their area has them, each to replace the one whose version is lower by one."""


class OrderChange(msgspec.Struct, frozen=True):
    """One change of an order. `previous` is the status before; None for a new order, equal if only amounts changed."""

    event_id: str
    order: Order
    previous: OrderStatus | None


class RefundChange(msgspec.Struct, frozen=True):
    """One change of a refund. Only refunds that are `part_of_order` change rewards and roles."""

    event_id: str
    refund: Refund
    previous: RefundStatus | None


class SupplierOrderChange(msgspec.Struct, frozen=True):
    """One change of a supplier order; `last_event` is its cause."""

    event_id: str
    supplier_order: SupplierOrder
