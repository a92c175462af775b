"""Upkeep of cards: what they show of the stock follows the SKUs."""

from collections.abc import Iterable

import msgspec

from cardstock.catalog.ports import Cards
from cardstock.catalog.product_model import shown_stock


class StockChange(msgspec.Struct, frozen=True):
    """A change of a SKU, as the stream tells it: units that could be sold before and after it."""

    product_id: str
    before: int
    after: int

    @property
    def is_shown(self) -> bool:
        """Whether what is shown of the stock differs."""
        return shown_stock(self.before) != shown_stock(self.after)


def keep_cards(changes: Iterable[StockChange], *, cards: Cards) -> frozenset[str]:
    """Bring the cards of products up to date whose shown stock has changed: those that could not be written.

    Changes may come more than once, late and in any order: what counts is what is stored now. Without a change that
    is shown nothing is read. Otherwise two reads for up to a hundred products and SKUs, and a write for each card
    that differs.
    """
    products = {change.product_id for change in changes if change.is_shown}
    return cards.refresh(sorted(products)) if products else frozenset()
