"""What the verbs of the catalogue need from outside."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from cardstock.catalog.model import Variant
from cardstock.catalog.product_model import Draft, Outcome, PageVersion, ProductCard, ProductPage, Publication
from cardstock.ids import RequestKey


class Variants(Protocol):
    """SKUs and their stock."""

    def find_variant(self, sku: str) -> Variant | None:
        """The SKU, if it exists; read consistently."""

    def variants_by_sku(self, skus: Iterable[str], /) -> dict[str, Variant]:
        """Those of `skus` that exist, at most 100. One call."""

    def list_leading(self, limit: int, after: str | None) -> tuple[Sequence[Variant], str | None]:
        """Up to `limit` SKUs behind the SKU `after`, one of each product, in no meaningful order and without drafts of
        suppliers, and the SKU behind which the next page starts; None on the last page."""

    def leading_of_supplier(
        self, supplier_id: str, limit: int, after: str | None
    ) -> tuple[Sequence[Variant], str | None]:
        """A page of one supplier's, as above; it may hold fewer than `limit` though others follow. Reads an index: a
        new SKU may appear late."""

    def every_variant(
        self, supplier_id: str | None, limit: int, after: str | None
    ) -> tuple[Sequence[Variant], str | None]:
        """A page of all SKUs of a supplier or of all suppliers (None), drafts too, as the lists above."""

    def add_stock(self, sku: str, units: int, request: RequestKey, at: datetime) -> bool:
        """Add `units`, or remove them (below zero), once per `request`; False for a repeat.

        Raises `NotFoundError`, or `ConflictError` STOCK_SHORT if fewer units are there than are removed.
        """

    def count_stock(self, supplier_id: str, sku: str, on_shelf: int, version: int, at: datetime) -> bool:
        """Set the stock to what is on the shelf less what is held, unless this or a later count was applied (False).

        Raises `NotFoundError` for a SKU that is not this supplier's.
        """


class Products(Protocol):
    """Products with their pages and cards."""

    def find_page(self, product_id: str) -> ProductPage | None:
        """The product with its card, if its page is stored. One call; a change may be a moment late."""

    def cards_by_id(self, product_ids: Iterable[str], /) -> dict[str, ProductCard]:
        """The cards of those products that have one, at most 100. One call."""

    def publish(self, publications: Sequence[Publication], at: datetime) -> Sequence[Outcome]:
        """Create or replace products with their SKUs and cards, all or none; at most `MAX_TOGETHER` items. What each
        has become: one that is as it was is not written. Stock of a SKU that exists stays as it is. SKUs that a product
        has no more are not for sale any more. A SKU without a page, and a draft of another supplier, may join.

        Raises `ConflictError` SKU_TAKEN with the SKUs that another supplier's published products have, SKU_IN_PRODUCT
        with those that another product has, PRODUCT_STATE with the products that cannot come to their new state, or
        `TooLargeError` PUBLICATION_TOO_LARGE; `UnavailableError` STORE_BUSY if others keep changing them.
        """

    def find_draft(self, product_id: str, supplier_id: str) -> Draft | None:
        """A supplier's draft of a product, read consistently."""

    def store_draft(self, draft: Draft) -> None:
        """Create or replace a supplier's draft. What was accepted of an earlier one stays on record; a draft as it is
        stored already is not written.

        Raises `ConflictError` SKU_TAKEN, SKU_IN_PRODUCT as `publish`.
        """

    def open_drafts(self, supplier_id: str | None, limit: int, after: str | None) -> tuple[Sequence[Draft], str | None]:
        """A page of the drafts of a supplier or of all (None) that are not accepted as they are. Reads an index: a new
        one may appear late."""

    def accept(self, publication: Publication, sha256: str, request: RequestKey, at: datetime) -> bool:
        """Publish a supplier's draft and keep with it what was published, once per `request`; False for a repeat.

        Raises `NotFoundError`, `ConflictError` DRAFT_CHANGED unless the draft has this hash, and as `publish`.
        """


class Cards(Protocol):
    """The cards of products, as far as they show stock."""

    def refresh(self, product_ids: Sequence[str]) -> frozenset[str]:
        """Make the cards of up to 100 products show the stock that their SKUs have; a card that does is not written.
        The products whose cards others kept changing meanwhile. Products without a card count as done."""


class Pages(Protocol):
    """All that is stored of pages, for those who keep a copy."""

    def pages_by_id(self, product_ids: Sequence[str]) -> dict[str, PageVersion]:
        """The pages of those products that have one, read consistently. One call for each 50."""

    def every_page(self) -> Iterator[PageVersion]:
        """All pages, in no meaningful order, read consistently. Two calls for each 50."""
