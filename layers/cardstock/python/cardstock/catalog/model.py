"""What is sold. A `Product` is one SKU of one supplier, with its price and its stock."""

import re
from datetime import datetime
from typing import Final

import msgspec

from cardstock.money import Fen

SKU: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
MAX_STOCK: Final = 10**9
MAX_BATCH: Final = 100
"""Products of one bulk change: DynamoDB's transactions end there."""


class Product(msgspec.Struct, frozen=True):
    """One SKU.

    `stock` is what can be sold now. `held` is what was sold or reserved but has not left the supplier: what a supplier
    counts on the shelf is `stock + held`.
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
    """Of the supplier's last stock message that was applied; -1 before the first."""
    updated_at: datetime


class Listing(msgspec.Struct, frozen=True):
    """What is said of a SKU when it is published or published anew. `initial_stock` counts the first time only."""

    sku: str
    name: str
    supplier_id: str
    price_fen: Fen
    qualifying: bool
    earns: bool
    active: bool
    initial_stock: int
