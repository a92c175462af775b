"""The port of the catalogue in memory."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from cardstock.catalog import errors
from cardstock.catalog.model import Draft, Listing, Product
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, NOT_FOUND, STOCK_SHORT
from cardstock.ids import RequestKey


class MemoryProducts:
    """`catalog.ports.Products`, and `orders.ports.Catalogue`."""

    def __init__(self) -> None:
        self.products: dict[str, Product] = {}
        self.requests: dict[str, str] = {}

    def find_product(self, sku: str) -> Product | None:
        return self.products.get(sku)

    def products_by_sku(self, skus: Iterable[str], /) -> dict[str, Product]:
        return {sku: self.products[sku] for sku in skus if sku in self.products}

    def list_products(self, limit: int, after: str | None) -> tuple[Sequence[Product], str | None]:
        return self._page([each for each in self.products.values() if not each.is_draft], limit, after)

    def products_of_supplier(
        self, supplier_id: str, limit: int, after: str | None
    ) -> tuple[Sequence[Product], str | None]:
        own = [each for each in self.products.values() if each.supplier_id == supplier_id and not each.is_draft]
        return self._page(own, limit, after)

    def every_product(
        self, supplier_id: str | None, limit: int, after: str | None
    ) -> tuple[Sequence[Product], str | None]:
        own = [each for each in self.products.values() if supplier_id in (None, each.supplier_id)]
        return self._page(own, limit, after)

    def publish_listings(self, listings: Sequence[Listing], at: datetime) -> None:
        known = self.products_by_sku(listing.sku for listing in listings)
        drafts = {sku for sku, product in known.items() if product.is_draft}
        foreign = [
            each.sku for each in listings if each.sku in known and known[each.sku].supplier_id != each.supplier_id
        ]
        taken = [sku for sku in foreign if sku not in drafts]
        if taken:
            raise errors.SKU_TAKEN(skus=taken)
        for each in listings:
            before = None if each.sku in foreign else known.get(each.sku)
            self.products[each.sku] = Product(
                sku=each.sku,
                name=each.name,
                supplier_id=each.supplier_id,
                price_fen=each.price_fen,
                qualifying=each.qualifying,
                earns=each.earns,
                active=each.active,
                stock=before.stock if before else each.initial_stock,
                held=before.held if before else 0,
                inventory_version=before.inventory_version if before else -1,
                updated_at=at,
                weight_g=each.weight_g,
                freight_template=each.freight_template,
            )

    def store_draft(self, draft: Draft, at: datetime) -> None:
        before = self.products.get(draft.sku)
        if before is not None and before.supplier_id != draft.supplier_id:
            raise errors.SKU_TAKEN(skus=[draft.sku])
        if before is not None and not before.is_draft:
            raise errors.PRODUCT_PUBLISHED()
        stock, version = (before.stock, before.inventory_version) if before else (draft.initial_stock, -1)
        self.products[draft.sku] = Product(
            sku=draft.sku,
            name=draft.name,
            supplier_id=draft.supplier_id,
            price_fen=0,
            qualifying=False,
            earns=True,
            active=False,
            stock=stock,
            held=0,
            inventory_version=version,
            updated_at=at,
        )

    def add_stock(self, sku: str, units: int, request: RequestKey, at: datetime) -> bool:
        if request.id in self.requests:
            if self.requests[request.id] != request.fingerprint:
                raise IDEMPOTENCY_KEY_REUSED()
            return False
        product = self.products.get(sku)
        if product is None:
            raise NOT_FOUND()
        if units < 0 and product.stock < -units:
            raise STOCK_SHORT(lines=[{"sku": sku, "available": max(0, product.stock)}])
        self.requests[request.id] = request.fingerprint
        self.products[sku] = replace(product, stock=product.stock + units, updated_at=at)
        return True

    def count_stock(self, supplier_id: str, sku: str, on_shelf: int, version: int, at: datetime) -> bool:
        product = self.products.get(sku)
        if product is None or product.supplier_id != supplier_id:
            raise NOT_FOUND()
        if product.inventory_version >= version:
            return False
        self.products[sku] = replace(
            product, stock=on_shelf - product.held, inventory_version=version, updated_at=at, counted=on_shelf
        )
        return True

    def _page(self, found: list[Product], limit: int, after: str | None) -> tuple[Sequence[Product], str | None]:
        rest = sorted((each for each in found if after is None or each.sku > after), key=lambda product: product.sku)
        return rest[:limit], rest[limit - 1].sku if len(rest) > limit else None
