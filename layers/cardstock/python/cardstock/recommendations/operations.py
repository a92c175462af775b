"""How the API document names and introduces the routes of the recommendations area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation

FAMILIES: Final = (
    Family(
        "recommendations",
        "Recommendations",
        "推荐",
        "Products that the member may want next, each with its reason.",
        "会员可能想要的商品，每个都有理由。",
        {
            "GET /v1/recommendations": Operation("listRecommendations", "Recommend products", "推荐商品"),
        },
    ),
)
