"""Publishing products and reading them."""

from collections.abc import Sequence
from typing import Final

from cardstock import clock
from cardstock.catalog import errors
from cardstock.catalog.model import MAX_BATCH, SKU, Draft, Listing, Product
from cardstock.catalog.ports import Products
from cardstock.errors import BODY_INVALID, NOT_FOUND, Pointer

STAFF: Final = "staff"
"""Acts for every supplier."""


def find_product(sku: str, *, products: Products) -> Product:
    """The product, also one that is a draft. Raises `NotFoundError`. A malformed SKU costs no read."""
    product = products.find_product(sku) if SKU.fullmatch(sku) else None
    if product is None:
        raise NOT_FOUND()
    return product


def find_published(sku: str, *, products: Products) -> Product:
    """The product, for anybody. Raises `NotFoundError`, also for a draft."""
    product = find_product(sku, products=products)
    if product.is_draft:
        raise NOT_FOUND()
    return product


def find_draft(sku: str, *, acting_for: str, products: Products) -> Product:
    """The draft, for staff (`STAFF`) and its own supplier. Raises `NotFoundError`, also for a published product."""
    product = find_product(sku, products=products)
    if not product.is_draft or acting_for not in (STAFF, product.supplier_id):
        raise NOT_FOUND()
    return product


def require_staff(acting_for: str) -> None:
    """Refuse a supplier: price, `qualifying`, `earns` and sale are the staff's. Raises `ForbiddenError`."""
    if acting_for != STAFF:
        raise errors.TERMS_FOR_STAFF()


def store_draft(draft: Draft, *, products: Products) -> Product:
    """Create or rename a draft of a supplier: without price, not for sale. A repeat changes nothing.

    Raises `InvalidError` SKU_INVALID, `ConflictError` SKU_TAKEN by another supplier, or PRODUCT_PUBLISHED once staff
    have published it.
    """
    if not SKU.fullmatch(draft.sku):
        raise errors.SKU_INVALID(skus=[draft.sku])
    products.store_draft(draft, clock.now())
    return find_product(draft.sku, products=products)


def publish(listings: Sequence[Listing], *, products: Products) -> None:
    """Create or replace products, drafts of any supplier too, all or none. A repeat changes nothing.

    The caller checks that the suppliers exist. Raises `InvalidError` for a repeated SKU, more than 100 listings or a
    malformed SKU, `ConflictError` SKU_TAKEN.
    """
    if len({listing.sku for listing in listings}) != len(listings) or len(listings) > MAX_BATCH:
        raise BODY_INVALID(pointers=(Pointer("/products", "DUPLICATE"),))
    malformed = [listing.sku for listing in listings if not SKU.fullmatch(listing.sku)]
    if malformed:
        raise errors.SKU_INVALID(skus=malformed)
    products.publish_listings(listings, clock.now())
