"""Refusals of the cards area."""

from typing import Final

from cardstock.errors import conflict, invalid, timed

CARD_CHANGED: Final = conflict(
    "CARD_CHANGED",
    zh="名片已被修改，请刷新后重试。",
    en="The card has changed meanwhile; read it again.",
    about=("revision",),
)
TICKET_INVALID: Final = invalid(
    "TICKET_INVALID", zh="访问凭条无效。", en="The view ticket is not one of this shop.", about=("ticket",)
)
TICKET_EXPIRED: Final = timed(
    invalid(
        "TICKET_EXPIRED",
        zh="访问凭条已过期（两小时），请重新打开名片。",
        en="The view ticket has expired after two hours; open the card again.",
        about=("ticket",),
    )
)
AUDIENCE_UNKNOWN: Final = invalid(
    "AUDIENCE_UNKNOWN", zh="名片没有该受众的版本。", en="The card has no version for this audience."
)
