"""What recommendations are made of: purchases in, serving rows between, reasoned products out."""

from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

Reason: TypeAlias = Literal["OWN_HISTORY", "CO_PURCHASE", "POPULAR"]
"""Why a product is shown: the member bought it before; it is bought together with `because`; many members bought it
within four weeks."""

Scene: TypeAlias = Literal["home", "discover"]
"""`home` expects the next basket, repeats included; `discover` leaves out what the member is known to have bought."""

RankedBy: TypeAlias = Literal["rules", "model"]

POPULAR_KEY: Final = "popular"


class Purchase(msgspec.Struct, frozen=True):
    """One product in one paid basket. `units` are what the member kept: refunded units are taken off."""

    member_id: str
    sku: str
    title: str
    units: int
    at: datetime
    basket_id: str


class Entry(msgspec.Struct, frozen=True):
    """A product in a serving row. Scores are thousandths of the best of their kind, zero where there is none.

    `title` is the title at learning time, in the language of the sale; `because` the SKU behind `together`.
    """

    sku: str
    title: str
    own: int = 0
    together: int = 0
    popular: int = 0
    because: str = ""


class Row(msgspec.Struct, frozen=True):
    """What one read gives: a member's candidates, a product's neighbours, or what is popular.

    `title` is the product's, in a product's row. In a product's row `together` is the cosine of the two products over
    baskets, in thousandths, so that rows can be added up.
    """

    key: str
    learned_at: datetime
    entries: tuple[Entry, ...]
    title: str = ""


class Recommendation(msgspec.Struct, frozen=True):
    """One product, the reason for its place, and the product behind the reason. Scores compare within one answer."""

    sku: str
    title: str
    score: int
    reason: Reason
    because: str
    because_title: str
    text: str = ""
    """What a person reads beside the product; empty until worded."""


class Shelf(msgspec.Struct, frozen=True):
    """An answer: products in their order, what ordered them, and the newest purchase learned from (None: nothing)."""

    id: str
    items: tuple[Recommendation, ...]
    ranked_by: RankedBy
    learned_at: datetime | None


def member_key(member_id: str) -> str:
    """The key of a member's row."""
    return f"member#{member_id}"


def member_of(key: str) -> str | None:
    """The member whose row has that key; None for other rows."""
    kind, _, member_id = key.partition("#")
    return member_id if kind == "member" else None


def product_key(sku: str) -> str:
    """The key of a product's row."""
    return f"product#{sku}"
