"""What an index is stored as: rows of products, values of facets, counts of words, completions."""

from datetime import datetime
from typing import Final

import msgspec

MOST_PRODUCTS: Final = 65_000
"""Row numbers have two bytes."""
FORM: Final = 1
"""Grows when rows mean something else: an index of another form is built anew."""


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A product in searchable form. `values` are places in the table of facet values."""

    product_id: str
    version: int
    title: str
    brand: str
    kind: str
    """The last step of the path of categories, which says best what it is."""
    category: str
    """The steps before."""
    attributes: str
    description: str
    articles: str
    """Article numbers between blanks, letters and digits alone."""
    values: tuple[int, ...]
    price_fen: int
    list_price_fen: int
    in_stock: bool
    sold: int
    published: int
    """Seconds since 1970; 0 is not known."""
    begins: int = 0
    """Before so many seconds since 1970 it is no hit."""


class Value(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value of a facet, with the names of both."""

    facet: str
    value: str
    zh: str
    en: str
    facet_zh: str = ""
    facet_en: str = ""


class Completion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What typing may be completed to. `forms` are its beginnings: folded text, pinyin and initials, each behind a
    blank."""

    text: str
    forms: str
    products: int
    weight: int


class Contents(msgspec.Struct, frozen=True, array_like=True):
    """An index as it is stored."""

    form: int
    built_at: datetime
    rows: list[Row]
    values: list[Value]
    places: dict[str, bytes]
    """Latin words and Chinese characters -> numbers of the rows that have them, two bytes each."""
    runs: str
    """Different Chinese runs that are no descriptions, one a line."""
    completions: list[Completion]
    gone: dict[str, int] = {}
    """Products that were taken off the shelf since the index was built -> their version then."""
