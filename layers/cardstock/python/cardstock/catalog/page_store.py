"""All pages of products in DynamoDB, for those who keep a copy.

| Access pattern | How |
|---|---|
| pages of products that changed | BatchGetItem, consistent |
| all pages | Scan of their cards, then the same for each 50 |
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from cardstock.aws.items import record_of
from cardstock.aws.tables import Table, get_together
from cardstock.catalog.product_model import PageVersion, ProductCard, ProductPage
from cardstock.catalog.publication_store import CARD, CONTENT, CardItem, ContentItem

_AT_ONCE: Final = 50


class DynamoPages:
    """`catalog.ports.Pages`."""

    def pages_by_id(self, product_ids: Sequence[str]) -> dict[str, PageVersion]:
        found: dict[str, PageVersion] = {}
        for start in range(0, len(product_ids), _AT_ONCE):
            some = product_ids[start : start + _AT_ONCE]
            wanted: dict[type[Table], Iterable[tuple[str, ...]]] = {
                ContentItem: [(product_id, CONTENT) for product_id in some],
                CardItem: [(product_id, CARD) for product_id in some],
            }
            found |= {each.page.product.product_id: each for each in _together(get_together(wanted))}
        return found

    def every_page(self) -> Iterator[PageVersion]:
        cards = CardItem.scan(CardItem.sk == CARD, consistent_read=True)
        while some := [card.product_id for card in islice(cards, _AT_ONCE)]:
            yield from self.pages_by_id(some).values()


def _together(items: Iterable[Table]) -> Iterator[PageVersion]:
    found = list(items)
    cards = {item.product_id: item for item in found if isinstance(item, CardItem)}
    for content in found:
        if isinstance(content, ContentItem) and content.product_id in cards:
            card = cards[content.product_id]
            page = ProductPage(content.product, record_of(ProductCard, card), content.revision)
            yield PageVersion(page, card.revision)
