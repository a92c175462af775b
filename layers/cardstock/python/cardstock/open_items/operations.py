"""How the API document names and introduces the routes of the open items area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "open-items",
        "Open items",
        "待处理事项",
        "Verified payments, refunds and transfers that do not fit, until people have cleared them. Keys need "
        "the scopes `open_items:read` and `open_items:clear`.",
        "已验证但对不上的付款、退款和转账，由人处理完毕后了结。需要 `open_items:read` 和 `open_items:clear` 权限。",
        {
            "GET /v1/open-items": Operation("listOpenItems", "List open items", "列出待处理事项"),
            "GET /v1/open-items/{item_id}": Operation("getOpenItem", "Get an open item", "查看待处理事项"),
            "POST /v1/open-items/{item_id}/clearings": Operation(
                "clearOpenItem", "Clear an open item", "了结待处理事项"
            ),
        },
    ),
)
PATH_VALUES: Final = {
    "item_id": PathValue("oit_01kbdxdh50fcazdjhcnqh2rzv5", "Open item that is meant."),
}
