"""Refusals of the open items area."""

from typing import Final

from cardstock.errors import conflict, refused

OUTCOME_UNKNOWN: Final = refused(
    "OUTCOME_UNKNOWN", zh="此类事项不能这样了结。", en="An item of this kind cannot end like this.", about=("outcome",)
)
OUTCOME_DIFFERS: Final = conflict(
    "OUTCOME_DIFFERS",
    zh="该事项已登记不同的处理结果：{outcome}。",
    en="Another outcome is on record for this item: {outcome}.",
    about=("outcome",),
)
ITEM_CHANGED: Final = conflict(
    "ITEM_CHANGED", zh="该事项刚被更新，请重试。", en="The item has changed meanwhile; try again."
)
