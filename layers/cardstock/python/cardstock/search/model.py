"""Types of the search: what an index holds of a product, what is asked, what is found."""

from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.money import Fen

Sort: TypeAlias = Literal["relevance", "price_up", "price_down", "newest", "sales"]
Language: TypeAlias = Literal["zh", "en"]

MAX_TEXT: Final = 80
"""Characters of a query that count; what follows is not read."""
MAX_PAGE: Final = 50
FACET_VALUES: Final = 30
"""Values of a facet, the most frequent first."""
PRICE_STEPS: Final[tuple[Fen, ...]] = (2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
"""Where the ranges of the price facet end."""


class Category(msgspec.Struct, frozen=True, array_like=True):
    """A step of a product's path of categories, in both languages; an empty name is not known."""

    id: str
    zh: str = ""
    en: str = ""


class Attribute(msgspec.Struct, frozen=True, array_like=True):
    """A quality of a product, in both languages. `id` names the attribute (colour), `value` what it is (red)."""

    id: str
    value: str
    name_zh: str = ""
    value_zh: str = ""
    name_en: str = ""
    value_en: str = ""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What the index holds of a product that buyers may see. `version` grows with each change of the product."""

    product_id: str
    version: int
    title_zh: str = ""
    title_en: str = ""
    brand: str = ""
    categories: tuple[Category, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    description: str = ""
    """Plain text, in whatever language it was written."""
    skus: tuple[str, ...] = ()
    price_fen: Fen = 0
    """The lowest price of its SKUs."""
    list_price_fen: Fen = 0
    in_stock: bool = True
    sold: int = 0
    published_at: datetime | None = None
    begins_at: datetime | None = None
    """Before this moment it is no hit; None: it is at once."""


class Filters(msgspec.Struct, frozen=True):
    """What a hit must be. Several brands, or several values of one attribute, are alternatives."""

    category: str = ""
    """The id of a category; products of those below it count."""
    brands: frozenset[str] = frozenset()
    min_price_fen: Fen = 0
    max_price_fen: Fen = 10**9
    in_stock: bool = False
    """Whether products without stock are left out."""
    attributes: tuple[tuple[str, frozenset[str]], ...] = ()
    """Ids of attributes, each with the values that fit."""


class Query(msgspec.Struct, frozen=True):
    """A search. Without text every product is a hit, and `relevance` is `sales`."""

    text: str = ""
    filters: Filters = Filters()
    sort: Sort = "relevance"
    offset: int = 0
    limit: int = 20
    language: Language = "zh"
    """In which language the names of facets are."""
    at: datetime | None = None
    """Now: what is not on sale yet is no hit. None: all is."""


class FacetValue(msgspec.Struct, frozen=True):
    """A value that hits have, and how many hits would be left with it instead of the facet's own filter."""

    value: str
    name: str
    count: int


class Facet(msgspec.Struct, frozen=True):
    """The values of brand, category, price, in_stock or an attribute."""

    id: str
    name: str
    values: tuple[FacetValue, ...]


class Page(msgspec.Struct, frozen=True):
    """Hits, best first. `total` counts all pages. `corrected` is the text that was searched where it differs."""

    product_ids: tuple[str, ...]
    total: int
    facets: tuple[Facet, ...]
    corrected: str = ""
    dropped: tuple[str, ...] = ()
    """Words of the text that no hit has."""
    built_at: datetime | None = None


class Suggestion(msgspec.Struct, frozen=True):
    """A completion of what was typed, and how many products have it."""

    text: str
    products: int
