"""HTTP: what a member may want next, and why."""

from typing import Annotated, Literal

import msgspec

from cardstock.aws.tables import connect
from cardstock.clock import process_clock, rfc3339
from cardstock.edge.http import Api, Model, Nothing, Request
from cardstock.edge.observability import count, logger
from cardstock.partners import wiring as partners_wiring
from cardstock.recommendations import service
from cardstock.recommendations import wiring as recommendations_wiring

api = Api("recommendations", callers=partners_wiring.callers)

Shown = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([^,]{1,64}(,[^,]{1,64}){0,49})?$",
        description="SKUs on the page or in the basket, with commas between; the first ten count, none is recommended",
        examples=["22423,85123A"],
    ),
]


class AskRecommendations(Model):
    """What is on the screen. `home` expects the next basket, repeats included; `discover` only new products."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=service.MAX_ITEMS, examples=[10])] = 10
    shown: Shown = msgspec.field(default="", name="for")
    scene: Annotated[Literal["home", "discover"], msgspec.Meta(examples=["home"])] = "home"


class Recommended(Model):
    """One product. `because` is the SKU behind `CO_PURCHASE`; `score` compares within this answer only; `title` is as
    old as the learning."""

    sku: Annotated[str, msgspec.Meta(examples=["22423"])]
    title: Annotated[str, msgspec.Meta(examples=["REGENCY CAKESTAND 3 TIER"])]
    score: Annotated[int, msgspec.Meta(examples=[10100])]
    reason: Annotated[Literal["OWN_HISTORY", "CO_PURCHASE", "POPULAR"], msgspec.Meta(examples=["OWN_HISTORY"])]
    because: str | None
    text: Annotated[str, msgspec.Meta(examples=["您买过的商品，需要时可以再次购买"])]


class Recommendations(Model):
    """The products, best first. `ranked_by` is `model` where a language model ordered and worded them. `learned_at` is
    the newest purchase that was learnt from; null until there is one."""

    id: Annotated[str, msgspec.Meta(examples=["rec_01kbcq3w00e5m8v2y7x4t9z1n6"])]
    items: list[Recommended]
    ranked_by: Annotated[Literal["rules", "model"], msgspec.Meta(examples=["rules"])]
    learned_at: Annotated[str, msgspec.Meta(examples=["2026-12-01T18:00:00.000Z"])] | None


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
