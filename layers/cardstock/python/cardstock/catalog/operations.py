"""How the API document names and introduces the routes of the catalog area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "products",
        "Products",
        "商品",
        "Products, their prices and their stock.",
        "商品、价格和库存。",
        {
            "GET /v1/products": Operation("listProducts", "List products", "列出商品"),
            "PUT /v1/products": Operation("publishProducts", "Publish several products", "批量发布商品"),
            "GET /v1/products/{sku}": Operation("getProduct", "Get a product", "查看商品"),
            "PUT /v1/products/{sku}": Operation("publishProduct", "Publish a product", "发布商品"),
            "GET /v1/products/{sku}/draft": Operation("getProductDraft", "Get a draft", "查看商品草稿"),
            "PUT /v1/products/{sku}/draft": Operation("draftProduct", "Draft a product", "提交商品草稿"),
            "GET /v1/headquarters/products": Operation("listAllProducts", "List all products", "总部：列出商品"),
            "POST /v1/products/{sku}/stock": Operation("addStock", "Add stock", "增减库存"),
        },
    ),
)
PATH_VALUES: Final = {
    "sku": PathValue("85123A", "Article number of the product."),
}
