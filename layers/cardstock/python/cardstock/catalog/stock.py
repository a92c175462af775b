"""Stock: units that arrive, and a supplier's counts."""

import msgspec

from cardstock import clock
from cardstock.catalog.model import Product
from cardstock.catalog.ports import Products
from cardstock.catalog.publishing import STAFF, find_product
from cardstock.errors import NOT_FOUND
from cardstock.ids import RequestKey


class StockedProduct(msgspec.Struct, frozen=True):
    """A product after its stock was changed, and whether an earlier run of the same request changed it."""

    product: Product
    replayed: bool


def add_stock(sku: str, units: int, request: RequestKey, *, acting_for: str, products: Products) -> StockedProduct:
    """Add units to the stock, or remove them (below zero); once per `request`.

    `acting_for` is a supplier id, or `STAFF`. Raises `NotFoundError` (also for another supplier's SKU), `ConflictError`
    STOCK_SHORT.
    """
    if acting_for not in (STAFF, find_product(sku, products=products).supplier_id):
        raise NOT_FOUND()
    added = products.add_stock(sku, units, request, clock.now())
    return StockedProduct(find_product(sku, products=products), replayed=not added)


def count_stock(supplier_id: str, sku: str, on_shelf: int, version: int, *, products: Products) -> bool:
    """Set the stock by a supplier's count of `on_shelf` units, which include unsent units of orders. False, and nothing
    changes, if a count of this or a later version was applied.

    The stock is the count less what is held; it may be below zero, and then nothing is sold. Raises `NotFoundError` for
    a SKU that is not this supplier's.
    """
    return products.count_stock(supplier_id, sku, on_shelf, version, clock.now())
