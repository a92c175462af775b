"""Products as JSON for headquarters."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from typing import Annotated, Self

from msgspec import Meta

from cardstock.catalog.listing import ProductState, state_of
from cardstock.catalog.model import Product
from cardstock.catalog.schemas import ProductQuery
from cardstock.clock import rfc3339
from cardstock.edge.fields import (
    ArticleName,
    ArticleNumber,
    Currency,
    Earns,
    Moment,
    NextCursor,
    Qualifying,
    SupplierId,
)
from cardstock.edge.http import Model
from cardstock.money import CURRENCY


class StaffProductQuery(ProductQuery, kw_only=True):
    """Which products, and where in the list."""

    state: Annotated[
        ProductState | None,
        Meta(description="Only drafts, only those for sale, or only the others.", examples=["draft"]),
    ] = None


class StaffProduct(Model):
    """A product as headquarters sees it."""

    sku: ArticleNumber
    name: Annotated[ArticleName, Meta(description="Name of the product.")]
    supplier_id: SupplierId
    state: Annotated[
        ProductState,
        Meta(description="`draft` until staff publish it; then `active` while it is for sale.", examples=["draft"]),
    ]
    price_fen: Annotated[int | None, Meta(description="Price of one unit in fen; null of a draft.", examples=[25500])]
    currency: Currency
    qualifying: Qualifying
    earns: Earns
    stock: Annotated[
        int,
        Meta(description="Units that can be sold now; below zero if fewer are left than were sold.", examples=[976]),
    ]
    held: Annotated[int, Meta(description="Units reserved or sold, and not sent.", examples=[24])]
    inventory_version: Annotated[
        int | None, Meta(description="Version of the supplier's last count; null before the first.", examples=[17])
    ]
    weight_g: Annotated[
        int | None, Meta(description="Grams of one unit when it is sent; null if unknown.", examples=[350])
    ]
    freight_template: Annotated[
        str | None, Meta(description="Freight template that it follows; null: the default one.", examples=["heavy"])
    ]
    updated_at: Annotated[Moment, Meta(description="When its terms or its stock last changed.")]

    @classmethod
    def of(cls, product: Product) -> Self:
        """A product for staff."""
        return cls(
            sku=product.sku,
            name=product.name,
            supplier_id=product.supplier_id,
            state=state_of(product),
            price_fen=None if product.is_draft else product.price_fen,
            currency=CURRENCY,
            qualifying=product.qualifying,
            earns=product.earns,
            stock=product.stock,
            held=product.held,
            inventory_version=None if product.inventory_version < 0 else product.inventory_version,
            weight_g=product.weight_g,
            freight_template=product.freight_template or None,
            updated_at=rfc3339(product.updated_at),
        )


class StaffProducts(Model):
    """Some products, in no particular order."""

    items: Annotated[list[StaffProduct], Meta(description="Products of this page.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, products: Sequence[Product], next_cursor: str | None) -> Self:
        """A page of products."""
        return cls([StaffProduct.of(product) for product in products], next_cursor)
