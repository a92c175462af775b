"""Products and SKUs as JSON for headquarters."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from typing import Annotated, Self

from msgspec import Meta

from cardstock.catalog.listing import VariantState, state_of
from cardstock.catalog.model import Variant
from cardstock.catalog.page_schemas import ProductQuery
from cardstock.catalog.product_model import ProductPage, ProductState
from cardstock.catalog.schemas import ProductContent, PublishedProduct, VariantData, content_of
from cardstock.clock import rfc3339
from cardstock.edge.fields import (
    ArticleName,
    ArticleNumber,
    Currency,
    Earns,
    Moment,
    NextCursor,
    ProductId,
    Qualifying,
    SupplierId,
)
from cardstock.edge.http import Model
from cardstock.money import CURRENCY


class StaffProductQuery(ProductQuery, kw_only=True):
    """Which products, and where in the list."""

    state: Annotated[ProductState | None, Meta(description="Only those in this state.", examples=["archived"])] = None


class SkuQuery(ProductQuery, kw_only=True):
    """Which SKUs, and where in the list."""

    state: Annotated[
        VariantState | None,
        Meta(description="Only drafts, only those for sale, or only the others.", examples=["draft"]),
    ] = None


class StaffProduct(PublishedProduct, kw_only=True):
    """A product as it was published, in both languages: with its changes it can be sent again."""

    revision: Annotated[
        int, Meta(description="How often it was changed; 0: it was published before there were pages.", examples=[3])
    ]
    updated_at: Annotated[Moment, Meta(description="When it was last published.")]

    @classmethod
    def of(cls, page: ProductPage) -> Self:
        """A product for staff."""
        product, content = page.product, content_of(page.product)
        return cls(
            product_id=product.product_id,
            supplier_id=product.supplier_id,
            variants=[
                VariantData(
                    sku=terms.sku,
                    price_fen=terms.price_fen,
                    choice=[value.zh for value in product.values_of(terms)],
                    list_price_fen=terms.list_price_fen,
                    weight_g=terms.weight_g,
                    freight_template=terms.freight_template or None,
                    qualifying=terms.qualifying,
                    earns=terms.earns,
                )
                for terms in product.variants
            ],
            state=product.state,
            on_sale_from=product.on_sale_from,
            **{name: getattr(content, name) for name in ProductContent.__struct_fields__},
            revision=page.revision,
            updated_at=rfc3339(page.card.updated_at),
        )


class StaffSku(Model):
    """A SKU as headquarters sees it."""

    sku: ArticleNumber
    product_id: ProductId
    name: Annotated[ArticleName, Meta(description="Name of the SKU: title and option values.")]
    supplier_id: SupplierId
    state: Annotated[
        VariantState,
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
    def of(cls, variant: Variant) -> Self:
        """A SKU for staff."""
        return cls(
            sku=variant.sku,
            product_id=variant.shown_in,
            name=variant.name,
            supplier_id=variant.supplier_id,
            state=state_of(variant),
            price_fen=None if variant.is_draft else variant.price_fen,
            currency=CURRENCY,
            qualifying=variant.qualifying,
            earns=variant.earns,
            stock=variant.stock,
            held=variant.held,
            inventory_version=None if variant.inventory_version < 0 else variant.inventory_version,
            weight_g=variant.weight_g,
            freight_template=variant.freight_template or None,
            updated_at=rfc3339(variant.updated_at),
        )


class StaffSkus(Model):
    """Some SKUs, in no particular order."""

    items: Annotated[list[StaffSku], Meta(description="SKUs of this page.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, variants: Sequence[Variant], next_cursor: str | None) -> Self:
        """A page of SKUs."""
        return cls([StaffSku.of(variant) for variant in variants], next_cursor)
