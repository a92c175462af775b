"""The nouns of the catalogue: products and listings."""

import re
from datetime import datetime
from typing import Final

import msgspec

from cardstock.money import Fen

SKU: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
MAX_STOCK: Final = 10**9
MAX_BATCH: Final = 100
"""Products of one bulk change: the limit of a DynamoDB transaction."""


class Product(msgspec.Struct, frozen=True):
    """One SKU.

    `stock` is what can be sold now. `held` is what was reserved or sold but has not left the supplier. A supplier
    counts `stock + held` units on the shelf.
    """

    sku: str
    name: str
    supplier_id: str
    price_fen: Fen
    qualifying: bool
    """Buying it makes a distributor, where the plan asks for a qualifying purchase."""
    earns: bool
    """False: no reward is ever measured on it."""
    active: bool
    stock: int
    held: int
    inventory_version: int
    """The version of the supplier's last count that was applied; -1 before the first."""
    updated_at: datetime


class Listing(msgspec.Struct, frozen=True):
    """What is published about a SKU. `initial_stock` counts the first time only."""

    sku: str
    name: str
    supplier_id: str
    price_fen: Fen
    qualifying: bool
    earns: bool
    active: bool
    initial_stock: int
