"""Stock: units that arrive, and a supplier's counts."""

from typing import Final

import msgspec

from cardstock import clock
from cardstock.catalog.model import SKU, Variant
from cardstock.catalog.ports import Variants
from cardstock.errors import NOT_FOUND
from cardstock.ids import RequestKey

STAFF: Final = "staff"
"""Acts for every supplier."""


class StockedVariant(msgspec.Struct, frozen=True):
    """A SKU after its stock was changed, and whether an earlier run of the same request changed it."""

    variant: Variant
    replayed: bool


def find_variant(sku: str, *, variants: Variants) -> Variant:
    """The SKU, also one of a draft. Raises `NotFoundError`. A malformed SKU costs no read."""
    variant = variants.find_variant(sku) if SKU.fullmatch(sku) else None
    if variant is None:
        raise NOT_FOUND()
    return variant


def add_stock(sku: str, units: int, request: RequestKey, *, acting_for: str, variants: Variants) -> StockedVariant:
    """Add units to the stock, or remove them (below zero); once per `request`.

    `acting_for` is a supplier id, or `STAFF`. Raises `NotFoundError` (also for another supplier's SKU), `ConflictError`
    STOCK_SHORT.
    """
    if acting_for not in (STAFF, find_variant(sku, variants=variants).supplier_id):
        raise NOT_FOUND()
    added = variants.add_stock(sku, units, request, clock.now())
    return StockedVariant(find_variant(sku, variants=variants), replayed=not added)


def count_stock(supplier_id: str, sku: str, on_shelf: int, version: int, *, variants: Variants) -> bool:
    """Set the stock by a supplier's count of `on_shelf` units, which include unsent units of orders. False, and nothing
    changes, if a count of this or a later version was applied.

    The stock is the count less what is held; it may be below zero, and then nothing is sold. Raises `NotFoundError` for
    a SKU that is not this supplier's.
    """
    return variants.count_stock(supplier_id, sku, on_shelf, version, clock.now())
