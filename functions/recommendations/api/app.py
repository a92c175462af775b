"""HTTP: recommendations to a member, with reasons."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Api, Nothing, Request
from cardstock.edge.observability import count, logger
from cardstock.members.wiring import agreeing
from cardstock.partners.wiring import callers
from cardstock.recommendations.recommending import recommend
from cardstock.recommendations.schemas import AskRecommendations, Recommendations
from cardstock.recommendations.wiring import language_model, learnt_rows
from cardstock.recommendations.wording import present

api = Api("recommendations", callers=callers)


@api.get("/v1/recommendations", query=AskRecommendations, answer=Recommendations, auth="member")
def ask_recommendations(request: Request[Nothing, AskRecommendations]) -> Recommendations:
    """Recommend products to the member.

    From the member's history, products bought together and popular ones, each with its reason; without the consent to
    `recommendations` not from the history. Texts follow Accept-Language. Stock and price are not read: read the
    product, or request a quote.
    """
    asked, agreed = request.query, agreeing([request.caller.id], "recommendations")
    member_id = next(iter(agreed), None)
    ranked = recommend(member_id, shown=asked.shown_skus(), scene=asked.scene, limit=asked.limit, rows=learnt_rows())
    shelf = present(ranked, language="en" if request.language == "en" else "zh", model=language_model())
    count("RecommendationsServed")
    skus = [item.sku for item in shelf.items]
    logger.info("recommendation served", recommendation=shelf.id, ranked_by=shelf.ranked_by, skus=skus)
    return Recommendations.of(shelf)


handler = api.handler
connect()
language_model()
