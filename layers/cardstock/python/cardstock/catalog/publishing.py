"""Publishing products and reading them."""

from collections.abc import Sequence
from typing import Final

from cardstock import clock
from cardstock.catalog import errors
from cardstock.catalog.model import MAX_BATCH, SKU, Listing, Product
from cardstock.catalog.ports import Products
from cardstock.errors import BODY_INVALID, NOT_FOUND, Pointer

STAFF: Final = "staff"
"""Acts for every supplier."""


def find_product(sku: str, *, products: Products) -> Product:
    """The product. Raises `NotFoundError`. A malformed SKU costs no read."""
    product = products.find_product(sku) if SKU.fullmatch(sku) else None
    if product is None:
        raise NOT_FOUND()
    return product


def publish(listings: Sequence[Listing], *, acting_for: str, products: Products) -> None:
    """Create or replace products, all or none. A repeat changes nothing.

    `acting_for` is a supplier id, or `STAFF`. Raises `NotFoundError` if a supplier names another supplier,
    `InvalidError` for a repeated SKU, more than 100 listings or a malformed SKU, `ConflictError` SKU_TAKEN.
    """
    if acting_for != STAFF and any(listing.supplier_id != acting_for for listing in listings):
        raise NOT_FOUND()
    if len({listing.sku for listing in listings}) != len(listings) or len(listings) > MAX_BATCH:
        raise BODY_INVALID(pointers=(Pointer("/products", "DUPLICATE"),))
    malformed = [listing.sku for listing in listings if not SKU.fullmatch(listing.sku)]
    if malformed:
        raise errors.SKU_INVALID(skus=malformed)
    products.publish_listings(listings, clock.now())
