"""Refusals of the catalog area."""

from typing import Final

from cardstock.errors import conflict, forbidden, invalid

SKU_INVALID: Final = invalid("SKU_INVALID", zh="商品编号不正确。", en="The SKU is not well formed.")
SKU_TAKEN: Final = conflict("SKU_TAKEN", zh="商品编号已被其他供应商使用。", en="Another supplier has these SKUs.")
TERMS_FOR_STAFF: Final = forbidden(
    "TERMS_FOR_STAFF",
    zh="价格与上架由总部设置；供应商请提交商品草稿。",
    en="The brand's staff set prices and put products on sale. A supplier drafts them.",
)
NOT_A_SUPPLIER: Final = forbidden(
    "NOT_A_SUPPLIER", zh="该接口仅限供应商密钥使用。", en="Only a supplier's key can do this."
)
PRODUCT_PUBLISHED: Final = conflict(
    "PRODUCT_PUBLISHED",
    zh="商品已由总部上架，内容修改请联系总部。",
    en="The brand's staff have published this product; they change it.",
)
