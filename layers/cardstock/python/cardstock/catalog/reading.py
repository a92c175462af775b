"""Reading products: pages and cards for buyers, lists for headquarters."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from cardstock import clock
from cardstock.catalog.model import SKU, Variant
from cardstock.catalog.ports import Products, Variants
from cardstock.catalog.product_model import ProductCard, ProductPage, ProductState, page_of_variant
from cardstock.errors import NOT_FOUND

Cards: TypeAlias = tuple[Sequence[ProductCard], str | None]


def find_page(product_id: str, *, products: Products, variants: Variants) -> ProductPage:
    """The page of a product in any state, for staff. One call, and a second one for a SKU without a stored page.

    Raises `NotFoundError`. A malformed id costs no read.
    """
    if not SKU.fullmatch(product_id):
        raise NOT_FOUND()
    page = products.find_page(product_id)
    if page is not None:
        return page
    variant = variants.find_variant(product_id)
    if variant is None or variant.product_id is not None:
        raise NOT_FOUND()
    return page_of_variant(variant)


def find_shown(product_id: str, *, products: Products, variants: Variants) -> ProductPage:
    """The page for buyers. Raises `NotFoundError`, also for a draft and for a sale that has not begun."""
    page = find_page(product_id, products=products, variants=variants)
    if page.card.state_at(clock.now()) in ("draft", "scheduled"):
        raise NOT_FOUND()
    return page


def cards_of(product_ids: Sequence[str], *, products: Products, variants: Variants) -> Sequence[ProductCard]:
    """Cards for buyers in the order of the ids, at most 100; products that buyers do not see are left out. One call,
    and a second one if there are ids without a card."""
    wanted = [product_id for product_id in dict.fromkeys(product_ids) if SKU.fullmatch(product_id)]
    cards = products.cards_by_id(wanted) if wanted else {}
    missing = [product_id for product_id in wanted if product_id not in cards]
    if missing:
        cards |= _without_page(variants.variants_by_sku(missing).values())
    now = clock.now()
    return [
        cards[product_id]
        for product_id in wanted
        if product_id in cards and cards[product_id].state_at(now) not in ("draft", "scheduled")
    ]


def list_cards(
    supplier_id: str | None, limit: int, after: str | None, *, products: Products, variants: Variants
) -> Cards:
    """A page of the cards of products that are on sale, of a supplier or of all, and the SKU after which the next
    starts. It may hold fewer than `limit` cards though others follow."""
    return list_all_cards(supplier_id, "on_sale", limit, after, products=products, variants=variants)


def list_all_cards(
    supplier_id: str | None,
    state: ProductState | None,
    limit: int,
    after: str | None,
    *,
    products: Products,
    variants: Variants,
) -> Cards:
    """A page of the cards of products in the state or in any, for headquarters, as `list_cards`."""
    if supplier_id is None:
        found, last = variants.list_leading(limit, after)
    else:
        found, last = variants.leading_of_supplier(supplier_id, limit, after)
    now = clock.now()
    return [card for card in _cards(found, products) if state in (None, card.state_at(now))], last


def _cards(found: Sequence[Variant], products: Products) -> list[ProductCard]:
    stored = products.cards_by_id([each.shown_in for each in found]) if found else {}
    cards = stored | {product_id: card for product_id, card in _without_page(found).items() if product_id not in stored}
    return [cards[each.shown_in] for each in found if each.shown_in in cards]


def _without_page(found: Iterable[Variant]) -> dict[str, ProductCard]:
    return {each.sku: page_of_variant(each).card for each in found if each.product_id is None}
