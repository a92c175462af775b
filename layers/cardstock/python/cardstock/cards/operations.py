"""How the API document names and introduces the routes of the cards area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, PathValue

FAMILIES: Final = (
    Family(
        "cards",
        "Cards",
        "名片",
        "Business cards, their shares, their views and their public page.",
        {
            "POST /v1/cards": "createCard",
            "GET /v1/me/cards": "listCards",
            "GET /v1/cards/{key}": "getCard",
            "PUT /v1/cards/{key}": "putCard",
            "POST /v1/cards/{key}/shares": "shareCard",
            "POST /v1/card-views": "reportCardView",
            "GET /v1/cards/{key}/visitors": "listCardVisitors",
            "GET /v1/cards/{key}/vcf": "getCardVcard",
            "GET /v1/cards/{key}/qr": "getCardQrCode",
            "GET /c/{key}": "getCardPage",
        },
    ),
)
PATH_VALUES: Final = {
    "key": PathValue("x7k2m9pq4t", "Key of the card or, where it is shown, of a share of it."),
}
