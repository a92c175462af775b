"""What the catalogue needs from the outside."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from cardstock.catalog.model import Listing, Product
from cardstock.ids import RequestKey


class Products(Protocol):
    """Where products are kept."""

    def find(self, sku: str) -> Product | None:
        """The product, if there is one; read consistently."""

    def find_all(self, skus: Iterable[str]) -> dict[str, Product]:
        """Those of `skus` that exist, at most 100. One call."""

    def page(self, limit: int, after: str | None) -> tuple[Sequence[Product], str | None]:
        """Up to `limit` products behind the SKU `after`, in no order that means anything, and the SKU behind which the
        next page starts; None at the end."""

    def of_supplier(self, supplier_id: str, limit: int, after: str | None) -> tuple[Sequence[Product], str | None]:
        """A page of one supplier's."""

    def publish(self, listings: Sequence[Listing], at: datetime) -> None:
        """Create or replace up to 100 different products, all or none. Stock stays as it is where there is some.

        Raises `ConflictError` SKU_TAKEN naming the SKUs that belong to another supplier.
        """

    def add_stock(self, sku: str, units: int, request: RequestKey, at: datetime) -> bool:
        """Add `units` (or take them away, below zero), once per `request`; False for a repeat.

        Raises `NotFoundError`, or `ConflictError` STOCK_SHORT when there are fewer than are taken away.
        """

    def count_stock(self, supplier_id: str, sku: str, on_shelf: int, version: int, at: datetime) -> bool:
        """Set the stock to what lies on the shelf less what is held, unless a later count was applied (False).

        Raises `NotFoundError` for a SKU that is not this supplier's.
        """
