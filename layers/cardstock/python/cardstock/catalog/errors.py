"""Refusals of the catalog area."""

from typing import Final

from cardstock.errors import conflict, forbidden, invalid, too_large

SKU_INVALID: Final = invalid(
    "SKU_INVALID", zh="商品编号不正确。", en="The id of a product or a SKU is not well formed."
)
SKU_TAKEN: Final = conflict("SKU_TAKEN", zh="商品编号已被其他供应商使用。", en="Another supplier has these SKUs.")
SKU_IN_PRODUCT: Final = conflict(
    "SKU_IN_PRODUCT", zh="商品编号已属于另一件商品。", en="These SKUs belong to another product."
)
PRODUCT_STATE: Final = conflict(
    "PRODUCT_STATE",
    zh="商品不能变为该状态：草稿可上架，在售可归档，归档可重新上架。",
    en="The product cannot come to this state: a draft goes on sale, what is on sale is archived, an archived product "
    "goes on sale again.",
    about=("state",),
)
PUBLICATION_TOO_LARGE: Final = too_large(
    "PUBLICATION_TOO_LARGE",
    zh="一次发布的商品过多：每件商品计 2 项，每个规格计 1 项，合计不超过 {most} 项。",
    en="Too much at once: a product counts as 2 items and each of its SKUs as 1, {most} items in all.",
)
MEDIA_HOST_UNKNOWN: Final = invalid(
    "MEDIA_HOST_UNKNOWN",
    zh="图片、文件、视频和模型须来自商城允许的域名。",
    en="Pictures, files, videos and models come from hosts that the shop allows.",
)
TERMS_FOR_STAFF: Final = forbidden(
    "TERMS_FOR_STAFF",
    zh="价格与上架由总部设置；供应商请提交商品草稿。",
    en="The brand's staff set prices and put products on sale. A supplier drafts them.",
)
NOT_A_SUPPLIER: Final = forbidden(
    "NOT_A_SUPPLIER", zh="该接口仅限供应商密钥使用。", en="Only a supplier's key can do this."
)
DRAFT_CHANGED: Final = conflict(
    "DRAFT_CHANGED",
    zh="草稿在您查看之后已被修改，请重新查看。",
    en="The draft was changed after you read it: read it again.",
    about=("draft_sha256",),
)
