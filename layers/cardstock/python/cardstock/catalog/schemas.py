"""What is said about products as JSON."""

from typing import Annotated

from msgspec import Meta

from cardstock.catalog.model import MAX_BATCH, MAX_STOCK, SKU, Listing, Product
from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.http import LINE, Model

Sku = Annotated[
    str,
    Meta(pattern=f"^{SKU.pattern}$", description="Article number.", examples=["85123A"]),
]
SupplierId = Annotated[str, Meta(pattern=r"^sup_[0-9a-z]{1,26}$", examples=["sup_lights"])]
PriceFen = Annotated[int, Meta(ge=1, le=10**9, description="Price of one unit in fen.", examples=[25500])]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=LINE, examples=["WHITE HANGING HEART T-LIGHT HOLDER"])]


class ProductTerms(Model):
    """What is for sale, from whom, at what price."""

    name: Name
    supplier_id: SupplierId
    price_fen: PriceFen
    qualifying: bool = False
    earns: bool = True
    active: bool = True
    initial_stock: Annotated[
        int, Meta(ge=0, le=MAX_STOCK, description="Units to start with; ignored when the SKU exists.", examples=[1000])
    ] = 0


class PublishedProduct(ProductTerms, kw_only=True):
    """The same with its SKU."""

    sku: Sku


class PublishProducts(Model):
    """Up to 100 products, published together or not at all."""

    products: Annotated[list[PublishedProduct], Meta(min_length=1, max_length=MAX_BATCH)]


class AddStock(Model):
    """Units that arrived, or below zero units that are gone."""

    add: Annotated[int, Meta(ge=-MAX_STOCK, le=MAX_STOCK, examples=[24])]


class ProductView(Model):
    """One product. `stock` is what can be sold now."""

    sku: Annotated[str, Meta(examples=["85123A"])]
    name: Name
    supplier_id: SupplierId
    price_fen: PriceFen
    currency: Annotated[str, Meta(examples=["CNY"])]
    qualifying: bool
    earns: bool
    active: bool
    stock: Annotated[int, Meta(ge=0, examples=[976])]
    updated_at: Annotated[str, Meta(examples=["2026-12-01T08:26:00.000Z"])]


class ProductPage(Model):
    """Some products; `next_cursor` is null on the last page."""

    items: list[ProductView]
    next_cursor: str | None


class ProductQuery(PageQuery):
    """Where in the list, and whose products."""

    supplier_id: SupplierId | None = None


class Published(Model):
    """The SKUs that are now as they were sent."""

    skus: list[str]


def listing(sku: str, terms: ProductTerms) -> Listing:
    """What was sent about `sku`, for the catalogue."""
    return Listing(
        sku=sku,
        name=terms.name,
        supplier_id=terms.supplier_id,
        price_fen=terms.price_fen,
        qualifying=terms.qualifying,
        earns=terms.earns,
        active=terms.active,
        initial_stock=terms.initial_stock,
    )


def told(product: Product) -> ProductView:
    """A product as clients see it."""
    return ProductView(
        sku=product.sku,
        name=product.name,
        supplier_id=product.supplier_id,
        price_fen=product.price_fen,
        currency="CNY",
        qualifying=product.qualifying,
        earns=product.earns,
        active=product.active,
        stock=max(0, product.stock),
        updated_at=rfc3339(product.updated_at),
    )
