"""SKUs with price and stock, as orders read them. What a page shows of a product is in `product_model`."""

import re
from datetime import datetime
from typing import Final

import msgspec

from cardstock.money import Fen

SKU: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
"""Pattern of a SKU and of a product's id: a product with one SKU has the SKU as its id."""
MAX_STOCK: Final = 10**9
MAX_WEIGHT_G: Final = 10**6
"""Grams of one unit: a ton."""
MAX_NAME: Final = 100
"""Letters of a title, and of the name of a SKU: with both languages its item stays below 1 KB."""


class Variant(msgspec.Struct, frozen=True):
    """One SKU of a product.

    `stock` can be sold now. `held` is reserved or sold, but not sent. A supplier counts `stock + held` units on the
    shelf.
    """

    sku: str
    name: str
    """Title and option values in Chinese: the name of an order's line."""
    supplier_id: str
    price_fen: Fen
    qualifying: bool
    """Whether buying it makes a distributor under plans that require a qualifying purchase."""
    earns: bool
    """Whether rewards are measured on it."""
    active: bool
    """Whether its product is on sale, from `on_sale_from` on."""
    stock: int
    held: int
    inventory_version: int
    """The version of the supplier's last count that was applied; -1 before the first."""
    updated_at: datetime
    counted: int | None = None
    """Units on the shelf of that count; None before the first, and for one that release 0.2.0 applied."""
    weight_g: int | None = None
    """Grams of one unit when it is sent; None if that is not known."""
    freight_template: str = ""
    """The template that its freight follows; empty: the default one."""
    product_id: str | None = None
    """The product whose page shows it; None for one that no page shows: release 0.3.0 and before had no pages. Its
    product then has the SKU as its id, and no other SKU."""
    name_en: str | None = None
    """The same name in English, if the product has an English title."""
    on_sale_from: datetime | None = None
    """When the sale begins; None: it has begun."""
    further: bool = False
    """Whether another SKU stands for its product in lists."""

    @property
    def is_draft(self) -> bool:
        """Whether staff have not published it yet: it has no price, and is shown to staff and its supplier alone.
        Suppliers of release 0.3.0 made such SKUs."""
        return self.price_fen == 0

    @property
    def shown_in(self) -> str:
        """The id of the product whose page shows it."""
        return self.product_id or self.sku

    def is_for_sale(self, at: datetime) -> bool:
        """Whether it can be bought at that moment."""
        return self.active and (self.on_sale_from is None or self.on_sale_from <= at)
