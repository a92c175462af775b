"""Refusals of the catalog area."""

from typing import Final

from cardstock.errors import conflict, invalid

SKU_INVALID: Final = invalid("SKU_INVALID", zh="商品编号不正确。", en="The SKU is not well formed.")
SKU_TAKEN: Final = conflict("SKU_TAKEN", zh="商品编号已被其他供应商使用。", en="Another supplier has these SKUs.")
