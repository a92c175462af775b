"""Refusals of the ledger area."""

from typing import Final

from cardstock.errors import conflict, refused, timed

NOT_SEALED_YET: Final = timed(
    conflict(
        "NOT_SEALED_YET",
        zh="该笔记录尚未封存，每晚封存一次，请明天再试。",
        en="This entry is not sealed yet; that is done every night.",
    )
)
DEBT_SMALLER: Final = refused(
    "DEBT_SMALLER", zh="欠款少于该金额。", en="Less than that is owed.", about=("amount_fen",)
)
