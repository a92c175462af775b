"""How the API document names and introduces the routes of the recommendations area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family

FAMILIES: Final = (
    Family(
        "recommendations",
        "Recommendations",
        "推荐",
        "Products that the member may want next, each with its reason.",
        {
            "GET /v1/recommendations": "listRecommendations",
        },
    ),
)
