"""The ports of the catalogue in memory."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from cardstock.catalog import errors
from cardstock.catalog.model import Variant
from cardstock.catalog.product_model import (
    MAX_TOGETHER,
    PRODUCT_TRANSITIONS,
    Draft,
    Outcome,
    Product,
    ProductCard,
    ProductPage,
    Publication,
    card_of,
    page_of_variant,
    shown_stock,
)
from cardstock.errors import IDEMPOTENCY_KEY_REUSED, NOT_FOUND, STOCK_SHORT
from cardstock.ids import RequestKey

Item = TypeVar("Item")


class MemoryVariants:
    """`catalog.ports.Variants`, and `orders.ports.Catalogue`."""

    def __init__(self) -> None:
        self.variants: dict[str, Variant] = {}
        self.requests: dict[str, str] = {}

    def find_variant(self, sku: str) -> Variant | None:
        return self.variants.get(sku)

    def variants_by_sku(self, skus: Iterable[str], /) -> dict[str, Variant]:
        return {sku: self.variants[sku] for sku in skus if sku in self.variants}

    def list_leading(self, limit: int, after: str | None) -> tuple[Sequence[Variant], str | None]:
        return self._page([each for each in self.variants.values() if _leads(each)], limit, after)

    def leading_of_supplier(
        self, supplier_id: str, limit: int, after: str | None
    ) -> tuple[Sequence[Variant], str | None]:
        own = [each for each in self.variants.values() if each.supplier_id == supplier_id]
        found, last = self._page(own, limit, after)
        return [each for each in found if _leads(each)], last

    def every_variant(
        self, supplier_id: str | None, limit: int, after: str | None
    ) -> tuple[Sequence[Variant], str | None]:
        own = [each for each in self.variants.values() if supplier_id in (None, each.supplier_id)]
        return self._page(own, limit, after)

    def add_stock(self, sku: str, units: int, request: RequestKey, at: datetime) -> bool:
        if request.id in self.requests:
            if self.requests[request.id] != request.fingerprint:
                raise IDEMPOTENCY_KEY_REUSED()
            return False
        variant = self.variants.get(sku)
        if variant is None:
            raise NOT_FOUND()
        if units < 0 and variant.stock < -units:
            raise STOCK_SHORT(lines=[{"sku": sku, "available": max(0, variant.stock)}])
        self.requests[request.id] = request.fingerprint
        self.variants[sku] = replace(variant, stock=variant.stock + units, updated_at=at)
        return True

    def count_stock(self, supplier_id: str, sku: str, on_shelf: int, version: int, at: datetime) -> bool:
        variant = self.variants.get(sku)
        if variant is None or variant.supplier_id != supplier_id:
            raise NOT_FOUND()
        if variant.inventory_version >= version:
            return False
        self.variants[sku] = replace(
            variant, stock=on_shelf - variant.held, inventory_version=version, updated_at=at, counted=on_shelf
        )
        return True

    def _page(self, found: list[Variant], limit: int, after: str | None) -> tuple[Sequence[Variant], str | None]:
        return _page_of({each.sku: each for each in found}, limit, after)


class MemoryProducts:
    """`catalog.ports.Products`, beside the SKUs of `variants`."""

    def __init__(self, variants: MemoryVariants | None = None) -> None:
        self.variants = variants or MemoryVariants()
        self.pages: dict[str, ProductPage] = {}
        self.drafts: dict[str, Draft] = {}
        self.requests: dict[str, str] = {}

    def find_page(self, product_id: str) -> ProductPage | None:
        return self.pages.get(product_id)

    def cards_by_id(self, product_ids: Iterable[str], /) -> dict[str, ProductCard]:
        return {product_id: self.pages[product_id].card for product_id in product_ids if product_id in self.pages}

    def publish(self, publications: Sequence[Publication], at: datetime) -> Sequence[Outcome]:
        self._require_free(publications, states=True)
        outcomes = [self._outcome(each.product) for each in publications]
        changed = [each for each, outcome in zip(publications, outcomes, strict=True) if outcome != "same"]
        if sum(each.size + len(self._dropped(each.product)) for each in changed) > MAX_TOGETHER:
            raise errors.PUBLICATION_TOO_LARGE(most=MAX_TOGETHER)
        for each in changed:
            self._write(each, at)
        return outcomes

    def find_draft(self, product_id: str, supplier_id: str) -> Draft | None:
        return self.drafts.get(f"{product_id}#{supplier_id}")

    def store_draft(self, draft: Draft) -> None:
        self._require_free([draft.publication], states=False)
        before = self.find_draft(draft.product_id, draft.supplier_id)
        if before is None:
            self.drafts[f"{draft.product_id}#{draft.supplier_id}"] = draft
        elif before.sha256 != draft.sha256:
            self.drafts[f"{draft.product_id}#{draft.supplier_id}"] = replace(
                before, publication=draft.publication, sha256=draft.sha256, updated_at=draft.updated_at
            )

    def open_drafts(self, supplier_id: str | None, limit: int, after: str | None) -> tuple[Sequence[Draft], str | None]:
        waiting = {
            key: draft
            for key, draft in self.drafts.items()
            if supplier_id in (None, draft.supplier_id) and draft.sha256 != draft.accepted_sha256
        }
        return _page_of(waiting, limit, after)

    def accept(self, publication: Publication, sha256: str, request: RequestKey, at: datetime) -> bool:
        product = publication.product
        draft = self.find_draft(product.product_id, product.supplier_id)
        if draft is None:
            raise NOT_FOUND()
        if request.id in self.requests:
            if self.requests[request.id] != request.fingerprint:
                raise IDEMPOTENCY_KEY_REUSED()
            return False
        if draft.sha256 != sha256:
            raise errors.DRAFT_CHANGED()
        self.publish([publication], at)
        self.requests[request.id] = request.fingerprint
        self.drafts[f"{product.product_id}#{product.supplier_id}"] = replace(
            draft, accepted=publication, accepted_sha256=sha256, accepted_at=at
        )
        return True

    def _require_free(self, publications: Sequence[Publication], *, states: bool) -> None:
        taken, elsewhere, stuck = [], [], []
        for product in (each.product for each in publications):
            page = self.pages.get(product.product_id)
            for variant in self.variants.variants_by_sku(product.skus).values():
                if variant.is_draft:
                    continue
                if variant.supplier_id != product.supplier_id:
                    taken.append(variant.sku)
                elif variant.product_id not in (None, product.product_id):
                    elsewhere.append(variant.sku)
            if page is not None and page.product.supplier_id != product.supplier_id:
                taken.append(product.product_id)
            before = self._shown_before(product)
            if states and before and product.state not in (before.state, *PRODUCT_TRANSITIONS[before.state]):
                stuck.append(product.product_id)
        if taken:
            raise errors.SKU_TAKEN(skus=taken)
        if elsewhere:
            raise errors.SKU_IN_PRODUCT(skus=elsewhere)
        if stuck:
            raise errors.PRODUCT_STATE(products=stuck)

    def _shown_before(self, product: Product) -> Product | None:
        if product.product_id in self.pages:
            return self.pages[product.product_id].product
        variant = self.variants.find_variant(product.product_id)
        return None if variant is None or variant.is_draft else page_of_variant(variant).product

    def _outcome(self, product: Product) -> Outcome:
        if self._shown_before(product) is None:
            return "made"
        page = self.pages.get(product.product_id)
        return "same" if page is not None and page.product == product else "changed"

    def _dropped(self, product: Product) -> list[str]:
        page = self.pages.get(product.product_id)
        return [] if page is None else [sku for sku in page.product.skus if sku not in product.skus]

    def _write(self, publication: Publication, at: datetime) -> None:
        product, known = publication.product, self.variants.variants
        for sku in self._dropped(product):
            known[sku] = replace(known[sku], active=False, further=True, updated_at=at)
        for terms in product.variants:
            before = known.get(terms.sku)
            if before is not None and before.is_draft and before.supplier_id != product.supplier_id:
                before = None
            known[terms.sku] = Variant(
                sku=terms.sku,
                name=product.name_of(terms, "zh"),
                supplier_id=product.supplier_id,
                price_fen=terms.price_fen,
                qualifying=terms.qualifying,
                earns=terms.earns,
                active=product.state == "on_sale",
                stock=before.stock if before else publication.initial_stock.get(terms.sku, 0),
                held=before.held if before else 0,
                inventory_version=before.inventory_version if before else -1,
                updated_at=at,
                counted=before.counted if before else None,
                weight_g=terms.weight_g,
                freight_template=terms.freight_template,
                product_id=product.product_id,
                name_en=product.name_of(terms, "en") if product.title.en else None,
                on_sale_from=product.on_sale_from,
                further=terms.sku != product.skus[0],
            )
        stock = {sku: known[sku].stock for sku in product.skus}
        page = self.pages.get(product.product_id)
        card = card_of(product, stock, at)
        self.pages[product.product_id] = ProductPage(product, card, page.revision + 1 if page else 1)


class MemoryCards:
    """`catalog.ports.Cards`."""

    def __init__(self, products: MemoryProducts) -> None:
        self.products = products

    def refresh(self, product_ids: Sequence[str]) -> frozenset[str]:
        pages, variants = self.products.pages, self.products.variants.variants
        for product_id in product_ids:
            if product_id in pages:
                page = pages[product_id]
                shown = {sku: shown_stock(variants[sku].stock) for sku in page.card.shown}
                pages[product_id] = replace(page, card=replace(page.card, shown=shown))
        return frozenset()


def _leads(variant: Variant) -> bool:
    return not variant.is_draft and not variant.further


def _page_of(found: dict[str, Item], limit: int, after: str | None) -> tuple[Sequence[Item], str | None]:
    keys = sorted(key for key in found if after is None or key > after)
    return [found[key] for key in keys[:limit]], keys[limit - 1] if len(keys) > limit else None
