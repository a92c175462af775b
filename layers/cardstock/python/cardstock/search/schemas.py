"""What is asked of the search, and suggestions, as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from cardstock.edge.errors import CURSOR_INVALID
from cardstock.edge.http import Model
from cardstock.ids import fingerprint_of
from cardstock.search.model import MAX_TEXT, Filters, Language, Query, Suggestion

Typed = Annotated[
    str,
    Meta(
        max_length=MAX_TEXT,
        pattern=r"^[^\r\n]*\Z",
        description="Words in Chinese or English, pinyin, or an article number.",
        examples=["保温杯"],
    ),
]
Fen = Annotated[int, Meta(ge=0, le=10**9, examples=[5000])]


class SearchQuery(Model):
    """What is looked for, what hits must be, and which part of them."""

    q: Annotated[Typed, Meta(description="Words in Chinese or English, pinyin, or an article number; empty: all.")] = ""
    category: Annotated[
        str,
        Meta(
            pattern=r"^([a-z0-9][a-z0-9-]{0,39})?\Z", description="Only products of this category.", examples=["lights"]
        ),
    ] = ""
    brands: Annotated[
        str,
        Meta(
            max_length=400,
            pattern=r"^[^\r\n]*\Z",
            description="Only products of one of these brands, separated by commas.",
            examples=["LUMEN"],
        ),
    ] = ""
    min_price_fen: Annotated[Fen, Meta(description="Lowest price in fen.")] = 0
    max_price_fen: Annotated[Fen, Meta(description="Highest price in fen.")] = 10**9
    in_stock: Annotated[
        Literal["true", "false"], Meta(description="`true`: only products in stock.", examples=["true"])
    ] = "false"
    attributes: Annotated[
        str,
        Meta(
            pattern=r"^([0-9a-f]{10}\.[0-9a-f]{10}(,[0-9a-f]{10}\.[0-9a-f]{10}){0,19})?\Z",
            description="Values of facets as `facet.value`, separated by commas. Values of one facet are alternatives.",
            examples=["1b2c3d4e5f.0a9b8c7d6e"],
        ),
    ] = ""
    sort: Annotated[
        Literal["relevance", "price_up", "price_down", "newest", "sales"],
        Meta(description="Sequence of the hits; without words `relevance` is `sales`.", examples=["relevance"]),
    ] = "relevance"

    cursor: Annotated[
        Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\.[0-9]{1,5}\Z")] | None,
        Meta(
            description="`next_cursor` of the page before; absent: the first page.",
            examples=["5f1d7a84db00d2fc.20"],
        ),
    ] = None
    limit: Annotated[int, Meta(ge=1, le=100, description="Largest number of items in a page.", examples=[20])] = 20

    def query(self, language: Language, at: datetime) -> Query:
        """The search. Raises `InvalidError` CURSOR_INVALID for the cursor of another one."""
        values: dict[str, set[str]] = {}
        for each in self.attributes.split(",") if self.attributes else ():
            facet, _, value = each.partition(".")
            values.setdefault(facet, set()).add(value)
        filters = Filters(
            category=self.category,
            brands=frozenset([each.strip() for each in self.brands.split(",") if each.strip()]),
            min_price_fen=self.min_price_fen,
            max_price_fen=self.max_price_fen,
            in_stock=self.in_stock == "true",
            attributes=tuple([(facet, frozenset(of)) for facet, of in sorted(values.items())]),
        )
        return Query(self.q, filters, self.sort, self._offset, self.limit, language, at)

    def cursor_after(self, total: int) -> str | None:
        """The cursor of the next page; None if this one is the last of `total` hits."""
        following = self._offset + self.limit
        return f"{self._name}.{following}" if following < total else None

    @property
    def _offset(self) -> int:
        name, _, offset = (self.cursor or f"{self._name}.0").partition(".")
        if name != self._name:
            raise CURSOR_INVALID()
        return int(offset)

    @property
    def _name(self) -> str:
        """What the search is known by: a cursor of it needs no signature, as it leads to nothing but its hits."""
        parts = (self.q, self.category, self.brands, self.min_price_fen, self.max_price_fen, self.in_stock)
        return fingerprint_of(repr((*parts, self.attributes, self.sort)).encode())[:16]


class SuggestionQuery(Model):
    """What was typed so far."""

    q: Typed = ""
    limit: Annotated[int, Meta(ge=1, le=20, description="Largest number of suggestions.", examples=[8])] = 8


class SuggestedText(Model):
    """A completion of what was typed."""

    text: Annotated[str, Meta(description="What to search for.", examples=["保温杯"])]
    products: Annotated[int, Meta(description="Products that have it.", examples=[13])]


class Suggestions(Model):
    """Completions, those with most products first."""

    items: Annotated[list[SuggestedText], Meta(description="Completions.")]

    @classmethod
    def of(cls, found: Sequence[Suggestion]) -> Suggestions:
        """Completions for a client."""
        return cls([SuggestedText(each.text, each.products) for each in found])
