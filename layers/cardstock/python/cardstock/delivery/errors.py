"""Refusals of the delivery area."""

from typing import Final

from cardstock.errors import conflict, invalid, refused

REGION_NEEDED: Final = refused(
    "REGION_NEEDED",
    zh="请选择收货地址：运费按地区计算。",
    en="Choose an address first: freight depends on the region.",
    about=("region", "address_id"),
)
REGION_NOT_SERVED: Final = refused(
    "REGION_NOT_SERVED",
    zh="以下商品不发往{name}：{articles}。",
    en="These articles are not sent to {name}: {articles}.",
    about=("region", "address_id", "lines"),
)
TEMPLATES_CHANGED: Final = conflict(
    "TEMPLATES_CHANGED",
    zh="运费模板刚被修改，请重新读取后再试。",
    en="The freight templates have changed meanwhile; read them again.",
    about=("version",),
)
TEMPLATES_INVALID: Final = invalid(
    "TEMPLATES_INVALID", zh="运费模板有误，请核对。", en="The freight templates are not valid."
)

SENDING: Final = (REGION_NEEDED, REGION_NOT_SERVED)
"""Refusals of a quote."""
