"""What facets are called, in Chinese and English."""

from collections.abc import Mapping
from typing import Final

from cardstock.money import Fen
from cardstock.search.model import Language

FACET_NAMES: Final[Mapping[str, Mapping[Language, str]]] = {
    "brand": {"zh": "品牌", "en": "Brand"},
    "category": {"zh": "分类", "en": "Category"},
    "price": {"zh": "价格", "en": "Price"},
    "in_stock": {"zh": "库存", "en": "Stock"},
}
IN_STOCK: Final[Mapping[Language, str]] = {"zh": "有货", "en": "In stock"}
OUT_OF_STOCK: Final[Mapping[Language, str]] = {"zh": "缺货", "en": "Out of stock"}


def price_range(start_fen: Fen, end_fen: Fen | None, language: Language) -> str:
    """A range of prices in whole yuan, `end_fen` not included; None is no end."""
    start = start_fen // 100
    if end_fen is None:
        return f"{start}元以上" if language == "zh" else f"¥{start} and more"
    end = end_fen // 100
    return f"{start}–{end}元" if language == "zh" else f"¥{start}–{end}"
