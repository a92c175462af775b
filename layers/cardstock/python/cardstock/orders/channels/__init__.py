"""The channels that orders are paid through."""

from collections.abc import Callable
from typing import Final

Report = Callable[[str, str], None]
"""Called for every call without a usable answer: order or refund id, and cause (`timeout`, `http_500 SYSTEM_ERROR`)."""

NAMES_NO_PAYER: Final = frozenset({"douyin"})
"""Channels whose notices and queries do not name the payer. Orders that are paid there have no mark of one: compliance
sees who bought, and not who paid (`same_payer`). Nothing depends on this; a test compares it with the channels."""
