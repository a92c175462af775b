"""The JSON of recommendations."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Literal

from msgspec import Meta, field

from cardstock.clock import rfc3339
from cardstock.edge.fields import ArticleName, ArticleNumber, Moment
from cardstock.edge.http import Model
from cardstock.recommendations.model import Recommendation, Shelf
from cardstock.recommendations.recommending import MAX_ITEMS

ShownSkus = Annotated[
    str,
    Meta(
        pattern=r"^([^,\r\n]{1,64}(,[^,\r\n]{1,64}){0,49})?\Z",
        description="SKUs on the page or in the basket, with commas between; the first ten count, none is recommended.",
        examples=["22423,85123A"],
    ),
]


class AskRecommendations(Model):
    """What is on the screen."""

    limit: Annotated[int, Meta(ge=1, le=MAX_ITEMS, description="Largest number of products.", examples=[10])] = 10
    shown: ShownSkus = field(default="", name="for")
    scene: Annotated[
        Literal["home", "discover"],
        Meta(description="`home`: the next basket, repeats included; `discover`: new products.", examples=["home"]),
    ] = "home"

    def shown_skus(self) -> list[str]:
        """The SKUs in `shown`."""
        return [sku for sku in self.shown.split(",") if sku]


class RecommendedProduct(Model):
    """One product."""

    sku: ArticleNumber
    title: Annotated[ArticleName, Meta(description="Name of the product when it was last learned.")]
    score: Annotated[int, Meta(description="Score for comparison within this answer.", examples=[10100])]
    reason: Annotated[
        Literal["OWN_HISTORY", "CO_PURCHASE", "POPULAR"],
        Meta(
            description="Reason: bought before, bought together with `because`, or popular.", examples=["CO_PURCHASE"]
        ),
    ]
    because: Annotated[
        str | None, Meta(description="SKU bought together with it; null for other reasons.", examples=["85123A"])
    ]
    text: Annotated[
        str,
        Meta(
            description="`reason` as text, in the language of the request.",
            examples=["常与“REGENCY CAKESTAND 3 TIER”一起购买"],
        ),
    ]

    @classmethod
    def of(cls, item: Recommendation) -> RecommendedProduct:
        """A product of a shelf."""
        return cls(item.sku, item.title, item.score, item.reason, item.because or None, item.text)


class Recommendations(Model):
    """The products, best first."""

    id: Annotated[str, Meta(description="Id of this answer in logs.", examples=["rec_01kbcq3w00e5m8v2y7x4t9z1n6"])]
    items: Annotated[list[RecommendedProduct], Meta(description="Products, best first.")]
    ranked_by: Annotated[
        Literal["rules", "model"],
        Meta(description="`model` if a language model sorted and worded them.", examples=["rules"]),
    ]
    learned_at: Annotated[Moment | None, Meta(description="Newest purchase learned from; null before the first.")]

    @classmethod
    def of(cls, shelf: Shelf) -> Recommendations:
        """A shelf for the member."""
        return cls(
            id=shelf.id,
            items=[RecommendedProduct.of(item) for item in shelf.items],
            ranked_by=shelf.ranked_by,
            learned_at=None if shelf.learned_at is None else rfc3339(shelf.learned_at),
        )
