"""A page of hits as JSON: products as lists show them, facets, and what was searched."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated

from msgspec import Meta

from cardstock.catalog.product_model import ProductCard
from cardstock.clock import rfc3339
from cardstock.edge.fields import Currency, Moment, NextCursor, ProductId
from cardstock.edge.http import Model
from cardstock.flows.finding_products import Found
from cardstock.money import CURRENCY
from cardstock.search.model import Facet, Language


class HitView(Model):
    """A product that was found."""

    product_id: ProductId
    title: Annotated[str, Meta(description="Title in the buyer's language.", examples=["心形烛台"])]
    picture: Annotated[
        str | None,
        Meta(
            description="The first picture, as in lists.",
            examples=["https://files.example.com/files/upl_01kbdxdh50fcazdjhcnqh2rzv5/320.webp"],
        ),
    ]
    currency: Currency
    price_from_fen: Annotated[int, Meta(description="Price of the cheapest SKU in fen.", examples=[25500])]
    price_to_fen: Annotated[int, Meta(description="Price of the dearest SKU in fen.", examples=[25500])]
    list_price_fen: Annotated[int | None, Meta(description="A higher price to compare with, in fen.", examples=[29900])]
    in_stock: Annotated[bool, Meta(description="Whether a SKU can be bought now.")]

    @classmethod
    def of(cls, card: ProductCard, language: Language, host: str) -> HitView:
        """A hit for who reads `zh` or `en`; `host` is the public host of files."""
        return cls(
            product_id=card.product_id,
            title=card.title.text(language),
            picture=card.picture_at(host),
            currency=CURRENCY,
            price_from_fen=card.price_from_fen,
            price_to_fen=card.price_to_fen,
            list_price_fen=card.list_price_fen,
            in_stock=any(units > 0 for units in card.shown.values()),
        )


class FacetValueView(Model):
    """A value that hits have."""

    value: Annotated[str, Meta(description="What a filter takes.", examples=["LUMEN"])]
    name: Annotated[str, Meta(description="What a buyer reads.", examples=["LUMEN"])]
    count: Annotated[int, Meta(description="Hits with it, whatever this facet's filter is.", examples=[12])]


class FacetView(Model):
    """A quality by which hits can be filtered."""

    id: Annotated[
        str,
        Meta(
            description="`brand`, `category`, `price` (from-to in fen), `in_stock`, or the id of an attribute.",
            examples=["brand"],
        ),
    ]
    name: Annotated[str, Meta(description="What a buyer reads.", examples=["品牌"])]
    values: Annotated[list[FacetValueView], Meta(description="Values, the most frequent first; at most 30.")]

    @classmethod
    def of(cls, facet: Facet) -> FacetView:
        """A facet for a client."""
        values = [FacetValueView(each.value, each.name, each.count) for each in facet.values]
        return cls(facet.id.removeprefix("attribute:"), facet.name, values)


class SearchPage(Model):
    """Hits, and by what they can be filtered."""

    items: Annotated[list[HitView], Meta(description="Products of this page; may be fewer than `limit`.")]
    next_cursor: NextCursor
    total: Annotated[int, Meta(description="Hits on all pages.", examples=[42])]
    facets: Annotated[list[FacetView], Meta(description="Qualities of the hits.")]
    corrected: Annotated[
        str | None,
        Meta(description="What was searched instead of `q`; null: `q` itself.", examples=["保温杯"]),
    ]
    dropped: Annotated[list[str], Meta(description="Words of `q` that no product has.", examples=[[]])]
    built_at: Annotated[Moment | None, Meta(description="As of when products are found; null: no product yet.")]

    @classmethod
    def of(cls, found: Found, next_cursor: str | None, language: Language, host: str) -> SearchPage:
        """A page for who reads `zh` or `en`; `host` is the public host of files."""
        page = found.page
        return cls(
            items=[HitView.of(card, language, host) for card in found.cards],
            next_cursor=next_cursor,
            total=page.total,
            facets=[FacetView.of(facet) for facet in page.facets],
            corrected=page.corrected or None,
            dropped=list(page.dropped),
            built_at=None if page.built_at is None else rfc3339(page.built_at),
        )
