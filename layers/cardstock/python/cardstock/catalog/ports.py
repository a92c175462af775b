"""What the verbs of the catalogue need from outside."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from cardstock.catalog.model import Draft, Listing, Product
from cardstock.ids import RequestKey


class Products(Protocol):
    """Products and their stock."""

    def find_product(self, sku: str) -> Product | None:
        """The product, if it exists; read consistently."""

    def products_by_sku(self, skus: Iterable[str], /) -> dict[str, Product]:
        """Those of `skus` that exist, at most 100. One call."""

    def list_products(self, limit: int, after: str | None) -> tuple[Sequence[Product], str | None]:
        """Up to `limit` products behind the SKU `after`, in no meaningful order and without drafts, and the SKU behind
        which the next page starts; None on the last page."""

    def products_of_supplier(
        self, supplier_id: str, limit: int, after: str | None
    ) -> tuple[Sequence[Product], str | None]:
        """A page of one supplier's products, without drafts. Reads an index: a new product may appear late."""

    def every_product(
        self, supplier_id: str | None, limit: int, after: str | None
    ) -> tuple[Sequence[Product], str | None]:
        """A page of all products of a supplier or of all suppliers (None), drafts too, as the lists above."""

    def publish_listings(self, listings: Sequence[Listing], at: datetime) -> None:
        """Create or replace up to 100 different products, all or none. Existing stock stays as it is. A draft of
        another supplier is replaced, its stock too.

        Raises `ConflictError` SKU_TAKEN with the SKUs that another supplier's published products have.
        """

    def store_draft(self, draft: Draft, at: datetime) -> None:
        """Create a product without price that is not for sale, or rename one. Existing stock stays as it is.

        Raises `ConflictError` SKU_TAKEN for another supplier's SKU, PRODUCT_PUBLISHED for one with a price.
        """

    def add_stock(self, sku: str, units: int, request: RequestKey, at: datetime) -> bool:
        """Add `units`, or remove them (below zero), once per `request`; False for a repeat.

        Raises `NotFoundError`, or `ConflictError` STOCK_SHORT if fewer units are there than are removed.
        """

    def count_stock(self, supplier_id: str, sku: str, on_shelf: int, version: int, at: datetime) -> bool:
        """Set the stock to what is on the shelf less what is held, unless this or a later count was applied (False).

        Raises `NotFoundError` for a SKU that is not this supplier's.
        """
