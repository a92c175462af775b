"""Products with one SKU each, as most tests need them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from cardstock.catalog import wiring as catalog_wiring
from cardstock.catalog.ports import Products
from cardstock.catalog.product_model import Draft, Product, Publication, VariantTerms, Wording, digest_of
from cardstock.clock import to_epoch_ms

AT_ONCE = 33
"""Products with one SKU that fit into one transaction."""


class Goods(msgspec.Struct, frozen=True):
    """A product with one SKU of the same name."""

    sku: str
    name: str
    supplier_id: str
    price_fen: int
    qualifying: bool
    earns: bool
    active: bool
    initial_stock: int

    def publication(self) -> Publication:
        """What staff publish."""
        terms = VariantTerms(self.sku, self.price_fen, qualifying=self.qualifying, earns=self.earns)
        state = "on_sale" if self.active else "archived"
        product = Product(self.sku, self.supplier_id, Wording(self.name), (terms,), state)  # type: ignore[arg-type]
        return Publication(product, {self.sku: self.initial_stock})


def publish_goods(goods: Sequence[Goods], at: datetime, products: Products | None = None) -> None:
    """Publish goods, those that fit into one transaction together."""
    for start in range(0, len(goods), AT_ONCE):
        batch = [each.publication() for each in goods[start : start + AT_ONCE]]
        (products or catalog_wiring.products()).publish(batch, at)


def draft_of(sku: str, name: str, supplier_id: str, at: datetime, stock: int = 0) -> Draft:
    """A supplier's draft of a product with one SKU."""
    product = Product(sku, supplier_id, Wording(name), (VariantTerms(sku, 0),), "draft")
    publication = Publication(product, {sku: stock} if stock else {})
    return Draft(sku, supplier_id, publication, digest_of(publication), at)


def old_item(sku: str, name: str, supplier_id: str, price_fen: int, at: datetime, stock: int = 0) -> dict[str, Any]:
    """A SKU as release 0.3.0 stored it: no page shows it. Without a price it is a supplier's draft."""
    return {
        "pk": {"S": sku}, "supplier_id": {"S": supplier_id}, "name": {"S": name}, "price_fen": {"N": str(price_fen)},
        "qualifying": {"BOOL": False}, "earns": {"BOOL": True}, "active": {"BOOL": price_fen > 0},
        "stock": {"N": str(stock)}, "held": {"N": "0"}, "inventory_version": {"N": "-1"},
        "updated_at": {"N": str(to_epoch_ms(at))},
    }  # fmt: skip


def terms_of(name: str, supplier_id: str, price_fen: int, initial_stock: int = 0, **more: Any) -> dict[str, Any]:
    """The body of `PUT /v1/products/{product_id}` for a product with one SKU."""
    variant = {"price_fen": price_fen, "initial_stock": initial_stock, **more}
    return {"title": {"zh": name}, "supplier_id": supplier_id, "variants": [variant]}
