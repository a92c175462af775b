"""API keys, suppliers and supplier orders as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import KeyId, Moment, NextCursor, SupplierId
from cardstock.edge.http import LINE, Model
from cardstock.partners.model import SCOPES, SUPPLIER_SCOPES, ApiKey, Supplier

_SCOPES = f"Of: {', '.join(sorted(SCOPES))}. A supplier's key: {', '.join(sorted(SUPPLIER_SCOPES))}."


KeyOwnerId = Annotated[
    str,
    Meta(
        description="Owner of the key: an active person of the staff (`stf_...`), or a supplier (`sup_...`).",
        examples=["stf_01kbdx9q7r5t3v1w8y6z4a2c0e"],
    ),
]


class CreateKey(Model):
    """A key's owner, and its scopes."""

    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            pattern=LINE,
            examples=["Finance console"],
            description="Purpose of the key.",
        ),
    ]
    owner: KeyOwnerId
    scopes: Annotated[
        list[str],
        Meta(min_length=1, max_length=len(SCOPES), description=_SCOPES, examples=[["payouts:read", "payouts:approve"]]),
    ]


class CreatedKey(Model):
    """A new key with its credential."""

    key_id: Annotated[KeyId, Meta(description="Id of the key, for revoking it; not the credential.")]
    key: Annotated[
        str | None,
        Meta(
            description="Bearer credential. Only a repeat of the same request shows it again, for seven days; null if "
            "the first answer was lost.",
            examples=["csk_01kbdxdh50fcazdjhcnqh2rzv5_Zb8kTq3mX1n5r7u9w2y4A6C8E0gJ2kL4"],
        ),
    ]
    name: Annotated[str, Meta(description="Purpose of the key.", examples=["Finance console"])]
    owner: KeyOwnerId
    scopes: Annotated[list[str], Meta(description="Scopes of the key.", examples=[["payouts:read", "payouts:approve"]])]
    created_at: Annotated[Moment, Meta(description="When the key was made.")]

    @classmethod
    def of(cls, key: ApiKey, credential: str | None) -> CreatedKey:
        """`key` for its creator; `credential` only if it is new."""
        return cls(key.key_id, credential, key.name, key.owner, sorted(key.scopes), rfc3339(key.created_at))


class StoredKey(Model):
    """A key without its credential."""

    key_id: Annotated[KeyId, Meta(description="Id of the key, for revoking it; not the credential.")]
    name: Annotated[str, Meta(description="Purpose of the key.", examples=["ERP of Ningbo Textiles"])]
    owner: Annotated[
        str, Meta(description="Owner of the key: a person of the staff, or a supplier.", examples=["sup_lights"])
    ]
    scopes: Annotated[list[str], Meta(description="Scopes of the key.", examples=[["orders:fulfil", "webhooks:write"]])]
    active: Annotated[bool, Meta(description="Whether it is valid; false once revoked.")]
    created_at: Annotated[Moment, Meta(description="When the key was made.")]

    @classmethod
    def of(cls, key: ApiKey) -> StoredKey:
        """`key` without its credential."""
        return cls(key.key_id, key.name, key.owner, sorted(key.scopes), key.active, rfc3339(key.created_at))


class KeyList(Model):
    """Keys, without their credentials."""

    items: Annotated[list[StoredKey], Meta(description="Keys, without their credentials.")]
    next_cursor: NextCursor


class KeyPage(PageQuery, kw_only=True):
    """The owner of the keys, and the part of the list."""

    owner: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            description="Owner of the keys: a person of the staff, or a supplier.",
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
            description="The supplier's name.",
        ),
    ]


class StoredSupplier(Model):
    """A supplier, and the URL for its reports."""

    supplier_id: Annotated[SupplierId, Meta(description="Id of the supplier in products, orders and keys.")]
    name: Annotated[str, Meta(description="The supplier's name.", examples=["宁波织物有限公司"])]
    inbox_secret: Annotated[
        str | None,
        Meta(
            description="Secret that signs the supplier's reports; shown once when it is created, otherwise null.",
            examples=["whsec_Zb8kTq3mX1n5r7u9w2y4A6C8E0gJ2kL4"],
        ),
    ]
    inbox_url: Annotated[str, Meta(description="Path of the supplier's inbox.", examples=["/v1/inbox/sup_lights"])]
    created_at: Annotated[Moment, Meta(description="When the supplier was created.")]

    @classmethod
    def of(cls, supplier: Supplier, secret: str | None) -> StoredSupplier:
        """`supplier` for staff; `secret` only if it is new."""
        inbox = f"/v1/inbox/{supplier.supplier_id}"
        return cls(supplier.supplier_id, supplier.name, secret, inbox, rfc3339(supplier.created_at))
