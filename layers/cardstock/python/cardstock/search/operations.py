"""How the API document names and introduces the routes of the search area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation

FAMILIES: Final = (
    Family(
        "search",
        "Search",
        "搜索",
        "Products by words, pinyin or article numbers, with filters.",
        "按词语、拼音或商品编号查找商品，可筛选。",
        {
            "GET /v1/search": Operation("searchProducts", "Search products", "搜索商品"),
            "GET /v1/search/suggestions": Operation("suggestSearches", "Suggest searches", "搜索建议"),
        },
    ),
)
