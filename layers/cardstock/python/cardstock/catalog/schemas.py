"""Products as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from typing import Annotated, Self

from msgspec import Meta

from cardstock.catalog.model import MAX_BATCH, MAX_STOCK, MAX_WEIGHT_G, Draft, Listing, Product
from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import ArticleNumber, Currency, Earns, NextCursor, Qualifying, Sku, SupplierId, TemplateId
from cardstock.edge.http import LINE, Model
from cardstock.money import CURRENCY

PriceFen = Annotated[int, Meta(ge=1, le=10**9, description="Price of one unit in fen.", examples=[25500])]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=LINE, examples=["WHITE HANGING HEART T-LIGHT HOLDER"])]
WeightG = Annotated[
    int,
    Meta(ge=1, le=MAX_WEIGHT_G, description="Grams of one unit when it is sent; absent if unknown.", examples=[350]),
]
Active = Annotated[bool, Meta(description="Whether it is for sale now.")]

InitialStock = Annotated[
    int, Meta(ge=0, le=MAX_STOCK, description="Initial stock; ignored if the SKU exists.", examples=[1000])
]


class ProductTerms(Model):
    """What is for sale, from whom, at what price."""

    name: Annotated[Name, Meta(description="Name of the product for buyers.")]
    supplier_id: SupplierId
    price_fen: PriceFen
    qualifying: Qualifying = False
    earns: Earns = True
    active: Active = True
    initial_stock: InitialStock = 0
    weight_g: WeightG | None = None
    freight_template: TemplateId | None = None

    def listing(self, sku: str) -> Listing:
        """The listing of `sku` on these terms."""
        return Listing(
            sku=sku,
            name=self.name,
            supplier_id=self.supplier_id,
            price_fen=self.price_fen,
            qualifying=self.qualifying,
            earns=self.earns,
            active=self.active,
            initial_stock=self.initial_stock,
            weight_g=self.weight_g,
            freight_template=self.freight_template or "",
        )


class PublishedProduct(ProductTerms, kw_only=True):
    """The same with its SKU."""

    sku: Sku


class PublishProducts(Model):
    """Up to 100 products, published together or not at all."""

    products: Annotated[
        list[PublishedProduct],
        Meta(min_length=1, max_length=MAX_BATCH, description="Products to publish, each SKU once."),
    ]


class ProductDraft(Model):
    """What a supplier says of a product that staff have not published."""

    name: Annotated[Name, Meta(description="Name of the product; staff decide what buyers read.")]
    initial_stock: InitialStock = 0

    def draft(self, sku: str, supplier_id: str) -> Draft:
        """The draft of `sku`."""
        return Draft(sku, self.name, supplier_id, self.initial_stock)


class DraftView(Model):
    """A product that staff have not published: it has no price, and buyers do not see it."""

    sku: ArticleNumber
    name: Annotated[Name, Meta(description="Name of the product; staff decide what buyers read.")]
    supplier_id: SupplierId
    stock: Annotated[int, Meta(ge=0, examples=[1000], description="Units that can be sold once it is published.")]
    updated_at: Annotated[
        str, Meta(examples=["2026-12-01T08:26:00.000Z"], description="When the draft or its stock last changed.")
    ]

    @classmethod
    def of(cls, product: Product) -> Self:
        """A draft as staff and its supplier see it."""
        return cls(
            sku=product.sku,
            name=product.name,
            supplier_id=product.supplier_id,
            stock=max(0, product.stock),
            updated_at=rfc3339(product.updated_at),
        )


class AddStock(Model):
    """Units that arrived, or below zero units that are gone."""

    add: Annotated[
        int,
        Meta(ge=-MAX_STOCK, le=MAX_STOCK, examples=[24], description="Units to add; below zero: to remove."),
    ]


class ProductView(Model):
    """One product."""

    sku: ArticleNumber
    name: Annotated[Name, Meta(description="Name of the product for buyers.")]
    supplier_id: SupplierId
    price_fen: PriceFen
    currency: Currency
    qualifying: Qualifying
    earns: Earns
    active: Active
    stock: Annotated[int, Meta(ge=0, examples=[976], description="Units that can be sold now.")]
    updated_at: Annotated[
        str, Meta(examples=["2026-12-01T08:26:00.000Z"], description="When its terms or its stock last changed.")
    ]

    @classmethod
    def of(cls, product: Product) -> Self:
        """A product as clients see it: a stock below zero is none."""
        return cls(
            sku=product.sku,
            name=product.name,
            supplier_id=product.supplier_id,
            price_fen=product.price_fen,
            currency=CURRENCY,
            qualifying=product.qualifying,
            earns=product.earns,
            active=product.active,
            stock=max(0, product.stock),
            updated_at=rfc3339(product.updated_at),
        )


class ProductPage(Model):
    """Some products."""

    items: Annotated[list[ProductView], Meta(description="Products of this page.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, products: Sequence[Product], next_cursor: str | None) -> Self:
        """A page of products."""
        return cls([ProductView.of(product) for product in products], next_cursor)


class ProductQuery(PageQuery):
    """Where in the list, and whose products."""

    supplier_id: Annotated[SupplierId | None, Meta(description="Only products of this supplier. Absent: of all.")] = (
        None
    )


class PublishedProducts(Model):
    """The SKUs that are now as they were sent."""

    skus: Annotated[list[str], Meta(description="Article numbers that were published.", examples=[["85123A"]])]
