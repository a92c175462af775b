"""How the API document names and introduces the routes of the catalog area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "products",
        "Products",
        "商品",
        "Products, their SKUs, prices and stock.",
        "商品、规格、价格和库存。",
        {
            "GET /v1/products": Operation("listProducts", "List products", "列出商品"),
            "PUT /v1/products": Operation("publishProducts", "Publish several products", "批量发布商品"),
            "GET /v1/products/{product_id}": Operation("getProduct", "Get a product", "查看商品"),
            "PUT /v1/products/{product_id}": Operation("publishProduct", "Publish a product", "发布商品"),
            "GET /v1/product-drafts": Operation("listDrafts", "List drafts", "列出商品草稿"),
            "GET /v1/products/{product_id}/draft": Operation("getProductDraft", "Get a draft", "查看商品草稿"),
            "PUT /v1/products/{product_id}/draft": Operation("draftProduct", "Draft a product", "提交商品草稿"),
            "POST /v1/products/{product_id}/acceptances": Operation("acceptDraft", "Accept a draft", "采纳商品草稿"),
            "GET /v1/headquarters/products": Operation("listAllProducts", "List all products", "总部：列出商品"),
            "GET /v1/headquarters/products/{product_id}": Operation(
                "getPublishedProduct", "Get what was published", "总部：查看商品"
            ),
            "GET /v1/headquarters/skus": Operation("listSkus", "List all SKUs", "总部：列出规格与库存"),
            "POST /v1/skus/{sku}/stock": Operation("addStock", "Add stock", "增减库存"),
        },
    ),
)
PATH_VALUES: Final = {
    "product_id": PathValue("85123A", "Id of the product."),
    "sku": PathValue("85123A", "Article number of the SKU."),
}
