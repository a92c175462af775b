"""How the API document names and introduces the routes of the catalog area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, PathValue

FAMILIES: Final = (
    Family(
        "products",
        "Products",
        "商品",
        "Products, their prices and their stock.",
        {
            "GET /v1/products": "listProducts",
            "PUT /v1/products": "publishProducts",
            "GET /v1/products/{sku}": "getProduct",
            "PUT /v1/products/{sku}": "publishProduct",
            "POST /v1/products/{sku}/stock": "addStock",
        },
    ),
)
PATH_VALUES: Final = {
    "sku": PathValue("85123A", "Article number of the product."),
}
