"""API keys, suppliers and supplier orders as JSON."""

from typing import Annotated

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.http import LINE, Model
from cardstock.orders.model import SupplierOrder, SupplierOrderStatus
from cardstock.partners.model import SCOPES, SUPPLIER_SCOPES, ApiKey, Supplier

_SCOPES = f"Of: {', '.join(sorted(SCOPES))}. A supplier's key: {', '.join(sorted(SUPPLIER_SCOPES))}."


class CreateKey(Model):
    """Who gets a key, and what it may do.

    What stands before the first comma of `name` is the person: where two people are needed, two keys of one name are
    not two.
    """

    name: Annotated[str, Meta(min_length=1, max_length=64, pattern=LINE, examples=["Li Na, finance"])]
    owner: Annotated[str, Meta(description="`staff` or a supplier id", examples=["staff"])]
    scopes: Annotated[
        list[str],
        Meta(min_length=1, max_length=16, description=_SCOPES, examples=[["payouts:read", "payouts:approve"]]),
    ]


class CreatedKey(Model):
    """The key. `key` is the bearer credential; it is shown once and null when the request is repeated."""

    key_id: str
    key: str | None
    name: str
    owner: str
    scopes: list[str]
    created_at: str


class StoredKey(Model):
    """A key without its credential."""

    key_id: str
    name: str
    owner: str
    scopes: list[str]
    active: bool
    created_at: str


class KeyList(Model):
    """Keys, without their credentials; revoked ones are not `active`."""

    items: list[StoredKey]
    next_cursor: str | None


class KeyPage(PageQuery):
    """Whose keys, and which part of the list."""

    owner: Annotated[str, Meta(min_length=1, max_length=64, description="`staff` or a supplier id")] = "staff"


class PutSupplier(Model):
    """A supplier's name."""

    name: Annotated[str, Meta(min_length=1, max_length=64, pattern=LINE, examples=["宁波织物有限公司"])]


class StoredSupplier(Model):
    """The supplier. `inbox_secret` signs its webhooks to us; shown when it is made, otherwise null."""

    supplier_id: str
    name: str
    inbox_secret: str | None
    inbox_url: str
    created_at: str


class Wanted(Model):
    """What to send of one SKU."""

    sku: str
    name: str
    units: int


class StoredSupplierOrder(Model):
    """One supplier's part of a paid order. `lines` leave out what was refunded before it left."""

    order_id: str
    status: SupplierOrderStatus
    lines: list[Wanted]
    receiver_name: str
    receiver_phone: str
    receiver_address: str
    created_at: str
    shipped_at: str | None


class SupplierOrderList(Model):
    """Supplier orders in the order in which they were placed. An order enters the list when it is paid, which may be
    after later ones: to learn of new orders, let `fulfilment.requested` come, or fetch it."""

    items: list[StoredSupplierOrder]
    next_cursor: str | None


def listed(key: ApiKey) -> StoredKey:
    """`key` for whoever manages keys."""
    return StoredKey(key.key_id, key.name, key.owner, sorted(key.scopes), key.active, rfc3339(key.created_at))


def supplied(supplier: Supplier, secret: str | None) -> StoredSupplier:
    """`supplier` for staff; `secret` when it is new."""
    inbox = f"/v1/inbox/{supplier.supplier_id}"
    return StoredSupplier(supplier.supplier_id, supplier.name, secret, inbox, rfc3339(supplier.created_at))


def shown(part: SupplierOrder) -> StoredSupplierOrder:
    """`part` for its supplier."""
    lines = [Wanted(line.sku, line.name, line.units - line.cancelled) for line in part.lines]
    return StoredSupplierOrder(
        part.order_id,
        part.status,
        [line for line in lines if line.units],
        part.receiver.name,
        part.receiver.phone,
        part.receiver.address,
        rfc3339(part.created_at),
        rfc3339(part.shipped_at) if part.shipped_at else None,
    )
