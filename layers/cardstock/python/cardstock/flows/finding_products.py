"""The search follows the catalogue: what buyers may see is in the index, and hits are shown by their cards."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from cardstock.catalog import reading
from cardstock.catalog.ports import Pages, Products, Variants
from cardstock.catalog.product_model import PageVersion, ProductCard, ProductPage, Wording, page_of_variant
from cardstock.ids import fingerprint_of
from cardstock.search import upkeep
from cardstock.search.model import Attribute, Category, Entry, Page, Query
from cardstock.search.ports import SearchIndex, StoredIndex

_TAG: Final = re.compile(r"<[^>]*>")
_DESCRIBED: Final = 600
"""Letters of a description that are searched, of each language."""
_LISTED: Final = 100


class Found(msgspec.Struct, frozen=True):
    """A page of hits, and their cards in the same sequence, without products that buyers do not see any more."""

    page: Page
    cards: Sequence[ProductCard]


def find_products(query: Query, *, index: SearchIndex, products: Products, variants: Variants) -> Found:
    """Search, and read the cards of the hits: two reads at most, and a third one for products without a page."""
    page = index.search(query)
    ids = page.product_ids
    return Found(page, reading.cards_of(ids, products=products, variants=variants) if ids else [])


def follow_products(
    product_ids: Iterable[str], at: datetime, *, pages: Pages, variants: Variants, stored: StoredIndex
) -> upkeep.Outcome:
    """Bring the index up to date with products that changed. What counts is what is stored now."""
    ids = sorted(set(product_ids))

    def read() -> upkeep.Changes:
        found = pages.pages_by_id(ids)
        shown = {product_id: each for product_id, each in found.items() if _is_shown(each.page)}
        gone = {product_id: each.version for product_id, each in found.items() if product_id not in shown}
        return upkeep.Changes([entry_of(each) for each in shown.values()], gone)

    return upkeep.apply_changes(
        read, at, every_entry=lambda: every_entry(pages=pages, variants=variants), stored=stored
    )


def rebuild_index(at: datetime, *, pages: Pages, variants: Variants, stored: StoredIndex) -> int:
    """Build the index of all products anew: how many there are."""
    return upkeep.rebuild(at, every_entry=lambda: every_entry(pages=pages, variants=variants), stored=stored)


def every_entry(*, pages: Pages, variants: Variants) -> Iterator[Entry]:
    """The entries of all products that buyers may see, those without a page too."""
    yield from (entry_of(each) for each in pages.every_page() if _is_shown(each.page))
    after: str | None = None
    while True:
        found, after = variants.list_leading(_LISTED, after)
        plain = [PageVersion(page_of_variant(each), 0) for each in found if each.product_id is None]
        yield from (entry_of(each) for each in plain if _is_shown(each.page))
        if after is None:
            return


def entry_of(stored: PageVersion) -> Entry:
    """What the index holds of a product."""
    product, card = stored.page.product, stored.page.card
    facts = [(each.name, each.value) for each in product.attributes]
    facts += [(option.name, value) for option in product.options for value in option.values]
    text = product.description or Wording("")
    return Entry(
        product_id=product.product_id,
        version=stored.version,
        title_zh=product.title.zh,
        title_en=product.title.en,
        brand=product.brand,
        categories=tuple([Category(each, "", each.replace("-", " ")) for each in product.category_ids]),
        attributes=tuple([_attribute(name, value) for name, value in facts]),
        description=f"{plain_text(text.zh)[:_DESCRIBED]} {plain_text(text.en)[:_DESCRIBED]}".strip(),
        skus=product.skus,
        price_fen=card.price_from_fen,
        list_price_fen=card.list_price_fen or 0,
        in_stock=any(units > 0 for units in card.shown.values()),
        begins_at=product.on_sale_from,
        published_at=product.on_sale_from or card.updated_at,
    )


def plain_text(source: str) -> str:
    """HTML without its tags."""
    return " ".join(html.unescape(_TAG.sub(" ", source)).split())


def _is_shown(page: ProductPage) -> bool:
    return page.product.state == "on_sale"


def _attribute(name: Wording, value: Wording) -> Attribute:
    own_id, value_id = (fingerprint_of(text.encode())[:10] for text in (name.zh, value.zh))
    return Attribute(own_id, value_id, name.zh, value.zh, name.en, value.en)
