"""What can be done to the catalogue."""

from collections.abc import Sequence

from cardstock.catalog import errors
from cardstock.catalog.model import MAX_BATCH, SKU, Listing, Product
from cardstock.catalog.ports import Products
from cardstock.clock import Clock
from cardstock.errors import BODY_INVALID, NOT_FOUND, Pointer
from cardstock.ids import RequestKey

STAFF = "staff"


def find_product(sku: str, *, products: Products) -> Product:
    """One product. Raises `NotFoundError`."""
    product = products.find(sku) if SKU.fullmatch(sku) else None
    if product is None:
        raise NOT_FOUND()
    return product


def publish(listings: Sequence[Listing], *, acting_for: str, products: Products, clock: Clock) -> None:
    """Create or replace products, all or none. A repeat ends in the same state.

    `acting_for` is a supplier id, or `staff` for all of them. Raises `NotFoundError` when a supplier names another,
    `InvalidError` for a SKU given twice or not written as one, `ConflictError` SKU_TAKEN.
    """
    if acting_for != STAFF and any(listing.supplier_id != acting_for for listing in listings):
        raise NOT_FOUND()
    if len({listing.sku for listing in listings}) != len(listings) or len(listings) > MAX_BATCH:
        raise BODY_INVALID(pointers=(Pointer("/products", "DUPLICATE"),))
    wrong = [listing.sku for listing in listings if not SKU.fullmatch(listing.sku)]
    if wrong:
        raise errors.SKU_INVALID(skus=wrong)
    products.publish(listings, clock.now())


def add_stock(
    sku: str, units: int, request: RequestKey, *, acting_for: str, products: Products, clock: Clock
) -> tuple[Product, bool]:
    """Add units to what can be sold, or take them away; once per `request`. Gives the product and whether this was a
    repeat.

    Raises `NotFoundError` (also for another supplier's SKU), `ConflictError` STOCK_SHORT.
    """
    if acting_for not in (STAFF, find_product(sku, products=products).supplier_id):
        raise NOT_FOUND()
    done = products.add_stock(sku, units, request, clock.now())
    return find_product(sku, products=products), not done


def count_stock(supplier_id: str, sku: str, on_shelf: int, version: int, *, products: Products, clock: Clock) -> bool:
    """A supplier counted `on_shelf` units, those not yet sent for our orders included. False: a later count was known
    already and this one changes nothing.

    What can be sold is the count less what is held for orders; it may be below zero, then nothing is sold. Raises
    `NotFoundError` for a SKU that is not this supplier's.
    """
    return products.count_stock(supplier_id, sku, on_shelf, version, clock.now())
