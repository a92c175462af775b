"""How the API document names and introduces the routes of the cards area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "cards",
        "Cards",
        "名片",
        "Business cards, their shares, their views and their public page.",
        "名片、分享、浏览和公开页。",
        {
            "POST /v1/cards": Operation("createCard", "Create a card", "创建名片"),
            "GET /v1/me/cards": Operation("listCards", "List my cards", "列出我的名片"),
            "GET /v1/cards/{key}": Operation("getCard", "Get a card", "查看名片"),
            "PUT /v1/cards/{key}": Operation("putCard", "Replace my card", "修改名片"),
            "POST /v1/cards/{key}/shares": Operation("shareCard", "Share my card", "分享名片"),
            "POST /v1/card-views": Operation("reportCardView", "Report a view", "上报名片浏览"),
            "GET /v1/cards/{key}/visitors": Operation("listCardVisitors", "List card visitors", "列出名片访客"),
            "GET /v1/cards/{key}/vcf": Operation("getCardVcard", "Download a vCard", "下载 vCard"),
            "GET /v1/cards/{key}/qr": Operation("getCardQrCode", "Get a QR code", "获取二维码"),
            "GET /c/{key}": Operation("getCardPage", "Open a card's page", "打开名片公开页"),
        },
    ),
)
PATH_VALUES: Final = {
    "key": PathValue("x7k2m9pq4t", "Key of the card or, where it is shown, of a share of it."),
}
