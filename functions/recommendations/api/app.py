"""HTTP: what a member may want next, and why."""

from typing import Annotated, Literal

from msgspec import Meta, field

from cardstock.aws.tables import connect
from cardstock.clock import process_clock, rfc3339
from cardstock.edge.fields import ArticleName, ArticleNumber, Moment
from cardstock.edge.http import Api, Model, Nothing, Request
from cardstock.edge.observability import count, logger
from cardstock.partners import wiring as partners_wiring
from cardstock.recommendations import service
from cardstock.recommendations import wiring as recommendations_wiring

api = Api("recommendations", callers=partners_wiring.callers)

Shown = Annotated[
    str,
    Meta(
        pattern=r"^([^,]{1,64}(,[^,]{1,64}){0,49})?$",
        description="SKUs on the page or in the basket, with commas between; the first ten count, none is recommended.",
        examples=["22423,85123A"],
    ),
]


class AskRecommendations(Model):
    """What is on the screen."""

    limit: Annotated[int, Meta(ge=1, le=service.MAX_ITEMS, description="Most products.", examples=[10])] = 10
    shown: Shown = field(default="", name="for")
    scene: Annotated[
        Literal["home", "discover"],
        Meta(description="`home`: the next basket, repeats included; `discover`: new products.", examples=["home"]),
    ] = "home"


class Recommended(Model):
    """One product."""

    sku: ArticleNumber
    title: Annotated[ArticleName, Meta(description="Name of the product when it was last learned.")]
    score: Annotated[int, Meta(description="How well it fits; compares within this answer.", examples=[10100])]
    reason: Annotated[
        Literal["OWN_HISTORY", "CO_PURCHASE", "POPULAR"],
        Meta(description="Bought before, bought together with `because`, or popular.", examples=["CO_PURCHASE"]),
    ]
    because: Annotated[
        str | None, Meta(description="SKU that it is bought with; null for other reasons.", examples=["85123A"])
    ]
    text: Annotated[
        str,
        Meta(
            description="`reason` for people, in the language of the request.",
            examples=["常与“REGENCY CAKESTAND 3 TIER”一起购买"],
        ),
    ]


class Recommendations(Model):
    """The products, best first."""

    id: Annotated[str, Meta(description="Names this answer in logs.", examples=["rec_01kbcq3w00e5m8v2y7x4t9z1n6"])]
    items: Annotated[list[Recommended], Meta(description="Products, best first.")]
    ranked_by: Annotated[
        Literal["rules", "model"],
        Meta(description="`model` where a language model ordered and worded them.", examples=["rules"]),
    ]
    learned_at: Annotated[Moment | None, Meta(description="Newest purchase learned from; null before the first.")]


@api.get("/v1/recommendations", query=AskRecommendations, answer=Recommendations, auth="member")
def recommend(request: Request[Nothing, AskRecommendations]) -> Recommendations:
    """Ask what the member may want next.

    From the own history, what is bought together and what is popular, each with its reason; texts follow
    Accept-Language. Stock and price are not looked up: read the product, or take a quote.
    """
    asked = request.query
    shelf = service.recommend(
        request.caller.id,
        shown=[sku for sku in asked.shown.split(",") if sku],
        scene=asked.scene,
        limit=asked.limit,
        rows=recommendations_wiring.learnt_rows(),
        clock=process_clock(),
    )
    language: Literal["zh", "en"] = "en" if request.language == "en" else "zh"
    shelf = service.present(shelf, language=language, model=recommendations_wiring.inference())
    count("RecommendationsServed")
    logger.info(
        "recommendation served", recommendation=shelf.id, ranked_by=shelf.ranked_by, skus=[i.sku for i in shelf.items]
    )
    return Recommendations(
        id=shelf.id,
        items=[
            Recommended(item.sku, item.title, item.score, item.reason, item.because or None, item.text)
            for item in shelf.items
        ],
        ranked_by=shelf.ranked_by,
        learned_at=None if shelf.learned_at is None else rfc3339(shelf.learned_at),
    )


handler = api.handler
connect()
recommendations_wiring.inference()
