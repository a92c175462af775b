"""Types of the catalogue: products and listings."""

import re
from datetime import datetime
from typing import Final

import msgspec

from cardstock.money import Fen

SKU: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
MAX_STOCK: Final = 10**9
MAX_WEIGHT_G: Final = 10**6
"""Grams of one unit: a ton."""
MAX_BATCH: Final = 100
"""Products of one bulk change: the limit of a DynamoDB transaction."""


class Product(msgspec.Struct, frozen=True):
    """One SKU.

    `stock` can be sold now. `held` is reserved or sold, but not sent. A supplier counts `stock + held` units on the
    shelf.
    """

    sku: str
    name: str
    supplier_id: str
    price_fen: Fen
    qualifying: bool
    """Whether buying it makes a distributor under plans that require a qualifying purchase."""
    earns: bool
    """Whether rewards are measured on it."""
    active: bool
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

    @property
    def is_draft(self) -> bool:
        """Whether staff have not published it yet: it has no price, and is shown to staff and its supplier alone."""
        return self.price_fen == 0


class Draft(msgspec.Struct, frozen=True):
    """A supplier's draft of a product: what staff may publish. `initial_stock` only counts the first time."""

    sku: str
    name: str
    supplier_id: str
    initial_stock: int


class Listing(msgspec.Struct, frozen=True):
    """What is published about a SKU. `initial_stock` only counts the first time."""

    sku: str
    name: str
    supplier_id: str
    price_fen: Fen
    qualifying: bool
    earns: bool
    active: bool
    initial_stock: int
    weight_g: int | None = None
    freight_template: str = ""
