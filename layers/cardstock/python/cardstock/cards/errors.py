"""Refusals of the cards area."""

from typing import Final

from cardstock.errors import conflict, invalid

CARD_CHANGED: Final = conflict(
    "CARD_CHANGED",
    zh="名片已被修改，请刷新后重试。",
    en="The card has changed meanwhile; read it again.",
    about=("revision",),
)
AUDIENCE_UNKNOWN: Final = invalid(
    "AUDIENCE_UNKNOWN", zh="名片没有该受众的版本。", en="The card has no version for this audience."
)
