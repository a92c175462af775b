"""API keys, suppliers and supplier orders as JSON."""

from __future__ import annotations  # evaluated only for what is decoded: the import stays cheap

from typing import Annotated

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import ArticleNumber, KeyId, Moment, NextCursor, OrderId, SupplierId
from cardstock.edge.http import LINE, Model
from cardstock.orders.model import SupplierOrder, SupplierOrderStatus
from cardstock.partners.model import SCOPES, SUPPLIER_SCOPES, ApiKey, Supplier

_SCOPES = f"Of: {', '.join(sorted(SCOPES))}. A supplier's key: {', '.join(sorted(SUPPLIER_SCOPES))}."


KeyOwnerId = Annotated[
    str,
    Meta(
        description="Whose key it is: an active person of the staff (`stf_...`), or a supplier (`sup_...`).",
        examples=["stf_01kbdx9q7r5t3v1w8y6z4a2c0e"],
    ),
]


class CreateKey(Model):
    """Whose key it is, and what it may do."""

    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            pattern=LINE,
            examples=["Finance console"],
            description="What the key is for.",
        ),
    ]
    owner: KeyOwnerId
    scopes: Annotated[
        list[str],
        Meta(min_length=1, max_length=16, description=_SCOPES, examples=[["payouts:read", "payouts:approve"]]),
    ]


class CreatedKey(Model):
    """A new key with its credential."""

    key_id: Annotated[KeyId, Meta(description="Names the key when it is revoked; not the credential.")]
    key: Annotated[
        str | None,
        Meta(
            description="Bearer credential, shown once; null when the request is repeated.",
            examples=["csk_01kbdxdh50fcazdjhcnqh2rzv5_Zb8kTq3mX1n5r7u9w2y4A6C8E0gJ2kL4"],
        ),
    ]
    name: Annotated[str, Meta(description="What the key is for.", examples=["Finance console"])]
    owner: KeyOwnerId
    scopes: Annotated[
        list[str], Meta(description="What the key may do.", examples=[["payouts:read", "payouts:approve"]])
    ]
    created_at: Annotated[Moment, Meta(description="When the key was made.")]


class StoredKey(Model):
    """A key without its credential."""

    key_id: Annotated[KeyId, Meta(description="Names the key when it is revoked; not the credential.")]
    name: Annotated[str, Meta(description="What the key is for.", examples=["ERP of Ningbo Textiles"])]
    owner: Annotated[
        str, Meta(description="Whose key it is: a person of the staff, or a supplier.", examples=["sup_lights"])
    ]
    scopes: Annotated[
        list[str], Meta(description="What the key may do.", examples=[["orders:fulfil", "webhooks:write"]])
    ]
    active: Annotated[bool, Meta(description="Whether it is good; false once revoked.")]
    created_at: Annotated[Moment, Meta(description="When the key was made.")]


class KeyList(Model):
    """Keys, without their credentials."""

    items: Annotated[list[StoredKey], Meta(description="Keys, without their credentials.")]
    next_cursor: NextCursor


class KeyPage(PageQuery, kw_only=True):
    """Whose keys, and which part of the list."""

    owner: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            description="Whose keys: a person of the staff, or a supplier.",
            examples=["stf_01kbdx9q7r5t3v1w8y6z4a2c0e"],
        ),
    ]


class PutSupplier(Model):
    """A supplier's name."""

    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            pattern=LINE,
            examples=["宁波织物有限公司"],
            description="The supplier's name for people.",
        ),
    ]


class StoredSupplier(Model):
    """A supplier, and where it reports."""

    supplier_id: Annotated[SupplierId, Meta(description="Names the supplier in products, orders and keys.")]
    name: Annotated[str, Meta(description="The supplier's name for people.", examples=["宁波织物有限公司"])]
    inbox_secret: Annotated[
        str | None,
        Meta(
            description="Signs the supplier's reports to us; shown when it is made, otherwise null.",
            examples=["whsec_Zb8kTq3mX1n5r7u9w2y4A6C8E0gJ2kL4"],
        ),
    ]
    inbox_url: Annotated[
        str, Meta(description="Path that takes the supplier's reports.", examples=["/v1/inbox/sup_lights"])
    ]
    created_at: Annotated[Moment, Meta(description="When the supplier was created.")]


class Wanted(Model):
    """What to send of one SKU."""

    sku: ArticleNumber
    name: Annotated[
        str,
        Meta(description="Name of the product when it was quoted.", examples=["WHITE HANGING HEART T-LIGHT HOLDER"]),
    ]
    units: Annotated[int, Meta(description="Units to send.", examples=[6])]


class StoredSupplierOrder(Model):
    """One supplier's part of a paid order."""

    order_id: OrderId
    status: Annotated[SupplierOrderStatus, Meta(description="How far this part is.")]
    lines: Annotated[list[Wanted], Meta(description="What to send; what was refunded before it left is not in it.")]
    receiver_name: Annotated[str, Meta(description="Who takes the goods.", examples=["王小明"])]
    receiver_phone: Annotated[str, Meta(description="Telephone number for the carrier.", examples=["13800138000"])]
    receiver_address: Annotated[str, Meta(description="Where the goods go.", examples=["上海市静安区南京西路1266号"])]
    created_at: Annotated[Moment, Meta(description="When the order was placed.")]
    shipped_at: Annotated[Moment | None, Meta(description="When everything had left; null before.")]


class SupplierOrderList(Model):
    """Supplier orders in the order in which they were placed. An order enters the list when it is paid, which may be
    after later ones: to learn of new orders, let `fulfilment.requested` come, or fetch it."""

    items: Annotated[
        list[StoredSupplierOrder], Meta(description="Supplier orders, in the sequence in which they were placed.")
    ]
    next_cursor: NextCursor


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
